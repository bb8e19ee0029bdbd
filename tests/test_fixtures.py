"""What the suite's own fixtures promise: each test starts from the same state, whatever ran before it."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from asyncpg import Connection, connect
from tortoise.apps import Apps
from tortoise.context import get_current_context

from core.bootstrap import Application, open_application
from core.metering import Registry
from core.models import Operator
from core.services.shared.transaction import current_database
from core.settings import Settings
from tests.support.models import WORK_OUT, state_of
from tests.support.servers import array_types
from tests.support.servers.array_types import keep_array_types
from tests.support.servers.prepared import Prepared, prepared_for

_STRUCTURE = {
    "sqlite": "SELECT type, name, sql FROM sqlite_master ORDER BY type, name",
    "postgresql": (
        "SELECT relkind::text, relname, relpages, reltuples FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace ORDER BY relname"
    ),
}


async def found() -> list[object]:
    """The tables, how full they are, and the number that the next operator gets."""
    database = current_database()
    structure = await database.execute_query_dict(_STRUCTURE[database.connection_name])
    rows = await Operator.all().count()
    created = await Operator.create(code="first", name="First")
    return [structure, rows, created.id]


@pytest.mark.parametrize("turn", ["first", "second"])
@pytest.mark.usefixtures("application")
async def test_a_test_finds_nothing_of_the_one_before(turn: str, seen: dict[str, list[object]]) -> None:
    """Rows, numbers drawn from sequences, tables and statistics of one test are gone for the next."""
    database = current_database()
    state = await found()
    assert state[1:] == [0, 1]
    assert seen.setdefault(database.connection_name, state) == state
    await Operator.create(code="other", name="Other")
    await database.execute_script(
        "CREATE TABLE left_behind (number INTEGER); INSERT INTO left_behind VALUES (1)"
    )
    await database.execute_script("ANALYZE")


@pytest.fixture(scope="module")
def seen() -> dict[str, list[object]]:
    return {}


async def _open_shop(application: Application) -> None:
    await Operator.create(code="shop", name="Shop")


prepared = prepared_for("shop", Prepared("shop_of_test_fixtures", _open_shop))


@pytest.fixture
def shop() -> None:
    """Asks for what is prepared."""


@pytest.mark.parametrize("turn", ["first", "second"])
@pytest.mark.usefixtures("application", "shop")
async def test_each_test_has_its_own_copy_of_what_is_prepared(turn: str) -> None:
    """It finds what was written once, the numbers after it, and nothing that another test has written."""
    assert [(row.id, row.code) for row in await Operator.all()] == [(1, "shop")]
    await Operator.all().update(code="changed")
    assert (await Operator.create(code="other", name="Other")).id == 2


async def test_kept_models_are_those_that_are_worked_out(
    application: Application, settings: Settings, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is put back at an opening equals what Tortoise works out, after the other kind was open too."""
    apps = get_current_context().apps
    models = apps.apps["models"].values()
    assert len(models) > 50
    restored = {model: state_of(model) for model in models}
    monkeypatch.setattr(Apps, "_build_initial_querysets", WORK_OUT)
    async with open_application(settings, registry=registry):
        worked_out = {model: state_of(model) for model in models}
    for model in models:
        assert _comparable(restored[model]) == _comparable(worked_out[model]), model


def _comparable(state: dict[str, Any]) -> dict[str, Any]:
    """Partial functions and queries equal themselves alone, and are compared by what they say."""
    filters = {
        name: {key: repr(one) if isinstance(one, partial) else one for key, one in filter_.items()}
        for name, filter_ in state["filters"].items()
    }
    fields = {name: sorted(map(repr, value)) for name, value in state.items() if isinstance(value, list)}
    queries = {name: str(state[name]) for name in ("basetable", "basequery", "basequery_all_fields")}
    return {**fields, **queries, "filters": filters}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("application")
async def test_only_what_each_database_has_is_kept_of_array_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own arrays are asked for by the first connection alone; what a test's database defines, by
    each: the same number is another type in the next one.
    """
    asked = Counter[frozenset[int]]()
    ask = array_types.ASK

    async def counted(connection: Connection, numbers: Any, limit_s: float | None) -> Any:
        asked[frozenset(numbers)] += 1
        return await ask(connection, numbers, limit_s)

    monkeypatch.setattr(array_types, "ASK", counted)
    keep_array_types(monkeypatch)
    await current_database().execute_script("CREATE TYPE stage AS ENUM ('first', 'last')")
    async with current_database().acquire_connection() as one:
        number = await one.fetchval("SELECT 'stage[]'::regtype::oid")
        settings = one._params
        for _ in range(2):
            connection = await connect(
                host=one._addr.rpartition("/")[0], user=settings.user, database=settings.database
            )
            assert await connection.fetchval("SELECT $1::bigint[]", [1, 2]) == [1, 2]
            assert await connection.fetchval("SELECT ARRAY['last'::stage]") == ["last"]
            await connection.close()
    assert asked == {frozenset({1016}): 1, frozenset({number}): 2}

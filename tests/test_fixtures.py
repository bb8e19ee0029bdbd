"""What the suite's own fixtures promise: each test starts from the same state, whatever ran before it."""

from functools import partial
from typing import Any

import pytest
from tortoise.apps import Apps
from tortoise.context import get_current_context

from core.bootstrap import Application, open_application
from core.metering import Registry
from core.models import Operator
from core.services.shared.transaction import current_database
from core.settings import Settings
from tests.support.models import WORK_OUT, state_of

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

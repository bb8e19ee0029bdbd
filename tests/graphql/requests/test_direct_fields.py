"""Resolvers that are called without strawberry's layers: with what strawberry gives them, and as often."""

import gc
from datetime import timedelta
from typing import Any

import pytest
from graphql import parse
from strawberry.types import arguments

from core.errors import Forbidden
from graphql_schema.accounts.viewer import Viewer
from graphql_schema.requests import direct_fields
from graphql_schema.requests.executor import Selections
from tests.graphql.conftest import WATER
from tests.support.factories import NOW

SERIES = """query ($fluid: Fluid!, $from: Date) { viewer { dwellings {
  asked: dailySeries(fluid: $fluid, from: $from) { unit days amounts }
  fixed: dailySeries(fluid: COLD_WATER, from: "2026-11-20") { unit days amounts }
  activeAlertCount } } }"""
FIXED = """{ viewer { dwellings { dailySeries(fluid: COLD_WATER, from: "2026-11-20") { days } } } }"""


def by_strawberry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls every resolver as strawberry does."""
    monkeypatch.setattr(Selections, "direct_field", lambda *_: None)


@pytest.fixture
async def week(claire: Any, home: Any) -> Any:
    """Claire's water of seven days."""
    last = NOW.date() - timedelta(days=1)
    await home.consume(WATER, last - timedelta(days=6), last, daily=100)
    return claire


async def test_the_answers_are_strawberrys(week: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With arguments as variables and in the document, each time anew: whoever calls the resolvers."""
    first, second = {"fluid": "COLD_WATER", "from": "2026-11-18"}, {"fluid": "HEAT", "from": None}
    direct = [await week.ask(SERIES, **variables) for variables in (first, second, first)]
    assert direct[0] == direct[2] != direct[1]
    assert direct[0]["viewer"]["dwellings"][0]["asked"]["days"][0] == "2026-11-18"
    by_strawberry(monkeypatch)
    assert [await week.ask(SERIES, **variables) for variables in (first, second, first)] == direct


async def test_arguments_of_the_document_are_converted_once(
    week: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Not at each of its executions."""
    converted = 0

    def counted(*values: Any, **options: Any) -> Any:
        nonlocal converted
        converted += 1
        return arguments.convert_arguments(*values, **options)

    monkeypatch.setattr(direct_fields, "convert_arguments", counted)
    text = f"{FIXED} # {request.node.name}: a text that no other test has asked"
    for _ in range(3):
        await week.ask(text)
    assert converted == 1


@pytest.mark.parametrize("direct", [True, False])
async def test_a_failing_resolver_is_placed(
    week: Any, monkeypatch: pytest.MonkeyPatch, *, direct: bool
) -> None:
    """A field that fails, at once or later, is null where it may be, and its error has its path."""
    if not direct:
        by_strawberry(monkeypatch)

    async def refused(*_: Any, **__: Any) -> Any:
        raise Forbidden("Not today.")

    monkeypatch.setattr("core.services.consumption.consumption.series_of", refused)
    answer = await week.post(FIXED)
    (error,) = answer.json()["errors"]
    assert answer.json()["data"] == {"viewer": {"dwellings": [{"dailySeries": None}]}}
    assert error["path"] == ["viewer", "dwellings", 0, "dailySeries"]
    assert error["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("direct", [True, False])
async def test_a_wrong_argument_is_named_before_a_permission_is_asked_for(
    portal: Any, monkeypatch: pytest.MonkeyPatch, *, direct: bool
) -> None:
    """A field's arguments are read first, as the specification has it, also where nobody is signed in."""
    if not direct:
        by_strawberry(monkeypatch)
    query = "query ($first: Int = 3) { doubtfulReadings(first: $first) { __typename } }"
    assert (await portal.refusal(query, first=None))["code"] == "BAD_REQUEST"
    assert (await portal.refusal(query, first=4))["code"] == "UNAUTHENTICATED"


async def test_an_answer_leaves_nothing_for_the_collector(week: Any) -> None:
    """What was read for it goes with it: Python's collector, which holds up everybody, has nothing to do."""
    await week.ask(SERIES, fluid="COLD_WATER")
    gc.collect()
    gc.disable()
    try:
        before = {id(one) for one in gc.get_objects() if isinstance(one, Viewer)}
        await week.ask(SERIES, fluid="COLD_WATER")
        assert [one for one in gc.get_objects() if isinstance(one, Viewer) and id(one) not in before] == []
    finally:
        gc.enable()


def test_a_field_with_a_variable_is_not_fixed() -> None:
    """However deep it stands in a list or an object."""
    for value, has_one in (("[1, {a: $x}]", True), ("{a: [2, $y]}", True), ("[1, {a: 2}]", False)):
        node = parse(f"{{ field(value: {value}) }}").definitions[0].selection_set.selections[0]  # type: ignore[attr-defined]
        assert direct_fields._has_variable(node.arguments[0].value) is has_one

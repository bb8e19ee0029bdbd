"""Long lists are executed in pieces: the same answers, and turns for others in between."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from graphql_schema.base.amounts import Amount
from graphql_schema.requests import executor
from graphql_schema.requests.executor import (
    FIELDS_A_PIECE,
    SHORTEST_LONG_LIST,
    PiecewiseExecutor,
    Selections,
)
from tests.graphql.conftest import WATER
from tests.support.factories import NOW

DAYS = """query ($from: Date) { viewer { dwellings {
  a: dailyConsumption(fluid: COLD_WATER, from: $from) { day amount { value unit smallest } quality }
  b: dailyConsumption(fluid: COLD_WATER, from: $from) { day amount { value unit smallest } quality }
} } }"""
FIELDS_OF_A_DAY = 6


@pytest.fixture
async def year(claire: Any, home: Any) -> Any:
    """Claire's water of four hundred days."""
    last = NOW.date() - timedelta(days=1)
    await home.consume(WATER, last - timedelta(days=399), last, daily=100)
    return claire


async def days(portal: Any) -> list[list[dict[str, Any]]]:
    (dwelling,) = (await portal.ask(DAYS, **{"from": (NOW - timedelta(days=400)).date().isoformat()}))[
        "viewer"
    ]["dwellings"]
    return [dwelling["a"], dwelling["b"]]


def by_graphql_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Completes plain values as those whose fields have resolvers."""
    monkeypatch.setattr(Selections, "plain_items", lambda *_: None)
    monkeypatch.setattr(Selections, "plain_field", lambda *_: None)


async def test_a_long_list_is_answered_as_in_one_go(year: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the list, with every field, whatever the pieces."""
    plain = await days(year)
    monkeypatch.setattr(executor, "PLAIN_ITEMS_A_PIECE", 7)
    assert await days(year) == plain
    by_graphql_core(monkeypatch)
    first = await days(year)
    assert first == plain
    assert len(first[0]) == 401
    assert first[0][0] == {
        "day": (NOW - timedelta(days=400)).date().isoformat(),
        "amount": {"value": "0.100", "unit": "CUBIC_METRE", "smallest": 100},
        "quality": "MEASURED",
    }
    monkeypatch.setattr(executor, "SHORTEST_LONG_LIST", 10**9)
    assert await days(year) == first
    monkeypatch.setattr(executor, "SHORTEST_LONG_LIST", 1)
    monkeypatch.setattr(executor, "FIELDS_A_PIECE", 1)
    assert await days(year) == first


async def test_others_have_their_turn_between_two_pieces(year: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two lists of 401 days, no more fields than a piece are executed in a turn of the event loop."""
    by_graphql_core(monkeypatch)
    executed = 0
    execute_fields = PiecewiseExecutor.execute_fields

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal executed
        executed += len(args[3])
        return execute_fields(self, *args, **kwargs)

    monkeypatch.setattr(PiecewiseExecutor, "execute_fields", counted)
    turns: list[int] = []
    done = False

    async def watch() -> None:
        while not done:
            turns.append(executed)
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await days(year)
    done = True
    await watching
    assert executed >= 2 * 400 * FIELDS_OF_A_DAY
    steps = [later - earlier for earlier, later in pairwise(turns)]
    assert max(steps) <= FIELDS_A_PIECE + FIELDS_OF_A_DAY + 10


async def test_others_have_their_turn_between_pieces_of_plain_values(
    year: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two lists of 401 days that need no resolver, no more items than a piece are completed in a turn."""
    completed = 0
    make = Selections.plain_items

    def counted(*args: Any) -> Any:
        complete = make(*args)
        if complete is None:  # the dwellings
            return None

        def count(items: list[Any], context: Any) -> list[Any]:
            nonlocal completed
            completed += len(items)
            return complete(items, context)

        return count

    monkeypatch.setattr(Selections, "plain_items", counted)
    turns: list[int] = []
    done = False

    async def watch() -> None:
        while not done:
            turns.append(completed)
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await days(year)
    done = True
    await watching
    assert completed >= 2 * 401
    steps = [later - earlier for earlier, later in pairwise(turns)]
    assert max(steps) <= executor.PLAIN_ITEMS_A_PIECE + 1


async def test_an_error_in_a_long_list_is_where_it_belongs(
    year: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field of an item that fails nulls what it must, and the path names the item."""
    made = 0
    of = Amount.of.__func__  # type: ignore[attr-defined]

    def failing(cls: Any, *args: Any) -> Any:
        nonlocal made
        made += 1
        amount = of(cls, *args)
        return replace(amount, smallest=2**60) if made == 30 else amount

    monkeypatch.setattr(Amount, "of", classmethod(failing))
    query = DAYS.replace("  b:", "  # ")
    answer = (await year.post(query, {"from": (NOW - timedelta(days=400)).date().isoformat()})).json()
    (error,) = answer["errors"]
    assert error["path"] == ["viewer", "dwellings", 0, "a", 29, "amount", "smallest"]
    assert SHORTEST_LONG_LIST < 29

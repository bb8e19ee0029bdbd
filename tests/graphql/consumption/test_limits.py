"""A resident's own consumption limits over GraphQL: set, listed, refused, removed."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.graphql.conftest import WATER
from tests.support.attack import watched
from tests.support.factories import NOW

SET = """mutation ($dwelling: ID!, $period: LimitPeriod!, $amount: BigInt) {
  setConsumptionLimit(input: {dwelling: $dwelling, fluid: COLD_WATER, period: $period, amount: $amount}) {
    __typename
    ... on ConsumptionLimits { limits { fluid period amount { value unit smallest } } }
    ... on RequestRefused { code field message }
  }
}"""
LIST = "{ viewer { dwellings { id consumptionLimits { period amount { smallest } } } } }"


async def home_of(portal: Any) -> dict[str, Any]:
    (dwelling,) = (await portal.ask(LIST))["viewer"]["dwellings"]
    return dwelling


async def test_a_limit_is_set_listed_and_removed(claire: Any) -> None:
    """In the smallest unit, shown as an amount; null removes it."""
    home = (await home_of(claire))["id"]
    answer = (await claire.ask(SET, dwelling=home, period="DAY", amount=250))["setConsumptionLimit"]
    assert answer == {
        "__typename": "ConsumptionLimits",
        "limits": [
            {
                "fluid": "COLD_WATER",
                "period": "DAY",
                "amount": {"value": "0.250", "unit": "CUBIC_METRE", "smallest": 250},
            }
        ],
    }
    assert (await home_of(claire))["consumptionLimits"] == [{"period": "DAY", "amount": {"smallest": 250}}]
    removed = (await claire.ask(SET, dwelling=home, period="DAY", amount=None))["setConsumptionLimit"]
    assert removed["limits"] == (await home_of(claire))["consumptionLimits"] == []


async def test_a_limit_of_nothing_is_refused_in_the_answer(claire: Any) -> None:
    """A typed refusal with a text for the resident; a text that is no id is one as well."""
    home = (await home_of(claire))["id"]
    answer = (await claire.ask(SET, dwelling=home, period="MONTH", amount=0))["setConsumptionLimit"]
    assert answer == {
        "__typename": "RequestRefused",
        "code": "LIMIT_OUT_OF_RANGE",
        "field": "amount",
        "message": "Cette limite n'est pas valable.",
    }
    assert (await claire.refused(SET, dwelling="x", period="MONTH", amount=1))["field"] == "dwelling"


async def test_how_far_a_limit_is_used(claire: Any, home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the day and the month in progress, rounded down; 21 days at 100 litres are 23 % of 9 m3."""
    dwelling = (await home_of(claire))["id"]
    for period, amount in (("DAY", 250), ("MONTH", 9_000), ("GOAL", 2_000)):
        await claire.ask(SET, dwelling=dwelling, period=period, amount=amount)
    query = "{ viewer { dwellings { consumptionLimits { period used { smallest } usedPercent } } } }"

    async def used() -> dict[str, Any]:
        (found,) = (await claire.ask(query))["viewer"]["dwellings"]
        return {
            one["period"]: (one["used"] and one["used"]["smallest"], one["usedPercent"])
            for one in found["consumptionLimits"]
        }

    assert await used() == {"DAY": (None, None), "MONTH": (None, None), "GOAL": (None, None)}
    await home.consume(WATER, date(2026, 11, 1), NOW.date() - timedelta(days=1), daily=100)
    await home.consume(WATER, NOW.date(), NOW.date(), daily=50)
    assert await used() == {"DAY": (50, 20), "MONTH": (2_150, 23), "GOAL": (2_150, 107)}
    with watched(monkeypatch) as work:
        await used()
    assert len(work.statements) == 3, work.statements  # session and homes, limits, the days of all of them
    token = """mutation { createAccessToken(name: "x", scopes: [READ_MONTHLY]) {
        ... on AccessTokenIssued { token } } }"""
    claire.token = (await claire.ask(token))["createAccessToken"]["token"]
    assert set((await used()).values()) == {(None, None)}

"""A resident's own consumption limits over GraphQL: set, listed, refused, removed."""

from typing import Any

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

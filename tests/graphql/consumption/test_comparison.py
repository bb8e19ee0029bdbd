"""`comparison` of a series: with the period before, and with the same one last year."""

from datetime import date, timedelta
from typing import Any

import pytest

from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import OccupancySpec
from tests.graphql.conftest import HEAT, WATER
from tests.support import factories
from tests.support.attack import watched
from tests.support.factories import NOW

TODAY = NOW.date()
TOTAL = "total { days whole own { value } other { value } difference percent trend reason }"
ASK = """{ viewer { dwellings { consumption(fluid: COLD_WATER, %s) {
    amounts comparison(comparedWith: %s) { comparedWith starts amounts ownAmounts differences percents trends
    days reasons %s } } } } }"""


async def comparison(portal: Any, arguments: str, compared_with: str = "SAME_PERIOD_LAST_YEAR") -> Any:
    (dwelling,) = (await portal.ask(ASK % (arguments, compared_with, TOTAL)))["viewer"]["dwellings"]
    return dwelling["consumption"]["comparison"]


async def test_months_are_compared_with_those_of_last_year(claire: Any, home: Any) -> None:
    """Whole months as wholes, the one in progress with as many days; columns stand beside the series."""
    await home.consume(WATER, date(2025, 1, 1), date(2025, 12, 31), daily=100)
    await home.consume(WATER, date(2026, 1, 1), TODAY - timedelta(days=1), daily=80)
    found = await comparison(claire, "last: 2")
    assert [start[:10] for start in found["starts"]] == ["2025-10-01", "2025-11-01"]
    assert found["amounts"] == ["3.100", "2.100"]
    assert found["ownAmounts"] == ["2.480", "1.680"]
    assert (found["differences"], found["percents"]) == (["-0.620", "-0.420"], ["-20.0", "-20.0"])
    assert (found["trends"], found["days"], found["reasons"]) == (["LOWER"] * 2, [31, 21], [None, None])
    assert found["total"] == {
        "days": 52,
        "whole": False,
        "own": {"value": "4.160"},
        "other": {"value": "5.200"},
        "difference": "-1.040",
        "percent": "-20.0",
        "trend": "LOWER",
        "reason": None,
    }


async def test_the_previous_period_is_as_long_as_the_series(claire: Any, home: Any) -> None:
    """Three days with the three before; a week without data is compared with nothing, and not with 0."""
    await home.consume(WATER, date(2026, 11, 15), date(2026, 11, 17), daily=100)
    await home.consume(WATER, date(2026, 11, 18), date(2026, 11, 20), daily=150)
    found = await comparison(claire, 'resolution: DAILY, last: 3, until: "2026-11-20"', "PREVIOUS_PERIOD")
    assert (found["amounts"], found["percents"]) == (["0.100"] * 3, ["50.0"] * 3)
    assert [start[:10] for start in found["starts"]] == ["2026-11-15", "2026-11-16", "2026-11-17"]
    week = await comparison(claire, "resolution: WEEKLY, last: 1", "SAME_PERIOD_LAST_YEAR")
    assert (week["amounts"], week["reasons"], week["total"]["reason"]) == ([None], ["NO_DATA"], "NO_DATA")
    hours = await comparison(claire, "resolution: HOURLY, last: 2", "PREVIOUS_PERIOD")
    assert hours["reasons"] == ["NOT_FOR_RESOLUTION"] * 2


@pytest.mark.requirement("EED-09")
@pytest.mark.parametrize("compared_with", ["SAME_PERIOD_LAST_YEAR", "PREVIOUS_PERIOD"])
async def test_never_with_another_occupancy(
    portal: Any, key_encryption: KeyEncryption, data_of: Any, compared_with: str
) -> None:
    """Whoever moved in this month is compared with nothing, and reads why."""
    predecessor = OccupancySpec(move_in=date(2020, 1, 1), move_out=date(2026, 11, 10))
    spec = factories.meter(printed_serial=WATER)
    await factories.residence(key_encryption, spec, move_in=date(2026, 11, 10), predecessor=predecessor)
    home = await data_of()
    await home.consume(WATER, date(2025, 1, 1), date(2026, 11, 21), daily=100)
    await portal.sign_in()
    for resolution in ("MONTHLY", "YEARLY", "BILLING_PERIOD"):
        found = await comparison(portal, f"resolution: {resolution}, last: 1", compared_with)
        assert (found["amounts"], found["reasons"]) == ([None], ["OTHER_OCCUPANCY"])
        assert (found["total"]["reason"], found["total"]["other"]) == ("OTHER_OCCUPANCY", None)
    weeks = await comparison(portal, "resolution: WEEKLY, last: 1", "PREVIOUS_PERIOD")
    assert (weeks["amounts"], weeks["days"]) == (["0.500"], [5])


async def test_a_token_for_months_gets_no_days_compared(claire: Any, home: Any) -> None:
    """A month in progress, and one with a gap, are not compared day by day for it."""
    await home.consume(WATER, date(2025, 9, 1), date(2025, 10, 30), daily=100)
    await home.consume(WATER, date(2026, 9, 1), TODAY - timedelta(days=1), daily=80)
    token = """mutation { createAccessToken(name: "x", scopes: [READ_MONTHLY]) {
        ... on AccessTokenIssued { token } } }"""
    assert (await comparison(claire, "last: 3"))["days"] == [30, 30, 0]
    claire.token = (await claire.ask(token))["createAccessToken"]["token"]
    found = await comparison(claire, "last: 3")
    assert (found["days"], found["amounts"]) == ([30, 0, 0], ["3.000", None, None])


async def test_one_statement_for_all_comparisons(
    claire: Any, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Session, homes, the days of all series, and those of all they are compared with."""
    await home.consume(WATER, TODAY - timedelta(days=800), TODAY - timedelta(days=1), daily=310)
    await home.consume(HEAT, TODAY - timedelta(days=800), TODAY - timedelta(days=1), daily=310)
    fields = """a: consumption(fluid: COLD_WATER) { comparison { amounts }
        before: comparison(comparedWith: PREVIOUS_PERIOD) { amounts } }
        b: consumption(fluid: HEAT, resolution: WEEKLY) { comparison { amounts } }"""
    asked = f"{{ viewer {{ dwellings {{ {fields} }} }} }}"
    await claire.ask(asked)
    with watched(monkeypatch) as work:
        await claire.ask(asked)
    assert len(work.statements) == 3, work.statements

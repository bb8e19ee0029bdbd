"""The API answers at every hour of the civil calendar."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.graphql.conftest import WATER

PARIS = ZoneInfo("Europe/Paris")
EVERYTHING = """{ viewer { dwellings {
  meters { serial }
  dashboard(fluid: COLD_WATER) { monthToDateDays previousMonth { smallest } }
  monthlyConsumption(fluid: COLD_WATER) { month }
  dailyConsumption(fluid: COLD_WATER) { day }
  activeAlertCount pastAlerts { totalCount }
  indexStatement { day lines { index { smallest } } }
} } }"""

TODAYS = """{ viewer { dwellings { activeAlertCount dailyConsumption(fluid: COLD_WATER) { day } } } }"""


@pytest.mark.requirement("R-012")
async def test_every_day_of_a_year_and_every_hour_is_answered(claire: Any, home: Any) -> None:
    """A request each 23 hours for a year: on every civil day, and at each of the 24 hours; none is refused,
    and each is for its day.
    """
    await home.read(WATER, [(datetime(2026, 12, 31, 12, tzinfo=UTC), 2_000)])
    days, hours = set(), set()
    for number in range(366 * 24 // 23 + 1):
        claire.clock.now = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=23 * number)
        at = claire.clock.now.astimezone(PARIS)
        if number % 7 == 0:  # a session that nobody uses for a fortnight ends
            await claire.sign_in()
        (dwelling,) = (await claire.ask(TODAYS))["viewer"]["dwellings"]
        assert dwelling["dailyConsumption"][-1]["day"] == at.date().isoformat()
        days.add(at.date())
        hours.add(at.hour)
    assert len(days) == (max(days) - min(days)).days + 1 >= 365
    assert hours == set(range(24))


@pytest.mark.requirement("R-012")
@pytest.mark.parametrize(
    "midnight",
    [
        pytest.param(datetime(2026, 12, 31, 23, tzinfo=UTC), id="new year"),
        pytest.param(datetime(2027, 3, 27, 23, tzinfo=UTC), id="a Sunday of 23 hours"),
        pytest.param(datetime(2027, 10, 30, 22, tzinfo=UTC), id="a Sunday of 25 hours"),
    ],
)
async def test_every_hour_is_answered_by_its_civil_day(claire: Any, home: Any, midnight: datetime) -> None:
    """Through new year and both changes of the clock: each answer is for the civil day of the request."""
    today = midnight.astimezone(PARIS).date()
    await home.read(WATER, [(midnight - timedelta(hours=7), 2_000)])
    await home.consume(WATER, today - timedelta(days=70), today - timedelta(days=1), daily=100)
    for hour in range(-6, 31):
        claire.clock.now = midnight + timedelta(hours=hour)
        day = claire.clock.now.astimezone(PARIS).date()
        await claire.sign_in() if hour % 6 == 0 else None
        (dwelling,) = (await claire.ask(EVERYTHING))["viewer"]["dwellings"]
        assert dwelling["indexStatement"]["day"] == day.isoformat()
        assert dwelling["indexStatement"]["lines"][0]["index"]["smallest"] == 2_000
        assert dwelling["dailyConsumption"][-1]["day"] == day.isoformat()
        assert dwelling["monthlyConsumption"][-1]["month"] == f"{day:%Y-%m}"
        (water,) = dwelling["dashboard"]
        last = min(day, today - timedelta(days=1))
        assert water["monthToDateDays"] == (last.day if last.month == day.month else 0)
        before = min(day.replace(day=1), today) - timedelta(days=1)
        assert water["previousMonth"]["smallest"] == 100 * before.day

"""What a dwelling consumed, as its occupant sees it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from core.access import SYSTEM, Role, Viewer
from core.consumption import Month, Quality, day_start
from core.consumption.fluids import Fluid
from core.errors import Forbidden, InvalidInput, NotFound
from core.services.consumption.consumption import daily_series, dashboard, monthly_series
from core.services.portfolio.descriptions import OccupancySpec
from core.services.telegrams.pipeline import take_in
from tests.support import factories

PARIS = ZoneInfo("Europe/Paris")
DAY = timedelta(days=1)
MOVE_IN = date(2026, 9, 10)
MOVE_OUT = date(2026, 10, 11)


def midnight(day):
    return datetime.fromtimestamp(day_start(day, PARIS), UTC)


def daily(meter, first, days, litres, *, index=1000):
    return [meter.line(index + number * litres, midnight(first + number * DAY)) for number in range(days + 1)]


@pytest.fixture
async def home(application, key_encryption, now, izar):
    """Ten litres a day since 1 August 2026, except 3 to 6 November, which were not received."""
    old = OccupancySpec(date(2020, 1, 1), MOVE_IN, email="old@example.org")
    await factories.account(email="old@example.org")
    await factories.residence(key_encryption, factories.meter(izar.address), move_in=MOVE_IN, predecessor=old)
    lines = daily(izar, date(2026, 8, 1), 94, 10)
    lines += daily(izar, date(2026, 11, 7), 15, 10, index=1000)  # another register: the gap has no total
    await take_in(application, SYSTEM, lines, source="test", now=now)
    return 1


@pytest.mark.requirement("R-066", "R-067", "R-071", "R-072", "R-074", "R-075", "R-076", "C-20", "C-21")
async def test_the_dashboard_has_the_months_indicators(home, resident, now, izar) -> None:
    """Current month, previous month, year and mean, each over the viewer's own days alone."""
    (tab,) = await dashboard(await resident(), home, now=now)
    figures = tab.indicators
    assert tab.fluid is Fluid.COLD_WATER
    assert (figures.month_to_date, figures.month_to_date_days) == (2 * 10 + 15 * 10, 17)
    assert (figures.previous_month, figures.previous_month_days) == (310, 31)
    assert figures.year_to_date == 21 * 10 + 310 + 170
    assert (figures.mean_of_last_12_months, figures.months_counted) == (Decimal(310), 1)
    assert tab.last_reading.read_at == midnight(date(2026, 11, 22))
    assert tab.last_reading.received_at == now


async def test_without_data_every_figure_is_none(application, key_encryption, resident, izar, now) -> None:
    """Never 0: no data is not no consumption."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    (tab,) = await dashboard(await resident(), 1, now=now)
    figures = tab.indicators
    assert (figures.month_to_date, figures.previous_month, figures.year_to_date) == (None, None, None)
    assert (figures.mean_of_last_12_months, tab.last_reading) == (None, None)


@pytest.mark.requirement("R-068", "R-069", "R-071")
async def test_there_is_a_tab_for_each_fluid_and_a_fluids_meters_are_one_sum(
    application, key_encryption, resident, now, izar, other_izar, heat_meter
) -> None:
    """Two cold-water meters are one figure, PARTIAL on days without data of one; heat has its own tab."""
    await factories.residence(
        key_encryption,
        factories.meter(izar.address),
        factories.meter(other_izar.address, printed_serial="H18CA029621"),
        factories.meter(heat_meter.address, fluid=Fluid.HEAT, vendor="ista", key=heat_meter.key),
    )
    first = date(2026, 11, 1)
    lines = daily(izar, first, 4, 10) + daily(other_izar, first, 3, 7)
    await take_in(application, SYSTEM, lines, source="test", now=now)
    cold, heat = await dashboard(await resident(), 1, now=now)
    assert (cold.fluid, cold.indicators.month_to_date) == (Fluid.COLD_WATER, 4 * 10 + 3 * 7)
    assert (heat.fluid, heat.indicators.month_to_date) == (Fluid.HEAT, None)
    last = date(2026, 11, 5)
    points = await daily_series(await resident(), 1, Fluid.COLD_WATER, first=first, last=last, now=now)
    assert [point.amount for point in points] == [17, 17, 17, 10, None]
    assert points[3].quality is Quality.PARTIAL


@pytest.mark.requirement("R-007", "R-009")
async def test_the_daily_series_shows_its_gaps(home, resident, now) -> None:
    """Every civil day is in it, None where there is no data."""
    first, last = date(2026, 11, 1), date(2026, 11, 9)
    points = await daily_series(await resident(), home, Fluid.COLD_WATER, first=first, last=last, now=now)
    assert [point.day for point in points] == [first + number * DAY for number in range(9)]
    assert [point.amount for point in points] == [10, 10, None, None, None, None, 10, 10, 10]
    assert (points[0].quality, points[2].quality) == (Quality.MEASURED, None)


async def test_by_default_the_last_31_days_are_meant(home, resident, now) -> None:
    """Or those since the move-in, if they are fewer; a former occupant's end with the occupancy."""
    points = await daily_series(await resident(), home, Fluid.COLD_WATER, now=now)
    assert (points[0].day, points[-1].day) == (date(2026, 10, 23), date(2026, 11, 22))
    few = await daily_series(await resident(), home, Fluid.COLD_WATER, last=MOVE_IN + DAY, now=now)
    assert [point.day for point in few] == [MOVE_IN, MOVE_IN + DAY]
    old = await daily_series(await resident("old@example.org"), home, Fluid.COLD_WATER, now=now)
    assert (old[-1].day, old[-1].amount) == (MOVE_IN - DAY, 10)


@pytest.mark.requirement("R-193", "C-15", "EED-09")
@pytest.mark.parametrize("bound", ["first", "last"])
@pytest.mark.parametrize("day", [MOVE_IN - DAY, date(1900, 1, 1), date.min])
async def test_no_day_before_the_move_in_is_shown(home, resident, now, bound, day) -> None:
    """Not the last day of the predecessor, nor the first of the calendar: a series begins at the move-in."""
    points = await daily_series(await resident(), home, Fluid.COLD_WATER, **{bound: day}, now=now)
    assert [point.day for point in points][:1] == ([MOVE_IN] if bound == "first" else [])


async def test_no_day_after_the_move_out_is_shown(home, resident, now) -> None:
    """A former occupant sees nothing of the successor."""
    viewer = await resident("old@example.org")
    points = await daily_series(viewer, home, Fluid.COLD_WATER, last=MOVE_IN, now=now)
    assert points[-1].day == MOVE_IN - DAY
    assert not await daily_series(viewer, home, Fluid.COLD_WATER, first=MOVE_IN, now=now)
    months = await monthly_series(viewer, home, Fluid.COLD_WATER, last=Month(2026, 10), now=now)
    assert months[-1].month == Month(2026, 9)


@pytest.mark.requirement("R-193", "C-15")
async def test_the_month_of_the_move_counts_for_each_from_own_days(home, resident, now) -> None:
    """September 2026 is nine days of one and twenty-one of the other, and complete for neither."""
    month = Month(2026, 9)
    amounts = {}
    for email in ("old@example.org", "claire.martin@example.org"):
        viewer = await resident(email)
        (point,) = await monthly_series(viewer, home, Fluid.COLD_WATER, first=month, last=month, now=now)
        assert not point.complete
        amounts[email] = (point.amount, point.days_with_data)
    assert amounts == {"old@example.org": (90, 9), "claire.martin@example.org": (210, 21)}


async def test_the_monthly_series_shows_its_gaps(home, resident, now) -> None:
    """Thirteen months by default, or those of the occupancy; a month without data is None."""
    points = await monthly_series(await resident(), home, Fluid.COLD_WATER, now=now)
    assert [(str(point.month), point.amount) for point in points] == [
        ("2026-09", 210),
        ("2026-10", 310),
        ("2026-11", 170),
    ]
    assert [point.complete for point in points] == [False, True, False]
    hot = await monthly_series(await resident(), home, Fluid.HOT_WATER, now=now)
    assert [point.amount for point in hot] == [None] * 3
    old = await monthly_series(await resident("old@example.org"), home, Fluid.COLD_WATER, now=now)
    assert len(old) == 13
    assert (old[0].amount, old[-2].amount) == (None, 310)


async def test_a_month_wholly_outside_the_occupancy_is_left_out(home, resident, now) -> None:
    """Before the move-in as after the move-out; the months of the moves themselves are not."""
    viewer, old = await resident(), await resident("old@example.org")
    ask = (home, Fluid.COLD_WATER)
    since = await monthly_series(viewer, *ask, first=Month(2020, 1), now=now)
    assert [str(point.month) for point in since] == ["2026-09", "2026-10", "2026-11"]
    assert await monthly_series(viewer, *ask, last=Month(2026, 8), now=now) == []
    assert await monthly_series(old, *ask, first=Month(2026, 10), now=now) == []


async def test_series_that_end_before_they_begin_or_are_too_long_are_refused(
    application, key_encryption, resident, izar, now
) -> None:
    """InvalidInput names the argument."""
    await factories.residence(key_encryption, factories.meter(izar.address), move_in=date(2000, 1, 1))
    viewer = await resident()
    ask = (viewer, 1, Fluid.COLD_WATER)
    with pytest.raises(InvalidInput) as refused:
        await daily_series(*ask, first=date(2026, 2, 2), last=date(2026, 2, 1), now=now)
    assert refused.value.field == "to"
    with pytest.raises(InvalidInput) as refused:
        await daily_series(*ask, first=date(2010, 1, 1), last=date(2026, 2, 1), now=now)
    assert refused.value.field == "from"
    with pytest.raises(InvalidInput):
        await daily_series(*ask, first=date(2026, 12, 24), now=now)
    with pytest.raises(InvalidInput):
        await monthly_series(*ask, first=Month(2010, 1), now=now)


async def test_who_moves_in_later_sees_nothing_yet(application, key_encryption, resident, izar, now) -> None:
    """The predecessor's consumption is not shown to somebody with a future move-in."""
    await factories.residence(key_encryption, factories.meter(izar.address), move_in=date(2026, 12, 1))
    await take_in(application, SYSTEM, daily(izar, date(2026, 11, 1), 20, 10), source="test", now=now)
    viewer = await resident()
    assert not await daily_series(viewer, 1, Fluid.COLD_WATER, now=now)
    assert await monthly_series(viewer, 1, Fluid.COLD_WATER, now=now) == []
    (tab,) = await dashboard(viewer, 1, now=now)
    assert (tab.indicators.month_to_date, tab.last_reading) == (None, None)


async def test_today_is_the_dwellings_own_day(application, key_encryption, resident, izar) -> None:
    """At 23:30 UTC it is already the first of the month in Paris."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    now = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    points = await monthly_series(await resident(), 1, Fluid.COLD_WATER, now=now)
    assert points[-1].month == Month(2026, 11)


async def test_anothers_dwelling_is_not_found(home, now) -> None:
    """A gateway is forbidden to ask."""
    stranger = Viewer(role=Role.RESIDENT, account_id=99)
    for question in (dashboard(stranger, home, now=now), daily_series(stranger, home, Fluid.HEAT, now=now)):
        with pytest.raises(NotFound):
            await question
    with pytest.raises(Forbidden):
        await dashboard(Viewer(role=Role.GATEWAY, gateway_id=1, operator_id=1), home, now=now)

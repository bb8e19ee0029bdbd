"""The meters of a dwelling and the pages of their readings."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.access import SYSTEM
from core.consumption.fluids import Fluid
from core.errors import NotFound
from core.metering import StatusFlag
from core.services.places.meters import latest, meters_by_dwelling, readings_of_meter
from core.services.portfolio.descriptions import OccupancySpec
from core.services.telegrams.pipeline import take_in
from tests.support import factories

FIRST = datetime(2026, 11, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
async def read(application, key_encryption, now, izar):
    """A meter with ten hourly readings, 1000 to 1009."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await take_in(application, SYSTEM, izar.hourly(FIRST, [1] * 9), source="test", now=now)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("size", [1, 3, 10, 50])
async def test_readings_are_paged_by_their_time_in_either_order(read, resident, newest_first, size) -> None:
    """Every reading once and in order, whatever the size of a page."""
    viewer, seen, after = await resident(), [], None
    while True:
        page = await readings_of_meter(viewer, 1, first=size, after=after, newest_first=newest_first)
        seen += [reading.index for reading in page.items]
        if not page.has_next:
            break
        after = page.items[-1].read_at
    assert seen == sorted(range(1000, 1010), reverse=newest_first)


async def test_a_reading_that_arrives_meanwhile_shifts_no_page(
    read, application, resident, izar, now
) -> None:
    """The next page begins after the last reading seen, not after a count."""
    viewer = await resident()
    page = await readings_of_meter(viewer, 1, first=3)
    await take_in(application, SYSTEM, [izar.line(1010, FIRST + 10 * HOUR)], source="test", now=now)
    following = await readings_of_meter(viewer, 1, first=3, after=page.items[-1].read_at)
    assert [reading.index for reading in following.items] == [1006, 1005, 1004]


async def test_bounds_are_included(read, resident) -> None:
    """From and to, to the second; a fraction of one lies outside."""
    viewer = await resident()
    half = timedelta(milliseconds=500)
    for read_from, read_to, indexes in (
        (FIRST + 2 * HOUR, FIRST + 4 * HOUR, [1002, 1003, 1004]),
        (FIRST + 2 * HOUR + half, FIRST + 4 * HOUR - half, [1003]),
        (FIRST + 20 * HOUR, None, []),
        (FIRST + 4 * HOUR, FIRST + 2 * HOUR, []),
        (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), list(range(1000, 1010))),
    ):
        page = await readings_of_meter(
            viewer, 1, first=50, newest_first=False, read_from=read_from, read_to=read_to
        )
        assert [reading.index for reading in page.items] == indexes


async def test_a_reading_carries_both_times_and_the_meters_flags(
    application, key_encryption, resident, izar, now
) -> None:
    """When it was read, when it was received (C-21), and the meter's flags."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await take_in(application, SYSTEM, [izar.line(5, FIRST, leak=True)], source="test", now=now)
    (reading,) = (await readings_of_meter(await resident(), 1, first=1)).items
    assert (reading.read_at, reading.received_at) == (FIRST, now.replace(microsecond=0))
    assert reading.flags == {StatusFlag.LEAK}


async def test_each_occupant_sees_the_readings_of_the_own_period(
    application, key_encryption, resident, izar, now
) -> None:
    """The move is at midnight in Paris: 23:00 UTC of the day before."""
    moved = date(2026, 11, 10)
    await factories.account(email="old@example.org")
    old = OccupancySpec(date(2020, 1, 1), moved, email="old@example.org")
    await factories.residence(key_encryption, factories.meter(izar.address), move_in=moved, predecessor=old)
    midnight = datetime(2026, 11, 9, 23, tzinfo=UTC)
    lines = [
        izar.line(1, midnight - timedelta(seconds=1)),
        izar.line(2, midnight),
        izar.line(3, midnight + HOUR),
    ]
    await take_in(application, SYSTEM, lines, source="test", now=now)
    seen = {}
    for email in ("old@example.org", "claire.martin@example.org"):
        viewer = await resident(email)
        page = await readings_of_meter(viewer, 1, first=9, after=None)
        (meter,) = (await meters_by_dwelling(viewer, [1]))[1]
        seen[email] = [reading.index for reading in page.items], meter.last_reading.index
    assert seen == {"old@example.org": ([1], 1), "claire.martin@example.org": ([3, 2], 3)}


async def test_a_removed_meter_is_shown_to_the_occupant_of_its_time(
    application, key_encryption, resident, izar, other_izar, now
) -> None:
    """That occupant sees it and its readings; one who moved in afterwards does not."""
    swap = datetime(2026, 11, 10, 9, tzinfo=UTC)
    meters = (
        factories.meter(izar.address, removed_at=swap),
        factories.meter(other_izar.address, printed_serial="H18CA029621", installed_at=swap),
    )
    moved = date(2026, 11, 11)
    await factories.account(email="old@example.org")
    old = OccupancySpec(date(2020, 1, 1), moved, email="old@example.org")
    await factories.residence(key_encryption, *meters, move_in=moved, predecessor=old)
    await take_in(application, SYSTEM, [izar.line(1, swap), other_izar.line(0, swap)], source="test", now=now)
    before = (await meters_by_dwelling(await resident("old@example.org"), [1]))[1]
    assert [meter.printed_serial for meter in before] == ["H18CA029621", "H18CA029620"]
    assert (before[1].removed_on, before[0].installed_on) == (date(2026, 11, 10), date(2026, 11, 10))
    after = (await meters_by_dwelling(await resident(), [1]))[1]
    assert [(meter.printed_serial, meter.last_reading) for meter in after] == [("H18CA029621", None)]
    assert latest(after) is None
    assert latest(before).index in {0, 1}


async def test_dwellings_that_are_not_the_viewers_have_no_meters(read, resident, key_encryption) -> None:
    """They are absent from the answer, as unknown ones are."""
    viewer = await resident()
    assert list(await meters_by_dwelling(viewer, [1, 2, 2**70])) == [1]
    await factories.account(email="nobody@example.org")
    with pytest.raises(NotFound):
        await readings_of_meter(await resident("nobody@example.org"), 1, first=1)


async def test_meters_are_sorted_by_fluid(
    application, key_encryption, resident, izar, other_izar, heat_meter
) -> None:
    """In the order of the dashboard's tabs."""
    await factories.residence(
        key_encryption,
        factories.meter(heat_meter.address, fluid=Fluid.HEAT, vendor="ista", printed_serial="542361524"),
        factories.meter(other_izar.address, fluid=Fluid.HOT_WATER, printed_serial="H18CA029621"),
        factories.meter(izar.address),
    )
    meters = (await meters_by_dwelling(await resident(), [1]))[1]
    assert [meter.fluid for meter in meters] == [Fluid.COLD_WATER, Fluid.HOT_WATER, Fluid.HEAT]

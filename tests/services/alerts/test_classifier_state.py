"""The classifier's stored state: what was settled is made anew when readings before it change."""

from datetime import UTC, datetime, timedelta

from core.access import SYSTEM
from core.models import LeakCheckpoint, LeakClassifierState
from core.services.alerts.classifier_state import follow_meters
from core.services.places.meter_directory import meters_by_address
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import take_in
from tests.support import factories

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 9, 1, 0, 10, tzinfo=UTC)


async def settled():
    """The meter's state and its checkpoints, as bytes and moments."""
    return [
        [(row.settled_s, bytes(row.state), row.changes) for row in await model.all().order_by("settled_s")]
        for model in (LeakClassifierState, LeakCheckpoint)
    ]


async def test_a_late_reading_makes_the_settled_state_anew_though_it_ends_at_the_same_moment(
    application, key_encryption, izar
) -> None:
    """Ten hours of 9 L are missing among 50 days of a leak and come last; the state is that of all readings
    in order, and is none that had been settled without them.
    """
    await factories.residence(key_encryption, factories.meter(izar.address))
    amounts = [9 if 100 <= hour < 110 else 6 for hour in range(24 * 50)]
    lines = izar.hourly(START, amounts)
    now = START + 51 * DAY
    await take_in(application, SYSTEM, [*lines[:100], *lines[110:]], source="test", now=now)
    meters = await meters_by_address(SYSTEM, [izar.address], key_encryption=key_encryption)
    (meter,) = meters.values()
    thresholds_of = application.registry.leak_thresholds
    without = await settled()
    await take_in(application, SYSTEM, lines[100:110], source="late", now=now)
    late = await settled()
    await LeakClassifierState.all().delete()
    await LeakCheckpoint.all().delete()
    await follow_meters(current_database(), {meter: meter.day(START)}, thresholds_of=thresholds_of)
    in_order = await settled()
    assert late[0] == in_order[0] != without[0]
    assert late[0][0][0] == without[0][0][0]

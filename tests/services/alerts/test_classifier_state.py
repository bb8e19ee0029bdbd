"""The classifier's stored state: what was settled is made anew when readings before it change."""

from datetime import UTC, datetime, timedelta

from core.access import SYSTEM
from core.models import Alert, LeakCheckpoint, LeakClassifierState, LeakEpisode
from core.services.alerts.classifier_state import follow_meters
from core.services.alerts.leak_detection import watch
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


async def test_a_late_reading_moves_the_moment_of_detection_and_raises_nothing(
    application, key_encryption, izar
) -> None:
    """Four hours of a leak are missing and come last: it is detected at the moment at which it is detected
    when all arrive in order, and is notified once.
    """
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = izar.hourly(START, [6] * 32)
    now = START + 2 * DAY
    detected, raised = [], []
    for some in ([*lines[:24], *lines[28:]], lines[24:28]):
        raised.append((await take_in(application, SYSTEM, some, source="test", now=now)).alerts)
        detected.append((await LeakEpisode.get()).detected_at)
    await Alert.all().delete()
    await LeakEpisode.all().delete()
    meters = await meters_by_address(SYSTEM, [izar.address], key_encryption=key_encryption)
    (meter,) = meters.values()
    in_order = await watch(
        current_database(),
        {meter: (START.date(), now.date())},
        thresholds_of=application.registry.leak_thresholds,
        now=now,
    )
    assert detected[1] == in_order[0].episode.detected_at < detected[0]
    assert raised == [1, 0]

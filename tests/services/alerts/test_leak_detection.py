"""Leaks, from the lines to the episodes and alerts."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from core.access import SYSTEM
from core.consumption.fluids import Fluid
from core.leaks.classifier.classify import Readings, classify
from core.metering import Registry
from core.models import (
    Account,
    Alert,
    AlertKind,
    Channel,
    LeakClassifierState,
    LeakEpisode,
    OutboxMessage,
)
from core.operators import Thresholds
from core.services.alerts.resident_alerts import active_alerts
from core.services.portfolio.descriptions import DwellingSpec
from core.services.portfolio.portfolio import upsert_meter
from tests.support import factories
from tests.support.leak_lines import DAY, FIRST, leak, midnight, take, templates


@pytest.mark.requirement("R-008", "R-016", "R-092", "R-094", "C-23")
async def test_a_leak_opens_one_alert_as_soon_as_its_first_day_is_complete(
    application, key_encryption, izar
) -> None:
    """Intake itself raises the alert and queues the messages; ingesting the same again adds nothing."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = leak(izar, per_hour=(0, 6))
    now = midnight(FIRST + DAY) + timedelta(minutes=5)
    assert (await take(application, lines[:-1], now)).alerts == 0
    summary = await take(application, lines[-1:], now)
    assert (summary.alerts, summary.messages) == (1, 2)
    for again in (now, now + 6 * timedelta(hours=1)):
        summary = await take(application, lines, again)
        assert (summary.alerts, summary.messages, summary.stored) == (0, 0, 0)
    (alert,) = await Alert.all().select_related("episode")
    assert (alert.kind, alert.started_on, alert.ended_on) == (AlertKind.LEAK, FIRST, None)
    episode = alert.episode
    assert (episode.level_now, episode.q_min_at_opening_lph, episode.loss_litres) == (1, 6, 144)
    assert {row.channel for row in await OutboxMessage.all()} == {Channel.EMAIL, Channel.SMS}


@pytest.mark.requirement("R-092", "R-095", "R-096")
async def test_a_leak_that_grows_and_ends_is_one_alert_notified_three_times(
    application, key_encryption, izar
) -> None:
    """Opened, level-up and closed are notified; a day that changes nothing is not."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = leak(izar, per_hour=(0, 6, 6, 13, 0, 0))
    for number in range(2, 7):
        now = midnight(FIRST - DAY + number * DAY) + timedelta(minutes=5)
        await take(application, lines[: 24 * number + 1], now)
    assert await templates() == ["leak_opened", "leak_level_up", "leak_closed"]
    (alert,) = await Alert.all().select_related("episode")
    assert (alert.ended_on, alert.episode.level_max) == (FIRST + 3 * DAY, 3)
    assert alert.episode.loss_litres == 24 * (6 + 6 + 13)


@pytest.mark.requirement("R-015", "R-104", "R-105", "R-118", "R-196")
@pytest.mark.parametrize(("by_email", "by_sms"), [(True, True), (True, False), (False, True), (False, False)])
async def test_a_message_is_sent_by_the_channels_that_the_resident_chose(
    application, key_encryption, izar, by_email, by_sms
) -> None:
    """The alert always exists; messages are sent to those alone who asked for them."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await Account.all().update(leak_by_email=by_email, leak_by_sms=by_sms)
    summary = await take(application, leak(izar), midnight(FIRST + 2 * DAY))
    chosen = {channel for channel, on in ((Channel.EMAIL, by_email), (Channel.SMS, by_sms)) if on}
    assert {row.channel for row in await OutboxMessage.all()} == chosen
    assert (summary.alerts, summary.messages) == (1, len(chosen))


async def test_an_imported_history_sends_no_message(application, key_encryption, izar) -> None:
    """It has its alerts; a notification beyond its maximum age is not queued."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    summary = await take(application, leak(izar, first=FIRST - 30 * DAY), midnight(FIRST))
    assert (summary.alerts, summary.messages) == (1, 0)


async def test_late_data_that_moves_a_leaks_start_keeps_its_alert(application, key_encryption, izar) -> None:
    """The alert that a resident has seen is the same row, with its true start; nothing is notified twice."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = leak(izar, per_hour=(0, 6, 6, 6))
    now = midnight(FIRST + 3 * DAY)
    await take(application, lines[:25] + lines[49:], now)
    (alert,) = await Alert.all()
    assert alert.started_on == FIRST + DAY
    assert (await take(application, lines[25:49], now)).messages == 0
    (moved,) = await Alert.all()
    assert (moved.id, moved.started_on) == (alert.id, FIRST)
    assert await LeakEpisode.all().count() == 1


async def test_data_that_disprove_a_leak_delete_its_alert(application, key_encryption, izar) -> None:
    """A day judged on few hours, and found quiet when the rest arrives: no alert is left."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    amounts = [6] * 24 + [6, 9, 0, 9] + [6] * 20
    lines = izar.hourly(midnight(FIRST - DAY), amounts)
    now = midnight(FIRST + DAY)
    await take(application, lines[24:26] + lines[28:], now)
    assert await Alert.all().count() == 1
    await take(application, lines[26:28], now)
    assert (await Alert.all().count(), await LeakEpisode.all().count()) == (0, 0)


async def test_intake_and_batch_find_the_same_leaks(application, key_encryption, izar, tables) -> None:
    """Lines out of order and in parts give the episodes of the batch over the stored readings."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = leak(izar, per_hour=(0, 6, 6, 6, 13, 13, 0, 0, 9, 9))
    for portion in range(0, len(lines), 50):
        part = lines[portion : portion + 50]
        await take(application, [*part[25:], *part[:25], *part[::7]], midnight(FIRST + 10 * DAY))
    rows = (await tables("reading"))["reading"]
    readings = Readings.of([row[1] for row in rows], [row[2] for row in rows])
    ((first, again),) = classify([readings], step_litres=1, capacity_litres=10**8)
    (episode,) = await LeakEpisode.all()
    assert episode.detected_at == datetime.fromtimestamp(first.detected_s, UTC)
    assert [part["level"] for part in episode.segments] == [1, 3, 2]
    assert (episode.started_on, episode.level_max, episode.level_now) == (FIRST, first.level_max, again.level)
    assert episode.evidence["opening"]["rule"] == "BOUNDS"
    memory = await LeakClassifierState.get()
    assert memory.settled_s < readings.at_s.max()


async def test_a_heat_meter_has_no_leak_alerts(application, key_encryption, heat_meter) -> None:
    """Watt-hours all night are heating, not a leak."""
    spec = factories.meter(heat_meter.address, fluid=Fluid.HEAT, vendor="ista", key=heat_meter.key)
    await factories.residence(key_encryption, spec)
    first = midnight(FIRST)
    lines = [heat_meter.line(50_000 + 5000 * hour, first + hour * timedelta(hours=1)) for hour in range(72)]
    assert (await take(application, lines, first + 3 * DAY)).stored == 72
    assert await Alert.all().count() == 0


async def test_the_leak_of_a_removed_meter_ends_on_the_day_of_its_removal(
    application, key_encryption, izar
) -> None:
    """Whether the removal is known when the readings arrive, or described afterwards, the alert is closed."""
    spec = factories.meter(izar.address)
    await factories.residence(key_encryption, spec)
    now = midnight(FIRST + 2 * DAY) + timedelta(hours=12)
    await take(application, leak(izar), now)
    assert (await Alert.get()).ended_on is None
    removed = replace(spec, removed_at=midnight(FIRST + 2 * DAY) + timedelta(hours=10))
    for _ in range(2):
        await factories.residence(key_encryption, removed)
        alert = await Alert.get().select_related("episode")
        assert (alert.ended_on, alert.episode.close_reason) == (FIRST + 2 * DAY, "METER_REPLACED")
    assert (await templates()).count("leak_closed") == 0


async def test_judging_the_same_twice_writes_nothing(application, key_encryption, izar, tables) -> None:
    """A reading that changes no day's judgement leaves the episodes as they are, stale ones too."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = leak(izar)
    now = midnight(FIRST + 2 * DAY)
    await take(application, lines[:-1], now + 20 * DAY)
    before = await tables("leak_episode", "alert")
    await take(
        application,
        [izar.line(1000 + 286, midnight(FIRST + 2 * DAY) - timedelta(minutes=30))],
        now + 21 * DAY,
    )
    assert await tables("leak_episode", "alert") == before


RELUCTANT = Thresholds(
    level_1_lph=Fraction(8),
    level_2_lph=Fraction(12),
    level_3_lph=Fraction(16),
    stale_after_days=1,
)


@pytest.fixture
def reluctant(application, registry):
    """The same application, whose operator alerts from 8 L/h on and has alerts stale after one day."""
    operators = [
        replace(one, profile=replace(one.profile, leak_thresholds=RELUCTANT)) for one in registry.operators
    ]
    return type(application)(
        application.settings, Registry(registry.drivers, registry.broken, tuple(operators))
    )


@pytest.mark.requirement("R-092", "R-094", "R-095", "R-096")
@pytest.mark.parametrize(
    ("flow_lph", "product", "own"), [(6, [1], []), (9, [2], [1]), (13, [3], [2]), (17, [3], [3])]
)
async def test_an_operators_own_thresholds_give_other_episodes(
    application, reluctant, key_encryption, izar, other_izar, flow_lph, product, own
) -> None:
    """From the same litres, by the thresholds of the operator whose residence the meter is in."""
    await factories.residence(
        key_encryption, factories.meter(izar.address), factories.meter(other_izar.address)
    )
    now = midnight(FIRST + 2 * DAY)
    for judging, meter, levels in ((application, izar, product), (reluctant, other_izar, own)):
        await take(judging, leak(meter, per_hour=(0, flow_lph, flow_lph)), now)
        found = LeakEpisode.filter(meter__radio_address=meter.address)
        assert [episode.level_now for episode in await found] == levels


async def test_a_removed_meter_is_judged_by_its_operators_thresholds(reluctant, key_encryption, izar) -> None:
    """Its leak ends with it, at the level it had."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await take(reluctant, leak(izar, per_hour=(0, 13, 13)), midnight(FIRST + 2 * DAY))
    removed = replace(factories.meter(izar.address), removed_at=midnight(FIRST + 2 * DAY))
    await upsert_meter(
        SYSTEM,
        residence_code="AA000",
        operator_code=factories.OPERATOR,
        dwelling=DwellingSpec(building="A", staircase="1", floor="2", number="12"),
        meter=removed,
        key_encryption=key_encryption,
        thresholds_of=reluctant.registry.leak_thresholds,
        now=midnight(FIRST + 2 * DAY),
    )
    (episode,) = await LeakEpisode.all()
    assert (episode.level_max, episode.ended_on) == (2, FIRST + 2 * DAY)


async def test_an_operator_sets_when_an_alert_is_stale(
    application, reluctant, key_encryption, izar, resident
) -> None:
    """After one day without data here; after three by the product's default."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await take(reluctant, leak(izar, per_hour=(0, 13, 13)), midnight(FIRST + 2 * DAY))
    now = midnight(FIRST + 4 * DAY)
    for judging, stale in ((application, False), (reluctant, True)):
        thresholds_of = judging.registry.leak_thresholds
        (view,) = await active_alerts(await resident(), 1, thresholds_of=thresholds_of, now=now)
        assert view.stale == stale


@pytest.mark.parametrize("hours_a_batch", [3, 400])
async def test_a_large_leak_that_breathes_is_one_alert(
    application, key_encryption, izar, hours_a_batch
) -> None:
    """300 L/h and 10 % more or less over the day, in an empty flat: one leak; a burst at most before the leak
    is known, none of its later nights, and nobody is asked whether the leak is theirs.
    """
    await factories.residence(key_encryption, factories.meter(izar.address))
    start, litres, lines = datetime(2026, 11, 8, tzinfo=UTC), 500_000.0, []
    for hour in range(13 * 24):
        litres += 0 if hour < 30 else 300 * (1 + 0.1 * math.sin(math.tau * hour / 24))
        lines.append(izar.line(int(litres), start + timedelta(hours=hour)))
    for at in range(0, len(lines), hours_a_batch):
        batch = lines[at : at + hours_a_batch]
        await take(application, batch, start + timedelta(hours=at + len(batch)))
    alerts = await Alert.all().order_by("kind", "started_on")
    known_on = date(2026, 11, 10)
    assert [row.kind for row in alerts if row.kind is AlertKind.LEAK] == [AlertKind.LEAK]
    assert all(row.started_on <= known_on for row in alerts)
    assert not await OutboxMessage.filter(template="recurring_draw").exists()

"""Burst, backflow, dry meter, tampering and missing data, from telegrams to alerts and messages."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from tortoise.transactions import in_transaction

from core.access import SYSTEM
from core.alerting.workflow import AlertActionKind, KnownUse
from core.errors import AlertEnded
from core.metering import StatusFlag, flags_to_bits
from core.models import Account, Alert, AlertAction, AlertKind, Channel, Dwelling, Meter, OutboxMessage
from core.services.alerts.meter_conditions import update_condition_alerts
from core.services.alerts.missing_data import raise_missing_data
from core.services.alerts.resident_alerts import active_alerts, past_alerts
from core.services.alerts.workflow import acknowledge, dismiss
from core.services.places.meter_directory import meters_by_address
from core.services.shared import time_series
from core.services.telegrams.pipeline import take_in
from tests.support import factories

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2026, 11, 20, 8, tzinfo=UTC)
TODAY = date(2026, 11, 20)
TAMPERED, RAN_BACK = 1 << 3, 1 << 7
KINDS = {
    StatusFlag.BURST: AlertKind.BURST,
    StatusFlag.REVERSE: AlertKind.BACKFLOW,
    StatusFlag.DRY: AlertKind.DRY,
    StatusFlag.AIR: AlertKind.DRY,
    StatusFlag.TAMPER: AlertKind.TAMPER,
}


@pytest.fixture
async def home(application, key_encryption, izar):
    """Claire's home with one meter; answers the meter."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    return izar


async def take(application, lines, now):
    return await take_in(application, SYSTEM, lines, source="test", now=now)


async def templates():
    return [row.template for row in await OutboxMessage.filter(channel=Channel.EMAIL).order_by("id")]


async def state():
    rows = await Alert.all().order_by("started_on", "id")
    return [(row.kind, row.started_on, row.ended_on) for row in rows]


@pytest.mark.parametrize("flag", list(KINDS))
async def test_a_meters_own_flag_is_one_alert_until_the_meter_clears_it(home, key_encryption, flag) -> None:
    """Raised by the first reading with the flag, kept by the next ones, ended by the first without it."""
    meter = (await meters_by_address(SYSTEM, [home.address], key_encryption=key_encryption))[home.address]

    async def receive(hour, flags):
        at_s = int((START + hour * HOUR).timestamp())
        row = time_series.ReadingRow(meter.id, at_s, 1000, flags_to_bits(flags), at_s, hour)
        async with in_transaction() as connection:
            await time_series.insert_readings(connection, [row])
            return (
                await update_condition_alerts(connection, [(meter, row)], now=START + hour * HOUR)
            ).changed

    assert [await receive(hour, {flag} if 0 < hour < 4 else set()) for hour in range(3)] == [0, 1, 0]
    assert await state() == [(KINDS[flag], TODAY, None)]
    assert [await receive(hour, {flag} if hour < 4 else set()) for hour in (3, 30, 31)] == [0, 1, 0]
    assert await state() == [(KINDS[flag], TODAY, TODAY + DAY)]


async def test_a_burst_is_notified_when_it_opens_and_when_it_ends(application, home) -> None:
    """Two hours above 320 litres an hour; by the channels of leaks; ingested again, nothing is notified."""
    lines = home.hourly(START, [10, 322, 400, 10, 10])
    for number in range(1, len(lines) + 1):
        await take(application, lines[:number], START + number * HOUR)
        if number == 4:
            assert (await templates(), await state()) == (["burst_opened"], [(AlertKind.BURST, TODAY, None)])
    assert await templates() == ["burst_opened", "burst_closed"]
    assert await OutboxMessage.filter(channel=Channel.SMS).count() == 2
    assert await state() == [(AlertKind.BURST, TODAY, TODAY)]
    again = await take(application, lines, START + 6 * HOUR)
    assert (again.alerts, again.messages, await Alert.all().count()) == (0, 0, 1)


async def test_a_batch_gives_the_alerts_of_single_lines(application, home, forget) -> None:
    """For the lines of a whole day, also across the wrap of a register."""
    lines = home.hourly(START, [10, 322, 10, 10, 500, 500, 10])
    for number, line in enumerate(lines):
        await take(application, [line], START + number * HOUR)
    single = await state()
    await forget()
    await take(application, lines, START + len(lines) * HOUR)
    assert await state() == single == [(AlertKind.BURST, TODAY, TODAY)]


async def test_who_did_not_enable_leaks_is_not_notified_of_a_burst(application, home) -> None:
    """The alert exists; the messages follow the resident's choice."""
    await Account.all().update(leak_by_email=False, leak_by_sms=False)
    summary = await take(application, home.hourly(START, [10, 400, 400]), START + 3 * HOUR)
    assert (summary.alerts, summary.messages) == (1, 0)


async def test_an_imported_burst_sends_no_message(application, home) -> None:
    """An imported history has its alert only."""
    summary = await take(application, home.hourly(START - 30 * DAY, [10, 400, 400, 10]), START)
    assert (summary.alerts, summary.messages) == (1, 0)


@pytest.mark.parametrize(
    ("index", "kind"), [(998, AlertKind.BACKFLOW), (999, None), (99_990_000, None), (500_000, None)]
)
async def test_a_register_that_runs_back_two_steps_is_backflow(application, home, index, kind) -> None:
    """One step is jitter; a fall that no pipe could carry is a register that was set anew."""
    lines = [home.line(1000, START), home.line(index, START + HOUR), home.line(index, START + 2 * HOUR)]
    summary = await take(application, lines[:2], START + HOUR)
    assert (await state(), summary.messages) == ([(kind, TODAY, None)] if kind else [], 0)
    await take(application, lines[2:], START + 2 * HOUR)
    assert await state() == ([(kind, TODAY, TODAY)] if kind else [])


async def test_a_register_that_wraps_to_zero_is_no_backflow(application, home) -> None:
    """A hundred thousand cubic metres and five litres."""
    await take(application, [home.line(99_999_998, START), home.line(3, START + HOUR)], START + HOUR)
    assert await state() == []


async def test_tampering_in_a_telegram_is_shown_and_not_notified(application, home, resident) -> None:
    """Resident and manager see it; it is no leak, so it has no repair."""
    lines = [home.line(1000 + hour, START + hour * HOUR, complaints=TAMPERED) for hour in range(4)]
    assert (await take(application, lines, START + 4 * HOUR)).messages == 0
    claire, now = await resident(), START + 2 * DAY
    (view,) = await active_alerts(claire, 1, now=now)
    assert (view.kind, view.level, view.duration_days, view.printed_serial) == (
        *(AlertKind.TAMPER, None, 2),
        "H18CA029620",
    )
    assert view.workflow.possible == {AlertActionKind.ACKNOWLEDGED, AlertActionKind.NOT_A_LEAK}
    await acknowledge(claire, view.id, now=now)
    await take(application, [home.line(1010, now)], now)
    assert await active_alerts(claire, 1, now=now) == []
    past = await past_alerts(claire, 1, first=5, now=now)
    assert [(one.kind, one.ended_on) for one in past.items] == [(AlertKind.TAMPER, now.date())]


async def test_a_dismissed_burst_snoozes_the_next_ones(application, home, resident) -> None:
    """A known use, such as watering every evening, is stated once."""
    lines = home.hourly(START, [10, 400, 400])
    await take(application, lines, START + 3 * HOUR)
    alert = await Alert.get()
    await dismiss(await resident(), alert.id, reason=KnownUse.WATERING, snooze_days=30, now=START + 3 * HOUR)
    await take(application, [home.line(1820, START + 4 * HOUR)], START + 4 * HOUR)
    later = home.hourly(START + DAY, [10, 400, 400, 10], index=1820)
    summary = await take(application, later, START + DAY + 4 * HOUR)
    assert (summary.messages, await Alert.all().count(), await AlertAction.all().count()) == (0, 2, 2)


async def test_late_readings_move_the_start_of_an_alert_and_end_none(application, home) -> None:
    """A gateway's buffer shows that it began a day earlier: the same alert, still open."""
    await take(application, [home.line(1000, START + DAY, complaints=TAMPERED)], START + DAY)
    (before,) = await Alert.all()
    late = [home.line(1000, START + hour * HOUR, complaints=TAMPERED if hour else 0) for hour in range(3)]
    await take(application, late, START + DAY + HOUR)
    (after,) = await Alert.all()
    assert (after.id, after.started_on, after.ended_on) == (before.id, TODAY, None)


async def test_an_hourly_meter_has_missing_data_after_a_day(application, home, resident) -> None:
    """No telegram is needed to raise it; checked every hour it is raised once; the next reading ends it."""
    last = START + 5 * HOUR
    await take(application, home.hourly(START, [5] * 5), last)
    assert await raise_missing_data(now=last + DAY) == 0
    assert await raise_missing_data(now=last + DAY + HOUR) == 1
    assert await raise_missing_data(now=last + DAY + 2 * HOUR) == 0
    assert await state() == [(AlertKind.NO_DATA, TODAY, None)]
    claire = await resident()
    (view,) = await active_alerts(claire, 1, now=last + 2 * DAY)
    assert (view.kind, view.printed_serial) == (AlertKind.NO_DATA, "H18CA029620")
    late = home.line(1024, last - timedelta(minutes=30))
    await take(application, [late], last + 2 * DAY)
    assert (await state())[0][2] is None
    await take(application, [home.line(1030, last + 2 * DAY)], last + 2 * DAY)
    assert await state() == [(AlertKind.NO_DATA, TODAY, TODAY + 2 * DAY)]
    assert await OutboxMessage.all().count() == 0
    assert await raise_missing_data(now=last + 4 * DAY) == 1


async def test_a_daily_meter_has_missing_data_after_six_days(application, home) -> None:
    """The interval of each meter decides."""
    lines = [home.line(1000 + day, START + day * DAY) for day in range(5)]
    await take(application, lines, START + 4 * DAY)
    assert await raise_missing_data(now=START + 10 * DAY) == 0
    assert await raise_missing_data(now=START + 10 * DAY + HOUR) == 1


async def test_a_removed_or_never_received_meter_has_no_missing_data(application, home) -> None:
    """An open condition of a removed meter ends with it."""
    assert await raise_missing_data(now=START) == 0
    await take(application, [home.line(1000, START, complaints=RAN_BACK)], START)
    await Meter.all().update(removed_at=START + DAY)
    assert await raise_missing_data(now=START + 30 * DAY) == 0
    assert await state() == [(AlertKind.BACKFLOW, TODAY, TODAY + DAY)]


async def test_an_action_during_the_hourly_check_is_kept(
    home, application, now, resident, monkeypatch
) -> None:
    """The check of removed meters locks the dwelling and writes its own column: no action is overwritten."""
    for litres, at in ((1000, START - 2 * DAY), (900, START - DAY)):
        await take(application, [home.line(litres, at)], now)
    await Meter.all().update(removed_at=START)
    alert, claire = await Alert.get(), await resident()
    looking, go_on, save = asyncio.Event(), asyncio.Event(), Alert.save

    async def held(self, *args, **options):
        looking.set()
        await go_on.wait()
        await save(self, *args, **options)

    monkeypatch.setattr(Alert, "save", held)
    look = asyncio.create_task(raise_missing_data(now=now))
    await looking.wait()
    if not application.settings.is_sqlite:  # SQLite has one writer, which is the lock
        async with in_transaction() as other:
            free = Dwelling.all().using_db(other).only("id").select_for_update(skip_locked=True)
            assert await free == []
    monkeypatch.undo()
    action = asyncio.create_task(acknowledge(claire, alert.id, now=now))
    go_on.set()
    outcome = await asyncio.gather(look, action, return_exceptions=True)
    assert outcome[0] == 0
    assert isinstance(outcome[1], AlertEnded)
    assert (await Alert.get()).ended_on == TODAY

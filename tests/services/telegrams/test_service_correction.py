"""A meter's time in service entered late, moved or taken back: the tables are as if it had been known."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from core.access import SYSTEM, Act
from core.alerting.over_consumption import LimitPeriod
from core.consumption.fluids import Fluid
from core.models import Alert, AlertAction, AlertKind, DeadLetter, LeakEpisode, MessageState, OutboxMessage
from core.services.alerts.consumption_limits import set_limit
from core.services.alerts.missing_data import raise_missing_data
from core.services.alerts.resident_alerts import active_alerts
from core.services.alerts.workflow import acknowledge
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import replay, take_in
from notifications.texts.render import render
from tests.support import factories

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 11, 1, 23, tzinfo=UTC)  # midnight in Paris, 2 November begins
DAYS = 16
END = START + DAYS * DAY + 2 * HOUR

COMPARED = (
    "SELECT * FROM reading ORDER BY meter_id, read_at",
    "SELECT * FROM daily_volume ORDER BY meter_id, day",
    (
        "SELECT started_on, ended_on, level_at_opening, level_now, level_max, over_range,"
        " q_min_at_opening_lph, loss_litres, mean_flow_lph, counted_days, segments, close_reason,"
        " detected_at, evidence"
        " FROM leak_episode ORDER BY started_on"
    ),
    (
        "SELECT kind, fluid, started_on, ended_on, amount, threshold, own_limit"
        " FROM alert ORDER BY kind, started_on, own_limit"
    ),
)


async def state():
    """Everything that follows from readings, without ids and moments of judgement."""
    found = []
    for statement in COMPARED:
        rows = await current_database().execute_query_dict(statement)
        found.append(
            [
                tuple(value for name, value in row.items() if name not in {"received_at", "meter_id"})
                for row in rows
            ]
        )
    return found


def life(meter, seed):
    """Two weeks of a home, hourly: a leak, a burst, a tampering state and a backflow at chosen times.

    The November before was measured once a day, at 20 litres.
    """
    choice = Random(seed)
    lines = [
        meter.line(1000 + 20 * day, datetime(2025, 10, 31, 23, tzinfo=UTC) + day * DAY) for day in range(32)
    ]
    hours = [0 if hour % 24 < 6 else choice.choice((0, 3, 12)) for hour in range(24 * DAYS)]
    leak, burst, backflow = choice.sample(range(1, DAYS - 4), 3)
    for hour in range(24 * leak, 24 * (leak + choice.randrange(2, 5))):
        hours[hour] += 7
    for hour in (9, 10, 11):
        hours[24 * burst + hour] += 420
    hours[24 * backflow + 2] = -4
    tampered = 24 * choice.randrange(DAYS - 1)
    index = 2000
    for hour, litres in enumerate(hours):
        index += litres
        complaints = 1 << 3 if tampered <= hour < tampered + 5 else 0
        lines.append(meter.line(index, START + (hour + 1) * HOUR, complaints=complaints))
    return lines


class Home:
    """Claire's home with one meter; what is typed and what is received, in an order of the test's choice."""

    def __init__(self, application, key_encryption, meter, lines):
        self.application, self.key_encryption, self.meter, self.lines = (
            application,
            key_encryption,
            meter,
            lines,
        )

    async def describe(self, **service):
        spec = replace(factories.meter(self.meter.address), **service)
        await factories.residence(self.key_encryption, spec)

    async def receive(self):
        """A batch a day, as it is sent, with the hourly check of silent meters after it."""
        before, since = self.lines[:32], self.lines[32:]
        await take_in(self.application, SYSTEM, before, source="test", now=START)
        for at in range(0, len(since), 24):
            now = START + (at + 24) * HOUR
            await take_in(self.application, SYSTEM, since[at : at + 24], source="test", now=now)
        await raise_missing_data(now=END)

    async def replay(self):
        await replay(self.application, SYSTEM, now=END)


@pytest.fixture
def homes(application, key_encryption, izar, resident):
    """Builds the home of a seed with a limit of a day, once per test."""

    async def build(seed):
        home = Home(application, key_encryption, izar, life(izar, seed))
        await home.describe()
        await set_limit(await resident(), 1, Fluid.COLD_WATER, LimitPeriod.DAY, 400, now=START)
        return home

    return build


async def forget():
    for name in (
        *("outbox_message", "alert", "leak_episode", "leak_classifier_state", "dead_letter"),
        *("meter_state", "reading", "reading_outside_service", "daily_volume"),
    ):
        await current_database().execute_script(f"DELETE FROM {name}")


@pytest.mark.parametrize(
    ("database_url", "seed"),
    [("sqlite", 0), ("sqlite", 1), ("postgresql", 2), ("postgresql", 3)],
    indirect=["database_url"],
)
async def test_a_removal_typed_before_or_after_the_telegrams_gives_the_same_tables(homes, seed) -> None:
    """Readings, hours, days, leaks, alerts: known before, typed afterwards, typed wrongly, undone."""
    home = await homes(seed)
    removed_at = START + Random(seed).randrange(30, 24 * DAYS - 20) * HOUR + timedelta(minutes=20)
    await home.receive()
    untouched = await state()
    await forget()

    await home.describe(removed_at=removed_at)
    await home.receive()
    known = await state()
    assert known != untouched
    await home.describe()
    await home.replay()
    assert await state() == untouched, "the removal was a mistake: its refused lines become readings"
    await home.describe(removed_at=removed_at)
    assert await state() == known, "typed after the telegrams"
    await home.describe(removed_at=removed_at - 26 * HOUR)
    await home.describe(removed_at=removed_at)
    assert await state() == known, "typed too early, then corrected"
    await home.describe()
    assert await state() == untouched, "undone: every reading returns"


@pytest.mark.parametrize(
    ("database_url", "seed"), [("sqlite", 0), ("postgresql", 1)], indirect=["database_url"]
)
async def test_an_installation_moved_before_or_after_the_telegrams_gives_the_same_tables(homes, seed) -> None:
    """What was read before the meter was installed here is nobody's consumption."""
    home = await homes(seed)
    installed_at = START + Random(seed).randrange(30, 24 * DAYS - 20) * HOUR + timedelta(minutes=20)
    await home.describe(installed_at=installed_at)
    await home.receive()
    known = await state()
    await home.describe()
    await home.replay()
    untouched = await state()
    await home.describe(installed_at=installed_at)
    assert await state() == known
    await home.describe()
    assert await state() == untouched


async def test_no_reading_is_deleted(homes) -> None:
    """A removal before the first reading empties every table but that of readings outside service."""
    home = await homes(1)
    await home.receive()
    count = len((await state())[0])
    assert count == len(home.lines)
    await home.describe(removed_at=datetime(2024, 6, 1, tzinfo=UTC))
    assert await state() == [[], [], [], []]
    (row,) = await current_database().execute_query_dict("SELECT COUNT(*) AS n FROM reading_outside_service")
    assert row["n"] == count


async def test_an_alert_of_the_days_in_service_keeps_its_row_and_what_people_did(
    application, key_encryption, izar, resident, now
) -> None:
    """The leak of 2 November was acknowledged; the removal of the 5th, typed on the 9th, ends its alert."""
    home = Home(application, key_encryption, izar, izar.hourly(START, [0] * 3 + [9] * 24 * 7))
    await home.describe()
    await take_in(application, SYSTEM, home.lines, source="test", now=START + 7 * DAY)
    before = await Alert.get()
    await acknowledge(await resident(), before.id, now=START + 7 * DAY)
    await home.describe(removed_at=START + 3 * DAY + 9 * HOUR)
    after = await Alert.get()
    assert (after.id, after.ended_on) == (before.id, date(2026, 11, 5))
    assert await AlertAction.filter(alert_id=after.id).count() == 1


async def test_an_alert_of_the_days_after_the_removal_is_taken_back(
    application, key_encryption, izar, resident, audited
) -> None:
    """Whoever got the message of the burst gets a correction; what waits is not sent; the audit has both."""
    home = Home(application, key_encryption, izar, izar.hourly(START, [0] * 30 + [400] * 5))
    await home.describe()
    at = START + 35 * HOUR
    await take_in(application, SYSTEM, home.lines, source="test", now=at)
    burst = await Alert.get(kind=AlertKind.BURST)
    email, sms = await OutboxMessage.filter(alert_id=burst.id).order_by("channel")
    await OutboxMessage.filter(id=email.id).update(state=MessageState.SENT)
    await home.describe(removed_at=START + 29 * HOUR)
    assert await active_alerts(await resident(), 1, now=at) == []
    assert (await Alert.all().count(), await LeakEpisode.all().count()) == (0, 0)
    await sms.refresh_from_db()
    assert (sms.state, sms.failure) == (MessageState.FAILED, "WITHDRAWN")
    (correction,) = await OutboxMessage.filter(template="alert_withdrawn")
    assert (correction.account_id, correction.channel) == (email.account_id, email.channel)
    message = render(correction.template, "en", correction.values)
    assert message.subject == "Correction: alert withdrawn"
    assert message.text == (
        "Cold water no. H18CA029620: the burst alert of 3 November 2026 is withdrawn: it came from readings"
        " that have been set aside. The consumption shown is corrected. We apologise."
    )
    (act,) = await audited(Act.ALERT_WITHDRAWN)
    assert (act.subject.number, act.details["kind"]) == (burst.id, "BURST")


async def test_a_removal_typed_again_changes_nothing(homes, tables) -> None:
    """The same list imported twice: no row is written, no message queued."""
    home = await homes(2)
    await home.receive()
    await home.describe(removed_at=START + 200 * HOUR)
    before = await tables("alert", "leak_episode", "outbox_message", "audit_record", "daily_volume")
    await home.describe(removed_at=START + 200 * HOUR)
    after = await tables("alert", "leak_episode", "outbox_message", "audit_record", "daily_volume")
    assert before == after


async def test_missing_data_after_the_removal_is_no_alert(application, key_encryption, izar) -> None:
    """A meter taken out on the 3rd is reported silent; the removal typed late takes that back."""
    home = Home(application, key_encryption, izar, izar.hourly(START, [1] * 30))
    await home.describe()
    await take_in(application, SYSTEM, home.lines, source="test", now=START + 30 * HOUR)
    assert await raise_missing_data(now=START + 5 * DAY) == 1
    await home.describe(removed_at=START + 31 * HOUR)
    assert await Alert.filter(kind=AlertKind.NO_DATA).count() == 0
    await home.describe()
    assert await raise_missing_data(now=START + 6 * DAY) == 1


async def test_a_removal_to_come_does_not_keep_a_silent_meter_quiet(
    application, key_encryption, izar
) -> None:
    """Silent since 3 November, to be removed on the 12th: reported on the 6th, and over with the removal."""
    removed_at = START + 10 * DAY
    home = Home(application, key_encryption, izar, izar.hourly(START, [1] * 30))
    await home.describe(removed_at=removed_at)
    await take_in(application, SYSTEM, home.lines, source="test", now=START + 30 * HOUR)
    assert await raise_missing_data(now=START + 4 * DAY) == 1
    assert await raise_missing_data(now=removed_at + HOUR) == 0
    assert (await Alert.get()).ended_on == date(2026, 11, 12)


async def test_refused_lines_inside_the_corrected_time_become_readings(
    application, key_encryption, izar
) -> None:
    """OUTSIDE_SERVICE, until the installation is dated back and the dead letters are replayed."""
    home = Home(application, key_encryption, izar, izar.hourly(START, [1] * 10))
    await home.describe(installed_at=START + 5 * HOUR)
    summary = await take_in(application, SYSTEM, home.lines, source="test", now=END)
    assert (summary.stored, summary.unusable) == (6, {"OUTSIDE_SERVICE": 5})
    await home.describe(installed_at=START)
    assert (await replay(application, SYSTEM, now=END)).stored == 5
    assert await DeadLetter.filter(state="WAITING").count() == 0

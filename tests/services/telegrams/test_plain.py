"""The short way of intake: whatever it takes, it stores what the long way would."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from core.access import SYSTEM
from core.services.places.meter_directory import meters_by_address
from core.services.places.meter_states import refresh
from core.services.shared import many_rows, time_series
from core.services.shared.transaction import current_database
from core.services.telegrams import courses, plain, steps
from core.services.telegrams.pipeline import take_in
from submeter.simulator import fleet
from tests.services.conftest import Itron
from tests.support import factories
from tests.support.attack import watched

START = datetime(2026, 10, 20, 6, 13, tzinfo=UTC)
HOUR = timedelta(hours=1)
COMPARED = (
    "SELECT * FROM reading ORDER BY meter_id, read_at",
    "SELECT * FROM daily_volume ORDER BY meter_id, day",
    "SELECT * FROM meter_state ORDER BY meter_id",
    (
        "SELECT meter_id, read_at, index_value, evidence, doubt, decided FROM doubtful_reading"
        " ORDER BY meter_id, read_at, index_value"
    ),
    (
        "SELECT meter_id, started_on, ended_on, level_at_opening, level_now, level_max, loss_litres,"
        " counted_days, segments, detected_at FROM leak_episode ORDER BY meter_id, started_on"
    ),
    "SELECT meter_id, kind, started_on, ended_on FROM alert ORDER BY meter_id, kind, started_on",
    "SELECT template FROM outbox_message ORDER BY template",
    "SELECT meter_id, shown_from_s, ended_s, litres, expected FROM burst_draw ORDER BY 1, 2",
    "SELECT reason, times_seen, state FROM dead_letter ORDER BY line_digest",
)


def amounts_of(chance, hours):
    """Litres an hour of a home: nights without water, and at random a leak, a burst, a long absence."""
    leak_from = chance.choice([None, chance.randrange(hours)])
    leak_lph, leak_hours = chance.choice([5, 9, 14, 60]), chance.randrange(30, 200)
    burst_at = chance.choice([None, chance.randrange(hours)])
    found = []
    for hour in range(hours):
        asleep = hour % 24 < 6 and chance.random() < 0.9
        amount = 0 if asleep else chance.choice([0, 0, 3, 12, 25, 60, 150])
        if leak_from is not None and leak_from <= hour < leak_from + leak_hours:
            amount += leak_lph
        if burst_at is not None and burst_at <= hour < burst_at + 4:
            amount += 700
        found.append(amount)
    return found


def stream(chance, meters, hours):
    """Lines of some meters by the hour: doubled, late, missing for days, and with an index set anew."""
    sent = []
    for meter in meters:
        index, gap = 1000, range(0)
        if chance.random() < 0.5:
            first = chance.randrange(hours)
            gap = range(first, first + chance.randrange(2, 60))
        reset = chance.choice([None, chance.randrange(hours)])
        back = chance.choice([None, chance.randrange(hours)])
        phase = timedelta(seconds=chance.randrange(3600))
        for hour, amount in enumerate(amounts_of(chance, hours)):
            index += amount
            if hour == reset:
                index = 200_000
            if hour in gap:
                continue
            shown = index - (4 if hour == back else 0)
            at = START + phase + hour * HOUR
            line = meter.line(shown, at)
            late = chance.choice([0] * 150 + [3, 40])
            sent.append((hour + late, chance.random(), line))
            if chance.random() < 0.1:
                again = meter.line(shown, at + timedelta(seconds=chance.choice([0, 2, 40])))
                sent.append((hour + late + chance.choice([0, 1, 30]), chance.random(), again))
    return [line for _, _, line in sorted(sent)]


def batches_of(lines, chance):
    """The lines in batches of one, a few, or many."""
    first = 0
    while first < len(lines):
        size = chance.choice([1, 1, 2, 2, 3, 3, 30, 50])
        yield lines[first : first + size]
        first += size


def count_taken(monkeypatch, kind, number_of, taken):
    """Count the readings that a part of the short way takes."""
    add_to = kind.add_to

    def counted(one, *rest):
        taken[kind] += number_of(one)
        add_to(one, *rest)

    monkeypatch.setattr(kind, "add_to", counted)


async def tables():
    database = current_database()
    return [
        [tuple(map(str, row.values())) for row in await database.execute_query_dict(one)] for one in COMPARED
    ]


async def forget():
    for name in (
        *("outbox_message", "alert", "leak_episode", "leak_classifier_state", "dead_letter"),
        *("burst_draw", "recurring_draw", "doubtful_reading", "meter_state", "daily_volume", "reading"),
    ):
        await current_database().execute_script(f"DELETE FROM {name}")


@pytest.mark.parametrize(
    ("database_url", "seed"),
    [("sqlite", 0), ("sqlite", 1), ("postgresql", 0), ("postgresql", 2)],
    indirect=["database_url"],
)
async def test_the_short_way_stores_what_the_long_way_stores(
    application, key_encryption, itron, izar, other_izar, monkeypatch, seed
) -> None:
    """Readings, days, doubts, leaks, alerts, messages and dead letters of eleven days are the same, and so is
    what is kept of each meter, in batches of any size; and the short way takes most of the readings.
    """
    chance = random.Random(seed)
    await factories.residence(
        key_encryption,
        factories.meter(izar.address),
        factories.meter(other_izar.address),
        factories.meter(itron.address, key=itron.key),
    )
    hours = 24 * 11
    lines = stream(chance, [izar, other_izar, itron], hours)
    now = START + (hours + 48) * HOUR
    taken = Counter()
    count_taken(monkeypatch, courses.Course, lambda course: len(course.new), taken)
    count_taken(monkeypatch, steps.Steps, lambda some: len(some.reports), taken)
    batches = list(batches_of(lines, chance))
    found = []
    for allowed in (True, False):
        await forget()
        with monkeypatch.context() as patch:
            if not allowed:
                patch.setattr(plain, "_by_meter", lambda *_: ([], []))
            for batch in batches:
                await take_in(application, SYSTEM, batch, source="test", now=now)
        found.append(await tables())
    short, long = found
    assert len(short[0]) > 500
    assert taken[steps.Steps] > 25
    assert taken[courses.Course] > len(lines) / 3
    for one, other, query in zip(short, long, COMPARED, strict=True):
        if "meter_state" not in query:
            assert one == other, query


async def test_many_rows_are_stored_as_a_few_are(
    application, key_encryption, itron, izar, other_izar, monkeypatch
) -> None:
    """Five days in batches of a few hours: copied by way of a stage, as days and states of thousands of
    meters are, the tables are the same as by arrays; first readings and new days are among them.
    """
    await factories.residence(
        key_encryption,
        factories.meter(izar.address),
        factories.meter(other_izar.address),
        factories.meter(itron.address, key=itron.key),
    )
    lines = stream(random.Random(5), [izar, other_izar, itron], 24 * 5)
    now = START + 24 * 9 * HOUR
    copied = []
    copy = many_rows.copy_numbers

    async def counted(connection, table, *rest):
        copied.append(table)
        await copy(connection, table, *rest)

    monkeypatch.setattr(many_rows, "copy_numbers", counted)
    found = []
    for staged_from in (1, 1000):
        await forget()
        monkeypatch.setattr(many_rows, "STAGED_FROM", staged_from)
        for first in range(0, len(lines), 12):
            await take_in(application, SYSTEM, lines[first : first + 12], source="test", now=now)
        found.append(await tables())
    assert found[0] == found[1]
    assert len(found[0][1]) > 12
    is_copied = current_database().capabilities.dialect != "sqlite"
    assert ({"meter_state_staged", "daily_volume_staged"} <= set(copied)) is is_copied


async def test_the_day_of_a_register_that_stands_still_is_not_written_again(
    application, key_encryption, itron, monkeypatch
) -> None:
    """Its amount is that of the last reading; midnight ends it all the same, and opens the next."""
    await factories.residence(key_encryption, factories.meter(itron.address, key=itron.key))
    written = []
    upsert_days = time_series.upsert_days

    async def counted(connection, rows, *tables):
        written.append(len(rows) + sum(map(len, tables)))
        await upsert_days(connection, rows, *tables)

    monkeypatch.setattr(time_series, "upsert_days", counted)
    indexes = [1000, 1003, 1007, 1012, 1012, 1012, 1020, 1020] + [1020] * 12
    for hour, index in enumerate(indexes):
        line = itron.line(index, START + hour * HOUR)
        await take_in(application, SYSTEM, [line], source="test", now=START + 24 * HOUR)
    # From 08:13 in Paris on: 16 readings up to 23:13, then the next day's.
    assert written[3:8] == [1, 0, 0, 1, 0]
    assert written[8:] == [0] * 8 + [2] + [0] * 3
    days = await current_database().execute_query_dict(
        "SELECT day, amount, quality FROM daily_volume ORDER BY day"
    )
    assert [tuple(row.values()) for row in days] == [(20261020, 20, "P"), (20261021, 0, "P")]


async def test_a_state_is_what_is_stored_of_its_meter(application, key_encryption, itron, izar) -> None:
    """Thrown away and made anew, the day and the last reading of every state are as intake left them."""
    chance = random.Random(9)
    await factories.residence(
        key_encryption, factories.meter(izar.address), factories.meter(itron.address, key=itron.key)
    )
    lines = stream(chance, [izar, itron], 24 * 8 + 5)
    for first in range(0, len(lines), 50):
        await take_in(
            application, SYSTEM, lines[first : first + 50], source="test", now=START + 24 * 12 * HOUR
        )
    query = (
        "SELECT meter_id, last_at, last_index, last_digest, last_evidence, day_from, day_index, plain_steps"
        " FROM meter_state ORDER BY meter_id"
    )
    database = current_database()
    before = await database.execute_query_dict(query)
    meters = await meters_by_address(SYSTEM, [izar.address, itron.address], key_encryption=key_encryption)
    await database.execute_script("DELETE FROM meter_state")
    await refresh(database, meters.values(), thresholds_of=application.registry.leak_thresholds)
    assert await database.execute_query_dict(query) == before


@pytest.mark.parametrize(("timed", "most"), [(True, 10), (False, 33)])
async def test_a_batch_costs_as_many_statements_with_forty_meters_as_with_four(
    application, key_encryption, monkeypatch, timed, most
) -> None:
    """The readings of an hour of plain meters: at most 10 statements, however many meters; of lines without a
    time, which are taken closely, at most 33.
    """
    meters = [Itron(fleet.itron(f"{48_000_000 + number}", date(2024, 1, 1))) for number in range(44)]
    await factories.residence(
        key_encryption, *(factories.meter(meter.address, key=meter.key) for meter in meters)
    )
    lines = [
        [
            meter.line(1000 + 3 * hour, START + hour * HOUR)
            if timed
            else meter.telegram(1000 + 3 * hour).hex()
            for meter in meters
        ]
        for hour in range(6)
    ]
    costs = []
    for hour, some in enumerate([*lines[:4], lines[4][:4], lines[4][4:]]):
        with watched(monkeypatch) as work:
            now = START + hour * HOUR + timedelta(minutes=5)
            summary = await take_in(application, SYSTEM, some, source="test", now=now)
        assert summary.stored == len(some)
        costs.append(len(work.statements))
    assert costs[-2] == costs[-1] <= most, costs

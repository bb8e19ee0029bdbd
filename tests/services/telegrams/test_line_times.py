"""Clocks that are ahead: of a gateway, of the server, of a meter. None makes a reading of a day to come."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core.access import SYSTEM, Act
from core.metering import Address, explain
from core.models import DeadLetter, TelegramState
from core.services.shared import time_series
from core.services.shared.transaction import current_database
from core.services.telegrams.future_readings import future_readings, set_apart
from core.services.telegrams.line_times import Dating
from core.services.telegrams.pipeline import replay, take_in
from submeter.simulator import encryption
from submeter.simulator.records import bcd, day, full, moment
from tests.support import factories

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
async def home(application, key_encryption, izar):
    """A home with one meter; answers the meter."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    return izar


async def take(application, *lines, now=NOW):
    return await take_in(application, SYSTEM, lines, source="roof", now=now)


async def readings():
    window = time_series.Window(1, 0, 1 << 40)
    rows = await time_series.readings_page(current_database(), window, newest_first=False, limit=100)
    return [(datetime.fromtimestamp(row.read_at_s, UTC), row.index_value) for row in rows]


@pytest.mark.parametrize("later", [3 * HOUR, 3 * DAY, 2000 * DAY])
async def test_a_line_of_the_future_does_not_become_true_by_waiting(application, home, later) -> None:
    """A gateway two days ahead: replayed or sent again after its time has come, the line is refused."""
    line = home.line(1000, NOW + 2 * DAY)
    assert (await take(application, line)).unusable == {"TIME_IN_FUTURE": 1}
    reason = "TIME_PAST_RETENTION" if later > 1000 * DAY else "TIME_IN_FUTURE"
    assert (await replay(application, SYSTEM, now=NOW + later)).unusable == {reason: 1}
    assert (await take(application, line, now=NOW + later)).unusable == {reason: 1}
    assert await readings() == []


async def test_the_dead_letter_says_that_the_gateways_clock_is_wrong(application, home) -> None:
    """By how much, and what the operator can do."""
    await take(application, home.line(1000, NOW + 2 * DAY))
    (row,) = await DeadLetter.all()
    assert "172800 s after its reception" in row.message
    assert "--reception-time" in row.message


@pytest.mark.parametrize("moment_of", [timedelta(0), HOUR])
async def test_an_hour_of_difference_is_no_fault(application, home, moment_of) -> None:
    """Clocks of a gateway and of the server may differ by an hour, both included."""
    assert (await take(application, home.line(1000, NOW + moment_of))).stored == 1


async def test_lines_of_a_clock_ahead_are_dated_by_their_reception(application, home) -> None:
    """A delivery of four hours from a gateway in 2031: the last line is of 06:00, the others of hours before.

    The index, 03:00 to 06:00: 1000, 1010, 1010, 1030 litres. The same telegram twice is two readings.
    """
    wrong = datetime(2031, 3, 1, 12, tzinfo=UTC)
    lines = [home.line(index, wrong + hour * HOUR) for hour, index in enumerate((1000, 1010, 1010, 1030))]
    assert (await take(application, *lines)).unusable == {"TIME_IN_FUTURE": 4}
    other = home.line(1100, wrong + 9 * HOUR)
    assert (await take(application, other, now=NOW + DAY)).unusable == {"TIME_IN_FUTURE": 1}
    summary = await replay(application, SYSTEM, dating=Dating.RECEPTION, now=NOW + 30 * DAY)
    assert (summary.stored, summary.unusable) == (5, {})
    assert await readings() == [
        (NOW - 3 * HOUR, 1000),
        (NOW - 2 * HOUR, 1010),
        (NOW - HOUR, 1010),
        (NOW, 1030),
        (NOW + DAY, 1100),
    ]
    assert await DeadLetter.filter(state=TelegramState.WAITING).count() == 0


async def test_only_lines_refused_for_their_time_are_dated_anew(application, home, other_izar) -> None:
    """A line of another meter, unknown then, keeps its own time."""
    await take(application, other_izar.line(5, NOW - HOUR), "garbage")
    await take(application, home.line(1000, NOW + DAY))
    summary = await replay(application, SYSTEM, dating=Dating.RECEPTION, now=NOW)
    assert (summary.lines, await readings()) == (1, [(NOW, 1000)])


async def test_lines_refused_by_a_server_behind_keep_their_own_time(application, home) -> None:
    """The server woke up in 2000; its clock corrected, the operator says that the lines were right."""
    line = home.line(1000, NOW)
    woken = datetime(2000, 1, 1, tzinfo=UTC)
    assert (await take(application, line, now=woken)).unusable == {"TIME_IN_FUTURE": 1}
    assert (await replay(application, SYSTEM, now=NOW)).unusable == {"TIME_IN_FUTURE": 1}
    assert (await replay(application, SYSTEM, dating=Dating.LINE, now=NOW - DAY)).stored == 0
    assert (await replay(application, SYSTEM, dating=Dating.LINE, now=NOW)).stored == 1
    assert await readings() == [(NOW, 1000)]


async def test_readings_dated_by_a_server_ahead_are_set_apart(
    application, home, key_encryption, tables, audited
) -> None:
    """Lines without a time, received by a server in 2031: the operator sets them apart, nothing is deleted.

    The days are those of the readings before, 24 litres a day; no day is filled up to 2031.
    """
    lines = home.hourly(NOW - 2 * DAY, [1] * 48)
    await take(application, *lines)
    before = await tables("daily_volume", "leak_episode", "alert")
    wrong = datetime(2031, 3, 1, 12, tzinfo=UTC)
    bare = [home.telegram(index).hex() for index in (1050, 1060)]
    await take(application, bare[0], now=wrong)
    await take(application, bare[1], now=wrong + HOUR)
    assert len((await tables("daily_volume"))["daily_volume"]) > 1000
    assert await future_readings(SYSTEM, now=wrong + 2 * HOUR) == []
    now = NOW + HOUR
    (found,) = await future_readings(SYSTEM, now=now)
    assert (found.radio_address, found.readings) == (home.address, 2)
    await set_apart(
        SYSTEM,
        radio_address=found.radio_address,
        key_encryption=key_encryption,
        thresholds_of=application.registry.leak_thresholds,
        now=now,
    )
    assert await tables("daily_volume", "leak_episode", "alert") == before
    assert len((await tables("reading_in_future"))["reading_in_future"]) == 2
    assert len(await audited(Act.FUTURE_READINGS_SET_APART)) == 1
    assert (await take(application, bare[1], now=now)).stored == 1, "received again, they are new"


RECEIVED = datetime(2026, 11, 20, 6, tzinfo=UTC)
WIRE = Address.parse("ITW-48349952-00-07").to_wire()


def snapshot(on, clock):
    """A plain telegram of a water meter: its clock, 12.345 m3 now and 11 m3 on a day."""
    records = (bcd("0C13", 12345), moment("066D", clock), bcd("4C13", 11000), day("426C", on))
    return encryption.telegram(WIRE, b"\x78" + full(records)).hex()


@pytest.mark.parametrize(
    ("on", "published"),
    [
        (date(2026, 10, 31), True),
        (date(2026, 11, 21), True),  # where the meter is, it may be a day later
        (date(2026, 11, 22), False),
        (date(2031, 1, 31), False),
    ],
)
def test_a_snapshot_of_a_day_to_come_is_not_published(registry, on, published) -> None:
    """A meter whose calendar is in 2031 sends a month's end of 2031: neither day nor value is shown."""
    clock = datetime(2031, 2, 1, tzinfo=UTC)
    line = f"T1;1;1;{RECEIVED:%Y-%m-%d %H:%M:%S}.000;97;148;0;0x{snapshot(on, clock)}"
    report = explain(line, registry)
    assert report.error is None
    assert report.measurement is not None
    values = report.measurement.values
    dated = {name for name in values if name.startswith(("target_", "last_year_"))}
    assert bool(dated) is published
    assert [entry.day for entry in report.measurement.history] == ([on] if published else [])
    assert values["total_volume_m3"] == Decimal("12.345")
    assert values["meter_datetime"] == datetime(2031, 2, 1)


def test_a_snapshot_of_a_line_without_a_time_is_published_as_sent(registry) -> None:
    """When it was received is not known, so no day of it is known to lie ahead."""
    report = explain(snapshot(date(2031, 1, 31), datetime(2031, 2, 1, tzinfo=UTC)), registry)
    assert report.measurement is not None
    assert [entry.day for entry in report.measurement.history] == [date(2031, 1, 31)]

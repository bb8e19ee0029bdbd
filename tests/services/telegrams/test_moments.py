"""Lines without a time: of one meter the newest is the last reading, however the lines are delivered."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.access import SYSTEM
from core.models import DeadLetter, DoubtfulReading
from core.services.telegrams.moments import Span
from core.services.telegrams.pipeline import replay, take_in
from tests.support import factories

INDEXES = range(1000, 1012)


@pytest.fixture
def small(application):
    """The application with batches of a size."""

    def of(size):
        return replace(application, settings=replace(application.settings, intake_batch_lines=size))

    return of


def untimed(izar, indexes=INDEXES):
    return [izar.telegram(index).hex() for index in indexes]


async def readings(tables):
    """The stored indexes, by their time."""
    rows = (await tables())["reading"]
    return [(row[1], row[2]) for row in sorted(rows, key=lambda row: row[1])]


def at(moment):
    return int(moment.timestamp())


@pytest.mark.parametrize("size", [1, 2, 7, 100])
async def test_a_file_of_untimed_lines_ends_with_its_newest_index(
    application, key_encryption, now, izar, tables, small, size
) -> None:
    """Twelve telegrams are twelve readings in their order, the last at the reception; again, duplicates."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = untimed(izar)
    summary = await take_in(small(size), SYSTEM, lines, source="test", now=now)
    assert (summary.stored, summary.unusable) == (12, {})
    stored = await readings(tables)
    assert [index for _, index in stored] == list(INDEXES)
    assert stored[-1][0] == at(now)
    for later in (timedelta(0), timedelta(days=7)):
        again = await take_in(small(size), SYSTEM, lines, source="test", now=now + later)
        assert (again.stored, again.duplicates, again.unusable) == (0, 12, {})


@pytest.mark.parametrize("size", [1, 3, 8, 11])
@pytest.mark.parametrize("apart", [timedelta(0), timedelta(seconds=1), timedelta(hours=1)])
async def test_deliveries_follow_each_other(
    application, key_encryption, now, izar, tables, size, apart
) -> None:
    """A file cut in deliveries, at one moment or apart: the same order, no conflict, again duplicates."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = untimed(izar)
    parts = [lines[first : first + size] for first in range(0, len(lines), size)]
    for expected in ((12, 0), (0, 12)):
        stored = duplicates = 0
        for number, part in enumerate(parts):
            summary = await take_in(application, SYSTEM, part, source="test", now=now + number * apart)
            stored, duplicates = stored + summary.stored, duplicates + summary.duplicates
            assert summary.unusable == {}
        assert (stored, duplicates) == expected
    assert [index for _, index in await readings(tables)] == list(INDEXES)


@pytest.mark.parametrize("size", [3, 100])
async def test_a_doubled_file_gives_duplicates_only(
    application, key_encryption, now, izar, tables, small, size
) -> None:
    """Each line twice in a row, then the whole again: twelve readings, twelve and twenty-four duplicates."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = [line for line in untimed(izar) for _ in range(2)] * 2
    summary = await take_in(small(size), SYSTEM, lines, source="test", now=now)
    assert (summary.stored, summary.duplicates, summary.unusable) == (12, 36, {})
    assert [index for _, index in await readings(tables)] == list(INDEXES)


async def test_a_file_longer_than_five_minutes_knows_its_own_duplicates(
    application, key_encryption, now, izar, tables
) -> None:
    """Four hundred telegrams and the first again: it is a duplicate, and the newest reading remains."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = untimed(izar, range(400))
    summary = await take_in(application, SYSTEM, [*lines, lines[0]], source="test", now=now)
    assert (summary.stored, summary.duplicates) == (400, 1)
    assert (await readings(tables))[-1] == (at(now), 399)


async def test_telegrams_of_many_meters_are_received_at_their_moment(
    application, key_encryption, now, izar, other_izar
) -> None:
    """A delivery with one telegram of each meter is dated as it was received, not spread."""
    await factories.residence(
        key_encryption, factories.meter(izar.address), factories.meter(other_izar.address)
    )
    lines = [izar.telegram(5).hex(), other_izar.telegram(6).hex()]
    await take_in(application, SYSTEM, lines, source="test", now=now)
    # Nothing proves either: both wait for a neighbour that agrees.
    assert [row.read_at for row in await DoubtfulReading.all()] == [at(now), at(now)]


@pytest.mark.parametrize("size", [1, 6, 100])
@pytest.mark.parametrize("batch", [4, 100])
async def test_a_replay_keeps_the_order(
    application, key_encryption, now, izar, tables, small, size, batch
) -> None:
    """Lines of a meter that is registered later: replayed in any pages, its newest index is the newest."""
    lines = untimed(izar)
    for first in range(0, len(lines), size):
        part = lines[first : first + size]
        await take_in(small(batch), SYSTEM, part, source="test", now=now)
    assert await DeadLetter.all().count() == 12
    await factories.residence(key_encryption, factories.meter(izar.address))
    summary = await replay(small(batch), SYSTEM, now=now + timedelta(hours=1))
    assert (summary.stored, summary.unusable) == (12, {})
    assert [index for _, index in await readings(tables)] == list(INDEXES)


@pytest.mark.parametrize("again", ["replay", "file"])
@pytest.mark.parametrize("size", [1, 100])
async def test_a_line_whose_cause_is_mended_takes_its_old_place(
    application, key_encryption, now, itron, tables, small, size, again
) -> None:
    """Every third telegram has another key, imported later: it comes in between those that were stored."""
    other = bytes(range(16))
    spec = factories.meter(itron.address, vendor="itron", printed_serial="48349952", key=itron.key)
    await factories.residence(key_encryption, spec)
    lines = [itron.telegram(index, key=None if index % 3 else other).hex() for index in INDEXES]
    summary = await take_in(small(size), SYSTEM, lines, source="test", now=now)
    assert (summary.stored, summary.unusable) == (8, {"KEY_WRONG": 4})
    await factories.residence(key_encryption, replace(spec, key=other))
    later = now + timedelta(days=1)
    if again == "replay":
        summary = await replay(small(size), SYSTEM, now=later)
    else:
        summary = await take_in(small(size), SYSTEM, lines, source="test", now=later)
    assert (summary.stored, summary.unusable) == (4, {})
    assert [index for _, index in await readings(tables)] == list(INDEXES)


@pytest.mark.parametrize("size", [2, 100])
async def test_the_seconds_of_a_simulation_file_are_times(
    application, key_encryption, now, izar, tables, small, size
) -> None:
    """+0, +3600 and +7200 lie an hour apart, the last at the reception; a line without goes with the last."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    raw = untimed(izar, range(4))
    lines = [f"telegram=|{raw[0]}|", f"telegram=|{raw[1]}|+3600", f"telegram=|{raw[2]}|+7200"]
    summary = await take_in(small(size), SYSTEM, lines, source="test", now=now)
    assert (summary.stored, summary.unusable) == (3, {})
    end = at(now)
    assert await readings(tables) == [(end - 7200, 0), (end - 3600, 1), (end, 2)]
    again = await take_in(small(size), SYSTEM, lines, source="test", now=now + timedelta(days=1))
    assert (again.stored, again.duplicates) == (0, 3)


async def test_the_seconds_order_a_shuffled_simulation_file(
    application, key_encryption, now, izar, tables
) -> None:
    """A time is a time, whatever the order of the lines; two telegrams of one second follow each other."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    raw = untimed(izar, range(4))
    seconds = (0, 60, 60, 120)
    lines = [f"telegram=|{text}|+{after}" for text, after in zip(raw, seconds, strict=True)]
    shuffled = [lines[3], lines[1], lines[2], lines[0]]
    assert (await take_in(application, SYSTEM, shuffled, source="test", now=now)).unusable == {}
    end = at(now)
    assert await readings(tables) == [(end - 120, 0), (end - 61, 1), (end - 60, 2), (end, 3)]


@pytest.mark.parametrize("way", ["whole", "deliveries", "replay"])
async def test_telegrams_are_laid_as_far_apart_as_the_register_needs(
    application, key_encryption, now, izar, tables, way
) -> None:
    """A hundred litres from line to line are no burst: all count, the last at the reception if it can be."""
    steps = range(0, 2000, 100)
    lines = untimed(izar, steps)
    if way != "replay":
        await factories.residence(key_encryption, factories.meter(izar.address))
    for part in [lines[:7], lines[7:14], lines[14:]] if way == "deliveries" else [lines]:
        await take_in(application, SYSTEM, part, source="test", now=now)
    if way == "replay":
        await factories.residence(key_encryption, factories.meter(izar.address))
        await replay(application, SYSTEM, now=now + timedelta(days=1))
    stored = await readings(tables)
    seconds = [moment for moment, _ in stored]
    if way == "deliveries":
        # The last waits for a neighbour: its delivery follows the others within the second.
        assert [index for _, index in stored] == list(steps)[: len(stored)]
        assert len(stored) >= 19
    else:
        assert [index for _, index in stored] == list(steps)
        assert seconds[-1] == at(now)
        assert seconds[-1] - seconds[0] > 19 * 1000


async def test_a_false_rise_moves_no_other_reading_away(
    application, key_encryption, now, izar, tables
) -> None:
    """A bit that flipped announces 16,777 m3: it is doubtful, and the true ones are dated as without it."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = untimed(izar, [1000, 1001, 1002 + (1 << 24), 1003, 1004])
    await take_in(application, SYSTEM, lines, source="test", now=now)
    end = at(now)
    assert await readings(tables) == [(end - 4, 1000), (end - 3, 1001), (end - 1, 1003), (end, 1004)]


@pytest.mark.parametrize("bit", [9, 10, 12, 14, 17])
async def test_a_false_line_of_now_keeps_no_true_one_out(
    application, key_encryption, now, izar, tables, bit
) -> None:
    """Bare lines without a time, an hour apart, one of them damaged: none is dated after its reception, all
    true ones count at their receptions, and the false one is doubtful.
    """
    await factories.residence(key_encryption, factories.meter(izar.address))
    hour = timedelta(hours=1)
    for number in range(8):
        index = 1000 + 3 * number
        lines = untimed(izar, [index, index + (1 << bit)] if number == 3 else [index])
        summary = await take_in(application, SYSTEM, lines, source="test", now=now + number * hour)
        assert summary.unusable == {}
    stored = await readings(tables)
    assert [index for _, index in stored] == [1000 + 3 * number for number in range(8)]
    assert all(abs(moment - at(now) - 3600 * number) <= 1 for number, (moment, _) in enumerate(stored))


async def test_the_seconds_of_a_simulation_file_hold_beside_a_false_rise(
    application, key_encryption, now, izar, tables
) -> None:
    """A flipped bit announces 512 L more before the last line: the true lines keep the times they state."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    raw = untimed(izar, [1000, 1003, 1006, 1006 + 512, 1009])
    seconds = (0, 3600, 7200, 7300, 10800)
    lines = [f"telegram=|{text}|+{after}" for text, after in zip(raw, seconds, strict=True)]
    await take_in(application, SYSTEM, lines, source="test", now=now)
    end = at(now)
    expected = [(end - 10800, 1000), (end - 7200, 1003), (end - 3600, 1006), (end, 1009)]
    assert await readings(tables) == expected


async def test_an_untimed_line_yields_to_one_with_a_time(
    application, key_encryption, now, izar, tables
) -> None:
    """Both of one second: the time that a gateway gave remains, the other takes the next free second."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = [izar.line(5, now), izar.telegram(6).hex()]
    summary = await take_in(application, SYSTEM, lines, source="test", now=now)
    assert (summary.stored, summary.unusable) == (2, {})
    assert await readings(tables) == [(at(now), 5), (at(now) + 1, 6)]


async def test_a_stream_of_lines_of_unknown_number_keeps_their_order(
    application, key_encryption, now, izar, tables, small
) -> None:
    """Lines from an iterator, a batch at a time, run ahead of the reception by their number at most."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = iter(untimed(izar))
    assert (await take_in(small(5), SYSTEM, lines, source="test", now=now)).stored == 12
    stored = await readings(tables)
    assert [index for _, index in stored] == list(INDEXES)
    assert stored[-1][0] <= at(now) + 12


def test_the_span_counts_lines_without_a_time() -> None:
    """Blank lines, comments and lines with a time need no room; the largest +SECONDS is the length."""
    lines = ["", "# note", "T1;1;1;x", '{"time":"x"}', "1944", "telegram=|19|+7", "telegram=|19|+3", "b19"]
    assert Span.of(lines) == Span(4, 7)
    assert Span.of(lines).length == timedelta(seconds=7)
    assert Span.of([]).length == timedelta(0)
    assert datetime(2026, 1, 1, tzinfo=UTC) - Span(9, 4).length == datetime(
        2025, 12, 31, 23, 59, 51, tzinfo=UTC
    )

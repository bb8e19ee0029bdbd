"""The log of corrected days: whatever changes a day that could be seen is in it, and nothing else."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.access import SYSTEM
from core.consumption.corrections import CorrectionReason
from core.models import ConsumptionCorrection
from core.services.shared.transaction import current_database
from core.services.telegrams.corrections import accept_reading, list_doubtful_readings, withdraw_reading
from core.services.telegrams.pipeline import take_in
from tests.services.conftest import Izar
from tests.support import factories
from tests.support.attack import watched

START = datetime(2026, 11, 10, 23, tzinfo=UTC)
"""Midnight of the 11th in Paris."""

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture
async def meter(application, key_encryption, izar):
    await factories.residence(key_encryption, factories.meter(izar.address))
    return izar


@pytest.fixture
def take(application):
    async def taken(lines, *, now=NOW):
        return await take_in(application, SYSTEM, lines, source="test", now=now)

    return taken


async def shown() -> dict[int, int]:
    rows = await current_database().execute_query_dict("SELECT day, amount FROM daily_volume")
    return {row["day"]: row["amount"] for row in rows}


async def logged(after: int = 0) -> list[tuple[Any, ...]]:
    rows = await ConsumptionCorrection.filter(id__gt=after).order_by("id")
    return [(row.day, row.amount_before, row.amount_after, row.reason) for row in rows]


def every_six_hours(izar, days: int, *, step: int = 25, first: int = 0) -> list[str]:
    return [izar.line(1_000 + step * n, START + timedelta(hours=6 * n)) for n in range(first, 4 * days + 1)]


async def test_readings_in_order_write_no_log(meter, take) -> None:
    """A day in progress that grows, a gap that is filled as it ends: the series goes on, and nothing more."""
    lines = every_six_hours(meter, 6)
    for line in (*lines[:9], *lines[14:]):  # a day and a half is missing
        await take([line])
    assert sorted(await shown()) == [*range(20261111, 20261117)]
    assert await logged() == []


async def test_a_late_reading_explains_what_it_changed(meter, take) -> None:
    """In a gap of three days that were estimated alike, it says which one was used: sum and total agree."""
    first, last = meter.line(1_000, START), meter.line(1_300, START + timedelta(days=3))
    await take([first, last])
    before = await shown()
    assert before == {20261111: 100, 20261112: 100, 20261113: 100}
    await take([meter.line(1_250, START + timedelta(days=1))])
    assert await logged() == [
        (20261111, 100, 250, CorrectionReason.LATE_READING),
        (20261112, 100, 25, CorrectionReason.LATE_READING),
        (20261113, 100, 25, CorrectionReason.LATE_READING),
    ]
    assert (await ConsumptionCorrection.first()).corrected_at == NOW
    await take([meter.line(1_250, START + timedelta(days=1)), first, last])
    assert len(await logged()) == 3  # the same readings again change nothing


async def test_what_was_missing_before_the_first_reading(meter, take) -> None:
    """Days of which nothing was known, and later ones were: their first amount is a correction."""
    await take(every_six_hours(meter, 4, first=8))
    await take([meter.line(1_000, START)])
    assert await logged() == [
        (20261111, None, 100, CorrectionReason.LATE_READING),
        (20261112, None, 100, CorrectionReason.LATE_READING),
    ]


async def test_decisions_of_the_operator(application, meter, take) -> None:
    """A reading withdrawn, and accepted again: each with its own reason, and each undoes the other."""
    await take([*every_six_hours(meter, 2), meter.line(1_450, START + timedelta(days=3))])
    seen = await shown()
    assert seen == {20261111: 100, 20261112: 100, 20261113: 250}
    await withdraw_reading(application, SYSTEM, meter.address, START + timedelta(days=3), now=NOW)
    assert await logged() == [(20261113, 250, None, CorrectionReason.WITHDRAWN_READING)]
    last_id = await _last_id()
    (doubtful,) = (await list_doubtful_readings(SYSTEM)).items
    await accept_reading(application, SYSTEM, doubtful.id, now=NOW)
    assert await shown() == seen
    assert await logged(last_id) == [(20261113, None, 250, CorrectionReason.ACCEPTED_READING)]


async def test_a_reading_that_later_ones_contradict(meter, take) -> None:
    """It counted and was seen; those that follow show that it was false: DOUBTFUL_READING."""
    lines = every_six_hours(meter, 5)
    await take([*lines[:7], meter.line(1_900, START + timedelta(hours=47)), lines[8]])
    seen = await shown()
    await take(lines[9:])
    assert await shown() == dict.fromkeys(range(20261111, 20261116), 100)
    assert [(day, before, after) for day, before, after, _ in await logged()] == [
        (day, seen[day], 100) for day in sorted(seen) if seen[day] != 100
    ]
    assert {reason for *_, reason in await logged()} <= {CorrectionReason.DOUBTFUL_READING}


async def test_a_meters_days_in_service_were_entered_wrong(key_encryption, meter, take) -> None:
    """Its days after the removal are gone, and the log says that the meter was replaced."""
    await take(every_six_hours(meter, 4))
    spec = factories.meter(meter.address, removed_at=START + timedelta(days=2))
    await factories.residence(key_encryption, spec)
    assert sorted(await shown()) == [20261111, 20261112]
    assert await logged() == [
        (20261113, 100, None, CorrectionReason.METER_REPLACED),
        (20261114, 100, None, CorrectionReason.METER_REPLACED),
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_gives_the_same_days_and_a_log_that_explains_the_difference(
    meter, take, forget, seed: int
) -> None:
    """However readings are split, doubled and disordered: the days are the same; and after each delivery
    what was shown before, what the log says, and what the series has grown by at its end are what is shown.
    """
    chance = random.Random(seed)
    indexes = [1_000]
    for _ in range(39):
        indexes.append(indexes[-1] + chance.randrange(60))
    moments = sorted(chance.sample(range(1, 10 * 24), 40))
    readings = [(START + timedelta(hours=at), index) for at, index in zip(moments, indexes, strict=True)]
    order = readings + chance.sample(readings, 8)
    chance.shuffle(order)
    newest = START - timedelta(days=1)
    changed_by_log: dict[int, int] = defaultdict(int)
    grown: dict[int, int] = defaultdict(int)
    while order:
        size = chance.randrange(1, 6)
        part, order = order[:size], order[size:]
        before, last_id = await shown(), (await _last_id())
        await take([meter.line(index, at) for at, index in part])
        after = await shown()
        log = await logged(last_id)
        for day, amount_before, amount_after, reason in log:
            assert reason in {CorrectionReason.LATE_READING, CorrectionReason.DOUBTFUL_READING}
            assert (amount_before, amount_after) == (before.get(day), after.get(day))
            changed_by_log[day] += (amount_after or 0) - (amount_before or 0)
        explained = {day for day, *_ in log}
        last_day = int(f"{newest + timedelta(hours=1):%Y%m%d}")  # in Paris, in winter
        for day in before.keys() | after.keys():
            if day not in explained and before.get(day) != after.get(day):
                assert day >= last_day  # the series has gone on
                assert max(at for at, _ in part) > newest
                grown[day] += (after.get(day) or 0) - (before.get(day) or 0)
        newest = max(newest, *(at for at, _ in part))
    final = await shown()
    assert final == {
        day: changed_by_log[day] + grown[day] for day in changed_by_log.keys() | grown.keys() | final.keys()
    }
    await forget()
    await ConsumptionCorrection.all().delete()
    await take([meter.line(index, at) for at, index in readings])
    assert await shown() == final
    assert sum(final.values()) == indexes[-1] - indexes[0]
    assert await logged() == []


async def _last_id() -> int:
    row = await ConsumptionCorrection.all().order_by("-id").first()
    return row.id if row else 0


async def test_the_statements_of_a_batch_do_not_grow_with_its_late_meters(
    application, key_encryption, take, monkeypatch
) -> None:
    """One read and one write for all meters with late readings; none where all are in order."""
    meters = [Izar(f"H18CA0296{number:02d}") for number in range(20, 32)]
    await factories.residence(
        key_encryption, *(factories.meter(one.address, printed_serial=one.serial) for one in meters)
    )
    day = timedelta(days=1)
    await take(
        [line for one in meters for line in (one.line(1_000, START), one.line(1_300, START + 3 * day))]
    )
    counts = {}
    for some in (meters[:2], meters[2:]):
        with watched(monkeypatch) as work:
            await take([one.line(1_250, START + day) for one in some])
        counts[len(some)] = len(work.statements)
        late = await ConsumptionCorrection.filter(reason=CorrectionReason.LATE_READING).count()
        assert late == 3 * sum(counts)
    assert len(set(counts.values())) == 1, counts
    with watched(monkeypatch) as work:
        await take([one.line(1_310, START + 3 * day + timedelta(hours=1)) for one in meters])
    assert not any("consumption_correction" in str(one) for one in work.statements)
    assert await ConsumptionCorrection.all().count() == 3 * len(meters)

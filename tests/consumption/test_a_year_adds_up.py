"""A year's days add up to its weeks, its months, itself, and what the registers have counted.

Whatever happens in it: a replaced meter, a register that starts again at 0, both changes of the clock, gaps,
readings that are damaged, withdrawn, doubled and received in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from core.consumption import DayTotal, Quality, Register, clean, daily_volumes, day_of, day_start
from core.consumption.comparison import days_of
from core.consumption.plausibility import Evidence, Observation, judge
from core.consumption.register import IndexReading
from core.consumption.resolutions import BillingStart, DaySpan, Resolution, span_of, summed
from core.consumption.totals import MeterDays, total_by_day

HOUR_S = 3600
REGISTER = Register(capacity=100_000, highest_per_hour=5_000)
YEAR = DaySpan(date(2026, 1, 1), date(2026, 12, 31))
ZONES = ("Europe/Paris", "Europe/Lisbon", "America/Havana", "Atlantic/Azores", "Pacific/Auckland")


@dataclass(frozen=True)
class Life:
    """One meter: what it counted between its first and last reading that count, and its days."""

    counted: int
    days: MeterDays


def life(chance: Random, zone: ZoneInfo, first_s: int, last_s: int) -> Life:
    """A meter that is read every 1 to 30 hours, of which some readings are damaged and some withdrawn."""
    index, at_s = chance.randrange(100_000), first_s + chance.randrange(HOUR_S)
    readings = []
    while at_s <= last_s:
        readings.append((at_s, index))
        at_s += chance.choice((1, 6, 12, 24, 30)) * HOUR_S + chance.randrange(HOUR_S)
        index += chance.choice((0, 0, 40, 300, 900))
    damaged = range(chance.randrange(6, 12), len(readings) - 6, chance.randrange(9, 40))
    sent = [(at_s, index % 100_000) for at_s, index in readings]
    for place in damaged:
        at_s = sent[place][0] + 60 * chance.randrange(1, 30)
        sent.append((at_s, (sent[place][1] + 50_000) % 100_000))
    withdrawn = set(chance.sample(range(1, len(readings) - 1), len(readings) // 10))
    gone = {(readings[place][0], readings[place][1] % 100_000) for place in withdrawn}
    received = [one for one in (*sent, *chance.sample(sent, len(sent) // 5)) if one not in gone]
    chance.shuffle(received)
    ordered = sorted(set(received))
    doubts = judge([Observation(*one, Evidence.LINK_CHECKSUM) for one in ordered], REGISTER)
    counting = [IndexReading(*one) for one, doubt in zip(ordered, doubts, strict=True) if doubt is None]
    chance.shuffle(counting)
    (series,) = clean(counting, REGISTER)
    days = MeterDays(
        day_of(readings[0][0], zone), day_of(readings[-1][0], zone), daily_volumes([series], zone=zone)
    )
    return Life(readings[-1][1] - readings[0][1], days)


def spans_of(resolution: Resolution, billing: BillingStart) -> list[DaySpan]:
    """The whole units that touch the year."""
    return sorted({span_of(day, resolution, billing) for day in days_of(YEAR)}, key=lambda span: span.first)


def added(spans: Sequence[DaySpan], known: dict[date, DayTotal]) -> int:
    return sum(found[0] for span in spans if (found := summed(span, known)))


@settings(max_examples=25)
@given(
    st.integers(0, 2**32),
    st.sampled_from(ZONES),
    st.one_of(st.none(), st.integers(30, 330)),
    st.sampled_from([BillingStart(), BillingStart(7, 1), BillingStart(3, 15)]),
)
def test_a_year_adds_up(seed: int, time_zone: str, replaced_on: int | None, billing: BillingStart) -> None:
    """Days, weeks, months, the year and billing periods have one sum: that of the registers."""
    chance, zone = Random(seed), ZoneInfo(time_zone)
    first_s = day_start(YEAR.first, zone)
    last_s = day_start(YEAR.last + timedelta(days=1), zone) - 1
    if replaced_on is None:
        lives = [life(chance, zone, first_s, last_s)]
    else:
        swap_s = day_start(YEAR.first + timedelta(days=replaced_on), zone) + chance.randrange(86_400)
        lives = [life(chance, zone, first_s, swap_s), life(chance, zone, swap_s + 600, last_s)]
    known = {total.day: total for total in total_by_day(one.days for one in lives)}
    counted = sum(one.counted for one in lives)
    assert sum(total.amount for total in known.values()) == counted
    for resolution in Resolution:
        if resolution is not Resolution.HOURLY:
            assert added(spans_of(resolution, billing), known) == counted, resolution
    months = [span for span in spans_of(Resolution.MONTHLY, billing) if summed(span, known)]
    for month in months:
        whole = all(day in known and known[day].quality is not Quality.PARTIAL for day in days_of(month))
        found = summed(month, known)
        assert found is not None
        assert (found[1] is not Quality.PARTIAL) == whole


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.sampled_from(ZONES))
def test_a_day_of_23_or_25_hours_is_one_day(seed: int, time_zone: str) -> None:
    """A meter that counts a litre a minute: every whole day has as many litres as minutes."""
    zone, chance = ZoneInfo(time_zone), Random(seed)
    first_s = day_start(YEAR.first, zone)
    last_s = day_start(YEAR.last + timedelta(days=1), zone)
    moments = sorted({first_s, last_s, *(first_s + 3_600 * chance.randrange(365 * 24) for _ in range(2_000))})
    readings = [IndexReading(at_s, (at_s - first_s) // 60) for at_s in moments]
    days = daily_volumes(clean(readings, Register(capacity=10**8)), zone=zone)
    lengths = {}
    for day in days:
        minutes = (day_start(day.day + timedelta(days=1), zone) - day_start(day.day, zone)) // 60
        assert day.amount == minutes
        lengths[minutes // 60] = lengths.get(minutes // 60, 0) + 1
    assert set(lengths) == {23, 24, 25}
    assert (lengths[23], lengths[25]) == (1, 1)

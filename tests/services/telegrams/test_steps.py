"""Steps, computed for many meters at once, are what `Course` finds for each."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.consumption.fluids import Fluid
from core.consumption.plausibility import Evidence
from core.services.places.meter_directory import MeterEntry
from core.services.places.meter_states import LONG_AGO_S, MeterState, MeterStates
from core.services.telegrams.courses import Course, Plain, civil_day_at
from core.services.telegrams.readings import QUANTITY_OF
from core.services.telegrams.steps import steps_of

HOUR_S = 3600
CHANGES = (  # around these moments: a month's end, and both changes of the clock in Paris and New York
    int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()),
    int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp()),
    int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()),
    int(datetime(2026, 11, 1, 6, tzinfo=UTC).timestamp()),
)
ZONES = [ZoneInfo(name) for name in ("Europe/Paris", "America/New_York", "Asia/Kathmandu")]


def case(chance, number, around_s):
    """A meter's report, and its state before, around a moment."""

    def pick(*values):
        return chance.choice(values)

    def back():
        return last_s - chance.randint(0, 60) * HOUR_S

    meter = MeterEntry(
        id=number * 7 + 3,
        dwelling_id=number // 2,
        fluid=pick(Fluid.COLD_WATER, Fluid.HEAT),
        printed_serial="",
        radio_address=f"ITW-{number}",
        register_step=pick(1, 10),
        register_capacity=pick(None, 10_000, 100_000_000),
        nominal_flow_m3_per_h=pick(None, Decimal("2.5")),
        installed_at=datetime.fromtimestamp(pick(0, min(CHANGES)), UTC),
        removed_at=pick(None, datetime.fromtimestamp(max(CHANGES), UTC)),
        zone=pick(*ZONES),
        operator_code=pick("A", "B"),
        water_price_eur_per_m3=None,
        keys=(),
        aliases=pick((), (), (), ("ITW-ALIAS",)),
    )
    last_s = around_s + chance.randint(-40, 40) * pick(1, 600, HOUR_S)
    day_start_s = civil_day_at(meter.zone, last_s).start_s
    index = chance.randint(0, 9_990)
    state = MeterState(
        meter_id=meter.id,
        last_at=last_s,
        last_index=index,
        last_digest=5,
        fast_at=pick(LONG_AGO_S, back()),
        level_since=back(),
        quiet_at=pick(LONG_AGO_S, back()),
        day_from=pick(day_start_s, last_s),
        day_index=index - chance.randint(0, 50),
        last_evidence=2,
        plain_steps=pick(0, 2, 3, 3),
        flags=pick(0, 0, 0, 1, 2, 4, 8, 16, 32, 34),
    )
    seconds = pick(
        -5, 0, 30, 61, HOUR_S, day_start_s + 24 * HOUR_S - last_s, 20 * HOUR_S, 36 * HOUR_S, 50 * HOUR_S
    )
    seconds += chance.randint(-2, 2)
    at_s = last_s + seconds
    units = pick(0, 0, 1, 2, 20, 300, 320, 400, 9_000, -3, -9_000) + index
    quantity = QUANTITY_OF[(meter.fluid if chance.randint(0, 19) else Fluid.HEAT_ALLOCATOR).unit]
    line = SimpleNamespace(sightings=pick(1, 1, 1, 0), dated=None)
    return (
        SimpleNamespace(
            received=SimpleNamespace(
                line=line,
                timed=bool(chance.randint(0, 19)),
                moment=datetime.fromtimestamp(at_s, UTC),
                at_s=at_s,
                telegram_digest=chance.randint(-(2**63), 2**63 - 1),
            ),
            meter=meter,
            index=SimpleNamespace(value=units, fluid_quantity=quantity),
            status_bits=pick(0, 0, 0, 2),
            evidence=pick(Evidence.LINK_CHECKSUM, Evidence.MAC),
            message_counter=None,
        ),
        state,
    )


def is_plain(state, meter):
    return not meter.aliases and (state.plain_steps >= 3 or state.flags & 32) and not state.flags & 5


def collected(plain):
    """What was found, without an order."""
    rows = [tuple(row) for table in plain.row_tables for row in table.tolist()]
    days = [(*row, chr(code)) for table in plain.day_tables for *row, code in table.tolist()]
    states = [*plain.states.values(), *(MeterState(*row) for some in plain.quiet for row in some.tolist())]
    return {
        "rows": sorted([*plain.rows, *rows]),
        "days": sorted([*plain.days, *days]),
        "states": sorted(states),
        "unquiet": plain.unquiet,
        "whole_days": plain.whole_days,
        "conditions": sorted((meter.id, row) for meter, row in plain.conditions),
        "stored": sorted(one.meter.id for one in plain.stored),
    }


@pytest.mark.parametrize("seed", range(100))
def test_what_many_meters_report_is_found_as_for_each_of_them(seed) -> None:
    """Readings, days, states and what is looked at of one later reading a meter are those of `Course`;
    what steps leave out, `Course` gives up too, or is no step into the same day or the next.
    """
    chance = random.Random(seed)
    around_s = chance.choice(CHANGES)
    found = [case(chance, place, around_s) for place in range(chance.choice([1, 5, 40]))]
    latest_s, now_s = max(CHANGES) + 30 * 24 * HOUR_S, max(CHANGES)
    states = MeterStates(np.array([state for _, state in found], dtype=np.int64))
    together, alone = Plain(), Plain()
    taken = set()
    for some in steps_of([report for report, _ in found], states, latest_s=latest_s, now_s=now_s):
        some.add_to(together, 4.5, compared=())
        taken.update(some.meter_ids)
    for report, state in found:
        course = Course(report.meter, state, [report], latest_s, now_s)
        if not course.is_over:
            has_neighbours = bool(course.windows())
            course.go()
        if course.is_over or not is_plain(state, report.meter):
            assert report.meter.id not in taken
        elif report.meter.id in taken:
            assert not has_neighbours
            course.add_to(alone, 4.5)
        else:
            last_day = civil_day_at(report.meter.zone, state.day_from).end_s
            next_end_s = civil_day_at(report.meter.zone, last_day).end_s
            assert has_neighbours or course.duplicates or course.new[0].at_s >= next_end_s
    assert collected(together) == collected(alone)
    assert together.touched_in({0, 1}).items() <= alone.touched_in({0, 1}).items()


def test_the_days_of_limited_dwellings_are_noted() -> None:
    """Of every meter taken in a dwelling with a limit the touched days are known, as `Course` notes them."""
    chance, around_s = random.Random(3), CHANGES[1]
    found = [case(chance, place, around_s) for place in range(200)]
    dwellings = set(range(40))
    states = MeterStates(np.array([state for _, state in found], dtype=np.int64))
    for some in steps_of([report for report, _ in found], states, latest_s=1 << 40, now_s=0):
        together, alone = Plain(), Plain()
        some.add_to(together, 4.5, dwellings)
        for report in some.reports:
            course = Course(report.meter, states[report.meter.id], [report], 1 << 40, 0)
            course.go()
            course.add_to(alone, 4.5)
        assert together.touched_in(dwellings) == alone.touched_in(dwellings)


def test_a_reading_of_long_ago_is_left_to_each_meter() -> None:
    """In a batch that holds readings of half a year, those far before the newest are no steps."""
    chance = random.Random(4)
    found = [case(chance, place, CHANGES[place % 2 * 2]) for place in range(100)]
    states = MeterStates(np.array([state for _, state in found], dtype=np.int64))
    for some in steps_of([report for report, _ in found], states, latest_s=1 << 40, now_s=0):
        taken = {int(report.received.moment.timestamp()) for report in some.reports}
        assert not taken or max(taken) - min(taken) < 70 * 24 * HOUR_S

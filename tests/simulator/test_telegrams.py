"""The lines of the demo: their number, their order, and that they are reproducible."""

import hashlib
import json
import re
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from submeter.simulator.plan import DemoPlan, Fluid, Scenario, demo_plan
from submeter.simulator.registers import Register, habit_of, swap_s
from submeter.simulator.telegrams import DemoLine, count_history_lines, fresh_lines, history_lines

PARIS = ZoneInfo("Europe/Paris")
ANCHOR = datetime(2026, 11, 22, 9, tzinfo=UTC)
RTL = re.compile(r"(T1|C1);1;1;(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.000;\d+;\d+;([0-9A-F]{8});0x([0-9a-f]+)")
DIGEST = """
import hashlib, datetime
from submeter.simulator.plan import demo_plan
from submeter.simulator.telegrams import history_lines
plan = demo_plan(datetime.datetime(2026, 11, 22, 9, tzinfo=datetime.UTC), history_days=1, hourly_days=0)
print(hashlib.sha256("\\n".join(line.text for line in history_lines(plan)).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def plan() -> DemoPlan:
    """A short history: twelve days, the last of them hourly."""
    return demo_plan(ANCHOR, history_days=12, hourly_days=1)


@pytest.fixture(scope="module")
def lines(plan: DemoPlan) -> list[DemoLine]:
    return list(history_lines(plan))


def _raw(line: DemoLine) -> bytes:
    found = RTL.fullmatch(line.text)
    return bytes.fromhex(found[4] if found else json.loads(line.text)["telegram"])


def _by_meter(lines: list[DemoLine]) -> dict[str, list[DemoLine]]:
    groups = defaultdict(list)
    for line in lines:
        groups[line.meter_address].append(line)
    return groups


def test_the_same_anchor_gives_the_same_bytes(plan: DemoPlan, lines: list[DemoLine]):
    """A second run repeats the first, line by line."""
    assert list(history_lines(plan)) == lines


def test_another_process_gives_the_same_bytes():
    """Nothing depends on the order of a set or the seed of a hash."""
    short = demo_plan(ANCHOR, history_days=1, hourly_days=0)
    here = hashlib.sha256("\n".join(line.text for line in history_lines(short)).encode()).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", DIGEST],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONHASHSEED": "7"},
    )
    assert there.stdout.strip() == here


def test_the_number_of_lines_is_known_beforehand(plan: DemoPlan, lines: list[DemoLine]):
    """A progress bar ends where the lines end."""
    assert count_history_lines(plan) == len(lines)


def test_the_whole_history_has_some_fifty_thousand_lines():
    """Fourteen months of daily and ten days of hourly telegrams of every meter."""
    assert 48_000 < count_history_lines(demo_plan(ANCHOR)) < 54_000


def test_lines_come_in_time_order_and_end_at_the_anchor(lines: list[DemoLine]):
    """No line is older than the one before, none younger than the anchor."""
    moments = [line.sent_at for line in lines]
    assert moments == sorted(moments)
    assert ANCHOR - timedelta(hours=1) < moments[-1] <= ANCHOR


def test_telegrams_are_daily_and_then_hourly(plan: DemoPlan, lines: list[DemoLine]):
    """A day's telegram comes between 00:05 and 00:25 local time, an hour's within its first three minutes."""
    for line in lines:
        local = line.sent_at.astimezone(PARIS)
        if line.sent_at < plan.hourly_start:
            assert (local.hour, 5 <= local.minute <= 25) == (0, True)
        else:
            assert local.minute <= 3
    hourly = [line for line in lines if line.sent_at >= plan.hourly_start]
    assert len(hourly) == 24 * len(_by_meter(lines))


def test_ocea_lines_are_rtl_wmbus_and_ista_lines_json(lines: list[DemoLine]):
    """Each gateway's shape, with the moment of reception in it and a length field that fits."""
    for line in lines:
        if line.meter_address.startswith(("SAP", "KAM")):
            found = RTL.fullmatch(line.text)
            assert found
            assert found[1] == ("C1" if line.meter_address.startswith("KAM") else "T1")
            assert found[3] == line.meter_address.split("-")[1]
            received = datetime.fromisoformat(found[2]).replace(tzinfo=UTC)
        else:
            received_lines = json.loads(line.text)
            assert set(received_lines) == {"telegram", "received_at", "rssi_dbm"}
            assert -100 < received_lines["rssi_dbm"] < -40
            received = datetime.fromisoformat(received_lines["received_at"])
        assert received == line.sent_at
        assert _raw(line)[0] == len(_raw(line)) - 1


def test_the_index_is_the_register_floored_to_its_step(plan: DemoPlan, lines: list[DemoLine]):
    """The value that a line carries is the register's at that second."""
    groups = _by_meter(lines)
    first = plan.history_start.astimezone(PARIS).date()
    for residence in plan.residences:
        dwelling = residence.dwellings[3]
        for meter in dwelling.meters:
            register = Register(
                meter,
                habit_of(residence, dwelling, meter),
                first=first,
                end=ANCHOR.date() + timedelta(days=1),
                zone=PARIS,
            )
            for line in groups[meter.address]:
                true = register.index_at(int(line.sent_at.timestamp()))
                assert true - meter.register_step < line.index <= true
                assert line.index % meter.register_step == 0


def test_no_meter_sends_the_same_telegram_twice(lines: list[DemoLine]):
    """Access numbers and counters make every encrypted telegram different."""
    for address, own in _by_meter(lines).items():
        if not address.startswith("SAP"):
            assert len({_raw(line) for line in own}) == len(own)


def test_counters_rise_across_the_anchor(plan: DemoPlan, lines: list[DemoLine]):
    """Message counters (ista) and session numbers (Kamstrup) rise from each telegram to the next."""
    fields = {"IST": slice(18, 22), "KAM": slice(13, 17)}
    for address, own in _by_meter([*lines, *fresh_lines(plan)]).items():
        if address[:3] in fields:
            counters = [int.from_bytes(_raw(line)[fields[address[:3]]], "little") for line in own]
            assert all(before < after for before, after in pairwise(counters))


def test_every_eighth_kamstrup_frame_is_full(lines: list[DemoLine]):
    """The other seven are compact and much shorter."""
    for address, own in _by_meter(lines).items():
        if address.startswith("KAM"):
            lengths = [len(_raw(line)) for line in own]
            assert lengths == [87 if place % 8 == 0 else 64 for place in range(len(own))]


def test_fresh_lines_continue_after_the_anchor(plan: DemoPlan, lines: list[DemoLine]):
    """Three hours more of every meter in service, and no index falls."""
    fresh = list(fresh_lines(plan, hours=3))
    assert all(ANCHOR < line.sent_at < ANCHOR + timedelta(hours=3) for line in fresh)
    in_service = [
        meter.address
        for residence in plan.residences
        for dwelling in residence.dwellings
        for meter in dwelling.meters
        if meter.removed_on is None
    ]
    assert len(fresh) == 3 * len(in_service)
    for own in _by_meter([*lines, *fresh]).values():
        indices = [line.index for line in own]
        assert indices == sorted(indices)
    with pytest.raises(ValueError, match="limited to a day"):
        fresh_lines(plan, hours=25)


def test_a_week_without_data_has_no_lines_and_a_swap_has_both_meters():
    """One dwelling sends nothing for seven days; old and new meter are read a minute from the swap."""
    longer = demo_plan(ANCHOR, history_days=160, hourly_days=0)
    kept = tuple(
        dwelling
        for residence in longer.residences
        for dwelling in residence.dwellings
        if dwelling.scenarios & {Scenario.WEEK_WITHOUT_DATA, Scenario.METER_REPLACED}
    )
    groups = _by_meter(list(history_lines(longer)))
    (interrupted,) = (dwelling for dwelling in kept if dwelling.no_data)
    for meter in interrupted.meters:
        days = {line.sent_at.astimezone(PARIS).date() for line in groups[meter.address]}
        assert not any(interrupted.no_data.first <= day < interrupted.no_data.end for day in days)
        assert interrupted.no_data.end in days
        assert len(days) == 161 - 7
    (replaced,) = (dwelling for dwelling in kept if not dwelling.no_data)
    old, new = (meter for meter in replaced.meters if meter.fluid is Fluid.COLD_WATER)
    last, first = groups[old.address][-1], groups[new.address][0]
    swap = datetime.fromtimestamp(swap_s(new.installed_on, PARIS), UTC)
    assert (last.sent_at, first.sent_at) == (swap - timedelta(minutes=1), swap + timedelta(minutes=1))
    assert last.index > 100_000
    assert first.index <= 1

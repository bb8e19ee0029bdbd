"""The plan: each dwelling shows its scenario, whatever the anchor."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from submeter.simulator.habits import HOUR_S, day_start_s
from submeter.simulator.plan import (
    DemoDwelling,
    DemoMeter,
    DemoPlan,
    DemoResidence,
    Fluid,
    Scenario,
    Vendor,
    demo_plan,
)
from submeter.simulator.prios import wire_address
from submeter.simulator.registers import Register, habit_of
from tests.support.demo import QUIET_HOURS

PARIS = ZoneInfo("Europe/Paris")
LEAKS = (Scenario.LEAK_LEVEL_1, Scenario.LEAK_LEVEL_2, Scenario.LEAK_LEVEL_3, Scenario.LEAK_ENDED)


def _homes(plan: DemoPlan) -> Iterator[tuple[DemoResidence, DemoDwelling]]:
    return ((residence, dwelling) for residence in plan.residences for dwelling in residence.dwellings)


def _meters(plan: DemoPlan) -> list[DemoMeter]:
    return [meter for _, dwelling in _homes(plan) for meter in dwelling.meters]


def _showing(plan: DemoPlan, scenario: Scenario) -> tuple[DemoResidence, DemoDwelling]:
    (home,) = (
        (residence, dwelling) for residence, dwelling in _homes(plan) if scenario in dwelling.scenarios
    )
    return home


def _cold(dwelling: DemoDwelling) -> DemoMeter:
    return next(meter for meter in dwelling.meters if meter.fluid is Fluid.COLD_WATER)


def _register(home: tuple[DemoResidence, DemoDwelling], first: date, end: date) -> Register:
    meter = _cold(home[1])
    return Register(meter, habit_of(*home, meter), first=first, end=end, zone=PARIS)


def _today(anchor: datetime) -> date:
    return anchor.astimezone(PARIS).date()


def _daily_minimum(home: tuple[DemoResidence, DemoDwelling], today: date, days_ago: int) -> int:
    """The least hourly climb of one complete day."""
    day = today - timedelta(days=days_ago)
    register = _register(home, day, today)
    start, end = day_start_s(day, PARIS), day_start_s(day + timedelta(days=1), PARIS)
    return min(
        register.index_at(hour + HOUR_S) - register.index_at(hour) for hour in range(start, end, HOUR_S)
    )


@pytest.mark.parametrize(
    "wrong",
    [
        datetime(2026, 11, 22, 9),
        datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        datetime(2026, 11, 22, 9, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_an_anchor_is_a_full_hour_in_utc(wrong: datetime):
    """Anything else is refused, so that an anchor has one meaning."""
    with pytest.raises(ValueError, match="full hour in UTC"):
        demo_plan(wrong)


def test_both_operators_have_a_dozen_dwellings_with_three_fluids(anchor: datetime):
    """OCEA and ista each show at least twelve dwellings with cold water, hot water and heat."""
    plan = demo_plan(anchor)
    assert [(residence.operator, residence.site_code) for residence in plan.residences] == [
        ("ocea", "AA000"),
        ("ista", "50001369"),
    ]
    assert all(len(residence.dwellings) >= 12 for residence in plan.residences)
    for _, dwelling in _homes(plan):
        in_service = [meter.fluid for meter in dwelling.meters if meter.removed_on is None]
        assert sorted(in_service) == sorted(Fluid)


def test_every_identifier_is_its_own(anchor: datetime):
    """No two meters share an address, a printed serial or a key; no two residents a mailbox or a number."""
    plan = demo_plan(anchor)
    meters = _meters(plan)
    residents = [resident for _, dwelling in _homes(plan) for resident in dwelling.residents]
    for values in (
        [meter.address for meter in meters],
        [meter.printed_serial for meter in meters],
        [meter.key for meter in meters if meter.key],
        [resident.email for resident in residents],
        [resident.phone for resident in residents if resident.phone],
        [dwelling.manager_reference for _, dwelling in _homes(plan)],
        [dwelling.code for _, dwelling in _homes(plan) if dwelling.code],
    ):
        assert len(values) == len(set(values))


def test_an_address_says_what_is_on_air():
    """The text address is manufacturer, identification, version and medium of the eight wire bytes."""
    for meter in _meters(demo_plan(datetime(2026, 11, 22, 9, tzinfo=UTC))):
        wire = meter.wire_address
        code = int.from_bytes(wire[:2], "little")
        letters = "".join(chr((code >> shift & 31) + 64) for shift in (10, 5, 0))
        assert meter.address == f"{letters}-{wire[5:1:-1].hex().upper()}-{wire[6]:02X}-{wire[7]:02X}"
        if meter.vendor is Vendor.OCEA:
            assert wire == wire_address(meter.printed_serial)
            assert meter.key is None
        else:
            assert len(meter.key or b"") == 16
            assert re.fullmatch(r"\d{9}" if meter.vendor is Vendor.ISTA else r"\d{8}", meter.printed_serial)


def test_the_sample_codes_of_both_guides_are_there():
    """H8CA029620 leaks at level 1; 542361524 sits in 01030001, the manager's 5151 0008."""
    plan = demo_plan(datetime(2026, 11, 22, 9, tzinfo=UTC))
    _, leaking = _showing(plan, Scenario.LEAK_LEVEL_1)
    assert _cold(leaking).printed_serial == "H8CA029620"
    assert _cold(leaking).address == "SAP-207A85B4-0C-04"
    (sample,) = (home for _, home in _homes(plan) if home.code == "01030001")
    assert sample.manager_reference == "5151 0008"
    assert "542361524" in {meter.printed_serial for meter in sample.meters}


def test_people_are_invented_and_cannot_be_reached():
    """Mailboxes are at example.org, phones in the range kept for fiction; every scenario has a resident."""
    for _, dwelling in _homes(demo_plan(datetime(2026, 11, 22, 9, tzinfo=UTC))):
        for resident in dwelling.residents:
            assert re.fullmatch(r"[a-z.-]+@example\.org", resident.email)
            assert resident.phone is None or re.fullmatch(r"\+3363998\d{4}", resident.phone)
            assert resident.language in {"fr", "en"}
        assert dwelling.residents or not dwelling.scenarios


@pytest.mark.parametrize(
    ("scenario", "litres", "leaking", "dry"),
    [
        (Scenario.LEAK_LEVEL_1, 6, range(1, 6), range(6, 10)),
        (Scenario.LEAK_LEVEL_2, 10, range(1, 5), range(5, 10)),
        (Scenario.LEAK_LEVEL_3, 16, range(1, 4), range(4, 10)),
        (Scenario.LEAK_ENDED, 9, range(6, 8), range(1, 6)),
    ],
)
def test_a_leaks_nights_show_its_flow_and_no_other_night_does(anchor, scenario, litres, leaking, dry):
    """Each complete day of a leak has its flow as the least hour; a day with a dry hour is no leak."""
    home, today = _showing(demo_plan(anchor), scenario), _today(anchor)
    assert {_daily_minimum(home, today, days_ago) for days_ago in leaking} == {litres}
    assert {_daily_minimum(home, today, days_ago) for days_ago in dry} == {0}


def test_a_home_without_a_leak_has_a_dry_hour_every_day(anchor: datetime):
    """No other scenario raises a false leak, the hose of the over-consumption included."""
    for home in _homes(demo_plan(anchor)):
        if not home[1].scenarios & set(LEAKS):
            assert _cold(home[1]).extra_flows == () or not _cold(home[1]).extra_flows[0].is_leak
            assert all(
                hour not in QUIET_HOURS for flow in _cold(home[1]).extra_flows for hour in flow.local_hours
            )


def test_a_month_has_more_than_twice_the_water_of_a_year_ago(anchor: datetime):
    """The present month so far, or the last one in a month's first days, is above twice last year's month."""
    plan, today = demo_plan(anchor), _today(anchor)
    first, end = today.replace(day=1), today
    if today.day <= 3:
        first, end = (first - timedelta(days=1)).replace(day=1), first
    last_year = first.replace(year=first.year - 1)
    next_month = (last_year + timedelta(days=31)).replace(day=1)
    assert plan.history_start.astimezone(PARIS).date() <= last_year
    register = _register(_showing(plan, Scenario.OVER_CONSUMPTION), last_year, today)
    now, before = (
        register.index_at(day_start_s(until, PARIS)) - register.index_at(day_start_s(since, PARIS))
        for since, until in ((first, end), (last_year, next_month))
    )
    assert before > 0
    assert now > 2.5 * before


def test_the_new_meter_follows_the_old_on_the_same_day(anchor: datetime):
    """Two cold-water meters with different serials meet on one day, about five months ago."""
    _, dwelling = _showing(demo_plan(anchor), Scenario.METER_REPLACED)
    old, new = (meter for meter in dwelling.meters if meter.fluid is Fluid.COLD_WATER)
    assert old.removed_on == new.installed_on == _today(anchor) - timedelta(days=150)
    assert old.printed_serial != new.printed_serial
    assert new.removed_on is None


def test_the_new_resident_follows_another_in_the_middle_of_the_history(anchor: datetime):
    """The predecessor's months end where the resident's begin, well inside the history."""
    plan = demo_plan(anchor)
    _, dwelling = _showing(plan, Scenario.NEW_RESIDENT)
    before, after = dwelling.residents
    history_first = plan.history_start.astimezone(PARIS).date()
    assert before.move_in < history_first < after.move_in == before.move_out < _today(anchor)
    assert after.move_out is None


def test_the_week_without_data_is_about_forty_days_back(anchor: datetime):
    """Seven days, for one dwelling only."""
    plan = demo_plan(anchor)
    _, dwelling = _showing(plan, Scenario.WEEK_WITHOUT_DATA)
    assert dwelling.no_data is not None
    assert dwelling.no_data.end - dwelling.no_data.first == timedelta(days=7)
    assert 30 < (_today(anchor) - dwelling.no_data.first).days < 50
    assert sum(home.no_data is not None for _, home in _homes(plan)) == 1


def test_a_key_shows_in_no_representation():
    """Printing a plan does not print keys."""
    plan = demo_plan(datetime(2026, 11, 22, 9, tzinfo=UTC))
    assert not any(meter.key and repr(meter.key) in repr(plan) for meter in _meters(plan))

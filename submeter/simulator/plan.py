"""The content of the demo: two residences, their dwellings, meters and residents.

In: the anchor, the full hour at which the demo's history ends. Out: a `DemoPlan`. The one rule: everything is
derived from the anchor, so two runs with one anchor give the same bytes.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from submeter.simulator import cast
from submeter.simulator.fleet import ista, itron, kamstrup, sappel
from submeter.simulator.habits import WaterHabit, clock_hours, cold_water
from submeter.simulator.values import (
    DayRange,
    DemoDwelling,
    DemoMeter,
    DemoPlan,
    DemoResidence,
    DemoResident,
    ExtraFlow,
    Fluid,
    GatewayFormat,
    Layout,
    Scenario,
    Vendor,
)

__all__ = [
    "DEFAULT_HISTORY_DAYS",
    "DEFAULT_HOURLY_DAYS",
    "DayRange",
    "DemoDwelling",
    "DemoMeter",
    "DemoPlan",
    "DemoResidence",
    "DemoResident",
    "ExtraFlow",
    "Fluid",
    "GatewayFormat",
    "Layout",
    "Scenario",
    "Vendor",
    "demo_plan",
]

DEFAULT_HISTORY_DAYS = 425  # fourteen months: last year's month is complete for any anchor
DEFAULT_HOURLY_DAYS = 10
ZONE: Final = ZoneInfo("Europe/Paris")

# The scenario of each dwelling; the other dwellings have none.
_SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "AA000/1": Scenario.LEAK_LEVEL_1,
        "AA000/2": Scenario.NEW_RESIDENT,
        "AA000/4": Scenario.LEAK_LEVEL_2,
        "AA000/6": Scenario.OVER_CONSUMPTION,
        "AA000/8": Scenario.METER_REPLACED,
        "50001369/10": Scenario.LEAK_LEVEL_3,
        "50001369/12": Scenario.LEAK_ENDED,
        "50001369/14": Scenario.WEEK_WITHOUT_DATA,
    }
)
# Days before today at which a leak began (03:00 local), days it lasted (None: still runs), litres an hour.
_LEAKS: Mapping[Scenario | None, tuple[int, int | None, int]] = MappingProxyType(
    {
        Scenario.LEAK_LEVEL_1: (6, None, 6),
        Scenario.LEAK_LEVEL_2: (5, None, 10),
        Scenario.LEAK_LEVEL_3: (4, None, 16),
        Scenario.LEAK_ENDED: (8, 3, 9),
    }
)
_SAMPLE_SAPPEL = "H8CA029620"  # the serial in OCEA's guide; H08CA029620 with a two-digit year
_FIVE_MONTHS = timedelta(days=150)
_FIRST_DAYS = 3
_HOSE_HOURS = frozenset(range(8, 20))


def demo_plan(
    anchor: datetime, *, history_days: int = DEFAULT_HISTORY_DAYS, hourly_days: int = DEFAULT_HOURLY_DAYS
) -> DemoPlan:
    """The demo whose history ends at `anchor` (aware, UTC, on the full hour); ValueError otherwise.

    History begins at local midnight `history_days` before the anchor's civil day.
    """
    if anchor.utcoffset() != timedelta(0) or anchor != anchor.replace(minute=0, second=0, microsecond=0):
        raise ValueError("the anchor must be a full hour in UTC")
    today = anchor.astimezone(ZONE).date()
    first_day = today - timedelta(days=history_days)
    history_start = _local(first_day, 0)
    return DemoPlan(
        anchor=anchor,
        history_start=history_start,
        hourly_start=max(history_start, anchor - timedelta(days=hourly_days)),
        residences=(_tilleuls(today, first_day), _parc(today, first_day)),
    )


def _local(day: date, hour: int) -> datetime:
    """An hour of the residences' clock, in UTC."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)


def _tilleuls(today: date, first_day: date) -> DemoResidence:
    dwellings = []
    for number, flat in enumerate(cast.TILLEULS):
        home = f"AA000/{flat.lot}"
        scenario = _SCENARIOS.get(home)
        installed = first_day - timedelta(days=700 + 31 * number)
        cold = sappel(
            Fluid.COLD_WATER,
            _SAMPLE_SAPPEL if number == 0 else f"H18CA{31_207 + 457 * number:06d}",
            installed,
        )
        cold_meters = _scene(cold, scenario, flat, home, today)
        hot = sappel(Fluid.HOT_WATER, f"C19UA{145_842 + 311 * number:06d}", installed)
        heat = kamstrup(f"{60_797_297 + 1_009 * number:08d}", 0x0C if number % 3 else 0x04, installed)
        dwellings.append(_dwelling("", flat, (*cold_meters, hot, heat), scenario, today, first_day))
    return DemoResidence(
        operator="ocea",
        operator_name="OCEA Smart Building",
        site_code="AA000",
        name="Résidence Les Tilleuls",
        street="12 rue des Tilleuls",
        postcode="92400",
        city="Courbevoie",
        timezone=ZONE.key,
        published=True,
        water_price_eur_per_m3="4.52",
        gateway=GatewayFormat.RTL_WMBUS,
        dwellings=tuple(dwellings),
    )


def _parc(today: date, first_day: date) -> DemoResidence:
    dwellings = []
    for number, flat in enumerate(cast.PARC):
        home = f"50001369/{flat.lot}"
        scenario = _SCENARIOS.get(home)
        installed = first_day - timedelta(days=430 + 17 * number)
        cold = itron(f"{48_349_952 + 1_733 * number:08d}", installed)
        cold_meters = _scene(cold, scenario, flat, home, today)
        hot = ista(Fluid.HOT_WATER, 2 * number, installed)
        heat = ista(Fluid.HEAT, 2 * number + 1, installed)
        code = flat.building + flat.staircase + flat.floor + flat.number
        dwellings.append(_dwelling(code, flat, (*cold_meters, hot, heat), scenario, today, first_day))
    return DemoResidence(
        operator="ista",
        operator_name="ista France",
        site_code="50001369",
        name="Résidence du Parc",
        street="3 allée du Parc",
        postcode="69003",
        city="Lyon",
        timezone=ZONE.key,
        published=True,
        water_price_eur_per_m3="3.86",
        gateway=GatewayFormat.JSON_LINES,
        dwellings=tuple(dwellings),
    )


def _dwelling(
    code: str,
    flat: cast.Flat,
    meters: tuple[DemoMeter, ...],
    scenario: Scenario | None,
    today: date,
    first_day: date,
) -> DemoDwelling:
    no_data_from = today - timedelta(days=43)
    return DemoDwelling(
        code=code,
        building=flat.building,
        staircase=flat.staircase,
        floor=flat.floor,
        number=flat.number,
        lot=flat.lot,
        manager_reference=flat.manager_reference,
        surface_m2=flat.surface_m2,
        persons=flat.persons,
        meters=meters,
        residents=_residents(flat, scenario, today, first_day),
        scenarios=frozenset() if scenario is None else frozenset({scenario}),
        no_data=(
            DayRange(no_data_from, no_data_from + timedelta(days=7))
            if scenario is Scenario.WEEK_WITHOUT_DATA
            else None
        ),
    )


def _residents(
    flat: cast.Flat, scenario: Scenario | None, today: date, first_day: date
) -> tuple[DemoResident, ...]:
    if flat.resident is None:
        return ()
    long_ago = first_day - timedelta(days=200 + 7 * flat.surface_m2)
    if scenario is not Scenario.NEW_RESIDENT:
        return (DemoResident(*flat.resident, move_in=long_ago),)
    moved = today - _FIVE_MONTHS
    return (
        DemoResident(*cast.PREDECESSOR, move_in=long_ago, move_out=moved),
        DemoResident(*flat.resident, move_in=moved),
    )


def _scene(
    cold: DemoMeter, scenario: Scenario | None, flat: cast.Flat, home: str, today: date
) -> tuple[DemoMeter, ...]:
    """The dwelling's cold-water meter for its scenario: with an additional flow, or as two meters."""
    if scenario in _LEAKS:
        began, lasted, litres = _LEAKS[scenario]
        starts_at = _local(today - timedelta(days=began), 3)
        ends_at = None if lasted is None else _local(today - timedelta(days=began - lasted), 3)
        return (replace(cold, extra_flows=(ExtraFlow(starts_at, ends_at, litres),)),)
    if scenario is Scenario.OVER_CONSUMPTION:
        return (replace(cold, extra_flows=(_garden_hose(cold_water(home, flat.persons), today),)),)
    if scenario is Scenario.METER_REPLACED:
        swapped = today - _FIVE_MONTHS
        return (
            replace(cold, removed_on=swapped),
            sappel(Fluid.COLD_WATER, "H24CA310042", swapped),
        )
    return (cold,)


def _garden_hose(habit: WaterHabit, today: date) -> ExtraFlow:
    """A hose whose flow raises a month to 2.6 times the same month a year ago, by the end of yesterday.

    That month is the present one, or the last one while the present one has less than three whole days.
    """
    first = today.replace(day=1)
    if today.day <= _FIRST_DAYS:
        first = (first - timedelta(days=1)).replace(day=1)
        days = (today.replace(day=1) - first).days
    else:
        days = (today - first).days
    last_year = first.replace(year=first.year - 1)
    month = [last_year + timedelta(days=n) for n in range(31)]
    before = sum(
        sum(habit.hours(day, clock_hours(day, ZONE))) for day in month if day.month == last_year.month
    )
    litres = -(-before * 26 // (10 * days * len(_HOSE_HOURS)))
    return ExtraFlow(_local(first, 0), None, litres, _HOSE_HOURS)

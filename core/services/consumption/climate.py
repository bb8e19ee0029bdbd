"""Series of heating corrected by the degree days of the residence's weather station.

In: series that were read for a viewer. Out: their values in usual weather. The one rule: a value that cannot
be corrected is None with its reason (`core.consumption.climate`). One statement for all stations of an
operation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.consumption.climate import (
    HEATING,
    MOST_REFERENCE_YEARS,
    Corrected,
    NotCorrected,
    Station,
    corrected,
    in_own_weather,
)
from core.consumption.comparison import Side
from core.consumption.resolutions import Resolution
from core.models import DegreeDay
from core.services.consumption.by_resolution import Consumption
from core.services.consumption.comparisons import Comparison

_CORRECTED = frozenset({Resolution.MONTHLY, Resolution.YEARLY, Resolution.BILLING_PERIOD})


@dataclass(frozen=True, slots=True)
class ClimateCorrected:
    """The values of a series in usual weather, and whose degree days they were corrected by."""

    series: Consumption
    values: Sequence[Corrected]
    station: Station | None


async def climate_corrected(series: Sequence[Consumption]) -> list[ClimateCorrected]:
    """Each series corrected, value by value."""
    asked = [one for one in series if _reason_for_all(one) is None and _station_of(one)]
    stations = await _stations(asked)
    return [_corrected(one, stations) for one in series]


@dataclass(frozen=True, slots=True)
class ComparedInOwnWeather:
    """What the values of a series are compared with, in the weather of the series."""

    comparison: Comparison
    values: Sequence[Corrected]


async def compared_in_own_weather(comparisons: Sequence[Comparison]) -> list[ComparedInOwnWeather]:
    """Each comparison, its other amounts scaled by the degree days of either period."""
    asked = [one for one in comparisons if _reason_for_all(one.series) is None and _station_of(one.series)]
    first_days = [
        value.other_period.first for one in asked for value in one.values if value.other_period is not None
    ]
    stations = await _stations([one.series for one in asked], *first_days)
    return [ComparedInOwnWeather(one, _compared(one, stations)) for one in comparisons]


def _compared(comparison: Comparison, stations: Mapping[str, Station]) -> list[Corrected]:
    reason = _reason_for_all(comparison.series)
    if reason is not None:
        return [Corrected(None, reason=reason) for _ in comparison.values]
    name = _station_of(comparison.series)
    if name and name not in stations:
        return [Corrected(None, reason=NotCorrected.NO_DEGREE_DAYS) for _ in comparison.values]
    station = stations.get(name or "")
    return [
        in_own_weather(span, value.other_period, value.other if value.whole else None, station)
        for span, value in zip(comparison.series.plan.spans, comparison.values, strict=True)
    ]


def _corrected(series: Consumption, stations: Mapping[str, Station]) -> ClimateCorrected:
    reason = _reason_for_all(series)
    if reason is not None:
        return ClimateCorrected(series, [Corrected(None, reason=reason) for _ in series.values], None)
    station = stations.get(_station_of(series) or "")
    if station is None:
        missing = NotCorrected.NO_DEGREE_DAYS if _station_of(series) else NotCorrected.NO_STATION
        return ClimateCorrected(series, [Corrected(None, reason=missing) for _ in series.values], None)
    side = Side(series.totals, series.plan.home.period.first_day)
    values = [corrected(span, side.whole(span), station) for span in series.plan.spans]
    return ClimateCorrected(series, values, station)


def _reason_for_all(series: Consumption) -> NotCorrected | None:
    if series.plan.fluid not in HEATING:
        return NotCorrected.NOT_HEATING
    return None if series.plan.resolution in _CORRECTED else NotCorrected.NOT_FOR_RESOLUTION


def _station_of(series: Consumption) -> str | None:
    return series.plan.home.place["weather_station"]


async def _stations(series: Sequence[Consumption], *first_days: date) -> dict[str, Station]:
    """The stations of series by their names, with the days that may be asked of them, also from others on."""
    names = {name for one in series if (name := _station_of(one))}
    if not names:
        return {}
    today = max(one.plan.today for one in series)
    first = date(today.year - MOST_REFERENCE_YEARS, 1, 1)
    first = min([first, *first_days, *(one.plan.spans[0].first for one in series if one.plan.spans)])
    rows = DegreeDay.filter(station__in=sorted(names), day__gte=first, day__lte=today).order_by("day")
    columns = ("station", "day", "degree_days", "base_celsius", "source")
    days: dict[str, dict[date, Decimal]] = {}
    latest: dict[str, tuple[Decimal, str]] = {}
    for station, day, degree_days, base_celsius, source in await rows.values_list(*columns):
        days.setdefault(station, {})[day] = degree_days
        latest[station] = base_celsius, source
    return {
        name: Station(name, source, base_celsius, days[name], today)
        for name, (base_celsius, source) in latest.items()
    }

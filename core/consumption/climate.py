"""Heating as it would have been in usual weather: corrected by degree days.

In: what was used for heating in a period, and the degree days of a weather station. Out: corrected = raw x
reference / actual, or why it is not corrected. The one rule: a period is corrected if each of its days is
known, by readings and by the station, and never shown uncorrected instead. The reference is the mean of the
same days in the years that the station has whole, up to ten: the same for all periods, so that they can be
compared with one another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import Final

from core.consumption.comparison import days_of
from core.consumption.fluids import Fluid
from core.consumption.resolutions import DaySpan

MOST_REFERENCE_YEARS: Final = 10
HEATING: Final = frozenset({Fluid.HEAT, Fluid.HEAT_ALLOCATOR})


class NotCorrected(StrEnum):
    """Why a value is not corrected."""

    NOT_HEATING = "NOT_HEATING"
    """Water does not depend on the weather."""
    NOT_FOR_RESOLUTION = "NOT_FOR_RESOLUTION"
    """A building keeps its warmth for days: months and longer are corrected."""
    INCOMPLETE = "INCOMPLETE"
    """Not every day is known, or not all are over."""
    NO_STATION = "NO_STATION"
    """The operator has named no weather station for the residence."""
    NO_DEGREE_DAYS = "NO_DEGREE_DAYS"
    """The station's list lacks a day of the period."""
    NO_REFERENCE = "NO_REFERENCE"
    """The station's list has no whole year to compare with."""
    NO_HEATING_WEATHER = "NO_HEATING_WEATHER"
    """No day was, or usually is, cold enough to heat: there is nothing to scale by."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A value in usual weather, exact and in the smallest unit; or why there is none."""

    amount: Fraction | None
    degree_days: Decimal | None = None
    reference: Fraction | None = None
    reason: NotCorrected | None = None


@dataclass(frozen=True)
class Station:
    """The degree days of a weather station, up to today."""

    name: str
    source: str
    base_celsius: Decimal
    degree_days: Mapping[date, Decimal]
    today: date

    @cached_property
    def reference_years(self) -> Sequence[int]:
        """The latest years that are over and that the station has whole."""
        years = range(self.today.year - MOST_REFERENCE_YEARS, self.today.year)
        return [
            year for year in years if self.total(DaySpan(date(year, 1, 1), date(year, 12, 31))) is not None
        ]

    def total(self, span: DaySpan) -> Decimal | None:
        """The degree days of a period; None if one day is missing."""
        found = [self.degree_days.get(day) for day in days_of(span)]
        known = [value for value in found if value is not None]
        return sum(known, Decimal(0)) if len(known) == len(found) else None

    def usual(self, span: DaySpan) -> Fraction | None:
        """The mean of the same days in the reference years; None without such a year."""
        years = self.reference_years
        if not years:
            return None
        of_days = (Fraction(self.degree_days[_in_year(day, year)]) for year in years for day in days_of(span))
        return sum(of_days, Fraction(0)) / len(years)


def _in_year(day: date, year: int) -> date:
    """The same day of another year; of 29 February the 28th, where there is no other."""
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def corrected(span: DaySpan, whole_amount: int | None, station: Station | None) -> Corrected:
    """A period's heating in usual weather.

    Args:
        span: the period.
        whole_amount: what was used in it; None unless all of its days are known.
        station: the residence's.
    """
    if station is None:
        return Corrected(None, reason=NotCorrected.NO_STATION)
    actual = station.total(span)
    usual = station.usual(span)
    if whole_amount is None:
        return Corrected(None, actual, usual, NotCorrected.INCOMPLETE)
    if actual is None:
        return Corrected(None, None, usual, NotCorrected.NO_DEGREE_DAYS)
    if usual is None:
        return Corrected(None, actual, None, NotCorrected.NO_REFERENCE)
    if not actual or not usual:
        return Corrected(None, actual, usual, NotCorrected.NO_HEATING_WEATHER)
    return Corrected(whole_amount * usual / Fraction(actual), actual, usual)


def in_own_weather(
    own_period: DaySpan, other_period: DaySpan | None, whole_other: int | None, station: Station | None
) -> Corrected:
    """What was used in another period, as it would have been in the weather of one's own.

    Args:
        own_period: whose weather.
        other_period: when it was used; None where the calendar has none.
        whole_other: what was used; None unless both periods are compared as wholes.
        station: the residence's.
    """
    if station is None:
        return Corrected(None, reason=NotCorrected.NO_STATION)
    if whole_other is None or other_period is None:
        return Corrected(None, reason=NotCorrected.INCOMPLETE)
    own, other = station.total(own_period), station.total(other_period)
    if own is None or other is None:
        return Corrected(None, reason=NotCorrected.NO_DEGREE_DAYS)
    if not own or not other:
        return Corrected(None, own, Fraction(other), NotCorrected.NO_HEATING_WEATHER)
    return Corrected(whole_other * Fraction(own) / Fraction(other), own, Fraction(other))

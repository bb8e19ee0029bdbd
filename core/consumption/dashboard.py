"""The figures of a dashboard tab: sums and a mean over the days of one fluid.

In: one total per civil day, already summed over the meters of the fluid. Out: the month so far, the month
before, the year so far, the mean of the last twelve complete months, and the monthly series. The one rule:
where there is no data the value is None and never 0, and no day before `visible_from` (the day the resident
moved in) is counted in anything. Requirements R-071, R-074, R-075, R-076, C-15, C-20.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from core.consumption.periods import Month
from core.consumption.volumes import Quality

MONTHS_IN_MEAN = 12
"""R-076: "consommation moyenne ... pour les 12 derniers mois"."""


class DayTotal(NamedTuple):
    """The amount of one civil day summed over the meters of one fluid, in the smallest unit."""

    day: date
    amount: int
    quality: Quality


class MonthVolume(Struct, frozen=True):
    """A month that has at least one day of data; its amount is the sum of the days that have it.

    `complete` means every day of the month is present, visible and not PARTIAL. `quality` is that of the
    worst day, and PARTIAL when the month is not complete.
    """

    month: Month
    amount: int
    days_with_data: int
    complete: bool
    quality: Quality


class Indicators(Struct, frozen=True):
    """What the dashboard shows for one fluid; amounts in the smallest unit, None where there is no data.

    A month with gaps is a value, not None: the sum of the days that are known, with their number beside it,
    so that a client can show "on 27 days". The mean is per month and uses complete months only, since a month
    with a gap would lower it. `estimated_days` counts the ESTIMATED days in these figures.
    """

    month_to_date: int | None
    month_to_date_days: int
    previous_month: int | None
    previous_month_days: int
    year_to_date: int | None
    mean_of_last_12_months: Decimal | None
    months_counted: int
    estimated_days: int


def monthly(days: Iterable[DayTotal], *, visible_from: date | None = None) -> list[MonthVolume]:
    """The months that hold data, in the order of time; a month without any is absent, not 0.

    Raises:
        ValueError: if a day is given twice (the meters of a fluid are summed before).
    """
    return [one.volume for one in month_sums(days, visible_from=visible_from)]


class MonthSum(Struct, frozen=True):
    """A month's volume, and how many of its days are ESTIMATED or PARTIAL."""

    volume: MonthVolume
    estimated_days: int
    partial_days: int


def month_sum(
    month: Month,
    *,
    amount: int,
    days: int,
    partial_days: int,
    estimated_days: int,
    corrected_days: int = 0,
) -> MonthSum:
    """A month by the sum of its days: how many there are, and how many of them are not MEASURED."""
    complete = days == month.length_days and not partial_days
    quality = Quality.MEASURED
    if not complete:
        quality = Quality.PARTIAL
    elif estimated_days:
        quality = Quality.ESTIMATED
    elif corrected_days:
        quality = Quality.CORRECTED
    return MonthSum(MonthVolume(month, amount, days, complete, quality), estimated_days, partial_days)


def month_sums(days: Iterable[DayTotal], *, visible_from: date | None = None) -> list[MonthSum]:
    """The months that hold data, in the order of time.

    Raises:
        ValueError: if a day is given twice (the meters of a fluid are summed before).
    """
    by_month: dict[Month, list[DayTotal]] = {}
    for total in _visible(days, visible_from):
        by_month.setdefault(Month.of(total.day), []).append(total)
    return [
        month_sum(
            month,
            amount=sum(total.amount for total in by_month[month]),
            days=len(by_month[month]),
            partial_days=sum(total.quality is Quality.PARTIAL for total in by_month[month]),
            estimated_days=sum(total.quality is Quality.ESTIMATED for total in by_month[month]),
            corrected_days=sum(total.quality is Quality.CORRECTED for total in by_month[month]),
        )
        for month in sorted(by_month)
    ]


def indicators(days: Sequence[DayTotal], *, today: date, visible_from: date | None) -> Indicators:
    """The four indicators of one fluid on `today`; days after it are not counted.

    Raises:
        ValueError: if a day is given twice (the meters of a fluid are summed before).
    """
    return indicators_of_months(
        month_sums([total for total in days if total.day <= today], visible_from=visible_from), today=today
    )


def indicators_of_months(sums: Sequence[MonthSum], *, today: date) -> Indicators:
    """The four indicators of one fluid by its months, which hold no day after `today`."""
    current, year = Month.of(today).number, today.year
    this_month = previous = None
    in_mean: list[int] = []
    this_year: list[int] = []
    estimated_days = 0
    for one in sums:
        volume = one.volume
        months_ago = current - volume.month.number
        is_in_mean = 0 < months_ago <= MONTHS_IN_MEAN and volume.complete
        is_of_year = volume.month.year == year
        if is_in_mean:
            in_mean.append(volume.amount)
        if is_of_year:
            this_year.append(volume.amount)
        if months_ago == 0:
            this_month = volume
        elif months_ago == 1:
            previous = volume
        if is_in_mean or is_of_year or months_ago == 1:
            estimated_days += one.estimated_days
    return Indicators(
        month_to_date=this_month.amount if this_month else None,
        month_to_date_days=this_month.days_with_data if this_month else 0,
        previous_month=previous.amount if previous else None,
        previous_month_days=previous.days_with_data if previous else 0,
        year_to_date=sum(this_year) if this_year else None,
        mean_of_last_12_months=_mean(in_mean),
        months_counted=len(in_mean),
        estimated_days=estimated_days,
    )


def _visible(days: Iterable[DayTotal], visible_from: date | None) -> list[DayTotal]:
    by_day: dict[date, DayTotal] = {}
    for total in days:
        if total.day in by_day:
            raise ValueError(f"{total.day} is given twice: sum the meters of a fluid first")
        by_day[total.day] = total
    return [by_day[day] for day in sorted(by_day) if visible_from is None or day >= visible_from]


def _mean(amounts: Sequence[int]) -> Decimal | None:
    return Decimal(sum(amounts)) / len(amounts) if amounts else None

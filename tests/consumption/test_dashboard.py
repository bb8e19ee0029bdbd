from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.consumption.dashboard import DayTotal, Indicators, MonthVolume, indicators, monthly
from core.consumption.periods import Month
from core.consumption.volumes import Quality

TODAY = date(2022, 9, 7)


def days(first, last, amount=100, quality=Quality.MEASURED):
    return [DayTotal(first + timedelta(days=at), amount, quality) for at in range((last - first).days + 1)]


def shown(totals, *, today=TODAY, visible_from=None):
    return indicators(totals, today=today, visible_from=visible_from)


@pytest.mark.requirement("R-071")
def test_the_current_month_is_summed_so_far():
    """The first indicator is the month in progress up to today, a partial today included."""
    totals = days(date(2022, 8, 20), date(2022, 9, 6)) + days(TODAY, TODAY, 30, Quality.PARTIAL)
    figures = shown(totals)
    assert (figures.month_to_date, figures.month_to_date_days) == (630, 7)


@pytest.mark.requirement("R-074")
def test_the_previous_month_is_the_calendar_month_before():
    """The second indicator is the whole previous calendar month, also across the year."""
    assert shown(days(date(2022, 8, 1), TODAY)).previous_month == 3_100
    across = shown(days(date(2021, 12, 1), date(2022, 1, 3)), today=date(2022, 1, 3))
    assert (across.previous_month, across.previous_month_days) == (3_100, 31)


@pytest.mark.requirement("R-074", "C-20")
def test_a_previous_month_with_gaps_gives_its_number_of_days():
    """A month with gaps is the sum of the known days with their number; without data it is None."""
    holed = shown(days(date(2022, 8, 5), date(2022, 8, 31)))
    assert (holed.previous_month, holed.previous_month_days) == (2_700, 27)
    absent = shown(days(date(2022, 9, 1), TODAY))
    assert (absent.previous_month, absent.previous_month_days) == (None, 0)


@pytest.mark.requirement("R-075")
def test_the_year_is_summed_from_its_first_day():
    """The third indicator begins on the first of January, and not a day before."""
    assert shown(days(date(2021, 11, 1), TODAY)).year_to_date == 250 * 100


@pytest.mark.requirement("R-076", "C-20")
def test_the_mean_takes_the_last_twelve_complete_months():
    """The mean is per month over the twelve months before the current one, and no other."""
    totals = days(date(2021, 8, 1), date(2021, 8, 31), 9_999)
    totals += days(date(2021, 9, 1), date(2022, 8, 31)) + days(date(2022, 9, 1), TODAY, 9_999)
    figures = shown(totals)
    assert figures.months_counted == 12
    assert figures.mean_of_last_12_months == Decimal(36_500) / 12


@pytest.mark.requirement("R-076", "C-20")
def test_fewer_complete_months_make_a_mean_of_those():
    """Months with a gap or a partial day are left out of the mean, and the number counted is given."""
    totals = days(date(2022, 5, 2), date(2022, 5, 31)) + days(date(2022, 6, 1), date(2022, 6, 30))
    totals += days(date(2022, 7, 1), date(2022, 7, 30)) + days(
        date(2022, 7, 31), date(2022, 7, 31), 1, Quality.PARTIAL
    )
    totals += days(date(2022, 8, 1), date(2022, 8, 31), 200, Quality.ESTIMATED)
    figures = shown(totals)
    assert (figures.mean_of_last_12_months, figures.months_counted) == (Decimal(4_600), 2)


@pytest.mark.requirement("R-071", "R-074", "R-075", "R-076", "C-20")
def test_without_data_every_figure_is_unknown():
    """No data is None and never 0."""
    assert shown([]) == Indicators(
        month_to_date=None,
        month_to_date_days=0,
        previous_month=None,
        previous_month_days=0,
        year_to_date=None,
        mean_of_last_12_months=None,
        months_counted=0,
        estimated_days=0,
    )


@pytest.mark.requirement("C-20")
def test_a_month_without_a_drop_is_zero_and_not_unknown():
    """A dwelling that used nothing has consumed 0, with all its days of data."""
    figures = shown(days(date(2022, 8, 1), TODAY, 0))
    assert (figures.month_to_date, figures.previous_month, figures.mean_of_last_12_months) == (0, 0, 0)


@pytest.mark.requirement("C-15", "R-193")
def test_nothing_before_the_move_in_day_is_counted():
    """The predecessor's days enter no figure, and the month of the move-in no mean."""
    figures = shown(days(date(2021, 1, 1), TODAY), visible_from=date(2022, 8, 11))
    assert figures.month_to_date == 700
    assert (figures.previous_month, figures.previous_month_days) == (2_100, 21)
    assert figures.year_to_date == 2_800
    assert (figures.mean_of_last_12_months, figures.months_counted) == (None, 0)
    assert [volume.month for volume in monthly(days(date(2022, 1, 1), TODAY), visible_from=TODAY)] == [
        Month(2022, 9)
    ]


def test_days_after_today_are_not_counted():
    """A meter whose clock runs ahead adds nothing to today's figures."""
    assert shown(days(date(2022, 9, 1), date(2022, 9, 30))).month_to_date == 700


def test_estimated_days_are_those_behind_the_figures():
    """The days whose split is an estimate are counted where they enter a figure, once each."""
    totals = days(date(2021, 9, 10), date(2021, 9, 12), quality=Quality.ESTIMATED)  # a month with gaps
    totals += days(date(2021, 10, 1), date(2021, 10, 31), quality=Quality.ESTIMATED)  # in the mean
    totals += days(date(2022, 8, 30), date(2022, 9, 2), quality=Quality.ESTIMATED)  # in the year
    assert shown(totals).estimated_days == 31 + 4


def test_a_day_given_twice_is_refused():
    """Two totals of one day mean that the meters were not summed: a figure must not count both."""
    twice = days(TODAY, TODAY) * 2
    with pytest.raises(ValueError, match="given twice"):
        shown(twice)
    with pytest.raises(ValueError, match="given twice"):
        monthly(twice)


def test_the_monthly_series_holds_the_months_with_data():
    """Each month with data is one entry in the order of time; a month without is absent."""
    totals = days(date(2022, 8, 1), date(2022, 8, 31), quality=Quality.ESTIMATED)
    totals += days(date(2022, 6, 1), date(2022, 6, 30)) + days(date(2022, 9, 1), TODAY)
    assert monthly(totals) == [
        MonthVolume(Month(2022, 6), 3_000, 30, complete=True, quality=Quality.MEASURED),
        MonthVolume(Month(2022, 8), 3_100, 31, complete=True, quality=Quality.ESTIMATED),
        MonthVolume(Month(2022, 9), 700, 7, complete=False, quality=Quality.PARTIAL),
    ]

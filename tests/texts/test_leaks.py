from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from core.consumption.amounts import rounded
from core.texts.leaks import (
    Language,
    alert_title,
    date_text,
    duration_text,
    flow_text,
    level_equivalent,
    loss_m3,
    loss_text,
    period_text,
    price_text,
)


@pytest.mark.requirement("R-084", "R-087", "C-29")
@pytest.mark.parametrize(
    ("started_on", "french", "english"),
    [
        (
            date(2022, 3, 11),
            "Alerte fuite niveau 1 depuis le 11/03/2022 (6 mois)",
            "Level 1 leak alert since 11 March 2022 (6 months)",
        ),
        (
            date(2022, 9, 5),
            "Alerte fuite niveau 1 depuis le 05/09/2022 (2 jours)",
            "Level 1 leak alert since 5 September 2022 (2 days)",
        ),
    ],
)
def test_the_title_of_an_alert_is_the_guides(started_on, french, english):
    """The title of an active alert gives its level, its first day and how long that is ago."""
    today = date(2022, 9, 7)
    assert alert_title(1, started_on, today=today, language=Language.FR) == french
    assert alert_title(1, started_on, today=today, language=Language.EN) == english


@pytest.mark.requirement("R-084", "C-29")
@pytest.mark.parametrize(
    ("days", "french", "english"),
    [
        (0, "0 jour", "0 days"),
        (1, "1 jour", "1 day"),
        (2, "2 jours", "2 days"),
        (25, "25 jours", "25 days"),
        (26, "1 mois", "1 month"),
        (45, "1 mois", "1 month"),
        (46, "2 mois", "2 months"),
        (180, "6 mois", "6 months"),
        (365, "12 mois", "12 months"),
        (730, "24 mois", "24 months"),
    ],
)
def test_a_duration_is_given_in_days_then_in_rounded_months(days, french, english):
    """Below 26 days a duration is in days, from there in months rounded half up; singular where it is one."""
    assert duration_text(days, Language.FR) == french
    assert duration_text(days, Language.EN) == english


def test_a_duration_is_not_negative():
    """An alert that begins tomorrow has no duration."""
    with pytest.raises(ValueError, match="negative"):
        duration_text(-1, Language.FR)


@pytest.mark.requirement("R-085", "R-086", "R-091")
@pytest.mark.parametrize(
    ("litres", "m3", "text"),
    [
        (13_275, "13.28", "13.28 m3"),
        (123, "0.12", "0.12 m3"),
        (8_064, "8.06", "8.06 m3"),
        (Decimal("99.12"), "0.10", "0.10 m3"),
        (5, "0.01", "0.01 m3"),
        (0, "0.00", "0 m3"),
    ],
)
def test_a_loss_is_given_in_cubic_metres_with_two_decimals(litres, m3, text):
    """Litres become cubic metres, rounded half up: 13,275 litres are 13.28."""
    assert loss_m3(litres) == Decimal(m3)
    assert str(loss_m3(litres)) == m3
    assert loss_text(litres) == text


@pytest.mark.requirement("R-090", "C-25")
def test_an_unknown_loss_is_0_in_the_guides_text_alone():
    """An alert that came as a mere flag has no loss; only the table's text prints it as 0."""
    assert loss_m3(None) is None
    assert loss_text(None) == "0 m3"
    assert flow_text(None) == "0 L/h"


@pytest.mark.requirement("R-085", "R-093")
@pytest.mark.parametrize(
    ("flow_lph", "text"),
    [
        (Fraction(4), "4 L/h"),
        (Fraction(13_275, 3_360), "3.95 L/h"),
        (Fraction(123, 72), "1.71 L/h"),
        (Decimal("10.50"), "10.5 L/h"),
        (Fraction(100), "100 L/h"),
        (Fraction(1, 200), "0.01 L/h"),
        (Fraction(0), "0 L/h"),
    ],
)
def test_a_flow_is_given_with_two_decimals_at_most(flow_lph, text):
    """A flow is rounded half up to two decimals, and zeros at its end are dropped."""
    assert flow_text(flow_lph) == text


def test_rounding_is_half_up_away_from_zero():
    """A half goes away from zero on both sides, and the number of decimals is kept."""
    assert [str(rounded(Decimal(text), 2)) for text in ("1.005", "-1.005", "1.0049", "2")] == [
        "1.01",
        "-1.01",
        "1.00",
        "2.00",
    ]


@pytest.mark.requirement("R-090", "R-091")
def test_a_row_of_the_history_gives_both_days():
    """The history prints the first and the last day of an alert."""
    start, end = date(2022, 3, 11), date(2022, 7, 14)
    assert period_text(start, end, Language.FR) == "Du 11/03/2022 au 14/07/2022"
    assert period_text(start, end, Language.EN) == "From 11 March 2022 to 14 July 2022"


def test_dates_follow_the_language():
    """French dates are day/month/year; in English the month is spelt, so that it cannot be misread."""
    assert date_text(date(2022, 1, 3), Language.FR) == "03/01/2022"
    assert date_text(date(2022, 1, 3), Language.EN) == "3 January 2022"


@pytest.mark.requirement("R-094", "R-095", "R-096")
def test_each_level_is_likened_to_something_seen_at_a_tap():
    """The three levels are a drip, a trickle and an open tap, in both languages."""
    assert [level_equivalent(level, Language.FR) for level in (1, 2, 3)] == [
        "goutte à goutte",
        "filet d'eau",
        "robinet ouvert",
    ]
    assert [level_equivalent(level, Language.EN) for level in (1, 2, 3)] == [
        "dripping",
        "trickle of water",
        "open tap",
    ]
    with pytest.raises(KeyError):
        level_equivalent(4, Language.FR)


@pytest.mark.parametrize(
    ("eur", "french", "english"), [("60.003", "60.00 €", "€60.00"), ("0.125", "0.13 €", "€0.13")]
)
def test_a_price_is_given_in_cents(eur, french, english):
    """Rounded half up, as every figure."""
    assert price_text(Decimal(eur), Language.FR) == french
    assert price_text(Decimal(eur), Language.EN) == english

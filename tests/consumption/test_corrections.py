"""core.consumption.corrections: what is a correction, and what is the series going on."""

from datetime import date

from core.consumption import DayVolume, Quality
from core.consumption.corrections import DayCorrection, corrections_of


def day(number: int, amount: int, quality: Quality = Quality.MEASURED) -> DayVolume:
    return DayVolume(date(2026, 11, number), amount, quality)


def test_a_changed_a_new_and_a_lost_day_are_corrections() -> None:
    """Each with its amount before and after; a day whose quality alone changed has the same amount."""
    stored = [day(1, 100), day(2, 90, Quality.ESTIMATED), day(4, 70), day(5, 60)]
    now = [day(1, 110), day(2, 90), day(3, 80), day(5, 60)]
    assert corrections_of(stored, now, last_known=date(2026, 11, 5)) == [
        DayCorrection(date(2026, 11, 1), 100, 110),
        DayCorrection(date(2026, 11, 3), None, 80),
        DayCorrection(date(2026, 11, 4), 70, None),
    ]


def test_a_first_amount_after_all_that_was_known_is_none() -> None:
    """The series goes on; before the last known day it fills a gap that could be seen."""
    now = [day(3, 80), day(6, 50)]
    assert corrections_of([], now, last_known=None) == []
    assert corrections_of([], now, last_known=date(2026, 11, 3)) == []
    assert corrections_of([], now, last_known=date(2026, 11, 4)) == [
        DayCorrection(date(2026, 11, 3), None, 80)
    ]

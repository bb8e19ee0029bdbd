"""The month for a plumber's attestation: the calendar's."""

from datetime import date

import pytest

from core.alerting.claims import attestation_due


@pytest.mark.requirement("WAR-03")
@pytest.mark.parametrize(
    ("notice", "due"),
    [
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2028, 1, 30), date(2028, 2, 29)),
        (date(2026, 2, 28), date(2026, 3, 28)),
        (date(2026, 3, 31), date(2026, 4, 30)),
        (date(2026, 12, 31), date(2027, 1, 31)),
        (date(2026, 11, 12), date(2026, 12, 12)),
    ],
)
def test_the_deadline_is_the_same_day_of_the_next_month(notice: date, due: date) -> None:
    """Or its last day, where it has no such day; over the end of a year too."""
    assert attestation_due(notice) == due

"""A request to cap the bill: what is abnormal, strictly, and the month for the plumber's attestation."""

from datetime import date

import pytest

from core.alerting.claims import VolumeComparison, attestation_due, years_before


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


@pytest.mark.requirement("WAR-01")
@pytest.mark.parametrize(
    ("litres", "earlier", "abnormal"),
    [
        (2_001, [1_000], True),
        (2_000, [1_000], False),  # twice the mean itself is not
        (2_001, [900, 1_000, 1_100], True),
        (2_000, [900, 1_000, 1_100], False),
        (667, [334, 333], False),
        (668, [334, 333], True),
        (1, [0, 0, 0], True),
        (0, [0], False),
        (5_000, [], None),
    ],
)
def test_abnormal_is_more_than_twice_the_mean(litres: int, earlier: list[int], abnormal: bool | None) -> None:  # noqa: FBT001 - a column of the table
    """Of the years that are known; without one there is no verdict."""
    assert VolumeComparison(litres, earlier).abnormal is abnormal


def test_earlier_years_are_matched_by_days() -> None:
    """Each as long as the period, also over the end of a year and from a 29 February on."""
    assert years_before(date(2028, 2, 29), date(2028, 3, 2)) == [
        (date(2027, 2, 28), date(2027, 3, 2)),
        (date(2026, 2, 28), date(2026, 3, 2)),
        (date(2025, 2, 28), date(2025, 3, 2)),
    ]
    first, last = date(2026, 12, 20), date(2027, 1, 10)
    for begun, ended in years_before(first, last):
        assert ended - begun == last - first
        assert (begun.month, begun.day) == (12, 20)

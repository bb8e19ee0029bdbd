"""Which dwellings stand out among their neighbours."""

from fractions import Fraction

import pytest

from core.consumption.outliers import DwellingMonth, OutlierKind, outliers, quantile


def month(dwelling_id: int, amount: int, *, occupied: bool = True, vacant: bool = False) -> DwellingMonth:
    return DwellingMonth(dwelling_id, amount, occupied, vacant)


NEIGHBOURS = [month(number, amount) for number, amount in enumerate((6_000, 7_000, 8_000, 9_000, 10_000))]


def found(*more: DwellingMonth) -> list[tuple[int, OutlierKind]]:
    return [(one.dwelling_id, one.kind) for one in outliers([*NEIGHBOURS, *more], least_of_vacant=500)]


@pytest.mark.parametrize(("amount", "stands_out"), [(14_000, False), (17_250, False), (17_251, True)])
def test_far_above_the_others(amount: int, stands_out: bool) -> None:  # noqa: FBT001 - a column
    """With the sixth dwelling the quartiles are 7,250 and 9,750 litres: the limit is 9,750 and three times
    2,500.
    """
    assert found(month(9, amount)) == ([(9, OutlierKind.HIGH)] if stands_out else [])


def test_neighbours_alike_name_nobody_for_a_litre() -> None:
    """Where all consume the same, twice the median is the limit."""
    same = [month(number, 5_000) for number in range(9)]
    assert outliers([*same, month(9, 10_000)], least_of_vacant=500) == []
    assert [one.dwelling_id for one in outliers([*same, month(9, 10_001)], least_of_vacant=500)] == [9]


def test_nothing_where_somebody_lives_and_something_where_nobody_does() -> None:
    """No consumption at all in an occupied dwelling, or water where whoever lived there has left."""
    assert found(month(9, 0)) == [(9, OutlierKind.ZERO_WHILE_OCCUPIED)]
    assert found(month(9, 0, occupied=False)) == []
    assert found(month(9, 501, occupied=False, vacant=True)) == [(9, OutlierKind.USED_WHILE_VACANT)]
    assert found(month(9, 500, occupied=False, vacant=True)) == []


@pytest.mark.requirement("CN-11")
def test_fewer_than_five_are_not_compared() -> None:
    """Among four dwellings a comparison would say what the neighbours consume."""
    assert outliers([*NEIGHBOURS[:3], month(9, 90_000)], least_of_vacant=500) == []
    assert len(outliers([*NEIGHBOURS[:4], month(9, 90_000)], least_of_vacant=500)) == 1


def test_a_quantile_lies_between_its_neighbours() -> None:
    """In proportion, exactly."""
    assert [quantile([1, 2, 4, 8], Fraction(part, 4)) for part in range(5)] == [
        1,
        Fraction(7, 4),
        3,
        5,
        8,
    ]

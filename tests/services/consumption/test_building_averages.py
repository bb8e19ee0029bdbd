"""The average of a building: of five homes or more, whole months, and no home by subtraction."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from core.consumption import Month
from core.services.consumption.building_averages import (
    AveragedHome,
    AveragedMeter,
    AverageScope,
    month_average,
)

OCTOBER = Month(2026, 10)
SINCE = date(2024, 1, 1)


def home(
    number: int, litres: int, *, building: str = "A", surface: str = "50", days: int = 31
) -> AveragedHome:
    return AveragedHome(
        number, building, Decimal(surface), [AveragedMeter(SINCE, None, {OCTOBER: (litres, days)})]
    )


def test_the_average_is_by_surface() -> None:
    """Six homes of 20 to 70 square metres: 27,000 litres by 270 square metres, a hundred each."""
    homes = [home(n, 100 * size, surface=str(size)) for n, size in enumerate((20, 30, 40, 50, 60, 70))]
    found = month_average(OCTOBER, homes, "A")
    assert found is not None
    assert (found.per_surface * 10_000, found.homes, found.scope) == (100, 6, AverageScope.RESIDENCE)


def test_homes_that_are_not_wholly_known_are_left_out() -> None:
    """A day without data, and the home does not count; then there are four, and no average."""
    homes = [home(n, 3_000) for n in range(4)]
    assert month_average(OCTOBER, [*homes, home(4, 3_000, days=30)], "A") is None
    assert month_average(OCTOBER, [*homes, home(4, 3_000)], "A") is not None


def test_a_replaced_meter_counts_with_its_successor() -> None:
    """Both meters together cover the month; one that is missing leaves the home out."""
    old = AveragedMeter(SINCE, date(2026, 10, 15), {OCTOBER: (1_500, 15)})
    new = AveragedMeter(date(2026, 10, 16), None, {OCTOBER: (1_600, 16)})
    for meters, amount in (([old, new], 3_100), ([old], None), ([new], None)):
        one = AveragedHome(1, "A", Decimal(50), meters).contribution(OCTOBER)
        assert (one.values[0] if one else None) == amount


def test_nobody_has_more_than_half() -> None:
    """Four empty homes and a family are the family."""
    assert month_average(OCTOBER, [home(0, 10_000), *(home(n, 0) for n in range(1, 6))], "A") is None


def test_a_building_has_its_own_only_if_each_has() -> None:
    """Otherwise the residence less the large building would be the homes of the small one."""
    large, small = [home(n, 3_000) for n in range(6)], [home(n, 2_000, building="B") for n in range(6, 10)]
    found = month_average(OCTOBER, [*large, *small], "A")
    assert found is not None
    assert (found.scope, found.homes) == (AverageScope.RESIDENCE, 10)
    fifth = home(10, 2_000, building="B")
    found = month_average(OCTOBER, [*large, *small, fifth], "A")
    assert found is not None
    assert (found.scope, found.homes) == (AverageScope.BUILDING, 6)
    # Whoever lives where no home is wholly known is shown no total from which the others could be taken.
    assert month_average(OCTOBER, [*large, *small, fifth], "C") is None


HOMES = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(0, 9_000), st.integers(28, 31), st.integers(10, 120)),
    max_size=24,
)


@given(HOMES)
def test_whatever_is_shown_in_a_month_is_of_groups_that_do_not_overlap(
    described: list[tuple[str, int, int, int]],
) -> None:
    """Each figure is of five homes that are wholly known; two different ones have no home in common."""
    homes = [
        home(n, litres, building=building, days=days, surface=str(surface))
        for n, (building, litres, days, surface) in enumerate(described)
    ]
    whole = [one for one in homes if one.contribution(OCTOBER)]
    shown = {building: month_average(OCTOBER, homes, building) for building in "ABC"}
    for building, found in shown.items():
        if found is None:
            continue
        of_figure = [
            one for one in whole if found.scope is AverageScope.RESIDENCE or one.building == building
        ]
        assert len(of_figure) == found.homes >= 5
        amount = sum(one.meters[0].months[OCTOBER][0] for one in of_figure)
        surface = sum(int(one.surface_m2 * 10_000) for one in of_figure)
        assert found.per_surface == Fraction(amount, surface)
    assert len({found.scope for found in shown.values() if found is not None}) <= 1

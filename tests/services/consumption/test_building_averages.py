"""The average of a building: of five homes or more, whole months, and no home by subtraction."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from core.consumption import Month
from core.services.consumption.average_publication import AveragedHome, AveragedMeter, month_averages

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
    found = month_averages(OCTOBER, homes)
    assert found.keys() == {None}
    assert (Fraction(found[None].amount, found[None].surface_cm2) * 10_000, found[None].homes) == (100, 6)


def test_homes_that_are_not_wholly_known_are_left_out() -> None:
    """A day without data, and the home does not count; then there are four, and no average."""
    homes = [home(n, 3_000) for n in range(4)]
    assert month_averages(OCTOBER, [*homes, home(4, 3_000, days=30)]) == {}
    assert month_averages(OCTOBER, [*homes, home(4, 3_000, surface="0")]) == {}
    assert month_averages(OCTOBER, [*homes, home(4, 3_000)]) != {}


def test_a_replaced_meter_counts_with_its_successor() -> None:
    """Both meters together cover the month; one that is missing leaves the home out."""
    old = AveragedMeter(SINCE, date(2026, 10, 15), {OCTOBER: (1_500, 15)})
    new = AveragedMeter(date(2026, 10, 16), None, {OCTOBER: (1_600, 16)})
    for meters, amount in (([old, new], 3_100), ([old], None), ([new], None)):
        one = AveragedHome(1, "A", Decimal(50), meters).contribution(OCTOBER)
        assert (one.values[0] if one else None) == amount


def test_nobody_has_more_than_half() -> None:
    """Four empty homes and a family are the family."""
    assert month_averages(OCTOBER, [home(0, 10_000), *(home(n, 0) for n in range(1, 6))]) == {}


def test_a_building_has_its_own_only_if_each_has() -> None:
    """Otherwise the residence less the large building would be the homes of the small one."""
    large, small = [home(n, 3_000) for n in range(6)], [home(n, 2_000, building="B") for n in range(6, 10)]
    together = month_averages(OCTOBER, [*large, *small])
    assert {building: one.homes for building, one in together.items()} == {None: 10}
    fifth = home(10, 2_000, building="B")
    separate = month_averages(OCTOBER, [*large, *small, fifth])
    assert {building: one.homes for building, one in separate.items()} == {"A": 6, "B": 5}


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
    shown = month_averages(OCTOBER, homes)
    assert None not in shown or len(shown) == 1
    for building, found in shown.items():
        of_figure = [one for one in whole if building in {None, one.building}]
        assert len(of_figure) == found.homes >= 5
        assert found.amount == sum(one.meters[0].months[OCTOBER][0] for one in of_figure)
        assert found.surface_cm2 == sum(int(one.surface_m2 * 10_000) for one in of_figure)
        assert 2 * max(one.meters[0].months[OCTOBER][0] for one in of_figure) <= found.amount
    if shown and None not in shown:
        assert {one.building for one in whole} == shown.keys()

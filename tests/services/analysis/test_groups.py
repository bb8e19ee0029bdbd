"""The groups that may be published, and what subtracting published figures from each other can give."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.floor import FLOOR, Contribution, may_stand_alone, rounded_count
from core.services.analysis.groups import (
    ALL,
    Cells,
    Group,
    groups_of,
    published,
    quantile,
)

CLASSES = ("SMALL", "MIDDLE", "LARGE")


def one(dwelling_id: int, amount: int = 10) -> Contribution:
    return Contribution(dwelling_id, (amount,), (amount,))


def cells(*counts: tuple[int, str, int]) -> Cells:
    """So many dwellings of a residence in a class, each with an id of its own."""
    return {
        (residence, name): [one(1000 * residence + 100 * CLASSES.index(name) + n) for n in range(count)]
        for residence, name, count in counts
    }


def shown(groups: list[Group]) -> list[tuple[int | None, tuple[str, ...], int]]:
    return [(group.residence_id, group.classes, len(group.contributions)) for group in groups]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([(1, "SMALL", 5), (1, "LARGE", 6)], [(1, ("SMALL",), 5), (1, ("LARGE",), 6)]),
        ([(1, "SMALL", 4), (1, "LARGE", 6)], [(1, ("SMALL", "LARGE"), 10)]),
        ([(1, "SMALL", 6), (1, "LARGE", 4)], [(1, ("SMALL", "LARGE"), 10)]),
        ([(1, "SMALL", 4)], []),
        ([(1, "SMALL", 4), (2, "SMALL", 1)], [(None, ("SMALL",), 5)]),
        ([(1, "SMALL", 9), (2, "SMALL", 4)], [(1, ("SMALL",), 9)]),
        ([(1, "SMALL", 2), (1, "MIDDLE", 2), (1, "LARGE", 2)], [(1, ("SMALL", "MIDDLE", "LARGE"), 6)]),
    ],
)
def test_classes_are_joined_until_they_reach_the_floor(
    counts: list[tuple[int, str, int]], expected: list[tuple[int | None, tuple[str, ...], int]]
) -> None:
    """Small residences are pooled; a pool below the floor is left out of everything, the operator too."""
    assert shown(groups_of(cells(*counts), CLASSES)) == expected


def test_no_dwelling_dominates() -> None:
    """Four empty homes and a family are a statement about the family: they join others, or are left out."""
    family = {(1, "SMALL"): [one(1, 8_000), *(one(n, 0) for n in range(2, 6))]}
    assert groups_of(family, CLASSES) == []
    beside = {**family, (1, "LARGE"): [one(n, 3_000) for n in range(10, 15)]}
    assert shown(groups_of(beside, CLASSES)) == [(1, ("SMALL", "LARGE"), 10)]


def test_one_dwelling_with_many_rows_is_one() -> None:
    """Five leaks of one home are no group of five."""
    assert not may_stand_alone([Contribution(1, (), (1,))] * 5)


amounts = st.integers(0, 40)
populations = st.dictionaries(
    st.tuples(st.integers(1, 4), st.sampled_from(CLASSES)), st.lists(amounts, max_size=9), max_size=10
)


@given(populations)
def test_no_difference_of_published_sets_is_below_the_floor(
    population: dict[tuple[int, str], list[int]],
) -> None:
    """Whatever is published, subtracted or intersected, is nobody or at least five, none above half."""
    known = {}
    dwelling_id = 0
    for key, values in population.items():
        known[key] = [one(dwelling_id + n, value) for n, value in enumerate(values)]
        dwelling_id += len(values)
    groups = groups_of(known, CLASSES)
    seen = [contribution.dwelling_id for group in groups for contribution in group.contributions]
    assert len(seen) == len(set(seen))

    by_id = {some.dwelling_id: some for values in known.values() for some in values}
    sets = {frozenset(some.dwelling_id for some in union.contributions) for union in published(groups)}
    for _ in range(2):  # differences of differences, too
        made = {part for a, b in combinations(sets, 2) for part in (a - b, b - a, a & b)}
        sets |= set(list(made - {frozenset()})[:60])
    assert all(may_stand_alone([by_id[number] for number in members]) for members in sets)


def test_five_minus_four() -> None:
    """The operator less its residences is no group of four: residences that are too small are in neither."""
    groups = groups_of(cells((1, "SMALL", 9), (2, "SMALL", 7), (3, "SMALL", 4)), CLASSES)
    sizes = {(union.residence_id, union.classes): len(union.contributions) for union in published(groups)}
    assert sizes[None, (ALL,)] - sizes[1, (ALL,)] - sizes[2, (ALL,)] == 0


def test_a_class_of_the_operator_has_no_homes_that_their_residence_hides() -> None:
    """14 small homes of the operator, less the 10 of one residence, would be the 4 that the other joined."""
    groups = groups_of(cells((1, "SMALL", 4), (1, "LARGE", 9), (2, "SMALL", 10)), CLASSES)
    sizes = {(union.residence_id, union.classes): len(union.contributions) for union in published(groups)}
    assert sizes[None, ("SMALL",)] == sizes[2, ("SMALL",)] == 10
    assert sizes[None, ("SMALL", "LARGE")] == sizes[1, ("SMALL", "LARGE")] == 13


@pytest.mark.parametrize(
    ("count", "share", "is_shown"),
    [
        (9, 0.5, False),
        (10, 0.5, True),
        (16, 0.25, False),
        (19, 0.25, True),
        (40, 0.1, False),
        (44, 0.9, True),
    ],
)
def test_a_quantile_has_five_on_both_sides(count: int, share: float, *, is_shown: bool) -> None:
    """An upper decile of ten homes would be about the one above it."""
    assert (quantile(range(count), share) is not None) is is_shown


@given(st.lists(st.integers(0, 10_000), min_size=FLOOR, max_size=120), st.sampled_from([0.1, 0.25, 0.5, 0.9]))
def test_a_quantile_is_a_mean_of_five(values: list[int], share: float) -> None:
    """It lies between values that have at least three of the group's on either side, and is not one of them
    by itself.
    """
    found = quantile(values, share)
    if found is not None:
        ordered = sorted(values)
        assert ordered[2] <= found <= ordered[-3]
    moved = [value + 100 for value in values]
    again = quantile(moved, share)
    assert (again is None) == (found is None)
    assert found is None or again == pytest.approx(found + 100)


def test_the_median_of_eleven_is_none_of_them() -> None:
    """0, 1, 4, 9 ... 100: the mean of the middle five, 9 to 49, and not the 25 of the sixth home."""
    assert quantile([n * n for n in range(11)], 0.5) == (9 + 16 + 25 + 36 + 49) / 5


def test_counts_are_rounded() -> None:
    """To five; nobody sees a dwelling come or go."""
    assert [rounded_count(n) for n in (5, 7, 8, 12, 13, 101)] == [5, 5, 10, 10, 15, 100]

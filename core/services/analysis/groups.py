"""Groups of dwellings that may be published: at least five, none of which has more than half of an amount.

In: what each dwelling of an operator contributes to a statistic, by residence and class. Out: groups that
do not overlap. The one rule: whatever is published is a group or a union of groups of one grouping.
Differences and intersections of such unions are unions of groups again, so nobody can take two published
figures and subtract their way to fewer than five dwellings (docs/analysts.md).

Within a residence, neighbouring classes are joined until they reach the floor. Residences that do not reach
it as a whole are pooled and grouped alike, without their names; a pool that does not reach it either is
left out of everything.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

from core.access.floor import FLOOR, Contribution, may_stand_alone

ALL: Final = "ALL"


Cells = Mapping[tuple[int, str], Sequence[Contribution]]
"""Contributions by residence and class."""


@dataclass(frozen=True, slots=True)
class Group:
    """Dwellings of one residence (None: of several small ones) in neighbouring classes."""

    residence_id: int | None
    classes: tuple[str, ...]
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """A union of groups: of a residence or of the whole operator (None), in some classes or in all."""

    residence_id: int | None
    classes: tuple[str, ...]
    contributions: tuple[Contribution, ...]


def groups_of(cells: Cells, classes: Sequence[str]) -> list[Group]:
    """The groups of an operator.

    Args:
        cells: what contributes.
        classes: every class of the cells, in the order in which neighbours are joined.
    """
    found: list[Group] = []
    pool: dict[str, list[Contribution]] = {}
    for residence_id in sorted({residence for residence, _ in cells}):
        of_residence = {name: cells.get((residence_id, name), ()) for name in classes}
        joined = list(_joined(of_residence, residence_id))
        found += joined
        if not joined:
            for name, some in of_residence.items():
                pool.setdefault(name, []).extend(some)
    return found + list(_joined(pool, None))


def _joined(cells: Mapping[str, Sequence[Contribution]], residence_id: int | None) -> Iterator[Group]:
    """Neighbouring classes joined until each group reaches the floor; what is left over joins the last."""
    done: list[tuple[list[str], list[Contribution]]] = []
    names: list[str] = []
    waiting: list[Contribution] = []
    for name, some in cells.items():
        if not some:
            continue
        names.append(name)
        waiting.extend(some)
        if may_stand_alone(waiting):
            done.append((names, waiting))
            names, waiting = [], []
    if waiting and done:
        done[-1][0].extend(names)
        done[-1][1].extend(waiting)
        while not may_stand_alone(done[-1][1]) and len(done) > 1:
            names, waiting = done.pop()
            done[-1][0].extend(names)
            done[-1][1].extend(waiting)
        if not may_stand_alone(done[-1][1]):
            return
    for kept, of_group in done:
        yield Group(residence_id, tuple(kept), tuple(of_group))


def published(groups: Sequence[Group]) -> list[Published]:
    """All that is published of a grouping: each residence and the operator, by classes and as a whole."""
    unions: dict[tuple[int | None, tuple[str, ...]], list[Contribution]] = {}
    for group in groups:
        for residence_id in {group.residence_id, None}:
            for classes in (group.classes, (ALL,)):
                unions.setdefault((residence_id, classes), []).extend(group.contributions)
    return [Published(*key, tuple(some)) for key, some in unions.items()]


def quantile(values: Sequence[int], share: float) -> float | None:
    """The amount below which a share of the values lies, as the mean of the five or six values around it:
    no figure is one dwelling's own. None where fewer than five values lie on one of its sides.
    """
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below, above = floor(place), ceil(place)
    if below + 1 < FLOOR or len(ordered) - 1 - below < FLOOR:
        return None
    around = ordered[below - FLOOR // 2 : above + FLOOR // 2 + 1]
    return sum(around) / len(around)

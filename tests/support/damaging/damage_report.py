"""What damaged lines changed: every figure beside that of the true lines alone, by line format.

In: the tables after the true lines, and after the true and the damaged ones. Out: per format the wrong hours,
days and alerts, the true readings that were lost and the false ones that count. The one rule: what stands
beside an undetectable reading is counted apart, and everything else is wrong.
"""

from bisect import bisect_left
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from core.consumption.plausibility import Evidence
from core.consumption.register import BACKFLOW_LIMIT
from core.consumption.volumes import MAX_HOURLY_GAP_S
from tests.support.damaging.damage import HOUR_S, Household
from tests.support.damaging.damaged_lines import UNTIMED, Figures, Shape, shape_of

_NEAR_S = 2 * HOUR_S
_SAME_S = 30
"""By which a line without a time may be laid otherwise, since another was laid before it."""


@dataclass(slots=True)
class Difference:
    """How the figures of one format differ.

    Attributes:
        undetectable: false readings that count, between their true neighbours, which nothing can tell from
            true ones: of no check, a check of the first block, or a gateway's that came before the damage.
            Before all true ones only if they show the first one's index, and so change no figure.
        undecided: true readings that do not count since such a one counts beside them, or contradicts them:
            no checksum proves either, and the other one alone would lie between its true neighbours. Nothing
            tells which is false, so neither counts.
        near: hours, days and alerts that differ because of these.
        laid: hours and days that differ by what flows in a few seconds, of lines without a time: where the
            gateway delivered several at once, each has a second of its own. So has an hour that is not
            resolved since its readings lie a second farther apart than the two hours that resolve it.
        wrong_hours, wrong_days, lost, false, alerts: all else that differs.
    """

    undetectable: int = 0
    undecided: int = 0
    near: int = 0
    laid: int = 0
    wrong_hours: list[tuple] = field(default_factory=list)
    wrong_days: list[tuple] = field(default_factory=list)
    lost: list[tuple] = field(default_factory=list)
    false: list[tuple] = field(default_factory=list)
    alerts: list[tuple] = field(default_factory=list)

    @property
    def wrong(self) -> list[tuple]:
        """Everything that a check could have kept right."""
        return [*self.wrong_hours, *self.wrong_days, *self.lost, *self.false, *self.alerts]


def compare(truth: Figures, found: Figures, homes: Sequence[Household]) -> dict[Shape, Difference]:
    """The differences by format."""
    places = {home.meter.address: place for place, home in enumerate(homes)}
    shapes = {one: shape_of(places[address]) for one, address in truth.addresses.items()}
    differences = {shape: Difference() for shape in Shape}
    for one, shape in shapes.items():
        _compare_meter(differences[shape], one, shape, _of(truth, one), _of(found, one))
    return differences


def _of(figures: Figures, one: int) -> Figures:
    """The rows of one meter."""
    tables = {
        name: {key: value for key, value in getattr(figures, name).items() if key[0] == one}
        for name in ("reading", "hourly", "daily", "doubtful")
    }
    return replace(figures, **tables)


def _compare_meter(difference: Difference, one: int, shape: Shape, truth: Figures, found: Figures) -> None:
    near = _compare_readings(difference, one, shape, truth, found)
    for at, amounts in _differing(truth.hourly, found.hourly):
        if _is_near(at, near):
            difference.near += 1
        elif shape in UNTIMED and (_is_a_second(*amounts, hours=1) or _is_torn(at, amounts, found)):
            difference.laid += 1
        else:
            difference.wrong_hours.append((one, at, *amounts))
    days = {
        int(f"{datetime.fromtimestamp(at, UTC) + timedelta(hours=shift):%Y%m%d}")
        for at in near
        for shift in (-2, 0, 4)
    }
    for day, amounts in _differing(truth.daily, found.daily):
        before, after = (None if one is None else one[0] for one in amounts)
        if day in days:
            difference.near += 1
        elif shape in UNTIMED and _is_a_second(before, after, hours=24):
            difference.laid += 1
        else:
            difference.wrong_days.append((one, day, *amounts))
    for name in ("alerts", "episodes"):
        ours = {row for row in getattr(truth, name) ^ getattr(found, name) if row[0] == str(one)}
        if near:
            difference.near += len(ours)
        else:
            difference.alerts += [(name, row in getattr(found, name), *row) for row in sorted(ours)]


def _compare_readings(
    difference: Difference, one: int, shape: Shape, truth: Figures, found: Figures
) -> list[int]:
    """Compare what counts; answers the moments beside which figures may differ."""
    true_ones = sorted((at, *row) for (_, at), row in truth.reading.items())
    counted = sorted((at, *row) for (_, at), row in found.reading.items())
    near: list[int] = []
    stored_at: dict[int, int] = {}
    others: list[tuple[int, int, int]] = []
    for at, index, evidence in counted:
        own = _same(true_ones, at, index, _SAME_S if shape in UNTIMED else 0, stored_at)
        if own is None:
            others.append((at, index, evidence))
        else:
            stored_at[own] = at
    as_stored = sorted((stored_at.get(at, at), index) for at, index, _ in true_ones)
    for at, index, evidence in others:
        if _is_undetectable(as_stored, at, index, evidence):
            difference.undetectable += 1
            near.append(at)
        else:
            difference.false.append((one, at, index, Evidence(evidence).name))
    for at, index, evidence in true_ones:
        if at in stored_at:
            continue
        if _is_near(at, near) or _has_rival(as_stored, found, at, index, evidence):
            difference.undecided += 1
            near.append(at)
        else:
            around = [row for row in counted if abs(row[0] - at) <= _SAME_S]
            difference.lost.append((one, at, index, found.doubtful.get((one, at, index)), around))
    return near


def _has_rival(
    true_ones: Sequence[tuple[int, int]], found: Figures, at: int, index: int, evidence: int
) -> bool:
    """Whether a false reading contradicts a true one, and would be undetectable if it were not there."""
    others = [row for row in true_ones if row != (at, index)]
    beside = (
        (moment, other, proof)
        for (_, moment, other), (_, proof, _) in found.doubtful.items()
        if abs(moment - at) <= _NEAR_S and (moment, other) not in true_ones and other != index
    )
    return evidence < Evidence.LINK_CHECKSUM and any(
        _is_undetectable(others, moment, other, proof, from_first=True)
        and (proof >= evidence if moment == at else (moment < at) == (other > index))
        for moment, other, proof in beside
    )


def _is_near(at: int, near: Sequence[int]) -> bool:
    return any(abs(at - moment) <= _NEAR_S for moment in near)


def _is_torn(at: int, amounts: tuple[int | None, int | None], found: Figures) -> bool:
    """Whether an hour has no amount only since the readings around it lie some seconds too far apart."""
    moments = sorted(moment for _, moment in found.reading)
    place = bisect_left(moments, at + 1)
    if amounts[1] is not None or not 0 < place < len(moments):
        return False
    return MAX_HOURLY_GAP_S < moments[place] - moments[place - 1] <= MAX_HOURLY_GAP_S + _SAME_S


def _is_a_second(before: int | None, after: int | None, *, hours: int) -> bool:
    """Whether two amounts of so many hours differ by what flows in a few seconds."""
    if before is None or after is None:
        return False
    return abs(before - after) <= 2 + max(before, after) // (600 * hours)


def _same(
    true_ones: Sequence[tuple[int, int, int]], at: int, index: int, margin: int, matched: Container[int]
) -> int | None:
    start = bisect_left(true_ones, (at - margin,))
    end = bisect_left(true_ones, (at + margin + 1,))
    found = (moment for moment, other, _ in true_ones[start:end] if other == index and moment not in matched)
    return next(found, None)


def _is_undetectable(
    true_ones: Sequence[tuple[int, int]], at: int, index: int, evidence: int, *, from_first: bool = False
) -> bool:
    """Whether a false reading lies between its true neighbours; `from_first`: or before all of them.

    By as little as a register may run back it may lie beside them, if its gateway says that it is whole.
    """
    if evidence >= Evidence.LINK_CHECKSUM:
        return False
    back = BACKFLOW_LIMIT if evidence == Evidence.GATEWAY_CHECK else 0
    before = [other for moment, other in true_ones if moment < at][-1:]
    after = [other for moment, other in true_ones if moment > at][:1]
    if not after or not (before or from_first or index == after[0]):
        return False
    return index <= after[0] + back and (not before or before[0] - back <= index)


def _differing(true_ones: dict, found: dict) -> list[tuple[int, tuple]]:
    return sorted(
        (key[1], (true_ones.get(key), found.get(key)))
        for key in {*true_ones, *found}
        if true_ones.get(key) != found.get(key)
    )

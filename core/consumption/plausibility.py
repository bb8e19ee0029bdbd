"""Judges which readings of a meter can be right, by the readings around them.

In: the observations of ONE meter over a time: index, moment, and how well each is proved. Out: for each the
doubt about it, or None when it counts. The one rule: a reading counts if every good explanation of all
observations contains it: those as long as the best, and as well proved by checksums. So of two readings that
contradict each other and fit the rest alike neither counts. An explanation is a chain of readings, each
reached from the one before as a working meter can (`Register.moved`); it may break where the register was set
anew, at a price that three readings in a row pay and two do not. The result is a function of the
observations, so neither the order of arrival nor repetition matters, and later readings decide: they confirm
a step or leave it an outlier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from core.consumption.detours import without_detours
from core.consumption.observations import Evidence, Observation, agree, rises
from core.consumption.register import ORDINARY_SHARE, Register

__all__ = ["Doubt", "Evidence", "Extent", "Observation", "is_undisputed", "judge"]


class Doubt(StrEnum):
    """Why a reading does not count."""

    RISE_TOO_FAST = "RISE_TOO_FAST"
    """It rose faster than the meter can run."""
    FALL_UNEXPLAINED = "FALL_UNEXPLAINED"
    """It fell: neither a backflow nor a rollover."""
    CONTRADICTED = "CONTRADICTED"
    """Readings around it, no worse proved, cannot be true with it."""
    CONFLICTING_READING = "CONFLICTING_READING"
    """Another index was reported for the same moment."""
    NOT_CONFIRMED = "NOT_CONFIRMED"
    """Nothing proves the telegram whole, and no neighbour agrees with it yet."""
    WITHDRAWN = "WITHDRAWN"
    """The operator withdrew it."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Whether observations begin with the meter's first one, and end with its latest."""

    from_first: bool = True
    to_latest: bool = True


_WEIGHT: Final = {
    Evidence.NOTHING: 400,
    Evidence.DECRYPTION_CHECK: 403,
    Evidence.GATEWAY_CHECK: 406,
    Evidence.LINK_CHECKSUM: 500,
    Evidence.PAYLOAD_CHECKSUM: 520,
    Evidence.MAC: 540,
    Evidence.ACCEPTED: 1_000_000,
}
_BREAK: Final = 1100
"""More than two of the best proved readings weigh and less than three unproved ones do."""

_ALIKE: Final = 15
"""Explanations that weigh no more less than the best are as good. Less than a reading weighs, or a checksum
of its own; more than a gateway's word, which tells nothing of damage after it, and than a slower course.
"""

_FALL: Final = 60
"""What a fall costs: of two explanations as long the one without it is the better."""

_SLOW_SHARES: Final = (ORDINARY_SHARE, 4 * ORDINARY_SHARE, 16 * ORDINARY_SHARE)
"""A step at no more than these parts of the highest rate weighs one more each: the slower course is the
likelier.
"""

_BELIEVED_SHARE: Final = {
    Evidence.NOTHING: ORDINARY_SHARE,
    Evidence.DECRYPTION_CHECK: ORDINARY_SHARE,
    Evidence.GATEWAY_CHECK: 4,
}
"""Up to which part of its highest rate the latest reading is believed before another confirms it: what
nothing proves, while no burst begins; what a gateway checked, while a dwelling could draw it (1,250 L/h).
"""

_LOOK_BACK: Final = 32
"""How many observations an explanation passes over without a break."""


def judge(
    observations: Sequence[Observation], register: Register, extent: Extent = Extent()
) -> list[Doubt | None]:
    """For each observation, in the order of time, the doubt about it.

    Args:
        observations: of one meter, in the order of time, each (moment, index) once.
        register: what the meter can do.
        extent: what the observations are of the meter's; at an end that others lie beyond, nothing is asked
            of the outermost reading that a neighbour beyond could answer. It counts already.
    """
    if is_undisputed(observations, register, extent):
        return [None] * len(observations)
    alike = _merged(observations)
    counted = _in_every_explanation(observations, register, alike, extent)
    _keep_beginning(observations, counted, register, extent)
    _drop_detours(observations, counted, register, extent)
    _drop_unconfirmed(observations, counted, register, extent)
    return [
        None if counts else _doubt(observations, counted, place, register)
        for place, counts in enumerate(counted)
    ]


def is_undisputed(observations: Sequence[Observation], register: Register, extent: Extent = Extent()) -> bool:
    """Whether all count at a glance: each follows from the one before, and none waits for confirmation."""
    if not all(agree(before, after, register) for before, after in pairwise(observations)):
        return False
    kept = [True] * len(observations)
    _drop_detours(observations, kept, register, extent)
    _drop_unconfirmed(observations, kept, register, extent)
    return all(kept)


def _merged(observations: Sequence[Observation]) -> list[bool]:
    """Marks the lesser of two proved indexes of one moment that differ by a backflow at most: the register
    moved within the second, and the greater is the later.
    """
    passed_over = [False] * len(observations)
    for place, (lesser, greater) in enumerate(pairwise(observations)):
        close = greater.at_s == lesser.at_s and greater.index - lesser.index <= _SAME_SECOND_UNITS
        if close and lesser.evidence is greater.evidence and lesser.evidence >= Evidence.LINK_CHECKSUM:
            passed_over[place] = lesser.evidence is not Evidence.ACCEPTED
    return passed_over


_SAME_SECOND_UNITS: Final = 2


def _in_every_explanation(
    observations: Sequence[Observation], register: Register, passed_over: Sequence[bool], extent: Extent
) -> list[bool]:
    """Whether each observation is in all explanations that are alike: in none of them it is left out.

    At either end of all readings only the best matters, the slower course: the next reading will decide, and
    meanwhile nobody is notified of water that may not have flowed.
    """
    links = _links(observations, register, passed_over)
    weights = _weights(observations, extent)
    until = _best_weights(observations, weights, passed_over, links)
    turned = len(observations) - 1
    since = _best_weights(
        observations[::-1],
        weights[::-1],
        passed_over[::-1],
        [
            [(turned - after, bonus) for after, bonus in ahead]
            for ahead in reversed(_reversed(links, len(observations)))
        ],
    )[::-1]
    best = max(until, default=0)
    enough = best - _ALIKE
    at_first = best if extent.from_first else enough
    at_latest = best if extent.to_latest else enough
    left_out = list(passed_over)
    for after, behind in enumerate(links):
        for before, bonus in behind:
            if after - before > 1 and until[before] + bonus + since[after] >= enough:
                for between in range(before + 1, after):
                    ends = (observations[before], observations[after])
                    left_out[between] |= not any(_yields(end, observations[between]) for end in ends)
    ended = _best_ended(observations, until)
    begun = _best_ended(observations[::-1], since[::-1])[::-1]
    return [
        not out and before < at_latest and after < at_first and before + after - _BREAK < enough
        for out, before, after in zip(left_out, ended, begun, strict=True)
    ]


def _yields(one: Observation, other: Observation) -> bool:
    """Whether an observation yields to another one of its moment, which is better proved."""
    return one.at_s == other.at_s and one.evidence < other.evidence


_Links = list[list[tuple[int, int]]]
"""For each observation the earlier ones that it follows from, and what each link is worth."""


def _links(observations: Sequence[Observation], register: Register, passed_over: Sequence[bool]) -> _Links:
    links: _Links = []
    for place, after in enumerate(observations):
        behind: list[tuple[int, int]] = []
        links.append(behind)
        if passed_over[place]:
            continue
        for earlier in range(max(0, place - _LOOK_BACK), place):
            before = observations[earlier]
            seconds = after.at_s - before.at_s
            if passed_over[earlier] or seconds <= 0:
                continue
            units = register.moved_within(before.index, after.index, seconds)
            if units is not None and units >= 0:
                slow = [register.is_slow(units, seconds, share) for share in _SLOW_SHARES]
                behind.append((earlier, sum(slow)))
            elif agree(before, after, register):
                behind.append((earlier, -_FALL))
    return links


def _reversed(links: _Links, count: int) -> _Links:
    ahead: _Links = [[] for _ in range(count)]
    for place, behind in enumerate(links):
        for earlier, bonus in behind:
            ahead[earlier].append((place, bonus))
    return ahead


def _weights(observations: Sequence[Observation], extent: Extent) -> list[int]:
    """What each observation weighs. An outermost one that others lie beyond speaks for those too: together
    they are worth a break, which the few of them that are among the observations may not be.
    """
    weights = [_WEIGHT[one.evidence] for one in observations]
    if weights and not extent.from_first:
        weights[0] += _BREAK
    if weights and not extent.to_latest:
        weights[-1] += _BREAK
    return weights


def _best_weights(
    observations: Sequence[Observation], own: Sequence[int], passed_over: Sequence[bool], links: _Links
) -> list[int]:
    """For each observation the weight of the best chain that ends with it; 0 for one passed over."""
    weights: list[int] = []
    ended = at_once = 0  # the best chain that ends before this moment, and at it
    for place, one in enumerate(observations):
        if place and observations[place - 1].at_s != one.at_s:
            ended, at_once = max(ended, at_once), 0
        weight = 0
        if not passed_over[place]:
            linked = (weights[other] + bonus for other, bonus in links[place])
            weight = max(ended - _BREAK, 0, *linked) + own[place]
        weights.append(weight)
        at_once = max(at_once, weight)
    return weights


def _best_ended(observations: Sequence[Observation], weights: Sequence[int]) -> list[int]:
    """For each observation the weight of the best chain that ends before it with one that does not yield."""
    found: list[int] = []
    ended = 0
    at_once: list[tuple[Observation, int]] = []
    for one, weight in zip(observations, weights, strict=True):
        if at_once and at_once[-1][0].at_s != one.at_s:
            ended = max(ended, *(other for _, other in at_once))
            at_once = []
        found.append(max([ended, *(other for rival, other in at_once if not _yields(rival, one))]))
        at_once.append((one, weight))
    return found


def _keep_beginning(
    observations: Sequence[Observation], counted: list[bool], register: Register, extent: Extent
) -> None:
    """Mark the first readings of a meter that agree with one another, and the last of which does not agree
    with the first that counts: its register was set anew soon after, and no earlier readings will ever speak
    for them. What the new register shows much later does not contradict them.
    """
    first = counted.index(True) if any(counted) else 0
    beginning = observations[:first]
    if first < _FEWEST_AT_FIRST or not extent.from_first:
        return
    if all(agree(before, after, register) for before, after in pairwise(beginning)) and not agree(
        beginning[-1], observations[first], register
    ):
        counted[:first] = [True] * first


_FEWEST_AT_FIRST: Final = 2


def _drop_detours(
    observations: Sequence[Observation], counted: list[bool], register: Register, extent: Extent
) -> None:
    """Unmark what the register came to and left only by running back (`core.consumption.detours`)."""
    marked = [one for one, counts in zip(observations, counted, strict=True) if counts]
    kept = without_detours(marked, register, from_first=extent.from_first)
    if len(kept) < len(marked):
        left = set(kept)
        counted[:] = [counts and one in left for one, counts in zip(observations, counted, strict=True)]


def _drop_unconfirmed(
    observations: Sequence[Observation], counted: list[bool], register: Register, extent: Extent
) -> None:
    """Unmark what nothing proves and no neighbour confirms.

    A reading between two that count, both linked with it, is confirmed by both. One at an end has one
    neighbour: it confirms an ordinary step; a surprising one waits for the next reading. One that its gateway
    or its decryption vouches for counts while it stands alone.
    """
    places = [place for place, counts in enumerate(counted) if counts]
    for number, place in enumerate(places):
        one = observations[place]
        if one.evidence >= Evidence.LINK_CHECKSUM:
            continue
        before = observations[places[number - 1]] if number else None
        after = observations[places[number + 1]] if number + 1 < len(places) else None
        if (before is None and not extent.from_first) or (after is None and not extent.to_latest):
            continue  # its neighbour lies beyond
        share = _BELIEVED_SHARE[one.evidence]
        behind = before is not None and agree(before, one, register)
        ahead = after is not None and agree(one, after, register)
        if behind and ahead:
            continue
        if behind and before is not None:
            counted[place] = _is_believed(before, one, register, share)
        elif ahead and after is not None:
            counted[place] = _is_believed(one, after, register, share)
        else:
            counted[place] = one.evidence > Evidence.NOTHING or _fits_nearby(observations, place, register)


def _is_believed(before: Observation, after: Observation, register: Register, share: int) -> bool:
    """Whether a step between two that agree needs no third reading: a slow rise, or a fall (`agree`)."""
    moved = register.moved(before, after)
    return moved is None or moved < 0 or register.is_ordinary(before, after, share)


def _fits_nearby(observations: Sequence[Observation], place: int, register: Register) -> bool:
    """Whether an ordinary step leads from or to some observation close by, though it is undecided itself."""
    one = observations[place]
    before = observations[max(0, place - _LOOK_BACK) : place]
    after = observations[place + 1 : place + 1 + _LOOK_BACK]
    return any(other.at_s < one.at_s and register.is_ordinary(other, one) for other in before) or any(
        other.at_s > one.at_s and register.is_ordinary(one, other) for other in after
    )


def _doubt(
    observations: Sequence[Observation], counted: Sequence[bool], place: int, register: Register
) -> Doubt:
    """Why an observation does not count, by the nearest that do."""
    one = observations[place]
    others = [other for other, counts in zip(observations, counted, strict=True) if counts]
    if any(other.at_s == one.at_s for other in others):
        return Doubt.CONFLICTING_READING
    before = next((other for other in reversed(others) if other.at_s < one.at_s), None)
    after = next((other for other in others if other.at_s > one.at_s), None)
    if before is not None and not agree(before, one, register):
        fell = register.moved_units(before.index, one.index) is None
        return Doubt.FALL_UNEXPLAINED if fell else Doubt.RISE_TOO_FAST
    if after is not None and not agree(one, after, register):
        return Doubt.CONTRADICTED
    if any(other is not one and other.at_s == one.at_s for other in observations):
        return Doubt.CONFLICTING_READING
    near = observations[max(0, place - 1) : place + 2]
    if all(rises(earlier, later, register) for earlier, later in pairwise(near)):
        return Doubt.NOT_CONFIRMED
    return Doubt.CONTRADICTED

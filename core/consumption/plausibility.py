"""Judges which readings of a meter can be right, by the readings around them.

In: the observations of ONE meter over a time: index, moment, and how well each is proved. Out: for each the
doubt about it, or None when it counts. The one rule: a reading counts if every best explanation of all
observations contains it. An explanation is a chain of readings, each reached from the one before as a working
meter can (`Register.moved`); it may break where the register was set anew, at a price that three readings in
a row pay and two do not. The result is a function of the observations, so neither the order of arrival nor
repetition matters, and later readings decide: they confirm a step or leave it an outlier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from core.consumption.register import ORDINARY_SHARE, IndexReading, Register


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


class Evidence(IntEnum):
    """What proved the telegram of an observation whole, the weakest first; the numbers are stored."""

    NOTHING = 0
    DECRYPTION_CHECK = 1
    """The first decrypted block, and so a part of it."""
    GATEWAY_CHECK = 2
    """The gateway says that it checked the link checksums; the line may have been damaged since."""
    LINK_CHECKSUM = 3
    PAYLOAD_CHECKSUM = 4
    MAC = 5
    ACCEPTED = 6
    """The operator says that it is right."""


@dataclass(frozen=True, slots=True)
class Observation:
    """An index that was reported: when (UTC epoch seconds), what (smallest unit), and what proved it."""

    at_s: int
    index: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Extent:
    """Whether observations begin with the meter's first one, and end with its latest."""

    from_first: bool = True
    to_latest: bool = True


_WEIGHT: Final = {
    Evidence.NOTHING: 40,
    Evidence.DECRYPTION_CHECK: 45,
    Evidence.GATEWAY_CHECK: 47,
    Evidence.LINK_CHECKSUM: 50,
    Evidence.PAYLOAD_CHECKSUM: 51,
    Evidence.MAC: 52,
    Evidence.ACCEPTED: 100_000,
}
_BREAK: Final = 110
"""More than two of the best proved readings weigh and less than three unproved ones do."""

_SLOW_SHARES: Final = (ORDINARY_SHARE, 4 * ORDINARY_SHARE, 16 * ORDINARY_SHARE)
"""A step at no more than these parts of the highest rate weighs one more each: of two readings that cannot
both be true, the slower course is the likelier. It decides where nothing else does.
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
            of the outermost reading that a neighbour beyond could answer.
    """
    if is_undisputed(observations, register, extent):
        return [None] * len(observations)
    alike = _merged(observations)
    counted = _in_every_explanation(observations, register, alike)
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


def agree(before: Observation, after: Observation, register: Register) -> bool:
    """Whether two observations can both be true of a register that nobody set anew.

    A fall is believed where both were checked, by their gateways at least: by a little, as a series forgives
    it, or by what runs back no faster than it ordinarily runs. Of readings that may be damaged one is more
    likely wrong.
    """
    if before.at_s >= after.at_s:
        return False
    moved = register.moved(_reading(before), _reading(after))
    if moved is not None and moved >= 0:
        return True
    if min(before.evidence, after.evidence) < Evidence.GATEWAY_CHECK:
        return False
    return moved is not None or register.is_ordinary(
        IndexReading(before.at_s, after.index), IndexReading(after.at_s, before.index)
    )


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
    observations: Sequence[Observation], register: Register, passed_over: Sequence[bool]
) -> list[bool]:
    """The longest weighted chain, forwards and backwards, and how many of the best pass each observation."""
    links = _links(observations, register, passed_over)
    forwards = _best_chains(observations, passed_over, links)
    turned = len(observations) - 1
    backwards = _best_chains(
        observations[::-1],
        passed_over[::-1],
        [
            [(turned - after, bonus) for after, bonus in ahead]
            for ahead in reversed(_reversed(links, len(observations)))
        ],
    )[::-1]
    best = max((chain.weight for chain in forwards), default=0)
    ways = sum(chain.ways for chain in forwards if chain.weight == best)
    return [
        not passed
        and ahead.weight + behind.weight - _WEIGHT[one.evidence] == best
        and ahead.ways * behind.ways == ways
        for one, passed, ahead, behind in zip(observations, passed_over, forwards, backwards, strict=True)
    ]


class _Chain(NamedTuple):
    """The weight of the best chain that ends here, and the number of chains that have it."""

    weight: int
    ways: int


_Links = list[list[tuple[int, int]]]
"""For each observation the earlier ones that it follows from, and what each link is worth."""


def _links(observations: Sequence[Observation], register: Register, passed_over: Sequence[bool]) -> _Links:
    links: _Links = []
    for place, after in enumerate(observations):
        behind: list[tuple[int, int]] = []
        for earlier in range(max(0, place - _LOOK_BACK), place):
            before = observations[earlier]
            if not passed_over[earlier] and not passed_over[place] and agree(before, after, register):
                slow = [
                    register.is_ordinary(_reading(before), _reading(after), share) for share in _SLOW_SHARES
                ]
                behind.append((earlier, sum(slow)))
        links.append(behind)
    return links


def _reversed(links: _Links, count: int) -> _Links:
    ahead: _Links = [[] for _ in range(count)]
    for place, behind in enumerate(links):
        for earlier, bonus in behind:
            ahead[earlier].append((place, bonus))
    return ahead


def _best_chains(
    observations: Sequence[Observation], passed_over: Sequence[bool], links: _Links
) -> list[_Chain]:
    chains: list[_Chain] = []
    earlier = _Chain(0, 1)  # the best that ends before this moment; the empty one breaks for nothing
    same_moment: list[_Chain] = []
    for place, one in enumerate(observations):
        if place and observations[place - 1].at_s != one.at_s:
            earlier = _best([earlier, *same_moment])
            same_moment = []
        if passed_over[place]:
            chains.append(_Chain(-1, 0))
            continue
        begun = _Chain(earlier.weight - _BREAK, earlier.ways) if earlier.weight > _BREAK else _Chain(0, 1)
        linked = [_Chain(chains[other].weight + bonus, chains[other].ways) for other, bonus in links[place]]
        before = _best([begun, *linked])
        chain = _Chain(before.weight + _WEIGHT[one.evidence], before.ways)
        chains.append(chain)
        same_moment.append(chain)
    return chains


def _best(chains: Sequence[_Chain]) -> _Chain:
    weight = max(chain.weight for chain in chains)
    return _Chain(weight, sum(chain.ways for chain in chains if chain.weight == weight))


def _keep_beginning(
    observations: Sequence[Observation], counted: list[bool], register: Register, extent: Extent
) -> None:
    """Mark the first readings of a meter that agree with one another and with none of those that count: its
    register was set anew soon after, and no earlier readings will ever speak for them.
    """
    first = counted.index(True) if any(counted) else 0
    beginning = observations[:first]
    if first < _FEWEST_AT_FIRST or not extent.from_first:
        return
    if all(agree(before, after, register) for before, after in pairwise(beginning)) and not any(
        agree(one, other, register)
        for one in beginning
        for other, counts in zip(observations[first:], counted[first:], strict=True)
        if counts
    ):
        counted[:first] = [True] * first


_FEWEST_AT_FIRST: Final = 2


def _drop_detours(
    observations: Sequence[Observation], counted: list[bool], register: Register, extent: Extent
) -> None:
    """Unmark what its gateway alone vouches for, and the register came to and left only by running back.

    Where the reading after it follows from the one before it as a rise, one damaged line is likelier than
    water that ran back as far as it had risen, or the reverse. So is one before all others, if the next two
    rise and lie below it.
    """
    places = [place for place, counts in enumerate(counted) if counts]
    kept: list[Observation | None] = [None] if extent.from_first else []
    for number, place in enumerate(places):
        one = observations[place]
        before = kept[-1] if kept else one
        after = observations[places[number + 1]] if number + 1 < len(places) else None
        if one.evidence < Evidence.LINK_CHECKSUM and after is not None:
            falls = _falls(one, after, register)
            if before is None:
                third = observations[places[number + 2]] if number + 2 < len(places) else None
                is_detour = (
                    falls
                    and third is not None
                    and _rises(after, third, register)
                    and not _rises(one, third, register)
                )
            else:
                is_detour = (falls or _falls(before, one, register)) and _rises(before, after, register)
            if is_detour:
                counted[place] = False
                continue
        kept.append(one)


def _falls(before: Observation, after: Observation, register: Register) -> bool:
    """Whether the register ran back by more than a series forgives."""
    return register.moved_units(before.index, after.index) is None


def _rises(before: Observation, after: Observation, register: Register) -> bool:
    moved = register.moved(_reading(before), _reading(after))
    return moved is not None and moved >= 0


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
    moved = register.moved(_reading(before), _reading(after))
    return moved is None or moved < 0 or register.is_ordinary(_reading(before), _reading(after), share)


def _fits_nearby(observations: Sequence[Observation], place: int, register: Register) -> bool:
    """Whether an ordinary step leads from or to some observation close by, though it is undecided itself."""
    one = observations[place]
    before = observations[max(0, place - _LOOK_BACK) : place]
    after = observations[place + 1 : place + 1 + _LOOK_BACK]
    return any(
        other.at_s < one.at_s and register.is_ordinary(_reading(other), _reading(one)) for other in before
    ) or any(
        other.at_s > one.at_s and register.is_ordinary(_reading(one), _reading(other)) for other in after
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
    if all(other is one or _agree_either_way(other, one, register) for other in near):
        return Doubt.NOT_CONFIRMED
    return Doubt.CONTRADICTED


def _agree_either_way(one: Observation, other: Observation, register: Register) -> bool:
    earlier, later = (one, other) if one.at_s < other.at_s else (other, one)
    return agree(earlier, later, register)


def _reading(observation: Observation) -> IndexReading:
    return IndexReading(observation.at_s, observation.index)

"""Recurring draws: bursts that readings show at about the same hour, time after time, such as watering.

In: the sightings of a meter, and the draws found in them so far. Out: the draws, and which of them recur. The
one rule: the first of a kind is notified, and what is clearly larger, longer or at another hour is always a
first of its kind. A draw that the meter itself reported as a burst belongs to no kind, and neither does one
that runs longer than anybody waters a garden: a broken pipe must not become a habit.

A draw's hour is a civil one of the residence, since a timer follows the clock on the wall.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from core.alerting.conditions import DAY_S, Sighting, burst_since, drawn_between
from core.consumption.register import Register
from core.metering import StatusFlag

_HOUR_S = 3600
_DAY_MIN = 24 * 60

SAME_HOUR_MIN = 90
"""Two draws begin at about the same hour: hourly readings alone make an hour of difference."""

GROWN = Fraction(3, 2)
"""A draw is beyond its kind when flow or duration is greater by more than half."""

LONGEST_DRAW_S = 6 * _HOUR_S
"""What runs longer is no draw of a habit."""

LONGEST_PAUSE_S = 31 * DAY_S
"""A draw after a longer pause is a first one again, unless the resident knows this kind."""

_EDGE_SHARE = Fraction(1, 4)
"""An interval at either end with less than this share of the highest flow is not part of the draw."""


class DrawAnswer(StrEnum):
    """What somebody answered to "is this yours?"."""

    MINE = "MINE"
    NOT_MINE = "NOT_MINE"


@dataclass(frozen=True, slots=True)
class Draw:
    """A burst that readings show.

    Attributes:
        shown_from_s: the first reading that shows it.
        shown_until_s: the last one so far.
        ended_s: the first reading that no longer shows it; None while there is none.
        started_s: where the flow began, as far as readings tell.
        litres: all of it.
        flow_lph: the mean flow of its highest two hours.
        reported: whether the meter's own flag reported a burst meanwhile.
    """

    shown_from_s: int
    shown_until_s: int
    ended_s: int | None
    started_s: int
    litres: int
    flow_lph: int
    reported: bool

    @property
    def duration_s(self) -> int:
        """How long it ran at that flow, which does not depend on where the readings cut it."""
        return self.litres * _HOUR_S // self.flow_lph

    def minute_of_day(self, zone: ZoneInfo) -> int:
        """When it began, in minutes of the civil day."""
        began = datetime.fromtimestamp(self.started_s, UTC).astimezone(zone)
        return began.hour * 60 + began.minute


def draws(sightings: Sequence[Sighting], *, register: Register, from_s: int) -> list[Draw]:
    """The draws among the sightings from a moment on; those before it are only compared with."""
    found: list[Draw] = []
    shown: list[tuple[int, int]] = []
    for number, sighting in enumerate(sightings):
        if sighting.at_s < from_s:
            continue
        since = burst_since(sightings, number, register)
        if since is not None:
            shown.append((since, number))
        elif shown:
            found.append(_draw(sightings, shown, sighting.at_s, register))
            shown = []
    if shown:
        found.append(_draw(sightings, shown, None, register))
    return found


def _draw(
    sightings: Sequence[Sighting],
    shown: Sequence[tuple[int, int]],
    ended_s: int | None,
    register: Register,
) -> Draw:
    first, last = shown[0][0], shown[-1][1]
    parts = [
        drawn_between(sightings[number], sightings[number + 1], register) for number in range(first, last)
    ]
    flows = [Fraction(part.litres * _HOUR_S, part.seconds) for part in parts]
    high = [number for number, flow in enumerate(flows) if flow >= _EDGE_SHARE * max(flows)]
    windows = (drawn_between(sightings[since], sightings[number], register) for since, number in shown)
    return Draw(
        shown_from_s=sightings[shown[0][1]].at_s,
        shown_until_s=sightings[last].at_s,
        ended_s=ended_s,
        started_s=sightings[first + high[0]].at_s,
        litres=sum(part.litres for part in parts[high[0] : high[-1] + 1]),
        flow_lph=max(window.litres * _HOUR_S // window.seconds for window in windows),
        reported=any(StatusFlag.BURST in one.flags for one in sightings[first : last + 1]),
    )


def kinds(found: Sequence[Draw], *, zone: ZoneInfo, known: Collection[int] = ()) -> list[list[int]]:
    """The draws of each kind, by their numbers in the sequence: the first of each is notified.

    Args:
        found: of one meter and one occupancy, in the order of time.
        zone: of the residence.
        known: the numbers of draws of a kind that the resident knows.
    """
    groups: list[list[int]] = []
    for number, draw in enumerate(found):
        if draw.reported or draw.duration_s > LONGEST_DRAW_S:
            continue
        for group in groups:
            members = [found[one] for one in group]
            if _is_of_kind(draw, members, zone=zone, known=any(one in known for one in group)):
                group.append(number)
                break
        else:
            groups.append([number])
    return groups


def _is_of_kind(draw: Draw, members: Sequence[Draw], *, zone: ZoneInfo, known: bool) -> bool:
    """Whether a draw fits those before it.

    Two make a kind if they resemble each other; what comes later may be smaller, and is not beyond the larger
    of those two. A draw that still runs may become as large as the first, so it is only not to be larger.
    """
    first, last = members[0], members[-1]
    if not known and draw.started_s - last.shown_until_s > LONGEST_PAUSE_S:
        return False
    apart = abs(draw.minute_of_day(zone) - first.minute_of_day(zone))
    if min(apart, _DAY_MIN - apart) > SAME_HOUR_MIN:
        return False
    flow, duration = usual_size(members)
    if draw.flow_lph > GROWN * flow or draw.duration_s > GROWN * duration:
        return False
    if len(members) > 1 or draw.ended_s is None:
        return True
    return draw.flow_lph * GROWN >= flow and draw.duration_s * GROWN >= duration


def usual_size(members: Sequence[Draw]) -> tuple[int, int]:
    """The flow in litres an hour and the seconds of a kind: of the larger of its first two draws."""
    return max(one.flow_lph for one in members[:2]), max(one.duration_s for one in members[:2])

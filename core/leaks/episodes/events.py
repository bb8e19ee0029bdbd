"""The events to notify when a meter's recomputed episodes replace the stored ones.

In: the episodes before and after. Out: the events between them, oldest first. The one rule: an event is
reported once; recomputing the same data, or data that only moves a day or a loss, yields none. A level-down
is no event.

Episodes are paired by their start; one whose start a correction moved is paired with the one it overlaps. An
episode that a correction removed has no event and is in `paired` only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.leaks.episodes.episode import Episode, Segment, SegmentReason


class EventKind(StrEnum):
    """What happened to an episode."""

    OPENED = "OPENED"
    LEVEL_UP = "LEVEL_UP"
    CLOSED = "CLOSED"
    REOPENED = "REOPENED"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the episode that began on `started_on`; it happened on `day`.

    `level` is the level reached, for CLOSED the highest of the episode. `key` is the same each time the same
    event is found on the same meter, so that with the meter's identity it makes an outbox row idempotent.
    """

    kind: EventKind
    started_on: date
    level: int
    day: date
    key: str


@dataclass(frozen=True, slots=True)
class _Run:
    """An episode from one opening to its closing: the segments between two reopenings."""

    number: int
    segments: tuple[Segment, ...]

    @property
    def level(self) -> int:
        return max(segment.level for segment in self.segments)

    @property
    def ended_on(self) -> date | None:
        return self.segments[-1].ended_on


def events(before: Sequence[Episode], after: Sequence[Episode]) -> list[Event]:
    """The events by which `after` differs from `before`: both of one meter, oldest first.

    With nothing before, the whole history is events; the caller decides by `day` whether old ones are still
    worth a message.
    """
    return [event for old, new in paired(before, after) if new for event in _between(old, new)]


def paired(
    before: Sequence[Episode], after: Sequence[Episode]
) -> list[tuple[Episode | None, Episode | None]]:
    """Which stored episode each recomputed one replaces: those of `after` in order, then the removed ones."""
    left = list(before)
    found: dict[date, Episode] = {}
    for same in (_same_start, _overlap):
        for new in after:
            old = next((old for old in left if same(old, new)), None)
            if new.started_on not in found and old is not None:
                left.remove(old)
                found[new.started_on] = old
    pairs: list[tuple[Episode | None, Episode | None]] = [(found.get(new.started_on), new) for new in after]
    return pairs + [(old, None) for old in left]


def _same_start(one: Episode, other: Episode) -> bool:
    return one.started_on == other.started_on


def _overlap(one: Episode, other: Episode) -> bool:
    return one.started_on < (other.ended_on or date.max) and other.started_on < (one.ended_on or date.max)


def _runs(episode: Episode) -> list[_Run]:
    """The episode cut where it was reopened."""
    starts = [at for at, part in enumerate(episode.segments) if part.reason is not SegmentReason.LEVEL_UP]
    ends = [*starts[1:], len(episode.segments)]
    return [
        _Run(number, episode.segments[start:end])
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def _between(old: Episode | None, new: Episode) -> Iterator[Event]:
    reported = _runs(old) if old else []
    runs = _runs(new)
    for run in runs:
        # Where a correction joined runs, the last new one replaces all old ones from its number on.
        known = reported[run.number :] if run is runs[-1] else reported[run.number : run.number + 1]
        was_closed_on = known[-1].ended_on if known else None
        first = run.segments[0]
        if not known:
            kind = EventKind.REOPENED if run.number else EventKind.OPENED
            yield _event(new, kind, run, first.level, first.started_on)
        elif was_closed_on and not run.ended_on:
            yield _event(new, EventKind.REOPENED, run, new.level_now, was_closed_on)
        received = max((part.level for part in known), default=first.level)
        for segment in run.segments:
            if segment.level > received:
                yield _event(new, EventKind.LEVEL_UP, run, segment.level, segment.started_on)
                received = segment.level
        if run.ended_on and not was_closed_on:
            yield _event(new, EventKind.CLOSED, run, new.level_max, run.ended_on)


def _event(episode: Episode, kind: EventKind, run: _Run, level: int, day: date) -> Event:
    """The key names the run; a rise names its level too, an end its day, since an end may be undone."""
    detail = {EventKind.LEVEL_UP: f":{level}", EventKind.CLOSED: f":{day}"}.get(kind, "")
    key = f"{episode.started_on}:{kind.lower()}:{run.number}{detail}"
    return Event(kind, episode.started_on, level, day, key)

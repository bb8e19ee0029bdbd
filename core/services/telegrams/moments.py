"""Moments of lines that carry none: increasing in the order of their delivery, the last at the reception.

In: the texts of a delivery, or a batch's untimed telegrams. Out: lines in batches with the moments laid for
them, or the telegrams with moments of their own. The one rule: of one meter no two untimed telegrams share
a second, each comes after all that were received before it, and the newest is the last; what becomes a dead
letter keeps its moment, so that a replay finds its place. A line of a simulation file, `+SECONDS`, is laid
by its distance from the largest of its delivery, which is the reception's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice, repeat
from operator import add, attrgetter
from typing import Final

from msgspec.structs import replace
from tortoise.backends.base.client import TransactionalDBClient

from core.consumption.register import CLOCK_TOLERANCE_S, ORDINARY_SHARE, IndexReading, Register
from core.metering import is_blank, simulation_seconds
from core.models import TelegramState
from core.services.places.meter_states import MeterState
from core.services.shared import columns, time_series
from core.services.telegrams.dead_letters import KnownLine
from core.services.telegrams.decoding import ReceivedLine, Reported, Unusable

_MICROSECOND = timedelta(microseconds=1)

REPLAY_STEPS_S = 300
"""How far a replayed telegram may be moved to find a free second; beyond it is a conflict."""

_LONGEST_STEP_S = 86_400
"""No further apart are two telegrams laid: a rise that needs longer is for the judgement of readings."""

_LINES_OF_A_FILE = 4
"""With fewer of a known meter a delivery is a gateway's of this moment: its lines are not moved apart, since
one that is false would move the true ones.
"""

_LONGEST_LEAD_S = 300
"""No further after its reception is one laid. A rise that needs longer is for the judgement of readings: one
false line would be refused for its time, and every true one that follows it.
"""

_RECENT_DEAD_LETTERS = 10_000
"""How many of the newest rows are searched for what else was received of the same senders."""


@dataclass(frozen=True, slots=True)
class Span:
    """How much room the untimed lines of a delivery need: their number, and the largest `+SECONDS`."""

    untimed: int = 0
    seconds: int | None = None

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Span":
        """The span of lines that are all there."""
        untimed, seconds = 0, None
        for text in texts:
            if _seems_untimed(text):
                untimed += 1
                own = simulation_seconds(text)
                if own is not None:
                    seconds = max(own, seconds or 0)
        return cls(untimed, seconds)

    @property
    def length(self) -> timedelta:
        """The time in which all lines find a second of their own."""
        return timedelta(seconds=max(self.untimed, self.seconds or 0))


def _seems_untimed(text: str) -> bool:
    """Whether a line probably has no time; a wrong guess leaves more or less room, and changes no order."""
    return _has_no_time(text) and not is_blank(text)


def _has_no_time(text: str) -> bool:
    return ";" not in text and "time" not in text and "received_at" not in text


def in_batches(
    texts: Iterable[str],
    *,
    size: int,
    now: datetime,
    ends_at: datetime,
    operator_id: int | None,
    span: Span | None = None,
) -> Iterator[list[ReceivedLine]]:
    """The lines that are not blank, in batches.

    A line without a time is laid at `ends_at`, less a second for each untimed line of the batches
    that follow, so that every batch has room for its telegrams after those before.

    Args:
        texts: the lines.
        size: lines of a batch.
        now: the moment of reception.
        ends_at: the moment of the last.
        operator_id: whose gateway received them.
        span: of all the lines; where it is not given it is counted, if they are all there.
    """
    if span is None:
        span = Span.of(texts) if isinstance(texts, Sized) else Span()
    lines = (text for text in texts if not is_blank(text))
    left, seconds = span.untimed, 0
    while batch := list(islice(lines, size)):
        if left > 0:
            left -= sum(map(_has_no_time, batch))
        moments = _moments(batch, ends_at - timedelta(seconds=max(0, left)))
        if span.seconds is not None:
            moments = []
            for position, text in enumerate(batch):
                own = simulation_seconds(text)
                seconds = seconds if own is None else own
                before = timedelta(seconds=max(0, span.seconds - seconds))
                moments.append(ends_at - before + position * _MICROSECOND)
        laid = ReceivedLine.of_many(batch, now, moments, operator_id=operator_id)
        taken = [laid]
        del batch, laid, moments  # whoever takes them lets them go when it is done with them
        yield taken.pop()


def _moments(batch: Sequence[str], first: datetime) -> list[datetime]:
    """A moment for each line: the microseconds keep the order of lines that were received at one."""
    return list(accumulate(repeat(_MICROSECOND, len(batch) - 1), add, initial=first))


@dataclass(slots=True)
class _Untimed:
    """A line with the moment laid for it; the same bytes received again share it."""

    line: ReceivedLine
    identity: object
    at_s: int
    order: datetime
    index: int | None = None

    @property
    def is_stated(self) -> bool:
        """Whether its line says when it was sent: a simulation file's `+SECONDS`."""
        return simulation_seconds(self.line.text) is not None


@dataclass(slots=True)
class _Sender:
    """The untimed telegrams of one meter, or of one address that is no meter's."""

    register: Register | None = None
    laid: list[_Untimed] = field(default_factory=list)
    replayed: list[_Untimed] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    """Seconds of the batch's telegrams that have a time of their own."""
    newest: IndexReading | None = None
    floor: int | None = None
    """The newest second that was received before."""

    def add(self, one: Reported, first_at: datetime | None) -> None:
        """A telegram of the meter, and when it was received first if it comes again."""
        self.register = one.meter.register
        line, index = one.received.line, one.index.value
        digest = one.received.telegram_digest
        if line.laid_at is not None and first_at is None:
            self.laid.append(_Untimed(line, digest, _seconds(line.laid_at), line.laid_at, index))
        else:
            at = first_at or line.received_at
            self.replayed.append(_Untimed(line, digest, _seconds(at), at, index))

    def time_between(self, before: _Untimed | IndexReading | None, after: _Untimed, share: int) -> int:
        """The seconds that the register needs at one part in `share` of its highest rate; a day at most."""
        register = self.register
        if before is None or before.index is None or after.index is None or register is None:
            return 1
        rise = after.index - before.index - register.step
        if register.highest_per_hour is None or rise <= 0:
            return 1
        seconds = -(-rise * 3600 * share // register.highest_per_hour) - CLOCK_TOLERANCE_S
        return max(1, seconds) if seconds <= _LONGEST_STEP_S else 1


_Key = int | str
"""A meter's id, or the address of a sender that is no meter of ours."""


async def settle(
    connection: TransactionalDBClient,
    reported: Sequence[Reported],
    unusable: Sequence[Unusable],
    *,
    states: Mapping[int, MeterState],
    letters: Mapping[str, KnownLine],
) -> tuple[list[Reported], list[Unusable], set[tuple[int, int]]]:
    """The same outcomes, with the moments of the untimed ones settled; and the meters and digests of untimed
    telegrams that are stored: duplicates, whenever they came. The dwellings must be locked.

    Args:
        connection: the batch's.
        reported: the reports.
        unusable: the other lines.
        states: of the reports' meters, before the batch.
        letters: the dead letters that are known of the reports' lines, by their digests.
    """
    untimed = [report for report in reported if not report.received.timed]
    failed = [one for one in unusable if one.line.laid_at is not None and one.radio_address is not None]
    if not untimed and not failed:
        return list(reported), list(unusable), set()
    meters = {report.received.radio_address: report.meter.id for report in reported}
    wanted = {(report.meter.id, report.received.telegram_digest) for report in untimed}
    known = await time_series.known_telegrams(connection, wanted)
    before = _received_before(untimed, letters)
    senders: dict[_Key, _Sender] = {}
    for report in reported:
        sender = senders.setdefault(report.meter.id, _Sender())
        if report.received.timed:
            sender.taken.add(_seconds(report.received.moment))
        elif (report.meter.id, report.received.telegram_digest) not in known:
            sender.add(report, before.get(report.received.line))
    for failure in failed:
        address, line = failure.radio_address or "", failure.line
        assert line.laid_at is not None
        sender = senders.setdefault(meters.get(address, address), _Sender())
        sender.laid.append(_Untimed(line, line.text, _seconds(line.laid_at), line.laid_at))
    await _read_floors(connection, senders, meters, states)
    moments = {line: moment for sender in senders.values() for line, moment in _laid(sender).items()}
    moments |= await _free_moments(connection, senders)
    return (
        [_moved(report, moments.get(report.received.line)) for report in reported],
        [
            failure
            if (at := moments.get(failure.line)) is None
            else replace(failure, line=_at(failure.line, at))
            for failure in unusable
        ],
        known,
    )


def _received_before(
    untimed: Sequence[Reported], letters: Mapping[str, KnownLine]
) -> dict[ReceivedLine, datetime]:
    """When the lines were received first that are dead letters and come again: a replay by hand."""
    waiting = {digest: one for digest, one in letters.items() if one.state is TelegramState.WAITING}
    if not waiting:
        return {}
    lines = [report.received.line for report in untimed if report.received.line.laid_at is not None]
    found = ((line, waiting.get(line.digest)) for line in lines)
    return {line: one.received_at for line, one in found if one is not None}


async def _read_floors(
    connection: TransactionalDBClient,
    senders: dict[_Key, _Sender],
    meters: dict[str, int],
    states: Mapping[int, MeterState],
) -> None:
    """What was received of each sender before: its newest reading, doubtful or not, and dead letter."""
    ids = [
        key for key, sender in senders.items() if isinstance(key, int) and (sender.laid or sender.replayed)
    ]
    for meter_id in ids:
        state = states.get(meter_id)
        if state is not None:
            senders[meter_id].newest = IndexReading(state.last_at, state.last_index)
            senders[meter_id].floor = state.last_at
    for row in await time_series.select(connection, _NEWEST_DOUBTFUL, ((one,) for one in ids)):
        sender = senders[row["meter_id"]]
        sender.floor = max(sender.floor or 0, row["read_at"])
    for sender in senders.values():
        if sender.replayed and all(one.at_s > (sender.floor or 0) for one in sender.replayed):
            # Nothing was stored after them: they are laid as if they came now, before what does.
            sender.laid += sender.replayed
            sender.replayed = []
    waiting = {key for key, sender in senders.items() if any(one.line.laid_at for one in sender.laid)}
    addresses: dict[str, _Key] = {address: key for address, key in meters.items() if key in waiting}
    addresses.update((key, key) for key in waiting if isinstance(key, str))
    own = {one.line.digest for key in waiting for one in senders[key].laid}
    for row in await columns.select_by(
        connection, {"address": "text"}, _RECENT, [(one,) for one in addresses]
    ):
        if row["line_digest"] not in own:
            sender = senders[addresses[row["radio_address"]]]
            sender.floor = max(sender.floor or 0, _seconds(columns.moment(row["received_at"])))


_NEWEST_DOUBTFUL: Final = (
    "SELECT d.meter_id, MAX(d.read_at) AS read_at FROM k JOIN doubtful_reading d ON d.meter_id = k.a"
    " GROUP BY d.meter_id"
)
_RECENT: Final = (
    "SELECT l.radio_address, l.received_at, l.line_digest FROM k"  # noqa: S608 - a number of our own
    " JOIN dead_letter l ON l.radio_address = k.address"
    f" WHERE l.id > (SELECT MAX(id) FROM dead_letter) - {_RECENT_DEAD_LETTERS}"
)


def _laid(sender: _Sender) -> dict[ReceivedLine, int]:
    """The seconds of a sender's lines: as late as they were received, one after the other, and as far apart
    as the register needs to rise so far.
    """
    first: dict[object, _Untimed] = {}
    for one in sorted(sender.laid, key=attrgetter("order")):
        first.setdefault(one.identity, one)
    order = list(first.values())
    believed = {id(one) for one in _believed(order, sender.newest)}
    is_file = sender.newest is None or len(believed) >= _LINES_OF_A_FILE
    after: _Untimed | None = None
    last: _Untimed | None = None
    for one in reversed(order):
        if last is not None:
            one.at_s = min(one.at_s, last.at_s - 1)
            if is_file and after is not None and id(one) in believed and not one.is_stated:
                one.at_s = min(one.at_s, after.at_s - sender.time_between(one, after, ORDINARY_SHARE))
        last, after = one, one if id(one) in believed else after
    before: _Untimed | IndexReading | None = sender.newest
    last_s = sender.floor or 0
    for one in order:
        earliest_s = last_s + 1
        if id(one) in believed and not one.is_stated and before is not None:
            needed_s = before.at_s + sender.time_between(before, one, 1)
            if needed_s <= _seconds(one.line.received_at) + _LONGEST_LEAD_S:
                earliest_s = max(earliest_s, needed_s)
        one.at_s = max(one.at_s, earliest_s)
        while one.at_s in sender.taken:
            one.at_s += 1
        last_s = one.at_s
        if id(one) in believed:
            before = one
    return {one.line: first[one.identity].at_s for one in sender.laid}


def _believed(order: Sequence[_Untimed], newest: IndexReading | None) -> list[_Untimed]:
    """The lines whose rises say how far apart they are: not those that the next one contradicts, when it
    follows from the one before.
    """
    known = [one for one in order if one.index is not None]
    kept: list[_Untimed] = []
    before = newest.index if newest is not None else None
    for place, one in enumerate(known):
        after = known[place + 1].index if place + 1 < len(known) else None
        assert one.index is not None
        if before is not None and after is not None and before <= after and not before <= one.index <= after:
            continue
        kept.append(one)
        before = one.index
    return kept


async def _free_moments(
    connection: TransactionalDBClient, senders: dict[_Key, _Sender]
) -> dict[ReceivedLine, int]:
    """The seconds of telegrams that come again between others: those of their first reception, or the next
    without another index.
    """
    replayed = [
        (key, one) for key, sender in senders.items() if isinstance(key, int) for one in sender.replayed
    ]
    windows = [time_series.Window(key, one.at_s, one.at_s + REPLAY_STEPS_S) for key, one in replayed]
    if not windows:
        return {}
    index_at = {
        (row.meter_id, row.read_at_s): row.index_value
        for row in await time_series.readings_near(connection, windows)
    }
    moments: dict[ReceivedLine, int] = {}
    found: dict[tuple[int, object], int] = {}
    for key, one in sorted(replayed, key=lambda pair: pair[1].order):
        if (key, one.identity) not in found:
            taken, at_s = senders[key].taken, one.at_s
            while at_s < one.at_s + REPLAY_STEPS_S and (
                at_s in taken or index_at.get((key, at_s), one.index) != one.index
            ):
                at_s += 1
            index_at[key, at_s] = one.index or 0
            found[key, one.identity] = at_s
        moments[one.line] = found[key, one.identity]
    return moments


def _moved(report: Reported, at_s: int | None) -> Reported:
    if at_s is None:
        return report
    line = _at(report.received.line, at_s)
    received = replace(report.received, line=line, moment=line.received_at, at_s=_seconds(line.received_at))
    return replace(report, received=received)


def _at(line: ReceivedLine, at_s: int) -> ReceivedLine:
    """A moment that fits already remains as exact as it is."""
    at = line.laid_at or line.received_at
    if _seconds(at) != at_s:
        at = datetime.fromtimestamp(at_s, UTC)
    return replace(line, received_at=at, laid_at=None)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())

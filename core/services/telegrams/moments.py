"""Moments of lines that carry none: increasing in the order of their delivery, the last at the reception.

In: the texts of a delivery, or a batch's untimed telegrams. Out: lines in batches with the moments laid for
them, or the telegrams with moments of their own. The one rule: of one meter no two untimed telegrams share a
second, each comes after all that were received before it, and the newest is the last; what becomes a dead
letter keeps its moment, so that a replay finds its place. A line of a simulation file, `+SECONDS`, is laid by
its distance from the largest of its delivery, which is the reception's.
"""

from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from operator import itemgetter

from tortoise.backends.base.client import TransactionalDBClient

from core.metering import is_blank, simulation_seconds
from core.models import DeadLetter, TelegramState
from core.services.shared import time_series
from core.services.telegrams.decoding import ReceivedLine, Reported, Unusable

REPLAY_STEPS_S = 300
"""How far a replayed telegram may be moved to find a free second; beyond it is a conflict."""

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
    if is_blank(text) or ";" in text:
        return False
    return "time" not in text and "received_at" not in text


def in_batches(
    texts: Iterable[str],
    *,
    size: int,
    ends_at: datetime,
    operator_id: int | None,
    span: Span | None = None,
) -> Iterator[list[ReceivedLine]]:
    """The lines that are not blank, in batches.

    A line without a time counts as received at `ends_at`, less a second for each untimed line of the batches
    that follow, so that every batch has room for its telegrams after those before.

    Args:
        texts: the lines.
        size: lines of a batch.
        ends_at: the moment of the last.
        operator_id: whose gateway received them.
        span: of all the lines; where it is not given it is counted, if they are all there.
    """
    if span is None:
        span = Span.of(texts) if isinstance(texts, Sized) else Span()
    lines = (text for text in texts if not is_blank(text))
    left, seconds = span.untimed, 0
    while batch := list(islice(lines, size)):
        left -= sum(map(_seems_untimed, batch))
        moment = ends_at - timedelta(seconds=max(0, left))
        laid = []
        for position, text in enumerate(batch):
            if span.seconds is not None:
                own = simulation_seconds(text)
                seconds = seconds if own is None else own
                moment = ends_at - timedelta(seconds=max(0, span.seconds - seconds))
            # The microseconds keep the order of lines that were received at one moment.
            at = moment + timedelta(microseconds=position)
            laid.append(ReceivedLine.of(text, at, operator_id=operator_id))
        yield laid


@dataclass(slots=True)
class _Sender:
    """The untimed telegrams of one meter, or of one address that is no meter's, in the order received."""

    laid: list["_Untimed"] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    """Seconds of the batch's telegrams that have a time of their own."""
    floor: int | None = None
    """The newest second that was received before."""


@dataclass(slots=True)
class _Untimed:
    """A line with the moment laid for it; the same bytes received again share it."""

    line: ReceivedLine
    identity: object
    at_s: int


_Key = int | str
"""A meter's id, or the address of a sender that is no meter of ours."""


async def settle(
    connection: TransactionalDBClient, reported: Sequence[Reported], unusable: Sequence[Unusable]
) -> tuple[list[Reported], list[Unusable]]:
    """The same outcomes, with the moments of the untimed ones settled. The dwellings must be locked."""
    outcomes: list[Reported | Unusable] = [*reported, *unusable]
    if all(_line(one).own_time or _address(one) is None for one in outcomes):
        return list(reported), list(unusable)
    meters = {report.received.radio_address: report.meter.id for report in reported}
    known = await time_series.known_telegrams(
        connection,
        {
            (report.meter.id, report.received.telegram_digest)
            for report in reported
            if not report.received.timed
        },
    )
    before = await _received_before(connection, reported)
    senders: dict[_Key, _Sender] = {}
    replayed: list[tuple[Reported, int]] = []
    for one in outcomes:
        address, line = _address(one), _line(one)
        if address is None:
            continue
        sender = senders.setdefault(meters.get(address, address), _Sender())
        if line.own_time:
            if isinstance(one, Reported):
                sender.taken.add(_seconds(one.received.moment))
        elif isinstance(one, Reported):
            digest = one.received.telegram_digest
            if (one.meter.id, digest) in known:
                continue  # a duplicate, whenever it came
            first_at = before.get(line.digest) if line.sightings else line.received_at
            if first_at is None:
                sender.laid.append(_Untimed(line, digest, _seconds(line.received_at)))
            else:
                replayed.append((one, _seconds(first_at)))
        elif line.sightings:
            sender.laid.append(_Untimed(line, line.text, _seconds(line.received_at)))
    await _read_floors(connection, senders, meters)
    moments = {line: moment for sender in senders.values() for line, moment in _laid(sender).items()}
    moments |= await _free_moments(connection, replayed, senders)
    return (
        [_moved(report, moments.get(report.received.line)) for report in reported],
        [
            failure
            if (at := moments.get(failure.line)) is None
            else replace(failure, line=_at(failure.line, at))
            for failure in unusable
        ],
    )


async def _received_before(
    connection: TransactionalDBClient, reported: Sequence[Reported]
) -> dict[str, datetime]:
    """When the lines were received first that are dead letters and come again: a replay by hand."""
    digests = {
        report.received.line.digest
        for report in reported
        if report.received.line.sightings and not report.received.timed
    }
    rows = DeadLetter.filter(state=TelegramState.WAITING, line_digest__in=list(digests))
    found = await rows.using_db(connection).only("line_digest", "received_at") if digests else ()
    return {row.line_digest: row.received_at for row in found}


async def _read_floors(
    connection: TransactionalDBClient, senders: dict[_Key, _Sender], meters: dict[str, int]
) -> None:
    """What was received of each sender before: its newest reading, and its newest dead letter."""
    waiting = {key for key, sender in senders.items() if sender.laid}
    ids = [key for key in waiting if isinstance(key, int)]
    for meter_id, at_s in (await time_series.newest_readings(connection, ids)).items():
        senders[meter_id].floor = at_s
    addresses: dict[str, _Key] = {address: key for address, key in meters.items() if key in waiting}
    addresses.update((key, key) for key in waiting if isinstance(key, str))
    last = await DeadLetter.all().using_db(connection).order_by("-id").only("id").first()
    if addresses and last is not None:
        recent = DeadLetter.filter(id__gt=last.id - _RECENT_DEAD_LETTERS, radio_address__in=list(addresses))
        for row in await recent.using_db(connection).only("radio_address", "received_at"):
            sender = senders[addresses[row.radio_address or ""]]
            sender.floor = max(sender.floor or 0, _seconds(row.received_at))


def _laid(sender: _Sender) -> dict[ReceivedLine, int]:
    """The seconds of a sender's lines: as late as they were received, one after the other."""
    first: dict[object, _Untimed] = {}
    for one in sorted(sender.laid, key=lambda untimed: untimed.line.received_at):
        first.setdefault(one.identity, one)
    order = list(first.values())
    for one, after in reversed(list(pairwise(order))):
        one.at_s = min(one.at_s, after.at_s - 1)
    least = 0 if sender.floor is None else sender.floor + 1
    for one in order:
        one.at_s = max(one.at_s, least)
        while one.at_s in sender.taken:
            one.at_s += 1
        least = one.at_s + 1
    return {one.line: first[one.identity].at_s for one in sender.laid}


async def _free_moments(
    connection: TransactionalDBClient, replayed: Sequence[tuple[Reported, int]], senders: dict[_Key, _Sender]
) -> dict[ReceivedLine, int]:
    """The seconds of telegrams that come again: those of their first reception, or the next without another
    index.
    """
    if not replayed:
        return {}
    windows = [
        time_series.Window(report.meter.id, first_s, first_s + REPLAY_STEPS_S) for report, first_s in replayed
    ]
    index_at = {
        (row.meter_id, row.read_at_s): row.index_value
        for row in await time_series.readings_near(connection, windows)
    }
    moments: dict[ReceivedLine, int] = {}
    found: dict[tuple[int, int], int] = {}
    for report, first_s in sorted(replayed, key=itemgetter(1)):
        meter_id, index, at_s = report.meter.id, report.index.value, first_s
        same = (meter_id, report.received.telegram_digest)
        if same not in found:
            taken = senders[meter_id].taken
            while at_s < first_s + REPLAY_STEPS_S and (
                at_s in taken or index_at.get((meter_id, at_s), index) != index
            ):
                at_s += 1
            index_at[meter_id, at_s] = index
            found[same] = at_s
        moments[report.received.line] = found[same]
    return moments


def _moved(report: Reported, at_s: int | None) -> Reported:
    if at_s is None:
        return report
    line = _at(report.received.line, at_s)
    return replace(report, received=replace(report.received, line=line, moment=line.received_at))


def _at(line: ReceivedLine, at_s: int) -> ReceivedLine:
    """A moment that fits already remains as exact as it is."""
    if _seconds(line.received_at) == at_s:
        return line
    return replace(line, received_at=datetime.fromtimestamp(at_s, UTC))


def _line(outcome: Reported | Unusable) -> ReceivedLine:
    return outcome.received.line if isinstance(outcome, Reported) else outcome.line


def _address(outcome: Reported | Unusable) -> str | None:
    return outcome.received.radio_address if isinstance(outcome, Reported) else outcome.radio_address


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())

"""Stores and lists dead letters: lines that could not be used, newest first.

To the command line the line itself is shown whole: it is what a gateway received, and an encrypted one
remains encrypted. The operator's staff see whose it is and why it was not used, of the own gateways and
meters, and no line: one in the clear would show the index of a home, maybe of another operator's.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.mbus.address import Address
from core.mbus.errors import TelegramError
from core.metering import is_blank
from core.models import DeadLetter
from core.models import TelegramState as TelegramState  # noqa: PLC0414 - the doors, which know no tables, name it from here
from core.sanitize import escape_for_database
from core.services.shared.columns import moment, moment_or_none, select_by
from core.services.shared.many_rows import upsert_rows
from core.services.shared.operator_scope import OperatorRows
from core.services.shared.paging import Page
from core.services.shared.transaction import current_database
from core.services.telegrams.decoding import ReceivedLine, Unusable


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    """A line with its fault, the place of the fault, and the sender."""

    id: int
    received_at: datetime
    source: str
    stage: str
    reason: str
    message: str
    offset: int | None
    radio_address: str | None
    times_seen: int
    line: str


@dataclass(frozen=True, slots=True)
class UnusableLine:
    """A line of a delivery that became a dead letter, by its place in the delivery, from 0 on."""

    place: int
    reason: str
    message: str
    dead_letter_id: int


async def read_dead_letters(
    viewer: Viewer, *, reason: str | None = None, limit: int = 100
) -> list[DeadLetterView]:
    """The newest dead letters that have not been used since, of one reason if one is given."""
    viewer.require(Permission.TELEGRAMS_REPLAY)
    query = DeadLetter.filter(state=TelegramState.WAITING)
    if reason is not None:
        query = query.filter(reason=reason)
    return [
        DeadLetterView(
            id=row.id,
            received_at=row.received_at,
            source=row.source,
            stage=row.stage,
            reason=row.reason,
            message=row.message,
            offset=row.byte_offset,
            radio_address=row.radio_address,
            times_seen=row.times_seen,
            line=row.line,
        )
        for row in await query.order_by("-id").limit(limit)
    ]


@dataclass(frozen=True, slots=True)
class DeadLettersAsked:
    """A page of an operator's dead letters; a filter that is None does not narrow.

    `before` is the number of the last one of the page before, `only_id` that of one.
    """

    first: int = 1
    before: int | None = None
    only_id: int | None = None
    reason: str | None = None
    state: TelegramState | None = None
    radio_address: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetterInList:
    """A dead letter without its line. `gateway` and `source` are None if it came by another's gateway."""

    id: int
    received_at: datetime
    reason: str
    message: str
    radio_address: str | None
    gateway: str | None
    source: str | None
    times_seen: int
    state: TelegramState
    replayed_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeadLetterCount:
    """How many dead letters there are of a reason, and how often their lines were received."""

    reason: str
    count: int
    times_seen: int


_TABLES = "dead_letter l LEFT JOIN gateway g ON g.id = l.gateway_id"
_OWN_GATEWAY = "g.operator_id = {0}"
_OF_METER = (
    "l.radio_address IN (SELECT {0} FROM {1} JOIN dwelling d ON d.id = m.dwelling_id"
    " JOIN residence r ON r.id = d.residence_id WHERE r.operator_id = {{0}})"
)
_OWN = " OR ".join(
    (
        _OWN_GATEWAY,
        _OF_METER.format("m.radio_address", "meter m"),
        _OF_METER.format("x.radio_address", "meter_alias x JOIN meter m ON m.id = x.meter_id"),
    )
)


async def list_dead_letters(viewer: Viewer, asked: DeadLettersAsked) -> Page[DeadLetterInList]:
    """A page of the dead letters of the operator's gateways and meters, the newest first."""
    viewer.require(Permission.DEAD_LETTERS_READ)
    rows = _rows(viewer, asked)
    shown = "1 = 1" if rows.operator is None else f"g.id IS NULL OR {_OWN_GATEWAY.format(rows.operator)}"
    found = await rows.newest(
        "l.id, l.received_at, l.reason, l.message, l.radio_address, l.times_seen, l.state, l.replayed_at,"
        f" CASE WHEN {shown} THEN g.name END AS gateway, CASE WHEN {shown} THEN l.source END AS source",
        key="l.id",
        first=asked.first,
        before=asked.before,
    )
    return Page([_listed(row) for row in found.rows], has_next=found.has_next, total=found.total)


async def count_dead_letters(viewer: Viewer, asked: DeadLettersAsked) -> list[DeadLetterCount]:
    """The same by their reasons, the most frequent first."""
    viewer.require(Permission.DEAD_LETTERS_READ)
    counted = await _rows(viewer, asked).grouped(
        "l.reason, COUNT(*) AS count, SUM(l.times_seen) AS times_seen", "l.reason", "COUNT(*) DESC, l.reason"
    )
    return [DeadLetterCount(row["reason"], row["count"], int(row["times_seen"])) for row in counted]


def _rows(viewer: Viewer, asked: DeadLettersAsked) -> OperatorRows:
    rows = OperatorRows(current_database(), viewer, tables=_TABLES, own=f"({_OWN})")
    state = None if asked.state is None else asked.state.value
    for column, value in (("l.id", asked.only_id), ("l.reason", asked.reason), ("l.state", state)):
        if value is not None:
            rows.where(f"{column} = {{}}", value)
    if asked.radio_address is not None:
        rows.where("l.radio_address = {}", _canonical(asked.radio_address))
    return rows


def _canonical(radio_address: str) -> str:
    """The address as it is stored; what is none is no dead letter's."""
    try:
        return str(Address.parse(radio_address))
    except TelegramError:
        return ""


def _listed(row: dict[str, Any]) -> DeadLetterInList:
    return DeadLetterInList(
        id=row["id"],
        received_at=moment(row["received_at"]),
        reason=row["reason"],
        message=row["message"],
        radio_address=row["radio_address"],
        gateway=row["gateway"],
        source=row["source"],
        times_seen=row["times_seen"],
        state=TelegramState(row["state"]),
        replayed_at=moment_or_none(row["replayed_at"]),
    )


async def unusable_lines(viewer: Viewer, texts: Sequence[str]) -> list[UnusableLine]:
    """Those of the lines, just taken in for the viewer, that are dead letters, in their order."""
    viewer.require(Permission.TELEGRAMS_SUBMIT)
    digests = [
        None if is_blank(text) else ReceivedLine.of(text, _ANY_MOMENT, operator_id=viewer.operator_id).digest
        for text in texts
    ]
    wanted = sorted({digest for digest in digests if digest is not None})
    found: dict[str, DeadLetter] = {}
    for first in range(0, len(wanted), _ROWS_A_QUERY):
        page = wanted[first : first + _ROWS_A_QUERY]
        rows = DeadLetter.filter(line_digest__in=page, state=TelegramState.WAITING)
        found |= {row.line_digest: row for row in await rows.only("id", "line_digest", "reason", "message")}
    return [
        UnusableLine(place, row.reason, row.message, row.id)
        for place, digest in enumerate(digests)
        if digest is not None and (row := found.get(digest)) is not None
    ]


async def store_dead_letters(
    connection: TransactionalDBClient,
    viewer: Viewer,
    failures: Sequence[Unusable],
    *,
    source: str,
) -> Collection[str]:
    """Store dead letters; a known one gets its newest reason, and its sightings are counted up. Returns their
    digests.

    Rows are written in the order of their digests, so that two batches with the same garbage cannot wait
    for each other.
    """
    newest: dict[str, Unusable] = {}
    sightings = Counter[str]()
    for failure in failures:
        digest = failure.line.digest
        newest[digest] = failure
        sightings[digest] += failure.line.sightings
    source = escape_for_database(source)[:200]
    await upsert_rows(
        connection,
        DeadLetter,
        _COLUMNS,
        [
            (
                *(digest, failure.line.text, source, viewer.gateway_id, failure.line.received_at),
                *(failure.stage, failure.reason, failure.offset),
                escape_for_database(failure.message)[:300],
                *(failure.radio_address, failure.telegram_digest),
                *(sightings[digest], TelegramState.WAITING),
            )
            for digest, failure in sorted(newest.items())
        ],
        key=("line_digest",),
        sets=_SEEN_AGAIN,
    )
    return newest.keys()


_COLUMNS = (
    *("line_digest", "line", "source", "gateway_id", "received_at", "stage", "reason", "byte_offset"),
    *("message", "radio_address", "telegram_digest", "times_seen", "state"),
)
_SEEN_AGAIN = ", ".join(
    (
        *(
            f"{name} = excluded.{name}"
            for name in ("stage", "reason", "message", "byte_offset", "radio_address", "state")
        ),
        "replayed_at = NULL",
        "times_seen = dead_letter.times_seen + excluded.times_seen",
    )
)

_ANY_MOMENT = datetime.min.replace(tzinfo=UTC)
"""The identity of a line does not depend on its reception."""

_ROWS_A_QUERY = 5_000


class KnownLine(NamedTuple):
    """What is stored of a line that became a dead letter before."""

    state: TelegramState
    reason: str
    received_at: datetime


async def known_lines(
    connection: TransactionalDBClient, lines: Iterable[ReceivedLine]
) -> dict[str, KnownLine]:
    """Those of the lines that are dead letters, or were, by their digests."""
    digests = [(line.digest,) for line in lines]
    rows = await select_by(connection, {"digest": "text"}, _KNOWN, digests)
    return {
        row["line_digest"]: KnownLine(TelegramState(row["state"]), row["reason"], moment(row["received_at"]))
        for row in rows
    }


_KNOWN = (
    "SELECT l.line_digest, l.state, l.reason, l.received_at"
    " FROM k JOIN dead_letter l ON l.line_digest = k.digest"
)


async def mark_replayed(
    connection: TransactionalDBClient,
    used: Iterable[ReceivedLine],
    known: Mapping[str, KnownLine],
    stored: Collection[str],
    *,
    now: datetime,
) -> None:
    """Mark dead letters that have been used now: of those known of the batch's lines, by their digests, and
    of those that the batch has stored.
    """
    waiting = {digest for digest, one in known.items() if one.state is TelegramState.WAITING} | {*stored}
    digests = [digest for line in used if (digest := line.digest) in waiting] if waiting else []
    if not digests:
        return
    rows = DeadLetter.filter(state=TelegramState.WAITING, line_digest__in=digests).using_db(connection)
    await rows.update(state=TelegramState.REPLAYED, replayed_at=now)

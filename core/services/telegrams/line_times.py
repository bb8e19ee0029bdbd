"""Which time counts for a line: its own, or that of its reception where the gateway's clock was ahead.

In: lines, and the dead letters that are known of them. Out: the moment up to which a line's own time can be
true; and, when the operator replays lines that were refused for their time, the moment that counts instead.
The one rule: nothing is received before it was sent, so no line is dated after its first reception; a line
of tomorrow does not become true by waiting until tomorrow, nor by being sent again.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from core.metering import TelegramError, parse_line
from core.models import DeadLetter, TelegramState
from core.services.shared.partitions import kept_since
from core.services.telegrams.dead_letters import KnownLine
from core.services.telegrams.decoding import IntakeStage, Reason, ReceivedLine, Reported, Unusable

CLOCK_TOLERANCE = timedelta(hours=1)
"""How far a gateway's clock may run ahead of ours."""

_AT_ONCE = 1000


class Dating(StrEnum):
    """By which clock lines are dated that were refused as lying in the future."""

    UNCHANGED = "UNCHANGED"
    """As at their reception: they are refused again."""
    RECEPTION = "RECEPTION"
    """By the server's: the gateway's was ahead. The last line of a delivery was received just before it, the
    others as long before that one as the gateway says."""
    LINE = "LINE"
    """By the gateway's: the server's was behind."""


_Delivery = tuple[int | None, str, datetime]
"""The gateway, the source and the moment of a delivery."""


def with_old_ones_refused(
    opened: Sequence[Reported | Unusable], months: int, *, now: datetime
) -> list[Reported | Unusable]:
    """The same, but what was sent before the months of which readings are kept is unusable; 0 keeps all.

    It would be dropped by the next purge, and the volumes of its days computed without their other
    readings.
    """
    if not months:
        return list(opened)
    since_s = kept_since(now, months)
    if all([one.received.at_s >= since_s for one in opened if isinstance(one, Reported)]):  # noqa: C419 - half the time
        return list(opened)
    since = datetime.fromtimestamp(since_s, UTC)
    message = f"Readings are kept from {since.date().isoformat()} on."
    return [
        one.received.unusable(IntakeStage.READING, Reason.TIME_PAST_RETENTION, message)
        if isinstance(one, Reported) and one.received.at_s < since_s
        else one
        for one in opened
    ]


def first_receptions(
    lines: Sequence[ReceivedLine], known: Mapping[str, KnownLine], *, now: datetime
) -> dict[ReceivedLine, datetime]:
    """When each line was received first: now, or when its dead letter was, if it was refused for its
    time. `known` are the dead letters by the digests of their lines.
    """
    refused = {
        digest: one.received_at for digest, one in known.items() if one.reason == Reason.TIME_IN_FUTURE
    }
    return {
        line: now
        if line.dated is not None
        else min(now, line.received_at, refused.get(line.digest, now) if refused else now)
        for line in lines
    }


def latest_moment(received_at: datetime, *, now: datetime) -> datetime:
    """The latest time that a line can have, with the hour that clocks differ.

    At its first reception that is the present. Of a line that is ingested again the time must have come,
    and the clock that dated its reception may have been behind: a second hour.
    """
    return min(now, received_at + CLOCK_TOLERANCE) + CLOCK_TOLERANCE


def future_message(moment: datetime, received_at: datetime) -> str:
    """Why a line was refused for its time, and how it can be used all the same."""
    ahead_s = int((moment - received_at).total_seconds())
    return (
        f"The line is dated {moment.isoformat()}, {ahead_s} s after its reception: the gateway's clock is"
        " wrong. `submeter dead-letters replay --reception-time` dates it by its reception."
    )


async def latest_of_deliveries() -> dict[_Delivery, datetime]:
    """The latest time among the lines of each delivery that were refused for their time."""
    latest: dict[_Delivery, datetime] = {}
    after = 0
    query = DeadLetter.filter(state=TelegramState.WAITING, reason=Reason.TIME_IN_FUTURE).order_by("id")
    while rows := await query.filter(id__gt=after).limit(_AT_ONCE):
        after = rows[-1].id
        for row in rows:
            moment, delivery = _own_time(row), _delivery(row)
            if moment is not None:
                latest[delivery] = max(moment, latest.get(delivery, moment))
    return latest


def replayed_line(
    row: DeadLetter, operator_id: int | None, dating: Dating, latest: Mapping[_Delivery, datetime]
) -> ReceivedLine:
    """A dead letter as it is ingested again.

    Args:
        row: the dead letter.
        operator_id: whose gateway received it.
        dating: which clock counts.
        latest: from `latest_of_deliveries`, where it is the server's.
    """
    moment = None if dating is Dating.UNCHANGED else _own_time(row)
    if moment is not None and dating is Dating.RECEPTION:
        moment += row.received_at - latest.get(_delivery(row), moment)
    return ReceivedLine(row.line, row.received_at, operator_id, sightings=0, dated=moment)


def _own_time(row: DeadLetter) -> datetime | None:
    try:
        return parse_line(row.line).received_at
    except TelegramError:
        return None


def _delivery(row: DeadLetter) -> _Delivery:
    return row.gateway_id, row.source, row.received_at

"""Lists the lines that are kept because they could not be used, newest first.

The line itself is shown whole: it is what a radio heard, and a sealed one stays sealed.
"""

from dataclasses import dataclass
from datetime import datetime

from core.access import Permission, Viewer
from core.models import TelegramState, UnusableTelegram


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A line with what failed, where in it, and whose it was."""

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


async def kept_lines(viewer: Viewer, *, reason: str | None = None, limit: int = 100) -> list[KeptLine]:
    """The newest lines that wait for their cause to go, of one reason if one is given."""
    viewer.require(Permission.TELEGRAMS_REPLAY)
    query = UnusableTelegram.filter(state=TelegramState.KEPT)
    if reason is not None:
        query = query.filter(reason=reason)
    return [
        KeptLine(
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

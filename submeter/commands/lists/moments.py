"""Days and moments as they are typed: `2026-11-28`, or ISO 8601 with an offset.

In: a text, and the time zone of its days. Out: the moment at which it begins or ends. The one rule: a moment
without an offset is refused, since it would mean another one on another machine.
"""

from datetime import date, datetime, time, timedelta, tzinfo

from core.errors import InvalidInput

_YEARS = range(1900, 9000)
"""Beyond these a conversion between zones may leave the calendar."""


def begin_of(text: str, zone: tzinfo, field: str) -> datetime:
    """The first moment of a day, or the moment.

    Raises:
        InvalidInput: neither a day nor a moment.
    """
    found = _parsed(text, field)
    return found if isinstance(found, datetime) else datetime.combine(found, time(), zone)


def end_of(text: str, zone: tzinfo, field: str) -> datetime:
    """The last second of a day, or the moment.

    Raises:
        InvalidInput: neither a day nor a moment.
    """
    found = _parsed(text, field)
    if isinstance(found, datetime):
        return found
    next_day = datetime.combine(found + timedelta(days=1), time(), zone)
    return datetime.fromtimestamp(next_day.timestamp() - 1, zone)


def _parsed(text: str, field: str) -> date | datetime:
    found: date | datetime | None = None
    try:
        found = date.fromisoformat(text) if len(text) == len("2026-11-28") else datetime.fromisoformat(text)
    except ValueError:
        found = None
    has_offset = not isinstance(found, datetime) or found.utcoffset() is not None
    if found is None or found.year not in _YEARS or not has_offset:
        raise InvalidInput(
            "give a day, 2026-11-28, or a moment with an offset, 2026-11-28T06:00:00Z", field=field
        )
    return found

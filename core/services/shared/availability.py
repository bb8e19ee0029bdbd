"""Tells a database that is away for the moment from a fault of ours: the first is waited for.

In: what was raised around a statement or a connection. Out: whether the same may succeed later. The one rule:
a stopped, restarting or unreachable server, a full disk, a lock that was not granted and a deadlock are
moments; a wrong password, a missing database or table is not.
"""

import sqlite3
import sys
from collections.abc import Iterator

_MOMENTS_OF_SQLITE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PROTOCOL,
)
_PRIMARY_CODE = 0xFF
"""The low byte of an extended result code (sqlite.org/rescode.html)."""

_CLOSED = ("connection is closed", "connection was closed", "pool is closing", "pool is closed")
"""asyncpg has no class for a connection that the server has closed before a statement was sent."""

_QUERY_CANCELED = "57014"
"""Class 57 is operator intervention, all of it a moment but a statement that took too long."""

_CLASSES_OF_POSTGRESQL = ("08", "53", "57")
"""Connection exception, insufficient resources, operator intervention (PostgreSQL, appendix A)."""

_STATES_OF_POSTGRESQL = ("40001", "40P01", "55P03", "25006")
"""Serialization failure, deadlock, lock not available; a server that was promoted or demoted: read-only."""


def is_away(failure: BaseException) -> bool:
    """Whether the database may do the same later."""
    return any(_is_moment(one) for one in _chain(failure))


def reason_of(failure: BaseException) -> str:
    """The sentence of the driver or system, on one line."""
    moment = next((one for one in _chain(failure) if _is_moment(one)), failure)
    return " ".join(str(moment).split()) or type(moment).__name__


def _chain(failure: BaseException) -> Iterator[BaseException]:
    """The failure and what it was raised from or during."""
    seen: set[int] = set()
    waiting = [failure]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]


def _is_moment(failure: BaseException) -> bool:
    if isinstance(failure, sqlite3.Error):
        code = getattr(failure, "sqlite_errorcode", None)
        return code is not None and code & _PRIMARY_CODE in _MOMENTS_OF_SQLITE
    if isinstance(failure, OSError):
        # A file that is missing or closed to us has a name, a socket has none.
        return failure.filename is None
    return _is_moment_of_postgresql(failure)


def _is_moment_of_postgresql(failure: BaseException) -> bool:
    asyncpg = sys.modules.get("asyncpg")  # whoever has not imported it gets none of its errors
    if asyncpg is None:
        return False
    if isinstance(failure, asyncpg.InterfaceError):
        return any(words in str(failure) for words in _CLOSED)
    if not isinstance(failure, asyncpg.PostgresError):
        return False
    state = failure.sqlstate or ""
    return state in _STATES_OF_POSTGRESQL or (
        state[:2] in _CLASSES_OF_POSTGRESQL and state != _QUERY_CANCELED
    )

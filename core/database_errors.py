"""Tells a database that is away from a fault of ours, whatever the driver raises.

In: an exception. Out: whether the database cannot be reached, and a sentence about it for one line of output.
The one rule: no driver is imported for it: what a driver raised has loaded it. No sentence holds a password:
drivers name the server, the user and the database alone.
"""

import socket
import sqlite3
import sys
from typing import Any

_GONE = ("closed", "closing", "terminated", "lost")
"""Words of asyncpg's InterfaceError, which has one class for a connection that is gone and for wrong use."""


_MOMENTS_OF_SQLITE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PROTOCOL,
)
_MOMENTS_OF_POSTGRESQL = ("40001", "40P01", "55P03", "25006")
"""Serialization failure, deadlock, lock not available, read-only (a server that is becoming a standby).
Class 53 is insufficient resources (PostgreSQL, appendix A).
"""


def is_unreachable(failure: BaseException) -> bool:
    """Whether an exception says that the database is away for now: stopped, starting, full, or cut off."""
    if isinstance(failure, BaseExceptionGroup):
        return all(is_unreachable(each) for each in failure.exceptions)
    if isinstance(failure, ConnectionError | TimeoutError | socket.gaierror):
        return True
    if isinstance(failure, OSError):  # the socket's file of a stopped server, or a network that is down
        return failure.filename is None
    if isinstance(failure, sqlite3.OperationalError):
        return any(words in str(failure) for words in ("unable to open", "disk I/O", "locked"))
    asyncpg: Any = sys.modules.get("asyncpg")
    if asyncpg is not None and isinstance(failure, asyncpg.InterfaceError):
        return any(word in str(failure) for word in _GONE)
    if asyncpg is not None and isinstance(failure, asyncpg.PostgresError):
        return _is_about_the_server(failure)
    return failure.__cause__ is not None and is_unreachable(failure.__cause__)


def may_pass(failure: BaseException) -> bool:
    """Whether the same may succeed later: the database is away, or a lock, a deadlock or a full disk stood in
    the way, wherever in the chain of what was raised from or during what.
    """
    return any(is_unreachable(each) or _is_moment(each) for each in _chain(failure))


def _chain(failure: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [failure]
    while waiting:
        each = waiting.pop(0)
        if each is not None and each not in found:
            found.append(each)
            waiting += [each.__cause__, each.__context__]
            waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else []
    return found


def _is_moment(failure: BaseException) -> bool:
    if isinstance(failure, sqlite3.Error):
        # The low byte of an extended result code is the primary one (sqlite.org/rescode.html).
        return (getattr(failure, "sqlite_errorcode", None) or 0) & 0xFF in _MOMENTS_OF_SQLITE
    state = getattr(failure, "sqlstate", None)
    return isinstance(state, str) and (state in _MOMENTS_OF_POSTGRESQL or state[:2] == "53")


def is_of_pooler(failure: BaseException) -> bool:
    """Whether a prepared statement is missing, or there already: a pooler in transaction mode gives each
    transaction any session, and other connections' statements with it.
    """
    return any(getattr(each, "sqlstate", None) in _OF_PREPARED_STATEMENTS for each in _chain(failure))


_OF_PREPARED_STATEMENTS = ("26000", "42P05")
"""Invalid statement name, duplicate prepared statement (PostgreSQL, appendix A)."""


def is_refusal(failure: BaseException) -> bool:
    """Whether a server that answers refuses us: the wrong password, or no such user or database."""
    asyncpg: Any = sys.modules.get("asyncpg")
    if asyncpg is None:
        return False
    if isinstance(
        failure,
        (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError),
    ):
        return True
    exceptions: Any = sys.modules.get("tortoise.exceptions")
    return exceptions is not None and isinstance(failure, exceptions.DBConnectionError)


def sentence_of(failure: BaseException) -> str:
    """What happened, in one line."""
    if isinstance(failure, BaseExceptionGroup):
        return sentence_of(failure.exceptions[0])
    if is_of_pooler(failure):
        return (
            "it is behind a pooler in transaction mode; add statement_cache_size=0 to SUBMETER_DATABASE_URL"
        )
    text = " ".join(str(failure).split())
    return text or {"TimeoutError": "no answer in time"}.get(type(failure).__name__, type(failure).__name__)


def _is_about_the_server(failure: BaseException) -> bool:
    """By the SQLSTATE: connection exceptions, too many connections, shut down or starting up."""
    state = getattr(failure, "sqlstate", None) or ""
    return state[:2] == "08" or state in {"53300", "57P01", "57P02", "57P03", "57P05"}

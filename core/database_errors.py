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
    text = " ".join(str(failure).split())
    return text or {"TimeoutError": "no answer in time"}.get(type(failure).__name__, type(failure).__name__)


def _is_about_the_server(failure: BaseException) -> bool:
    """By the SQLSTATE: connection exceptions, too many connections, shut down or starting up."""
    state = getattr(failure, "sqlstate", None) or ""
    return state[:2] == "08" or state in {"53300", "57P01", "57P02", "57P03", "57P05"}

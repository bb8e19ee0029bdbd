"""How the command line speaks: tables for people on standard output, JSON where `--json` is given.

Errors go to standard error with the code a script can look for, and end the command with exit status 1.
"""

import csv
import os
import socket
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, NoReturn, TypeAlias

import orjson
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from core.errors import SubmeterError
from core.settings import SettingsError

WIDTH_OF_A_PIPE = 140
"""Columns where there is no terminal to ask."""

AtMost: TypeAlias = Annotated[int, Parameter(validator=Number(gte=1, lte=100_000))]
"""How many rows a list shows."""

Port: TypeAlias = Annotated[int, Parameter(validator=Number(gte=1, lte=65_535))]
"""A TCP port."""

RowNumber: TypeAlias = Annotated[int, Parameter(validator=Number(gte=1, lte=2**63 - 1))]
"""The number of a row, as the tables hold it."""

out = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_PIPE)
err = Console(stderr=True, highlight=False, emoji=False)


def print_json(value: object) -> None:
    """One JSON document on standard output, indented."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        # A cell may be anybody's text: it is shown, and never read as markup. Our own styles come as Text.
        table.add_row(
            *(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell)) for cell in row)
        )
    out.print(table)


def counted(number: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def fail(message: str, *, code: str = "ERROR") -> NoReturn:
    err.print(f"[bold red]{code}[/]: {escape(message)}", soft_wrap=True)
    raise SystemExit(1)


@contextmanager
def reported_errors() -> Iterator[None]:
    """Tell the errors of the application, of files and of databases in one line instead of a stack trace."""
    try:
        yield
    except BrokenPipeError:  # who read us has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except SubmeterError as failure:
        reported = failure.message if failure.field is None else f"{failure.field}: {failure.message}"
        fail(reported, code=failure.code)
    except SettingsError as failure:
        fail(str(failure), code="SETTINGS")
    except csv.Error as failure:
        fail(f"This is not CSV: {failure}", code="INVALID_INPUT")
    except sqlite3.DatabaseError as failure:
        fail(f"The database cannot be used: {failure}", code="DATABASE_UNREACHABLE")
    except (ConnectionError, socket.gaierror) as failure:
        fail(f"The database cannot be reached: {failure}", code="DATABASE_UNREACHABLE")
    except (
        FileNotFoundError,
        FileExistsError,
        IsADirectoryError,
        NotADirectoryError,
        PermissionError,
    ) as failure:
        _report_file_error(failure)
    except Exception as failure:
        from core.metering import DriverConflict  # noqa: PLC0415 - all decoders; whoever raised it has them

        if not isinstance(failure, DriverConflict):
            raise
        fail(str(failure), code="DRIVER_CONFLICT")


def _report_file_error(failure: OSError) -> NoReturn:
    if failure.filename is None:  # no file of ours: the socket of a database
        fail(f"The database cannot be reached: {failure}", code="DATABASE_UNREACHABLE")
    if isinstance(failure, FileNotFoundError):
        fail(f"{failure.filename}: no such file", code="NO_SUCH_FILE")
    fail(f"{failure.filename}: {failure.strerror}", code="UNREADABLE_FILE")

"""Output of the command line: tables on standard output, JSON with `--json`.

Errors are written to standard error with a code for scripts, and end the command with exit status 1.
"""

import csv
import os
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
from rich.table import Column, Table
from rich.text import Text

from core.errors import SubmeterError
from core.settings import SettingsError

WIDTH_OF_A_PIPE = 140
"""Width in columns if there is no terminal."""

AtMost: TypeAlias = Annotated[int, Parameter(validator=Number(gte=1, lte=100_000))]
"""The maximum number of rows of a list."""

Port: TypeAlias = Annotated[int, Parameter(validator=Number(gte=1, lte=65_535))]
"""A TCP port."""

RowNumber: TypeAlias = Annotated[int, Parameter(validator=Number(gte=1, lte=2**63 - 1))]
"""The number of a row in its table."""

out = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_PIPE)
err = Console(stderr=True, highlight=False, emoji=False)


def print_json(value: object) -> None:
    """One JSON document on standard output, indented."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")


def print_table(title: str, columns: Sequence[str | Column], rows: Sequence[Sequence[object]]) -> None:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        # A cell may contain anybody's text: it is never interpreted as markup. Our own styles are Text.
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


def confirmed(question: str) -> bool:
    """Ask the person at the terminal; no where there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    err.print(f"{question} [y/N] ", end="", markup=False, soft_wrap=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


@contextmanager
def reported_errors() -> Iterator[None]:
    """Report errors of the application, of files and of databases in one line instead of a stack trace."""
    try:
        yield
    except BrokenPipeError:  # the reader of the pipe has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except SubmeterError as failure:
        reported = failure.message if failure.field is None else f"{failure.field}: {failure.message}"
        fail(reported, code=failure.code)
    except SettingsError as failure:
        fail(str(failure), code="SETTINGS")
    except csv.Error as failure:
        fail(f"Not a CSV file: {failure}", code="INVALID_INPUT")
    except sqlite3.DatabaseError as failure:
        fail(f"The database cannot be used: {failure}", code="DATABASE_UNREACHABLE")
    except (
        FileNotFoundError,
        FileExistsError,
        IsADirectoryError,
        NotADirectoryError,
        PermissionError,
    ) as failure:
        _report_file_error(failure)
    except Exception as failure:
        _report_by_its_kind(failure)
        raise


def _report_by_its_kind(failure: Exception) -> None:
    """Report what the database or the drivers raised; answers when it is neither's."""
    from core.database_errors import is_of_pooler, is_refusal, is_unreachable, sentence_of  # noqa: PLC0415 - seldom needed

    if is_of_pooler(failure):
        fail(f"The database cannot be used: {sentence_of(failure)}.", code="SETTINGS")
    if is_unreachable(failure) or is_refusal(failure):
        fail(f"The database cannot be reached: {sentence_of(failure)}", code="DATABASE_UNREACHABLE")
    from core.metering import DriverConflict  # noqa: PLC0415 - imports all decoders, which are loaded if it was raised

    if isinstance(failure, DriverConflict):
        fail(str(failure), code="DRIVER_CONFLICT")


def _report_file_error(failure: OSError) -> NoReturn:
    from core.database_errors import sentence_of  # noqa: PLC0415 - seldom needed

    if failure.filename is None:  # not a file: the socket of a database
        fail(f"The database cannot be reached: {sentence_of(failure)}", code="DATABASE_UNREACHABLE")
    if isinstance(failure, FileNotFoundError):
        fail(f"{failure.filename}: no such file", code="NO_SUCH_FILE")
    fail(f"{failure.filename}: {failure.strerror}", code="UNREADABLE_FILE")

"""`submeter ingest` and `submeter replay`: gateway lines in, a summary out."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from errno import ENOENT
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.access import SYSTEM
from core.services.telegrams import pipeline
from core.services.telegrams.pipeline import IntakeSummary, count_dead_letters
from submeter.application import opened
from submeter.output import counted, err, out, print_json, print_table

STANDARD_INPUT = Path("-")
PIPE_BYTES = 1 << 20


async def ingest(
    *files: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    source: str | None = None,
    json: bool = False,
) -> None:
    """Ingest files of gateway lines: plain hex, telegram=|...|, rtl_wmbus CSV or JSON lines.

    Lines that cannot be used become dead letters with a reason; `submeter replay` processes them again.

    Args:
        files: files with one telegram per line; - or no file is standard input.
        source: source that is stored with dead letters (default: the file's name).
        json: print the summary as JSON.
    """
    for path in files:
        if path != STANDARD_INPUT and not path.exists():
            raise FileNotFoundError(ENOENT, "no such file", str(path))
    summary = IntakeSummary()
    async with opened() as application:
        for path in files or (STANDARD_INPUT,):
            with progress_bar(f"Ingesting {_name(path)}", _count(path)) as advance:
                async for lines in _deliveries(path):
                    summary += await pipeline.take_in(
                        application,
                        SYSTEM,
                        lines,
                        source=source or _name(path),
                        now=datetime.now(UTC),
                        progress=advance,
                    )
    report(summary, as_json=json)


async def replay(*, json: bool = False) -> None:
    """Process all dead letters again; those whose cause was removed become readings.

    Args:
        json: print the summary as JSON.
    """
    async with opened() as application:
        with progress_bar("Replaying", await count_dead_letters(SYSTEM)) as advance:
            summary = await pipeline.replay(application, SYSTEM, now=datetime.now(UTC), progress=advance)
    report(summary, as_json=json)


def report(summary: IntakeSummary, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "lines": summary.lines,
                "stored": summary.stored,
                "doubtful": summary.doubtful,
                "duplicates": summary.duplicates,
                "unusable": dict(sorted(summary.unusable.items())),
                "alerts": summary.alerts,
                "messages": summary.messages,
            }
        )
        return
    rows = [("stored", summary.stored), ("duplicates", summary.duplicates)]
    if summary.doubtful:
        rows.insert(1, ("of these doubtful", summary.doubtful))
    rows += [(f"dead letters: {reason}", count) for reason, count in sorted(summary.unusable.items())]
    print_table(counted(summary.lines, "line"), ("result", "lines"), rows)
    if summary.alerts or summary.messages:
        out.print(f"{summary.alerts} alerts raised or updated, {summary.messages} messages queued.")
    if summary.doubtful:
        out.print("[bold]submeter readings list[/] shows which readings do not count, and why.")
    if summary.unusable:
        out.print(
            "[bold]submeter dead-letters list[/] shows the reasons; "
            "[bold]submeter replay[/] processes the lines again."
        )


def _name(path: Path) -> str:
    return "standard input" if path == STANDARD_INPUT else path.name


@contextmanager
def progress_bar(label: str, total: int | None) -> Iterator["Advance"]:
    """A progress bar on standard error; the block gets a function to call with the number of lines done."""
    with Progress(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as bar:
        task = bar.add_task(label, total=total)
        yield Advance(bar, task)


class Advance:
    """Advances the bar."""

    def __init__(self, bar: Progress, task: object) -> None:
        self._bar, self._task = bar, task

    def __call__(self, lines: int) -> None:
        self._bar.advance(self._task, lines)  # type: ignore[arg-type]  # rich's TaskID, an int of its own type


async def _deliveries(path: Path) -> AsyncIterator[Iterable[str]]:
    """A whole file; of a stream the data received so far, so that a gateway's pipe is ingested live.

    A damaged byte must not stop the rest: its line becomes a dead letter, with the replacement character.
    """
    if not _is_stream(path):
        with path.open(encoding="utf-8", errors="replace") as file:
            yield file
        return
    with ExitStack() as stack:
        source = sys.stdin if path == STANDARD_INPUT else stack.enter_context(path.open("rb", buffering=0))
        rest = b""
        while chunk := await asyncio.to_thread(os.read, source.fileno(), PIPE_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            yield [line.decode("utf-8", "replace") for line in lines]
        yield [rest.decode("utf-8", "replace")]


def _is_stream(path: Path) -> bool:
    """Whether the content can be read only once: a pipe, a FIFO, a terminal."""
    return path == STANDARD_INPUT or path.is_fifo() or path.is_char_device() or path.is_socket()


def _count(path: Path) -> int | None:
    """The number of lines; None for a stream, which counting would consume."""
    if _is_stream(path):
        return None
    with path.open("rb") as file:
        return sum(1 for _ in file)

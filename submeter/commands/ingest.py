"""`submeter ingest` and `submeter replay`: gateway lines in, a summary out."""

import asyncio
import os
import select
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from errno import ENOENT
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.access import SYSTEM
from core.metering import is_blank
from core.services.telegrams import pipeline
from core.services.telegrams.moments import Span
from core.services.telegrams.pipeline import IntakeSummary, count_dead_letters
from submeter.application import opened, opened_unchecked
from submeter.lasting_intake import LastingIntake
from submeter.line_files import LineReader, read_lines
from submeter.output import counted, err, out, print_json, print_table
from submeter.spool import Spool
from submeter.unpacking import Fault

STANDARD_INPUT = Path("-")
PIPE_BYTES = 1 << 20

SPOOL_FOLDER = "spool"
"""Below the data folder: what was read of pipes while the database was away."""

DELIVERY_CHARACTERS = 4 << 20
DELIVERY_S = 1.0
PAUSE_S = 0.05
"""A delivery of a stream ends when it pauses so long, or after so many characters or seconds."""


async def ingest(
    *files: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    source: str | None = None,
    json: bool = False,
) -> None:
    """Ingest files of gateway lines: plain hex, telegram=|...|, rtl_wmbus CSV or JSON lines.

    Lines that cannot be used become dead letters with a reason; `submeter replay` processes them again. Files
    may be UTF-8 or UTF-16, and packed with gzip or zstd. Of a damaged file the lines before the damage are
    ingested, and the exit status is 1.

    A database that is away is waited for. What a pipe brings meanwhile is kept in the data folder, up to
    SUBMETER_SPOOL_BYTES, and taken in first when it is back, or at the next start.

    Args:
        files: files with one telegram per line; - or no file is standard input.
        source: source that is stored with dead letters (default: the file's name).
        json: print the summary as JSON.
    """
    for path in files:
        if path != STANDARD_INPUT and not path.exists():
            raise FileNotFoundError(ENOENT, "no such file", str(path))
    faults: list[tuple[str, Fault]] = []
    paths = files or (STANDARD_INPUT,)
    scans = [_Scan.of(path) for path in paths]
    async with opened_unchecked() as application:
        settings = application.settings
        spool = Spool(settings.data_dir / SPOOL_FOLDER, most_bytes=settings.spool_bytes)
        try:
            intake = LastingIntake(application, spool)
            await intake.start()
            for place, (path, scan) in enumerate(zip(paths, scans, strict=True)):
                # The untimed lines of the files that follow were received after this one's.
                later = sum((one.span.length for one in scans[place + 1 :] if one is not None), timedelta())
                name = _name(path)
                with progress_bar(f"Ingesting {name}", None if scan is None else scan.lines) as advance:
                    intake.progress = advance
                    fault = await _take_in(path, scan, intake, source=source or name, later=later)
                if fault is not None:
                    faults.append((name, fault))
            await intake.finish()
        finally:
            spool.close()
    report(intake.summary, as_json=json)
    for name, fault in faults:
        err.print(
            f"[bold red]{fault.code}[/]: {escape(name)} was not read to its end: {escape(fault.message)}",
            soft_wrap=True,
        )
    if faults:
        raise SystemExit(1)


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
        TextColumn("{task.description}", markup=False),  # it may hold the name of a file
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,  # a file would get its empty lines
    ) as bar:
        task = bar.add_task(label, total=total)
        yield Advance(bar, task)


class Advance:
    """Advances the bar."""

    def __init__(self, bar: Progress, task: object) -> None:
        self._bar, self._task = bar, task

    def of(self, total: int) -> None:
        """Set how many there are, once that is known."""
        self._bar.update(self._task, total=total)  # type: ignore[arg-type]  # as below

    def __call__(self, lines: int) -> None:
        self._bar.advance(self._task, lines)  # type: ignore[arg-type]  # rich's TaskID, an int of its own type


@dataclass(frozen=True, slots=True)
class _Scan:
    """What a first pass over a file finds: how many lines, and what room the untimed ones need."""

    lines: int
    span: Span

    @classmethod
    def of(cls, path: Path) -> "_Scan | None":
        """The scan of a file; None for a stream, which reading would consume."""
        if _is_stream(path):
            return None
        lines = 0

        def counted(texts: Iterable[str]) -> Iterator[str]:
            nonlocal lines
            for text in texts:
                lines += not is_blank(text)
                yield text

        with path.open("rb", buffering=0) as file:
            span = Span.of(counted(read_lines(file, LineReader())))
        return cls(lines, span)


async def _take_in(
    path: Path, scan: "_Scan | None", intake: LastingIntake, *, source: str, later: timedelta
) -> Fault | None:
    """One file or stream; the fault at which it ended too early.

    A damaged byte must not stop the rest: its line becomes a dead letter, with the replacement character.
    """
    reader = LineReader()
    if scan is None:
        await intake.take_pipe(_deliveries(path, reader), source=source)
        return reader.fault

    def lines() -> Iterator[str]:
        nonlocal reader
        reader = LineReader()
        with path.open("rb", buffering=0) as file:
            yield from read_lines(file, reader)

    ends_at = datetime.now(UTC) - later
    if scan.span.seconds is None:
        await intake.take_file(lines(), source=source, span=scan.span, ends_at=ends_at)
    else:
        await intake.take_simulation(lines, source=source, span=scan.span, ends_at=ends_at)
    return reader.fault


async def _deliveries(path: Path, reader: LineReader) -> AsyncIterator[list[str]]:
    """What a stream has brought so far, again and again, so that a gateway's pipe is ingested live."""
    with ExitStack() as stack:
        source = sys.stdin if path == STANDARD_INPUT else stack.enter_context(path.open("rb", buffering=0))
        number = source.fileno()
        lines: list[str] = []
        characters, since = 0, time.monotonic()
        while reader.fault is None and (data := await asyncio.to_thread(os.read, number, PIPE_BYTES)):
            for line in reader.feed(data):
                lines.append(line)
                characters += len(line)
                if characters >= DELIVERY_CHARACTERS:
                    yield lines
                    lines, characters, since = [], 0, time.monotonic()
            waited = time.monotonic() - since
            if lines and (waited >= DELIVERY_S or not await asyncio.to_thread(_is_readable, number)):
                yield lines
                lines, characters = [], 0
            since = since if lines else time.monotonic()
        yield [*lines, *reader.finish()]


def _is_readable(number: int) -> bool:
    """Whether more data comes at once, as from a file that another program writes into the pipe."""
    try:
        return bool(select.select([number], [], [], PAUSE_S)[0])
    except (OSError, ValueError):  # what this system cannot wait for
        return False


def _is_stream(path: Path) -> bool:
    """Whether the content can be read only once: a pipe, a FIFO, a terminal."""
    return path == STANDARD_INPUT or path.is_fifo() or path.is_char_device() or path.is_socket()

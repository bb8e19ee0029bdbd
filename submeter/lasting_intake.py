"""Intake that outlasts its database: waits for it, says so once, and keeps what a pipe brings meanwhile.

In: the lines of files and pipes. Out: readings, and the sum of what became of them. The one rule: a batch is
tried again until it is committed, in the order of reception; a file waits where it was read to, a pipe is
read on into the spool until that is full, and then not any more, so that its writer waits.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from rich.markup import escape

from core.access import SYSTEM
from core.bootstrap import Application, pending_migrations
from core.database_errors import is_refusal, may_pass, sentence_of
from core.metering import is_blank
from core.services.telegrams import pipeline
from core.services.telegrams.moments import Span
from core.services.telegrams.pipeline import IntakeSummary
from core.telemetry.intake import Source, received_by
from submeter.application import report_pending_migrations
from submeter.output import err
from submeter.spool import Spool, SpooledDelivery

T = TypeVar("T")

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Batch:
    """Lines of one transaction, what room its untimed lines need, and the moment of the last of them."""

    lines: Sequence[str]
    span: Span
    ends_at: datetime


class LastingIntake:
    """Takes lines in as the operator.

    Args:
        application: the application, whose database may be away.
        spool: where a pipe's lines are kept meanwhile.
        progress: called with the number of lines of each batch once it is stored.

    """

    def __init__(
        self, application: Application, spool: Spool, *, progress: Callable[[int], None] | None = None
    ) -> None:
        self.summary = IntakeSummary()
        self.progress = progress
        self._application = application
        self._spool = spool
        self._is_away = self._is_checked = False
        self._drainer: asyncio.Task[None] | None = None
        self._room = asyncio.Event()

    async def start(self) -> None:
        """Check the tables, if the database is there, and begin with what an earlier process has kept."""
        try:
            await self._check()
        except Exception as failure:  # noqa: BLE001 - raised again, if it says anything else
            self._note_away(failure)
        if not self._spool.is_empty:
            err.print("What was kept while the database was away is taken in first.")
            self._drain()

    async def finish(self) -> None:
        """Wait until nothing is kept any more."""
        if self._drainer is not None:
            await self._drainer

    async def take_file(self, lines: Iterable[str], *, source: str, span: Span, ends_at: datetime) -> None:
        """The lines of a file, in batches, each of which waits for the database."""
        await self.finish()
        for batch in self._cut(lines, span, ends_at):
            await self._lasting(lambda batch=batch: self._take(batch, source=source, now=datetime.now(UTC)))  # type: ignore[misc]

    async def take_simulation(
        self, lines: Callable[[], Iterator[str]], *, source: str, span: Span, ends_at: datetime
    ) -> None:
        """A file whose lines count seconds: from its beginning again, if the database goes away."""
        await self.finish()

        async def whole() -> None:
            await self._check()
            self.summary += await pipeline.take_in(
                self._application,
                SYSTEM,
                lines(),
                source=source,
                now=datetime.now(UTC),
                span=span,
                ends_at=ends_at,
                progress=self.progress,
            )

        await self._lasting(whole)

    async def take_pipe(self, deliveries: AsyncIterator[Sequence[str]], *, source: str) -> None:
        """What a pipe brings, to its end, and then all that is kept of it."""
        with received_by(Source.PIPE):
            async for lines in deliveries:
                await self._take_delivery(SpooledDelivery(source, datetime.now(UTC), list(lines)))
        await self.finish()

    async def _take_delivery(self, delivery: SpooledDelivery) -> None:
        if self._drainer is not None and self._drainer.done():
            self._drainer.result()
            self._drainer = None
        if self._drainer is None and not self._is_away:
            rest = await self._taken_until_away(delivery)
            if rest is None:
                return
            delivery = rest
        characters = sum(len(line) + 5 for line in delivery.lines)
        while not self._spool.has_room(characters):
            self._room.clear()
            self._drain()
            await self._room.wait()
            assert self._drainer is not None
            if self._drainer.done():
                self._drainer.result()
        self._spool.append(delivery)
        self._drain()

    async def _taken_until_away(self, delivery: SpooledDelivery) -> SpooledDelivery | None:
        """Take a delivery in; what is left of it when the database went away."""
        done = 0
        for batch in self._cut(delivery.lines, Span.of(delivery.lines), delivery.received_at):
            try:
                await self._take(batch, source=delivery.source, now=delivery.received_at)
            except Exception as failure:  # noqa: BLE001 - as above
                self._note_away(failure)
                lines = [line for line in delivery.lines if not is_blank(line)]
                return SpooledDelivery(delivery.source, delivery.received_at, lines[done:])
            done += len(batch.lines)
        return None

    def _drain(self) -> None:
        if self._drainer is None or self._drainer.done():
            self._drainer = asyncio.create_task(self._drain_all())

    async def _drain_all(self) -> None:
        try:
            while (file := self._spool.oldest()) is not None:
                for delivery in file.deliveries:
                    span = Span.of(delivery.lines)
                    for batch in self._cut(delivery.lines, span, delivery.received_at):
                        source, now = delivery.source, delivery.received_at
                        await self._lasting(
                            lambda batch=batch, source=source, now=now: self._take(  # type: ignore[misc]
                                batch, source=source, now=now
                            )
                        )
                if file.is_damaged:
                    err.print(
                        f"{escape(str(file.path))} is damaged: what can be read of it was taken in.",
                        soft_wrap=True,
                    )
                file.remove()
                self._room.set()
        finally:
            self._room.set()

    def _cut(self, lines: Iterable[str], span: Span, ends_at: datetime) -> Iterator[_Batch]:
        """Batches that are laid at the moments which the whole would be laid at."""
        if span.seconds is not None:
            yield _Batch([line for line in lines if not is_blank(line)], span, ends_at)
            return
        left = span.untimed
        some = (line for line in lines if not is_blank(line))
        while batch := list(islice(some, self._application.settings.intake_batch_lines)):
            own = Span.of(batch)
            left -= own.untimed
            yield _Batch(batch, own, ends_at - timedelta(seconds=max(0, left)))

    async def _take(self, batch: _Batch, *, source: str, now: datetime) -> None:
        await self._check()
        self.summary += await pipeline.take_in(
            self._application,
            SYSTEM,
            batch.lines,
            source=source,
            now=now,
            span=batch.span,
            ends_at=batch.ends_at,
            progress=self.progress,
        )
        self._note_back()

    async def _check(self) -> None:
        """That the tables are this version's; asked once, when the database is there."""
        if not self._is_checked:
            report_pending_migrations(await pending_migrations(self._application.settings))
            self._is_checked = True

    async def _lasting(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Its result, as soon as the database lets it have one."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                result = await attempt()
            except Exception as failure:  # noqa: BLE001 - as above
                self._note_away(failure)
            else:
                self._note_back()
                return result
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _note_away(self, failure: Exception) -> None:
        """Say once that the database is away.

        Raises:
            Exception: the failure, if it says anything else.
        """
        if not may_pass(failure) or is_refusal(failure):
            raise failure
        if not self._is_away:
            reason = escape(sentence_of(failure))
            err.print(
                f"[yellow]DATABASE_AWAY[/]: {reason}. It is waited for; Ctrl+C ends this.", soft_wrap=True
            )
        self._is_away = True

    def _note_back(self) -> None:
        if self._is_away:
            err.print("The database is back.")
        self._is_away = False

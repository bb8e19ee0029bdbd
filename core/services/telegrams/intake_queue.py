"""The bounded queue before intake, one a process: whoever delivers waits here for the commit.

In: deliveries of gateways, over HTTP or from a broker. Out: their summaries, once everything is committed.
The one rule: a summary is a promise, and without one the sender delivers again: after `Busy` (too much is
waiting), after `Unavailable` (the database is away) and after no answer at all. That changes nothing, since
what was stored is a duplicate.

Deliveries of one viewer are taken in the order of their submission; of several viewers one each in turn, so
that a gateway with a day's backlog does not keep the others waiting.
"""

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from core.access import Permission, Viewer
from core.bootstrap import Application
from core.database_errors import may_pass, sentence_of
from core.errors import Busy, Unavailable
from core.services.telegrams.dead_letters import UnusableLine, unusable_lines
from core.services.telegrams.intake_thread import IntakeThread
from core.services.telegrams.pipeline import IntakeSummary, take_in
from core.telemetry import tracing
from core.telemetry.intake import Source, received_by

MOST_WAITING_LINES = 40_000
MOST_WAITING_CHARACTERS = 64 << 20
"""What waits in memory at most, the delivery that is being taken in included."""

SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(seconds=60)
WAIT_FOR_DATABASE = timedelta(seconds=10)
WAIT_FOR_RESTART = timedelta(seconds=5)
_USUAL_LINES_A_SECOND = 1_000.0
_WEIGHT_OF_NEWEST = 0.3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivery; `unusable` if it was asked for, by the places of the lines."""

    summary: IntakeSummary
    unusable: tuple[UnusableLine, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Delivery:
    viewer: Viewer
    lines: Sequence[str]
    source: str
    received_at: datetime
    names_unusable: bool
    characters: int
    way: Source
    receipt: "asyncio.Future[Receipt]" = field(repr=False)
    caller: object | None = field(default_factory=tracing.current, repr=False)

    async def taken_in(self, application: Application) -> Receipt:
        with tracing.under(self.caller), received_by(self.way):
            summary = await take_in(
                application, self.viewer, self.lines, source=self.source, now=self.received_at
            )
        if not self.names_unusable or not summary.unusable:
            return Receipt(summary)
        return Receipt(summary, tuple(await unusable_lines(self.viewer, self.lines)))


_Sender: TypeAlias = tuple[int | None, int | None, int | None]


class IntakeQueue:
    """Takes deliveries in one after the other, in a thread beside the caller's event loop.

    Args: application: whose database; when it is closed, what is being taken in is finished, and what waits
    is refused. most_lines: lines that wait at most. most_characters: characters that wait at most. seconds:
    a clock that only goes forward, for the rate that tells how long to wait.

    """

    def __init__(
        self,
        application: Application,
        *,
        most_lines: int = MOST_WAITING_LINES,
        most_characters: int = MOST_WAITING_CHARACTERS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._thread = IntakeThread(application)
        self._most_lines, self._most_characters = most_lines, most_characters
        self._seconds = seconds
        self._lines_a_second = _USUAL_LINES_A_SECOND
        self._waiting: OrderedDict[_Sender, deque[_Delivery]] = OrderedDict()
        self._lines = self._characters = 0
        self._consumer: asyncio.Task[None] | None = None
        self._database_is_away = False
        self._closed = False
        application.closing.append(self.close)

    @property
    def waiting_lines(self) -> int:
        """Lines that are not committed yet."""
        return self._lines

    def check_room(self, viewer: Viewer, *, lines: int = 1, characters: int = 0) -> None:
        """Whether a delivery of this size would be accepted; before its content has been read, for
        instance.

        Raises:
            Forbidden: the viewer may not submit telegrams.
            Busy: too much is waiting. A delivery that finds nothing waiting is accepted at any size.
        """
        viewer.require(Permission.TELEGRAMS_SUBMIT)
        is_full = (
            self._lines + lines > self._most_lines or self._characters + characters > self._most_characters
        )
        if self._closed:
            raise Busy(retry_after=WAIT_FOR_RESTART)
        if self._lines and is_full:
            expected = timedelta(seconds=self._lines / self._lines_a_second)
            raise Busy(retry_after=max(SHORTEST_WAIT, min(LONGEST_WAIT, expected)))

    async def submit(
        self,
        viewer: Viewer,
        lines: Sequence[str],
        *,
        source: str,
        received_at: datetime,
        way: Source = Source.HTTP,
        names_unusable: bool = False,
    ) -> Receipt:
        """Ingest gateway lines of any known format; returns when all of them are committed.

        Args:
            viewer: the gateway, or the operator's command line.
            lines: the lines.
            source: a gateway's or topic's name, stored with dead letters.
            received_at: the moment of reception, aware UTC.
            way: the way in, as metrics name it.
            names_unusable: whether the receipt shall name the lines that could not be used.

        Raises:
            Forbidden: the viewer may not submit telegrams.
            Busy: too much is waiting.
            Unavailable: the database is away; what was committed before that is a duplicate next time.
        """
        characters = sum(map(len, lines))
        self.check_room(viewer, lines=len(lines), characters=characters)
        receipt = asyncio.get_running_loop().create_future()
        delivery = _Delivery(viewer, lines, source, received_at, names_unusable, characters, way, receipt)
        sender = (viewer.operator_id, viewer.gateway_id, viewer.account_id)
        self._waiting.setdefault(sender, deque()).append(delivery)
        self._lines += len(lines)
        self._characters += characters
        if self._consumer is None or self._consumer.done():
            self._consumer = asyncio.create_task(self._take_in_all())
        # A client that hangs up does not take its delivery back: it will send it again, which is harmless.
        return await asyncio.shield(receipt)

    async def close(self) -> None:
        """Finish the delivery that is being taken in; refuse the others and what comes later."""
        self._closed = True
        if self._consumer is not None:
            await asyncio.wait([self._consumer])
        await self._thread.close()

    async def _take_in_all(self) -> None:
        while self._waiting:
            delivery = self._next()
            began = self._seconds()
            try:
                if self._closed:
                    raise Busy(retry_after=WAIT_FOR_RESTART)  # noqa: TRY301 - one way to refuse
                receipt = await self._thread.run(delivery.taken_in)
            except Exception as failure:  # noqa: BLE001 - it is the submitter's
                self._refuse(delivery, failure)
            else:
                self._learn_rate(len(delivery.lines), self._seconds() - began)
                self._note_database(None)
                if not delivery.receipt.done():
                    delivery.receipt.set_result(receipt)
            finally:
                self._lines -= len(delivery.lines)
                self._characters -= delivery.characters

    def _next(self) -> _Delivery:
        """The oldest of the viewer whose turn it is; the turn passes on."""
        sender, deliveries = self._waiting.popitem(last=False)
        delivery = deliveries.popleft()
        if deliveries:
            self._waiting[sender] = deliveries
        return delivery

    def _refuse(self, delivery: _Delivery, failure: Exception) -> None:
        if may_pass(failure):
            self._note_database(failure)
            failure = Unavailable(retry_after=WAIT_FOR_DATABASE)
        if not delivery.receipt.done():
            delivery.receipt.set_exception(failure)
            delivery.receipt.exception()  # looked at here, since the submitter may have gone

    def _note_database(self, failure: Exception | None) -> None:
        """Say once that the database is away, and once that it is back."""
        if failure is not None and not self._database_is_away:
            _log.warning(
                "The database is away, deliveries are refused until it is back: %s", sentence_of(failure)
            )
        elif failure is None and self._database_is_away:
            _log.warning("The database is back.")
        self._database_is_away = failure is not None

    def _learn_rate(self, lines: int, seconds: float) -> None:
        if lines and seconds > 0:
            newest = lines / seconds
            self._lines_a_second += (newest - self._lines_a_second) * _WEIGHT_OF_NEWEST

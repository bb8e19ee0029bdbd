"""What intake shows of itself: how long the stages of a batch take, and what came of its telegrams.

In: a stage's block, and the summary of a batch once it is committed. Out: metrics and spans. The one rule: a
door says which kind of source it is (`received_by`), and the pipeline only says what happened.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.telemetry import metrics, tracing


class Source(StrEnum):
    """The ways in."""

    FILE = "file"
    PIPE = "pipe"
    GRAPHQL = "graphql"
    HTTP = "http"
    MQTT = "mqtt"
    REPLAY = "replay"


class Stage(StrEnum):
    """The parts of a batch that are timed; BATCH is all of it, from the lines to the commit."""

    BATCH = "BATCH"
    DECODE = "DECODE"
    READINGS = "READINGS"
    VOLUMES = "VOLUMES"
    LEAKS = "LEAKS"
    ALERTS = "ALERTS"
    DEAD_LETTERS = "DEAD_LETTERS"


class TakenIn(Protocol):
    """The outcome of a batch."""

    @property
    def lines(self) -> int:
        """All lines."""

    @property
    def stored(self) -> int:
        """The readings that are new."""

    @property
    def doubtful(self) -> int:
        """Those of them that do not count."""

    @property
    def duplicates(self) -> int:
        """The readings that were there."""

    @property
    def unusable(self) -> Mapping[str, int]:
        """The lines that became dead letters, by reason."""

    @property
    def newest_at(self) -> datetime | None:
        """The moment of the newest stored reading."""


_source: ContextVar[Source] = ContextVar("source", default=Source.FILE)


@contextmanager
def received_by(source: Source) -> Iterator[None]:
    """Count what the block takes in as this source's."""
    before = _source.set(source)
    try:
        yield
    finally:
        _source.reset(before)


@contextmanager
def stage(stage: Stage) -> Iterator[None]:
    """Time a part of a batch, and make a span of it."""
    with (
        tracing.span(f"intake {stage.lower()}", {"submeter.source": _source.get().value}),
        metrics.STAGE_SECONDS.labels(stage.value).time(),
    ):
        yield


def note_batch(taken: TakenIn, *, now: datetime) -> None:
    """Count a batch that is committed."""
    source = _source.get().value
    metrics.TELEGRAMS_RECEIVED.labels(source).inc(taken.lines)
    metrics.TELEGRAMS_STORED.labels(source).inc(taken.stored)
    metrics.TELEGRAMS_DUPLICATES.labels(source).inc(taken.duplicates)
    metrics.TELEGRAMS_DOUBTFUL.labels(source).inc(taken.doubtful)
    for reason, count in taken.unusable.items():
        metrics.TELEGRAMS_REFUSED.labels(source, reason).inc(count)
    if taken.newest_at is not None:
        metrics.INTAKE_LAG.labels(source).set(max((now - taken.newest_at).total_seconds(), 0))
        metrics.NEWEST_READING.labels(source).set(taken.newest_at.timestamp())

"""Collects spans in memory, as an exporter would get them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from core.telemetry import tracing


@contextmanager
def collected_spans() -> Iterator[Callable[[], tuple[Any, ...]]]:
    """A function that answers the spans that have ended within the block."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    try:
        yield exporter.get_finished_spans
    finally:
        tracing.stop()

"""Traces by OpenTelemetry: spans of requests, operations, batches of telegrams and messages.

In: a name and a few attributes that are no personal data. Out: a span, where somebody collects them. The one
rule: without the extra `opentelemetry`, or without OTEL_EXPORTER_OTLP_ENDPOINT in the environment, a span
costs nothing and nothing is imported. The exporter's further variables are OpenTelemetry's own.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

Attribute: TypeAlias = str | int | float | bool

_log = logging.getLogger(__name__)
_tracer: "Tracer | None" = None
_provider: "TracerProvider | None" = None


def span(
    name: str, attributes: Mapping[str, Attribute] | None = None
) -> AbstractContextManager["Span", bool | None]:
    """A span of the block; an exception that leaves the block marks it as failed, by its type alone."""
    return _NO_SPAN if _tracer is None else _span(_tracer, name, attributes)


@contextmanager
def _span(tracer: "Tracer", name: str, attributes: Mapping[str, Attribute] | None) -> Iterator["Span"]:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - the extra's, and only where it is used

    with tracer.start_as_current_span(
        name, attributes=dict(attributes or {}), record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield Span(current)
        except BaseException as failure:
            # Its text may hold an address or a serial.
            current.set_attribute("error.type", type(failure).__qualname__)
            current.set_status(Status(StatusCode.ERROR))
            raise


def current() -> object | None:
    """The span that the caller is in, for `under`; None where no spans are collected."""
    if _tracer is None:
        return None
    from opentelemetry import context  # noqa: PLC0415 - the extra's, and only where it is used

    return context.get_current()


@contextmanager
def under(caller: object | None) -> Iterator[None]:
    """Make the spans of the block, in another thread than the caller's, the caller's own."""
    if caller is None:
        yield
        return
    from opentelemetry import context  # noqa: PLC0415 - the extra's, and only where it is used

    token = context.attach(caller)  # type: ignore[arg-type]  # what `current` returned
    try:
        yield
    finally:
        context.detach(token)


class Span:
    """The span of a block, or nothing where none is collected."""

    def __init__(self, current: object | None) -> None:
        self._current = current

    def note(self, name: str, value: Attribute) -> None:
        """Set an attribute that is known at the end only."""
        if self._current is not None:
            self._current.set_attribute(name, value)  # type: ignore[attr-defined]  # opentelemetry's Span


_NO_SPAN: Final = nullcontext(Span(None))
"""Of every block where no spans are collected."""


def start() -> None:
    """Begin to export, where the environment says so and the extra is installed."""
    if _tracer is not None or not any(os.environ.get(name) for name in ENDPOINTS):
        return
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        _log.warning('Traces need the extra: pip install "submeter[opentelemetry]".')
        return
    # The extra's, and slow to import.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME") or "submeter"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use(provider)


def use(provider: "TracerProvider") -> None:
    """Collect spans by this provider from now on."""
    global _tracer, _provider
    _provider, _tracer = provider, provider.get_tracer("submeter")


def is_on() -> bool:
    """Whether spans are collected."""
    return _provider is not None


def stop() -> None:
    """Export what is left, and collect no more."""
    global _tracer, _provider  # noqa: PLW0603 - as in `use`
    if _provider is not None:
        _provider.shutdown()
    _provider = _tracer = None

"""Traces: spans where they are collected, nothing where they are not, and never a text of a stranger."""

import pytest

from core.telemetry import tracing
from tests.support.spans import collected_spans


@pytest.fixture
def spans():
    with collected_spans() as finished:
        yield finished


def test_a_span_has_its_attributes_and_its_parent(spans) -> None:
    """Those of its beginning and those that are known at its end."""
    with tracing.span("outer", {"submeter.source": "file"}), tracing.span("inner") as inner:
        inner.note("submeter.lines", 3)
    first, second = spans()
    assert (first.name, dict(first.attributes)) == ("inner", {"submeter.lines": 3})
    assert (second.name, dict(second.attributes)) == ("outer", {"submeter.source": "file"})
    assert first.parent.span_id == second.context.span_id


def test_a_failed_block_names_the_type_and_not_the_text(spans) -> None:
    """An exception's text may hold an address."""
    with pytest.raises(ValueError, match="claire"), tracing.span("block"):
        raise ValueError("claire@example.org")
    (span,) = spans()
    assert dict(span.attributes) == {"error.type": "ValueError"}
    assert (span.status.is_ok, span.status.description, span.events) == (False, None, ())


def test_nothing_is_collected_unless_the_environment_says_where_to(monkeypatch) -> None:
    """A start without the variable begins nothing, and a span is an empty block."""
    for name in tracing.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    tracing.start()
    with tracing.span("block") as span:
        span.note("a", 1)
    assert tracing._tracer is None


def test_without_the_extra_one_line_says_what_to_install(monkeypatch, caplog) -> None:
    """An endpoint is set, and OpenTelemetry is not installed."""
    monkeypatch.setenv(tracing.ENDPOINTS[0], "http://127.0.0.1:4318")
    monkeypatch.setattr(tracing, "find_spec", lambda _name: None)
    tracing.start()
    assert "submeter[opentelemetry]" in caplog.text
    assert tracing._tracer is None

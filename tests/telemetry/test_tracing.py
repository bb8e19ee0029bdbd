"""Traces: spans where they are collected, nothing where they are not, and never a text of a stranger."""

import gzip
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

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


def test_spans_are_exported_to_the_address_of_the_environment(monkeypatch) -> None:
    """By OTLP over HTTP, at the latest when the application is closed."""
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_arguments) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv(tracing.ENDPOINTS[0], f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "submeter-of-the-tests")
        tracing.start()
        assert tracing.is_on()
        with tracing.span("intake batch", {"submeter.source": "mqtt"}):
            pass
        tracing.stop()
        server.shutdown()
    assert not tracing.is_on()
    ((path, body),) = received
    assert path == "/v1/traces"
    for words in (b"intake batch", b"submeter.source", b"mqtt", b"submeter-of-the-tests"):
        assert words in gunzipped(body)


def gunzipped(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def test_without_the_extra_one_line_says_what_to_install(monkeypatch, caplog) -> None:
    """An endpoint is set, and OpenTelemetry is not installed."""
    monkeypatch.setenv(tracing.ENDPOINTS[0], "http://127.0.0.1:4318")
    monkeypatch.setattr(tracing, "find_spec", lambda _name: None)
    tracing.start()
    assert "submeter[opentelemetry]" in caplog.text
    assert tracing._tracer is None

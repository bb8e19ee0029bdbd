"""Log lines: of structlog and of every library, in two forms, without personal data."""

import io
import json
import logging
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from core.settings import Settings
from core.telemetry import logs

PERSONAL_TEXTS = [
    "claire.martin@example.org",
    "Jean-Luc+eau@mail.example.co.uk",
    "+33 6 12 34 56 78",
    "+33612345678",
    "0033 612345678",
    "06 12 34 56 78",
    "0612345678",
    "01.23.45.67.89",
    "smf_Zm9vYmFyYmF6cXV4MTIzNDU2",
    "sms_AbCdEfGhIjKlMnOpQrStUvWx",
    "Bearer eyJhbGciOi.J9-x_y",
    "postgresql://portal:s3cret@db.example.org/submeter",
]


@pytest.fixture
def lines(request):
    """A function that logs by a handler of its own and answers the lines."""
    kept: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(self.format(record))

    handler = Kept()
    root = logging.getLogger()
    level = root.level
    logs.configure(Settings(data_dir=Path(), database_url="sqlite:///x", secret_key="x" * 32))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)

    def in_format(log_format: str) -> list[str]:
        handler.setFormatter(logs.formatter(log_format))
        kept.clear()
        return kept

    yield in_format
    root.removeHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["JSON", "CONSOLE"])
@pytest.mark.parametrize("text", PERSONAL_TEXTS)
def test_what_looks_personal_is_in_no_line(lines, log_format, text) -> None:
    """Neither in a message, nor in its arguments, a value, a nested value or an exception's text."""
    kept = lines(log_format)
    logging.getLogger("any.library").warning("Refused: %s", text)
    logging.getLogger("any.library").warning("%s", f"Refused: {text}.")
    log = structlog.stdlib.get_logger("ours")
    log.warning("refused", why=text, nested={"list": [text]})
    log.error("broken", exc_info=ValueError(f"Key (email)=({text}) already exists."))
    assert len(kept) == 4
    secret = text.removeprefix("Bearer ").split("://")[-1].split("@db")[0]
    assert [line for line in kept if secret in line] == []


@pytest.mark.parametrize("log_format", ["JSON", "CONSOLE"])
@pytest.mark.parametrize("key", sorted(logs.PERSONAL))
def test_a_key_of_personal_data_is_dropped(lines, log_format, key) -> None:
    """Whatever its value looks like, at every depth; the event and its other values remain."""
    kept = lines(log_format)
    structlog.stdlib.get_logger("ours").info("signed_in", **{key: "Dupont-Moretti"}, meter=12)
    structlog.stdlib.get_logger("ours").info("signed_in", about={key.upper(): "Dupont-Moretti"}, meter=12)
    assert len(kept) == 2
    for line in kept:
        assert "Dupont" not in line
        assert "signed_in" in line
        assert "12" in line


def test_what_an_operator_needs_remains(lines) -> None:
    """Serials, moments, counts, addresses of machines and ids are no personal data by their form."""
    kept = lines("JSON")
    text = "Meter 12345678 of 192.168.1.20:5432 at 2026-11-22T09:30:00+00:00: message 61234567 took 1500 ms"
    logging.getLogger("ours").info("%s", text)
    (line,) = kept
    assert json.loads(line)["message"] == text


def _broken(_password: str) -> None:
    raise RuntimeError("out of\nluck")


def test_a_line_of_json_is_an_object_with_level_logger_and_moment(lines) -> None:
    """One line each, a stack trace included, without the variables of its frames."""
    kept = lines("JSON")
    with structlog.contextvars.bound_contextvars(request_id="abc12345"):
        try:
            _broken("correct " + "horse")
        except RuntimeError:
            logging.getLogger("uvicorn.error").exception("It broke")
    (line,) = kept
    assert "\n" not in line
    assert "correct horse" not in line
    event = json.loads(line)
    assert (event["level"], event["logger"], event["message"]) == ("error", "uvicorn.error", "It broke")
    assert event["request_id"] == "abc12345"
    assert event["timestamp"].endswith("Z")
    assert "RuntimeError: out of" in event["exception"]


@pytest.mark.parametrize("log_format", ["JSON", "CONSOLE"])
def test_a_database_that_is_away_is_one_line(lines, log_format) -> None:
    """Whoever logs it, as asyncpg's pool does at each try to connect again."""
    kept = lines(log_format)
    away = ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 5432)")
    logging.getLogger("asyncpg.pool").error("Failed; retrying", exc_info=away)
    try:
        raise away
    except ConnectionRefusedError:
        logging.getLogger("asyncpg.pool").exception("Failed; retrying")
    assert len(kept) == 2
    for line in kept:
        assert "Connect call failed" in line
        assert "Traceback" not in line
        assert "\n" not in line


@given(st.text())
def test_any_text_can_be_cleaned_and_cleaning_again_changes_nothing(text) -> None:
    """Whatever a stranger sends ends up in a log line somewhere."""
    once = logs.clean(text)
    assert logs.clean(once) == once


def test_a_second_start_adds_no_handler(monkeypatch) -> None:
    """Each process logs each event once, however often the application is opened in it."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    settings = Settings(data_dir=Path(), database_url="sqlite:///x", secret_key="x" * 32, log_level="ERROR")
    for _ in range(2):
        logs.configure(settings)
    assert (len(root.handlers), root.level) == (1, logging.ERROR)
    structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["JSON", "CONSOLE"])
def test_the_line_of_a_request_is_a_line_of_its_logger(capsys, monkeypatch, log_format) -> None:
    """The same keys and values in the same form, whether it is rendered at once or goes through logging."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    settings = Settings(
        data_dir=Path(), database_url="sqlite:///x", secret_key="x" * 32, log_format=log_format
    )
    logs.configure(settings)
    values = {"method": "POST", "path": "/graphql", "status": 200, "milliseconds": 1.5}
    with structlog.contextvars.bound_contextvars(request_id="0123456789abcdef"):
        logs.log_request(logging.INFO, "0123456789abcdef", **values)
        root.addHandler(logging.NullHandler())
        logs.log_request(logging.INFO, "0123456789abcdef", **values)
        logs.log_request(logging.DEBUG, "0123456789abcdef", **values)
    direct, through_logging = capsys.readouterr().err.splitlines()
    if log_format == "JSON":
        ours, theirs = json.loads(direct), json.loads(through_logging)
        assert ours | {"timestamp": ""} == theirs | {"timestamp": ""}
        assert ours["message"] == "request"
    else:
        assert direct.split()[1:] == through_logging.split()[1:]
        assert "status=200" in direct
    structlog.reset_defaults()


class _Broken(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [_Broken(), None])
def test_a_line_that_cannot_be_written_ends_no_request(monkeypatch, stream) -> None:
    """Whoever read our standard error may be gone, and a service may have none: requests are answered."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    logs.configure(Settings(data_dir=Path(), database_url="sqlite:///x", secret_key="x" * 32))
    monkeypatch.setattr("sys.stderr", stream)
    logs.log_request(logging.INFO, "0123456789abcdef", method="POST", path="/graphql", status=200)
    structlog.reset_defaults()

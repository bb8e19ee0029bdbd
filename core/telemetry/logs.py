"""Log lines: a console's for people, JSON for programs, by structlog; those of every library go the same way.

In: the level and the format of the settings. Out: one line an event on standard error, with the request's id
where there is one. The one rule: no personal data. A key that names a person is dropped, and whatever looks
like an address, a telephone number or a token is replaced in texts, an exception's text included.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from core.database_errors import is_unreachable, sentence_of
from core.settings import JSON, Settings

PERSONAL = frozenset(
    {
        "account_name",
        "address",
        "addressed_to",
        "authorization",
        "birth_date",
        "body",
        "code",
        "cookie",
        "email",
        "first_name",
        "full_name",
        "key",
        "last_name",
        "mail",
        "name",
        "password",
        "password_hash",
        "phone",
        "phone_e164",
        "recipient",
        "secret",
        "secret_key",
        "session",
        "street",
        "surname",
        "text",
        "to",
        "token",
        "token_hash",
        "user",
        "username",
        "values",
        "variables",
    }
)
"""Names of values that tell who somebody is, what was written to them, or that open a door."""

_REPLACED = (
    (re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+"), "<e-mail>"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 <token>"),
    (re.compile(r"\bs[a-z]{2}_[\w-]{16,}"), "<token>"),
    (re.compile(r"(?<![\w.:+-])(?:\+|00)\d(?:[ .-]?\d){7,14}(?![\w:])"), "<phone>"),
    (re.compile(r"(?<![\w.:+-])0[1-9](?:[ .-]?\d\d){4}(?![\w:])"), "<phone>"),
    (re.compile(r"(?<=://)[^/\s@]+:[^/\s@]+(?=@)"), "<credentials>"),
)

_LOOKS_PERSONAL = re.compile(r"@|://|\b(?:bearer|basic)\s|\bs[a-z]{2}_|(?<![\w.:+-])[+0]\d", re.IGNORECASE)
"""What each of those begins with or holds: most texts have none of it, and are looked at once."""

_HINTS = frozenset("@:_0+") | {one for one in map(chr, range(0x3001)) if one.isspace()}
"""Of these characters each of those has one: a word has none, and is not looked at."""

_LOGS_OF_VALUES = ("aiosqlite", "tortoise.db_client")
"""At DEBUG these log every statement with its values: addresses, serials, hashes."""


_LOG_OF_THE_POOL = "asyncpg.pool"
"""Warns of a connection that it could not restore, with a stack trace; the next statement reports it too."""


def configure(settings: Settings) -> None:
    """Log as the settings say. Who has set up logging already, as a test runner has, keeps its handlers."""
    # What no line shows need not be found out for each (the standard library's "Optimization").
    logging._srcfile = None  # noqa: SLF001 - its documentation says so
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for name in _LOGS_OF_VALUES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(_LOG_OF_THE_POOL).setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    ours = [handler for handler in root.handlers if isinstance(handler, _StandardError)]
    if root.handlers and not ours:
        return
    handler = ours[0] if ours else _StandardError()
    colors = sys.stderr.isatty()
    handler.setFormatter(formatter(settings.log_format, colors=colors))
    handler.render = _renderers(settings.log_format, colors=colors)
    if not ours:
        root.addHandler(handler)
    root.setLevel(settings.log_level)


def formatter(log_format: str, *, colors: bool = False) -> logging.Formatter:
    """The formatter of a handler, for lines of structlog and of the standard library's logging alike."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _one_line_for_a_database_that_is_away,
            structlog.processors.format_exc_info,
            without_personal_data,
            *_renderers(log_format, colors=colors),
        ],
    )


def log_request(level: int, request_id: str, **values: str | float) -> None:
    """Write the line of a request, as the logger `submeter.access` does, in a tenth of the time.

    Where nobody but our own handler listens, the line is rendered at once; so no value may be one that a
    client chooses, or personal: nothing looks at them again.
    """
    if not _requests.isEnabledFor(level):
        return
    listening = [*_requests.root.handlers, *_requests.handlers]
    handler = listening[0] if len(listening) == 1 else None
    if not isinstance(handler, _StandardError):
        structlog.stdlib.get_logger(_requests.name).log(level, _REQUEST, **values)
        return
    event: EventDict = {
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "level": logging.getLevelName(level).lower(),
        "event": _REQUEST,
        "logger": _requests.name,
        "request_id": request_id,
        **values,
    }
    handler.write(event)


_requests = logging.getLogger("submeter.access")
_REQUEST = "request"


def _renderers(log_format: str, *, colors: bool) -> list[Processor]:
    if log_format == JSON:
        return [
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(serializer=_json),
        ]
    if colors:
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [_line]


def _line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """A line as a terminal's, without colours and columns: to align them takes four times as long."""
    begin = [event.pop("timestamp", ""), f"[{event.pop('level', '')}]", event.pop("event", "")]
    begin.append(f"[{event.pop('logger', '')}]")
    below = [event.pop(key) for key in ("stack", "exception") if event.get(key)]
    values = [f"{key}={_value(event[key])}" for key in sorted(event)]
    return "\n".join([" ".join(map(str, [*begin, *values])), *below])


def _value(value: object) -> object:
    """As it is if it is one word or a number, else as Python writes it, so that a line remains one."""
    is_word = isinstance(value, str) and value.isprintable() and " " not in value and value
    return value if is_word or isinstance(value, int | float) else repr(value)


def _json(event: EventDict, default: Callable[[Any], Any]) -> str:
    try:
        return orjson.dumps(event, default=default, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # a number of more than 64 bits
        return json.dumps(event, default=default)


def _one_line_for_a_database_that_is_away(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    """Leave the stack trace out of what is no fault of the code, whichever library logs it."""
    info = event.get("exc_info")
    failure = info[1] if isinstance(info, tuple) else sys.exc_info()[1] if info is True else info
    if isinstance(failure, BaseException) and is_unreachable(failure):
        del event["exc_info"]
        event["why"] = sentence_of(failure)
    return event


def without_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop what is personal by its key, and replace what is so by its form."""
    return {
        key: value if key == "timestamp" else _clean(value)
        for key, value in event.items()
        if key.lower() not in PERSONAL
    }


def clean(text: str) -> str:
    """A text without addresses, telephone numbers and tokens."""
    if _HINTS.isdisjoint(text) or _LOOKS_PERSONAL.search(text) is None:
        return text
    for pattern, instead in _REPLACED:
        text = pattern.sub(instead, text)
    return text


def _clean(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {key: _clean(item) for key, item in value.items() if str(key).lower() not in PERSONAL}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else clean(str(value))


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at the time."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.render: Sequence[Processor] = ()

    def write(self, event: EventDict) -> None:
        """Write a line that needs nothing but to be rendered."""
        line: Any = event
        for processor in self.render:
            line = processor(None, "", line)
        try:
            with self.lock or nullcontext():
                self.stream.write(f"{line}\n")
                self.flush()
        except Exception:  # noqa: BLE001 - a request is answered, whatever became of standard error
            self.handleError(logging.makeLogRecord({"msg": line}))

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        pass

"""Decodes many telegrams: JSON objects in, JSON objects out, one per line and in order.

In: `{"id": ..., "telegram": "<line>", "key": "<hex>" | null, "prior_telegrams": [...]}`. Out: `{"id": ...,
"manufacturer": ..., "serial": ..., "measurements": {...}, "error": null}` and some more keys. The one
rule: each object is decoded by itself and gets its own answer, with an `error` if it cannot be decoded.
Telegrams listed as prior are of the same meter and are read first, for the compact formats they define.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from core.mbus.lines import is_cut
from core.metering import (
    NO_FORMATS,
    CompactFormats,
    Identified,
    Measurement,
    Opened,
    Registry,
    TelegramError,
    as_received,
    clear_part,
    identify,
    open_telegram,
    parse_line,
    why_no_values,
)

_BAD_INPUT: Final = "INVALID_INPUT"
LONGEST_OBJECT: Final = 1 << 20
"""Characters of a line that is read: an object holds the telegrams before it, too."""


def answers(lines: Iterable[str], registry: Registry) -> Iterator[bytes]:
    """The answer to each line that is not blank, without its line feed."""
    for line in lines:
        if line.strip():
            yield orjson.dumps(_answer(line, registry))


class _InputError(Exception):
    """The line is not an object of the expected form."""


def _answer(line: str, registry: Registry) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": None, "manufacturer": None, "serial": None, "address": None, "driver": None,
        "measurements": {}, "history": [], "flags": [], "status_word": None, "no_values": None, "error": None,
    }  # fmt: skip
    identified: Identified | None = None
    try:
        asked = _object(line)
        answer["id"] = asked.get("id")
        key = _key(asked.get("key"))
        formats = _learned(asked.get("prior_telegrams"), key, registry)
        identified, received_at = _received(_text(asked.get("telegram")), registry)
        answer |= _sender(identified)
        opened = _opened(identified, key, formats)
    except _InputError as error:
        return answer | {"error": {"code": _BAD_INPUT, "message": str(error)}}
    except TelegramError as error:
        part = None if identified is None else clear_part(identified)
        besides = {} if part is None else _meaning(part[1])
        return (
            answer
            | besides
            | {
                "error": {
                    "code": error.code.value,
                    "stage": error.stage.value,
                    "offset": error.offset,
                    "message": error.message,
                }
            }
        )
    meaning = _meaning(as_received(opened.measurement, received_at)) | {"no_values": why_no_values(opened)}
    return answer | _sender(opened.identified) | meaning


def _object(line: str) -> dict[str, Any]:
    if is_cut(line):
        raise _InputError(f"The line is longer than {LONGEST_OBJECT} characters.")
    try:
        asked = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise _InputError("The line is no JSON.") from None
    if not isinstance(asked, dict):
        raise _InputError("Expected one JSON object per line.")
    return asked


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _InputError("Expected the telegram as a string.")
    return value


def _key(value: object) -> bytes | None:
    if not value:
        return None
    try:
        return bytes.fromhex(_text(value))
    except ValueError:
        raise _InputError("The key must be hex digits.") from None


def _learned(prior: object, key: bytes | None, registry: Registry) -> CompactFormats:
    """The compact formats that prior telegrams define; one that cannot be decoded is ignored."""
    formats = NO_FORMATS
    if not isinstance(prior, list):
        return formats
    for line in prior:
        try:
            identified, _ = _received(_text(line), registry)
            formats = formats.learn(_opened(identified, key, formats))
        except TelegramError:
            continue
    return formats


def _received(line: str, registry: Registry) -> tuple[Identified, datetime | None]:
    """Who sent the telegram of a line, and when it was received, if the line says so."""
    parsed = parse_line(line)
    return identify(parsed.telegram, registry, crc_kept=parsed.crc_kept), parsed.received_at


def _opened(identified: Identified, key: bytes | None, formats: CompactFormats) -> Opened:
    return open_telegram(identified, key, formats=formats.formats_for(identified.address))


def _sender(identified: Identified) -> dict[str, Any]:
    return {
        "manufacturer": identified.address.manufacturer,
        "serial": identified.address.identification,
        "address": str(identified.address),
        "driver": identified.driver.name,
    }


def _meaning(measurement: Measurement) -> dict[str, Any]:
    earlier = measurement.previous_flags
    return {
        "measurements": {name: _plain(value) for name, value in measurement.values.items()},
        "history": [
            {
                "day": entry.day.isoformat(),
                "quantity": entry.quantity.value,
                "value": _plain(entry.value),
                "source": entry.source.value,
            }
            for entry in measurement.history
        ],
        "flags": sorted(flag.value for flag in measurement.flags),
        "durations": {
            span.flag.value: {"at_least_h": span.at_least, "at_most_h": span.at_most}
            for span in measurement.durations
        },
        "previous_alarm_flags": None if earlier is None else sorted(flag.value for flag in earlier),
        "status_word": measurement.status_word,
    }


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else float(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else value

"""The lines of an MQTT message, whatever its publisher sends.

In: a payload. Out: gateway lines, as a file would have them. The one rule: a payload that is no text, and one
that cannot be unpacked, is a line too, in hexadecimal: a raw telegram is read, anything else becomes a dead
letter that shows what was received.
"""

import json
import re
from typing import Final

from core.mbus.lines import LONGEST_LINE, cut_line
from submeter.line_files import LineReader
from submeter.unpacking import packing_of

MOST_CHARACTERS: Final = 32 << 20
"""Of one message, once it is unpacked; no gateway has so much to say at once."""

_NO_TEXT: Final = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_ENDS: Final = re.compile(rb"[\r\n]+")
_MARK: Final = b"\xef\xbb\xbf"


def lines_of(payload: bytes) -> list[str]:
    """The lines of one message; of an empty one, which deletes a retained message, none."""
    if packing_of(payload[:4]) is None:
        if not _is_text(payload):
            return [_in_hexadecimal(payload)]
        if _is_one_object(payload):
            payload = _LINE_ENDS.sub(b" ", payload)
    reader = LineReader()
    lines: list[str] = []
    characters = 0
    for part in (reader.feed(payload), reader.finish()):
        for line in part:
            lines.append(line)
            characters += len(line) + 1
            if characters > MOST_CHARACTERS:
                return [*lines, _in_hexadecimal(payload)]
    return lines if reader.fault is None else [*lines, _in_hexadecimal(payload)]


def _is_text(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return _NO_TEXT.search(payload) is None


def _is_one_object(payload: bytes) -> bool:
    """Whether line ends in it are white space of one JSON object, and not the ends of several."""
    if not payload.removeprefix(_MARK).lstrip().startswith(b"{") or b"\n" not in payload.strip():
        return False
    try:
        json.loads(payload.removeprefix(_MARK))
    except (ValueError, RecursionError):
        return False
    return True


def _in_hexadecimal(payload: bytes) -> str:
    digits = payload[: LONGEST_LINE // 2].hex()
    return digits if 2 * len(payload) <= LONGEST_LINE else cut_line(digits, 2 * len(payload))

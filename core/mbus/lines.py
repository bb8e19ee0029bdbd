"""One gateway line, in any shape we know, to raw bytes.

In: a line of text. Out: the telegram, when it was received, how strong, and whether link checksums are still
on it. The one rule: every sign of damage that the gateway gives is heeded (CRC flag, 3-out-of-6 flag,
checksum of the serial protocol): a telegram that its own receiver doubts is refused. A key inside a line is
ignored; keys come from the meters' own store.

Shapes: plain hexadecimal, `0x` or not; `telegram=|...|+7`; rtl_wmbus semicolons; one JSON object a line
(wmbusmeters, rtl_433; uplinks of ChirpStack and The Things Stack); culfw `b...` and `bY...`; hexadecimal of
the binary frames of serial receivers.
"""

import base64
import json
import re
from binascii import unhexlify
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import orjson
from msgspec import UNSET, MsgspecError, Raw, Struct, UnsetType, field
from msgspec.json import Decoder

from core.mbus.errors import TelegramFault
from core.mbus.serial_frames import SERIAL_STARTS, read_serial
from core.mbus.serial_frames import line_fault as _fault

_HEX: Final = re.compile(r"[0-9A-Fa-f]+", re.ASCII)
_SEPARATORS: Final = str.maketrans("", "", " _|#\t")
_SIMULATION: Final = re.compile(r"telegram=\|([0-9A-Fa-f_|# ]*)\|(?:\+(\d{1,9}))?", re.ASCII)
_SECONDS: Final = re.compile(r"\|\+(\d{1,9})[\s;\0]*\Z", re.ASCII)
_RTL_FIELDS: Final = 8
_ALGORITHMS: Final = frozenset({"rla", "t2a"})
"""What rtl_wmbus puts first when it is asked how it decoded the line (-v)."""
_LONGEST: Final = 2048
_PREFIXES: Final = frozenset({"0x", "0X"})
_LISTED_BYTES: Final = re.compile(r"(?:0[xX][0-9A-Fa-f]{2},*){2,}", re.ASCII)
"""Bytes as a program prints a list of them: 0x19, 0x44, ..."""
_LIST_MARKS: Final = re.compile(r"0[xX]|,")
_CULFW_A: Final = frozenset({"b", "B"})
_CULFW_B: Final = frozenset({"bY", "by", "BY", "By"})
_HEADER_A: Final = 10
_BLOCK_A: Final = 16
"""The blocks of frame format A, each of which a checksum follows (EN 13757-4 clause 12.3)."""
_LOUDEST_DBM: Final = 1000
"""No receiver measures so much, of either sign; JSON can say more than a float holds, and NaN."""
_AROUND: Final = "\0\ufeff" + "".join(filter(str.isspace, map(chr, range(0x3001))))
"""What may stand around a line: white space, the NULs of a log that a power cut interrupted, a byte order
mark."""

LONGEST_LINE: Final = 16_384
"""Characters of a line that are read, or kept if there are more: a telegram is no longer than 600."""

_CUT: Final = re.compile(r" \[cut, (\d+) characters\]\Z", re.ASCII)


class GatewayLine(Struct, frozen=True, gc=False):
    """What a gateway handed over.

    Args:
        telegram: raw bytes, L field first.
        received_at: when, in UTC; None when the line does not say.
        rssi_dbm: received signal strength in dBm; None when the line does not say, or says it in another
            unit.
        crc_kept: whether the link checksums are still in `telegram`; None when the line's shape does not say.
        seconds: when, in seconds since the start of its simulation file; None when the line does not say.
        checked: True when the line says that the receiver checked the link checksums.

    """

    telegram: bytes
    received_at: datetime | None = None
    rssi_dbm: float | None = None
    crc_kept: bool | None = None
    checked: bool = False
    seconds: int | None = None


def is_blank(text: str) -> bool:
    """True for an empty line and for a comment, a line that begins with `#`: nothing to parse, nothing
    wrong.
    """
    if text[:1].isalnum() or text.startswith("{"):  # nearly all lines
        return False
    line = text.strip()
    if line[:1] == "\ufeff":
        line = stripped(line)
    return not line or line.startswith("#")


def stripped(text: str) -> str:
    """The line without what may stand around it."""
    return text.strip(_AROUND)


def cut_line(kept: str, length: int) -> str:
    """How a line that is too long is kept: its beginning, and how long it was; never read as a telegram."""
    return f"{kept} [cut, {length} characters]"


def is_cut(text: str) -> bool:
    """Whether `cut_line` wrote this."""
    return len(text) > LONGEST_LINE and _CUT.search(text) is not None


def simulation_seconds(text: str) -> int | None:
    """The `+SECONDS` of a simulation line, without reading its telegram."""
    match = _SECONDS.search(text)
    return None if match is None or not stripped(text).startswith("telegram=") else int(match.group(1))


def parse_line(text: str) -> GatewayLine:
    """Reads one line.

    Raises:
        TelegramError: stage LINE; NOT_A_TELEGRAM when no shape fits, UNSUPPORTED_SHAPE when one fits that is
            not read, INTEGRITY_FLAG when the gateway says that the telegram is damaged, CRC_MISMATCH for the
            checksum of a serial frame.

    """
    if text.startswith("{"):
        usual = _usual_json(text)
        if usual is not None:
            return usual
    else:
        plain = _plain(text)
        if plain is not None:
            return GatewayLine(plain)
    cut = _CUT.search(text) if len(text) > LONGEST_LINE else None
    if cut is not None:
        raise _fault(
            f"The line has {cut.group(1)} characters, of which {cut.start()} are kept.", offset=cut.start()
        )
    line = stripped(text).rstrip("; ")
    if line.startswith("{"):
        return _json(line)
    if line.startswith("telegram="):
        return _simulation(line)
    if ";" in line:
        return _rtl_wmbus(line)
    digits = line.translate(_SEPARATORS)
    if digits[:2] in _CULFW_B:
        return _culfw(digits[2:], format_b=True)
    if digits[:1] in _CULFW_A and len(digits) % 2:
        # An even number of digits is plain hexadecimal that happens to begin with b.
        return _culfw(digits[1:], format_b=False)
    raw = _unhex(line)
    telegram = read_serial(raw)
    return GatewayLine(raw) if telegram is None else GatewayLine(telegram, crc_kept=False)


def plain_lines(texts: Sequence[str]) -> list[GatewayLine] | None:
    """As `parse_line` reads lines that are all nothing but hexadecimal digits; None where one is another."""
    try:
        raws = list(map(unhexlify, texts))
    except ValueError:
        return None
    lengths = set(map(len, raws))
    if min(lengths, default=1) < 1 or max(lengths, default=1) > _LONGEST // 2:
        return None
    return list(map(GatewayLine, raws)) if SERIAL_STARTS.isdisjoint([raw[0] for raw in raws]) else None


def _plain(text: str) -> bytes | None:
    """The telegram of a line that is nothing but its hexadecimal digits, as most are; None for any other, and
    where the digits might be a serial receiver's frame.
    """
    if 0 < len(text) <= _LONGEST:
        try:
            raw = unhexlify(text)
        except ValueError:
            return None
        if raw[0] not in SERIAL_STARTS:
            return raw
    return None


def _unhex(text: str) -> bytes:
    if len(text) <= _LONGEST:
        try:
            raw = unhexlify(text)
        except ValueError:
            raw = b""
        if raw:
            return raw
    digits = text.translate(_SEPARATORS)
    if _LISTED_BYTES.fullmatch(digits):
        digits = _LIST_MARKS.sub("", digits)
    elif digits[:2] in _PREFIXES:
        digits = digits[2:]
    if not digits:
        raise _fault("The line holds no telegram.")
    if len(digits) > _LONGEST:
        raise _fault("The line is longer than any telegram.", offset=_LONGEST)
    match = _HEX.match(digits)
    if match is None or match.end() != len(digits):
        raise _fault("The line is no hexadecimal text.", offset=0 if match is None else match.end())
    if len(digits) % 2:
        raise _fault("The hexadecimal text has an odd number of digits.", offset=len(digits))
    return bytes.fromhex(digits)


def _simulation(line: str) -> GatewayLine:
    match = _SIMULATION.fullmatch(line)
    if match is None:
        raise _fault("A simulation line is written telegram=|HEX| or telegram=|HEX|+SECONDS.")
    telegram, seconds = match.groups()
    return GatewayLine(_unhex(telegram), seconds=None if seconds is None else int(seconds))


def _rtl_wmbus(line: str) -> GatewayLine:
    fields = line.split(";")
    if fields[0].strip() in _ALGORITHMS:
        del fields[0]
    if len(fields) != _RTL_FIELDS:
        raise _fault(f"An rtl_wmbus line has {_RTL_FIELDS} fields, this one {len(fields)}.")
    _mode, crc_ok, three_of_six_ok, moment, *_levels, telegram = (value.strip() for value in fields)
    if crc_ok != "1":
        raise _fault("The receiver says that the checksum failed.", code=TelegramFault.INTEGRITY_FLAG)
    if three_of_six_ok != "1":
        message = "The receiver says that the 3-out-of-6 code was broken: unread bytes are invented."
        raise _fault(message, code=TelegramFault.INTEGRITY_FLAG)
    # The two level fields are receiver units, not dBm.
    raw = _unhex(telegram)
    return GatewayLine(raw, received_at=_moment(moment), crc_kept=False, checked=True)


class _UsualJson(Struct, frozen=True, gc=False):
    """The fields of a JSON line that are read, of their usual kinds; others are passed over."""

    telegram: str
    received_at: str | None = None
    timestamp: str | None = None
    time: str | None = None
    mic: str | None = None
    rssi_dbm: float | None = None
    crc_kept: bool | None = None
    uplink_message: Raw | UnsetType = UNSET
    device_info: Raw | UnsetType = field(default=UNSET, name="deviceInfo")
    receivers: Raw | UnsetType = field(default=UNSET, name="rxInfo")


_read_usual: Final = Decoder(_UsualJson).decode


def _usual_json(text: str) -> GatewayLine | None:
    """A JSON line as most are, without a look at what is not asked for; None where `_json` has to read it."""
    if len(text) > LONGEST_LINE:
        return None
    try:
        read = _read_usual(text)
        telegram = unhexlify(read.telegram)
    except (MsgspecError, ValueError, RecursionError):
        return None
    is_uplink = not (read.uplink_message is read.device_info is read.receivers is UNSET)
    if is_uplink or not 0 < len(telegram) <= _LONGEST // 2 or read.mic not in _CHECKED:
        return None
    received: str | None = read.timestamp
    if read.received_at is not None:
        received = read.received_at
    elif received is None:
        received = read.time
    strength = read.rssi_dbm
    return GatewayLine(
        telegram,
        None if received is None else _moment(received),
        strength if strength is None or -_LOUDEST_DBM < strength < _LOUDEST_DBM else None,
        read.crc_kept,
        read.mic is not None,
    )


_CHECKED: Final = (None, "CRC")
"""What rtl_433 says of the checksums of a telegram that it did not check, or whose checksums fit."""


def _json(line: str) -> GatewayLine:
    content = _json_value(line)
    if not isinstance(content, dict):
        raise _fault("One JSON object a line is asked for.")
    uplink = _uplink(content)
    if uplink is not None:
        return uplink
    telegram = content.get("telegram", content.get("data"))
    if not isinstance(telegram, str):
        raise _fault("The JSON object has neither a telegram nor a data field with hexadecimal text.")
    if content.get("mic") not in _CHECKED:
        raise _fault("The receiver says that the checksum failed.", code=TelegramFault.INTEGRITY_FLAG)
    received = next(
        (content[name] for name in ("received_at", "timestamp", "time") if content.get(name) is not None),
        None,
    )
    if received is not None and not isinstance(received, str):
        raise _fault("The moment received is written in ISO 8601.")
    return GatewayLine(
        _unhex(telegram),
        received_at=None if received is None else _moment(received),
        rssi_dbm=_strength(content.get("rssi_dbm")),
        crc_kept=kept if isinstance(kept := content.get("crc_kept"), bool) else None,
        checked=content.get("mic") == "CRC",
    )


def _json_value(line: str) -> object:
    """The value of a JSON text. The slower parser reads what the faster refuses: NaN, a lone surrogate."""
    try:
        return orjson.loads(line)
    except ValueError:
        pass
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise _fault("The line opens like JSON and is none.") from None


def _uplink(content: dict[str, object]) -> GatewayLine | None:
    """A telegram that a bridge has sent on through a LoRaWAN network, at the network server's time.

    None for what is no uplink. The levels in it are those of the bridge's radio, not of the meter's.
    """
    moments: list[object]
    message = content.get("uplink_message")
    if isinstance(message, dict):  # The Things Stack v3: webhooks and MQTT have the same object
        payload: object = message.get("frm_payload")
        moments = [message.get("received_at"), content.get("received_at")]
    elif "deviceInfo" in content or "rxInfo" in content:  # ChirpStack v4; v3 without deviceInfo
        payload = content.get("data")
        receivers = content.get("rxInfo")
        receivers = receivers if isinstance(receivers, list) else []
        times = [one.get(name) for one in receivers if isinstance(one, dict) for name in ("nsTime", "time")]
        moments = [content.get("time"), *times]
    else:
        return None
    received = next((moment for moment in moments if isinstance(moment, str) and moment), None)
    return GatewayLine(_unbase64(payload), received_at=None if received is None else _moment(received))


def _unbase64(payload: object) -> bytes:
    if payload is None or payload == "":
        raise _fault("The LoRaWAN uplink carries no payload.")
    try:
        raw = base64.b64decode(payload if isinstance(payload, str) else "!", validate=True)
    except ValueError:
        raise _fault("The payload of a LoRaWAN uplink is written in base64.") from None
    if len(raw) > _LONGEST // 2:
        raise _fault("The payload is longer than any telegram.")
    return raw


def _strength(value: object) -> float | None:
    """A signal strength as JSON tells it; None for what is no number that one can have."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < _LOUDEST_DBM:
        return None
    return float(value)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _fault("The moment received is written in ISO 8601.") from None


def _signed_byte(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _culfw(digits: str, *, format_b: bool) -> GatewayLine:
    """Culfw, after its `b` (format A) or `bY` (format B): telegram with checksums, then LQI and RSSI.

    Some builds leave the two out; then the telegram ends where its L field says.
    """
    raw = _unhex(digits)
    if len(raw) < 3:
        raise _fault("A culfw line ends with LQI and RSSI.")
    blocks = 0 if format_b else 1 + -(-(raw[0] + 1 - _HEADER_A) // _BLOCK_A)
    whole = raw[0] + 1 + 2 * blocks
    if whole <= len(raw) <= whole + 1:
        return GatewayLine(raw[:whole], crc_kept=True)
    return GatewayLine(raw[:-2], rssi_dbm=_signed_byte(raw[-1]) / 2 - 74, crc_kept=True)

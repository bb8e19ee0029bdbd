"""One gateway line, in any shape we know, to raw bytes.

In: a line of text. Out: the telegram, when it was received, how strong, and whether link checksums are still
on it. The one rule: every sign of damage that the gateway gives is heeded (CRC flag, 3-out-of-6 flag,
checksum of the serial protocol): a telegram that its own receiver doubts is refused. A key inside a line is
ignored; keys come from the meters' own store.

Shapes: plain hexadecimal; `telegram=|...|+7`; rtl_wmbus semicolons; one JSON object a line (wmbusmeters,
rtl_433); culfw `b...` and `bY...`; hexadecimal of the binary frames of iM871A and AMB8465.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from core.mbus.errors import DecodeStage, TelegramError, TelegramFault

_HEX: Final = re.compile(r"[0-9A-Fa-f]+", re.ASCII)
_SEPARATORS: Final = str.maketrans("", "", " _|#\t")
_SIMULATION: Final = re.compile(r"telegram=\|([0-9A-Fa-f_|# ]*)\|(?:\+\d+)?", re.ASCII)
_RTL_FIELDS: Final = 8
_LONGEST: Final = 2048


@dataclass(frozen=True, slots=True)
class GatewayLine:
    """What a gateway handed over.

    Args:
        telegram: raw bytes, L field first.
        received_at: when, in UTC; None when the line does not say.
        rssi_dbm: received signal strength in dBm; None when the line does not say, or says it in another
            unit.
        crc_kept: whether the link checksums are still in `telegram`; None when the line's shape does not say.
        checked: True when the line says that the receiver checked the link checksums.

    """

    telegram: bytes
    received_at: datetime | None = None
    rssi_dbm: float | None = None
    crc_kept: bool | None = None
    checked: bool = False


def is_blank(text: str) -> bool:
    """True for an empty line and for a comment, a line that begins with `#`: nothing to parse, nothing
    wrong.
    """
    stripped = text.strip()
    return not stripped or stripped.startswith("#")


def parse_line(text: str) -> GatewayLine:
    """Reads one line.

    Raises:
        TelegramError: stage LINE; NOT_A_TELEGRAM when no shape fits, INTEGRITY_FLAG when the gateway says
        that the
            telegram is damaged, CRC_MISMATCH for the checksum of a serial frame.

    """
    line = text.strip()
    if line.startswith("{"):
        return _json(line)
    if line.startswith("telegram="):
        return _simulation(line)
    if ";" in line:
        return _rtl_wmbus(line)
    if line.startswith("bY"):
        return _culfw(line[2:])
    if line.startswith("b") and len(line) % 2:
        return _culfw(line[1:])  # an even number of digits is plain hexadecimal that happens to begin with b
    raw = _unhex(line)
    for serial in (_im871a, _amb8465):
        if (frame := serial(raw)) is not None:
            return frame
    return GatewayLine(raw)


def _fault(
    message: str, *, code: TelegramFault = TelegramFault.NOT_A_TELEGRAM, offset: int = 0
) -> TelegramError:
    return TelegramError(code, DecodeStage.LINE, message, offset=offset)


def _unhex(text: str) -> bytes:
    digits = text.translate(_SEPARATORS)
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
    return GatewayLine(_unhex(match.group(1)))


def _rtl_wmbus(line: str) -> GatewayLine:
    fields = line.split(";")
    if len(fields) != _RTL_FIELDS:
        raise _fault(f"An rtl_wmbus line has {_RTL_FIELDS} fields, this one {len(fields)}.")
    _mode, crc_ok, three_of_six_ok, moment, *_levels, telegram = (value.strip() for value in fields)
    if crc_ok != "1":
        raise _fault("The receiver says that the checksum failed.", code=TelegramFault.INTEGRITY_FLAG)
    if three_of_six_ok != "1":
        message = "The receiver says that the 3-out-of-6 code was broken: unread bytes are invented."
        raise _fault(message, code=TelegramFault.INTEGRITY_FLAG)
    # The two level fields are receiver units, not dBm.
    raw = _unhex(telegram.removeprefix("0x"))
    return GatewayLine(raw, received_at=_moment(moment), crc_kept=False, checked=True)


def _json(line: str) -> GatewayLine:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        raise _fault("The line opens like JSON and is none.") from None
    if not isinstance(content, dict):
        raise _fault("One JSON object a line is asked for.")
    telegram = content.get("telegram", content.get("data"))
    if not isinstance(telegram, str):
        raise _fault("The JSON object has neither a telegram nor a data field with hexadecimal text.")
    if content.get("mic") not in {None, "CRC"}:
        raise _fault("The receiver says that the checksum failed.", code=TelegramFault.INTEGRITY_FLAG)
    received = next(
        (content[name] for name in ("received_at", "timestamp", "time") if content.get(name) is not None),
        None,
    )
    if received is not None and not isinstance(received, str):
        raise _fault("The moment received is written in ISO 8601.")
    rssi = content.get("rssi_dbm")
    number = float(rssi) if isinstance(rssi, int | float) and not isinstance(rssi, bool) else None
    return GatewayLine(
        _unhex(telegram),
        received_at=None if received is None else _moment(received),
        rssi_dbm=number,
        crc_kept=kept if isinstance(kept := content.get("crc_kept"), bool) else None,
        checked=content.get("mic") == "CRC",
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _fault("The moment received is written in ISO 8601.") from None


def _signed_byte(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _culfw(digits: str) -> GatewayLine:
    """Culfw, after its `b` (format A) or `bY` (format B): telegram with checksums, then LQI and RSSI."""
    raw = _unhex(digits)
    if len(raw) < 3:
        raise _fault("A culfw line ends with LQI and RSSI.")
    return GatewayLine(raw[:-2], rssi_dbm=_signed_byte(raw[-1]) / 2 - 74, crc_kept=True)


def _im871a(raw: bytes) -> GatewayLine | None:
    """IMST HCI: A5, flags and endpoint 2, message 3, length, payload without L, [time 4] [RSSI 1] [CRC 2]."""
    if len(raw) < 5 or raw[0] != 0xA5 or raw[1] & 0x0F != 2 or raw[2] != 3:
        return None
    has_time, has_rssi, has_crc = raw[1] & 0x20, raw[1] & 0x40, raw[1] & 0x80
    end = 4 + raw[3]
    if len(raw) != end + (4 if has_time else 0) + (1 if has_rssi else 0) + (2 if has_crc else 0):
        return None  # a radio telegram whose L field is A5
    if has_crc and _crc_x25(raw[1:-2]) != int.from_bytes(raw[-2:], "little"):
        raise _fault("The checksum of the iM871A frame does not fit.", code=TelegramFault.CRC_MISMATCH)
    telegram = bytes((raw[3],)) + raw[4:end]
    # The RSSI byte is left out: its scale depends on the firmware of the stick.
    return GatewayLine(telegram, crc_kept=False)


def _crc_x25(data: bytes) -> int:
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0x8408 if register & 1 else register >> 1
    return register ^ 0xFFFF


def _amb8465(raw: bytes) -> GatewayLine | None:
    """Amber command mode: FF, 03, length, payload without L, RSSI, XOR of all before."""
    if len(raw) < 6 or raw[0] != 0xFF or raw[1] != 0x03 or len(raw) != raw[2] + 4:
        return None
    check = 0
    for byte in raw[:-1]:
        check ^= byte
    if check != raw[-1]:
        raise _fault("The checksum of the AMB8465 frame does not fit.", code=TelegramFault.CRC_MISMATCH)
    length = raw[2] - 1
    return GatewayLine(bytes((length,)) + raw[3:-2], crc_kept=False)

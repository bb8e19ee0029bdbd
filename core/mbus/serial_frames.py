"""The binary frames of serial receivers: the telegram inside, once their own checksum fits.

In: bytes. Out: the telegram, L field first and without link checksums, or None when the bytes are no such
frame. The one rule: what is recognised is read whole or refused with its reason, and never taken for a radio
telegram instead.
"""

from typing import Final

from core.mbus.errors import DecodeStage, TelegramError, TelegramFault

_IM871A_START: Final = 0xA5
_SLIP_END: Final = 0xC0
_SLIP_ESCAPE: Final = 0xDB
_SLIP_ESCAPED: Final = {0xDC: _SLIP_END, 0xDD: _SLIP_ESCAPE}
_AMB8465_START: Final = 0xFF
SERIAL_STARTS: Final = frozenset({_IM871A_START, _SLIP_END, _AMB8465_START})
"""What a receiver's frame may begin with; nothing else is one."""
_LEAST_IU891A: Final = 4  # endpoint, message, checksum


def line_fault(
    message: str, *, code: TelegramFault = TelegramFault.NOT_A_TELEGRAM, offset: int = 0
) -> TelegramError:
    """The error of stage LINE."""
    return TelegramError(code, DecodeStage.LINE, message, offset=offset)


def read_serial(raw: bytes) -> bytes | None:
    """The telegram of a frame of any receiver known.

    Raises:
        TelegramError: CRC_MISMATCH for the frame's own checksum; UNSUPPORTED_SHAPE for a receiver that is
            recognised and not read.

    """
    for receiver in (_im871a, _iu891a, _amb8465):
        telegram = receiver(raw)
        if telegram is not None:
            return telegram
    return None


def _im871a(raw: bytes) -> bytes | None:
    """IMST HCI: A5, flags and endpoint 2, message 3, length, payload without L, [time 4] [RSSI 1] [CRC 2]."""
    if len(raw) < 5 or raw[0] != _IM871A_START or raw[1] & 0x0F != 2 or raw[2] != 3:
        return None
    has_time, has_rssi, has_crc = raw[1] & 0x20, raw[1] & 0x40, raw[1] & 0x80
    end = 4 + raw[3]
    if len(raw) != end + (4 if has_time else 0) + (1 if has_rssi else 0) + (2 if has_crc else 0):
        return None  # a radio telegram whose L field is A5
    if has_crc and crc_x25(raw[1:-2]) != int.from_bytes(raw[-2:], "little"):
        raise line_fault("The checksum of the iM871A frame does not fit.", code=TelegramFault.CRC_MISMATCH)
    # The RSSI byte is left out: its scale depends on the firmware of the stick.
    return bytes((raw[3],)) + raw[4:end]


def crc_x25(data: bytes) -> int:
    """CRC-16/IBM-SDLC, of both HCI protocols of IMST; of the text "123456789" it is 906E."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0x8408 if register & 1 else register >> 1
    return register ^ 0xFFFF


def _iu891a(raw: bytes) -> bytes | None:
    """IMST's newer HCI: a SLIP frame (RFC 1055) of endpoint, message, payload and the checksum of all three.

    Where in the payload the telegram begins depends on the firmware, and nothing in it tells: refused.
    """
    if len(raw) < 2 or raw[0] != _SLIP_END or raw[-1] != _SLIP_END:
        return None
    content = _unslipped(raw.strip(bytes((_SLIP_END,))))
    fits = (
        content is not None
        and len(content) >= _LEAST_IU891A
        and crc_x25(content[:-2]) == int.from_bytes(content[-2:], "little")
    )
    if content is not None and fits:
        raise line_fault(
            f"An iU891A frame, endpoint {content[0]:02X}, message {content[1]:02X}: frames of this "
            "receiver are not read. Have its software write the telegrams as hexadecimal.",
            code=TelegramFault.UNSUPPORTED_SHAPE,
        )
    if len(raw) > _SLIP_END:
        return None  # long enough for a radio telegram whose L field is C0
    raise line_fault(
        "Framed as by an iU891A, and the frame's checksum does not fit.", code=TelegramFault.CRC_MISMATCH
    )


def _unslipped(data: bytes) -> bytes | None:
    out = bytearray()
    escaped = False
    for byte in data:
        if escaped:
            if byte not in _SLIP_ESCAPED:
                return None
            out.append(_SLIP_ESCAPED[byte])
            escaped = False
        elif byte == _SLIP_ESCAPE:
            escaped = True
        elif byte == _SLIP_END:
            return None
        else:
            out.append(byte)
    return None if escaped else bytes(out)


def _amb8465(raw: bytes) -> bytes | None:
    """Amber command mode: FF, 03, length, payload without L, RSSI, XOR of all before."""
    if len(raw) < 6 or raw[0] != _AMB8465_START or raw[1] != 0x03 or len(raw) != raw[2] + 4:
        return None
    check = 0
    for byte in raw[:-1]:
        check ^= byte
    if check != raw[-1]:
        raise line_fault("The checksum of the AMB8465 frame does not fit.", code=TelegramFault.CRC_MISMATCH)
    return bytes((raw[2] - 1,)) + raw[3:-2]

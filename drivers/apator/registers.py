"""The content of the Apator 16-2: registers behind a DIF 0F, and a checksum.

In: an opened frame without records, with data of the maker's own. Out: the total. Two rules: the checksum of
EN 13757-4 over 0F and all behind it fits (polynomial 3D65, high byte first), or nothing is read; and all of
the content is registers that are known here, or nothing is read, since `10`, the code of the total, also
occurs within registers.

    0F · 7 bytes · registers · FF … FF · checksum

A register is a code and as many bytes as `_LENGTHS` says. Codes and lengths were inferred from ten contents
of nine meters, which fall into such registers to the last byte. 71 to 7C hold totals of earlier months, the
latest first: a byte, then one total more than the low digit says. Their days are not sent.
"""

from collections.abc import Iterator
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NoReturn

from submeter.vendor import Frame
from submeter.vendor.proprietary import DecodeStage, TelegramError, TelegramFault, crc16

_MANUFACTURER_DATA: Final = 0x0F
_HEAD: Final = 7
_CHECKSUM: Final = 2
_BLOCK: Final = 16
_FILLER: Final = 0xFF
_LITRE: Final = Decimal("0.001")
_NO_VALUE: Final = 0xFFFFFFFF
_TOTAL: Final = 0x10
_MONTHS: Final = range(0x71, 0x7D)
_VOLUME: Final = 4  # bytes of a total, litres

_LENGTHS: Final = MappingProxyType(
    {
        **{code: 1 + _VOLUME * ((code & 0x0F) + 1) for code in _MONTHS},
        **dict.fromkeys((_TOTAL, 0x42, 0xA0, 0xF0), 4),
        **dict.fromkeys((0x41, 0x43), 2),
        0x40: 6,
        **dict.fromkeys((0x80, 0x81, 0x84), 10),
    }
)


def read_total(frame: Frame) -> Decimal:
    """The total in cubic metres.

    Raises:
        TelegramError: UNPROVED_CONTENT when the checksum does not fit, UNSUPPORTED_PAYLOAD when the content
            is laid out in another way.

    """
    content = _proved(frame)
    total: int | None = None
    months: list[int] = []
    for code, data in _registers(content):
        if code == _TOTAL:
            if total is not None:
                _refuse("The content has two totals.")
            total = int.from_bytes(data, "little")
        elif code in _MONTHS:
            months += [
                int.from_bytes(data[at : at + _VOLUME], "little") for at in range(1, len(data), _VOLUME)
            ]
    if total is None or total == _NO_VALUE:
        _refuse("The content has no total.")
    if any(later < earlier for later, earlier in zip((total, *months), months, strict=False)):
        _refuse("The totals of earlier months are above the present one.")
    return total * _LITRE


def _proved(frame: Frame) -> bytes:
    """The registers and their filler, whose checksum fits."""
    layout, header = frame.layout, frame.envelope.transport
    at = layout.manufacturer_data_offset
    if at is None or layout.places or frame.content[at - layout.start - 1] != _MANUFACTURER_DATA:
        _refuse("The content is not data of the maker's own alone.")
    # The blocks announced as encrypted end with the checksum; behind them a gateway may have left its own.
    blocks = 0 if header is None else header.encrypted_blocks
    data = frame.content[at - layout.start - 1 : blocks * _BLOCK or None]
    if crc16(data[:-_CHECKSUM]) != int.from_bytes(data[-_CHECKSUM:], "big"):
        raise TelegramError(
            TelegramFault.UNPROVED_CONTENT,
            DecodeStage.APPLICATION,
            "The checksum at the end of the maker's data does not fit.",
            offset=at,
        )
    return data[1 + _HEAD : -_CHECKSUM]


def _registers(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Code and data of each register."""
    registers = content.rstrip(bytes((_FILLER,)))
    at = 0
    while at < len(registers):
        code = registers[at]
        length = _LENGTHS.get(code)
        if length is None:
            _refuse(f"The code {code:02X} of the maker's is not known.")
        # The last register may itself end in bytes of FF.
        data = content[at + 1 : at + 1 + length]
        if len(data) != length:
            _refuse("The last register is cut.")
        yield code, data
        at += 1 + length


def _refuse(message: str) -> NoReturn:
    raise TelegramError(TelegramFault.UNSUPPORTED_PAYLOAD, DecodeStage.DRIVER, message)

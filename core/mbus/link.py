"""The link layer: frame formats A and B with their block checksums, and the wired long frame.

In: bytes as a gateway hands them over. Out: the telegram without checksums, its L field counting what is
left. The one rule: a checksum that is there is checked, and one that does not fit is an error. EN 13757-4
clause 12 (radio), EN 13757-2 clause 5 (wired), CRC of EN 13757-4 clause 12.5: polynomial 3D65, complemented.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastcrc.crc16 import en_13757

from core.mbus.errors import DecodeStage, TelegramError, TelegramFault, TruncatedError

HEADER_LENGTH: Final = 10  # L, C, M, A; the CI field comes next
_CRC_LENGTH: Final = 2
_BLOCK_A: Final = 16
_FIRST_BLOCK_B: Final = 126
_SHORT_BY: Final = 4
"""What the L field of some receivers lacks, who leave format A its last checksum: that and two bytes more."""
_MOST_BEHIND: Final = 3
_WIRED_START: Final = 0x68
_WIRED_STOP: Final = b"\x16"
_WIRED_HEADER: Final = 4
_WIRED_OVERHEAD: Final = 6  # 68 L L 68 before, checksum and 16 after


crc16: Final = en_13757
"""CRC-16/EN-13757 of bytes; of the text "123456789" it is C2B7."""


@dataclass(frozen=True, slots=True)
class LinkFrame:
    """A telegram without checksums; for a wired frame the bytes are L C A CI ... as between 68 and the
    checksum. `by_fit` says that its last bytes were taken for a checksum because they fit as one, which
    other bytes do once in 65,536 times; `checked`, that all of its checksums were there and fit.
    """

    telegram: bytes
    wired: bool = False
    by_fit: bool = False
    checked: bool = False


def read_link(raw: bytes, *, crc_kept: bool | None = None) -> LinkFrame:
    """Checks and removes what the link layer added.

    Args:
        raw: L field first (radio), or a whole long frame `68 L L 68 ... CS 16` (wired).
        crc_kept: whether the gateway says that block checksums are there. None when it does not say: then
            they are recognised by the lengths, and those of format B, or of a last block alone, by fitting.

    Raises:
        TelegramError: TRUNCATED, CRC_MISMATCH or NOT_A_TELEGRAM, stage LINK.

    """
    if len(raw) > _WIRED_HEADER and seems_wired(raw):
        wired = _read_wired(raw)
        if wired is not None:
            return wired
    if not raw or raw[0] < HEADER_LENGTH:
        raise _fault(TelegramFault.NOT_A_TELEGRAM, "No radio telegram begins like this.", 0)
    length = raw[0] + 1
    if len(raw) < length:
        raise TruncatedError(
            DecodeStage.LINK, f"The L field announces {length} bytes, {len(raw)} arrived.", offset=len(raw)
        )
    if len(raw) == length:
        return _bare_or_format_b(raw, crc_kept)
    stripped = _strip_a(raw)
    if stripped is None and len(raw) != _length_a(length):
        # Some receivers append a byte of their own; a frame of just the length of format A is no such case.
        stripped = _strip_b(raw[:length])
    if stripped is None and len(raw) == length + _SHORT_BY != _length_a(length) and crc_kept is not False:
        mended = _strip_last_a(raw)
        if mended is not None:
            return LinkFrame(mended, by_fit=True)
    if stripped is None:
        raise _fault(
            TelegramFault.CRC_MISMATCH,
            f"The L field announces {length} bytes, {len(raw)} arrived, and no block checksums fit.",
            length,
        )
    return LinkFrame(stripped, checked=True)


def _bare_or_format_b(raw: bytes, crc_kept: bool | None) -> LinkFrame:  # noqa: FBT001 - handed through
    """A telegram of just the length that L announces: without checksums, or format B, which counts them."""
    if crc_kept is False:
        return LinkFrame(raw)
    stripped = _strip_b(raw)
    if stripped is not None:
        return LinkFrame(stripped, by_fit=crc_kept is None, checked=True)
    if crc_kept:
        raise _fault(TelegramFault.CRC_MISMATCH, "A block checksum of frame format B does not fit.", 0)
    stripped = _strip_last_a(raw)
    return LinkFrame(raw) if stripped is None else LinkFrame(stripped, by_fit=True)


def seem_bare(telegrams: Sequence[bytes]) -> list[bool]:
    """Which telegrams, all of one length, the one that L announces, have no last bytes that fit as a
    checksum.
    """
    end = len(telegrams[0]) - _CRC_LENGTH
    if end <= HEADER_LENGTH or end + _CRC_LENGTH > _FIRST_BLOCK_B:
        return [_strip_b(raw) is None and _strip_last_a(raw) is None for raw in telegrams]
    # The two as for one block of format B: its checksum, and that of the last block of format A.
    block = _last_block_a(end)
    return [crc16(raw) != _FITTING != crc16(raw[block:]) for raw in telegrams]


_FITTING: Final = crc16(bytes(1) + crc16(bytes(1)).to_bytes(_CRC_LENGTH, "big"))
"""The checksum of any bytes that are followed by their own."""


def _last_block_a(end: int) -> int:
    """Where the last block of format A begins in a telegram that ends here."""
    return HEADER_LENGTH + (end - HEADER_LENGTH - 1) // _BLOCK_A * _BLOCK_A


def possible_ends(raw: bytes) -> tuple[bytes, ...]:
    """The telegrams that bytes may be whose end their L field does not tell; none of them is proved.

    Gateways that take the checksums away may leave an L field that counts them (2 bytes for each block of
    format B, as the standard has it; of format A too), and may leave up to three bytes behind the end: a
    signal strength, a last checksum, or both. An L field that was mended may count these as well.
    """
    if len(raw) < HEADER_LENGTH or seems_wired(raw):
        return ()
    length, received = raw[0] + 1, len(raw)
    missing, behind = length - received, received - length
    if missing in {2, 4, _length_a(received) - received}:
        ends = [received]
    elif 0 < behind <= _MOST_BEHIND:
        ends = [length]
    elif not behind:
        ends = [received - count for count in range(1, _MOST_BEHIND + 1)]
    else:
        ends = []
    return tuple(bytes((end - 1 & 0xFF,)) + raw[1:end] for end in ends if end > HEADER_LENGTH)


def seems_wired(raw: bytes) -> bool:
    """True when bytes, four at least, begin as a wired long frame does."""
    return raw[0] == raw[3] == _WIRED_START and raw[1] == raw[2]


def _strip_last_a(raw: bytes) -> bytes | None:
    """A telegram of format A from which the receiver took all checksums but the last block's."""
    end = len(raw) - _CRC_LENGTH
    if end <= HEADER_LENGTH:
        return None
    block = _last_block_a(end)
    if raw[end:] != crc16(raw[block:end]).to_bytes(2, "big"):
        return None
    return bytes((end - 1,)) + raw[1:end]


def _length_a(length: int) -> int:
    """The length of a telegram with the checksums of format A."""
    blocks = 1 + -(-(length - HEADER_LENGTH) // _BLOCK_A)
    return length + blocks * _CRC_LENGTH


def _strip_a(raw: bytes) -> bytes | None:
    end = raw[0] + 1
    out = bytearray()
    position, block = 0, HEADER_LENGTH
    while len(out) < end:
        size = min(block, end - len(out))
        data = raw[position : position + size]
        if raw[position + size : position + size + _CRC_LENGTH] != crc16(data).to_bytes(2, "big"):
            return None
        out += data
        position += size + _CRC_LENGTH
        block = _BLOCK_A
    return bytes(out)


def _strip_b(raw: bytes) -> bytes | None:
    out = bytearray()
    for start, stop in _blocks_b(len(raw)):
        data = raw[start : stop - _CRC_LENGTH]
        if len(data) < 1 or raw[stop - _CRC_LENGTH : stop] != crc16(data).to_bytes(2, "big"):
            return None
        out += data
    # Format B counts its checksums in L, format A and the rest of this package do not.
    out[0] = len(out) - 1
    return bytes(out)


def _blocks_b(length: int) -> tuple[tuple[int, int], ...]:
    first = _FIRST_BLOCK_B + _CRC_LENGTH
    return ((0, length),) if length <= first else ((0, first), (first, length))


def _read_wired(raw: bytes) -> LinkFrame | None:
    length = raw[1]
    end = 4 + length
    body = raw[4:end]
    missing = length + _WIRED_OVERHEAD - len(raw)
    if missing not in {0, 1, 2} or (missing and len(raw) == raw[0] + 1):
        return None  # it may still be a radio telegram whose L field is 68
    # Some masters hand the frame on without its stop byte, or without its checksum too.
    checksum, stop = raw[end : end + 1], raw[end + 1 :]
    if checksum not in {b"", bytes((sum(body) & 0xFF,))} or stop not in {b"", _WIRED_STOP}:
        raise _fault(TelegramFault.CRC_MISMATCH, "The checksum of the wired frame does not fit.", end)
    return LinkFrame(bytes((length,)) + body, wired=True, checked=bool(checksum))


def _fault(code: TelegramFault, message: str, offset: int) -> TelegramError:
    return TelegramError(code, DecodeStage.LINK, message, offset=offset)

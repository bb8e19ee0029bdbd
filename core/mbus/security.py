"""Opening what is encrypted: AES-128 in mode 5, mode 7 and the extended link layer's counter mode.

In: an envelope and a key. Out: the telegram with plaintext in place of ciphertext, so that offsets hold. The
one rule: no plaintext leaves before its check has passed: the payload checksum (extended link), 2F 2F (modes
5 and 7), the message authentication code (mode 7, before decryption). EN 13757-4 clause 13, EN 13757-7
clauses 7.6 and 9; OMS volume 2 clause 9.
"""

from hmac import compare_digest
from typing import Final, NoReturn

from Crypto.Cipher import AES
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.cmac import CMAC

from core.mbus.envelope import Envelope, ExtendedLink, TransportHeader
from core.mbus.errors import DecodeStage, TelegramError, TelegramFault, TruncatedError
from core.mbus.link import crc16
from core.mbus.transport import CMAC_KINDS, long_to_wire
from core.mbus.vocabulary import SecurityKind

_KEY_LENGTH: Final = 16
_BLOCK: Final = 16
CHECK_BYTES: Final = b"\x2f\x2f"
HOP_BITS: Final = 0x12  # "hop" and "repeated access" change under way and are not part of the initial vector
KDF_BY_COUNTER: Final = 0x10
_DERIVE_ENCRYPTION: Final = b"\x00"
_DERIVE_MAC: Final = b"\x01"


def open_extended_link(telegram: bytes, extended: ExtendedLink, key: bytes | None) -> tuple[bytes, bool]:
    """Opens the payload of an extended link of form II or IV.

    Returns:
        The telegram, its payload now plain (the payload checksum still in place), and whether a key was
        needed.

    Raises:
        TelegramError: KEY_MISSING, KEY_WRONG, KEY_UNUSABLE, CRC_MISMATCH, TRUNCATED; stage SECURITY.

    """
    start = extended.payload
    payload = telegram[start:]
    if len(payload) < 3:
        raise TruncatedError(DecodeStage.SECURITY, "The extended link has no payload.", offset=len(telegram))
    if not (extended.encrypted and key is not None and len(key) == _KEY_LENGTH):
        if _payload_checksum_fits(payload):
            return telegram, False
        if not extended.encrypted:
            raise _fault(TelegramFault.CRC_MISMATCH, "The payload checksum does not fit.", start)
        if key is None:
            _missing(start)
        _check_key(key)
    assert extended.session_number is not None
    assert key is not None
    prefix = (
        telegram[2:10]
        + bytes((extended.communication_control & ~HOP_BITS & 0xFF,))
        + extended.session_number
        + b"\x00\x00"
    )
    cipher = AES.new(key, AES.MODE_CTR, nonce=prefix, initial_value=0)
    plain = cipher.decrypt(payload)
    if not _payload_checksum_fits(plain):
        # The key comes first: the checksum of one encrypted payload in 65,536 fits as if it were plain.
        if _payload_checksum_fits(payload):
            return telegram, False
        raise _fault(TelegramFault.KEY_WRONG, "The payload checksum does not fit with the key given.", start)
    return telegram[:start] + plain, True


def _payload_checksum_fits(payload: bytes) -> bool:
    return int.from_bytes(payload[:2], "little") == crc16(payload[2:])


def open_transport(envelope: Envelope, telegram: bytes, key: bytes | None) -> tuple[bytes, bool]:
    """Opens the content behind a transport header in mode 0, 5 or 7.

    Content that is announced as encrypted but begins with 2F 2F is taken as plain: logs are replayed that
    way. The caller decides whether plain content is acceptable for a meter that has a key.

    Returns:
        The telegram with plain content, and whether a key was needed.

    Raises:
        TelegramError: KEY_MISSING, KEY_WRONG, KEY_UNUSABLE, MAC_MISMATCH, UNSUPPORTED_SECURITY_MODE,
        TRUNCATED.

    """
    header = envelope.transport
    assert header is not None
    if envelope.security is SecurityKind.NONE:
        return telegram, False
    start = header.payload
    stop = start + header.encrypted_blocks * _BLOCK
    seems_plain = telegram[start : start + 2] == CHECK_BYTES
    if stop == start or (seems_plain and (key is None or len(key) != _KEY_LENGTH or stop > len(telegram))):
        return telegram, False
    if stop > len(telegram):
        message = f"{header.encrypted_blocks} encrypted blocks are announced and not all arrived."
        raise TruncatedError(DecodeStage.SECURITY, message, offset=len(telegram))
    if key is None:
        _missing(start)
    _check_key(key)
    try:
        plain = _decrypted(envelope, telegram, header, key)
    except TelegramError:
        # The key comes first: one encrypted content in 65,536 begins as if it were plain.
        if seems_plain:
            return telegram, False
        raise
    return telegram[:start] + plain + telegram[stop:], True


def _decrypted(envelope: Envelope, telegram: bytes, header: TransportHeader, key: bytes) -> bytes:
    start = header.payload
    stop = start + header.encrypted_blocks * _BLOCK
    if envelope.security is SecurityKind.MODE_5:
        cipher = AES.new(key, AES.MODE_CBC, iv=_initial_vector(envelope, telegram, header))
    else:
        cipher = AES.new(_derived_key(envelope, telegram, header, key), AES.MODE_CBC, iv=bytes(_BLOCK))
    plain = cipher.decrypt(telegram[start:stop])
    if not plain.startswith(CHECK_BYTES):
        raise _fault(TelegramFault.KEY_WRONG, "The opened content does not begin with 2F 2F.", start)
    return plain


def meter_wire(envelope: Envelope, telegram: bytes, header: TransportHeader) -> bytes:
    """Eight address bytes as sent: maker bit 15 is part of the initial vector though not of the letters."""
    if header.address is not None:
        return long_to_wire(telegram[header.offset + 1 : header.offset + 9])
    extended = envelope.extended_link
    if extended is not None and extended.address is not None:
        return extended.address.to_wire()
    return telegram[2:10]


def _initial_vector(envelope: Envelope, telegram: bytes, header: TransportHeader) -> bytes:
    return meter_wire(envelope, telegram, header) + bytes((header.access_number or 0,)) * 8


def _derived_key(envelope: Envelope, telegram: bytes, header: TransportHeader, key: bytes) -> bytes:
    """Checks the message authentication code and answers the ephemeral encryption key of mode 7."""
    layer = envelope.authentication
    if layer is None or layer.message_counter is None or layer.message_control is None or not layer.mac:
        _unsupported(
            header, "Mode 7 without a message counter and a code in the authentication layer is not read."
        )
    if layer.message_control & 0x0F not in CMAC_KINDS:
        _unsupported(header, "Only CMAC is read as message authentication code.")
    if (header.configuration_extension or 0) & 0x30 != KDF_BY_COUNTER:
        _unsupported(header, "Only the key derivation by message counter is read.")
    identification = meter_wire(envelope, telegram, header)[2:6]
    seed = layer.message_counter + identification + b"\x07" * 7
    mac_key = _cmac(key, _DERIVE_MAC + seed)
    message = (
        bytes((layer.message_control,))
        + layer.message_counter
        + layer.message_length
        + telegram[header.offset :]
    )
    if not compare_digest(_cmac(mac_key, message)[: len(layer.mac)], layer.mac):
        raise _fault(
            TelegramFault.MAC_MISMATCH,
            "The message authentication code does not fit: another key, or the message was altered.",
            layer.payload,
        )
    return _cmac(key, _DERIVE_ENCRYPTION + seed)


def _cmac(key: bytes, message: bytes) -> bytes:
    code = CMAC(AES128(key))
    code.update(message)
    return code.finalize()


def _check_key(key: bytes) -> None:
    if len(key) != _KEY_LENGTH:
        raise TelegramError(
            TelegramFault.KEY_UNUSABLE, DecodeStage.SECURITY, "AES-128 asks for a key of 16 bytes."
        )


def _missing(offset: int) -> NoReturn:
    raise _fault(TelegramFault.KEY_MISSING, "The telegram is encrypted and no key was given.", offset)


def _unsupported(header: TransportHeader, message: str) -> NoReturn:
    raise _fault(TelegramFault.UNSUPPORTED_SECURITY_MODE, message, header.offset)


def _fault(code: TelegramFault, message: str, offset: int) -> TelegramError:
    return TelegramError(code, DecodeStage.SECURITY, message, offset=offset)

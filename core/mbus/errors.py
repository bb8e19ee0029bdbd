"""What can go wrong between a gateway line and a decoded frame.

One exception, `TelegramError`, leaves this package: it says *what* (a code), *where* in the stack (a stage of
EN 13757: link, transport, security, application; plus the gateway line before and the driver after) and at
which byte. It never carries a key or plaintext. A broken telegram is a result that is counted and kept, so
the code is stable: programs compare it, the message is for people.
"""

from enum import StrEnum


class DecodeStage(StrEnum):
    """The layer that refused the telegram, in the order in which a telegram meets them."""

    LINE = "LINE"
    LINK = "LINK"
    TRANSPORT = "TRANSPORT"
    SECURITY = "SECURITY"
    APPLICATION = "APPLICATION"
    DRIVER = "DRIVER"


class TelegramFault(StrEnum):
    """Why a telegram was refused; the names are stored and must not change."""

    NOT_A_TELEGRAM = "NOT_A_TELEGRAM"
    """The text or the bytes have no shape that we know."""
    UNSUPPORTED_SHAPE = "UNSUPPORTED_SHAPE"
    """A receiver's frame that is recognised, and that nobody here claims to read."""
    INTEGRITY_FLAG = "INTEGRITY_FLAG"
    """The gateway itself says that the radio frame arrived damaged."""
    TRUNCATED = "TRUNCATED"
    """A length says that there is more than was received."""
    CRC_MISMATCH = "CRC_MISMATCH"
    """A checksum of the link layer, or of a rebuilt compact frame, does not fit."""
    UNSUPPORTED_CI = "UNSUPPORTED_CI"
    """A CI field that nobody here claims to read."""
    UNSUPPORTED_SECURITY_MODE = "UNSUPPORTED_SECURITY_MODE"
    """A security mode, key derivation or fragmentation that is not implemented."""
    KEY_MISSING = "KEY_MISSING"
    """Encrypted, and no key was given."""
    KEY_WRONG = "KEY_WRONG"
    """A key was given and the check of the opened content failed: another key, or damage."""
    KEY_UNUSABLE = "KEY_UNUSABLE"
    """The key given has not the length that the security mode asks for."""
    KEY_CONFIGURED_BUT_PLAIN = "KEY_CONFIGURED_BUT_PLAIN"
    """The meter has a key and the telegram came unencrypted: a possible forgery (downgrade protection)."""
    MAC_MISMATCH = "MAC_MISMATCH"
    """The message authentication code does not fit: another key, or the message was altered."""
    UNKNOWN_COMPACT_FORMAT = "UNKNOWN_COMPACT_FORMAT"
    """A compact frame whose format signature was not seen yet: a full telegram must come first."""
    BAD_RECORD = "BAD_RECORD"
    """The record stream of the application layer breaks the grammar of EN 13757-3."""
    UNPROVED_CONTENT = "UNPROVED_CONTENT"
    """Nothing proves the content: no code, no checksum, and its records might be random bytes."""
    MAYBE_PLAIN = "MAYBE_PLAIN"
    """Announced as encrypted; it may have been handed on in the clear, but nothing proves it."""
    UNSUPPORTED_PAYLOAD = "UNSUPPORTED_PAYLOAD"
    """Opened and well formed, but laid out in a manner that the driver does not know."""


class TelegramError(Exception):
    """The one exception of decoding.

    Args:
        code: what is wrong; stable.
        stage: the layer that found it.
        message: one sentence for a person; holds no key and no content.
        offset: the byte of the telegram (after link checksums were removed) or the character of the line, if
            known.

    """

    def __init__(
        self, code: TelegramFault, stage: DecodeStage, message: str, *, offset: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.stage = stage
        self.message = message
        self.offset = offset

    def __str__(self) -> str:
        where = "" if self.offset is None else f" at {self.offset}"
        return f"{self.code} ({self.stage}{where}): {self.message}"


class TruncatedError(TelegramError):
    """The bytes ran out: a reader wanted more than there is."""

    def __init__(self, stage: DecodeStage, message: str, *, offset: int) -> None:
        super().__init__(TelegramFault.TRUNCATED, stage, message, offset=offset)

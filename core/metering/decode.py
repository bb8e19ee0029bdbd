"""The two steps of decoding: whose telegram is it, and what does it say.

In: bytes and a registry; then a key. Out: `Identified`, then `Opened`. Two steps, since the key is found by
the address that an encrypted telegram shows. The one rule: whatever a telegram or a vendor's driver does,
`TelegramError` is all that is raised.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final, NoReturn

from msgspec import Struct
from msgspec.structs import replace

from core.mbus.address import Address
from core.mbus.compact import NONE_KNOWN, CompactFormat, signature
from core.mbus.decode import open_frame, other_readings, read_envelope
from core.mbus.envelope import Envelope
from core.mbus.errors import DecodeStage, TelegramError, TelegramFault, TruncatedError
from core.mbus.evidence import (
    MAYBE_PLAIN,
    SURE_TO_BE_PLAIN,
    bits_of,
    end_is_proved,
    integrity_of,
    speaks_for_itself,
)
from core.mbus.frame import Frame, read_frame
from core.mbus.link import read_link
from core.mbus.transport import FULL
from core.mbus.vocabulary import Integrity, SecurityKind
from core.metering.driver import MeterDriver
from core.metering.measurement import Measurement
from core.metering.registry import Registry
from core.metering.resolution import index_step


class BatchKey:
    """What a batch has found out about telegrams of one kind (`core.metering.batch`).

    All keys are equal: which one a telegram carries is no part of what the telegram is.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BatchKey)

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "BatchKey()"


NO_BATCH: Final = BatchKey()
"""The key of telegrams that were identified one by one."""


class Identified(Struct, frozen=True, gc=False):
    """A telegram whose sender is known and whose content may still be encrypted.

    Args:
        envelope: what is readable without a key.
        address: the meter's, after the vendor's own rules; keys and meters are looked up by it.
        driver: of the meter.
        batch_key: for a batch to open it with others of its kind.

    """

    envelope: Envelope
    address: Address
    driver: MeterDriver
    batch_key: BatchKey = NO_BATCH

    @property
    def medium(self) -> int:
        """The device type that is measured; some vendors do not put it into the address."""
        return self.driver.medium(self.address)


class Opened(Struct, frozen=True, gc=False):
    """A telegram with its meaning."""

    identified: Identified
    frame: Frame
    measurement: Measurement

    @property
    def integrity(self) -> Integrity:
        """What proved that the telegram arrived whole, by its own bytes; whether its gateway checked it says
        `GatewayLine.checked`.
        """
        return integrity_of(self.frame)

    @property
    def message_counter(self) -> int | None:
        """What rises from one encrypted message of the meter to the next (mode 7, extended link)."""
        return self.frame.message_counter

    @property
    def index_step(self) -> int:
        """The smallest difference that the index can show, in its smallest unit, by the digits sent."""
        return index_step(self.frame, self.measurement)

    @property
    def learned_format(self) -> tuple[int, CompactFormat] | None:
        """The compact format that this full telegram teaches: (signature, record headers); None for a compact
        frame.

        A caller that keeps it per maker, version and medium and passes it to `open_telegram` as `formats` can
        read the compact frames of meters that no driver lists.
        """
        frame = self.frame
        proprietary = frame.envelope.security is SecurityKind.PROPRIETARY
        headers = frame.layout.headers
        if proprietary or frame.compact_signature is not None or not headers or not all(headers):
            return None
        return signature(headers), headers


def identify(raw: bytes, registry: Registry, *, crc_kept: bool | None = None) -> Identified:
    """Reads who sent a telegram and finds the driver.

    Args:
        raw: the telegram, the L field first, with or without link checksums; or a wired long frame.
        registry: the installed drivers.
        crc_kept: whether the gateway says that the link checksums are still there: if so, a mismatch is an
            error. None when it does not say.

    Raises:
        TelegramError: the telegram is truncated, damaged or none.

    """
    envelope = read_envelope(raw, crc_kept=crc_kept)
    if envelope.security is not SecurityKind.PROPRIETARY:
        return Identified(envelope, envelope.meter_address, registry.driver_for(envelope.meter_address))
    driver = registry.proprietary_driver(envelope.link_address.manufacturer, envelope.ci)
    if driver is None or driver.proprietary is None:
        return Identified(envelope, envelope.meter_address, registry.driver_for(envelope.meter_address))
    try:
        return Identified(envelope, driver.proprietary.address(envelope), driver)
    except TelegramError:
        raise
    except Exception as error:
        raise _driver_failed(driver, error) from error


def open_telegram(
    identified: Identified, key: bytes | None, *, formats: Mapping[int, CompactFormat] = NONE_KNOWN
) -> Opened:
    """Opens a telegram and has its driver say what it means.

    Args:
        identified: from `identify`.
        key: the meter's own key; None when it has none, and then the vendor's default keys are tried.
        formats: compact formats learned from earlier full telegrams, beside those of the driver.

    Raises:
        TelegramError: no or a wrong key, damage, an unknown compact format, a content nobody can read.

    """
    try:
        return _open_as(identified, key, formats)
    except TelegramError as error:
        failure = error
    if _may_end_elsewhere(identified.envelope, failure):
        for envelope in _other_readings(identified.envelope):
            try:
                return _open_as(replace(identified, envelope=envelope), key, formats)
            except TelegramError as error:
                failure = _deeper(failure, error)
    raise failure


def _other_readings(envelope: Envelope) -> Iterator[Envelope]:
    """The telegram as it may be if its length is another than it was identified with."""
    if envelope.unstripped is not None:
        with suppress(TelegramError):
            yield read_envelope(envelope.unstripped, crc_kept=False)
    for other in other_readings(envelope.received or envelope.unstripped or envelope.raw):
        if other.raw != envelope.raw:
            yield other


_CHECKED_TO_THE_END: Final = frozenset({SecurityKind.MODE_7, SecurityKind.ELL_CTR})


def _may_end_elsewhere(envelope: Envelope, error: TelegramError) -> bool:
    """Whether what went wrong may have its cause in the length of the telegram."""
    if envelope.wired or envelope.link_checked:
        return envelope.unstripped is not None
    if envelope.received is not None or envelope.unstripped is not None:
        return True
    if envelope.security in _CHECKED_TO_THE_END:
        return error.code is not TelegramFault.KEY_UNUSABLE
    return envelope.security is SecurityKind.MODE_5 and error.stage is DecodeStage.APPLICATION


_STAGES: Final = tuple(DecodeStage)
_OF_LENGTH: Final = frozenset({TelegramFault.TRUNCATED, TelegramFault.CRC_MISMATCH})


def _deeper(first: TelegramError, second: TelegramError) -> TelegramError:
    """The error of the attempt that came further; of two alike the first, unless it is about a length."""
    before, after = _STAGES.index(first.stage), _STAGES.index(second.stage)
    if before != after:
        return first if before > after else second
    return second if first.code in _OF_LENGTH and second.code not in _OF_LENGTH else first


def _open_as(identified: Identified, key: bytes | None, formats: Mapping[int, CompactFormat]) -> Opened:
    driver, received = identified.driver, identified.envelope.received
    try:
        if received is not None and identified.envelope.security in _WITHOUT_PROOF:
            _refuse_length(received)
        frame = _open(identified, key, formats)
        if received is not None and not end_is_proved(frame):
            _refuse_length(received)
        return Opened(identified, frame, driver.interpret(frame))
    except TelegramError:
        raise
    except Exception as error:
        raise _driver_failed(driver, error) from error


_WITHOUT_PROOF: Final = frozenset({SecurityKind.NONE, SecurityKind.PROPRIETARY})


def _refuse_length(received: bytes) -> NoReturn:
    """Raises what the link layer has to say about the length."""
    read_link(received)
    message = "The number of bytes does not fit the L field, and the content does not prove where it ends."
    raise TruncatedError(DecodeStage.LINK, message, offset=len(received))


def _open(identified: Identified, key: bytes | None, formats: Mapping[int, CompactFormat]) -> Frame:
    envelope, driver = identified.envelope, identified.driver
    if envelope.security is SecurityKind.PROPRIETARY:
        return _open_proprietary(envelope, driver, key)
    known = {**formats, **driver.formats} if formats else driver.formats
    if envelope.security is SecurityKind.NONE:
        frame = _open_own(envelope, driver, key, known)
        if frame is not None:
            return frame
    try:
        return _open_standard(envelope, driver, key, known)
    except TelegramError as error:
        if error.code not in _NOT_OPENED or envelope.security is SecurityKind.ELL_CTR:
            raise
        frame, sure = _opened_already(envelope)
        if frame is None or not (sure or key is None):
            raise
        if not sure:
            raise _maybe_plain() from None
        if key is not None:
            raise _plain_despite_key() from None
        return frame


_NOT_OPENED: Final = frozenset(
    {TelegramFault.KEY_MISSING, TelegramFault.KEY_WRONG, TelegramFault.MAC_MISMATCH}
)


def _opened_already(envelope: Envelope) -> tuple[Frame | None, bool]:
    """The frame of a telegram that is announced as encrypted, when it holds records as it came; and whether
    they speak for themselves, or might be records by chance.
    """
    header = envelope.transport
    if header is None or header.ci not in FULL:
        return None, False
    try:
        frame = read_frame(envelope, envelope.raw, header.payload, opened_from=header.offset)
    except TelegramError:
        return None, False
    bits = bits_of(frame) if frame.layout.places else 0.0
    if bits < MAYBE_PLAIN:
        return None, False
    return replace(frame, in_clear=True), bits >= SURE_TO_BE_PLAIN


def _maybe_plain() -> TelegramError:
    message = "The content may have come in the clear, but nothing proves it."
    return TelegramError(TelegramFault.MAYBE_PLAIN, DecodeStage.SECURITY, message)


def _plain_despite_key() -> TelegramError:
    message = "The meter has a key, yet this telegram came unencrypted."
    return TelegramError(TelegramFault.KEY_CONFIGURED_BUT_PLAIN, DecodeStage.SECURITY, message)


def _open_own(
    envelope: Envelope, driver: MeterDriver, key: bytes | None, known: Mapping[int, CompactFormat]
) -> Frame | None:
    """The frame of a telegram that its maker lays out, or with a record that may be encrypted, or None."""
    if driver.own_content is not None and (frame := driver.own_content(envelope)) is not None:
        if key is not None:
            raise _plain_despite_key()
        return frame
    encrypted = driver.encrypted_record
    if encrypted is None:
        return None
    frame = open_frame(envelope, None, formats=known)
    if encrypted.header not in frame.layout.headers:
        return None
    opened = encrypted.open(frame, key)
    if key is not None and (opened is frame or opened.in_clear):
        raise _plain_despite_key()
    return opened


def clear_part(identified: Identified) -> tuple[Frame, Measurement] | None:
    """What a telegram with an encrypted record says beside it, such as the clock behind it; None when it has
    no such record, or nothing else can be read.
    """
    envelope, encrypted = identified.envelope, identified.driver.encrypted_record
    if encrypted is None or envelope.security is not SecurityKind.NONE or envelope.received is not None:
        return None
    try:
        frame = open_frame(envelope, None, formats=identified.driver.formats)
        if encrypted.header in frame.layout.headers:
            return frame, identified.driver.interpret(frame)
    except Exception:  # noqa: BLE001 - a vendor's driver may raise anything: the telegram is refused already
        return None
    return None


def _open_standard(
    envelope: Envelope, driver: MeterDriver, key: bytes | None, known: Mapping[int, CompactFormat]
) -> Frame:
    if key is not None or not driver.default_keys:
        return _credible(open_frame(envelope, key, formats=known))
    try:
        return _credible(open_frame(envelope, None, formats=known))
    except TelegramError as error:
        if error.code is not TelegramFault.KEY_MISSING:
            raise
        missing = error
    for default in driver.default_keys:
        try:
            return _credible(open_frame(envelope, default, formats=known, default_key=True))
        except TelegramError as error:
            if error.code not in {TelegramFault.KEY_WRONG, TelegramFault.MAC_MISMATCH}:
                raise
    raise missing


def _credible(frame: Frame) -> Frame:
    """The frame, unless nothing proves its content, not even its records.

    Raises:
        TelegramError: KEY_WRONG, KEY_MISSING or UNPROVED_CONTENT.

    """
    if speaks_for_itself(frame):
        return frame
    header = frame.envelope.transport
    offset = None if header is None else header.payload
    if frame.envelope.security is SecurityKind.NONE:
        message = "No checksum and no code proves the content, and its records might be random bytes."
        raise TelegramError(TelegramFault.UNPROVED_CONTENT, DecodeStage.APPLICATION, message, offset=offset)
    code = TelegramFault.KEY_MISSING if frame.in_clear else TelegramFault.KEY_WRONG
    message = "The content begins with 2F 2F by chance: what follows might be random bytes."
    raise TelegramError(code, DecodeStage.SECURITY, message, offset=offset)


def _open_proprietary(envelope: Envelope, driver: MeterDriver, key: bytes | None) -> Frame:
    claim, own = (envelope.link_address.manufacturer, envelope.ci), driver.proprietary
    if own is None or claim not in own.claims:
        raise TelegramError(
            TelegramFault.UNSUPPORTED_CI,
            DecodeStage.TRANSPORT,
            f"No driver reads the proprietary frames of {claim[0]} with CI {claim[1]:02X}.",
        )
    length = len(envelope.raw)
    if length < own.encrypted_from + own.shortest:
        raise TruncatedError(DecodeStage.SECURITY, "A frame of this kind is longer.", offset=length)
    if key is not None and own.key_length is not None and len(key) != own.key_length:
        message = f"Frames of this kind ask for a key of {own.key_length} bytes."
        raise TelegramError(TelegramFault.KEY_UNUSABLE, DecodeStage.SECURITY, message)
    frame = own.open(envelope, key)
    if frame is None:
        message = "The check of the opened content does not fit."
        offset = own.encrypted_from
        raise TelegramError(TelegramFault.KEY_WRONG, DecodeStage.SECURITY, message, offset=offset)
    if key is not None and frame.in_clear:
        raise _plain_despite_key()
    return frame


def _driver_failed(driver: MeterDriver, error: Exception) -> TelegramError:
    # The type alone: the text of a vendor's exception may quote content.
    return TelegramError(
        TelegramFault.UNSUPPORTED_PAYLOAD,
        DecodeStage.DRIVER,
        f"The driver {driver.name} failed with {type(error).__name__}.",
    )

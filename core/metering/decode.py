"""The two steps of decoding: whose telegram is it, and what does it say.

In: bytes and a registry; then a key. Out: `Identified`, then `Opened`. Two steps, since the key is found by
the address that an encrypted telegram shows. The one rule: whatever a telegram or a vendor's driver does,
`TelegramError` is all that is raised.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from core.mbus.address import Address
from core.mbus.compact import NONE_KNOWN, CompactFormat, signature
from core.mbus.decode import open_frame, read_envelope
from core.mbus.envelope import Envelope
from core.mbus.errors import DecodeStage, TelegramError, TelegramFault, TruncatedError
from core.mbus.frame import Frame
from core.mbus.vocabulary import Integrity, SecurityKind
from core.metering.driver import MeterDriver
from core.metering.measurement import Measurement
from core.metering.registry import Registry


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
        return self.frame.integrity

    @property
    def message_counter(self) -> int | None:
        """What rises from one encrypted message of the meter to the next (mode 7, extended link)."""
        return self.frame.message_counter

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
        if proprietary or frame.compact_signature is not None or not headers:
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
    driver = identified.driver
    try:
        frame = _open(identified, key, formats)
        return Opened(identified, frame, driver.interpret(frame))
    except TelegramError:
        if identified.envelope.unstripped is None:
            raise
        whole = read_envelope(identified.envelope.unstripped, crc_kept=False)
        return open_telegram(Identified(whole, identified.address, driver), key, formats=formats)
    except Exception as error:
        raise _driver_failed(driver, error) from error


def _open(identified: Identified, key: bytes | None, formats: Mapping[int, CompactFormat]) -> Frame:
    envelope, driver = identified.envelope, identified.driver
    if envelope.security is SecurityKind.PROPRIETARY:
        return _open_proprietary(envelope, driver, key)
    known = {**formats, **driver.formats} if formats else driver.formats
    if key is not None or not driver.default_keys:
        return open_frame(envelope, key, formats=known)
    try:
        return open_frame(envelope, None, formats=known)
    except TelegramError as error:
        if error.code is not TelegramFault.KEY_MISSING:
            raise
        missing = error
    for default in driver.default_keys:
        try:
            return open_frame(envelope, default, formats=known, default_key=True)
        except TelegramError as error:
            if error.code not in {TelegramFault.KEY_WRONG, TelegramFault.MAC_MISMATCH}:
                raise
    raise missing


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
    return frame


def _driver_failed(driver: MeterDriver, error: Exception) -> TelegramError:
    # The type alone: the text of a vendor's exception may quote content.
    return TelegramError(
        TelegramFault.UNSUPPORTED_PAYLOAD,
        DecodeStage.DRIVER,
        f"The driver {driver.name} failed with {type(error).__name__}.",
    )

"""The two steps of intake: whose telegram is it, and what does it say.

In: bytes and a registry; then a key. Out: `Sealed`, then `Opened`. Two steps, since the key is found by the
address that a sealed telegram shows. The one rule: whatever a telegram or a vendor's driver does,
`TelegramError` is all that is raised.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from core.mbus.address import Address
from core.mbus.compact import CompactFormat, format_of
from core.mbus.decode import open_frame, read_envelope
from core.mbus.errors import Stage, TelegramError, TelegramFault
from core.mbus.frame import Envelope, Frame, SecurityKind
from core.metering.driver import MeterDriver, Proprietary
from core.metering.measurement import Measurement
from core.metering.registry import Registry

NO_FORMATS: Final[Mapping[int, CompactFormat]] = MappingProxyType({})


class Sealed(Struct, frozen=True, gc=False):
    """A telegram whose sender is known and whose content may still be sealed.

    `address` is the meter's, after the vendor's own rules; keys and meters are looked up by it.
    """

    envelope: Envelope
    address: Address
    driver: MeterDriver

    @property
    def medium(self) -> int:
        """The device type that is measured; some vendors do not put it into the address."""
        return self.driver.medium(self.address)


class Opened(Struct, frozen=True, gc=False):
    """A telegram with its meaning."""

    sealed: Sealed
    frame: Frame
    measurement: Measurement

    @property
    def message_counter(self) -> int | None:
        """What rises from one sealed message of the meter to the next (mode 7, extended link)."""
        return self.frame.message_counter

    @property
    def learned_format(self) -> tuple[int, CompactFormat] | None:
        """The compact format that this full telegram teaches: (signature, record headers); None for a compact
        frame.

        A caller that keeps it per maker, version and medium and passes it to `open_sealed` as `formats` can
        read the compact frames of meters that no driver lists.
        """
        frame = self.frame
        proprietary = frame.envelope.security is SecurityKind.PROPRIETARY
        if proprietary or frame.compact_signature is not None or not frame.records:
            return None
        return format_of(frame.records)


def identify(raw: bytes, registry: Registry, *, crc_kept: bool | None = None) -> Sealed:
    """Reads who sent a telegram and finds the driver.

    Args:
        raw: the telegram, the L field first, with or without link checksums; or a wired long frame.
        registry: the drivers of the house.
        crc_kept: whether the gateway says that the link checksums are still there: if so, a mismatch is an
            error. None when it does not say.

    Raises:
        TelegramError: the telegram is truncated, damaged or none.

    """
    envelope = read_envelope(raw, crc_kept=crc_kept)
    if envelope.security is not SecurityKind.PROPRIETARY:
        return Sealed(envelope, envelope.meter_address, registry.driver_for(envelope.meter_address))
    driver = registry.proprietary_driver(envelope.link_address.manufacturer, envelope.ci)
    if driver is None or driver.proprietary is None:
        return Sealed(envelope, envelope.meter_address, registry.driver_for(envelope.meter_address))
    try:
        return Sealed(envelope, driver.proprietary.address(envelope), driver)
    except TelegramError:
        raise
    except Exception as error:
        raise _driver_failed(driver, error) from error


def open_sealed(
    sealed: Sealed, key: bytes | None, *, formats: Mapping[int, CompactFormat] = NO_FORMATS
) -> Opened:
    """Opens a telegram and has its driver say what it means.

    Args:
        sealed: from `identify`.
        key: the meter's own key; None when it has none, and then the vendor's default keys are tried.
        formats: compact formats learned from earlier full telegrams, beside those of the driver.

    Raises:
        TelegramError: no or a wrong key, damage, an unknown compact format, a content nobody can read.

    """
    driver = sealed.driver
    try:
        frame = _open(sealed, key, formats)
        return Opened(sealed, frame, driver.interpret(frame))
    except TelegramError:
        if sealed.envelope.unstripped is None:
            raise
        whole = read_envelope(sealed.envelope.unstripped, crc_kept=False)
        return open_sealed(replace(sealed, envelope=whole), key, formats=formats)
    except Exception as error:
        raise _driver_failed(driver, error) from error


def _open(sealed: Sealed, key: bytes | None, formats: Mapping[int, CompactFormat]) -> Frame:
    envelope, driver = sealed.envelope, sealed.driver
    if envelope.security is SecurityKind.PROPRIETARY:
        return _proprietary(envelope, driver).open(envelope, key)
    known = {**formats, **driver.compact_formats} if formats else driver.compact_formats
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


def _proprietary(envelope: Envelope, driver: MeterDriver) -> Proprietary:
    claim = (envelope.link_address.manufacturer, envelope.ci)
    if driver.proprietary is None or claim not in driver.proprietary.claims:
        raise TelegramError(
            TelegramFault.UNSUPPORTED_CI,
            Stage.TRANSPORT,
            f"No driver reads the proprietary frames of {claim[0]} with CI {claim[1]:02X}.",
        )
    return driver.proprietary


def _driver_failed(driver: MeterDriver, error: Exception) -> TelegramError:
    # The type alone: the text of a stranger's exception may quote content.
    return TelegramError(
        TelegramFault.UNSUPPORTED_PAYLOAD,
        Stage.DRIVER,
        f"The driver {driver.name} failed with {type(error).__name__}.",
    )

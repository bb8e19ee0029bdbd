"""core.metering.decode: whose telegram, what it says, and nothing but TelegramError."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.metering import (
    Registry,
    StatusFlag,
    TelegramError,
    TelegramFault,
    identify,
    load_registry,
    open_telegram,
)
from core.metering.registry import LoadedDriver

REGISTRY = load_registry()
PRIOS = bytes.fromhex("1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD")
ITRON = bytes.fromhex(
    "2E4497265299344803077A11000000041383F20100066D362716463300441366EF0100426C3F3C0E79221371783809"
)
KAMSTRUP = bytes.fromhex(
    "2A442D2C043799691B168D2087809EE828519A899DAD7C577857BD746EAE6326423CA7F5C760FBF406E270"
)
KAMSTRUP_KEY = bytes.fromhex("F5011AE1F4F10C62B7E5052DE5831F09")
DEFAULT_KEY = bytes.fromhex(
    "2E44A5110100706470077A2A0020254C2AE24C3298F2A072F52A3DBA21FD57CD13C6140D449FCF71FC966D480C509B"
)


@pytest.mark.parametrize("telegram", [PRIOS, ITRON, KAMSTRUP, DEFAULT_KEY])
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_mutated_bytes_raise_nothing_but_telegram_error(telegram, data):
    """Bytes flipped, cut or appended: a measurement or a TelegramError, never anything else."""
    mutated = bytearray(telegram)
    for _ in range(data.draw(st.integers(0, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(mutated)))
    mutated = mutated[:cut] + data.draw(st.binary(max_size=6))
    if data.draw(st.booleans()) and mutated:
        mutated[0] = len(mutated) - 1
    key = data.draw(st.sampled_from([None, KAMSTRUP_KEY, bytes(8), b""]))
    with suppress(TelegramError):
        open_telegram(
            identify(bytes(mutated), REGISTRY, crc_kept=data.draw(st.sampled_from([None, True, False]))), key
        )


def test_a_vendors_default_key_is_tried_when_the_meter_has_none():
    """Diehl ships meters with a well-known key: it opens them, and the frame says so."""
    opened = open_telegram(identify(DEFAULT_KEY, REGISTRY), None)
    assert opened.frame.opened_with_default_key
    assert str(opened.measurement.values["total_volume_m3"]) == "777.123"


def test_a_key_of_its_own_replaces_the_default_keys():
    """A configured key that is wrong remains wrong, though a default key would open the telegram."""
    for telegram, key in ((DEFAULT_KEY, KAMSTRUP_KEY), (PRIOS, bytes.fromhex("1122334455667788"))):
        with pytest.raises(TelegramError) as caught:
            open_telegram(identify(telegram, REGISTRY), key)
        assert caught.value.code is TelegramFault.KEY_WRONG


def test_a_full_telegram_teaches_a_format_that_no_driver_lists():
    """The format learned from a full telegram opens the meter's compact frames under an empty registry."""
    empty = Registry(())
    compact = bytes.fromhex("23442D2C043799691B168D204640207928848F2B4DCCDFACBABB24C04B9B1281721EA518")
    with pytest.raises(TelegramError) as caught:
        open_telegram(identify(compact, empty), KAMSTRUP_KEY)
    assert caught.value.code is TelegramFault.UNKNOWN_COMPACT_FORMAT
    learned = open_telegram(identify(KAMSTRUP, empty), KAMSTRUP_KEY).learned_format
    assert learned is not None
    opened = open_telegram(identify(compact, empty), KAMSTRUP_KEY, formats=dict([learned]))
    assert str(opened.measurement.values["total_volume_m3"]) == "47.889"
    assert opened.learned_format is None
    assert opened.measurement.generic
    assert open_telegram(identify(PRIOS, REGISTRY), None).learned_format is None


def test_a_driver_that_fails_is_a_fault_of_the_driver_stage():
    """Whatever a stranger's driver raises is UNSUPPORTED_PAYLOAD, naming the driver and no content."""

    def interpret(frame):
        raise LookupError(frame.plaintext.hex())

    driver = replace(REGISTRY.named("itron"), name="faulty", interpret=interpret)
    registry = Registry((LoadedDriver(driver, "faulty", "x", "1"),))
    with pytest.raises(TelegramError) as caught:
        open_telegram(identify(ITRON, registry), None)
    assert caught.value.code is TelegramFault.UNSUPPORTED_PAYLOAD
    assert caught.value.message == "The driver faulty failed with LookupError."


def test_a_proprietary_frame_without_a_driver_keeps_its_sender():
    """With no vendor package a PRIOS frame is refused by CI; the address is still there."""
    identified = identify(PRIOS, Registry(()))
    assert identified.address.manufacturer == "SAP"
    with pytest.raises(TelegramError) as caught:
        open_telegram(identified, None)
    assert caught.value.code is TelegramFault.UNSUPPORTED_CI


def test_an_unclaimed_meter_is_read_by_the_standard_and_flagged():
    """An unknown version of a known maker gives its records, marked generic, and the status byte's flags."""
    telegram = bytearray(ITRON)
    telegram[8] = 0x77
    telegram[12] = 0x0C
    opened = open_telegram(identify(bytes(telegram), REGISTRY), None)
    assert opened.measurement.generic
    assert opened.measurement.index.value == 127619
    assert opened.measurement.flags == {StatusFlag.BATTERY_LOW, StatusFlag.PERMANENT_ERROR}


def test_a_driver_that_fails_on_an_address_is_a_fault_of_the_driver_stage():
    """A vendor's own address rule may fail as well: TelegramError, at identification."""

    def address(envelope):
        raise IndexError(envelope.raw.hex())

    ocea = REGISTRY.named("ocea")
    faulty = replace(ocea, proprietary=replace(ocea.proprietary, address=address))
    with pytest.raises(TelegramError) as caught:
        identify(PRIOS, Registry((LoadedDriver(faulty, "faulty", "x", "1"),)))
    assert (caught.value.code, caught.value.stage) == (TelegramFault.UNSUPPORTED_PAYLOAD, "DRIVER")


def test_content_that_looks_like_a_checksum_is_content():
    """A telegram without checksums whose last two bytes fit as one (1 in 65,536) is opened all the same."""
    telegram = bytes.fromhex(
        "434474260451756131078C2056900F002C25C09E0100960D15A2F28718647A5600200710"
        "436E7769C96FF38B306AC8CEDD157469616F4A2F52060A1A7A50849E19A2186B"
    )
    identified = identify(telegram, REGISTRY)
    assert identified.envelope.unstripped == telegram
    with pytest.raises(TelegramError) as refused:
        open_telegram(identified, bytes(16))
    assert refused.value.code is TelegramFault.MAC_MISMATCH, "the whole telegram was tried, with a wrong key"

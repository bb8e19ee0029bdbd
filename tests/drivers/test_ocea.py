"""drivers.ocea: the Sappel serial both ways, PRIOS and its weak cipher, the alarm bits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.metering import (
    Address,
    StatusFlag,
    TelegramError,
    TelegramFault,
    identify,
    load_registry,
    open_telegram,
)
from drivers.ocea.driver import DRIVER
from drivers.ocea.prios import decrypt, decrypt_many
from drivers.ocea.serials import from_address, to_address, with_years, year_of

REGISTRY = load_registry()
PRIOS = bytes.fromhex("1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD")
ROTATED = bytes.fromhex("1944A511780734127720A20118001325257617347D4485529F55")
WELL_KNOWN = [bytes.fromhex("39BC8A10E66D83F8"), bytes.fromhex("51728910E66D83F8")]


@pytest.mark.requirement("R-086")
@pytest.mark.parametrize(
    ("serial", "wire"),
    [
        ("C19UA145842", "72242421D401"),
        ("H19CA159196", "9C5824210C04"),
        ("C15SA007710", "DEFFE420CC01"),
        ("H08CA029620", "B4857A200C04"),
        ("H18CA029620", "341C13210C04"),
    ],
)
def test_the_printed_serial_and_the_radio_address_are_one(serial, wire):
    """All parts of the serial are packed into the six address bytes, and are read from them again."""
    address = Address.from_wire(bytes.fromhex("304C" + wire))
    assert to_address(serial) == address
    assert from_address(address) == serial


@pytest.mark.requirement("R-086", "R-052")
def test_a_year_of_one_digit_lost_its_zero():
    """H8CA029620 is H08CA029620, and never H18CA029620."""
    assert DRIVER.serial.normalise(" h8ca 029620") == "H08CA029620"
    assert DRIVER.serial.to_address(DRIVER.serial.normalise("H8CA029620")).identification == "207A85B4"


LETTERS = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@given(LETTERS, st.integers(0, 67_108_863), LETTERS, LETTERS)
def test_any_serial_survives_the_way_to_its_address_and_back(owner, number, kind, diameter):
    """The codec is a bijection over every serial that the bytes can hold."""
    text = f"{number:08d}"
    serial = f"{owner}{text[:2]}{kind}{diameter}{text[2:]}"
    assert from_address(to_address(serial)) == serial


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1), st.integers(0, 255), st.integers(0, 255))
def test_many_serials_are_what_each_is_by_itself(numbers, version, medium):
    """Of addresses of one version and medium, some of which hold no letters."""
    addresses = [Address("SAP", f"{number:08X}", version, medium) for number in numbers]
    found = with_years(addresses)
    assert [one and one[0] for one in found] == [from_address(address) for address in addresses]
    assert all(one is None or one[1] == year_of(one[0]) for one in found)
    assert with_years([Address("DME", "20771234", 0x78, 0x07)] * 2) == [None, None]


def test_a_serial_without_a_place_on_air_has_no_address():
    """A number beyond 26 bits, eight plain digits and another maker's address are not forced."""
    assert to_address("H99CA999999") is None
    assert to_address("12345678") is None
    assert from_address(Address("DME", "20771234", 0x78, 0x07)) == "20771234"
    assert from_address(Address("SAP", "21131C34", 0x00, 0x00)) is None


@pytest.mark.parametrize(
    ("serial", "year"), [("H08CA029620", 2008), ("H70CA029620", 2070), ("H71CA029620", 1971)]
)
def test_the_year_of_manufacture(serial, year):
    """Two digits up to 70 are of this century."""
    assert year_of(serial) == year


def bit_by_bit(telegram, key):
    """The shift register as the fact sheet writes it, one bit at a time."""
    word = [int.from_bytes(telegram[at : at + 4], "big") for at in (2, 6, 10)]
    state = int.from_bytes(key[:4], "big") ^ int.from_bytes(key[4:], "big") ^ word[0] ^ word[1] ^ word[2]
    out = []
    for byte in telegram[15:]:
        for _ in range(8):
            bit = (state >> 1 ^ state >> 2 ^ state >> 11 ^ state >> 31) & 1
            state = (state << 1 | bit) & 0xFFFFFFFF
        out.append(byte ^ state & 0xFF)
    return bytes(out)


@given(st.binary(min_size=15, max_size=60), st.binary(min_size=8, max_size=8))
def test_the_tables_are_the_register(telegram, key):
    """Eight steps by table are eight steps by bit, for any telegram and key."""
    assert decrypt(telegram, key) == bit_by_bit(telegram, key)


@given(st.lists(st.tuples(st.binary(min_size=26, max_size=26), st.binary(min_size=8, max_size=8))))
def test_many_contents_are_decrypted_as_each(asked):
    """Byte by byte for all of them at once: for any telegrams of the long form and any keys."""
    telegrams, keys = [telegram for telegram, _ in asked], [key for _, key in asked]
    assert decrypt_many(telegrams, keys) == b"".join(map(decrypt, telegrams, keys))


@given(st.binary(min_size=26, max_size=26))
def test_the_two_well_known_keys_never_both_fit(telegram):
    """The register is linear: the second key changes the check byte by a constant: none fits both."""
    first, second = (decrypt(telegram, key) for key in WELL_KNOWN)
    assert first[0] != second[0]


def test_version_and_medium_come_first_with_all_but_sappel():
    """Diehl and Hydrometer send version and medium before the identification; the address is put right."""
    assert str(identify(ROTATED, REGISTRY).address) == "DME-20771234-78-07"


def test_a_sappel_address_holds_the_serial_and_its_medium_is_water():
    """The last two bytes are letters of the serial, not version and medium."""
    identified = identify(PRIOS, REGISTRY)
    assert (str(identified.address), identified.medium) == ("SAP-21131C34-0C-04", 0x07)


@pytest.mark.parametrize("key", [bytes(8), bytes.fromhex("1122334455667788")])
def test_a_wrong_key_of_its_own_is_refused(key):
    """A configured key replaces the well-known ones."""
    with pytest.raises(TelegramError) as caught:
        open_telegram(identify(PRIOS, REGISTRY), key)
    assert caught.value.code is TelegramFault.KEY_WRONG


def test_a_key_of_another_length_is_unusable():
    """PRIOS has keys of eight bytes."""
    with pytest.raises(TelegramError) as caught:
        open_telegram(identify(PRIOS, REGISTRY), bytes(16))
    assert caught.value.code is TelegramFault.KEY_UNUSABLE


def test_a_short_frame_carries_the_total_alone():
    """Without the month's end there is a total and nothing is invented."""
    short = bytes((0x13,)) + PRIOS[1:20]
    values = open_telegram(identify(short, REGISTRY), None).measurement.values
    assert str(values["total_volume_m3"]) == "123.456"
    assert not {"target_volume_m3", "target_date"} & values.keys()


def encrypted_again(alarm):
    """Our PRIOS telegram with other alarm bytes, encrypted anew: they seed the register."""
    head = PRIOS[:11] + bytes.fromhex(alarm) + PRIOS[14:15]
    stream = decrypt(head + bytes(len(PRIOS) - 15), WELL_KNOWN[0])
    plain = decrypt(PRIOS, WELL_KNOWN[0])
    return head + bytes(left ^ right for left, right in zip(plain, stream, strict=True))


@pytest.mark.parametrize(
    ("alarm", "flags"),
    [
        ("011800", set()),
        ("819800", {StatusFlag.LEAK}),
        ("015800", set()),
        ("013800", {StatusFlag.BLOCKED}),
        ("011880", {StatusFlag.REVERSE}),
        ("011860", {StatusFlag.UNDERFLOW, StatusFlag.OVERFLOW}),
        ("01181A", {StatusFlag.SUBMERGED, StatusFlag.TAMPER}),
        ("011805", set()),
        ("811800", {StatusFlag.ALARM}),
    ],
)
def test_alarm_bits_of_now_are_flags_and_those_of_the_past_are_not(alarm, flags):
    """Leak now is LEAK; leak before is kept in the status word alone."""
    measurement = open_telegram(identify(encrypted_again(alarm), REGISTRY), None).measurement
    assert measurement.flags == flags
    assert measurement.status_word == int.from_bytes(bytes.fromhex(alarm), "little")
    assert measurement.index.value == 123456


@pytest.mark.parametrize("without_day", [0, 1, 3])
def test_many_frames_mean_what_each_means(without_day):
    """With all values that there are, or among frames without a day of the month's end."""
    frames = [open_telegram(identify(encrypted_again(alarm), REGISTRY), None).frame for alarm in ALARMS]
    frames += [replace(frames[0], values=(*frames[0].values[:2], None)) for _ in range(without_day)]
    found = DRIVER.interpret_many(frames)
    assert found == [DRIVER.interpret(frame) for frame in frames]
    assert [list(one.values) for one in found] == [list(DRIVER.interpret(frame).values) for frame in frames]
    assert ("target_date" in found[-1].values) == (not without_day)


ALARMS = ["011800", "819800", "015800", "01187A"]


def real_data(records, *, damage=0):
    """A Hydrometer telegram in "real data" form, encrypted with a well-known key, its address rotated."""
    plain = bytes.fromhex(records)
    check = (sum(plain) ^ damage) & 0xEF | 0x10  # the high byte of CFG: bit 12 marks the form
    head = bytes.fromhex("442423" + "2004" + "25609268" + "7A" + "110000") + bytes((check,))
    telegram = bytes((len(head) + len(plain),)) + head
    stream = decrypt(telegram + bytes(len(plain)), WELL_KNOWN[1])
    return telegram + bytes(left ^ right for left, right in zip(plain, stream, strict=True))


def test_real_data_holds_ordinary_records():
    """CI 7A with a manufacturer's security mode: same register, a sum as check, EN 13757-3 records."""
    opened = open_telegram(identify(real_data("0C0651260000 0C1347031500 2F"), REGISTRY), None)
    assert str(opened.identified.address) == "HYD-68926025-20-04"
    assert opened.measurement.index.value == 2651000
    assert opened.frame.opened_with_default_key


@pytest.mark.parametrize("telegram", [real_data("0C0651260000", damage=0x01), real_data("0C06512600")])
def test_real_data_that_fails_its_check_or_its_grammar_is_refused(telegram):
    """A sum of seven bits is a weak check: broken records refuse the key too."""
    with pytest.raises(TelegramError) as caught:
        open_telegram(identify(telegram, REGISTRY), None)
    assert caught.value.code is TelegramFault.KEY_WRONG

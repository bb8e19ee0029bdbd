"""core.mbus.address: the address of a meter on the wire, in text, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mbus.address import Address, maker_code, maker_letters
from core.mbus.errors import TelegramError, TelegramFault

# (eight bytes on air, canonical text)
KNOWN = [
    ("2D2C99873476" + "1B16", "KAM-76348799-1B-16"),
    ("304C341C1321" + "0C04", "SAP-21131C34-0C-04"),
    ("972652993448" + "0007", "ITW-48349952-00-07"),
    ("A51134127720" + "7807", "DME-20771234-78-07"),
]


@pytest.mark.parametrize(("wire", "text"), KNOWN)
def test_wire_and_text_are_two_forms_of_one_address(wire, text):
    """The eight wire bytes, the value and the canonical text turn into one another."""
    address = Address.from_wire(bytes.fromhex(wire))
    assert str(address) == text
    assert Address.parse(text) == address
    assert address.to_wire() == bytes.fromhex(wire)
    assert hash(Address.parse(text)) == hash(address)


def test_maker_bit_15_does_not_change_the_letters():
    """A soft address (ITW as 97 A6) names the same maker as a hard one (97 26)."""
    assert Address.from_wire(bytes.fromhex("97A6529934480007")).manufacturer == "ITW"


def test_identification_is_text():
    """Letters in the identification are kept: several makers put them where BCD is due."""
    assert Address.from_wire(bytes.fromhex("304CB4857A200C04")).identification == "207A85B4"


@given(st.binary(min_size=8, max_size=8).filter(lambda wire: not wire[1] & 0x80))
def test_any_address_survives_the_way_to_text_and_back(wire):
    """Whatever eight bytes a meter sends, its text leads back to them."""
    address = Address.from_wire(wire)
    assert Address.parse(str(address)) == address
    assert address.to_wire() == wire


@pytest.mark.parametrize("code", [0x2C2D, 0x4C30, 0x2674, 0x11A5])
def test_maker_letters_and_code_are_inverse(code):
    """Three letters and fifteen bits say the same."""
    assert maker_code(maker_letters(code)) == code


@pytest.mark.parametrize("text", ["", "KAM", "KAM-7634879-1B-16", "KAM-76348799-1B", "1AM-76348799-1B-16"])
def test_a_text_that_is_no_address_is_refused(text):
    """Parsing refuses with a code and never guesses."""
    with pytest.raises(TelegramError) as caught:
        Address.parse(text)
    assert caught.value.code is TelegramFault.NOT_A_TELEGRAM


def test_an_address_of_another_length_is_truncated():
    """Seven bytes are no address."""
    with pytest.raises(TelegramError) as caught:
        Address.from_wire(bytes(7))
    assert caught.value.code is TelegramFault.TRUNCATED

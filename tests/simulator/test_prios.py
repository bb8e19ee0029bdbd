"""PRIOS telegrams and Sappel serials, against our own vectors and meters seen in the field."""

from datetime import date

import pytest

from submeter.simulator.prios import PriosState, encrypt, wire_address


@pytest.mark.parametrize(
    ("serial", "on_air"),
    [
        ("H18CA029620", "341C13210C04"),
        ("H08CA029620", "B4857A200C04"),
        ("H8CA029620", "B4857A200C04"),
        ("C19UA145842", "72242421D401"),
        ("H19CA159196", "9C5824210C04"),
        ("C15SA007710", "DEFFE420CC01"),
    ],
)
def test_the_printed_serial_is_the_address(serial: str, on_air: str):
    """Six address bytes follow from the serial; a one-digit year has lost its leading zero."""
    assert wire_address(serial) == bytes.fromhex("304C" + on_air)


@pytest.mark.parametrize("serial", ["", "542361524", "H18CA02962", "h18ca029620", "H18C1029620"])
def test_another_makers_serial_is_refused(serial: str):
    """A text that has not the format of a Sappel serial has no address."""
    with pytest.raises(ValueError, match="not a Sappel serial"):
        wire_address(serial)


@pytest.mark.parametrize(
    ("vector", "serial", "state"),
    [
        ("o001", "H18CA029620", PriosState(123_456, 120_001, date(2025, 4, 30))),
        ("o002", "H08CA029620", PriosState(987_654, 980_000, date(2024, 12, 31), battery_half_years=3)),
        ("o004", "C21UB000042", PriosState(7, 0, date(2025, 8, 31), leak_before=True)),
    ],
)
def test_a_prios_vector_is_built_again(own_vectors, vector: str, serial: str, state: PriosState):
    """Total, month end, battery and leak bits give exactly the same telegram."""
    on_air = own_vectors[vector]["telegram"]
    assert encrypt(wire_address(serial), state).hex().upper() == on_air


def test_a_running_leak_shows_in_the_open_part():
    """The leak bit is outside the encrypted part, so a gateway sees it without a key."""
    state = PriosState(51_204, 50_999, date(2026, 1, 31), leak_now=True, rolling=5)
    frame = encrypt(wire_address("D20LA301177"), state)
    assert frame[11:13] == bytes((5 << 4 | 1, 0x80 | 24))
    assert len(frame) == frame[0] + 1


def test_another_key_gives_another_stream():
    """The eight-byte key is part of the seed."""
    wire = wire_address("H18CA029620")
    state = PriosState(123_456, 120_001, date(2025, 4, 30))
    assert encrypt(wire, state) != encrypt(wire, state, bytes.fromhex("51728910E66D83F8"))

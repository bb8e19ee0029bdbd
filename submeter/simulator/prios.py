"""PRIOS, the radio of Sappel (Diehl) water meters: the serial in the address, the scrambled payload.

In: the printed serial and the meter's state. Out: the telegram without link CRCs. The one rule: the printed
serial *is* the address, so neither can be chosen freely. The maker has not published the format: the layout
is the one that meters in the field send (section 8 of the project's fact sheet).
"""

import re
from dataclasses import dataclass
from datetime import date

from submeter.simulator.encryption import telegram
from submeter.simulator.records import type_g

SAP = bytes.fromhex("304C")
DEFAULT_KEY = bytes.fromhex("39BC8A10E66D83F8")
_SERIAL = re.compile(
    r"(?P<supplier>[A-Z])(?P<year>\d{1,2})(?P<type>[A-Z])(?P<diameter>[A-Z])(?P<digits>\d{6})"
)
_CI = 0xA2
_UNUSED = 0x13  # byte 14: no known meaning, sent as meters send it
_CHECK = 0x4B  # first byte of the decrypted payload: verifies the key


@dataclass(frozen=True, slots=True)
class PriosState:
    """The content of a PRIOS telegram: litres now, litres at the last month end, and the state of the radio.

    `period_exponent` p means a telegram every 2^(p+2) seconds; `rolling` is a counter modulo 8. `complaints`
    is the third state byte: bit 7 is backflow, bits 3 and 1 are tampering.
    """

    litres: int
    month_end_litres: int
    month_end: date
    battery_half_years: int = 24
    period_exponent: int = 1
    rolling: int = 0
    alarm: bool = False
    leak_now: bool = False
    leak_before: bool = False
    complaints: int = 0


def wire_address(serial: str) -> bytes:
    """The eight bytes M + A of a printed serial: `H18CA029620` gives `304C 341C13210C04`.

    The serial is letter, year, two letters, six digits; a year printed with one digit lost its leading zero
    (`H8CA029620` is `H08CA029620`). Six bytes hold year and digits as a 26-bit number and the letters in
    5 bits each. ValueError when the serial has another shape.
    """
    shape = _SERIAL.fullmatch(serial)
    if shape is None:
        raise ValueError(f"{serial!r} is not a Sappel serial")
    first, second, third = (ord(shape[group]) - 64 for group in ("supplier", "type", "diameter"))
    number = int(shape["year"] + shape["digits"])
    return SAP + (number | third << 29 | second << 34 | first << 39).to_bytes(6, "little")


def encrypt(wire: bytes, state: PriosState, key: bytes = DEFAULT_KEY) -> bytes:
    """The telegram of a meter with address `wire`, scrambled under the 8-byte `key`.

    Worked example: own vector o001, `1944304C341C13210C04 A2 01180013 AF7A7C1CCF23431369ACDD`.
    """
    status = bytes(
        (
            _CI,
            state.alarm << 7 | state.rolling << 4 | state.period_exponent,
            state.leak_now << 7 | state.leak_before << 6 | state.battery_half_years,
            state.complaints,
            _UNUSED,
        )
    )
    open_payload = (
        bytes((_CHECK,))
        + state.litres.to_bytes(4, "little")
        + state.month_end_litres.to_bytes(4, "little")
        + type_g(state.month_end)
    )
    frame = telegram(wire, status + open_payload)
    stream = _key_stream(_seed(frame, key), len(open_payload))
    return frame[: -len(open_payload)] + bytes(a ^ b for a, b in zip(open_payload, stream, strict=True))


def _seed(frame: bytes, key: bytes) -> int:
    """The two halves of the key and the header's bytes 2-5, 6-9 and 10-13, each read big-endian, XORed."""
    seed = 0
    for piece in (key[:4], key[4:], frame[2:6], frame[6:10], frame[10:14]):
        seed ^= int.from_bytes(piece, "big")
    return seed


def _key_stream(seed: int, length: int) -> bytes:
    """`length` bytes of the 32-bit shift register with taps 1, 2, 11 and 31: eight steps a byte."""
    state = seed
    stream = bytearray()
    for _ in range(length):
        for _ in range(8):
            bit = (state >> 1 ^ state >> 2 ^ state >> 11 ^ state >> 31) & 1
            state = (state << 1 | bit) & 0xFFFFFFFF
        stream.append(state & 0xFF)
    return bytes(stream)

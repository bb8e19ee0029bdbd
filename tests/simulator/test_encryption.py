"""Encrypted telegrams, byte for byte against the fact sheet's worked examples and our own vectors."""

from datetime import date

import pytest
from Crypto.Cipher import AES
from Crypto.Hash import CMAC

from submeter.simulator.encryption import Cmac, ell_ctr, mode5, mode7, mode7_keys, padded
from submeter.simulator.records import bcd, compact, day, full, integer

ITRON = ("9726529934480007", "F6B4A7E161B97F720BA1E29EFCDCF9E5")
ISTA = ("7426928304763107", "06FC78E4235BE6A2CFEE9E25151999BA")
MULTICAL = ("2D2C043799691B16", "F5011AE1F4F10C62B7E5052DE5831F09")


def _bytes(pair: tuple[str, str]) -> tuple[bytes, bytes]:
    return bytes.fromhex(pair[0]), bytes.fromhex(pair[1])


def test_mode_5_encrypts_the_worked_example():
    """An Itron meter's records come out as the telegram of the fact sheet, section 4.1."""
    records = bytes.fromhex("041383F20100066D362716463300441366EF0100426C3F3C0E79221371783809")
    assert mode5(*_bytes(ITRON), records, access=0xE2).hex().upper() == (
        "3E4497265299344800077AE20030253775583748E85DE76B854FB265B6DCB3CFEA8687FDC2328F6AC352C98F1DA52473330925"
        "05396A52A3C75EC4BEEA59D5"
    )


def test_mode_7_encrypts_the_worked_example():
    """An ista meter's records, keys and MAC come out as in the fact sheet, section 4.2."""
    wire, key = _bytes(ISTA)
    records = bytes.fromhex("0C134847090082016C5C358C011389430900")
    counter = 0x0006C915
    encryption, authentication = mode7_keys(key, wire[2:6], counter.to_bytes(4, "little"))
    assert encryption.hex().upper() == "E5A2C99EDAF0E5CB84E9F82AEF932DD1"
    assert authentication.hex().upper() == "FC0D4C854FDA3561878230592EEA7BA1"
    assert mode7(wire, key, records, access=0xE1, counter=counter).hex().upper() == (
        "434474269283047631078C20E1900F002C2515C9060008C3438FF22A177F7AE10020071027199EBA7BA821026F21585687B2A9"
        "9C5F4D1C4B42E6464CB242304238760C2F"
    )


def test_the_extended_link_layer_encrypts_the_worked_examples():
    """A MULTICAL 21's full and compact frame come out as in the fact sheet, sections 3 and 6."""
    records = (
        integer("02FF20", 0),
        integer("0413", 47_889),
        integer("4413", 47_778),
        integer("615B", 12),
        integer("6167", 19),
    )
    whole = ell_ctr(
        *_bytes(MULTICAL), b"\x78" + full(records), access=0x87, session=0x28E89E80 >> 4 & 0x1FFFFFF
    )
    assert whole.hex().upper() == (
        "2A442D2C043799691B168D2087809EE828519A899DAD7C577857BD746EAE6326423CA7F5C760FBF406E270"
    )
    short = ell_ctr(
        *_bytes(MULTICAL), b"\x79" + compact(records), access=0x46, session=0x28792040 >> 4 & 0x1FFFFFF
    )
    assert short.hex().upper() == "23442D2C043799691B168D204640207928848F2B4DCCDFACBABB24C04B9B1281721EA518"


@pytest.mark.parametrize(
    ("vector", "energy", "year_end_energy", "month_end_energy", "month_end_volume"),
    [
        ("o032", 617_560, 616_491, 617_282, 395_682),
        ("o034", 125_484, 124_663, 125_133, 563_223),
        ("o036", 818_069, 818_015, 818_025, 781_190),
    ],
)
def test_an_ista_heat_meters_vector_is_built_again(
    own_vectors, vector, energy, year_end_energy, month_end_energy, month_end_volume
):
    """Energy, billing year and month end of our own vectors give exactly the same telegram."""
    record = own_vectors[vector]
    on_air = bytes.fromhex(record["telegram"])
    records = full(
        (
            bcd("0C05", energy),
            day("426C", date(2025, 12, 31)),
            bcd("4C05", year_end_energy),
            day("82016C", date(2026, 6, 30)),
            bcd("8C0105", month_end_energy),
            bcd("8C0115", month_end_volume),
        )
    )
    counter = int.from_bytes(on_air[18:22], "little")
    assert (
        mode7(on_air[2:10], bytes.fromhex(record["key"]), records, access=on_air[12], counter=counter)
        == on_air
    )


@pytest.mark.parametrize("length", range(50))
def test_the_fast_cmac_equals_the_librarys(length: int):
    """For messages of any length, against pycryptodome's CMAC."""
    key, message = bytes(range(16)), bytes(range(100, 100 + length))
    assert Cmac(key).digest(message) == CMAC.new(key, message, ciphermod=AES).digest()


def test_records_are_padded_to_whole_blocks_after_the_check_bytes():
    """The plaintext for AES-CBC begins with 2F 2F and fills its last block with 2F."""
    assert padded(b"\x01\x02") == b"\x2f\x2f\x01\x02" + b"\x2f" * 12
    assert len(padded(bytes(14))) == 16
    assert len(padded(bytes(15))) == 32

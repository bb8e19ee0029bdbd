"""core.mbus.frame: one layout for all telegrams alike, and the records that stand within a record."""

from decimal import Decimal

import pytest
from msgspec import structs

from core.mbus.decode import open_frame, read_envelope
from core.mbus.vocabulary import Measurand
from tests.support.telegrams import encryption

LINK = bytes.fromhex("9726") + bytes.fromhex("11223344") + b"\x00\x07"
KEY = bytes(range(16))
OWN = bytes.fromhex("0DFF5F")


def frame(records: str, *, key: bytes | None = None, number: int = 1):
    """The frame of a telegram with these records."""
    write = encryption.plain if key is None else lambda link, stream: encryption.mode5(link, key, stream)
    telegram = write(LINK[:2] + number.to_bytes(4, "little") + LINK[6:], bytes.fromhex(records))
    return open_frame(read_envelope(telegram, crc_kept=False), key)


def test_telegrams_alike_have_one_layout():
    """Whoever sends them and whatever they hold, the very same; other places or headers make another."""
    first = frame("041311BB0000 426C5F3A")
    assert frame("041322CC0000 426C3F3C", number=2).layout is first.layout
    for other in ("042311BB0000 426C5F3A", "2F 041311BB0000 426C5F3A", "041311BB0000"):
        assert frame(other).layout != first.layout


def test_a_frame_is_equal_by_what_it_holds():
    """Two openings of one telegram are one value; another value, or another key's doing, is another."""
    one, other = frame("041311BB0000", key=KEY), frame("041311BB0000", key=KEY)
    assert one == other
    assert hash(one) == hash(other)
    assert one != frame("041312BB0000", key=KEY)
    assert one != structs.replace(one, opened_with_default_key=True)


def test_what_was_worked_out_for_a_layout_is_bounded():
    """A driver that asks anew for each frame does not fill the memory, and is answered all the same."""
    asked = frame("041311BB0000 02FF200400")
    for _ in range(1000):
        assert asked.values_under({bytes.fromhex("02FF20")}) == [(bytes.fromhex("02FF20"), 4)]
    assert len(asked.layout.plans) <= 64


def test_records_within_a_makers_own_record_take_its_place():
    """They are read by their headers from where they stand, with offsets in the telegram."""
    packed = frame("0DFF5F06 AA11BB0000CC 426C5F3A")
    whole = packed.unpacked(OWN, lambda data: [(bytes.fromhex("0413"), 1, 5)])
    volume, day = whole.records
    assert (volume.value, volume.measurand, volume.offset) == (Decimal("47.889"), Measurand.VOLUME, 20)
    assert whole.envelope.raw[volume.offset :].startswith(volume.data)
    assert day == packed.records[1]
    assert whole.plaintext == packed.plaintext


@pytest.mark.parametrize(
    "parts", [[("0493", 1, 5)], [("04", 1, 5)], [("0413", 1, 4)], [("0413", 1, 5), ("0413", 5, 6)], []]
)
def test_parts_that_are_no_whole_records_leave_nothing_of_their_record(parts):
    """A header that is not whole, or another length than it announces: a guess is no value."""
    packed = frame("0DFF5F06 AA11BB0000CC 426C5F3A")
    found = packed.unpacked(OWN, lambda data: [(bytes.fromhex(head), at, to) for head, at, to in parts])
    assert [record.measurand for record in found.records] == [Measurand.DATE]


def test_a_frame_without_the_makers_record_stays_as_it_is():
    """Nothing is asked of its parts."""
    plain = frame("041311BB0000")
    assert plain.unpacked(OWN, lambda data: pytest.fail("asked")) is plain

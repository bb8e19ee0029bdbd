"""What a meter encrypts in each mode comes out again, and with anything altered it does not."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.mbus.address import Address
from core.mbus.decode import open_frame, read_envelope
from core.mbus.errors import TelegramError, TelegramFault
from tests.support.telegrams import encryption
from tests.support.telegrams import records as encoder
from tests.support.telegrams.encryption import LONG, NONE, SHORT, Header

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
keys = st.binary(min_size=16, max_size=16)


@st.composite
def links(draw):
    """Eight address bytes, the maker's bit 15 set or not."""
    maker = draw(st.integers(0, 0xFFFF)).to_bytes(2, "little")
    identification = bytes.fromhex(f"{draw(st.integers(0, 99999999)):08d}")[::-1]
    return maker + identification + bytes((draw(st.integers(0, 255)), draw(st.sampled_from([4, 6, 7, 0x16]))))


@st.composite
def contents(draw):
    """Some records and what they say."""
    litres = draw(st.integers(0, 99_999_999))
    watt_hours = draw(st.integers(0, 2**31 - 1))
    day = draw(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
    records = [encoder.bcd(0xC, "13", litres), encoder.integer(4, "03", watt_hours), encoder.day(day)]
    chosen = draw(st.integers(1, 3))
    return records[:chosen], [litres, watt_hours, day][:chosen]


@st.composite
def headers(draw, kinds=(SHORT, LONG)):
    """A transport header with anything in it."""
    kind = draw(st.sampled_from(kinds))
    return Header(
        kind,
        access=draw(st.integers(0, 255)),
        status=draw(st.integers(0, 255)),
        meter=draw(links()) if kind == LONG else None,
    )


def numbers(frame):
    """The raw numbers of a frame, scaling taken off, and its days."""
    return [
        record.value if isinstance(record.value, date) else round(record.value * 1000)
        if record.unit == "m3" else round(record.value * 10**6 / 1000)
        for record in frame.records
    ]  # fmt: skip


def opened(telegram, key, **options):
    """Reads and opens."""
    return open_frame(read_envelope(telegram, crc_kept=False), key, **options)


def refusal(telegram, key):
    """The fault that a telegram is refused with."""
    with pytest.raises(TelegramError) as caught:
        opened(telegram, key)
    return caught.value.code


@calm
@given(links(), contents(), headers((SHORT, LONG, NONE)))
def test_plain_telegrams(link, content, header):
    """Mode 0 with every header: records, address, access number and status come back."""
    records, values = content
    frame = opened(encryption.plain(link, encoder.full(records), header), None)
    assert numbers(frame) == values
    assert frame.envelope.meter_address == Address.from_wire(header.address(link))
    if header.kind != NONE:
        assert (frame.envelope.transport.access_number, frame.envelope.status) == (
            header.access,
            header.status,
        )


@calm
@given(links(), keys, contents(), headers(), st.booleans())
def test_mode_5(link, key, content, header, with_rest):
    """Mode 5: the encrypted part and the plain rest are one stream of records."""
    records, values = content
    behind = encoder.full(records) if with_rest else b""
    telegram = encryption.mode5(link, key, encoder.full(records), header, behind=behind)
    assert numbers(opened(telegram, key)) == values * (1 + with_rest)
    assert refusal(telegram, None) is TelegramFault.KEY_MISSING
    assert refusal(telegram, key[1:]) is TelegramFault.KEY_UNUSABLE


@calm
@given(
    links(), keys, contents(), headers(), st.integers(0, 2**32 - 1), st.sampled_from([2, 4, 8, 12, 16]),
    st.booleans(), st.booleans(), st.sampled_from([None, "8C", "8E"]), links(),
)  # fmt: skip
def test_mode_7(link, key, content, header, counter, mac_bytes, with_length, with_key, form, sender):
    """Mode 7 with every length of code, with and without the optional fields and an extended link before."""
    records, values = content
    telegram = encryption.mode7(
        link, key, encoder.full(records), header, counter=counter, mac_bytes=mac_bytes,
        message_length=with_length, key_information=with_key,
    )  # fmt: skip
    if form == "8C" or (form == "8E" and header.kind == LONG):
        telegram = encryption.extended(
            link, encryption.body(telegram), sender=sender if form == "8E" else None
        )
    frame = opened(telegram, key)
    assert numbers(frame) == values
    assert frame.message_counter == frame.envelope.message_counter == counter


@calm
@given(links(), keys, contents(), headers(), st.data())
def test_mode_7_proves_the_message_before_it_is_opened(link, key, content, header, data):
    """One bit altered in counter, code or content: MAC_MISMATCH, whatever the key would open."""
    records, _ = content
    telegram = bytearray(encryption.mode7(link, key, encoder.full(records), header, mac_bytes=16))
    layer_end = 12 + telegram[11]
    start = read_envelope(bytes(telegram), crc_kept=False).transport.payload
    at = data.draw(st.one_of(st.integers(15, layer_end - 1), st.integers(start, len(telegram) - 1)))
    telegram[at] ^= 1 << data.draw(st.integers(0, 7))
    assert refusal(bytes(telegram), key) is TelegramFault.MAC_MISMATCH


@calm
@given(links(), keys, contents(), st.integers(0, 2**25 - 1), st.sampled_from([0x00, 0x20, 0x22, 0x30, 0x32]),
       st.one_of(st.none(), links()))  # fmt: skip
def test_the_counter_mode_of_the_extended_link(link, key, content, session, control, sender):
    """Forms II and IV, encrypted and not: the bits that repeaters change are not part of the cipher."""
    records, values = content
    apl = b"\x78" + encoder.full(records)
    for own in (key, None):
        telegram = encryption.counter_mode(link, own, apl, session=session, control=control, sender=sender)
        frame = opened(telegram, own)
        assert numbers(frame) == values
        assert frame.message_counter == session
        assert frame.envelope.meter_address == Address.from_wire(sender or link)
    hopped = bytearray(encryption.counter_mode(link, key, apl, session=session, control=control))
    hopped[11] ^= 0x12
    assert numbers(opened(bytes(hopped), key)) == values


@calm
@given(links(), keys, keys, contents(), headers())
def test_another_key_opens_nothing(link, key, other, content, header):
    """Under a wrong key every mode refuses, and the refusal holds no key."""
    if key == other:
        return
    apl = encoder.full(content[0])
    encrypted = {
        encryption.mode7(link, key, apl, header): TelegramFault.MAC_MISMATCH,
        encryption.counter_mode(link, key, b"\x78" + apl): TelegramFault.KEY_WRONG,
    }
    for telegram, fault in encrypted.items():
        with pytest.raises(TelegramError) as caught:
            opened(telegram, other)
        assert caught.value.code is fault
        assert other.hex() not in repr(caught.value).lower() + str(caught.value).lower()


@calm
@given(links(), keys, contents(), headers(), st.integers(0, 15))
def test_encrypted_compact_frames(link, key, content, header, session):
    """A compact frame in modes 5 and 7 and in the counter mode, with the format of the full telegram."""
    records, values = content
    compact = header._replace(compact=True)
    full = encoder.full(records)
    formats = {encoder.crc16(b"".join(record.header for record in records)): tuple(r.header for r in records)}
    for telegram in (
        encryption.mode5(link, key, encoder.compact(records), compact),
        encryption.mode7(link, key, encoder.compact(records), compact),
        encryption.counter_mode(link, key, b"\x79" + encoder.compact(records), session=session),
    ):
        assert numbers(opened(telegram, key, formats=formats)) == values
    assert numbers(opened(encryption.mode5(link, key, full, header), key)) == values


@calm
@given(links(), contents(), headers())
def test_link_checksums_in_every_shape(link, content, header):
    """Format A, format B, and format A of which but the last block's checksum is left."""
    records, values = content
    whole = encryption.plain(link, encoder.full(records), header)
    shapes = [encryption.format_a(whole), encryption.format_b(whole), encryption.last_block_of_a(whole)]
    for raw in shapes:
        assert numbers(open_frame(read_envelope(raw), None)) == values

"""core.metering.formats: what full telegrams teach, kept per kind of meter, stored and taken up again."""

from dataclasses import astuple

import pytest

from core.metering import (
    NO_FORMATS,
    CompactFormats,
    FormatEntry,
    Registry,
    TelegramError,
    TelegramFault,
    identify,
    open_telegram,
)
from tests.support.telegrams import encryption
from tests.support.telegrams import records as encoder

NOBODY = Registry(())
LINK = bytes.fromhex("6A49") + bytes.fromhex("11223344") + bytes.fromhex("0107")
RECORDS = [encoder.bcd(0xC, "13", 123456), encoder.integer(2, "FD17", 0)]
FULL = encryption.plain(LINK, encoder.full(RECORDS))
COMPACT = encryption.plain(LINK, encoder.compact(RECORDS), encryption.Header(compact=True))


def opened(telegram, formats):
    identified = identify(telegram, NOBODY)
    return open_telegram(identified, None, formats=formats.formats_for(identified.address))


def test_a_full_telegram_teaches_the_compact_ones_of_its_kind():
    """Before it the compact frame is refused as unknown; after it the same values are read."""
    with pytest.raises(TelegramError) as caught:
        opened(COMPACT, NO_FORMATS)
    assert caught.value.code is TelegramFault.UNKNOWN_COMPACT_FORMAT
    full = opened(FULL, NO_FORMATS)
    formats = NO_FORMATS.learn(full)
    assert opened(COMPACT, formats).measurement.values == full.measurement.values
    assert formats.learn(full) is formats
    assert formats.learn(opened(COMPACT, formats)) is formats


def test_another_kind_of_meter_learns_nothing_from_it():
    """Formats are kept by maker, version and medium."""
    formats = NO_FORMATS.learn(opened(FULL, NO_FORMATS))
    address = identify(FULL, NOBODY).address
    assert formats.formats_for(address)
    assert not formats.formats_for(type(address)("ZRI", address.identification, 2, address.medium))


def test_formats_are_stored_as_text_and_taken_up_again():
    """The entries alone make the same formats; headers that are none are refused."""
    formats = NO_FORMATS.learn(opened(FULL, NO_FORMATS))
    again = CompactFormats(tuple(FormatEntry(*astuple(entry)) for entry in formats.entries))
    assert again == formats
    assert opened(COMPACT, again).measurement.values == opened(FULL, formats).measurement.values
    for headers in ("0", "04", "0C13ZZ", "8C"):
        with pytest.raises(ValueError, match=r"."):
            CompactFormats((FormatEntry("ZRI", 1, 7, headers),))

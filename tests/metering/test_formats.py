"""core.metering.formats: what full telegrams teach, kept per kind of meter, stored and taken up again."""

from dataclasses import astuple

import pytest

from core.metering import (
    NO_BOOK,
    FormatBook,
    FormatEntry,
    Registry,
    TelegramError,
    TelegramFault,
    identify,
    open_sealed,
)
from tests.support import encoder
from tests.support import encoder_encryption as encryption

NOBODY = Registry(())
LINK = bytes.fromhex("6A49") + bytes.fromhex("11223344") + bytes.fromhex("0107")
RECORDS = [encoder.bcd(0xC, "13", 123456), encoder.integer(2, "FD17", 0)]
FULL = encryption.plain(LINK, encoder.full(RECORDS))
COMPACT = encryption.plain(LINK, encoder.compact(RECORDS), encryption.Header(compact=True))


def opened(telegram, book):
    sealed = identify(telegram, NOBODY)
    return open_sealed(sealed, None, formats=book.formats_for(sealed.address))


def test_a_full_telegram_teaches_the_compact_ones_of_its_kind():
    """Before it the compact frame is refused as unknown; after it the same values are read."""
    with pytest.raises(TelegramError) as caught:
        opened(COMPACT, NO_BOOK)
    assert caught.value.code is TelegramFault.UNKNOWN_COMPACT_FORMAT
    full = opened(FULL, NO_BOOK)
    book = NO_BOOK.learn(full)
    assert opened(COMPACT, book).measurement.values == full.measurement.values
    assert book.learn(full) is book
    assert book.learn(opened(COMPACT, book)) is book


def test_another_kind_of_meter_learns_nothing_from_it():
    """Formats are kept by maker, version and medium."""
    book = NO_BOOK.learn(opened(FULL, NO_BOOK))
    address = identify(FULL, NOBODY).address
    assert book.formats_for(address)
    assert not book.formats_for(type(address)("ZRI", address.identification, 2, address.medium))


def test_a_book_is_stored_as_text_and_taken_up_again():
    """The entries alone make the same book; headers that are none are refused."""
    book = NO_BOOK.learn(opened(FULL, NO_BOOK))
    again = FormatBook(tuple(FormatEntry(*astuple(entry)) for entry in book.entries))
    assert again == book
    assert opened(COMPACT, again).measurement.values == opened(FULL, book).measurement.values
    for headers in ("0", "04", "0C13ZZ", "8C"):
        with pytest.raises(ValueError, match=r"."):
            FormatBook((FormatEntry("ZRI", 1, 7, headers),))

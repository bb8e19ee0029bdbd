"""A table answers for many frames what it answers for each; and nothing that was decoded can be altered."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from core.mbus.batch.ciphers import Ciphers
from core.metering import (
    HistoryEntry,
    HistorySource,
    Quantity,
    Table,
    TelegramError,
    identify,
    open_telegram,
    parse_line,
)
from core.metering.batch import BatchDecoder
from tests.support.telegrams import encryption

OWN = json.loads((Path(__file__).resolve().parents[1] / "data" / "own_vectors.json").read_text())["records"]
KEY = bytes(range(16))
LINK = bytes.fromhex("9726") + bytes.fromhex("11223344") + b"\x00\x07"
TABLES = (
    Table(target=(1,)),
    Table(target=(1,), storages=(1,)),
    Table(target=(1,), storages=(1, 2, 8)),
    Table(target=(8, 1), storages=(1, 8)),
    Table(now=()),
)


def water(number, status=0):
    """A telegram: total, month's end and its day."""
    link = LINK[:2] + number.to_bytes(4, "little") + LINK[6:]
    records = bytes.fromhex(f"0413{number:02X}000000" + "4413FF000000" + "426C5F3A")
    header = encryption.Header(encryption.SHORT, access=number, status=status)
    return encryption.mode5(link, KEY, records, header)


def frames_of_vectors(registry):
    """Our own vectors, read one at a time: frames of many layouts."""
    for record in OWN:
        key = bytes.fromhex(record["key"]) if record["key"] else None
        try:
            yield open_telegram(identify(parse_line(record["telegram"]).telegram, registry), key).frame
        except TelegramError:
            continue


def frames_of_a_batch(registry):
    """Frames of one layout."""
    decoder = BatchDecoder(registry, ciphers=Ciphers(64))
    telegrams = [water(number, status=number & 0x1F) for number in range(1, 60)]
    opened = decoder.open(decoder.identify([(one, False) for one in telegrams]), [KEY] * len(telegrams))
    return [one.frame for one in opened]


@pytest.mark.parametrize("table", TABLES)
def test_many_frames_give_what_each_gives(table, registry):
    """Of one layout, of many, and of both in one list."""
    single, alike = list(frames_of_vectors(registry)), frames_of_a_batch(registry)
    assert len({id(frame.layout) for frame in alike}) == 1
    assert table.interpret_many([]) == []
    for frames in (single, alike, [*single, *alike], alike[:2]):
        assert table.interpret_many(frames) == [table.interpret(frame) for frame in frames]


def test_a_table_reads_values_flags_and_history(registry):
    """The last of the fleet, in full."""
    measurement = TABLES[1].interpret_many(frames_of_a_batch(registry))[-1]
    assert measurement.values == {
        "total_volume_m3": Decimal("0.059"),
        "target_volume_m3": Decimal("0.255"),
        "target_date": date(2026, 10, 31),
    }
    assert measurement.status_word == 59 & 0x1F
    assert measurement.history == (
        HistoryEntry(date(2026, 10, 31), Quantity.VOLUME, Decimal("0.255"), HistorySource.SNAPSHOT),
    )


def test_what_was_decoded_is_locked(registry):
    """Nobody sets a field; a changed copy leaves the first as it is."""
    decoder = BatchDecoder(registry, ciphers=Ciphers(64))
    for _ in range(2):
        (opened,) = decoder.open(decoder.identify([(water(1), False)]), [KEY])
        envelope, record = opened.frame.envelope, opened.frame.records[0]
        for value, name in (
            (opened, "frame"),
            (opened.identified, "driver"),
            (opened.measurement, "values"),
            (opened.frame, "records"),
            (record, "value"),
            (envelope, "raw"),
            (envelope.transport, "status"),
            (envelope.meter_address, "medium"),
        ):
            with pytest.raises(AttributeError):
                setattr(value, name, None)
        changed = structs.replace(envelope, control=envelope.control + 1)
        assert changed != envelope
        assert structs.replace(changed, control=envelope.control) == envelope

"""drivers.ista.qundis: the walk-by record, and which snapshot is the billed one."""

from datetime import date
from decimal import Decimal

import pytest

from core.mbus.link import crc16
from core.metering import TelegramError, identify, load_registry, open_telegram
from tests.support.telegrams import encryption

REGISTRY = load_registry()
OMS = "0C13 45230100 4C13 00100100 426C DF2C CC0813 00200100 C2086C FE24"


def walk_by(
    *, kind="C1", vif="13", now="45230100", year="DF2C 00100100", month="FE24 00200100", tail="0080" * 12
):
    return f"0DFF5F35 0082000000000000 {kind} {vif} FFFF {now} {year} {month} {tail} 2F"


def measured(records, *, version="18", medium="07", maker="9344"):
    """What the driver makes of plain records."""
    link = bytes.fromhex(maker + "11223344" + version + medium)
    header = encryption.Header(encryption.NONE if records.startswith("0DFF5F") else encryption.SHORT)
    return open_telegram(
        identify(encryption.plain(link, bytes.fromhex(records), header), REGISTRY), None
    ).measurement


def test_the_walk_by_record_holds_what_the_oms_form_holds():
    """One table reads both forms: the same values and the same history."""
    plain, packed = measured(OMS), measured(walk_by())
    assert packed.values == plain.values
    assert packed.history == plain.history
    assert packed.values["total_volume_m3"] == Decimal("12.345")
    assert packed.values["target_date"] == date(2023, 4, 30)
    assert packed.values["last_year_date"] == date(2022, 12, 31)


@pytest.mark.parametrize(
    ("kind", "vif", "name", "value"),
    [
        ("C0", "05", "total_energy_kwh", Decimal("1234.5")),
        ("C0", "06", "total_energy_kwh", Decimal(12345)),
        ("B0", "6E", "hca_units", 12345),
    ],
)
def test_heat_and_allocators_walk_by_as_well(kind, vif, name, value):
    """The VIF byte inside the record says what is counted."""
    assert measured(walk_by(kind=kind, vif=vif), version="35", medium="08").values[name] == value


@pytest.mark.parametrize(
    ("changes"),
    [{"kind": "D7"}, {"vif": "93"}, {"vif": "FD"}, {"now": "FFFFFFFF"}],
)
def test_a_walk_by_record_that_is_not_understood_gives_no_total(changes):
    """An unknown kind, a VIF that is more than one byte, digits that are none."""
    assert measured(walk_by(**changes)).index is None


@pytest.mark.parametrize(
    ("version", "medium", "target"),
    [
        ("16", "06", date(2023, 4, 30)), ("18", "07", date(2023, 4, 30)), ("35", "06", date(2023, 4, 30)),
        ("17", "06", date(2022, 12, 31)), ("1A", "07", date(2022, 12, 31)), ("35", "37", date(2022, 12, 31)),
        ("7F", "07", None),
    ],
)  # fmt: skip
def test_the_billed_snapshot_hangs_on_the_version(version, medium, target):
    """Month's end, year's end, or, for a version that nobody has seen, none; the history has both."""
    measurement = measured(OMS, version=version, medium=medium)
    assert measurement.values.get("target_date") == target
    assert [entry.day for entry in measurement.history] == [date(2023, 4, 30), date(2022, 12, 31)]


@pytest.mark.parametrize(
    ("month", "target"), [("FE24 00200100", None), ("DF2C 00100100", date(2022, 12, 31))]
)
def test_a_mended_length_leaves_open_which_snapshot_is_billed(month, target):
    """The L field was two short: the values are given, and a billed one only where both snapshots agree."""
    link = bytes.fromhex("934411223344" + "18" + "07")
    whole = encryption.plain(link, bytes.fromhex(walk_by(month=month)), encryption.Header(encryption.NONE))
    last = 10 + (len(whole) - 11) // 16 * 16
    short = bytes((whole[0] - 2,)) + whole[1:] + crc16(whole[last:]).to_bytes(2, "big")
    values = open_telegram(identify(short, REGISTRY), None).measurement.values
    assert values["total_volume_m3"] == Decimal("12.345")
    assert values["last_year_date"] == date(2022, 12, 31)
    assert values.get("target_date") == target


def test_a_mended_length_does_not_hide_what_is_wrong_inside():
    """A record that runs past the end stays an error, whatever the length was mended to."""
    link = bytes.fromhex("934411223344" + "18" + "07")
    whole = encryption.plain(link, bytes.fromhex("0C13 4523"), encryption.Header(encryption.SHORT))
    short = bytes((whole[0] - 2,)) + whole[1:] + crc16(whole[10:]).to_bytes(2, "big")
    with pytest.raises(TelegramError):
        open_telegram(identify(short, REGISTRY), None)


def test_heat_bills_the_month_and_allocators_the_year():
    """Whatever the version; LSE meters that keep one snapshot bill that one."""
    heat = "0C06 45230100 4C06 00100100 426C DF2C CC0806 00200100 C2086C FE24"
    assert measured(heat, version="46", medium="04").values["target_date"] == date(2023, 4, 30)
    allocator = "0B6E 270100 4B6E 450100 426C DF2C CB086E 790000 C2086C FE24"
    assert measured(allocator, version="34", medium="08").values["target_hca_units"] == 145
    single = "8C0413 00700000 82046C FE24"
    assert measured(single, version="18", medium="06", maker="6532").values["target_volume_m3"] == 7


def test_the_flow_stands_under_a_vife_of_its_own():
    """02BB56 is the flow in litres an hour."""
    assert measured(OMS + "02BB56 0A00").values["volume_flow_m3h"] == Decimal("0.010")


def test_a_radio_converter_names_its_meter():
    """Medium 37: the meter's own number is the enhanced identification, the whole address as eight bytes."""
    values = measured("0779 9876543193442304 0C05 03561200", version="23", medium="37").values
    assert values["enhanced_id"] == "31547698"

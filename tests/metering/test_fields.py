"""core.metering.fields and generic: records to names, units, and the one snapshot."""

from datetime import date
from decimal import Decimal

import pytest

from core.metering import Registry, StatusFlag, identify, open_telegram


def plain(records: str, *, status: str = "00") -> bytes:
    """An unencrypted telegram of a maker that nobody claims."""
    body = bytes.fromhex("445A69785634120107" + "7A11" + status + "0000" + records)
    return bytes((len(body),)) + body


def measured(records: str, *, status: str = "00"):
    """What the generic driver makes of the records."""
    return open_telegram(identify(plain(records, status=status), Registry(())), None).measurement


@pytest.mark.parametrize(
    ("records", "name", "value"),
    [
        ("041311BB0000", "total_volume_m3", Decimal("47.889")),
        ("040F02000000", "total_energy_kwh", Decimal("5.555556")),
        ("040E24000000", "total_energy_kwh", Decimal(10)),
        ("04FB0002000000", "total_energy_kwh", Decimal(200)),
        ("04FB0824000000", "total_energy_kwh", Decimal(1000)),
        ("02455802", "volume_flow_m3h", Decimal(360)),
        ("036E7F0000", "hca_units", 127),
        ("02FD742F0D", "battery_days", Decimal(3375)),
        ("0C7867452301", "fabrication_no", "01234567"),
    ],
)
def test_a_value_comes_in_the_unit_its_name_ends_with(records, name, value):
    """Joule to kilowatt-hours, per minute to per hour, days to years; six decimals at most."""
    assert measured(records).values == {name: value}


@pytest.mark.parametrize(
    ("records", "target"),
    [
        ("4413E8030000 426C3F3C", (Decimal(1), date(2025, 12, 31))),
        ("840413E8030000 82046C3F3C", (Decimal(1), date(2025, 12, 31))),
        ("4413E8030000 426C3F3C 840413D0070000 82046C3E34", (Decimal(1), date(2025, 12, 31))),
        ("4413E8030000 840413D0070000 82046C3E34", (None, None)),
        ("840113E8030000 82016C3F3C 840413D0070000 82046C3E34", (None, None)),
        ("4413E8030000 426CE1F1 840413D0070000 82046C3E34", (None, None)),
        ("4413E8030000 426C0101", (Decimal(1), date(2000, 1, 1))),
        ("441300000080 426C3F3C 840413D0070000 82046C3E34", (None, None)),
        ("4413E8030000 426CFFFF 840413D0070000 82046C3E34", (Decimal(2), date(2025, 4, 30))),
        ("041311BB0000", (None, None)),
    ],
)
def test_a_snapshot_is_published_only_when_it_is_plain_which(records, target):
    """Number 1 with a day of its own, or the only number there is; with a doubt there is none."""
    values = measured(records).values
    assert (values.get("target_volume_m3"), values.get("target_date")) == target


def test_what_is_in_an_error_state_or_has_no_value_is_absent():
    """Function 3, all-F digits and the most negative number publish nothing."""
    assert measured("7413FEFEFEFE 0C13FFFFFFFF 043B00000080").values == {}


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        ("00", set()),
        ("04", {StatusFlag.BATTERY_LOW}),
        ("18", {StatusFlag.PERMANENT_ERROR, StatusFlag.TEMPORARY_ERROR}),
        ("02", {StatusFlag.APPLICATION_ERROR}),
        ("03", {StatusFlag.ALARM}),
        ("E1", set()),
    ],
)
def test_the_status_byte(status, flags):
    """Bits 2-4 and the application state are the standard's; bits 5-7 are the maker's own."""
    assert measured("", status=status).flags == flags

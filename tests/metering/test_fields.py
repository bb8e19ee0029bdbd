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


@pytest.mark.parametrize(
    ("records", "target"),
    [
        ("4413E8030000 840113E8030000", Decimal(1)),
        ("4413E8030000 840113E8030000 426C0101", Decimal(1)),
        ("441300000000 840113E8030000", Decimal(0)),
        ("441300000000 840113E8030000 426C0101", None),
        ("441300000000 840113E8030000 426C0000", Decimal(1)),
        ("4413D0070000 840113E8030000", None),
        ("4413E8030000 840113D0070000 C40113D0070000", None),
        ("4413E8030000 840113E8030000 440605000000", None),
        ("4413E8030000 840113E8030000 82016C3E34", None),
        ("4413E8030000 840213D0070000", None),
        ("840113E8030000 C40113E8030000", None),
        ("4413E8030000 840113BABB0000", None),
        ("4413E8030000 840115D0070000", None),
    ],
)
def test_of_two_snapshots_without_days_their_values_may_leave_one_choice(records, target):
    """The total is 47.889 m3. Both the same: 1 m3, whichever it is; number 1 below number 2, and that not
    above the total: the set date's. None of the latest month first, of three, of other units, with a day.
    """
    measurement = measured("041311BB0000" + records)
    assert measurement.values.get("target_volume_m3") == target
    assert "target_date" not in measurement.values
    assert measurement.history == ()


@pytest.mark.parametrize(
    ("records", "target"),
    [
        ("036E840000 426E1300 82016E2000", None),
        ("036E840000 426E1300 82016E1300", 19),
        ("426E1300 82016E2000", None),
        ("440605000000 84010609000000", None),
        ("040610000000 440605000000 84010609000000", 5),
        ("040610000000 440605000000 84010609000000 4413E8030000 840113E8030000 041311BB0000", 5),
        ("040610000000 440605000000 84010609000000 4413E8030000 84011300000000 041311BB0000", None),
    ],
)
def test_only_a_counter_that_never_starts_again_shows_the_order_of_snapshots(records, target):
    """19 units before 32 may be January and December; 5 kWh before 9, of 16 now, are the set date's."""
    values = measured(records).values
    assert values.get("target_hca_units", values.get("target_energy_kwh")) == target


@pytest.mark.parametrize(
    ("records", "medium", "cooling"),
    [
        ("0C0644010000 0C1356780100 8C400601000000 8C401376150000", "0D", 1),
        ("0C0644010000 0C1356780100 8C400601000000 8C401376150000", "04", None),
        ("0C0644010000 0C1356780100 8C400601000000", "0D", None),
        ("0C0644010000 0C1356780100 8C401376150000", "0D", None),
        ("0C0644010000 0C1356780100 8C400701000000 8C401376150000", "0D", None),
        ("0C0644010000 8C400601000000", "0D", None),
        ("0C0644010000 0C1356780100 8C400601000000 8C401376150000 8C80401376150000", "0D", None),
        ("0C0644010000 0C1356780100 8C400601000000 8C401376150000 0C863C09000000", "0D", 9),
        ("0C0644010000 0C1356780100 8C5006010000008C501376150000", "0D", None),
    ],
)
def test_the_second_circuit_of_a_meter_of_heat_and_cooling_is_the_cooling(records, medium, cooling):
    """144 kWh of heat, 1 kWh of cooling with a volume of its own; a pulse input counts one thing, and what is
    marked as backward is the cooling itself.
    """
    body = bytes.fromhex("445A697856341201" + medium + "7A11000000" + records)
    telegram = bytes((len(body),)) + body
    values = open_telegram(identify(telegram, Registry(())), None).measurement.values
    assert (values["total_energy_kwh"], values.get("total_cooling_energy_kwh")) == (144, cooling)


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

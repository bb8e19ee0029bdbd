"""drivers.kamstrup: info codes, unavailable temperatures, compact formats."""

import pytest

from core.metering import FlagDuration, StatusFlag, identify, load_registry, open_telegram
from drivers.kamstrup.driver import DRIVER

REGISTRY = load_registry()


def measured(records, *, version="1B", medium="16"):
    """What the driver makes of plain records."""
    body = bytes.fromhex("442D2C04379969" + version + medium + "78" + records)
    return open_telegram(identify(bytes((len(body),)) + body, REGISTRY), None).measurement


@pytest.mark.parametrize(
    ("records", "flags", "word"),
    [
        ("02FF200000", set(), 0),
        ("02FF200400", {StatusFlag.LEAK}, 4),
        ("02FF207100", {StatusFlag.DRY}, 0x71),
        ("02FF200F00", {StatusFlag.DRY, StatusFlag.REVERSE, StatusFlag.LEAK, StatusFlag.BURST}, 15),
        ("04FF2330020000", {StatusFlag.TAMPER, StatusFlag.BATTERY_LOW, StatusFlag.NO_FLOW}, 0x230),
        ("04FF2200010000", {StatusFlag.AIR}, 0x100),
        ("02FF220210", {StatusFlag.BATTERY_LOW, StatusFlag.LEAK}, 0x1002),
        ("02FD170102", {StatusFlag.POWER_FAILURE, StatusFlag.BURST}, 0x201),
        ("01FF21FF", set(), 0xFF),
    ],
)
def test_info_codes(records, flags, word):
    """Each info code has its own table; the durations above the flags of a water meter are no flags."""
    measurement = measured(records)
    assert (measurement.flags, measurement.status_word) == (flags, word)


def test_how_long_a_state_held_lately_is_given_in_hours():
    """0071 says: dry for 22 to 31 days; three bits each for dry, reverse, leak and burst."""
    assert measured("02FF207100").durations == (FlagDuration(StatusFlag.DRY, 505, 744),)
    assert measured("02FF200424").durations == (
        FlagDuration(StatusFlag.LEAK, 1, 8),
        FlagDuration(StatusFlag.BURST, 1, 8),
    )
    assert measured("04FF2371000000").durations == ()


def test_a_temperature_of_127_is_not_available():
    """127 means that the meter has no temperature, and none is published."""
    assert measured("615B7F 61677F").values == {}
    assert measured("615B0C 616713").values == {"flow_temperature_c": 12, "external_temperature_c": 19}


def test_the_signatures_are_those_that_meters_send():
    """The formats listed give the signatures known from the field."""
    known = {0xA8ED, 0xC412, 0x0905, 0x36D4, 0xA9F3, 0x61EB, 0xD2F7, 0xDD34, 0x7C0E, 0xF1E7, 0x52C2, 0xAE5A,
             0xB34D, 0xE7A2, 0x8400, 0x8C13, 0x2274, 0x73DE}  # fmt: skip
    assert set(DRIVER.formats) == known


def test_heat_counts_energy_and_keeps_maker_codes_out():
    """The sums of volume times temperature (FF07, FF08) are no energy; the index is watt-hours."""
    measurement = measured(
        "04064B4D0000 04FF0710270000 04146D0F0000 04863C05000000", version="34", medium="0C"
    )
    assert measurement.index.value == 19787000
    assert measurement.values["backward_energy_kwh"] == 5
    assert set(measurement.values) == {"total_energy_kwh", "total_volume_m3", "backward_energy_kwh"}

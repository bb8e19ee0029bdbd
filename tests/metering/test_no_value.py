"""What meters send when they have no value is never published: singly, in a batch, compact or as history."""

import json
import random
from datetime import date, datetime
from decimal import Decimal

import pytest

from core.mbus.batch.ciphers import Ciphers
from core.metering import Measurement, Registry, TelegramError, identify, open_telegram, parse_line
from core.metering.batch import BatchDecoder
from tests.support.batches import KEY, assert_same, random_layout, written
from tests.support.telegrams import encryption
from tests.support.telegrams import records as encoder
from tests.support.telegrams.records import Place

UNKNOWN = bytes.fromhex("6A49112233440107")
HEAT_AND_COOLING = bytes.fromhex("096411223344010D")
KAMSTRUP, ITRON = bytes.fromhex("2D2C112233441B16"), bytes.fromhex("9726112233440007")
TOTAL = "041311BB0000"

NOTHING = {
    "all ones, a volume": "0413FFFFFFFF",
    "all ones, 24 bits": "0313FFFFFF",
    "all ones, 64 bits": "0713FFFFFFFFFFFFFFFF",
    "all ones, an energy": "0406FFFFFFFF",
    "all ones, allocator units": "026EFFFF",
    "all ones, decimal": "0C13FFFFFFFF",
    "all ones, decimal units": "0B6EFFFFFF",
    "the most negative number": "041300000080",
    "the most negative number, 24 bits": "0313000080",
    "the most negative number in a decimal field": "0C1300000080",
    "the most negative number in a long decimal field": "0E13000000000080",
    "the most negative number in decimal units": "0C6E00000080",
    "FE FE FE FE": "0413FEFEFEFE",
    "FE FE FE FE, decimal": "0C13FEFEFEFE",
    "FE FE FE FE in an error state": "3413FEFEFEFE",
    "below zero": "0413F7FFFFFF",
    "below zero, decimal": "0C13020000F0",
    "below zero, real": "0513000080BF",
    "below zero, of variable length": "0D13E2FFFF",
    "below zero, decimal of variable length": "0D13D20100",
    "below zero, backward": "04933CFFFFFFFF",
    "below zero, at base conditions": "04933EFFFFFFFF",
    "text for a number": "0D1303333231",
    "text for units": "0D6E03333231",
    "battery, all ones": "02FD74FFFF",
    "battery of ninety years": "02FD74FF7F",
    "a sensor's largest number": "0259FF7F",
    "a sensor's most negative number": "025D0080",
    "colder than anything": "02650180",
    "a clock that was never set": "046D00000101",
    "a clock that started and was never set": "046D2C0D0301",
    "a clock of all ones": "046DFFFFFFFF",
    "a clock of zeros": "046D00000000",
    "an invalid clock": "046DBB37DF2C",
    "an invalid clock with seconds": "066D36A716463300",
    "a clock of the last century": "046D2C0DFFCC",
    "a day of zeros": "026C0000",
    "a day of all ones": "026CFFFF",
    "a day that was never set": "026C0101",
    "text for a day": "0D6C02FF2A",
    "a number of all ones": "0C78FFFFFFFF",
    "a number of zeros": "0C7800000000",
    "a blank number": "0D780420202020",
    "an address of all ones": "0779FFFFFFFFFFFFFFFF",
    "a long number of all ones": "0479FFFFFFFF",
    "a long number of the most negative": "047900000080",
}
"""Each of a record that says nothing."""

NO_TARGET = {
    "all ones": "4413FFFFFFFF 426C3F3C",
    "the most negative number": "441300000080 426C3F3C",
    "the most negative number in a decimal field": "4C1300000080 426C3F3C",
    "decimal all ones": "4C13FFFFFFFF 426C3F3C",
    "an error state": "7413FEFEFEFE 426C3F3C",
    "below zero": "4413FEFFFFFF 426C3F3C",
    "a day alone": "426C3F3C",
    "a day alone that was never set": "426C0101",
    "nothing counted on a day that was never set": "441300000000 426C0101",
    "nothing counted in the month when a clock starts": "441300000000 426C1F01",
    "a value without a day, zeros": "4413E8030000 426C0000",
    "a value without a day, all ones": "4413E8030000 426CFFFF",
    "a day after the meter's own clock": "046D3B37DF2C 4413E8030000 426C3F3C",
    "a day after the meter's own day": "026CDF2C 4413E8030000 426C3F3C",
    "a day of the last century": "4413E8030000 426C7FCC",
    "another number, all ones": "840413FFFFFFFF 82046C3F3C",
    "another number, a decimal field": "8C041300000080 82046C3F3C",
    "another number, a short decimal field": "8B0413000080 82046C3F3C",
}
"""Each of the records of a snapshot that was not taken; 3F3C is the last day of 2025."""


def measured(records: str, link: bytes = UNKNOWN, registry: Registry | None = None) -> Measurement:
    """What a plain telegram of these records means to the generic driver, or to those of a registry."""
    telegram = encryption.plain(link, bytes.fromhex(records))
    return open_telegram(identify(telegram, registry or Registry(())), None).measurement


@pytest.mark.parametrize("records", NOTHING.values(), ids=NOTHING)
def test_what_says_nothing_publishes_nothing(records):
    """No value, no index, no history: of the telegram above all is absent, whatever the coding allows; behind
    an error word, without which the rarest of these contents could be random bytes.
    """
    measurement = measured("02FD170000 04FD0812345678 0C7832547698 " + records)
    assert set(measurement.values) <= {"fabrication_no"}
    assert (measurement.index, measurement.history) == (None, ())


@pytest.mark.parametrize("records", NO_TARGET.values(), ids=NO_TARGET)
def test_a_snapshot_that_was_not_taken_is_none(records):
    """The total, 47.889 m3, is there; no target, no day of one, no history."""
    measurement = measured(TOTAL + records)
    assert measurement.values["total_volume_m3"] == Decimal("47.889")
    assert [name for name in measurement.values if name.startswith("target")] == []
    assert measurement.history == ()


@pytest.mark.parametrize(
    ("records", "name", "value"),
    [
        ("023BFFFF", "volume_flow_m3h", Decimal("-0.001")),
        ("042BFFFFFFFF", "power_kw", Decimal("-0.001")),
        ("0261FFFF", "temperature_difference_c", Decimal("-0.01")),
        ("0265FFFF", "external_temperature_c", Decimal("-0.01")),
        ("0A590080", "flow_temperature_c", Decimal(80)),
        ("0B13000080", "total_volume_m3", Decimal(800)),
        ("0C1399999999", "total_volume_m3", Decimal("99999.999")),
        ("041300000000", "total_volume_m3", Decimal(0)),
        ("0C1301000080", "total_volume_m3", Decimal("80000.001")),
        ("02FD740000", "battery_days", Decimal(0)),
        ("066D362716463300", "meter_datetime", datetime(2026, 3, 6, 22, 39, 54)),
        ("0C7800000100", "fabrication_no", "00010000"),
    ],
)
def test_what_is_a_value_remains_one(records, name, value):
    """Flows, powers and temperatures are below zero at times; 80.00 C, 800 m3 and zero are values."""
    assert measured(records).values == {name: value}


def test_a_snapshot_of_the_day_that_the_clock_shows_has_been_taken():
    """1 m3 on the last day of 2025, sent on that day; and where the clock, never set, says nothing."""
    for clock in ("046D3B373F3C", "046D00000101"):
        values = measured(clock + "4413E8030000 426C3F3C").values
        assert (values["target_volume_m3"], values["target_date"]) == (1, date(2025, 12, 31))


def test_a_meter_of_heat_and_cooling_has_a_snapshot_of_its_heat():
    """Heat forward, cooling backward, of now and of the last day of May 2021: 7 kWh of heat then, 9 now."""
    records = "04863B09000000 04863CDC000000 84086D3B17BF25 8408863B07000000 8408863C0B000000"
    values = measured(records, HEAT_AND_COOLING).values
    assert values == {
        "total_energy_kwh": 9,
        "total_cooling_energy_kwh": 220,
        "target_energy_kwh": 7,
        "target_date": datetime(2021, 5, 31, 23, 59),
    }
    unset = measured(records.replace("8408863B07000000", "8408863BFFFFFFFF"), HEAT_AND_COOLING).values
    assert unset == {"total_energy_kwh": 9, "total_cooling_energy_kwh": 220}


@pytest.mark.parametrize("link", [KAMSTRUP, ITRON])
@pytest.mark.parametrize("total", ["0413FFFFFFFF", "0413FEFEFEFE", "041300000080", "0C1300000080"])
def test_a_driver_publishes_no_total_of_a_marker_either(link, total, registry):
    """Whoever reads the records: no index; the target, 1 m3 in 2025, is there, and its marker is none."""
    measurement = measured(total + "4413E8030000 426C3F3C", link, registry)
    assert "total_volume_m3" not in measurement.values
    assert measurement.index is None
    assert [entry.value for entry in measurement.history] == [1]
    marked = measured(
        TOTAL + total.replace("04", "44", 1).replace("0C", "4C", 1) + "426C3F3C", link, registry
    )
    assert "target_volume_m3" not in marked.values
    assert marked.history == ()


@pytest.mark.parametrize("link", [UNKNOWN, HEAT_AND_COOLING, KAMSTRUP, ITRON])
def test_a_batch_publishes_the_same(link, registry):
    """All of the above, twice in a layout: what single telegrams answer, a batch answers."""
    cases = []
    for number, records in enumerate([*NOTHING.values(), *NO_TARGET.values()]):
        marked = bytes.fromhex(TOTAL + records)
        for own in (number, number + 1000):
            meter = link[:2] + own.to_bytes(4, "little") + link[-2:]
            cases.append((encryption.mode5(meter, KEY, marked), False, KEY))
            cases.append((encryption.plain(meter, marked), False, None))
    assert_same(cases, registry, BatchDecoder(registry, ciphers=Ciphers(64)))


def test_columns_of_a_batch_know_the_markers(registry):
    """Of one layout, one after the other: 47.889 m3, then each marker, then 47.889 m3 again."""
    contents = ["11BB0000", "FFFFFFFF", "FEFEFEFE", "00000080", "11BB0000"]
    cases = [(encryption.mode5(UNKNOWN, KEY, bytes.fromhex("0413" + data)), False, KEY) for data in contents]
    answers = assert_same(cases, registry, BatchDecoder(registry, ciphers=Ciphers(64)))
    values = [answer.measurement.values.get("total_volume_m3") for answer in answers]
    assert values == [Decimal("47.889"), None, None, None, Decimal("47.889")]


@pytest.mark.parametrize("marker", ["FFFFFFFF", "00000080", "FEFEFEFE"])
def test_a_compact_frame_publishes_no_marker(marker):
    """The full telegram teaches the format: 47.889 m3; the compact one has a marker in the same place."""
    empty = Registry(())

    def records(data: str) -> list[encoder.EncodedRecord]:
        return [
            encoder.EncodedRecord(bytes.fromhex("0413"), bytes.fromhex(data)),
            encoder.EncodedRecord(bytes.fromhex("4413"), bytes.fromhex(data)),
            encoder.day(date(2025, 12, 31), Place(storage=1)),
        ]

    full = encryption.plain(UNKNOWN, encoder.full(records("11BB0000")))
    taught = open_telegram(identify(full, empty), None)
    assert taught.measurement.values["target_volume_m3"] == Decimal("47.889")
    for data, known in (("11BB0000", 3), (marker, 0)):
        content = b"\x79" + encoder.compact(records(data))
        compact = encryption.counter_mode(UNKNOWN, KEY, content)
        formats = dict([taught.learned_format])
        measurement = open_telegram(identify(compact, empty), KEY, formats=formats).measurement
        assert len(measurement.values) == known
        assert len(measurement.history) == (known > 0)


COUNTED = ("volume_m3", "energy_kwh", "hca_units", "battery_days", "battery_years")


def impossible(measurement: Measurement) -> list[str]:
    """What stands in a measurement and cannot be."""
    values = measurement.values
    found = [name for name, value in values.items() if name.endswith(COUNTED) and value < 0]
    found += [f"history {entry}" for entry in measurement.history if entry.value < 0]
    if "target_date" in values and not any(f"target_{what}" in values for what in COUNTED):
        found.append("target_date")
    clock = values.get("meter_datetime")
    if clock is not None and not 2000 < clock.year <= 2080:
        found.append("meter_datetime")
    return found


@pytest.mark.parametrize("link", [UNKNOWN, HEAT_AND_COOLING])
def test_no_records_at_all_publish_what_cannot_be(link):
    """Records in any order, of any coding, full of markers and of random bytes: no count below zero, no
    target's day without its value, no clock that was never set.
    """
    chance = random.Random("markers")
    published = 0
    for _ in range(4000):
        records, _ = written(random_layout(chance), chance)
        try:
            telegram = encryption.plain(link, records[:200])
            measurement = open_telegram(identify(telegram, Registry(())), None).measurement
        except TelegramError:
            continue  # cut within a record
        published += bool(measurement.values)
        assert impossible(measurement) == [], records.hex()
    assert published > 300


def test_no_shared_telegram_of_a_maker_without_a_driver_publishes_what_cannot_be(shared, registry):
    """Of what real meters of other makers send nothing is below zero, unset or without its other half."""
    seen = 0
    for record in json.loads((shared / "wmbus" / "shared.json").read_text())["records"]:
        key = bytes.fromhex(record["key"]) if record["key"] else None
        try:
            identified = identify(parse_line(record["telegram"]).telegram, registry)
            measurement = open_telegram(identified, key).measurement
        except TelegramError:
            continue
        if measurement.generic:
            seen += 1
            assert impossible(measurement) == [], record["id"]
    assert seen > 100

"""Whole telegrams, from hexadecimal text to named values: ours always, the shared ones where at hand."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from core.metering import NO_FORMATS, TelegramError, identify, open_telegram, parse_line

OWN = json.loads((Path(__file__).resolve().parents[1] / "data" / "own_vectors.json").read_text())["records"]
PLAIN_WITH_KEY = "plaintext although a key is configured"
# The vectors carry each vendor's own words.
FLAGS = {
    "LEAKAGE": "LEAK", "BACK_FLOW": "REVERSE", "MECHANICAL_FRAUD": "TAMPER", "SENSOR_FRAUD": "TAMPER",
    "SUBMARINE": "SUBMERGED", "METER_BLOCKED": "BLOCKED", "FLOW_SENSOR_WEAK_OR_AIR": "AIR",
}  # fmt: skip


def decode(record, registry):
    """Decodes the telegram of a vector after those that came before it; formats are learned on the way."""
    key = bytes.fromhex(record["key"]) if record["key"] else None
    formats = NO_FORMATS
    for line in record.get("prior_telegrams") or ():
        identified = identify(parse_line(line).telegram, registry)
        formats = formats.learn(
            open_telegram(identified, key, formats=formats.formats_for(identified.address))
        )
    identified = identify(parse_line(record["telegram"]).telegram, registry)
    return open_telegram(identified, key, formats=formats.formats_for(identified.address))


def same(wanted, got):
    """Numbers within a thousandth or a millionth part; moments as far as the vector states them."""
    if isinstance(wanted, int | float):
        limit = max(Decimal("0.001"), abs(Decimal(str(wanted))) / 10**6)
        return isinstance(got, int | Decimal) and abs(Decimal(str(wanted)) - got) <= limit
    text = (
        got.isoformat(" ") if hasattr(got, "hour") else got.isoformat() if isinstance(got, date) else str(got)
    )
    return text[: len(wanted)] == wanted[: len(text)] and len(text) >= min(10, len(wanted))


def wrong(record, values):
    """The names that are there and say something else than the vector."""
    expected = {name: value for name, value in record["expected"].items() if value is not None}
    return [name for name in expected.keys() & values.keys() if not same(expected[name], values[name])]


def absent(record, values):
    """The names that the vector has and the measurement has not."""
    optional = {"status_flags", *(record.get("lenient") or ())}
    return [
        name
        for name, value in record["expected"].items()
        if value is not None and name not in values.keys() | optional
    ]


@pytest.mark.parametrize("record", OWN, ids=[record["id"] for record in OWN])
def test_our_own_telegrams_mean_what_we_built_them_to_mean(record, registry):
    """Every value and every flag of our 54 telegrams, in all modes, with their vendors' drivers."""
    opened = decode(record, registry)
    values = opened.measurement.values
    assert (wrong(record, values), absent(record, values)) == ([], [])
    assert opened.identified.address.manufacturer == record["manufacturer"]
    assert opened.identified.address.identification == record["meter_serial"].upper()
    assert opened.identified.medium == int(record["device_type"], 16)
    flags = {FLAGS.get(flag, flag) for flag in record["expected"].get("status_flags", ())}
    assert {flag.value for flag in opened.measurement.flags} == flags


def test_what_must_be_refused_is_refused(shared, registry):
    """Wrong and missing keys, damage, cuts, downgrades: an error each, and none of their values."""
    for record in json.loads((shared / "wmbus" / "negative_shared.json").read_text())["records"]:
        with pytest.raises(TelegramError) as caught:
            decode(record, registry)
        if record["kind"] == PLAIN_WITH_KEY:
            assert caught.value.code == "KEY_CONFIGURED_BUT_PLAIN", record["id"]
        if record["kind"] == "missing key":
            assert caught.value.code == "KEY_MISSING", record["id"]


OUR_VENDORS = {"SAP", "HYD", "DME", "IST", "ITW", "KAM", "KAW", "QDS", "LSE", "AMT", "BFW", "RAM"}
# Refused on purpose: its last checksum is cut in half. Its vector's temperature is made of another checksum.
DAMAGED = {"v523"}
# Its bytes are v191's behind a shorter L field; its vector names another billing day, and a flow nobody sent.
CONTRADICTED = {"v227": ["target_date", "target_volume_m3", "volume_flow_m3h"]}
TOTALS = ("total_volume_m3", "total_energy_kwh", "hca_units")


def test_the_shared_telegrams(shared, registry):
    """No telegram says a wrong value, of whatever maker; those of our vendors are whole; totals are there."""
    records = json.loads((shared / "wmbus" / "shared.json").read_text())["records"]
    whole, false, incomplete = 0, {}, {}
    for record in records:
        if record["id"] in DAMAGED:
            with pytest.raises(TelegramError, match="CRC_MISMATCH"):
                decode(record, registry)
            continue
        try:
            values = decode(record, registry).measurement.values
        except TelegramError:
            values = {}
        if mistakes := wrong(record, values):
            false[record["id"]] = mistakes
        missing = absent(record, values)
        whole += not mistakes and not missing
        wanted = missing if record["manufacturer"] in OUR_VENDORS else [
            name for name in missing if name in TOTALS and record["generic_total_ok"]
        ]  # fmt: skip
        if wanted and sorted(wanted) != CONTRADICTED.get(record["id"], ["previous_alarm_flags"]):
            incomplete[record["id"]] = wanted
    assert (false, incomplete) == ({}, {})
    assert whole >= 304

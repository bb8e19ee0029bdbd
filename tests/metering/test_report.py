"""core.metering.report: the readable report."""

import json

import pytest

from core.metering import explain

KAMSTRUP = "2A442D2C043799691B168D2087809EE828519A899DAD7C577857BD746EAE6326423CA7F5C760FBF406E270"
KEY = bytes.fromhex("F5011AE1F4F10C62B7E5052DE5831F09")
ISTA = (
    "434474269283047631078C20E1900F002C2515C9060008C3438FF22A177F7AE10020071027199EBA7BA821026F21585687B2A99C5F4D"
    "1C4B42E6464CB242304238760C2F"
)
PRIOS = "1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD"


def test_a_report_shows_each_layer_and_each_record(registry):
    """Link, extended link, transport, application; records with offsets; values, flags and the index."""
    report = explain(KAMSTRUP, registry, KEY).as_dict()
    assert report["address"] == "KAM-69993704-1B-16"
    assert report["driver"] == "kamstrup"
    assert [layer["name"] for layer in report["layers"]] == [
        "link",
        "extended link",
        "transport",
        "application",
    ]
    assert report["records"][1] == {
        "offset": 25, "header": "0413", "data": "11BB0000", "function": "INSTANTANEOUS", "storage": 0,
        "tariff": 0, "subunit": 0, "measurand": "VOLUME", "modifiers": [], "value": "47.889", "unit": "m3",
    }  # fmt: skip
    assert report["measurement"]["values"]["total_volume_m3"] == "47.889"
    assert report["measurement"]["index"] == {"quantity": "VOLUME", "value": 47889}
    assert report["error"] is None


@pytest.mark.parametrize(
    ("line", "key"), [(KAMSTRUP, KEY), (KAMSTRUP, None), (ISTA, None), (PRIOS, None), ("ZZ", None)]
)
def test_a_report_is_json(registry, line, key):
    """Whatever came, the dictionary is made of JSON's own types, and no key is in it."""
    report = explain(line, registry, key)
    text = json.dumps(report.as_dict())
    assert KEY.hex() not in (text + repr(report)).lower()
    assert repr(KEY) not in repr(report)


@pytest.mark.parametrize(
    ("line", "key", "code", "stage", "layers"),
    [
        ("ZZ", None, "NOT_A_TELEGRAM", "LINE", []),
        (KAMSTRUP[:-2], None, "TRUNCATED", "LINK", []),
        (KAMSTRUP, None, "KEY_MISSING", "SECURITY", ["link", "extended link", "content"]),
        (KAMSTRUP, bytes(16), "KEY_WRONG", "SECURITY", ["link", "extended link", "content"]),
        (
            ISTA,
            bytes(16),
            "MAC_MISMATCH",
            "SECURITY",
            ["link", "extended link", "authentication", "transport"],
        ),
    ],
)
def test_a_failure_shows_what_where_and_what_was_read_before(registry, line, key, code, stage, layers):
    """Code, stage and message; the layers above the failure are still shown."""
    report = explain(line, registry, key).as_dict()
    assert (report["error"]["code"], report["error"]["stage"]) == (code, stage)
    assert [layer["name"] for layer in report["layers"]] == layers


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ("", "it has no records"),
        ("2F2F2F", "it has no records"),
        ("0F112233", "it has only 3 bytes of manufacturer data, which the driver generic does not read"),
        ("0C13FFFFFFFF 426CFFFF", "its records (2) are marked as having none"),
        ("01FD1700 0CFD1012345678", "its records (2) are none that the driver generic publishes"),
    ],
)
def test_a_telegram_without_values_says_why(registry, records, reason):
    """It was decoded, it is no error, and the report says what it holds in place of values."""
    body = bytes.fromhex("445A69785634120107" + "7A11000000" + records)
    report = explain((bytes((len(body),)) + body).hex(), registry).as_dict()
    assert report["error"] is None
    assert report["no_values"] == f"The telegram holds no values: {reason}."


def test_a_clock_is_no_value_of_a_meter(registry):
    """A telegram that holds nothing but the meter's clock is reported as one; one with a total is not."""
    head = "445A69785634120107" + "7A11000000"
    for records, expected in (
        ("046D0A0FDE2B 02FD170000", "The telegram holds no values but the meter's clock."),
        ("046D0A0FDE2B 0C1345230100", None),
    ):
        body = bytes.fromhex(head + records)
        assert explain((bytes((len(body),)) + body).hex(), registry).as_dict()["no_values"] == expected


def test_the_report_says_what_proved_the_telegram_whole(registry):
    """The payload checksum of the counter mode; a gateway that checked the link checksums; nothing."""
    line = f"T1;1;1;2026-07-14 08:15:42.000;97;148;00000000;0x{PRIOS}"
    assert explain(KAMSTRUP, registry, KEY).as_dict()["integrity"] == "PAYLOAD_CHECKSUM"
    assert explain(line, registry).as_dict()["integrity"] == "LINK_CHECKSUM"
    assert explain(PRIOS, registry).as_dict()["integrity"] == "NOTHING"

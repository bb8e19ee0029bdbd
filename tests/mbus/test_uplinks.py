"""core.mbus.lines: telegrams that a bridge sends on through a LoRaWAN network, as its server writes them."""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.lines import parse_line

PRIOS = bytes.fromhex("1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD")
AT = datetime(2026, 7, 14, 8, 15, 42, 123456, tzinfo=UTC)
BASE64 = base64.b64encode(PRIOS).decode()


def chirpstack(**changed: Any) -> dict[str, Any]:
    """An uplink event of ChirpStack v4."""
    return {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "time": "2026-07-14T08:15:42.123456789+00:00",
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "applicationName": "meters",
            "deviceName": "bridge 3",
            "devEui": "0101010101010101",
        },
        "devAddr": "00189440",
        "adr": True,
        "dr": 5,
        "fCnt": 4,
        "fPort": 101,
        "confirmed": False,
        "data": BASE64,
        "rxInfo": [
            {
                "gatewayId": "0016c001f153a14c",
                "uplinkId": 4217106255,
                "nsTime": "2026-07-14T08:15:42.100000000+00:00",
                "rssi": -36,
                "snr": 10.5,
            }
        ],
        "txInfo": {"frequency": 868100000},
        **changed,
    }


def things_stack(**changed: Any) -> dict[str, Any]:
    """An uplink message of The Things Stack v3; `changed` is of its inner message."""
    return {
        "end_device_ids": {
            "device_id": "bridge-3",
            "application_ids": {"application_id": "meters"},
            "dev_eui": "0004A30B001C0530",
        },
        "correlation_ids": ["as:up:01E0"],
        "received_at": "2026-07-14T08:15:43.999999999Z",
        "uplink_message": {
            "f_port": 101,
            "f_cnt": 4,
            "frm_payload": BASE64,
            "rx_metadata": [{"gateway_ids": {"gateway_id": "roof"}, "rssi": -35, "snr": 5}],
            "received_at": "2026-07-14T08:15:42.123456789Z",
            **changed,
        },
    }


@pytest.mark.parametrize("uplink", [chirpstack(), things_stack()], ids=["ChirpStack", "The Things Stack"])
def test_an_uplink_is_the_telegram_of_its_payload(uplink: dict[str, Any]) -> None:
    """The bytes, at the network server's time; the bridge's signal strength is not the meter's."""
    line = parse_line(json.dumps(uplink))
    assert (line.telegram, line.received_at) == (PRIOS, AT)
    assert (line.rssi_dbm, line.crc_kept, line.checked) == (None, None, False)


def test_the_next_best_time_is_taken() -> None:
    """ChirpStack's own time of a receiver, The Things Stack's time of the application server; or none."""
    receivers = [{"gatewayId": "a"}, {"nsTime": "2026-07-14T10:15:42.5+02:00"}]
    line = parse_line(json.dumps(chirpstack(time=None, rxInfo=receivers)))
    assert line.received_at == datetime(2026, 7, 14, 8, 15, 42, 500000, tzinfo=UTC)
    line = parse_line(json.dumps(things_stack(received_at=None)))
    assert line.received_at == datetime(2026, 7, 14, 8, 15, 43, 999999, tzinfo=UTC)
    assert parse_line(json.dumps(chirpstack(time=None, rxInfo=[]))).received_at is None


def test_the_gateway_of_an_older_chirpstack_is_read() -> None:
    """Version 3 has no deviceInfo; its receivers have the time."""
    line = parse_line(
        json.dumps({"devEUI": "AQE=", "fPort": 1, "data": BASE64, "rxInfo": [{"time": AT.isoformat()}]})
    )
    assert (line.telegram, line.received_at) == (PRIOS, AT)


@pytest.mark.parametrize(
    "uplink",
    [
        chirpstack(data=None),
        chirpstack(data=""),
        chirpstack(data="§"),
        chirpstack(data=7),
        chirpstack(data=[BASE64]),
        chirpstack(data=base64.b64encode(b"\x44" * 1025).decode()),
        chirpstack(time="yesterday"),
        things_stack(frm_payload=None),
        things_stack(frm_payload="AAA"),
        things_stack(received_at="2026-13-01T00:00:00Z"),
    ],
    ids=str,
)
def test_an_uplink_without_a_telegram_is_refused(uplink: dict[str, Any]) -> None:
    """Stage LINE, NOT_A_TELEGRAM: a join or status of the bridge, or damage."""
    with pytest.raises(TelegramError) as refused:
        parse_line(json.dumps(uplink))
    assert (refused.value.stage, refused.value.code) == (DecodeStage.LINE, TelegramFault.NOT_A_TELEGRAM)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["data", "time", "rxInfo", "deviceInfo"]), JSON)
def test_whatever_stands_in_a_field_is_read_or_refused(name: str, value: Any) -> None:
    """Nothing but TelegramError is raised."""
    for uplink in (chirpstack(**{name: value}), things_stack(**{name: value}), {"uplink_message": value}):
        with suppress(TelegramError):
            parse_line(json.dumps(uplink))

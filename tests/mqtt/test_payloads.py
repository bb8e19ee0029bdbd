"""What a message's payload says, and how the broker is found."""

import gzip
import json

import pytest
from aiomqtt import Message
from hypothesis import given
from hypothesis import strategies as st

from core.access import SYSTEM, Role
from core.errors import InvalidInput, NotFound
from core.mbus.lines import LONGEST_LINE, is_cut, parse_line
from core.services.portfolio.gateways import broker_viewer, issue_gateway_key
from core.services.portfolio.portfolio import upsert_operator
from core.settings import Settings, SettingsError
from submeter.mqtt import payloads
from submeter.mqtt.address import Broker, claimed_identifier
from submeter.mqtt.client import Inbox
from submeter.mqtt.payloads import lines_of
from submeter.mqtt.source import _filter_of
from submeter.unpacking import zstd
from submeter.work import works_of
from tests.support import factories

HEX = "1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD"
NDJSON = f'{{"telegram":"{HEX}"}}\n{{"telegram":"{HEX}"}}\n'


@pytest.mark.parametrize(
    ("payload", "count"),
    [
        (HEX.encode(), 1),
        (bytes.fromhex(HEX), 1),
        (NDJSON.encode(), 2),
        (gzip.compress(NDJSON.encode()), 2),
        (zstd.compress(NDJSON.encode()), 2),
        (json.dumps({"telegram": HEX, "media": "wäter"}, indent=2).encode(), 1),
        (("\ufeff" + json.dumps({"telegram": HEX}, indent=2).replace("\n", "\r\n")).encode(), 1),
        (b"", 0),
    ],
    ids=["hex", "raw", "NDJSON", "gzip", "zstd", "indented", "indented, Windows", "empty"],
)
def test_every_payload_gives_its_telegrams(payload: bytes, count: int) -> None:
    """Text, raw bytes and packed lines; an object that is printed over several lines is one."""
    lines = lines_of(payload)
    assert [parse_line(line).telegram.hex().upper() for line in lines] == [HEX] * count


def test_what_cannot_be_unpacked_is_kept_as_a_line() -> None:
    """The lines before the damage, then the payload in hexadecimal, cut if it is long."""
    damaged = gzip.compress(NDJSON.encode())[:-6]
    assert lines_of(damaged) == [*NDJSON.split(), damaged.hex()]
    (line,) = lines_of(b"\xff" * LONGEST_LINE)
    assert is_cut(line)


def test_a_bomb_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message is read no further than its bound, and kept as a line."""
    monkeypatch.setattr(payloads, "MOST_CHARACTERS", 100)
    packed = gzip.compress(b"0123456789\n" * 1_000)
    lines = lines_of(packed)
    assert len(lines) <= 12
    assert lines[-1] == packed.hex()


@given(st.binary(max_size=300))
def test_no_payload_is_lost_or_raises(payload: bytes) -> None:
    """Whatever is published: lines, none only if there is nothing but line ends and NULs."""
    assert lines_of(payload) or not payload.strip(b"\0")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker.example.org", ("broker.example.org", 1883, None, None, False)),
        ("mqtts://u:p%40ss@broker:9999/", ("broker", 9999, "u", "p@ss", True)),
        ("mqtt://[::1]:1884", ("::1", 1884, None, None, False)),
    ],
)
def test_the_broker_is_named_by_a_url(url: str, expected: tuple) -> None:
    """Host, port and credentials; the password is in no representation."""
    broker = Broker.of(url)
    assert (broker.host, broker.port, broker.username, broker.password, broker.tls) == expected
    assert "p@ss" not in f"{broker!r} {broker}"
    assert (broker.tls_context is not None) == broker.tls


@pytest.mark.parametrize(
    "url", ["http://broker", "mqtt://", "mqtt://broker:port", "mqtt://broker/topic", "mqtt://broker?x=1"]
)
def test_another_url_is_refused(url: str, tmp_path) -> None:
    """When the worker starts, by the name of the setting."""
    settings = Settings(tmp_path, "sqlite:///none", "s" * 32, mqtt_url=url)
    with pytest.raises(SettingsError, match="SUBMETER_MQTT_URL"):
        works_of(settings, poll_s=1)


def test_a_worker_without_ingest_has_no_broker(tmp_path) -> None:
    """SUBMETER_WITHOUT=ingest leaves the broker to others; without a URL there is none."""
    url = {"mqtt_url": "mqtt://broker"}
    for more, names in (({}, set()), (url, {"ingest"}), ({**url, "without": frozenset({"ingest"})}, set())):
        settings = Settings(tmp_path, "sqlite:///none", "s" * 32, **more)
        assert {work.name for work in works_of(settings, poll_s=1)} - {"jobs"} == names


def test_each_process_has_an_identifier_that_the_next_inherits(tmp_path) -> None:
    """The lowest number that is free."""
    settings = Settings(tmp_path, "sqlite:///none", "s" * 32, mqtt_client_id="east")
    with claimed_identifier(settings) as first:
        with claimed_identifier(settings) as second:
            assert (first, second) == ("east-1", "east-2")
        with claimed_identifier(settings) as third:
            assert third == "east-2"


async def test_the_broker_is_the_operators_own(application, now) -> None:
    """All meters with one operator; with several it has to be named whose it is, and only that gateway's."""
    await upsert_operator(SYSTEM, code=factories.OPERATOR, name="OCEA")
    assert await broker_viewer("") == await broker_viewer("SYSTEM") == SYSTEM
    await upsert_operator(SYSTEM, code="ista", name="ista")
    with pytest.raises(InvalidInput):
        await broker_viewer("")
    for unknown in ("ista/roof", "nobody/roof", "roof"):
        with pytest.raises(NotFound):
            await broker_viewer(unknown)
    await issue_gateway_key(SYSTEM, operator_code="ista", name="roof/east", now=now)
    viewer = await broker_viewer("ista/roof/east")
    assert (viewer.role, viewer.gateway_id is not None, viewer.operator_id is not None) == (
        Role.GATEWAY,
        True,
        True,
    )


async def test_messages_of_qos_0_are_bounded_and_others_are_not(caplog) -> None:
    """The broker bounds what it must have acknowledged; the rest is dropped beyond, and reported once."""

    def message(qos: int) -> Message:
        return Message("a", b"", qos, False, 1, None)

    inbox = Inbox(2)
    for qos in (0, 0, 0, 0, 1, 1):
        inbox.put_nowait(message(qos))
    assert [one.qos for one in inbox.taken()] == [0, 0, 1, 1]
    assert caplog.text.count("QoS 0") == 1
    assert not inbox.arrived.is_set()


def test_dead_letters_name_the_filter() -> None:
    """The first filter that a topic fits."""
    filters = ("wmbusmeters/#", "submeter/v1/+/lines")
    assert _filter_of("submeter/v1/roof/lines", filters) == "submeter/v1/+/lines"
    assert _filter_of("wmbusmeters/a/b", filters) == "wmbusmeters/#"

"""Workers on a shared subscription of a real Mosquitto: nothing is lost, nothing counts twice."""

import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.services.places.key_encryption import KeyEncryption
from core.services.shared.transaction import current_database
from submeter.simulator import prios
from tests.support import factories

SERIAL = "H18CA029620"
WIRE = prios.wire_address(SERIAL)
ADDRESS = f"SAP-{WIRE[5:1:-1].hex().upper()}-{WIRE[6]:02X}-{WIRE[7]:02X}"
START = datetime(2026, 10, 1, tzinfo=UTC)
READINGS = 400


def line(number: int) -> str:
    """Reading `number`, an hour after the one before, as rtl_wmbus writes it."""
    state = prios.PriosState(litres=number, month_end_litres=0, month_end=START.date())
    at = START + timedelta(hours=number)
    return f"T1;1;1;{at:%Y-%m-%d %H:%M:%S}.000;97;148;0;0x{prios.encrypt(WIRE, state).hex()}"


async def stored() -> list[int]:
    rows = await current_database().execute_query_dict("SELECT index_value FROM reading ORDER BY read_at")
    return [row["index_value"] for row in rows]


async def at_least(count: int) -> bool:
    return len(await stored()) >= count


async def dead_letters() -> list[str]:
    rows = await current_database().execute_query_dict("SELECT line FROM dead_letter ORDER BY line")
    return [row["line"] for row in rows]


@pytest.fixture
async def meter(application: Any, key_encryption: KeyEncryption) -> None:
    await factories.residence(key_encryption, factories.meter(ADDRESS))


async def test_two_workers_one_of_them_killed(application, meter, broker, workers, until) -> None:
    """Two processes split the stream; one is killed in the middle and started again: each line once."""
    first = workers.start()
    workers.wait_for(first, "as test-1")
    workers.wait_for(workers.start(), "as test-2")
    async with broker.publisher() as client:
        for number in range(READINGS // 2):
            await client.publish("wmbusmeters/roof", line(number), qos=1)
        await until(lambda: at_least(20))
        first.send_signal(signal.SIGKILL)
        first.wait()
        for number in range(READINGS // 2, READINGS):
            await client.publish("submeter/v1/roof/lines", f"{line(number)}\n{line(number - 1)}\n", qos=1)
        await client.publish("rtl_433/roof/events", "noise", qos=1)
    workers.wait_for(workers.start(), "as test-1")
    await until(lambda: at_least(READINGS))
    await until(dead_letters)
    assert await stored() == list(range(READINGS))
    assert await dead_letters() == ["noise"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what the broker holds is promised
async def test_a_worker_that_is_stopped_returns_what_it_has_not_begun(
    application, meter, broker, workers, until
) -> None:
    """SIGTERM: exit status 0; the session holds what comes meanwhile, and the next worker takes it in."""
    worker = workers.start()
    workers.wait_for(worker, "Connected")
    await broker.publish("wmbusmeters/roof", [line(0)])
    await until(lambda: at_least(1))
    worker.send_signal(signal.SIGTERM)
    worker.communicate()
    assert worker.returncode == 0
    await broker.publish("wmbusmeters/roof", [line(1), line(2)])
    workers.wait_for(workers.start(), "Connected")
    await until(lambda: at_least(3))
    assert await stored() == [0, 1, 2]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # as above
async def test_a_broker_that_is_away_is_waited_for(application, meter, broker, workers, until) -> None:
    """One line about it, no stack trace; once it is back, the same worker goes on."""
    worker = workers.start()
    workers.wait_for(worker, "Connected")
    broker.stop()
    lines = workers.wait_for(worker, "is away")
    broker.start()
    lines += workers.wait_for(worker, "Connected")
    assert len([text for text in lines if "is away" in text]) <= 2  # the end, and the refusal to connect
    assert not any("Traceback" in text for text in lines)
    await broker.publish("wmbusmeters/roof", [line(0)])
    await until(lambda: at_least(1))

"""Replay protection: the counter of authenticated messages shows that an old one is sent again."""

from datetime import UTC, datetime, timedelta

import pytest

from core.access import SYSTEM
from core.consumption.fluids import Fluid
from core.errors import NotFound
from core.services.portfolio.descriptions import DwellingSpec
from core.services.portfolio.portfolio import upsert_meter
from core.services.telegrams.pipeline import replay, take_in
from core.services.telegrams.replay_protection import restart_counter
from submeter.simulator import encryption
from submeter.simulator.records import bcd, full
from tests.services.conftest import received_line
from tests.support import factories

AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def registered(heat_meter, key=None):
    return factories.meter(
        heat_meter.address,
        fluid=Fluid.HEAT,
        vendor="ista",
        printed_serial=heat_meter.demo.printed_serial,
        key=key or heat_meter.key,
    )


def message(heat_meter, counter, at, *, key=None, watt_hours=None):
    records = (bcd("0C05", counter if watt_hours is None else watt_hours // 100),)
    wire = heat_meter.demo.wire_address
    telegram = encryption.mode7(wire, key or heat_meter.key, full(records), access=1, counter=counter)
    return received_line(telegram, at)


async def taken(application, *lines, now):
    summary = await take_in(application, SYSTEM, lines, source="test", now=now)
    return summary.stored, summary.duplicates, dict(summary.unusable)


REPLAYED = {"COUNTER_NOT_RISEN": 1}


@pytest.mark.parametrize("together", [True, False])
async def test_an_old_message_sent_again_is_no_reading(
    application, key_encryption, now, heat_meter, together
) -> None:
    """It is a dead letter with its reason, in the batch of the newer one or later."""
    await factories.residence(key_encryption, registered(heat_meter))
    lines = [
        message(heat_meter, 10, AT),
        message(heat_meter, 20, AT + 10 * HOUR),
        message(heat_meter, 10, AT + 20 * HOUR),
    ]
    for batch in [lines] if together else [[line] for line in lines]:
        outcome = await taken(application, *batch, now=now)
    assert outcome[2] == REPLAYED


async def test_the_newest_message_counts_once(application, key_encryption, now, heat_meter) -> None:
    """Within the difference of two gateways' clocks it may be received again; later it is a replay."""
    await factories.residence(key_encryption, registered(heat_meter))
    lines = [message(heat_meter, 10, AT), message(heat_meter, 10, AT + timedelta(minutes=2))]
    assert await taken(application, *lines, now=now) == (1, 1, {})
    assert (await taken(application, message(heat_meter, 10, AT + 3 * HOUR), now=now))[2] == REPLAYED


async def test_late_messages_are_stored(application, key_encryption, now, heat_meter) -> None:
    """Days late and in any order, with their own times."""
    await factories.residence(key_encryption, registered(heat_meter))
    await taken(application, message(heat_meter, 50, AT + 40 * HOUR), now=now)
    late = [message(heat_meter, counter, AT + counter * HOUR) for counter in (30, 10, 20)]
    assert await taken(application, *late, now=now) == (3, 0, {})
    assert await taken(application, *late, now=now) == (0, 3, {})


async def test_a_new_key_begins_the_count_anew(application, key_encryption, now, heat_meter) -> None:
    """The radio has another key, and its counter starts at one."""
    key = bytes(range(16))
    await factories.residence(key_encryption, registered(heat_meter))
    await taken(application, message(heat_meter, 5000, AT), now=now)
    await upsert_meter(
        SYSTEM,
        residence_code="AA000",
        operator_code=factories.OPERATOR,
        dwelling=DwellingSpec(number="12", building="A", staircase="1", floor="2", lot="104"),
        meter=registered(heat_meter, key),
        key_encryption=key_encryption,
        now=now,
    )
    fresh = message(heat_meter, 1, AT + 5 * HOUR, key=key, watt_hours=600_000)
    assert await taken(application, fresh, now=now) == (1, 0, {})


async def test_a_reset_radios_counter_is_reset_by_hand(application, key_encryption, now, heat_meter) -> None:
    """The dead letters since then are stored by the next replay."""
    await factories.residence(key_encryption, registered(heat_meter))
    await taken(application, message(heat_meter, 5000, AT), now=now)
    fresh = message(heat_meter, 1, AT + 5 * HOUR, watt_hours=600_000)
    assert (await taken(application, fresh, now=now))[2] == REPLAYED
    assert (await replay(application, SYSTEM, now=now)).stored == 0
    await restart_counter(SYSTEM, radio_address=heat_meter.address.lower())
    assert (await replay(application, SYSTEM, now=now)).stored == 1
    with pytest.raises(NotFound):
        await restart_counter(SYSTEM, radio_address="ZRK-11223344-05-07")

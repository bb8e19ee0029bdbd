"""Decisions of the operator about readings: each can be taken back, and leaves no trace in any figure."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from core.access import SYSTEM
from core.alerting.over_consumption import LimitPeriod
from core.consumption.fluids import Fluid
from core.consumption.plausibility import Doubt
from core.models import Account, Alert, DoubtfulReading, MessageState, OutboxMessage
from core.services.alerts.consumption_limits import set_limit
from core.services.portfolio.meter_aliases import add_alias
from core.services.shared.transaction import current_database
from core.services.telegrams.corrections import (
    accept_reading,
    list_doubtful_readings,
    withdraw_reading,
)
from core.services.telegrams.pipeline import take_in
from tests.support import factories

START = datetime(2026, 11, 20, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = START + timedelta(days=2)


@pytest.fixture
async def meter(application, key_encryption, izar):
    """Six hours of 10 litres each from 300 m3 on, and at the fourth a second index of 4,300 m3."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = [izar.line(300_000 + 10 * hour, START + hour * HOUR) for hour in range(7)]
    await take(application, [*lines, izar.line(4_300_000, START + 4 * HOUR)])
    return izar


async def take(application, lines):
    return await take_in(application, SYSTEM, lines, source="test", now=NOW)


async def state():
    """All figures, and which readings are doubtful and why; withdrawn ones aside, and what proved each."""
    statements = (
        "SELECT meter_id, read_at, index_value FROM reading ORDER BY read_at",
        "SELECT * FROM daily_volume ORDER BY day",
        (
            "SELECT read_at, index_value, doubt, decided FROM doubtful_reading"
            " WHERE doubt <> 'WITHDRAWN' ORDER BY read_at, index_value"
        ),
    )
    database = current_database()
    return [
        [tuple(map(str, row.values())) for row in await database.execute_query_dict(one)]
        for one in statements
    ]


async def test_a_wrong_acceptance_is_taken_back_by_a_withdrawal(application, meter) -> None:
    """Accepted, the false index makes the true readings after it doubtful; withdrawn, these count again."""
    before = await state()
    (false,) = await DoubtfulReading.all()
    await accept_reading(application, SYSTEM, false.id, now=NOW)
    assert {row.doubt for row in await DoubtfulReading.all()} == {
        Doubt.CONFLICTING_READING,
        Doubt.FALL_UNEXPLAINED,
    }
    await withdraw_reading(application, SYSTEM, meter.address, START + 4 * HOUR, index=4_300_000, now=NOW)
    figures, doubtful = (await state())[:2], await DoubtfulReading.all()
    assert figures == before[:2]
    assert [(row.index_value, row.doubt) for row in doubtful] == [(4_300_000, Doubt.WITHDRAWN)]


async def test_an_outlier_counts_once_what_contradicted_it_is_withdrawn(application, meter) -> None:
    """Five false readings were taken for a register set anew; with them withdrawn, the true one counts."""
    false = [START + (7 + hour) * HOUR for hour in range(5)]
    await take(application, [meter.line(5_000_000 + hour, at) for hour, at in enumerate(false)])
    await take(application, [meter.line(300_070, false[0] + HOUR / 2)])
    assert (await DoubtfulReading.get(index_value=300_070)).decided
    for at in false:
        await withdraw_reading(application, SYSTEM, meter.address, at, now=NOW)
    readings, days, doubtful = await state()
    assert [int(index) for _, _, index in readings] == [300_000 + 10 * number for number in range(8)]
    assert [row[2] for row in days] == ["70"]
    assert [(index, doubt) for _, index, doubt, _ in doubtful] == [("4300000", "CONFLICTING_READING")]


async def test_each_decision_is_undone_by_the_opposite(application, meter, izar) -> None:
    """Every reading withdrawn and accepted again, in any order, one or several: all is as before."""
    before = await state()
    pick = random.Random(3)
    moments = [START + hour * HOUR for hour in range(7)]
    for count in (1, 1, 2, 3, 7):
        for moment in pick.sample(moments, count):
            index = 300_000 + 10 * int((moment - START) / HOUR)
            await withdraw_reading(application, SYSTEM, izar.address, moment, index=index, now=NOW)
        withdrawn = [row.id for row in await DoubtfulReading.filter(doubt=Doubt.WITHDRAWN)]
        assert len(withdrawn) == count
        for number in pick.sample(withdrawn, count):
            await accept_reading(application, SYSTEM, number, now=NOW)
        assert await state() == before


async def test_a_meter_is_corrected_by_its_alias(application, meter) -> None:
    """Listed and withdrawn by either address."""
    alias = "SAP-99999999-0C-04"
    await add_alias(SYSTEM, meter_address=meter.address, alias=alias, now=NOW)
    assert len((await list_doubtful_readings(SYSTEM, radio_address=alias)).items) == 1
    changed = await withdraw_reading(application, SYSTEM, alias, START, now=NOW)
    assert not changed.counts
    assert (await list_doubtful_readings(SYSTEM, radio_address=meter.address)).items[0].index == 300_000


@pytest.mark.parametrize("sent", [True, False])
async def test_a_limit_that_is_truly_passed_later_is_notified_again(
    application, meter, resident, sent
) -> None:
    """A false reading passed the day's limit and is withdrawn; the day's true consumption passes it too."""
    viewer = await resident()
    await set_limit(viewer, 1, Fluid.COLD_WATER, LimitPeriod.DAY, 500, now=START)
    await Account.all().update(over_consumption_by_email=True)
    at = START + 9 * HOUR
    first = await take(application, [meter.line(301_000, at)])
    assert (first.alerts, first.messages) == (1, 1)
    if sent:
        await OutboxMessage.filter(template="own_limit").update(state=MessageState.SENT)
    changed = await withdraw_reading(application, SYSTEM, meter.address, at, now=NOW)
    assert (changed.alerts, changed.messages) == (1, 1 if sent else 0)
    assert await Alert.filter(own_limit=LimitPeriod.DAY).count() == 0
    true = [meter.line(300_000 + 60 * hour, START + hour * HOUR) for hour in range(10, 13)]
    last = await take(application, true)
    assert (last.alerts, last.messages) == (1, 1)
    waiting = await OutboxMessage.filter(template="own_limit", state=MessageState.PENDING)
    assert [row.values["amount"] for row in waiting] == [720]

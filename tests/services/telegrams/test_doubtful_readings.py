"""Readings that no meter could show: stored, in no figure, decided by later readings or by the operator."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from core.access import SYSTEM, Act, Role, Viewer
from core.consumption.plausibility import Doubt, Evidence
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.models import Alert, AlertKind, AuditRecord, DoubtfulReading, MessageState, OutboxMessage
from core.services.portfolio.portfolio import upsert_operator
from core.services.shared.transaction import current_database
from core.services.telegrams.corrections import (
    ReadingStatus,
    accept_reading,
    list_doubtful_readings,
    withdraw_reading,
)
from core.services.telegrams.pipeline import take_in
from tests.support import factories

START = datetime(2026, 11, 20, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIGURES = ("reading", "daily_volume")


@pytest.fixture
async def home(application, key_encryption, izar):
    """A home with one PRIOS meter, of which nothing but its plausibility proves a telegram."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    return izar


def bare(meter, litres, at, *, flipped=None):
    """A line that no gateway vouches for; with a bit of its index flipped on the way."""
    telegram = bytearray(meter.telegram(litres))
    if flipped is not None:
        telegram[16 + flipped // 8] ^= 1 << flipped % 8
    return json.dumps({"telegram": telegram.hex(), "timestamp": at.isoformat()})


async def take(application, lines, now=START + timedelta(days=2)):
    return await take_in(application, SYSTEM, lines, source="test", now=now)


async def figures():
    """Everything that is computed from readings, and which readings are doubtful."""
    doubtful = "SELECT meter_id, read_at, index_value, evidence, doubt, decided FROM doubtful_reading"
    alerts = "SELECT kind, started_on, ended_on, amount FROM alert"
    statements = [*(f"SELECT * FROM {name}" for name in FIGURES), doubtful, alerts]
    return [
        sorted(tuple(map(str, row.values())) for row in await current_database().execute_query_dict(one))
        for one in statements
    ]


async def days():
    rows = await current_database().execute_query_dict("SELECT day, amount FROM daily_volume ORDER BY day")
    return {row["day"]: row["amount"] for row in rows}


@pytest.mark.parametrize("bit", [4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 26])
async def test_one_flipped_bit_is_no_consumption(application, home, bit) -> None:
    """Three bare PRIOS lines, the middle one damaged: the day is 20 L, nobody is notified, it is stored."""
    lines = [
        bare(home, 300_000, START),
        bare(home, 300_010, START + HOUR, flipped=bit),
        bare(home, 300_020, START + 2 * HOUR),
    ]
    summary = await take(application, lines)
    assert (summary.stored, summary.doubtful, summary.alerts, summary.messages) == (3, 1, 0, 0)
    assert await days() == {20261120: 20}


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("together", [True, False])
async def test_a_false_line_does_not_keep_out_the_true_one_of_its_moment(
    application, home, first, together
) -> None:
    """Whichever comes first: with a link checksum the true one counts, the bare one is doubtful."""
    await take(application, [bare(home, 300_000, START - HOUR), bare(home, 300_002, START)])
    both = [bare(home, 300_007, START + HOUR, flipped=5), home.line(300_007, START + HOUR)]
    both = [both[first], both[1 - first]]
    for batch in [both] if together else [[line] for line in both]:
        await take(application, batch)
    await take(application, [bare(home, 300_009, START + 2 * HOUR)])
    (doubtful,) = await DoubtfulReading.all()
    assert (doubtful.index_value, doubtful.doubt) == (300_007 ^ 32, Doubt.CONFLICTING_READING)
    assert await days() == {20261120: 9}


async def test_neither_order_nor_batches_nor_repetition_matter(application, home, forget) -> None:
    """True lines, damaged ones and a conflict, in twelve orders and cuts: the same tables."""
    pick = random.Random(11)
    lines, litres = [], 300_000
    for hour in range(20):
        litres += pick.randrange(12)
        lines.append(bare(home, litres, START + hour * HOUR))
        if hour % 4 == 1:
            lines.append(bare(home, litres, START + hour * HOUR + HOUR / 3, flipped=pick.randrange(4, 32)))
        if hour % 7 == 3:
            lines.append(bare(home, litres, START + hour * HOUR, flipped=pick.randrange(4, 32)))
    await take(application, lines)
    expected = await figures()
    assert len(expected[2]) == 6
    for _ in range(12):
        await forget()
        shuffled = pick.sample([*lines, *lines[:5]], len(lines) + 5)
        while shuffled:
            size = pick.randrange(1, 9)
            await take(application, shuffled[:size])
            shuffled = shuffled[size:]
        assert await figures() == expected


async def test_a_register_set_anew_counts_without_the_step(application, home) -> None:
    """From 300 m3 to 5,000 m3 and on: doubtful until three agree; the 4,700 m3 are nobody's consumption."""
    lines = [home.line(300_000 + 10 * hour, START + hour * HOUR) for hour in range(4)]
    lines += [home.line(5_000_000 + 10 * hour, START + (4 + hour) * HOUR) for hour in range(3)]
    summary = await take(application, lines[:6])
    assert (summary.doubtful, await days()) == (2, {20261120: 30})
    assert (await take(application, lines[6:])).doubtful == 0
    assert (await DoubtfulReading.all(), await days()) == ([], {20261120: 50})


async def test_a_register_set_anew_a_dozen_readings_ago_is_not_judged_by_those_alone(
    application, home, forget
) -> None:
    """Three readings of the old register, eleven of the new one, a false one: whether they come at once or
    one by one, only the false one is doubtful, though just one old reading is among the twelve before it.
    """
    litres = [300_000, 300_010, 300_020, *range(5_000_000, 5_000_110, 10), 5_500_000]
    lines = [home.line(index, START + hour * HOUR) for hour, index in enumerate(litres)]
    await take(application, lines)
    at_once = await figures()
    assert [row.index_value for row in await DoubtfulReading.all()] == [5_500_000]
    await forget()
    for line in lines:
        await take(application, [line])
    assert await figures() == at_once


async def test_a_late_second_reading_speaks_for_the_first(application, home, forget) -> None:
    """The first reading, then seven of a register set anew: it is an outlier until a late one agrees with it.
    Then both count, as they do if they come in order.
    """
    litres = [300_000, 300_010, *range(5_000_000, 5_000_070, 10)]
    lines = [home.line(index, START + hour * HOUR) for hour, index in enumerate(litres)]
    await take(application, lines)
    in_order = await figures()
    assert not await DoubtfulReading.exists()
    await forget()
    await take(application, [lines[0], *lines[2:]])
    assert [(row.index_value, row.decided) for row in await DoubtfulReading.all()] == [(300_000, True)]
    await take(application, [lines[1]])
    assert await figures() == in_order


async def test_three_that_agree_are_outliers_once_the_old_register_goes_on(application, home) -> None:
    """They had been confirmed; with the next reading of the old series they are taken out again."""
    lines = [home.line(300_000 + 10 * hour, START + hour * HOUR) for hour in range(4)]
    lines += [home.line(5_000_000 + 10 * hour, START + (4 + hour) * HOUR) for hour in range(3)]
    await take(application, lines)
    after = [home.line(300_070 + 10 * hour, START + (7 + hour) * HOUR) for hour in range(3)]
    await take(application, after)
    assert await days() == {20261120: 90}
    assert [(row.doubt, row.decided) for row in await DoubtfulReading.all()] == [
        (Doubt.RISE_TOO_FAST, True)
    ] * 3


async def test_an_index_beyond_the_register_is_refused(application, home) -> None:
    """100,000 m3 on a register of five digits: INDEX_OUT_OF_RANGE, a dead letter."""
    summary = await take(application, [home.line(100_000_000, START), home.line(99_999_999, START + HOUR)])
    assert (summary.stored, summary.unusable) == (1, {"INDEX_OUT_OF_RANGE": 1})


async def test_what_proved_a_telegram_is_known_with_each_reading(application, home) -> None:
    """A bare line proves nothing, a receiver's line that it was checked; the better proof holds."""
    await take(application, [bare(home, 300_000, START), home.line(300_004, START + HOUR)])
    assert await _evidence() == [Evidence.NOTHING, Evidence.GATEWAY_CHECK]
    again = [home.line(300_000, START), bare(home, 300_004, START + HOUR)]
    assert (await take(application, again)).duplicates == 2
    assert await _evidence() == [Evidence.GATEWAY_CHECK] * 2


async def _evidence():
    rows = await current_database().execute_query_dict("SELECT evidence FROM reading ORDER BY read_at")
    return [Evidence(row["evidence"]) for row in rows]


async def test_a_bare_line_alone_waits_for_one_that_agrees(application, home) -> None:
    """One bare telegram is NOT_CONFIRMED and shows no figure; a second that agrees makes both count."""
    await take(application, [bare(home, 300_000, START)])
    assert [row.doubt for row in await DoubtfulReading.all()] == [Doubt.NOT_CONFIRMED]
    await take(application, [bare(home, 300_004, START + HOUR)])
    assert (await DoubtfulReading.all(), await days()) == ([], {20261120: 4})


async def test_a_wrong_alert_is_taken_back(application, home, resident) -> None:
    """A rise of 1 m3 an hour, checked by a gateway, is a burst and is notified; withdrawn by the operator,
    alert and volume are gone and everybody who was notified gets a correction; accepted again, they are back.
    """
    await resident()
    lines = [home.line(300_000 + 10 * hour, START + hour * HOUR) for hour in range(3)]
    burst = home.line(302_100, START + 4 * HOUR)
    now = START + 5 * HOUR
    await take(application, [*lines, burst], now)
    assert [row.kind for row in await Alert.all()] == [AlertKind.BURST]
    await OutboxMessage.filter(template="burst_opened").update(state=MessageState.SENT)
    changed = await withdraw_reading(
        application, SYSTEM, home.address, START + 4 * HOUR, reason="wrong meter", now=now
    )
    assert (await Alert.all(), await days()) == ([], {20261120: 20})
    assert (changed.counts, changed.messages > 0) == (False, True)
    assert {row.template for row in await OutboxMessage.filter(state=MessageState.PENDING)} == {
        "alert_withdrawn"
    }
    page = await list_doubtful_readings(SYSTEM)
    (view,) = page.items
    assert (view.doubt, view.status, view.index_before) == (Doubt.WITHDRAWN, ReadingStatus.WITHDRAWN, 300_020)
    assert (await take(application, [burst], now)).duplicates == 1, "received again, it remains withdrawn"
    back = await accept_reading(application, SYSTEM, view.id, now=now)
    assert (back.counts, await days()) == (True, {20261120: 2100})
    acts = [(row.act, row.details["index"]) for row in await AuditRecord.filter(subject="meter")]
    assert acts == [(Act.READING_WITHDRAWN, 302_100), (Act.READING_ACCEPTED, 302_100)]


async def test_an_outlier_of_many_can_be_accepted(application, home) -> None:
    """The operator knows better: an accepted reading counts, without a volume across its impossible steps."""
    lines = [home.line(300_000 + 10 * hour, START + hour * HOUR) for hour in range(4)]
    await take(application, [*lines, home.line(5_000_000, START + 4 * HOUR)])
    (view,) = (await list_doubtful_readings(SYSTEM, status=ReadingStatus.WAITING)).items
    assert (await accept_reading(application, SYSTEM, view.id, now=START + 5 * HOUR)).counts
    assert await days() == {20261120: 30}
    assert (await take(application, [home.line(300_050, START + 5 * HOUR)])).doubtful == 1
    assert (await _evidence())[-1] is Evidence.ACCEPTED


async def test_staff_reach_their_own_operators_meters_only(application, home) -> None:
    """Another operator's staff find no such reading, and a resident may not look at all."""
    await take(application, [bare(home, 300_000, START)])
    (view,) = (await list_doubtful_readings(SYSTEM)).items
    other = Viewer(
        role=Role.STAFF, account_id=1, operator_id=await upsert_operator(SYSTEM, code="other", name="Other")
    )
    assert (await list_doubtful_readings(other)).items == []
    with pytest.raises(NotFound):
        await accept_reading(application, other, view.id, now=START)
    with pytest.raises(NotFound):
        await withdraw_reading(application, other, home.address, START, now=START)
    for role in (Role.RESIDENT, Role.MANAGER, Role.GATEWAY):
        with pytest.raises(Forbidden):
            await list_doubtful_readings(Viewer(role=role))


async def test_what_cannot_be_corrected_is_refused(application, home) -> None:
    """An unknown reading or meter, several indexes of one moment, a reason too long for the audit."""
    two = [bare(home, 300_000, START), bare(home, 300_000, START, flipped=3)]
    await take(application, two)
    with pytest.raises(Conflict, match="300000"):
        await withdraw_reading(application, SYSTEM, home.address, START, now=START)
    with pytest.raises(InvalidInput):
        await withdraw_reading(
            application, SYSTEM, home.address, START, index=300_000, reason="x" * 201, now=START
        )
    with pytest.raises(NotFound):
        await withdraw_reading(application, SYSTEM, home.address, START + HOUR, now=START)
    with pytest.raises(NotFound):
        await withdraw_reading(application, SYSTEM, "KAM-00000000-1B-16", START, now=START)
    with pytest.raises(NotFound):
        await accept_reading(application, SYSTEM, 10**9, now=START)
    await withdraw_reading(application, SYSTEM, home.address, START, index=300_000, now=START)

"""States of meters in telegrams that nothing proves: a damaged one raises no alert and ends none."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from core.access import SYSTEM
from core.models import Alert, AlertKind, OutboxMessage
from core.services.shared.transaction import current_database
from core.services.telegrams.corrections import withdraw_reading
from core.services.telegrams.pipeline import take_in
from tests.support import factories

HOUR = timedelta(hours=1)
START = datetime(2026, 11, 20, 8, tzinfo=UTC)
TODAY = date(2026, 11, 20)
TAMPERED = 1 << 3
WAS_SHOWN = [(AlertKind.TAMPER, TODAY, None)]
IS_OVER = [(AlertKind.TAMPER, TODAY, TODAY)]


@pytest.fixture
async def home(application, key_encryption, izar):
    """A home with one PRIOS meter, of which nothing but its plausibility proves a telegram."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    return izar


def bare(meter, hour, complaints=0, *, litres=None):
    """The line of an hour, 10 L after the one before, that no gateway vouches for."""
    telegram = meter.telegram(1000 + 10 * hour if litres is None else litres, complaints=complaints)
    return json.dumps({"telegram": telegram.hex(), "timestamp": (START + hour * HOUR).isoformat()})


def checked(meter, hour, complaints=0):
    return meter.line(1000 + 10 * hour, START + hour * HOUR, complaints=complaints)


async def take(application, lines):
    return await take_in(application, SYSTEM, lines, source="test", now=START + 12 * HOUR)


async def alerts():
    rows = await Alert.all().order_by("started_on", "id")
    return [(row.kind, row.started_on, row.ended_on) for row in rows]


async def states():
    rows = await current_database().execute_query_dict("SELECT status_bits FROM reading ORDER BY read_at")
    return [row["status_bits"] for row in rows]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("complaints", [1 << bit for bit in range(8)])
async def test_a_state_of_one_bare_telegram_is_no_alert(application, home, together, complaints) -> None:
    """Each bit of the alarm byte, set in the third of five lines: its index is right, and nobody is told."""
    lines = [bare(home, hour, complaints if hour == 2 else 0) for hour in range(5)]
    for part in [lines] if together else [[line] for line in lines]:
        await take(application, part)
    assert (await alerts(), await OutboxMessage.all().count()) == ([], 0)
    assert len(await states()) == 5


@pytest.mark.parametrize("together", [True, False])
async def test_two_bare_telegrams_raise_an_alert_and_two_end_it(application, home, together) -> None:
    """The second one confirms the first, whichever batch they come in; it began with the first."""
    lines = [bare(home, hour, TAMPERED if hour in {2, 3} else 0) for hour in range(6)]
    seen = []
    for part in [lines[:4], lines[4:]] if together else [[line] for line in lines]:
        await take(application, part)
        seen.append(await alerts())
    assert seen == ([WAS_SHOWN, IS_OVER] if together else [[], [], [], WAS_SHOWN, WAS_SHOWN, IS_OVER])
    (alert,) = await Alert.all()
    assert alert.alert_key.endswith(f":{int((START + 2 * HOUR).timestamp())}")


async def test_one_bare_telegram_without_the_state_ends_no_alert(application, home) -> None:
    """The fourth of seven lines denies what those around it report: the alert goes on."""
    for hour in range(7):
        await take(application, [bare(home, hour, 0 if hour in {0, 3} else TAMPERED)])
    assert await alerts() == WAS_SHOWN


async def test_a_bare_state_is_confirmed_by_a_checked_one(application, home) -> None:
    """A telegram that its gateway checked reports by itself, and speaks for the bare one beside it."""
    await take(application, [bare(home, 0), bare(home, 1, TAMPERED)])
    assert await alerts() == []
    await take(application, [checked(home, 2, TAMPERED)])
    assert await alerts() == WAS_SHOWN
    await take(application, [checked(home, 3)])
    assert await alerts() == IS_OVER


async def test_a_withdrawn_reading_confirms_no_state(application, home) -> None:
    """The operator withdraws one of the two that reported it: the alert of the other one is gone."""
    await take(application, [bare(home, hour, TAMPERED if hour in {2, 3} else 0) for hour in range(6)])
    assert await alerts() == IS_OVER
    at = START + 3 * HOUR
    await withdraw_reading(application, SYSTEM, home.address, at, reason="seen", now=START + 12 * HOUR)
    assert await alerts() == []


async def test_a_late_telegram_between_two_that_agreed_takes_the_alert_back(application, home) -> None:
    """Two damaged lines hours apart report the same; what was sent between them comes later and denies it."""
    lines = [bare(home, hour, TAMPERED if hour in {2, 5} else 0) for hour in range(8)]
    await take(application, [lines[0], lines[2], lines[5]])
    assert await alerts() == WAS_SHOWN
    await take(application, [lines[3], lines[4]])
    assert await alerts() == []
    await take(application, [lines[1], lines[6], lines[7]])
    assert (await alerts(), len(await states())) == ([], 8)


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_of_two_states_of_one_reading_what_both_report_counts(application, home, order, apart) -> None:
    """A checked telegram and the same with a state that a damaged line added, in any order: no alert. Whoever
    was told of it before the true one came gets the correction.
    """
    await take(application, [checked(home, 0)])
    lines = [checked(home, 1), checked(home, 1, TAMPERED), checked(home, 2)]
    chosen = [lines[place] for place in order]
    for part in [[line] for line in chosen] if apart else [chosen]:
        await take(application, part)
    assert (await alerts(), await states()) == ([], [0, 0, 0])


async def test_the_better_proved_of_two_states_counts(application, home) -> None:
    """Bare without a state, then checked by a gateway with it: it is the meter's."""
    await take(application, [checked(home, 0), bare(home, 1), checked(home, 2)])
    await take(application, [checked(home, 1, TAMPERED)])
    assert len([state for state in await states() if state]) == 1
    assert await alerts() == IS_OVER

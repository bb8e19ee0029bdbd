"""A resident's own limits by day and month: set, notified once a period, and private."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.access import SYSTEM, Role, Viewer
from core.access.refusals import LimitOutOfRange
from core.alerting.over_consumption import LimitPeriod
from core.consumption.fluids import Fluid
from core.errors import Forbidden, NotFound
from core.models import Account, Alert, ConsumptionLimit, OutboxMessage
from core.services.alerts.consumption_limits import OwnLimit, own_limits, set_limit
from core.services.alerts.manager_alerts import managed_alerts
from core.services.alerts.resident_alerts import active_alerts, past_alerts
from core.services.alerts.workflow import acknowledge
from core.services.places.managed_residences import grant_residence
from core.services.places.meter_cache import MeterDirectory
from core.services.portfolio.descriptions import OccupancySpec
from core.services.telegrams.pipeline import take_in
from tests.support import factories

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2026, 11, 19, 23, tzinfo=UTC)  # midnight in Paris, 20 November begins
COLD, PER_DAY, PER_MONTH = Fluid.COLD_WATER, LimitPeriod.DAY, LimitPeriod.MONTH
MOVE_IN = date(2026, 3, 1)


@pytest.fixture
async def home(application, key_encryption, izar):
    """Claire's home since March, and a predecessor's before."""
    await factories.account(email="old@example.org", first_name="Odile")
    old = OccupancySpec(date(2020, 1, 1), MOVE_IN, email="old@example.org")
    await factories.residence(key_encryption, factories.meter(izar.address), move_in=MOVE_IN, predecessor=old)
    return izar


async def take(application, lines, now):
    return await take_in(application, SYSTEM, lines, source="test", now=now)


async def reported():
    return [row.values for row in await OutboxMessage.filter(template="own_limit").order_by("id")]


@pytest.mark.requirement("R-197", "C-30")
async def test_a_day_over_the_limit_is_notified_once_as_soon_as_it_passes(
    application, home, resident
) -> None:
    """130 litres do not exceed 130; 140 are notified, once a day; the next day counts anew."""
    await Account.all().update(leak_by_email=False, leak_by_sms=False)  # ten litres an hour are a leak too
    await set_limit(await resident(), 1, COLD, PER_DAY, 130, now=START)
    lines = home.hourly(START, [10] * 48)
    await take(application, lines[:14], START + 13 * HOUR)
    assert await reported() == []
    summary = await take(application, lines[:15], START + 14 * HOUR)
    assert (summary.alerts, summary.messages) == (1, 1)
    assert (await take(application, lines[:24], START + DAY)).messages == 0
    assert (await take(application, lines, START + 2 * DAY)).messages == 1
    first, second = await reported()
    assert (first["amount"], first["limit"], first["started_on"]) == (140, 130, "2026-11-20")
    assert second["started_on"] == "2026-11-21"
    assert [row.amount for row in await Alert.filter(own_limit=PER_DAY).order_by("started_on")] == [
        240,
        240,
    ]


async def test_a_limit_that_is_set_while_a_batch_waits_is_judged_by_it(
    application, home, resident, monkeypatch
) -> None:
    """Another worker's batch holds the dwelling meanwhile: what is asked of limits before is not enough for a
    reading that comes late, after which there may be no other one of its day.
    """
    lines = home.hourly(START, [10] * 24)
    await take(application, lines[:9] + lines[10:], START + DAY)
    claire, check = await resident(), MeterDirectory.check

    async def checked(directory, connection):
        found = await check(directory, connection)
        await ConsumptionLimit.create(
            account_id=claire.account_id,
            dwelling_id=1,
            fluid=COLD,
            period=PER_DAY,
            amount=130,
            set_at=START,
            using_db=connection,
        )
        return found

    monkeypatch.setattr(MeterDirectory, "check", checked)
    await take(application, [lines[9]], START + DAY)
    assert [one["amount"] for one in await reported()] == [240]


@pytest.mark.requirement("R-197", "C-30")
async def test_a_month_over_the_limit_is_notified_once(application, home, resident) -> None:
    """Even if the limit is changed afterwards."""
    claire = await resident()
    await set_limit(claire, 1, COLD, PER_MONTH, 300, now=START)
    await take(application, home.hourly(START, [10] * 48), START + 2 * DAY)
    await set_limit(claire, 1, COLD, PER_MONTH, 310, now=START + 2 * DAY)
    await take(application, home.hourly(START + 2 * DAY, [10] * 4, index=1480), START + 3 * DAY)
    (values,) = await reported()
    assert (values["period"], values["amount"], values["limit"]) == ("MONTH", 480, 300)


@pytest.mark.parametrize("batch", [1, 48])
async def test_a_goal_is_hinted_at_twice_a_month(application, home, resident, batch) -> None:
    """At 80 % and at 100 %, once each, though the goal is changed; of a month that leaps past both, once. It
    raises no alert, and the next month counts anew.
    """
    await Account.all().update(leak_by_email=False, leak_by_sms=False)  # ten litres an hour are a leak too
    claire = await resident()
    await set_limit(claire, 1, COLD, LimitPeriod.GOAL, 400, now=START)
    lines = home.hourly(START, [10] * 48)
    messages = 0
    for first in range(0, len(lines), batch):
        summary = await take(application, lines[first : first + batch], START + 2 * DAY)
        messages += summary.messages
    hints = [row.values for row in await OutboxMessage.filter(template="goal").order_by("id")]
    assert [(one["stage"], one["goal"]) for one in hints] == [(80, 400), (100, 400)][-messages:]
    assert messages == (2 if batch == 1 else 1)
    if batch == 1:
        assert [one["amount"] for one in hints] == [320, 400]
    await set_limit(claire, 1, COLD, LimitPeriod.GOAL, 500, now=START + 2 * DAY)
    more = home.hourly(START + 2 * DAY, [10] * 4, index=1480)
    assert (await take(application, more, START + 3 * DAY)).messages == 0
    december = START + 12 * DAY
    later = [home.line(1520, december), *home.hourly(december + HOUR, [45] * 9, index=1520)]
    assert (await take(application, later, december + DAY)).messages == 1
    assert await Alert.filter(own_limit__isnull=False).count() == 0
    assert await set_limit(claire, 1, COLD, LimitPeriod.GOAL, None, now=december) == []


async def test_a_limit_counts_from_the_day_it_is_set_until_it_is_removed(application, home, resident) -> None:
    """Earlier days are not notified, and nothing is without a limit."""
    claire = await resident()
    await set_limit(claire, 1, COLD, PER_DAY, 100, now=START + DAY)
    lines = home.hourly(START, [10] * 72)
    await take(application, lines[:48], START + 2 * DAY)
    assert [values["started_on"] for values in await reported()] == ["2026-11-21"]
    assert await set_limit(claire, 1, COLD, PER_DAY, None, now=START + 2 * DAY) == []
    await take(application, lines, START + 3 * DAY)
    assert len(await reported()) == 1


async def test_a_limit_is_private_to_its_owner(application, home, resident) -> None:
    """Another occupant of the dwelling and its manager neither see nor change it, and are not notified."""
    claire = await resident()
    await set_limit(claire, 1, COLD, PER_DAY, 100, now=START)
    await take(application, home.hourly(START, [10] * 23), START + 23 * HOUR)
    now = START + 23 * HOUR
    (view,) = await active_alerts(claire, 1, now=now)
    assert (view.own_limit, view.amount, view.threshold) == (PER_DAY, 230, 100)
    await factories.account(email="gestion@example.org", first_name="Marc")
    await Account.filter(email="gestion@example.org").update(role=Role.MANAGER)
    await grant_residence(
        SYSTEM,
        email="gestion@example.org",
        operator_code="ocea",
        residence_code="AA000",
        now=factories.NOW,
    )
    row = await Account.get(email="gestion@example.org")
    manager = Viewer(role=Role.MANAGER, account_id=row.id, operator_id=row.operator_id)
    assert (await managed_alerts(manager, 1, active=True, first=5, now=now)).total == 0
    with pytest.raises(NotFound):
        await acknowledge(manager, view.id, now=now)
    old = await resident("old@example.org")
    assert (await past_alerts(old, 1, first=5, now=now)).total == 0
    assert await own_limits(old, 1) == []
    assert {row.account_id for row in await OutboxMessage.all()} == {claire.account_id}


async def test_limits_are_listed_and_refused(home, resident) -> None:
    """One for each fluid and period; an unrealistic limit is refused, and so is a former occupant."""
    claire = await resident()
    await set_limit(claire, 1, COLD, PER_MONTH, 9000, now=factories.NOW)
    await set_limit(claire, 1, COLD, PER_DAY, 200, now=factories.NOW)
    found = await set_limit(claire, 1, COLD, PER_DAY, 300, now=factories.NOW)
    assert found == [OwnLimit(COLD, PER_DAY, 300), OwnLimit(COLD, PER_MONTH, 9000)]
    for amount in (0, -1, 10**9 + 1):
        with pytest.raises(LimitOutOfRange):
            await set_limit(claire, 1, COLD, PER_DAY, amount, now=factories.NOW)
    old = await resident("old@example.org")
    with pytest.raises(NotFound):
        await set_limit(old, 1, COLD, PER_DAY, 100, now=factories.NOW)
    with pytest.raises(NotFound):
        await set_limit(claire, 2, COLD, PER_DAY, 100, now=factories.NOW)
    gateway = Viewer(role=Role.GATEWAY)
    with pytest.raises(Forbidden):
        await set_limit(gateway, 1, COLD, PER_DAY, 100, now=factories.NOW)

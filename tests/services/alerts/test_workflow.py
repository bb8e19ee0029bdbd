"""Actions of residents and managers on an alert, and the notifications meanwhile."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.access import SYSTEM, Role, Viewer
from core.alerting.workflow import AlertActionKind, AlertStatus, KnownUse, Party
from core.errors import AlertEnded, Forbidden, InvalidInput, NotFound
from core.models import Account, Alert, AlertAction, Dwelling, OutboxMessage
from core.services.alerts.manager_alerts import managed_alerts
from core.services.alerts.resident_alerts import active_alerts
from core.services.alerts.workflow import acknowledge, dismiss, report_repair
from core.services.places.managed_residences import grant_residence, managed_residences
from core.services.portfolio.descriptions import OccupancySpec
from core.services.telegrams.pipeline import take_in
from tests.support import factories

START = datetime(2026, 11, 2, 23, tzinfo=UTC)  # midnight in Paris
HOURS = timedelta(hours=1)


@pytest.fixture
async def leak(application, key_encryption, izar):
    """Claire's home, where five litres an hour run for a day."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await run(application, izar, START, 5)


async def run(application, izar, start, *litres_an_hour, index=1000):
    """Days of so many litres an hour each, ingested at their end; answers the index reached."""
    for flow in litres_an_hour:
        lines = izar.hourly(start, [flow] * 24, index=index)
        index, start = index + 24 * flow, start + timedelta(days=1)
        await take_in(application, SYSTEM, lines, source="test", now=start + HOURS)
    return index


async def manager_of(*residences, email="gestion@example.org"):
    await factories.account(email=email)
    await Account.filter(email=email).update(role=Role.MANAGER)
    for code in residences:
        await grant_residence(
            SYSTEM, email=email, operator_code="ocea", residence_code=code, now=factories.NOW
        )
    row = await Account.get(email=email)
    return Viewer(role=Role.MANAGER, account_id=row.id, operator_id=row.operator_id)


NOW = START + timedelta(days=1, hours=2)


async def test_both_sides_see_one_status(leak, resident) -> None:
    """Each sees the other's actions, with their author and note."""
    claire, manager = await resident(), await manager_of("AA000")
    alert = await Alert.get()
    done = await acknowledge(manager, alert.id, note="Plombier prévenu", now=NOW)
    assert done.status is AlertStatus.ACKNOWLEDGED
    assert done.possible == {AlertActionKind.REPAIRED, AlertActionKind.NOT_A_LEAK}
    (view,) = await active_alerts(claire, alert.dwelling_id, now=NOW)
    assert view.workflow == done
    (action,) = view.workflow.actions
    assert (action.party, action.note) == (Party.MANAGER, "Plombier prévenu")
    assert (await acknowledge(claire, alert.id, now=NOW)).actions == done.actions


async def test_who_does_not_see_an_alert_cannot_act_on_it(leak, resident, key_encryption) -> None:
    """A neighbour, a manager of another residence and an unknown number get the same answer."""
    await factories.account(email="luc@example.org")
    stranger, other = await resident("luc@example.org"), await manager_of()
    alert = await Alert.get()
    reported = set()
    for viewer, number in ((stranger, alert.id), (other, alert.id), (await resident(), alert.id + 1000)):
        with pytest.raises(NotFound) as caught:
            await acknowledge(viewer, number, now=NOW)
        reported.add((caught.value.message, caught.value.field))
    assert len(reported) == 1
    with pytest.raises(Forbidden):
        await acknowledge(Viewer(role=Role.GATEWAY), alert.id, now=NOW)


async def test_a_successor_does_not_read_the_predecessors_notes(
    application, key_encryption, izar, resident
) -> None:
    """The leak continues through a move, open again; the notes remain private to their period."""
    move = date(2026, 11, 4)
    await factories.account(email="anna@example.org")
    await factories.residence(
        key_encryption,
        factories.meter(izar.address),
        move_in=move,
        predecessor=OccupancySpec(move_in=date(2024, 2, 1), move_out=move, email="anna@example.org"),
    )
    index = await run(application, izar, START, 5)
    alert = await Alert.get()
    await acknowledge(
        await resident("anna@example.org"), alert.id, note="Je suis absente", now=NOW - 3 * HOURS
    )
    await run(application, izar, START + timedelta(days=1), 5, index=index)
    later = NOW + timedelta(days=1)
    (view,) = await active_alerts(await resident(), alert.dwelling_id, now=later)
    assert (view.workflow.status, view.workflow.actions) == (AlertStatus.OPEN, ())


@pytest.mark.parametrize(
    ("repaired_at", "field"),
    [(NOW + HOURS, "repairedAt"), (START - timedelta(days=1), "repairedAt")],
)
async def test_a_repair_is_between_leak_and_now(leak, resident, repaired_at, field) -> None:
    """Another moment is refused with the argument's name, and nothing is written."""
    alert = await Alert.get()
    with pytest.raises(InvalidInput) as caught:
        await report_repair(await resident(), alert.id, repaired_at=repaired_at, now=NOW)
    assert caught.value.field == field
    assert await AlertAction.all().count() == 0


async def test_nothing_is_done_about_an_alert_that_is_over(application, leak, izar, resident) -> None:
    """The action is refused as AlertEnded."""
    await run(application, izar, START + timedelta(days=1), 0, 0, index=1120)
    alert = await Alert.get()
    with pytest.raises(AlertEnded):
        await report_repair(await resident(), alert.id, now=START + timedelta(days=3, hours=2))


async def dismissed(viewer, alert, *, snooze_days=30, reason=KnownUse.WATER_SOFTENER, note="", now=NOW):
    return await dismiss(viewer, alert.id, reason=reason, snooze_days=snooze_days, note=note, now=now)


async def test_a_dismissed_alert_is_snoozed_up_to_its_level(application, leak, izar, resident) -> None:
    """The next alert of the meter is snoozed too; a higher level is notified at once."""
    claire, alert = await resident(), await Alert.get()
    assert await OutboxMessage.all().count() == 2
    assert (await dismissed(claire, alert)).status is AlertStatus.NOT_A_LEAK
    index = await run(application, izar, START + timedelta(days=1), *[0] * 10, 6, index=1120)
    assert await OutboxMessage.all().count() == 2
    after = START + timedelta(days=12, hours=2)
    (view,) = await active_alerts(claire, alert.dwelling_id, now=after)
    assert (view.id != alert.id, view.snoozed) == (True, True)
    assert [action.reason for action in view.workflow.actions] == [KnownUse.WATER_SOFTENER]
    await run(application, izar, START + timedelta(days=12), 9, index=index)
    assert [row.template async for row in OutboxMessage.all().order_by("-id").limit(1)] == ["leak_level_up"]
    (view,) = await active_alerts(claire, alert.dwelling_id, now=after + timedelta(days=1))
    assert view.workflow.status is AlertStatus.OPEN


async def test_a_snooze_ends(leak, resident) -> None:
    """On its last day the alert is still snoozed; on the next it is open again."""
    claire, alert = await resident(), await Alert.get()
    await dismissed(claire, alert, snooze_days=3)
    for days, expected in ((2, AlertStatus.NOT_A_LEAK), (3, AlertStatus.OPEN)):
        (view,) = await active_alerts(claire, alert.dwelling_id, now=NOW + timedelta(days=days))
        assert view.workflow.status is expected


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"snooze_days": 0}, "snoozeDays"),
        ({"snooze_days": 91}, "snoozeDays"),
        ({"reason": KnownUse.OTHER, "note": "  "}, "note"),
        ({"note": "x" * 301}, "note"),
    ],
)
async def test_a_dismissal_has_a_reason_and_a_duration(leak, resident, given, field) -> None:
    """A snooze beyond the bounds, and another use without a note, are refused."""
    with pytest.raises(InvalidInput) as caught:
        await dismissed(await resident(), await Alert.get(), **given)
    assert caught.value.field == field


@pytest.mark.requirement("R-042")
async def test_a_manager_finds_the_managed_residences_alone(leak, resident) -> None:
    """With their codes; another manager's residence is not among them, and residents manage none."""
    manager, other = await manager_of("AA000"), await manager_of(email="autre@example.org")
    assert [place.code for place in await managed_residences(manager)] == ["AA000"]
    assert await managed_residences(other) == await managed_residences(await resident()) == []
    dwelling = await Dwelling.get()
    page = await managed_alerts(manager, dwelling.residence_id, active=True, first=5, now=NOW)
    assert (page.total, page.items[0].level) == (1, 1)
    past = await managed_alerts(manager, dwelling.residence_id, active=False, first=5, now=NOW)
    assert past.total == 0
    with pytest.raises(NotFound):
        await managed_alerts(other, dwelling.residence_id, active=True, first=5, now=NOW)


async def test_a_residence_is_granted_to_managers_of_its_operator(application, key_encryption, izar) -> None:
    """Not to a resident's account, nor with an unknown address or code; a repetition changes nothing."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await manager_of("AA000", "AA000")
    for email, code in (
        ("claire.martin@example.org", "AA000"),
        ("nobody@example.org", "AA000"),
        ("gestion@example.org", "ZZ999"),
    ):
        with pytest.raises(NotFound):
            await grant_residence(
                SYSTEM, email=email, operator_code="ocea", residence_code=code, now=factories.NOW
            )


@pytest.fixture
async def rarely_read(application, key_encryption, izar, resident):
    """A home read every six hours, where 33 litres an hour began to run and were reported as repaired.

    Answers a way to read on: so many days, with so many litres running in each quarter of a day.
    """
    await factories.residence(key_encryption, factories.meter(izar.address))
    quarters, index = timedelta(hours=6), 1000
    at = datetime(2026, 9, 1, tzinfo=UTC)

    async def read(days, running):
        nonlocal index, at
        lines = []
        for quarter in range(4 * days):
            index += (3 if quarter % 4 == 0 else 45) + running
            at += quarters
            lines.append(izar.line(index, at))
        await take_in(application, SYSTEM, lines, source="test", now=at)

    await read(20, 0)
    await read(25, 200)
    await report_repair(await resident(), (await Alert.get(kind="LEAK")).id, now=at)
    return read


@pytest.mark.parametrize(
    ("running", "action"), [(200, AlertActionKind.RELAPSED), (0, AlertActionKind.VERIFIED)]
)
async def test_a_repair_is_verified_by_the_meter_however_rarely_it_is_read(
    rarely_read, running, action
) -> None:
    """Without hourly readings the classifier decides whether the leak goes on; a relapse is notified."""
    for _ in range(14):
        await rarely_read(1, running)
    assert (await Alert.get(kind="LEAK")).last_action is action
    reported = await OutboxMessage.filter(template="leak_relapsed").exists()
    assert reported is (action is AlertActionKind.RELAPSED)


@pytest.mark.parametrize("place", ["America/Martinique", "Europe/Paris", "Pacific/Auckland"])
async def test_a_snooze_lasts_to_its_last_evening(application, key_encryption, izar, resident, place) -> None:
    """Its days are the residence's own: at nine in the evening of the last one another leak is snoozed."""
    await factories.residence(key_encryption, factories.meter(izar.address), time_zone=place)
    zone, first = ZoneInfo(place), datetime(2026, 11, 1, 4, tzinfo=UTC)
    then = first + 61 * HOURS
    await take_in(application, SYSTEM, izar.hourly(first, [6] * 60), source="test", now=then)
    alert = await Alert.get()
    await dismiss(await resident(), alert.id, reason=KnownUse.WATER_SOFTENER, snooze_days=15, now=then)
    last = (await Alert.get()).snoozed_until - timedelta(days=1)
    evening = datetime.combine(last, time(21), tzinfo=zone)
    hours = int((evening - first).total_seconds() // 3600)
    amounts = [6] * 60 + [0] * (hours - 85) + [6] * 25
    reported = await OutboxMessage.all().count()
    await take_in(
        application, SYSTEM, izar.hourly(first, amounts), source="test", now=evening.astimezone(UTC)
    )
    assert await Alert.all().count() == 2
    assert not await OutboxMessage.filter(template="leak_opened", id__gt=reported).exists()

"""The next occupant starts clean: what the one before dismissed or noted is no longer there."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from core.access import NOBODY, SYSTEM, Role, Viewer
from core.alerting.workflow import AlertStatus, KnownUse, Party
from core.models import Account, Alert, AlertAction, Dwelling, Occupancy, OccupancyKind
from core.services.alerts.resident_alerts import active_alerts
from core.services.alerts.workflow import acknowledge, dismiss, workflows_of
from core.services.occupancy.occupancies import Claim, admit, leave_dwelling
from core.services.places.managed_residences import grant_residence
from core.services.portfolio.descriptions import OccupancySpec
from core.services.telegrams.pipeline import take_in
from tests.support import factories

START = datetime(2026, 11, 2, 23, tzinfo=UTC)  # midnight in Paris
NOW = START + timedelta(days=1, hours=2)  # the leak is one whole day old
ANNA = "anna@example.org"


@pytest.fixture
async def leak(application: Any, key_encryption: Any, izar: Any) -> None:
    """Claire's home, where five litres an hour run for a day; Anna has an account and no home."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await factories.account(email=ANNA)
    lines = izar.hourly(START, [5] * 24, index=1000)
    await take_in(application, SYSTEM, lines, source="test", now=START + timedelta(days=1, hours=1))


async def leaves(application: Any, viewer: Viewer, last_day: date, now: datetime) -> None:
    dwelling = (await Dwelling.get()).id
    await leave_dwelling(application, viewer, dwelling, last_day=last_day, visitor=NOBODY, now=now)


async def moves_in(email: str, day: date, now: datetime) -> None:
    claim = Claim(
        dwelling_id=(await Dwelling.get()).id,
        account_id=(await Account.get(email_key=email)).id,
        kind=OccupancyKind.TENANT,
        move_in=day,
        attested_at=now,
    )
    async with in_transaction() as connection:
        await admit(connection, claim, consent_version="1", visitor=NOBODY, now=now)


async def dismisses(viewer: Viewer, now: datetime, note: str = "Mon adoucisseur") -> None:
    reason = KnownUse.WATER_SOFTENER
    await dismiss(viewer, (await Alert.get()).id, reason=reason, snooze_days=30, note=note, now=now)


async def seen_by(viewer: Viewer, now: datetime) -> tuple[AlertStatus, list[str]]:
    (view,) = await active_alerts(viewer, (await Dwelling.get()).id, now=now)
    return view.workflow.status, [action.note for action in view.workflow.actions]


async def test_a_dismissal_ends_with_its_authors_occupancy(
    application: Any, leak: None, resident: Any
) -> None:
    """Announced beforehand, the last day is the snooze's last; who moves in has an open alert."""
    claire, anna = await resident(), await resident(ANNA)
    await leaves(application, claire, date(2026, 11, 6), NOW)
    await dismisses(claire, NOW)
    assert (await Alert.get()).snoozed_until == date(2026, 11, 7)
    assert await seen_by(claire, NOW) == (AlertStatus.NOT_A_LEAK, ["Mon adoucisseur"])
    later = NOW + timedelta(days=3)
    await moves_in(ANNA, date(2026, 11, 7), later)
    assert await seen_by(anna, later) == (AlertStatus.OPEN, [])


async def test_a_last_day_that_is_entered_afterwards_takes_the_notes_with_it(
    application: Any, leak: None, resident: Any
) -> None:
    """What was noted after that day is its author's still, and nothing of it is the next occupant's."""
    claire, anna = await resident(), await resident(ANNA)
    await acknowledge(claire, (await Alert.get()).id, note="Je suis absente", now=NOW)
    await dismisses(claire, NOW)
    later = NOW + timedelta(days=1)
    await leaves(application, claire, date(2026, 11, 3), later)
    await moves_in(ANNA, date(2026, 11, 4), later)
    assert await seen_by(anna, later) == (AlertStatus.OPEN, [])
    await acknowledge(anna, (await Alert.get()).id, note="Je viens d'arriver", now=later)
    assert await seen_by(anna, later) == (AlertStatus.ACKNOWLEDGED, ["Je viens d'arriver"])


async def test_what_the_one_before_acknowledged_is_open_again(
    application: Any, leak: None, resident: Any
) -> None:
    """Claire had seen it; Anna has not, and acknowledges it herself. The manager sees both."""
    claire, anna = await resident(), await resident(ANNA)
    await acknowledge(claire, (await Alert.get()).id, note="Je suis absente", now=NOW)
    assert await seen_by(claire, NOW) == (AlertStatus.ACKNOWLEDGED, ["Je suis absente"])
    later = NOW + timedelta(days=1)
    await leaves(application, claire, date(2026, 11, 3), later)
    await moves_in(ANNA, date(2026, 11, 4), later)
    assert await seen_by(anna, later) == (AlertStatus.OPEN, [])
    for _ in range(2):
        await acknowledge(anna, (await Alert.get()).id, note="Je viens d'arriver", now=later)
    assert await seen_by(anna, later) == (AlertStatus.ACKNOWLEDGED, ["Je viens d'arriver"])
    alert = await Alert.get()
    seen = (await workflows_of([alert], levels={alert.id: 1}, today=later.date()))[alert.id]
    assert [action.account_id for action in seen.actions] == [claire.account_id, anna.account_id]


async def test_an_occupant_in_the_operators_list_ends_a_dismissal_too(
    leak: None, resident: Any, key_encryption: Any, izar: Any
) -> None:
    """The list names who lives there from tomorrow on; taken in again, it reopens nothing."""
    await dismisses(await resident(), NOW)
    for _ in range(2):
        await factories.residence(
            key_encryption,
            factories.meter(izar.address),
            email=ANNA,
            move_in=date(2026, 11, 5),
            predecessor=OccupancySpec(
                move_in=date(2024, 2, 1), move_out=date(2026, 11, 5), email="claire.martin@example.org"
            ),
        )
        assert (await Alert.get()).snoozed_until == date(2026, 11, 5)
    later = NOW + timedelta(days=1)
    assert await seen_by(await resident(ANNA), later) == (AlertStatus.OPEN, [])
    await dismisses(await resident(ANNA), later, "Mon osmoseur")
    assert await seen_by(await resident(ANNA), later) == (AlertStatus.NOT_A_LEAK, ["Mon osmoseur"])


async def test_what_a_manager_dismissed_remains(application: Any, leak: None, resident: Any) -> None:
    """A recirculation is the building's, whoever lives there; the action itself is before the next's time."""
    await factories.account(email="gestion@example.org")
    await Account.filter(email="gestion@example.org").update(role=Role.MANAGER)
    await grant_residence(
        SYSTEM, email="gestion@example.org", operator_code="ocea", residence_code="AA000", now=NOW
    )
    row = await Account.get(email="gestion@example.org")
    manager = Viewer(role=Role.MANAGER, account_id=row.id, operator_id=row.operator_id)
    await dismisses(manager, NOW)
    later = NOW + timedelta(days=1)
    await leaves(application, await resident(), date(2026, 11, 4), later)
    await moves_in(ANNA, date(2026, 11, 5), later)
    assert await seen_by(await resident(ANNA), later) == (AlertStatus.NOT_A_LEAK, [])
    assert [action.party for action in await AlertAction.all()] == [Party.MANAGER]


async def test_a_lease_that_is_renewed_keeps_what_was_dismissed(
    application: Any, leak: None, resident: Any
) -> None:
    """The same account again, as tenant or owner, is the same person: nothing is reopened."""
    claire = await resident()
    await dismisses(claire, NOW)
    await moves_in("claire.martin@example.org", date(2026, 11, 4), NOW)
    assert await Occupancy.all().count() == 2
    assert await seen_by(claire, NOW) == (AlertStatus.NOT_A_LEAK, ["Mon adoucisseur"])

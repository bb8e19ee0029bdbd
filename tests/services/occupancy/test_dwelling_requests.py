"""Dwelling requests: what a manager is shown, the effects of a decision, and its record."""

from datetime import date, timedelta
from typing import Any

import pytest

from core.access import SYSTEM, Act, Role, Viewer, Visitor
from core.bootstrap import Application
from core.errors import Conflict, NotFound
from core.metering import Registry
from core.models import (
    Account,
    Dwelling,
    DwellingRequest,
    DwellingRequestKind,
    DwellingRequestState,
    Occupancy,
    OccupancyKind,
    OutboxMessage,
)
from core.services.occupancy.dwelling_request_views import list_dwelling_requests
from core.services.occupancy.dwelling_requests import decide
from core.services.occupancy.occupancies import leave_dwelling
from core.services.places.key_encryption import KeyEncryption
from core.services.places.managed_residences import grant_residence
from core.services.shared.scope import occupancy_periods
from tests.support import factories
from tests.support.factories import NOW

TODAY = NOW.date()
DOOR = Visitor("203.0.113.7")
A, B, MANAGER = "claire.martin@example.org", "bruno@example.org", "gestion@example.org"


@pytest.fixture
async def bruno(application: Application) -> int:
    return await factories.account(email=B, first_name="Bruno")


async def asked(
    account_id: int, move_in: date, kind: DwellingRequestKind = DwellingRequestKind.REVIEW
) -> int:
    """An open request for the only dwelling."""
    row = await DwellingRequest.create(
        dwelling_id=(await Dwelling.get()).id,
        account_id=account_id,
        kind=kind,
        occupancy_kind=OccupancyKind.TENANT,
        move_in=move_in,
        attested_at=NOW,
        opened_at=NOW,
    )
    number: int = row.id
    return number


async def looking_after(application: Application, email: str = MANAGER) -> Viewer:
    """A manager of residence AA000."""
    number = await factories.account(email=email, first_name="Odile", role=Role.MANAGER)
    await grant_residence(SYSTEM, email=email, operator_code="ocea", residence_code="AA000", now=NOW)
    return Viewer(role=Role.MANAGER, account_id=number, asked_at=NOW)


@pytest.mark.requirement("C-14", "C-15")
async def test_a_request_takes_no_past_days_from_anybody(
    application: Application, key_encryption: KeyEncryption, bruno: int, resident: Any, registry: Registry
) -> None:
    """A former occupant keeps every day, however early the newcomer's declared day, and is not notified."""
    await factories.residence(key_encryption, factories.meter())
    anne, dwelling = await resident(A), (await Dwelling.get()).id
    await leave_dwelling(application, anne, dwelling, last_day=date(2026, 11, 15), visitor=DOOR, now=NOW)
    before = await occupancy_periods(anne)
    await asked(bruno, date(2026, 5, 13))
    (dwelling_request,) = await list_dwelling_requests(SYSTEM, now=NOW)
    assert not dwelling_request.contested
    await decide(application, SYSTEM, dwelling_request.id, approved=True, now=NOW)
    assert await occupancy_periods(anne) == before
    assert [period.first_day for period in await occupancy_periods(await resident(B))] == [date(2026, 11, 16)]
    assert not await OutboxMessage.exists(template="occupancy_ended")


@pytest.mark.requirement("C-14")
async def test_an_occupancy_with_a_future_end_ends_at_the_move_in(
    application: Application, key_encryption: KeyEncryption, bruno: int, resident: Any, registry: Registry
) -> None:
    """An end in the future is no end yet: the present occupant's period ends where the newcomer's begins."""
    await factories.residence(key_encryption, factories.meter())
    anne, dwelling = await resident(A), (await Dwelling.get()).id
    await leave_dwelling(application, anne, dwelling, last_day=date(2026, 12, 31), visitor=DOOR, now=NOW)
    number = await asked(bruno, date(2026, 11, 10), DwellingRequestKind.CONTESTED)
    await decide(application, SYSTEM, number, approved=True, now=NOW)
    assert [period.last_day for period in await occupancy_periods(anne)] == [date(2026, 11, 9)]


@pytest.mark.requirement("C-12")
async def test_who_was_replaced_can_look_back_from_the_decision_on(
    application: Application, key_encryption: KeyEncryption, bruno: int, resident: Any
) -> None:
    """However early the move-in: the operator's look-back begins when the end is notified."""
    await factories.residence(key_encryption, factories.meter(), move_in=date(2020, 1, 1))
    number = await asked(bruno, date(2025, 11, 1), DwellingRequestKind.CONTESTED)
    await decide(application, SYSTEM, number, approved=True, now=NOW)
    row = await Occupancy.get(account__email=A)
    assert (row.move_out, row.access_until) == (date(2025, 11, 1), TODAY + timedelta(days=365))
    mail = await OutboxMessage.get(template="occupancy_ended")
    assert mail.values["until"] == (TODAY + timedelta(days=365)).isoformat()
    anne = Viewer(role=Role.RESIDENT, account_id=row.account_id, asked_at=NOW)
    assert [period.last_day for period in await occupancy_periods(anne)] == [date(2025, 10, 31)]


@pytest.mark.requirement("R-140", "C-12")
async def test_a_request_shows_whether_the_dwelling_is_contested_now(
    application: Application, key_encryption: KeyEncryption, bruno: int
) -> None:
    """A plain request whose dwelling was taken since; a contested one whose occupant has left since."""
    await factories.residence(key_encryption, factories.meter(), email=None)
    await Occupancy.all().delete()
    await asked(bruno, date(2026, 11, 1))
    (free,) = await list_dwelling_requests(SYSTEM, now=NOW)
    await factories.residence(key_encryption, factories.meter(), move_in=date(2026, 11, 20))
    (taken,) = await list_dwelling_requests(SYSTEM, now=NOW)
    assert (free.kind, taken.kind) == (DwellingRequestKind.REVIEW, DwellingRequestKind.CONTESTED)
    await DwellingRequest.all().update(kind=DwellingRequestKind.CONTESTED)
    await Occupancy.all().update(move_out=TODAY)
    (left,) = await list_dwelling_requests(SYSTEM, now=NOW)
    assert not left.contested


@pytest.mark.requirement("R-140", "C-12")
async def test_an_approval_that_did_not_know_of_the_occupant_is_refused(
    application: Application, key_encryption: KeyEncryption, bruno: int, resident: Any
) -> None:
    """A plain review, its dwelling taken since, is refused and still open; as contested it is approved."""
    await factories.residence(key_encryption, factories.meter())
    number = await asked(bruno, date(2026, 11, 1))
    for shown in (None, False):
        with pytest.raises(Conflict) as refused:
            await decide(application, SYSTEM, number, approved=True, contested=shown, now=NOW)
        assert refused.value.field == "contested"
    assert (await DwellingRequest.get()).state is DwellingRequestState.OPEN
    assert [period.last_day for period in await occupancy_periods(await resident(A))] == [None]
    decided = await decide(application, SYSTEM, number, approved=True, contested=True, now=NOW)
    assert (decided.state, decided.contested) == (DwellingRequestState.APPROVED, True)
    assert [period.last_day for period in await occupancy_periods(await resident(A))] == [date(2026, 10, 31)]
    (kept,) = await list_dwelling_requests(SYSTEM, state=DwellingRequestState.APPROVED, now=NOW)
    assert kept.contested


async def test_a_refusal_does_not_depend_on_the_occupant(
    application: Application, key_encryption: KeyEncryption, bruno: int
) -> None:
    """A refusal ends no occupancy, so it is accepted whatever kind the request had."""
    await factories.residence(key_encryption, factories.meter())
    number = await asked(bruno, date(2026, 11, 1))
    assert (
        await decide(application, SYSTEM, number, approved=False, now=NOW)
    ).state is DwellingRequestState.REFUSED


async def test_a_decision_is_recorded_with_who_decided(
    application: Application, key_encryption: KeyEncryption, bruno: int, audited: Any
) -> None:
    """With the manager, the applicant, the occupant whose period ended, and the address; without any name."""
    await factories.residence(key_encryption, factories.meter())
    manager, anne = await looking_after(application), await Account.get(email=A)
    number = await asked(bruno, date(2026, 11, 1), DwellingRequestKind.CONTESTED)
    await decide(application, manager, number, approved=True, visitor=DOOR, now=NOW)
    dwelling = (await Dwelling.get()).id
    (ended,), (decided,) = await audited(Act.OCCUPANCY_ENDED), await audited(Act.DWELLING_REQUEST_DECIDED)
    for entry in (ended, decided):
        assert (entry.role, entry.actor_id, entry.address) == ("MANAGER", manager.account_id, DOOR.address)
        assert (entry.subject.kind, entry.subject.number) == ("dwelling", dwelling)
    assert ended.details == {"dwelling_request": number, "account": anne.id}
    assert decided.details == {
        "dwelling_request": number,
        "account": bruno,
        "approved": True,
        "contested": True,
    }


async def test_a_refusal_is_recorded_too(
    application: Application, key_encryption: KeyEncryption, bruno: int, audited: Any
) -> None:
    """A decision that failed is not."""
    await factories.residence(key_encryption, factories.meter())
    number = await asked(bruno, date(2026, 11, 1))
    with pytest.raises(Conflict):
        await decide(application, SYSTEM, number, approved=True, now=NOW)
    assert await audited(Act.DWELLING_REQUEST_DECIDED) == []
    await decide(application, SYSTEM, number, approved=False, visitor=DOOR, now=NOW)
    (entry,) = await audited(Act.DWELLING_REQUEST_DECIDED)
    assert (entry.role, entry.details["approved"]) == ("SYSTEM", False)


async def test_a_request_of_another_residence_cannot_be_decided(
    application: Application, key_encryption: KeyEncryption, bruno: int
) -> None:
    """Not even as contested."""
    await factories.residence(key_encryption, factories.meter())
    number = await asked(bruno, date(2026, 11, 1))
    stranger = Viewer(role=Role.MANAGER, account_id=await factories.account(email=MANAGER, role=Role.MANAGER))
    with pytest.raises(NotFound):
        await decide(application, stranger, number, approved=True, contested=True, now=NOW)

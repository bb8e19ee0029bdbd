"""What a manager sees of a home's days depends on its present occupant alone."""

from datetime import date
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from core.access import SYSTEM, Role, Viewer
from core.access.acts import NOBODY
from core.bootstrap import Application
from core.consumption.fluids import Fluid
from core.errors import ConsentRequired, NotFound
from core.models import Dwelling, Occupancy, OccupancyKind
from core.services.consumption.manager_consumption import managed_daily_series
from core.services.occupancy.consents import ConsentAnswer, answer_consent, consent_of, my_consent
from core.services.occupancy.occupancies import Claim, admit
from core.services.places.dwellings import dwelling_seen
from core.services.places.key_encryption import KeyEncryption
from core.services.places.managed_residences import grant_residence
from tests.support import factories
from tests.support.factories import NOW

MANAGER = "gestion@example.org"


@pytest.fixture
async def manager(application: Application, key_encryption: KeyEncryption) -> Viewer:
    """The manager of Claire's residence; she has lived there since February 2024."""
    await factories.residence(key_encryption, factories.meter())
    number = await factories.account(email=MANAGER, role=Role.MANAGER)
    await grant_residence(SYSTEM, email=MANAGER, operator_code="ocea", residence_code="AA000", now=NOW)
    return Viewer(role=Role.MANAGER, account_id=number)


async def sees_days(manager: Viewer) -> bool:
    dwelling = (await Dwelling.get()).id
    try:
        await managed_daily_series(manager, dwelling, Fluid.COLD_WATER, visitor=NOBODY, now=NOW)
    except ConsentRequired:
        return False
    return True


async def another_row(account_id: int | None, move_in: date, move_out: date | None = None) -> None:
    await Occupancy.create(
        dwelling_id=(await Dwelling.get()).id,
        account_id=account_id,
        kind=OccupancyKind.TENANT,
        move_in=move_in,
        move_out=move_out,
    )


@pytest.mark.requirement("C-17", "C-18")
@pytest.mark.parametrize(
    ("ended", "begun"),
    [
        (None, date(2024, 3, 1)),
        (date(2026, 6, 1), date(2026, 6, 1)),
        (date(2027, 1, 1), date(2027, 1, 1)),
    ],
)
async def test_an_answer_is_valid_for_the_whole_occupancy(
    application: Application, manager: Viewer, resident: Any, ended: date | None, begun: date
) -> None:
    """A corrected day, a renewed lease, a lease to be renewed: the occupant's last answer is valid, and is
    shown to the occupant.
    """
    me, dwelling = await resident(), (await Dwelling.get()).id
    await answer_consent(application, me, dwelling, granted=True, visitor=NOBODY, now=NOW)
    await Occupancy.all().update(move_out=ended)
    await another_row(me.account_id, begun)
    for granted in (True, False, True):
        if not granted or not await sees_days(manager):
            await answer_consent(application, me, dwelling, granted=granted, visitor=NOBODY, now=NOW)
        shown = (await my_consent(application, me, dwelling)).answer
        assert shown is (ConsentAnswer.GRANTED if granted else ConsentAnswer.REFUSED)
        assert await sees_days(manager) == granted


@pytest.mark.requirement("C-18", "CN-10")
async def test_a_consent_ends_with_its_occupancy(
    application: Application, manager: Viewer, resident: Any
) -> None:
    """Somebody who returns after another occupant is asked again."""
    me, dwelling = await resident(), (await Dwelling.get()).id
    await answer_consent(application, me, dwelling, granted=True, visitor=NOBODY, now=NOW)
    await Occupancy.all().update(move_out=date(2025, 1, 1))
    await another_row(None, date(2025, 1, 1), date(2026, 1, 1))
    await another_row(me.account_id, date(2026, 1, 1))
    assert (await my_consent(application, me, dwelling)).answer is ConsentAnswer.UNANSWERED
    assert not await sees_days(manager)


async def test_the_next_occupant_is_asked_anew(
    application: Application, manager: Viewer, resident: Any
) -> None:
    """One occupant's consent does not apply to the next occupant's days."""
    me, dwelling = await resident(), (await Dwelling.get()).id
    await answer_consent(application, me, dwelling, granted=True, visitor=NOBODY, now=NOW)
    await Occupancy.all().update(move_out=date(2026, 11, 1))
    number = await factories.account(email="new@example.org")
    claim = Claim(dwelling, number, OccupancyKind.TENANT, date(2026, 11, 1), NOW)
    async with in_transaction() as connection:
        await admit(connection, claim, consent_version="1", visitor=NOBODY, now=NOW)
    assert not await sees_days(manager)


async def test_who_has_no_account_has_answered_nothing(application: Application, manager: Viewer) -> None:
    """Two occupants without an account are not one person."""
    await another_row(None, date(2020, 1, 1), date(2021, 1, 1))
    row = await Occupancy.get(account_id=None).select_related("dwelling__residence__operator")
    assert (await consent_of(application, row)).answer is ConsentAnswer.UNANSWERED


@pytest.mark.requirement("R-042")
async def test_a_home_of_another_residence_is_not_found(manager: Viewer, resident: Any) -> None:
    """A home of a managed residence is found by its number; another's, or an unknown one, is not."""
    dwelling = (await Dwelling.get()).id
    found = await dwelling_seen(manager, dwelling, now=NOW)
    assert (found.id, found.place, found.lot) == (dwelling, "A · 1 · 2 · 12", "104")
    stranger = await factories.account(email="autre@example.org", role=Role.MANAGER)
    for viewer, number in (
        (Viewer(role=Role.MANAGER, account_id=stranger), dwelling),
        (manager, dwelling + 1),
    ):
        with pytest.raises(NotFound):
            await dwelling_seen(viewer, number, now=NOW)

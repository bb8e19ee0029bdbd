"""A manager records who moves in and out; nobody loses a dwelling unnoticed."""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from core.access import NOBODY, Act, Viewer
from core.bootstrap import Application
from core.errors import Conflict, ConsentRequired, Forbidden, InvalidInput, NotFound
from core.models import Dwelling, Occupancy, OccupancyKind
from core.services.certificates.index_days import certified_day
from core.services.managers.occupancies import record_move_in, record_move_out
from core.services.occupancy.occupancies import Claim, admit
from core.services.shared.scope import occupancy_periods
from notifications.texts.render import render
from tests.support import factories
from tests.support.factories import NOW

TODAY = date(2026, 11, 22)
ME = "claire.martin@example.org"


async def home() -> int:
    return int((await Dwelling.get()).id)


async def move_out(
    application: Application, viewer: Viewer, last_day: date, dwelling: int | None = None
) -> Any:
    number = await home() if dwelling is None else dwelling
    return await record_move_out(application, viewer, number, last_day=last_day, visitor=NOBODY, now=NOW)


async def move_in(viewer: Viewer, first_day: date, **more: Any) -> Any:
    return await record_move_in(viewer, await home(), first_day=first_day, visitor=NOBODY, now=NOW, **more)


@pytest.mark.requirement("C-12", "CN-10")
async def test_whoever_leaves_is_written_to(
    application: Application, manager: Viewer, resident: Any, posted: Any, audited: Any
) -> None:
    """Claire leaves at the end of the month: she learns the day and until when she sees her own period, in
    her language, and sees nothing of the next occupant's days.
    """
    recorded = await move_out(application, manager, date(2026, 11, 30))
    assert (recorded.first_day, recorded.last_day) == (date(2024, 2, 1), date(2026, 11, 30))
    ((recipient, values),) = await posted("occupancy_end_recorded")
    assert recipient == ME
    french = render("occupancy_end_recorded", "fr", values).text
    assert "votre dernier jour y est le 30/11/2026" in french
    assert "jusqu'au 01/12/2027" in french
    assert "30 November 2026" in render("occupancy_end_recorded", "en", values).text
    (period,) = await occupancy_periods(await resident())
    assert period.last_day == date(2026, 11, 30)
    assert [entry.actor_id for entry in await audited(Act.OCCUPANCY_ENDED)] == [manager.account_id]


async def test_the_day_of_leaving_can_be_changed_until_then(
    application: Application, manager: Viewer, resident: Any
) -> None:
    """An announced departure is put off, then brought forward."""
    for last_day in (date(2026, 11, 30), date(2026, 12, 31), date(2026, 11, 10)):
        assert (await move_out(application, manager, last_day)).last_day == last_day
        (period,) = await occupancy_periods(await resident())
        assert period.last_day == last_day
    with pytest.raises(NotFound):
        await move_out(application, manager, TODAY)


@pytest.mark.requirement("C-14", "R-140")
async def test_nobody_moves_in_while_somebody_lives_there(application: Application, manager: Viewer) -> None:
    """The last day of whoever lives there comes first; then the next occupancy begins the day after."""
    with pytest.raises(Conflict) as refused:
        await move_in(manager, date(2026, 12, 1))
    assert refused.value.field == "firstDay"
    await move_out(application, manager, date(2026, 11, 30))
    with pytest.raises(Conflict):
        await move_in(manager, date(2026, 11, 30))
    recorded = await move_in(manager, date(2026, 12, 1), kind=OccupancyKind.OWNER_OCCUPIER)
    assert (recorded.first_day, recorded.last_day) == (date(2026, 12, 1), None)
    with pytest.raises(Conflict):
        await move_in(manager, date(2026, 12, 1))
    with pytest.raises(InvalidInput):
        await move_out(application, manager, date(2026, 12, 1))  # of Claire, when the next lives there


async def test_who_registers_for_the_recorded_days_is_the_same_person(
    application: Application, manager: Viewer
) -> None:
    """The occupancy without an account becomes that of whoever proves the dwelling by a serial."""
    await move_out(application, manager, date(2026, 10, 31))
    await move_in(manager, date(2026, 11, 1))
    number = await factories.account(email="luc@example.org", first_name="Luc")
    claim = Claim(await home(), number, OccupancyKind.TENANT, date(2026, 11, 1), NOW)
    async with in_transaction() as connection:
        await admit(connection, claim, consent_version="1", visitor=NOBODY, now=NOW)
    rows = await Occupancy.all().order_by("move_in")
    assert [(row.account_id == number, row.move_in) for row in rows] == [
        (False, date(2024, 2, 1)),
        (True, date(2026, 11, 1)),
    ]


@pytest.mark.parametrize("days", [-93, 93])
async def test_a_day_too_far_away_is_refused(application: Application, manager: Viewer, days: int) -> None:
    """Neither a slip of the year nor an old departure cuts what a resident sees."""
    with pytest.raises(InvalidInput):
        await move_out(application, manager, TODAY + timedelta(days=days))
    await move_out(application, manager, TODAY + timedelta(days=days // 93 * 92))


async def test_an_occupancy_does_not_end_before_it_began(
    application: Application, manager: Viewer, add_home: Any
) -> None:
    """Somebody who moved in this month did not leave last month; an owner elsewhere does not move in."""
    dwelling = await add_home("13", date(2026, 11, 10))
    with pytest.raises(InvalidInput):
        await move_out(application, manager, date(2026, 11, 9), dwelling)
    empty = await add_home("14")
    for first_day, kind in (
        (TODAY + timedelta(days=93), OccupancyKind.TENANT),
        (date(1899, 12, 31), OccupancyKind.TENANT),
        (TODAY, OccupancyKind.OWNER_NON_OCCUPANT),
    ):
        with pytest.raises(InvalidInput):
            await record_move_in(manager, empty, first_day=first_day, kind=kind, visitor=NOBODY, now=NOW)


async def test_only_the_manager_of_the_residence_records_moves(
    application: Application, stranger: Viewer, resident: Any
) -> None:
    """To another manager the dwelling does not exist; a resident may not, of the own dwelling either."""
    with pytest.raises(NotFound):
        await move_out(application, stranger, TODAY)
    with pytest.raises(NotFound):
        await move_in(stranger, TODAY)
    with pytest.raises(Forbidden):
        await move_out(application, await resident(), TODAY)


@pytest.mark.requirement("CN-01")
async def test_occupancies_of_a_day_each_open_no_index_day_by_day(
    application: Application, manager: Viewer, add_home: Any
) -> None:
    """A manager who records one move after the other has the index of a day or two certified, not of all."""
    number = await add_home("13")
    opened = []
    for day in (date(2026, 11, 3), date(2026, 11, 5), date(2026, 11, 7), date(2026, 11, 9)):
        await record_move_in(manager, number, first_day=day, visitor=NOBODY, now=NOW)
        await move_out(application, manager, day, number)
        with suppress(ConsentRequired):
            await certified_day(manager, number, day, now=NOW)
            opened.append(day)
    assert opened == [date(2026, 11, 3)]

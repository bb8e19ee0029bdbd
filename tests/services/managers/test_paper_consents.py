"""A consent on paper is the present occupant's, and never turns a refusal."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from core.access import NOBODY, Viewer
from core.access.refusals import ConsentNotTheManagers
from core.bootstrap import Application
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.errors import Forbidden, InvalidInput, NoOccupant, NotFound
from core.models import ConsentRecord, Dwelling, OccupancyKind
from core.services.consumption.manager_consumption import MonthsAsked, managed_daily_series, managed_months
from core.services.managers.occupancies import record_move_in, record_move_out
from core.services.managers.paper_consents import record_paper_consent
from core.services.occupancy.consents import ConsentAnswer, answer_consent, my_consent
from tests.support.factories import NOW


async def note(application: Application, viewer: Viewer, dwelling: int, **answer: Any) -> Any:
    return await record_paper_consent(application, viewer, dwelling, visitor=NOBODY, now=NOW, **answer)


@pytest.mark.requirement("C-17", "CN-08", "R-121")
async def test_a_consent_needs_its_paper_and_never_turns_a_refusal(
    application: Application, manager: Viewer, resident: Any, posted: Any
) -> None:
    """With evidence it counts and the occupant is notified; after the occupant's refusal it is refused, and
    so it is after a withdrawal on paper.
    """
    claire, dwelling = await resident(), (await Dwelling.get()).id
    for paper in (None, "  ", "x" * 201):
        with pytest.raises(InvalidInput):
            await note(application, manager, dwelling, granted=True, evidence_reference=paper)
    view = await note(application, manager, dwelling, granted=True, evidence_reference=" dossier 12 ")
    assert (view.answer, view.by_manager) == (ConsentAnswer.GRANTED, True)
    assert [recipient for recipient, _ in await posted("consent_changed")] == ["claire.martin@example.org"]
    assert (await ConsentRecord.get()).evidence_reference == "dossier 12"
    await note(application, manager, dwelling, granted=False)
    with pytest.raises(ConsentNotTheManagers):
        await note(application, manager, dwelling, granted=True, evidence_reference="dossier 13")
    await answer_consent(application, claire, dwelling, granted=True, visitor=NOBODY, now=NOW)
    await answer_consent(application, claire, dwelling, granted=False, visitor=NOBODY, now=NOW)
    with pytest.raises(ConsentNotTheManagers):
        await note(application, manager, dwelling, granted=True, evidence_reference="dossier 14")
    assert (await my_consent(application, claire, dwelling)).answer is ConsentAnswer.REFUSED


@pytest.mark.requirement("C-17")
async def test_an_answer_on_paper_is_the_present_occupants(
    application: Application, manager: Viewer, add_home: Any, posted: Any
) -> None:
    """Somebody without an account may consent on paper and gets no e-mail; nobody does where nobody lives."""
    dwelling = await add_home("13", date(2026, 1, 1))
    view = await note(application, manager, dwelling, granted=True, evidence_reference="dossier 12")
    assert view.answer is ConsentAnswer.GRANTED
    assert await posted("consent_changed") == []
    await record_move_out(
        application, manager, dwelling, last_day=date(2026, 11, 21), visitor=NOBODY, now=NOW
    )
    for empty in (dwelling, await add_home("14")):
        with pytest.raises(NoOccupant):
            await note(application, manager, empty, granted=True, evidence_reference="dossier 12")


@pytest.mark.requirement("CN-07")
async def test_a_consent_on_paper_opens_the_days_after_it(
    application: Application, manager: Viewer, resident: Any
) -> None:
    """A refusal is not outwitted by a move that is recorded afterwards: no day before the paper opens."""
    claire, dwelling = await resident(), (await Dwelling.get()).id
    await answer_consent(application, claire, dwelling, granted=False, visitor=NOBODY, now=NOW)
    moved_out, moved_in = date(2026, 8, 29), date(2026, 8, 30)
    await record_move_out(application, manager, dwelling, last_day=moved_out, visitor=NOBODY, now=NOW)
    await record_move_in(
        manager, dwelling, kind=OccupancyKind.TENANT, first_day=moved_in, visitor=NOBODY, now=NOW
    )
    await note(application, manager, dwelling, granted=True, evidence_reference="dossier 12")
    later = NOW + timedelta(days=2)
    series = partial(managed_daily_series, manager, dwelling, Fluid.COLD_WATER, visitor=NOBODY, now=later)
    for first in (None, moved_in, date(2026, 11, 21)):
        assert [point.day.day for point in await series(first=first)] == [22, 23, 24]
    (months,) = await managed_months(manager, [MonthsAsked(dwelling, Fluid.COLD_WATER)], now=later)
    assert months[-1].month == Month(2026, 11)


async def test_answers_are_recorded_by_the_manager_of_the_residence(
    application: Application, stranger: Viewer, resident: Any
) -> None:
    """Another manager finds no dwelling; a resident answers for themselves, not on paper."""
    dwelling = (await Dwelling.get()).id
    with pytest.raises(NotFound):
        await note(application, stranger, dwelling, granted=False)
    with pytest.raises(Forbidden):
        await note(application, await resident(), dwelling, granted=False)

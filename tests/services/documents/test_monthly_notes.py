"""Monthly notes on consumption: whose, of which days, each once, in time, and what is missing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from core.access import SYSTEM, Viewer
from core.bootstrap import Application
from core.consumption import Month, Quality
from core.consumption.fluids import Fluid
from core.consumption.notes import FluidNote, WhyMissing
from core.documents.note_values import MonthlyNote, month_of_json
from core.errors import Forbidden, InvalidInput
from core.metering import Registry
from core.models import (
    Account,
    Document,
    Dwelling,
    Meter,
    Occupancy,
    OccupancyKind,
    OutboxMessage,
    Residence,
)
from core.operators import ConsumptionNotes
from core.services.documents import note_plans
from core.services.documents.due_notes import make_due_notes
from core.services.documents.monthly_notes import NotesMade, make_monthly_notes
from core.services.documents.note_status import WhyNoNote, missing_notes
from core.services.operation.retention import purge
from core.telemetry import metrics
from notifications.texts.render import render
from tests.services.documents.conftest import consume
from tests.support import factories
from tests.support.attack import watched

OCTOBER = Month(2026, 10)
NOVEMBER_2 = datetime(2026, 11, 2, 6, 40, tzinfo=UTC)
NOVEMBER_5 = datetime(2026, 11, 5, 0, 30, tzinfo=UTC)
NOVEMBER_15 = datetime(2026, 11, 15, 8, 10, tzinfo=UTC)


async def make(application: Application, *, now: datetime = NOVEMBER_5, **more: Any) -> NotesMade:
    return await make_monthly_notes(application, SYSTEM, OCTOBER, now=now, **more)


async def notes() -> list[MonthlyNote]:
    rows = await Document.all().order_by("dwelling_id", "shown_from")
    return [month_of_json(row.figures) for row in rows if row.figures is not None]


async def hot_water() -> FluidNote:
    (note,) = await notes()
    (fluid,) = note.fluids
    return fluid


async def read_two_years(meter: Meter) -> None:
    """100 litres a day in 2025, 80 until September 2026, 120 in October, and some of November."""
    await consume(meter, date(2025, 1, 1), date(2025, 12, 31), daily=100)
    await consume(meter, date(2026, 1, 1), date(2026, 9, 30), daily=80)
    await consume(meter, date(2026, 10, 1), date(2026, 10, 31), daily=120)
    await consume(meter, date(2026, 11, 1), date(2026, 11, 4), daily=500)


@pytest.mark.requirement("FR-01", "FR-02", "EED-01", "EED-10")
async def test_a_note_has_the_month_its_comparisons_and_the_year(
    application: Application, claires_home: Dwelling
) -> None:
    """The month, the one before, the same of last year, and the calendar year so far; each of whole days."""
    await read_two_years(await Meter.get())
    done = await make(application)
    assert (done.made, done.dwellings, done.of, done.unread) == (1, 1, 1, 0)
    one = await hot_water()
    assert [
        (figure.amount, figure.complete)
        for figure in (one.month, one.previous_month, one.month_of_last_year, one.year_to_date)
    ] == [(3_720, True), (2_400, True), (3_100, True), (273 * 80 + 3_720, True)]
    document = await Document.get()
    assert (document.period_on, document.shown_from) == (date(2026, 10, 1), date(2026, 10, 31))
    assert (document.language, document.file_name) == ("fr", "consommations-2026-10.pdf")


async def test_the_year_begins_again_in_january(application: Application, claires_home: Dwelling) -> None:
    """The figure of the year is that of the calendar year (FR-02)."""
    meter = await Meter.get()
    await consume(meter, date(2025, 12, 1), date(2026, 1, 31), daily=100)
    now = datetime(2026, 2, 5, 9, tzinfo=UTC)
    await make_monthly_notes(application, SYSTEM, Month(2026, 1), now=now)
    one = await hot_water()
    assert (one.month.amount, one.previous_month.amount, one.year_to_date.amount) == (3_100, 3_100, 3_100)


@pytest.mark.requirement("EED-09")
async def test_a_newcomers_note_is_compared_with_nobody_elses_months(
    application: Application, claires_home: Dwelling
) -> None:
    """Of who moved in on 11 October it holds the days since, and no figure of the time before."""
    await read_two_years(await Meter.get())
    await Occupancy.all().update(move_in=date(2026, 10, 11))
    await make(application)
    (note,) = await notes()
    assert (note.first, note.last, note.year_first) == (
        date(2026, 10, 11),
        date(2026, 10, 31),
        date(2026, 10, 11),
    )
    (one,) = note.fluids
    assert (one.month.amount, one.month.complete, one.year_to_date.amount) == (21 * 120, True, 21 * 120)
    assert one.previous_month.why is one.month_of_last_year.why is WhyMissing.OTHER_OCCUPANCY


@pytest.mark.requirement("EED-09")
async def test_a_month_of_two_occupants_is_two_notes(
    application: Application, claires_home: Dwelling
) -> None:
    """Each of the own days; a predecessor without an account, whom nothing can reach, gets none."""
    await read_two_years(await Meter.get())
    await Occupancy.all().update(move_out=date(2026, 10, 11))
    number = await factories.account(email="paul@example.org", first_name="Paul")
    paul = await Occupancy.create(
        dwelling_id=claires_home.id, account_id=number, kind=OccupancyKind.TENANT, move_in=date(2026, 10, 11)
    )
    assert (await make(application)).made == 2
    claire, new = await notes()
    assert (claire.fluids[0].month.amount, new.fluids[0].month.amount) == (10 * 120, 21 * 120)
    assert claire.fluids[0].month_of_last_year.amount == 3_100
    assert new.fluids[0].month_of_last_year.amount is None
    assert [row.account_id for row in await OutboxMessage.all().order_by("id")][1] == number
    await Document.all().delete()
    await Occupancy.exclude(id=paul.id).update(account_id=None)
    assert (await make(application)).made == 1
    assert (await Document.get()).occupancy_id == paul.id


async def test_a_renewed_lease_is_one_occupancy(application: Application, claires_home: Dwelling) -> None:
    """One note, and comparisons over both leases."""
    await read_two_years(await Meter.get())
    first = await Occupancy.get()
    await Occupancy.all().update(move_out=date(2026, 10, 15))
    await Occupancy.create(
        dwelling_id=claires_home.id,
        account_id=first.account_id,
        kind=OccupancyKind.OWNER_OCCUPIER,
        move_in=date(2026, 10, 15),
    )
    assert (await make(application)).made == 1
    one = await hot_water()
    assert (one.month.amount, one.month_of_last_year.amount) == (3_720, 3_100)
    assert (await make(application)).made == 0
    assert await missing_notes(application, SYSTEM, OCTOBER, now=NOVEMBER_15) == []


async def test_each_note_is_made_once(application: Application, claires_home: Dwelling) -> None:
    """By a second run, and by two at the same time."""
    await read_two_years(await Meter.get())
    await asyncio.gather(make(application), make(application))
    await make(application)
    assert await Document.all().count() == 1
    assert await OutboxMessage.all().count() == 1


async def test_the_message_has_a_link_and_no_figure(application: Application, claires_home: Dwelling) -> None:
    """It goes to the account, whatever its switches say, since the law asks for it; in its language."""
    await read_two_years(await Meter.get())
    await Account.all().update(language="en")
    await make(application)
    row = await OutboxMessage.get()
    assert row.expires_at is None
    assert row.document_id == (await Document.get()).id
    message = render(row.template, row.language, row.values)
    assert message.subject == "ISI HABITAT: your consumption in October 2026"
    assert message.text.endswith("/documents")
    assert not any(sign.isdigit() for sign in message.text.replace("October 2026", "").partition("http")[0])
    french = {**row.values, "of_month": "d'octobre 2026"}
    assert render(row.template, "fr", french).subject == "ISI HABITAT : vos consommations d'octobre 2026"


@pytest.mark.requirement("FR-06")
async def test_which_fluids_are_noted(
    application: Application, claires_home: Dwelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heat and hot water; cold water where the operator adds it, and else no note of cold water alone."""
    meter = await Meter.get()
    await read_two_years(meter)
    await Meter.all().update(fluid=Fluid.COLD_WATER)
    assert await make(application) == NotesMade()
    assert await missing_notes(application, SYSTEM, OCTOBER, now=NOVEMBER_15) == []
    profile = application.registry.profile("ocea")
    assert profile is not None
    added = replace(profile, notes=ConsumptionNotes(fluids=frozenset({Fluid.COLD_WATER})))
    monkeypatch.setattr(Registry, "profile", lambda _registry, _code: added)
    assert (await make(application)).made == 1
    assert (await hot_water()).fluid is Fluid.COLD_WATER


async def test_a_meter_that_was_removed_before_is_not_noted(
    application: Application, claires_home: Dwelling
) -> None:
    """A fluid without a meter in the month has no line, and no dwelling is missing for it."""
    await Meter.all().update(removed_at=datetime(2026, 9, 1, tzinfo=UTC))
    assert (await make(application)).made == 0
    assert await missing_notes(application, SYSTEM, OCTOBER, now=NOVEMBER_15) == []


@pytest.mark.parametrize(
    "changed", [{"published_at": None}, {"remote_reading": False}], ids=["not published", "not remote"]
)
async def test_only_published_residences_have_notes(
    application: Application, claires_home: Dwelling, changed: dict[str, Any]
) -> None:
    """Since the decree is about remote reading, and nobody can register before the publication."""
    await read_two_years(await Meter.get())
    await Residence.all().update(**changed)
    assert (await make(application)).made == 0


async def test_a_month_must_be_over_everywhere(application: Application, claires_home: Dwelling) -> None:
    """Also west of Greenwich; and nobody but the application makes notes."""
    with pytest.raises(InvalidInput):
        await make(application, now=datetime(2026, 11, 1, 11, 59, tzinfo=UTC))
    await make(application, now=datetime(2026, 11, 1, 12, tzinfo=UTC))
    with pytest.raises(Forbidden):
        await make_monthly_notes(application, Viewer(role=SYSTEM.role.RESIDENT), OCTOBER, now=NOVEMBER_5)


async def test_a_note_says_which_figures_lack_days(application: Application, claires_home: Dwelling) -> None:
    """A day that is missing or partial, and how many are estimated."""
    meter = await Meter.get()
    await read_two_years(meter)
    await consume(meter, date(2026, 10, 3), date(2026, 10, 4), daily=120, quality=Quality.ESTIMATED)
    await consume(meter, date(2026, 9, 30), date(2026, 9, 30), daily=10, quality=Quality.PARTIAL)
    await make(application)
    one = await hot_water()
    assert (one.month.complete, one.month.estimated_days) == (True, 2)
    assert (one.previous_month.complete, one.year_to_date.complete) == (False, False)


@pytest.mark.requirement("EED-01")
async def test_notes_are_made_by_the_5th_and_the_missing_ones_named_from_the_15th(
    application: Application, claires_home: Dwelling, add_homes: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """On the 2nd those that are complete, on the 5th with what was read, and on the 15th who has none."""
    partly, unread = await add_homes(2)
    await read_two_years(await Meter.get(dwelling_id=claires_home.id))
    await consume(partly, date(2026, 10, 1), date(2026, 10, 20), daily=50)
    assert await make_due_notes(application, now=NOVEMBER_2.replace(hour=9)) == NotesMade()
    done = await make_due_notes(application, now=NOVEMBER_2)
    assert (done.made, done.waiting, done.unread) == (1, 1, 1)
    done = await make_due_notes(application, now=NOVEMBER_5)
    assert (done.made, done.waiting, done.unread) == (1, 0, 1)
    assert [note.fluids[0].month.complete for note in await notes()] == [True, False]
    assert metrics.REGISTRY.get_sample_value("submeter_notes_missing") == 0
    assert "no note" not in caplog.text
    await make_due_notes(application, now=NOVEMBER_15)
    assert metrics.REGISTRY.get_sample_value("submeter_notes_missing") == 1
    place = (await Dwelling.get(id=unread.dwelling_id)).number
    assert f"1 dwellings have no note of 2026-10: AA000 {place} (NOT_READ)" in caplog.text
    (missing,) = await missing_notes(application, SYSTEM, OCTOBER, now=NOVEMBER_15)
    assert (missing.dwelling_id, missing.why) == (unread.dwelling_id, WhyNoNote.NOT_READ)
    await consume(unread, date(2026, 10, 1), date(2026, 10, 31), daily=50)
    (missing,) = await missing_notes(application, SYSTEM, OCTOBER, now=NOVEMBER_15)
    assert missing.why is WhyNoNote.NOT_MADE
    assert (await make_due_notes(application, now=NOVEMBER_15)).made == 1
    assert await missing_notes(application, SYSTEM, OCTOBER, now=NOVEMBER_15) == []


async def test_a_note_that_was_made_does_not_change(application: Application, claires_home: Dwelling) -> None:
    """Whatever is read, corrected or withdrawn later."""
    meter = await Meter.get()
    await read_two_years(meter)
    await make(application)
    before = (await Document.get()).figures
    await consume(meter, date(2026, 10, 1), date(2026, 10, 31), daily=999)
    await make(application)
    assert (await Document.get()).figures == before


async def test_a_run_that_was_killed_goes_on_where_it_was(
    application: Application,
    claires_home: Dwelling,
    add_homes: Callable[..., Awaitable[list[Meter]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Chunks that were committed remain; each note and message is there once in the end."""
    monkeypatch.setattr(note_plans, "CHUNK", 5)
    await read_two_years(await Meter.get(dwelling_id=claires_home.id))
    for meter in await add_homes(22):
        await consume(meter, date(2026, 10, 1), date(2026, 10, 31), daily=10)
    reached: list[NotesMade] = []

    def killed(done: NotesMade) -> None:
        reached.append(done)
        if len(reached) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await make(application, progress=killed)
    assert [(one.made, one.dwellings, one.of) for one in reached] == [(5, 5, 23), (10, 10, 23)]
    assert await Document.all().count() == 10
    done = await make(application)
    assert (done.made, done.of) == (13, 13)
    rows = await Document.all().values_list("occupancy_id", flat=True)
    assert len(rows) == len(set(rows)) == 23
    assert await OutboxMessage.all().count() == 1  # Claire's


async def test_a_chunk_that_fails_leaves_nothing_behind(
    application: Application, claires_home: Dwelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a note without its message, nor a message without its note."""
    await read_two_years(await Meter.get())

    async def broken(*_arguments: Any, **_options: Any) -> None:
        raise OSError("the machine stopped")

    with monkeypatch.context() as patched:
        patched.setattr(OutboxMessage, "bulk_create", broken)
        with pytest.raises(OSError, match="stopped"):
            await make(application)
    assert await Document.all().count() == 0
    assert (await make(application)).made == 1
    assert await OutboxMessage.all().count() == 1


async def test_statements_do_not_grow_with_the_dwellings_of_a_chunk(
    application: Application,
    claires_home: Dwelling,
    add_homes: Callable[..., Awaitable[list[Meter]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many for three dwellings as for forty."""
    taken = []
    for homes in (3, 40):
        for meter in await add_homes(homes):
            await consume(meter, date(2026, 10, 1), date(2026, 10, 31), daily=10)
        with monkeypatch.context() as patched, watched(patched) as work:
            assert (await make(application)).made == homes
        taken.append(len(work.statements))
    assert taken[0] == taken[1] <= 20


@pytest.mark.requirement("FR-03")
async def test_the_proof_of_sending_outlives_text_and_account(
    application: Application, claires_home: Dwelling
) -> None:
    """Channel and time remain, of nobody that can be named."""
    await read_two_years(await Meter.get())
    await make(application)
    await OutboxMessage.all().update(state="SENT", sent_at=NOVEMBER_5)
    await Occupancy.all().update(move_out=date(2026, 12, 1), access_until=date(2026, 12, 31))
    gone = await purge(application.settings, now=datetime(2027, 2, 1, tzinfo=UTC))
    assert gone["accounts"] == 1
    (row,) = await OutboxMessage.all()
    assert (row.account_id, row.recipient, row.values) == (None, None, {})
    assert (row.channel.value, row.sent_at) == ("EMAIL", NOVEMBER_5)
    assert row.document_id == (await Document.get()).id

"""Notes as PDF, opened by other software; the batch that is printed; and what became of each note."""

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from core.access import NOBODY, SYSTEM, Act, Role, Viewer
from core.bootstrap import Application
from core.consumption import Month
from core.errors import Forbidden, InvalidInput, NotFound
from core.models import Account, Document, Dwelling, MessageState, Meter, Occupancy, OutboxMessage
from core.services.documents import note_files
from core.services.documents.files import document_file
from core.services.documents.monthly_notes import make_monthly_notes
from core.services.documents.note_files import printed_batch
from core.services.documents.note_status import NoteDelivery, missing_notes, note_states
from core.services.documents.seen import document_seen
from core.services.places.key_encryption import KeyEncryption
from core.services.shared.audit import acts_on
from tests.services.documents.conftest import consume
from tests.support import factories
from tests.support.factories import NOW

OCTOBER = Month(2026, 10)
MADE = datetime(2026, 11, 5, 9, tzinfo=UTC)


def texts(content: bytes) -> list[str]:
    """The text of each page, its lines joined."""
    pages = PdfReader(io.BytesIO(content)).pages
    return [" ".join(page.extract_text().replace("\u00a0", " ").split()) for page in pages]


async def make(application: Application) -> None:
    await make_monthly_notes(application, SYSTEM, OCTOBER, now=MADE)


async def of_claire(application: Application) -> bytes:
    """Claire's note, as she fetches it."""
    account = await Account.get(email="claire.martin@example.org")
    viewer = Viewer(role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id)
    view = await document_seen(viewer, (await Document.get()).id, now=NOW)
    return (await document_file(application, view)).content


async def printed(
    application: Application, viewer: Viewer = SYSTEM, residence: int | None = None, **more: Any
) -> list[str]:
    number = residence or (await Dwelling.first()).residence_id  # type: ignore[union-attr]
    options = {"again": False, **more}
    count, content = await printed_batch(
        application, viewer, number, OCTOBER, visitor=NOBODY, now=NOW, **options
    )
    found = texts(content)
    assert count == len(found)  # a page each
    return found


@pytest.mark.requirement("FR-02")
@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "fr",
            (
                "Note d'information sur vos consommations",
                "Octobre 2026. Du 01/10/2026 au 31/10/2026.",
                "octobre 2026 septembre 2026 octobre 2025 Depuis le 01/01/2026",
                "Eau chaude 3,72 m3 2,40 m3 ce mois : +55 % 3,10 m3 ce mois : +20 % 25,56 m3",
                "R. 241-14-1",
                "bâtiment A, escalier 1, étage 2, porte 12, lot 104",
            ),
        ),
        (
            "en",
            (
                "Note on your consumption",
                "October 2026. From 1 October 2026 to 31 October 2026.",
                "October 2026 September 2026 October 2025 Since 1 January 2026",
                "Hot water 3.72 m3 2.40 m3 this month: +55% 3.10 m3 this month: +20% 25.56 m3",
                "article R. 241-14-1 of the French energy code",
                "building A, staircase 1, floor 2, door 12, lot 104",
            ),
        ),
    ],
)
async def test_a_note_in_the_language_of_its_account(
    application: Application, claires_home: Dwelling, language: str, expected: tuple[str, ...]
) -> None:
    """All figures of a page: 31 days of 120 litres, 30 of 80, 31 of 100, and 273 of 80 with October's."""
    meter = await Meter.get()
    await consume(meter, date(2025, 10, 1), date(2025, 10, 31), daily=100)
    await consume(meter, date(2026, 1, 1), date(2026, 9, 30), daily=80)
    await consume(meter, date(2026, 10, 1), date(2026, 10, 31), daily=120)
    await Account.all().update(language=language)
    await make(application)
    content = await of_claire(application)
    (page,) = texts(content)
    for text in expected:
        assert text in page
    assert "*" not in page
    reader = PdfReader(io.BytesIO(content))
    assert reader.metadata is not None
    assert reader.metadata.author == "OCEA Smart Building"
    assert reader.trailer["/Root"]["/Lang"] == language  # for screen readers (PDF/UA-1, 7.2)


async def test_the_same_note_is_the_same_bytes(application: Application, claires_home: Dwelling) -> None:
    """Whenever it is fetched, and whatever was read since; so its digest can be published."""
    meter = await Meter.get()
    await consume(meter, date(2026, 10, 1), date(2026, 10, 31), daily=120)
    await make(application)
    first = await of_claire(application)
    await consume(meter, date(2026, 10, 1), date(2026, 10, 31), daily=7)
    assert await of_claire(application) == first


@pytest.mark.requirement("EED-09")
async def test_missing_figures_are_named_and_never_0(
    application: Application, claires_home: Dwelling
) -> None:
    """Before the move-in, not read, and days that are missing."""
    await consume(await Meter.get(), date(2026, 10, 5), date(2026, 10, 31), daily=100)
    await make(application)
    (page,) = texts(await of_claire(application))
    assert "Eau chaude 2,70 m3 * non relevé non relevé 2,70 m3 *" in page
    assert "* Des jours manquent" in page
    await Document.all().delete()
    await Occupancy.all().update(move_in=date(2026, 10, 2))
    await make(application)
    (page,) = texts(await of_claire(application))
    assert "Eau chaude 2,70 m3 * avant votre arrivée avant votre arrivée 2,70 m3 *" in page
    assert "Du 02/10/2026 au 31/10/2026." in page


async def test_an_owner_who_lives_elsewhere_sees_no_note(
    application: Application, claires_home: Dwelling
) -> None:
    """Nor do staff (C-01); a manager sees months (CN-01)."""
    await consume(await Meter.get(), date(2026, 10, 1), date(2026, 10, 31), daily=100)
    await make(application)
    number, document = await factories.account(email="luc@example.org"), await Document.get()
    await Occupancy.create(
        dwelling_id=claires_home.id,
        account_id=number,
        kind="OWNER_NON_OCCUPANT",
        move_in=date(2020, 1, 1),
    )
    account = await Account.get(id=number)
    for viewer in (
        Viewer(role=Role.RESIDENT, account_id=number, operator_id=account.operator_id),
        Viewer(role=Role.STAFF, account_id=number, operator_id=account.operator_id),
    ):
        with pytest.raises(NotFound):
            await document_seen(viewer, document.id, now=NOW)


@pytest.mark.requirement("EED-10")
async def test_who_has_no_account_gets_the_note_on_paper(
    application: Application, claires_home: Dwelling, gestion: Viewer, add_homes: Any
) -> None:
    """A page each, by place, with how to register; not of who is reached by e-mail, nor of who has left."""
    await consume(await Meter.get(), date(2026, 10, 1), date(2026, 10, 31), daily=100)
    meters = await add_homes(3)
    for meter in meters:
        await consume(meter, date(2026, 10, 1), date(2026, 10, 31), daily=200)
    await make(application)
    assert await Document.all().count() == 4
    leaving = Occupancy.filter(dwelling_id=meters[0].dwelling_id)
    await leaving.update(move_out=date(2026, 11, 20))
    pages = await printed(application, gestion)
    assert ["00002" in page or "00003" in page for page in pages] == [True, True]
    assert all("6,20 m3" in page and "espace-resident-inscription" in page for page in pages)
    states = {one.place: one for one in await note_states(gestion, claires_home.residence_id, OCTOBER)}
    assert [one.delivery for one in states.values()] == [
        NoteDelivery.TO_PRINT,
        NoteDelivery.PRINTED,
        NoteDelivery.PRINTED,
        NoteDelivery.QUEUED,
    ]
    assert states["00002"].at == NOW
    with pytest.raises(NotFound):
        await printed(application, gestion)
    assert len(await printed(application, gestion, again=True)) == 2
    first, _again = await acts_on(SYSTEM, act=Act.NOTES_PRINTED)
    assert (first.details["notes"], first.details["month"]) == (2, "2026-10")


@pytest.mark.requirement("FR-03")
async def test_the_proof_of_each_note(
    application: Application, claires_home: Dwelling, gestion: Viewer
) -> None:
    """Queued, then sent with its time; if every e-mail failed, it is to be printed, with the reason."""
    await consume(await Meter.get(), date(2026, 10, 1), date(2026, 10, 31), daily=100)
    await make(application)
    residence = claires_home.residence_id
    (one,) = await note_states(gestion, residence, OCTOBER)
    assert (one.delivery, one.channel, one.at, one.failure) == (NoteDelivery.QUEUED, "EMAIL", MADE, None)
    await OutboxMessage.all().update(state=MessageState.FAILED, failure="SMTP_550")
    (one,) = await note_states(gestion, residence, OCTOBER)
    assert (one.delivery, one.failure) == (NoteDelivery.TO_PRINT, "SMTP_550")
    assert len(await printed(application, gestion)) == 1
    await OutboxMessage.all().update(state=MessageState.SENT, sent_at=NOW)
    (one,) = await note_states(gestion, residence, OCTOBER)
    assert (one.delivery, one.channel, one.at) == (NoteDelivery.SENT, "EMAIL", NOW)


async def test_who_may_print(
    application: Application,
    claires_home: Dwelling,
    gestion: Viewer,
    key_encryption: KeyEncryption,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Managers and staff in charge; for all others there is no such residence, and residents may not ask."""
    await consume(await Meter.get(), date(2026, 10, 1), date(2026, 10, 31), daily=100)
    await Occupancy.all().update(account_id=None)
    await make(application)
    account = await Account.get(email="gestion@example.org")
    staff = Viewer(role=Role.STAFF, account_id=account.id, operator_id=account.operator_id)
    for viewer in (gestion, staff, SYSTEM):
        assert len(await printed(application, viewer, again=True)) == 1
    stranger = Viewer(role=Role.MANAGER, account_id=await factories.account(email="x@example.org"))
    elsewhere = Viewer(role=Role.STAFF, account_id=account.id, operator_id=account.operator_id + 1)
    residence = claires_home.residence_id
    for viewer in (stranger, elsewhere):
        with pytest.raises(NotFound):
            await printed(application, viewer, again=True)
        with pytest.raises(NotFound):
            await note_states(viewer, residence, OCTOBER)
        for place in (residence, None):
            with pytest.raises(NotFound):
                await missing_notes(application, viewer, OCTOBER, residence_id=place, now=NOW)
    with pytest.raises(Forbidden):
        await printed(application, Viewer(role=Role.RESIDENT, account_id=account.id), again=True)
    monkeypatch.setattr(note_files, "MOST_PAGES", 0)
    with pytest.raises(InvalidInput):
        await printed(application, gestion, again=True)
    assert len(await printed(application, SYSTEM, again=True)) == 1

"""After a move each side has an index certificate of its own; each is made once, whatever happens."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import x509
from tortoise.transactions import in_transaction

from core.access import NOBODY, SYSTEM, Act, Role, Viewer
from core.bootstrap import Application
from core.documents.signing import make_identity, path_of
from core.errors import NotFound
from core.models import Account, Dwelling, IssuedPaper, Meter, Occupancy, OccupancyKind, PaperSide
from core.services.certificates import moves
from core.services.certificates.moves import WAIT, certify_moves
from core.services.certificates.papers import open_paper, papers_by_dwelling
from core.services.managers.occupancies import record_move_in, record_move_out
from core.services.operation.jobs import run_due
from core.services.places.key_encryption import KeyEncryption
from core.services.places.managed_residences import grant_residence
from core.services.shared import time_series
from core.services.shared.audit import acts_on
from notifications.texts.render import render
from tests.support import factories
from tests.support.factories import NOW
from tests.support.signatures import certificate_at, is_genuine, text_of

LAST, FIRST = date(2026, 11, 20), date(2026, 11, 21)
MIDNIGHT = datetime(2026, 11, 20, 23, tzinfo=UTC)
"""In Paris, after Claire's last day."""

Read = Callable[..., Awaitable[None]]


@pytest.fixture
def trusted(application: Application) -> x509.Certificate:
    path = path_of(application.settings, factories.OPERATOR)
    make_identity(path, "OCEA Smart Building", now=NOW - timedelta(days=60))
    return certificate_at(path, now=NOW)


@pytest.fixture
async def moved(application: Application, key_encryption: KeyEncryption, trusted: x509.Certificate) -> int:
    """Claire left on the 20th, Luc, who reads English, moved in on the 21st."""
    await factories.residence(key_encryption, factories.meter())
    luc = await factories.account(email="luc@example.org", first_name="Luc")
    await Account.filter(id=luc).update(language="en")
    number = int((await Dwelling.get()).id)
    await Occupancy.all().update(move_out=FIRST)
    await Occupancy.create(dwelling_id=number, account_id=luc, kind=OccupancyKind.TENANT, move_in=FIRST)
    return number


@pytest.fixture
def read() -> Read:
    """Stores an index of the meter."""

    async def store(at: datetime, index: int) -> None:
        at_s, meter = int(at.timestamp()), (await Meter.get()).id
        row = time_series.ReadingRow(meter, at_s, index, 0, at_s, at_s)
        async with in_transaction() as connection:
            await factories.store_readings(connection, [row])

    return store


async def copies() -> dict[PaperSide | None, IssuedPaper]:
    return {paper.side: paper for paper in await IssuedPaper.all()}


async def test_both_sides_get_a_copy_and_an_e_mail(
    application: Application, moved: int, read: Read, posted: Any, trusted: x509.Certificate
) -> None:
    """Once the meter was read after midnight: the index before it, each copy in its reader's language with a
    code of its own, and an e-mail for each that names neither.
    """
    await read(MIDNIGHT - timedelta(seconds=1), 12_345)
    assert await certify_moves(application, now=MIDNIGHT + timedelta(hours=8)) == 0
    await read(MIDNIGHT, 12_346)
    now = MIDNIGHT + timedelta(hours=9)
    assert await certify_moves(application, now=now) == 2
    made = await copies()
    outgoing, incoming = (bytes(made[side].content) for side in (PaperSide.OUTGOING, PaperSide.INCOMING))
    for content in (outgoing, incoming):
        assert is_genuine(content, trusted, now=NOW)
        for name in ("Claire", "Martin", "Luc"):
            assert name not in text_of(content)
    assert "de l'occupant sortant" in text_of(outgoing)
    assert "12,345 m3 20/11/2026 23:59 relevé le jour même" in text_of(outgoing)
    assert "of the incoming occupant" in text_of(incoming)
    assert "12.345 m3 2026-11-20 23:59 read on the day" in text_of(incoming)
    letters = dict(await posted("index_certificate"))
    assert set(letters) == {"claire.martin@example.org", "luc@example.org"}
    french = render("index_certificate", "fr", letters["claire.martin@example.org"])
    english = render("index_certificate", "en", letters["luc@example.org"])
    assert "au 20/11/2026" in french.text
    assert "on 20 November 2026" in english.text
    codes = [str(values["code"]) for values in letters.values()]
    assert len(set(codes)) == 2
    for code, letter in zip(codes, (french, english), strict=True):
        assert letter.text.count(code) == 2  # itself, and in the address that verifies it
    assert [entry.details["side"] for entry in await acts_on(SYSTEM, act=Act.PAPER_ISSUED)] == [
        "INCOMING",
        "OUTGOING",
    ]


async def test_each_reads_the_own_copy_and_the_manager_both(
    application: Application, moved: int, read: Read, resident: Any
) -> None:
    """Neither side sees that the other's exists; the residence's manager can print both."""
    await read(MIDNIGHT, 12_346)
    await certify_moves(application, now=NOW)
    claire, luc = await resident(), await resident("luc@example.org")
    made = await copies()
    for viewer, own, other in (
        (claire, PaperSide.OUTGOING, PaperSide.INCOMING),
        (luc, PaperSide.INCOMING, PaperSide.OUTGOING),
    ):
        listed = (await papers_by_dwelling(viewer, [moved]))[moved]
        assert [paper.side for paper in listed] == [own]
        view, _ = await open_paper(application, viewer, made[own].code, now=NOW)
        assert view.sha256 == made[own].sha256
        with pytest.raises(NotFound):
            await open_paper(application, viewer, made[other].code, now=NOW)
    number = await factories.account(email="gestion@example.org", role=Role.MANAGER)
    await grant_residence(
        SYSTEM, email="gestion@example.org", operator_code="ocea", residence_code="AA000", now=NOW
    )
    manager = Viewer(role=Role.MANAGER, account_id=number)
    assert len((await papers_by_dwelling(manager, [moved]))[moved]) == 2
    for paper in made.values():
        await open_paper(application, manager, paper.code, now=NOW)


async def test_it_waits_three_days_and_no_longer(
    application: Application, moved: int, read: Read, resident: Any
) -> None:
    """A meter that is silent since holds nobody up: its last index is certified with its age."""
    await read(MIDNIGHT - timedelta(days=2, hours=1), 12_300)
    assert await certify_moves(application, now=MIDNIGHT + WAIT - timedelta(seconds=1)) == 0
    assert await certify_moves(application, now=MIDNIGHT + WAIT) == 2
    outgoing = (await copies())[PaperSide.OUTGOING]
    assert "12,300 m3 18/11/2026 23:00 relevé 2 jours avant" in text_of(bytes(outgoing.content))


async def test_nothing_is_made_twice(
    application: Application, moved: int, read: Read, posted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By ten runs at once, by the next run, nor after one that was killed between the two copies."""
    await read(MIDNIGHT, 12_346)
    monkeypatch.setattr(moves, "MOST_AT_ONCE", 1)
    assert await certify_moves(application, now=NOW) == 1
    monkeypatch.undo()
    await asyncio.gather(*(certify_moves(application, now=NOW) for _ in range(10)))
    assert await certify_moves(application, now=NOW + timedelta(hours=1)) == 0
    assert set(await copies()) == {PaperSide.OUTGOING, PaperSide.INCOMING}
    assert await IssuedPaper.all().count() == 2
    assert len(await posted("index_certificate")) == 2


async def test_a_gap_between_two_occupancies_has_two_days(
    application: Application, moved: int, read: Read
) -> None:
    """Each side has the day of the own move: what was used while nobody lived there is on neither's bill."""
    await Occupancy.filter(move_in=FIRST).update(move_in=date(2026, 11, 22))
    await read(MIDNIGHT - timedelta(hours=1), 12_345)
    await read(MIDNIGHT + timedelta(hours=20), 12_400)
    await read(MIDNIGHT + timedelta(hours=25), 12_401)
    assert await certify_moves(application, now=MIDNIGHT + timedelta(hours=26)) == 2
    made = await copies()
    assert made[PaperSide.OUTGOING].last_day == LAST
    assert made[PaperSide.INCOMING].last_day == date(2026, 11, 21)
    assert "12,345 m3" in text_of(bytes(made[PaperSide.OUTGOING].content))
    assert "12.400 m3" in text_of(bytes(made[PaperSide.INCOMING].content))


async def test_a_lease_renewed_is_no_move(application: Application, moved: int, read: Read) -> None:
    """Nor is a tenant who became the owner: the same account before and after."""
    claire = (await Account.get(email="claire.martin@example.org")).id
    await Occupancy.filter(move_in=FIRST).update(account_id=claire, kind=OccupancyKind.OWNER_OCCUPIER)
    await read(MIDNIGHT, 12_346)
    assert await certify_moves(application, now=NOW + timedelta(days=4)) == 0


async def test_what_is_no_recent_move_is_left(application: Application, moved: int, read: Read) -> None:
    """A move to come, one of long ago, and a home without a meter on the day."""
    await read(MIDNIGHT, 12_346)
    assert await certify_moves(application, now=MIDNIGHT - timedelta(seconds=1)) == 0
    assert await certify_moves(application, now=NOW + timedelta(days=40)) == 0
    await Meter.all().update(installed_at=MIDNIGHT + timedelta(hours=10))
    assert await certify_moves(application, now=NOW + timedelta(days=4)) == 0


async def test_who_has_no_account_gets_a_paper_and_no_e_mail(
    application: Application, moved: int, read: Read, posted: Any
) -> None:
    """The manager prints it; whoever registers later for these days finds it."""
    await Occupancy.filter(move_in=FIRST).update(account_id=None)
    await read(MIDNIGHT, 12_346)
    assert await certify_moves(application, now=NOW) == 2
    assert [recipient for recipient, _ in await posted("index_certificate")] == ["claire.martin@example.org"]
    luc = await Account.get(email="luc@example.org")
    await Occupancy.filter(move_in=FIRST).update(account_id=luc.id)
    viewer = Viewer(role=Role.RESIDENT, account_id=luc.id, operator_id=luc.operator_id)
    assert len((await papers_by_dwelling(viewer, [moved]))[moved]) == 1


async def test_an_operator_that_cannot_sign_holds_no_other_up(
    application: Application, moved: int, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    """The job goes on, says which file is missing, and makes the copies once it is there."""
    await read(MIDNIGHT, 12_346)
    path = path_of(application.settings, factories.OPERATOR)
    path.rename(path.with_suffix(".away"))
    caplog.set_level("WARNING")
    assert await run_due(application, now=NOW)
    assert str(path) in caplog.text
    assert await IssuedPaper.all().count() == 0
    path.with_suffix(".away").rename(path)
    await run_due(application, now=NOW + timedelta(hours=1))
    assert await IssuedPaper.all().count() == 2


async def test_a_move_that_is_recorded_is_certified(
    application: Application, key_encryption: KeyEncryption, trusted: x509.Certificate, read: Read
) -> None:
    """Entered ahead of the day, put off, and followed by a successor: one copy each, of the day that held."""
    await factories.residence(key_encryption, factories.meter())
    number = int((await Dwelling.get()).id)
    entered = MIDNIGHT - timedelta(days=10)
    for last in (date(2026, 11, 15), LAST):
        await record_move_out(application, SYSTEM, number, last_day=last, visitor=NOBODY, now=entered)
    await record_move_in(SYSTEM, number, first_day=FIRST, visitor=NOBODY, now=entered)
    for day in range(12):
        at = entered + timedelta(days=day)
        await read(at, 12_000 + day)
        await run_due(application, now=at + timedelta(hours=1))
    papers = await IssuedPaper.all().order_by("id")
    assert [(paper.side, paper.last_day) for paper in papers] == [
        (PaperSide.OUTGOING, LAST),
        (PaperSide.INCOMING, LAST),
    ]
    assert len(await IssuedPaper.filter(occupancy_id=None)) == 0

"""Residents are notified of new documents once, by the channels that they chose (R-034, C-32)."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from core.access import NOBODY, SYSTEM, Role, Viewer
from core.bootstrap import Application
from core.language import Language
from core.models import (
    Account,
    Channel,
    Document,
    DocumentType,
    Dwelling,
    Occupancy,
    OccupancyKind,
    OutboxMessage,
    Residence,
)
from core.services.documents import deposits
from core.services.documents.content import ContentLost, sha256_of
from core.services.documents.deposits import Announced, NewDocument, receive_upload, withdraw_document
from core.services.documents.file_store import FolderStore
from core.services.documents.new_documents import notify_due, purge_documents
from core.services.operation.retention import purge
from core.services.places.managed_residences import grant_residence
from notifications.texts.render import render
from tests.support import factories
from tests.support.factories import NOW

PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\nstartxref\n9\n%%EOF\n"
CLAIRE = "claire.martin@example.org"


@pytest.fixture
async def manager(application: Application, key_encryption: Any) -> Viewer:
    """The manager of AA000; Claire, its tenant, wants e-mail and SMS about documents."""
    await factories.residence(key_encryption, factories.meter())
    number = await factories.account(email="gestion@example.org", role=Role.MANAGER)
    await grant_residence(
        SYSTEM, email="gestion@example.org", operator_code="ocea", residence_code="AA000", now=NOW
    )
    await Account.filter(email=CLAIRE).update(new_document_by_email=True, new_document_by_sms=True)
    return Viewer(role=Role.MANAGER, account_id=number)


@pytest.fixture
def deposit(application: Application, manager: Viewer) -> Callable[..., Awaitable[Document]]:
    """Deposits a document, past the link."""

    async def deposited(
        content: bytes = PDF, *, at: datetime = NOW, of_residence: bool = False, **more: Any
    ) -> Document:
        home = await Dwelling.first()
        assert home is not None
        place = {"residence_id": home.residence_id} if of_residence else {"dwelling_id": home.id}
        new = NewDocument("Ravalement", DocumentType.WORKS, Language.FR, "avis.pdf", **place, **more)
        upload = await deposits.request_upload(application, manager, new, now=at)
        announced = Announced(manager, upload.document_id, "avis", "")
        await receive_upload(application, announced, content, visitor=NOBODY, now=at)
        return await Document.get(id=upload.document_id)

    return deposited


async def messages() -> list[tuple[str, Channel]]:
    rows = await OutboxMessage.all().order_by("id").select_related("account")
    return sorted((row.account.email, row.channel) for row in rows if row.account)


@pytest.mark.requirement("R-034", "C-32")
async def test_who_asked_for_it_is_notified_by_each_channel(application: Application, deposit: Any) -> None:
    """By e-mail and SMS, with title and link, and no file; the manager, who deposited it, is not."""
    document = await deposit()
    assert await messages() == [(CLAIRE, Channel.EMAIL), (CLAIRE, Channel.SMS)]
    row = await OutboxMessage.get(channel=Channel.EMAIL)
    assert row.document_id == document.id
    message = render(row.template, row.language, row.values)
    assert message.subject == "Nouveau document : Ravalement"
    assert "Résidence Les Tilleuls" in message.text
    assert message.text.endswith("/documents")
    assert render(row.template, "en", row.values).subject == "New document: Ravalement"
    assert await notify_due(application, now=NOW + timedelta(hours=1)) == 0
    assert len(await messages()) == 2


async def test_nobody_is_notified_who_did_not_ask(deposit: Any) -> None:
    """Nothing is ticked in advance (C-16)."""
    await Account.all().update(new_document_by_email=False, new_document_by_sms=False)
    await deposit()
    assert await messages() == []


async def test_a_document_of_the_residence_is_one_message_to_each(
    application: Application, deposit: Any
) -> None:
    """Also to who has two homes there, and to an owner who lives elsewhere; not to who has left."""
    residence = await Residence.get()
    claire = await Account.get(email=CLAIRE)
    second = await Dwelling.create(residence_id=residence.id, number="14")
    await Occupancy.create(
        dwelling_id=second.id, account_id=claire.id, kind=OccupancyKind.TENANT, move_in=date(2026, 1, 1)
    )
    for name, kind, move_out in (
        ("luc", OccupancyKind.OWNER_NON_OCCUPANT, None),
        ("ancien", OccupancyKind.TENANT, date(2025, 1, 1)),
        ("vendeur", OccupancyKind.OWNER_NON_OCCUPANT, date(2025, 1, 1)),
    ):
        number = await factories.account(email=f"{name}@example.org")
        home = await Dwelling.create(residence_id=residence.id, number=name)
        for dwelling in (home, second) if kind is OccupancyKind.OWNER_NON_OCCUPANT else (home,):
            await Occupancy.create(
                dwelling_id=dwelling.id,
                account_id=number,
                kind=kind,
                move_in=date(2020, 1, 1),
                move_out=move_out,
            )
    await Account.all().update(new_document_by_email=True, new_document_by_sms=False)
    await deposit(of_residence=True)
    assert await messages() == [(CLAIRE, Channel.EMAIL), ("luc@example.org", Channel.EMAIL)]
    await OutboxMessage.all().delete()
    await deposit(of_residence=True, for_owner=False)
    assert await messages() == [(CLAIRE, Channel.EMAIL)]


async def test_a_document_of_later_is_notified_on_its_day(application: Application, deposit: Any) -> None:
    """By the residence's clock, to who lives there then, once."""
    await deposit(valid_from=date(2026, 12, 1))
    await Occupancy.all().update(move_out=date(2026, 12, 1))
    number = await factories.account(email="paul@example.org")
    await Account.filter(id=number).update(new_document_by_email=True)
    await Occupancy.create(
        dwelling_id=(await Dwelling.get()).id,
        account_id=number,
        kind=OccupancyKind.TENANT,
        move_in=date(2026, 12, 1),
    )
    before = datetime.fromisoformat("2026-11-30T22:59:00+00:00")
    assert await notify_due(application, now=before) == 0
    assert await messages() == []
    assert await notify_due(application, now=before + timedelta(minutes=1)) == 1
    assert await messages() == [("paul@example.org", Channel.EMAIL)]
    assert await notify_due(application, now=before + timedelta(hours=1)) == 0


async def test_two_files_for_one_announcement(application: Application, manager: Viewer) -> None:
    """The second is refused, and nothing of it is stored or notified."""
    home = await Dwelling.get()
    new = NewDocument("Charges", DocumentType.CHARGES, Language.FR, "a.pdf", dwelling_id=home.id)
    upload = await deposits.request_upload(application, manager, new, now=NOW)
    announced = Announced(manager, upload.document_id, "a", "")
    await receive_upload(application, announced, PDF, visitor=NOBODY, now=NOW)
    with pytest.raises(deposits.Conflict):
        await receive_upload(application, announced, PDF + b"\n", visitor=NOBODY, now=NOW)
    assert (await Document.get()).sha256 == sha256_of(PDF)
    assert len(await messages()) == 2


async def test_what_is_withdrawn_is_deleted_after_a_month(
    application: Application, manager: Viewer, deposit: Any
) -> None:
    """Its file too, unless another document has the same; an announcement without a file after a day."""
    store = FolderStore(application.settings.data_dir / "documents")
    first, second = await deposit(), await deposit()
    viewer = manager
    assert first.sha256 == second.sha256 == sha256_of(PDF)
    later = NOW + timedelta(days=400)
    for document, gone in ((first, False), (second, True)):
        await withdraw_document(viewer, document.id, visitor=NOBODY, now=NOW)
        assert await purge_documents(application, now=NOW + timedelta(days=29)) == 0
        assert await purge_documents(application, now=later) == 1
        if gone:
            with pytest.raises(ContentLost):
                store.read(sha256_of(PDF))
        else:
            assert store.read(sha256_of(PDF)) == PDF
    new = NewDocument("Charges", DocumentType.CHARGES, Language.FR, "a.pdf", dwelling_id=first.dwelling_id)
    await deposits.request_upload(application, manager, new, now=NOW)
    assert await purge_documents(application, now=NOW + timedelta(hours=23)) == 0
    assert await purge_documents(application, now=NOW + timedelta(hours=25)) == 1


async def test_the_proof_of_a_message_outlives_its_text(application: Application, deposit: Any) -> None:
    """Text and address are erased, channel and time remain (WAR-04)."""
    await deposit()
    await OutboxMessage.all().update(state="SENT", sent_at=NOW)
    gone = await purge(application.settings, now=NOW + timedelta(days=91))
    assert gone["document messages"] == 2
    for row in await OutboxMessage.all():
        assert (row.values, row.recipient, row.sent_at) == ({}, None, NOW)
        assert row.document_id is not None


def test_content_is_named_by_its_digest(tmp_path: Any) -> None:
    """The same content is one file; damaged content, and names that are none, are errors."""
    store = FolderStore(tmp_path / "documents")
    name = store.store(b"abc")
    assert name == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert store.store(b"abc") == name
    assert store.read(name) == b"abc"
    files = [path for path in (tmp_path / "documents").rglob("*") if path.is_file()]
    assert [path.name for path in files] == [name]
    assert files[0].stat().st_mode & 0o077 == 0
    files[0].write_bytes(b"abd")
    with pytest.raises(ContentLost):
        store.read(name)
    for wrong in ("../../etc/passwd", "", "0" * 64):
        with pytest.raises(ContentLost):
            store.read(wrong)
    store.delete(name, stored_before=datetime(2000, 1, 1, tzinfo=NOW.tzinfo))
    assert files[0].exists()
    store.delete(name, stored_before=datetime(2100, 1, 1, tzinfo=NOW.tzinfo))
    store.delete(name, stored_before=datetime(2100, 1, 1, tzinfo=NOW.tzinfo))
    assert not files[0].exists()

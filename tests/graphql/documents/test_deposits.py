"""Documents are deposited by managers and staff, and seen by those whom they are for, until withdrawn."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from core.access import SYSTEM, Act
from core.graphql_settings import GraphQLSettings
from core.models import Account, Document, Dwelling, ManagedResidence, Occupancy, OccupancyKind, OutboxMessage
from core.services.auth.download_links import LIFETIME
from core.services.documents.content import sha256_of
from core.services.documents.file_store import FolderStore
from core.services.shared.audit import acts_on
from graphql_schema.asgi import build_app
from graphql_schema.base.relay import global_id
from tests.graphql.documents.conftest import PDF, announce, send
from tests.support import factories, seats
from tests.support.factories import NOW

SEEN = """query ($id: ID!, $first: Int! = 50, $after: String) { dwelling(id: $id) {
  documents(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { node {
    id title type language validFrom wholeResidence file { name mediaType size url } } } } } }"""
OF_RESIDENCE = """query ($id: ID!) { residence(id: $id) { residentDocuments {
  totalCount edges { node { title wholeResidence } } } } }"""
WITHDRAW = """mutation ($id: ID!) { withdrawDocument(document: $id) {
  ... on DocumentWithdrawn { document } ... on Refusal { code field } } }"""


async def documents(portal: Any, dwelling_id: int | None = None) -> list[dict[str, Any]]:
    number = dwelling_id or (await Dwelling.first()).id  # type: ignore[union-attr]
    answer = await portal.ask(SEEN, id=global_id("Dwelling", number))
    found = answer["dwelling"]["documents"]
    nodes = [edge["node"] for edge in found["edges"]]
    assert found["totalCount"] == len(nodes)
    return nodes


async def titles(portal: Any) -> list[str]:
    return [one["title"] for one in await documents(portal)]


async def at(portal: Any, application: Any, email: str = seats.CLAIRE) -> Any:
    return await seats.enter(portal, application, email)


@pytest.mark.requirement("R-034")
async def test_a_deposited_document_is_read_by_the_occupant(
    application: Any, home: Any, portal: Any, deposit: Any
) -> None:
    """The bytes that were sent, under a safe name, to be saved and not to be shown; the audit names them."""
    await seats.manager(portal, application)
    await deposit(title="  Ravalement de\n façade ", fileName="../Avis d'été.exe")
    await at(portal, application)
    (document,) = await documents(portal)
    assert document["title"] == "Ravalement de façade"
    assert (document["type"], document["language"], document["validFrom"]) == ("WORKS", "FR", "2026-11-22")
    assert document["file"]["name"] == "Avis d'été.pdf"
    assert document["file"]["size"] == len(PDF)
    portal.token = None
    response = await portal.client.get(document["file"]["url"])
    assert response.status_code == 200
    assert response.content == PDF
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["content-disposition"].startswith(
        'attachment; filename="Avis d_ete.pdf"; filename*='
    )
    (entry,) = await acts_on(SYSTEM, act=Act.DOCUMENT_DEPOSITED)
    assert entry.details["sha256"] == sha256_of(PDF)


async def test_the_media_types_that_are_taken_are_stated(application: Any, home: Any, portal: Any) -> None:
    """With the largest size, and until when the link is valid."""
    await seats.staff(portal, application)
    upload = await announce(portal)
    assert upload["mostBytes"] == 10 << 20
    assert upload["mediaTypes"][:2] == ["application/pdf", "image/png"]
    assert upload["urlExpiresAt"] == (NOW + LIFETIME).isoformat()


async def test_what_was_announced_only_is_nobodys(application: Any, home: Any, portal: Any) -> None:
    """Neither the occupant nor the manager sees a document without its file, and nobody is notified."""
    await seats.manager(portal, application)
    await announce(portal)
    assert await documents(portal) == []
    await at(portal, application)
    assert await documents(portal) == []
    assert await OutboxMessage.all().count() == 0


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "INVALID_INPUT"),
        (b"<html><script>alert(1)</script></html>", 422, "INVALID_INPUT"),
        (b"MZ\x90\x00 a program", 422, "INVALID_INPUT"),
        (PDF + b" " * (10 << 20), 413, "TOO_LARGE"),
    ],
    ids=["empty", "page", "program", "too large"],
)
async def test_files_of_other_formats_are_refused(
    application: Any, home: Any, portal: Any, content: bytes, status: int, code: str
) -> None:
    """By their content; after a refusal the link still takes a right file."""
    await seats.manager(portal, application)
    upload = await announce(portal, fileName="a.pdf")
    response = await send(portal, upload, content, **{"Content-Type": "application/pdf"})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert await Document.filter(deposited_at__isnull=False).count() == 0
    assert (await send(portal, upload)).status_code == 201


async def test_a_body_of_unknown_length_is_cut_off(application: Any, home: Any, portal: Any) -> None:
    """A sender that names no length is refused once it has sent too much."""
    await seats.manager(portal, application)
    upload = await announce(portal)

    async def endless() -> Any:
        for _ in range(11):
            yield b"x" * (1 << 20)

    response = await portal.client.put(upload["url"], content=endless())
    assert response.status_code == 413


async def test_a_link_takes_one_file(application: Any, home: Any, portal: Any, deposit: Any) -> None:
    """A second one, a link that is too old, of another kind, forged, or of a session that ended: none."""
    await seats.manager(portal, application)
    upload = await announce(portal)
    assert (await send(portal, upload)).status_code == 201
    assert (await send(portal, upload)).status_code == 409
    late = await announce(portal)
    portal.clock.now += LIFETIME
    assert (await send(portal, late)).status_code == 410
    forged = {"url": late["url"][:-2] + "AA"}
    assert (await send(portal, forged)).status_code == 403
    (document, *_) = await documents(portal)
    download = document["file"]["url"].replace("downloads/documents", "uploads")
    assert (await send(portal, {"url": download})).status_code == 403
    crossed = (await announce(portal))["url"].replace("uploads", "downloads/documents")
    assert (await portal.client.get(crossed)).status_code == 403
    fresh = await announce(portal)
    await ManagedResidence.all().delete()
    assert (await send(portal, fresh)).status_code == 403
    assert (await portal.client.post(fresh["url"])).status_code == 405


async def test_who_may_deposit(application: Any, home: Any, portal: Any) -> None:
    """Managers and staff, at their own places; somebody else's place is as none."""
    residence = {"residence": True}
    for seat in (seats.manager, seats.staff):
        await seat(portal, application)
        assert (await announce(portal))["__typename"] == "DocumentUpload"
        assert (await announce(portal, **residence))["__typename"] == "DocumentUpload"
    await seats.manager(portal, application, residence=None)
    assert await announce(portal) == {
        "__typename": "RequestRefused",
        "code": "NOT_FOUND",
        "field": "dwelling",
    }
    await seats.staff(portal, application, operator=seats.OTHER_OPERATOR)
    refused = await announce(portal, **residence)
    assert (refused["code"], refused["field"]) == ("NOT_FOUND", "residence")


@pytest.mark.parametrize("seat", ["claire", "owner"])
async def test_residents_deposit_nothing(application: Any, home: Any, portal: Any, seat: str) -> None:
    """Neither occupant nor owner."""
    await (at(portal, application) if seat == "claire" else seats.owner(portal, application))
    with pytest.raises(AssertionError, match="FORBIDDEN"):
        await announce(portal)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"title": "a\u202eb"}, "title"),
        ({"type": "MONTHLY_NOTE"}, "type"),
        ({"validFrom": "2028-01-01"}, "validFrom"),
        ({"validFrom": "1789-07-14"}, "validFrom"),
        ({"fileName": "x" * 1_001}, "fileName"),
    ],
)
async def test_input_is_checked(application: Any, home: Any, portal: Any, given: Any, field: str) -> None:
    """Titles that print, days within reach, and no note but the application's own."""
    await seats.manager(portal, application)
    refused = await announce(portal, **given)
    assert (refused["code"], refused["field"]) == ("INVALID_INPUT", field)


@pytest.mark.requirement("EED-09")
async def test_a_dwellings_document_is_the_present_occupants_alone(
    application: Any, home: Any, portal: Any, deposit: Any
) -> None:
    """The next tenant sees neither it nor its file, the predecessor no document of the next tenant; both see
    the rules of the residence, and the former one what came while living there.
    """
    await seats.manager(portal, application)
    await deposit(title="Contrat de Claire")
    await deposit(title="Règlement", type="RULES", residence=True)
    old = await at(portal, application)
    link = (await documents(old))[1]["file"]["url"]
    await Occupancy.all().update(move_out=date(2026, 12, 1), access_until=date(2027, 12, 1))
    await factories.account(email="paul@example.org", first_name="Paul")
    await Occupancy.create(
        dwelling_id=(await Dwelling.get()).id,
        account_id=(await Account.get(email="paul@example.org")).id,
        kind=OccupancyKind.TENANT,
        move_in=date(2026, 12, 1),
    )
    portal.clock.now += timedelta(days=12)
    await seats.manager(portal, application)
    await deposit(title="Contrat de Paul")
    await deposit(title="Travaux", residence=True)
    await at(portal, application, "paul@example.org")
    assert await titles(portal) == ["Travaux", "Contrat de Paul", "Règlement"]
    await at(portal, application)
    assert await titles(portal) == ["Règlement", "Contrat de Claire"]
    portal.token = None
    assert (await portal.client.get(link)).status_code in {403, 410}


async def test_a_document_of_later_is_shown_from_its_day(
    application: Any, home: Any, portal: Any, deposit: Any
) -> None:
    """One deposited ahead is for whoever lives there then; one that applies since long for today's."""
    await seats.manager(portal, application)
    await deposit(title="Demain", validFrom="2026-11-23")
    await deposit(title="Depuis longtemps", validFrom="2020-01-01")
    assert await titles(portal) == ["Depuis longtemps", "Demain"]
    await at(portal, application)
    assert await titles(portal) == ["Depuis longtemps"]
    portal.clock.now += timedelta(days=1)
    await at(portal, application)
    assert await titles(portal) == ["Depuis longtemps", "Demain"]


async def test_an_owner_who_lives_elsewhere(application: Any, home: Any, portal: Any, deposit: Any) -> None:
    """Sees what is meant for owners, and not what is for the tenant alone (C-01)."""
    await seats.manager(portal, application)
    await deposit(title="Pour l'occupant", forOwner=False)
    await deposit(title="Assemblée", type="MEETING", residence=True)
    await seats.owner(portal, application)
    assert await titles(portal) == ["Assemblée"]
    await seats.stranger(portal, application)
    refused = await portal.refusal(SEEN, id=global_id("Dwelling", (await Dwelling.get()).id))
    assert refused["code"] == "NOT_FOUND"


async def test_who_moved_out_and_owns_it_still_sees_both_times(
    application: Any, home: Any, portal: Any, deposit: Any
) -> None:
    """Claire lets her home: what came while she lived there, and what is for owners since, each once."""
    await seats.manager(portal, application)
    await deposit(title="Son contrat")
    await deposit(title="Règlement", residence=True)
    row = await Occupancy.get()
    await Occupancy.all().update(move_out=date(2026, 11, 23), access_until=date(2027, 11, 23))
    await Occupancy.create(
        dwelling_id=row.dwelling_id,
        account_id=row.account_id,
        kind=OccupancyKind.OWNER_NON_OCCUPANT,
        move_in=date(2020, 1, 1),
    )
    await Occupancy.create(dwelling_id=row.dwelling_id, kind=OccupancyKind.TENANT, move_in=date(2026, 11, 23))
    portal.clock.now += timedelta(days=2)
    await seats.manager(portal, application)
    await deposit(title="Au locataire", forOwner=False)
    await deposit(title="À la propriétaire")
    await at(portal, application)
    assert await titles(portal) == ["À la propriétaire", "Règlement", "Son contrat"]


async def test_documents_of_the_residence(application: Any, home: Any, portal: Any, deposit: Any) -> None:
    """Those of the whole residence, for manager, staff, occupant and owner alike."""
    await seats.manager(portal, application)
    await deposit(title="À la maison")
    await deposit(title="Pour tous", residence=True)
    number = global_id("Residence", (await Dwelling.get()).residence_id)
    for seat in (seats.manager, seats.staff, at, seats.owner):
        await seat(portal, application)
        found = (await portal.ask(OF_RESIDENCE, id=number))["residence"]["residentDocuments"]
        assert [edge["node"]["title"] for edge in found["edges"]] == ["Pour tous"]
        assert found["totalCount"] == 1


async def test_a_withdrawn_document_is_gone_at_once(
    application: Any, home: Any, portal: Any, deposit: Any
) -> None:
    """For everybody, its link too; a message about it that waits is not sent. Withdrawn twice: not found."""
    await Account.all().update(new_document_by_email=True)
    await seats.manager(portal, application)
    number = await deposit()
    await at(portal, application)
    (document,) = await documents(portal)
    await seats.staff(portal, application, operator=seats.OTHER_OPERATOR)
    assert (await portal.refused(WITHDRAW, id=number))["code"] == "NOT_FOUND"
    await seats.staff(portal, application)
    assert (await portal.ask(WITHDRAW, id=number))["withdrawDocument"] == {"document": number}
    assert (await portal.refused(WITHDRAW, id=number))["code"] == "NOT_FOUND"
    await at(portal, application)
    assert await documents(portal) == []
    assert (await portal.client.get(document["file"]["url"])).status_code == 404
    (message,) = await OutboxMessage.all()
    assert (message.state.value, message.failure) == ("FAILED", "DOCUMENT_WITHDRAWN")
    assert len(await acts_on(SYSTEM, act=Act.DOCUMENT_WITHDRAWN)) == 1


async def test_a_document_by_its_id(application: Any, home: Any, portal: Any, deposit: Any) -> None:
    """For whoever sees it; for all others it does not exist."""
    await seats.manager(portal, application)
    number = await deposit(title="Un seul")
    query = "query ($id: ID!) { node(id: $id) { ... on Document { title } } }"
    assert (await portal.ask(query, id=number))["node"] == {"title": "Un seul"}
    await at(portal, application)
    assert (await portal.ask(query, id=number))["node"] == {"title": "Un seul"}
    for seat in (seats.stranger, lambda *who: seats.manager(*who, residence=None)):
        await seat(portal, application)
        assert (await portal.refusal(query, id=number))["code"] == "NOT_FOUND"


async def test_pages(application: Any, home: Any, portal: Any, deposit: Any) -> None:
    """Newest first, each once, and the number of all on every page."""
    await seats.manager(portal, application)
    for number in range(5):
        await deposit(title=f"n° {number}")
    await at(portal, application)
    seen, after = [], None
    for more in (True, True, False):
        answer = await portal.ask(
            SEEN, id=global_id("Dwelling", (await Dwelling.get()).id), first=2, after=after
        )
        page = answer["dwelling"]["documents"]
        seen += [edge["node"]["title"] for edge in page["edges"]]
        assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (5, more)
        after = page["pageInfo"]["endCursor"]
    assert seen == [f"n° {number}" for number in (4, 3, 2, 1, 0)]


async def test_a_damaged_file_is_an_error_and_no_document(
    application: Any, home: Any, portal: Any, deposit: Any
) -> None:
    """One bit changed in the store is noticed, and so is a file that is missing."""
    await seats.manager(portal, application)
    await deposit()
    (document,) = await documents(portal)
    path = application.settings.data_dir / "documents" / sha256_of(PDF)[:2] / sha256_of(PDF)
    path.write_bytes(PDF.replace(b"endobj", b"endobk"))
    response = await portal.client.get(document["file"]["url"])
    assert (response.status_code, response.json()["code"]) == (500, "CONTENT_LOST")
    path.unlink()
    assert (await portal.client.get(document["file"]["url"])).status_code == 500
    FolderStore(application.settings.data_dir / "documents").store(PDF)
    assert (await portal.client.get(document["file"]["url"])).content == PDF


async def test_pages_of_named_sites_alone_may_send_files(application: Any, home: Any) -> None:
    """A PUT asks first (Fetch, 4.8): a portal that is named may, any other site may not."""
    origin = "https://portal.example.org"
    for origins, status in (((origin,), 200), ((), 405)):
        settings = replace(application.settings, graphql=GraphQLSettings(origins=origins))
        app = build_app(replace(application, settings=settings), clock=lambda: NOW)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
            asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
            asked["Access-Control-Request-Headers"] = "content-type"
            response = await client.options("/uploads?link=x", headers=asked)
            assert response.status_code == status
            allowed = response.headers.get("access-control-allow-methods")
            assert allowed == ("PUT" if origins else None)


async def test_a_store_that_is_away_is_no_error_of_the_document(
    application: Any, home: Any, portal: Any, deposit: Any
) -> None:
    """503 with the time to wait, for sender and reader, and nothing is half deposited; then all is well."""
    folder = application.settings.data_dir / "documents"
    await seats.manager(portal, application)
    upload = await announce(portal)
    folder.write_bytes(b"a file in its place")
    response = await send(portal, upload)
    assert (response.status_code, response.headers["retry-after"]) == (503, "30")
    assert "file store" in response.json()["message"]
    assert await documents(portal) == []
    folder.unlink()
    assert (await send(portal, upload)).status_code == 201
    (document,) = await documents(portal)
    folder.rename(folder.with_name("elsewhere"))
    folder.write_bytes(b"")
    assert (await portal.client.get(document["file"]["url"])).status_code == 503

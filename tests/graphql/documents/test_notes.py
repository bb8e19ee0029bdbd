"""Monthly notes in the API: the resident's document, the manager's proof, the batch that is printed."""

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from core.access import SYSTEM
from core.consumption import Month
from core.models import (
    Account,
    Dwelling,
    ManagedResidence,
    MessageState,
    Meter,
    Occupancy,
    OutboxMessage,
    Residence,
)
from core.services.documents.annual_notes import make_annual_notes
from core.services.documents.monthly_notes import make_monthly_notes
from graphql_schema.base.relay import global_id
from tests.graphql.conftest import HEAT
from tests.support import seats
from tests.support.attack import watched

MINE = """{ viewer { dwellings { documents { edges { node {
  title(language: FR) english: title(language: EN) type month year forOwner
  annualBlocks { kind notApplicableReason }
  file { name size url } } } } } } }"""
PROOF = """query ($id: ID!, $month: Month) { residence(id: $id) { withheld { field } notes(month: $month) {
  month counts { delivery count }
  notes(delivery: QUEUED) { totalCount edges { node { document place delivery channel at failure } } }
  missing { totalCount edges { node { dwelling place why } } } } } }"""
PRINT = """mutation ($input: PrintMonthlyNotesInput!) { printMonthlyNotes(input: $input) {
  ... on DocumentFile { name mediaType url size } ... on Refusal { code field } } }"""


@pytest.fixture
async def noted(application: Any, home: Any, portal: Any) -> str:
    """Claire's heat in October; the residence was published long ago, and its notes were made. Its id."""
    await Residence.all().update(published_at=datetime(2025, 1, 1, tzinfo=UTC))
    await home.consume(HEAT, date(2026, 10, 1), date(2026, 10, 31), daily=10_000)
    bare = await Dwelling.create(residence_id=(await Residence.get()).id, number="14")
    await Occupancy.create(dwelling_id=bare.id, kind="TENANT", move_in=date(2024, 1, 1))
    meter = await Meter.get(printed_serial=HEAT)
    await Meter.create(
        dwelling_id=bare.id,
        fluid=meter.fluid,
        vendor=meter.vendor,
        printed_serial="1",
        serial_key="1",
        radio_address="KAM-00000001-1B-04",
        installed_at=meter.installed_at,
    )
    await make_monthly_notes(application, SYSTEM, Month(2026, 10), now=datetime(2026, 11, 5, tzinfo=UTC))
    return str(global_id("Residence", (await Residence.get()).id))


@pytest.mark.requirement("EED-02")
async def test_a_note_is_a_document_of_the_resident(application: Any, portal: Any, noted: str) -> None:
    """With its month, a title in both languages, and a PDF behind its link."""
    await seats.enter(portal, application, seats.CLAIRE)
    (dwelling,) = (await portal.ask(MINE))["viewer"]["dwellings"]
    (edge,) = dwelling["documents"]["edges"]
    note = edge["node"]
    assert note["title"] == "Consommations d'octobre 2026"
    assert note["english"] == "Consumption in October 2026"
    assert (note["type"], note["month"], note["year"]) == ("MONTHLY_NOTE", "2026-10", None)
    assert note["forOwner"] is False
    assert note["annualBlocks"] == []
    assert (note["file"]["name"], note["file"]["size"]) == ("consommations-2026-10.pdf", None)
    response = await portal.client.get(note["file"]["url"])
    assert response.headers["content-type"] == "application/pdf"
    assert "310,00 kWh" in PdfReader(io.BytesIO(response.content)).pages[0].extract_text()


@pytest.mark.requirement("EED-04")
async def test_an_annual_note_has_each_block_or_its_reason(
    application: Any, home: Any, portal: Any, noted: str
) -> None:
    """Heat of 2025, when the home was the same occupant's since 2024: no degree days, no average of one."""
    await home.consume(HEAT, date(2025, 1, 1), date(2025, 12, 31), daily=10_000)
    await make_annual_notes(application, SYSTEM, 2025, now=datetime(2026, 11, 5, tzinfo=UTC))
    await seats.enter(portal, application, seats.CLAIRE)
    (dwelling,) = (await portal.ask(MINE))["viewer"]["dwellings"]
    annual = dwelling["documents"]["edges"][0]["node"]
    assert (annual["title"], annual["year"]) == ("Consommations de l'année 2025", 2025)
    reasons = {one["kind"]: one["notApplicableReason"] for one in annual["annualBlocks"]}
    assert reasons["CLIMATE_CORRECTED_COMPARISON"] == "NO_DEGREE_DAYS"
    assert reasons["COMPARISON"] == "NO_YEAR_BEFORE"  # 2024 was not read
    assert reasons["AVERAGE_USER"] == "TOO_FEW_DWELLINGS"
    assert reasons["COMPLAINTS"] is None
    response = await portal.client.get(annual["file"]["url"])
    assert "3650,00 kWh" in PdfReader(io.BytesIO(response.content)).pages[0].extract_text()


@pytest.mark.requirement("FR-03")
async def test_a_manager_sees_what_became_of_each_note(application: Any, portal: Any, noted: str) -> None:
    """How many were sent, wait or are to be printed, each with its proof, and which are missing and why."""
    await seats.manager(portal, application)
    residence = (await portal.ask(PROOF, id=noted))["residence"]
    notes = residence["notes"]
    assert notes["month"] == "2026-10"
    counts = {one["delivery"]: one["count"] for one in notes["counts"]}
    assert counts == {"SENT": 0, "QUEUED": 1, "PRINTED": 0, "TO_PRINT": 0}
    (edge,) = notes["notes"]["edges"]
    assert edge["node"]["place"] == "A · 1 · 2 · 12"
    assert (edge["node"]["channel"], edge["node"]["at"]) == ("EMAIL", "2026-11-05T00:00:00+00:00")
    (edge,) = notes["missing"]["edges"]
    assert (edge["node"]["place"], edge["node"]["why"]) == ("14", "NOT_READ")
    refused = await portal.refusal(PROOF, id=noted, month="2026-11")
    assert refused["code"] == "INVALID_INPUT"


async def test_the_proof_is_the_managers_alone(application: Any, portal: Any, noted: str) -> None:
    """A resident, and the operator's staff, see that it is withheld."""
    for seat in (lambda *who: seats.enter(*who, seats.CLAIRE), seats.staff):
        await seat(portal, application)
        residence = (await portal.ask(PROOF, id=noted))["residence"]
        assert residence["notes"] is None
        assert "notes" in {one["field"] for one in residence["withheld"]}


@pytest.mark.requirement("EED-10")
async def test_a_batch_is_printed(application: Any, portal: Any, noted: str) -> None:
    """By manager or staff in charge; once fetched it is printed, and fetched again only if asked."""
    await Account.filter(email=seats.CLAIRE).update(disabled_at=portal.clock.now)
    await OutboxMessage.all().update(state=MessageState.FAILED, failure="ACCOUNT_DISABLED")
    await seats.staff(portal, application)
    file = (await portal.ask(PRINT, input={"residence": noted}))["printMonthlyNotes"]
    assert (file["name"], file["mediaType"]) == ("notes-AA000-2026-10.pdf", "application/pdf")
    response = await portal.client.get(file["url"])
    assert response.status_code == 200
    (page,) = PdfReader(io.BytesIO(response.content)).pages
    assert "310,00 kWh" in page.extract_text()
    assert (await portal.client.get(file["url"])).status_code == 404
    await seats.manager(portal, application)
    counts = (await portal.ask(PROOF, id=noted))["residence"]["notes"]["counts"]
    assert {one["delivery"]: one["count"] for one in counts}["PRINTED"] == 1
    asked = {"residence": noted, "month": "2026-10", "again": True}
    file = (await portal.ask(PRINT, input=asked))["printMonthlyNotes"]
    assert (await portal.client.get(file["url"])).status_code == 200
    await seats.manager(portal, application, residence=None)
    assert (await portal.refused(PRINT, input={"residence": noted}))["code"] == "NOT_FOUND"


async def test_notes_and_documents_of_many_places_are_read_at_once(
    application: Any, portal: Any, noted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statements do not grow with the residences and dwellings of an answer."""
    query = """{ residences(first: 9) { edges { node { notes { counts { count } }
      dwellings(first: 9) { edges { node { documents(first: 9) { totalCount } } } } } } } }"""
    first = await Residence.get()
    taken = []
    for more in (0, 4):
        for number in range(more):
            residence = await Residence.create(
                operator_id=first.operator_id, code=f"BB{number}", name="", street="", postcode="", city=""
            )
            for door in range(3):
                await Dwelling.create(residence_id=residence.id, number=str(door))
        await seats.manager(portal, application)
        manager = await Account.get(email="manager.AA000@example.org")
        for residence in await Residence.exclude(id=first.id):
            await ManagedResidence.get_or_create(
                account_id=manager.id,
                residence_id=residence.id,
                defaults={"granted_at": portal.clock.now},
            )
        await portal.ask(query)
        with monkeypatch.context() as patched, watched(patched) as work:
            answer = await portal.ask(query)
        assert len(answer["residences"]["edges"]) == 1 + more
        taken.append(len(work.statements))
    assert taken[0] == taken[1]

"""A manager's work over HTTP: moves, a consent on paper, invitations, flyers, the residence at a glance."""

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from pypdf import PdfReader

from core.access import SYSTEM
from core.consumption.fluids import Fluid
from core.models import Dwelling, ManagedResidence, Meter, Occupancy, OccupancyKind, Residence
from core.services.places.managed_residences import grant_residence
from core.services.portfolio.publication import publish_residence
from core.services.telegrams.pipeline import take_in
from graphql_schema.base.paging import cursor
from graphql_schema.base.relay import global_id
from tests.journeys.test_manager import EMAIL, invited, own_access
from tests.services.conftest import Izar
from tests.support import factories

OUT = """mutation ($home: ID!, $day: Date!) {
  recordMoveOut(input: {dwelling: $home, lastDay: $day}) {
  ... on MoveRecorded { dwelling firstDay lastDay } ... on Refusal { code field } } }"""
IN = """mutation ($home: ID!, $day: Date!) {
  recordMoveIn(input: {dwelling: $home, firstDay: $day}) {
  ... on MoveRecorded { dwelling firstDay lastDay } ... on Refusal { code field } } }"""
PAPER = """mutation ($home: ID!, $granted: Boolean!, $paper: String) { recordPaperConsent(
  input: {dwelling: $home, granted: $granted, evidenceReference: $paper}) {
  ... on PaperConsentRecorded { consent { answer byManager } } ... on Refusal { code field } } }"""
ANSWER = """mutation ($home: ID!) { answerConsent(dwelling: $home, granted: false) {
  ... on ConsentAnswered { consent { answer } } } }"""
INVITE = """mutation ($home: ID!, $email: String!) {
  inviteResidents(input: {invitations: [{dwelling: $home, email: $email, language: EN}]}) {
  ... on ResidentsInvited { count } ... on Refusal { code field retryAfter } } }"""
FLYER = """mutation ($input: MakeFlyerInput!) { makeFlyer(input: $input) {
  ... on PaperFile { name mediaType url } ... on Refusal { code field } } }"""
CERTIFICATES = """mutation ($id: ID!) { makeCertificates(residence: $id, language: EN) {
  ... on PaperFile { name url } ... on Refusal { code } } }"""
DOCUMENT = """mutation ($id: ID!) { makeDocument(document: $id, language: EN) {
  ... on PaperFile { name url } ... on Refusal { code field } } }"""
GLANCE = """{ residences { edges { node { id documents { id kind title(language: EN) }
  overview { day month metersInService
    dwellings { total occupied vacant unknown withAccount withoutAccount consentGranted consentUnanswered }
    completeness { fluid expectedDays daysWithData } activeLeaks { level count } activeAlerts { kind count }
    unreadMeters { totalCount edges { node { serial dwelling { place } } } }
    silentMeters { totalCount edges { node { serial } } }
    dwellingsWithoutAccount { totalCount edges { node { id place } } }
    outliers { totalCount edges { node { kind dwelling { place } } } } } } } } }"""
PAGES = """query ($after: String) { residences { edges { node { overview {
  unreadMeters(first: 1, after: $after) { totalCount pageInfo { hasNextPage endCursor }
    edges { node { serial dwelling { place } } } } } } } } }"""


def glance(answer: dict[str, Any]) -> dict[str, Any]:
    """The only residence of an answer."""
    (edge,) = answer["residences"]["edges"]
    node: dict[str, Any] = edge["node"]
    return node


@pytest.fixture
async def office(application: Any, key_encryption: Any, portal: Any, now: datetime) -> Any:
    """The portal, with the manager of AA000 signed in."""
    meter = Izar()
    await factories.residence(key_encryption, factories.meter(meter.address))
    start = datetime(2026, 11, 19, 23, tzinfo=UTC)
    lines = meter.hourly(start, [6] * 48)
    await take_in(application, SYSTEM, lines, source="roof", now=start + timedelta(hours=49))
    temporary = await invited(application, now)
    await grant_residence(SYSTEM, email=EMAIL, operator_code="ocea", residence_code="AA000", now=now)
    await own_access(portal, temporary)
    return portal


async def home() -> str:
    return str(global_id("Dwelling", (await Dwelling.get()).id))


async def page_text(portal: Any, url: str, **headers: str) -> str:
    """The text of the first page behind a link, as a browser fetches it."""
    parts = urlsplit(url)
    answer = await portal.client.get(f"{parts.path}?{parts.query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return str(PdfReader(io.BytesIO(answer.content)).pages[0].extract_text())


@pytest.mark.requirement("C-12", "C-14", "C-17", "R-121")
async def test_a_move_and_a_consent_on_paper(office: Any) -> None:
    """Claire leaves, the next moves in and consents on paper; a refusal of Claire's is not turned."""
    dwelling = await home()
    manager = office.token
    await office.sign_in()
    assert (await office.ask(ANSWER, home=dwelling))["answerConsent"] == {"consent": {"answer": "REFUSED"}}
    refused = await office.refusal(OUT, home=dwelling, day="2026-11-30")
    assert refused["code"] == "FORBIDDEN"
    office.token = manager
    turned = await office.ask(PAPER, home=dwelling, granted=True, paper="dossier 12")
    assert turned["recordPaperConsent"] == {
        "code": "CONSENT_NOT_THE_MANAGERS",
        "field": None,
    }
    left = (await office.ask(OUT, home=dwelling, day="2026-11-20"))["recordMoveOut"]
    assert left == {"dwelling": dwelling, "firstDay": "2024-02-01", "lastDay": "2026-11-20"}
    nobody = await office.refused(PAPER, home=dwelling, granted=False)
    assert nobody == {"code": "NO_OCCUPANT", "field": "dwelling"}
    refused = await office.refused(IN, home=dwelling, day="2026-11-20")
    assert (refused["code"], refused["field"]) == ("CONFLICT", "firstDay")
    came = (await office.ask(IN, home=dwelling, day="2026-11-21"))["recordMoveIn"]
    assert came == {"dwelling": dwelling, "firstDay": "2026-11-21", "lastDay": None}
    missing = await office.refused(PAPER, home=dwelling, granted=True)
    assert (missing["code"], missing["field"]) == ("INVALID_INPUT", "evidenceReference")
    given = await office.ask(PAPER, home=dwelling, granted=True, paper="dossier 13")
    assert given["recordPaperConsent"]["consent"] == {"answer": "GRANTED", "byManager": True}


@pytest.mark.requirement("R-018", "R-040", "R-042", "R-144")
async def test_flyers_and_invitations(application: Any, office: Any, now: datetime) -> None:
    """A flyer of the residence and of the dwelling behind links, a document, an invitation by e-mail."""
    dwelling = await home()
    residence = str(global_id("Residence", (await Residence.get()).id))
    for given in (
        {"residence": residence, "language": "EN"},
        {"residence": residence, "eachDwelling": True, "language": "EN"},
        {"dwelling": dwelling, "language": "EN"},
    ):
        made = (await office.ask(FLYER, input=given))["makeFlyer"]
        assert made["mediaType"] == "application/pdf"
        text = await page_text(office, made["url"])
        assert "Follow the consumption of your home" in text
        assert "AA000" in text
    for given in ({}, {"residence": residence, "dwelling": dwelling}):
        assert (await office.refused(FLYER, input=given))["code"] == "INVALID_INPUT"
    await publish_residence(application, SYSTEM, operator_code="ocea", residence_code="AA000", now=now)
    (document,) = glance(await office.ask(GLANCE))["documents"]
    assert (document["kind"], document["title"]) == ("PORTAL_READY", "Your portal ISI HABITAT is ready")
    made = (await office.ask(DOCUMENT, id=document["id"]))["makeDocument"]
    assert "Your portal ISI HABITAT is ready" in await page_text(office, made["url"])
    assert (await office.ask(INVITE, home=dwelling, email="luc@example.org"))["inviteResidents"] == {
        "count": 1
    }
    wrong = await office.refused(INVITE, home=dwelling, email="luc")
    assert (wrong["code"], wrong["field"]) == ("INVALID_INPUT", "invitations.0.email")


async def test_a_link_opens_nothing_once_the_residence_is_somebody_elses(office: Any) -> None:
    """The link of a flyer is followed after the grant was withdrawn: 403."""
    made = (await office.ask(FLYER, input={"dwelling": await home()}))["makeFlyer"]
    await ManagedResidence.all().delete()
    parts = urlsplit(made["url"])
    answer = await office.client.get(f"{parts.path}?{parts.query}")
    assert (answer.status_code, answer.json()["code"]) == (403, "NOT_FOUND")
    assert (await office.refused(FLYER, input={"dwelling": await home()}))["code"] == "NOT_FOUND"


@pytest.mark.requirement("R-042", "CN-01")
async def test_a_residence_at_a_glance(office: Any) -> None:
    """One dwelling, one meter with two days of data and a leak of level 1."""
    view = glance(await office.ask(GLANCE))["overview"]
    assert (view["day"], view["month"]) == ("2026-11-22", "2026-10")
    dwellings = view["dwellings"]
    assert (dwellings["total"], dwellings["occupied"], dwellings["withAccount"]) == (1, 1, 1)
    assert (dwellings["consentGranted"], dwellings["consentUnanswered"]) == (0, 1)
    assert view["metersInService"] == 1
    assert view["completeness"] == [{"fluid": "COLD_WATER", "expectedDays": 30, "daysWithData": 2}]
    assert view["activeLeaks"] == [{"level": 1, "count": 1}]
    assert view["activeAlerts"] == [{"kind": "LEAK", "count": 1}]
    for listed in ("unreadMeters", "silentMeters", "dwellingsWithoutAccount", "outliers"):
        assert view[listed] == {"totalCount": 0, "edges": []}


@pytest.mark.requirement("R-042")
async def test_what_an_overview_counts_is_listed_page_by_page(office: Any) -> None:
    """Meters that were never read, by dwelling, each once; dwellings without an account; a cursor of another
    list, or of a meter that is not listed, is refused.
    """
    residence = await Residence.get()
    for number in ("20", "21", "22"):
        row = await Dwelling.create(residence_id=residence.id, number=number)
        await Occupancy.create(dwelling_id=row.id, kind=OccupancyKind.TENANT, move_in=date(2025, 1, 1))
        await Meter.create(
            dwelling_id=row.id,
            fluid=Fluid.COLD_WATER,
            vendor="ocea",
            printed_serial=f"H18CA0000{number}",
            serial_key=f"H18CA0000{number}",
            radio_address=f"SAP-000000{number}-0C-04",
            installed_at=datetime(2024, 1, 1, tzinfo=UTC),
        )
    after, found = None, []
    for last in (False, False, True):
        page = glance(await office.ask(PAGES, after=after))["overview"]["unreadMeters"]
        (edge,) = page["edges"]
        found.append((edge["node"]["serial"], edge["node"]["dwelling"]["place"]))
        assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (3, not last)
        after = page["pageInfo"]["endCursor"]
    assert found == [("H18CA000020", "20"), ("H18CA000021", "21"), ("H18CA000022", "22")]
    view = glance(await office.ask(GLANCE))["overview"]
    assert [edge["node"]["place"] for edge in view["dwellingsWithoutAccount"]["edges"]] == ["20", "21", "22"]
    assert view["dwellings"]["withoutAccount"] == 3
    other = cursor("meter", 2**40)
    for wrong in (other, cursor("dwelling-by-place", 1), "x"):
        assert (await office.refusal(PAGES, after=wrong))["code"] == "INVALID_INPUT"
    certificates = await office.ask(CERTIFICATES, id=str(global_id("Residence", residence.id)))
    assert "AA000" in await page_text(office, certificates["makeCertificates"]["url"])

"""Flyers, certificates and notices as PDF: what stands on them, and what never does."""

import io
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from tortoise.transactions import in_transaction

from core.access import SYSTEM, Viewer
from core.bootstrap import Application
from core.consumption import DayVolume, Quality
from core.documents.sheets import Certificate
from core.errors import Forbidden, InvalidInput, NotFound
from core.language import Language
from core.models import Account, Dwelling, Meter, Occupancy, Residence, ResidenceDocument
from core.services.managers import papers
from core.services.managers.papers import PaperAsked, PaperKind, paper_file
from core.services.managers.senders import registration_link
from core.services.managers.without_account import certificates, homes_without_account
from core.services.portfolio.publication import publish_residence, unpublish_residence
from core.services.shared import time_series
from tests.support.factories import NOW

LINK = "https://espace-resident-inscription.ocea-sb.com/?code=AA000"


async def pages(
    application: Application, viewer: Viewer, kind: PaperKind, number: int, **more: Any
) -> list[str]:
    """The text of each page, its lines joined."""
    asked = PaperAsked(kind, number, more.pop("language", Language.FR), **more)
    file = await paper_file(application, viewer, asked, now=NOW)
    assert file.media_type == "application/pdf"
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(file.content)).pages]


async def consume(meter: Meter, first: date, last: date, *, daily: int) -> None:
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    async with in_transaction() as connection:
        volumes = [(meter.id, DayVolume(day, daily, Quality.MEASURED)) for day in days]
        await time_series.replace_days(connection, [], volumes)


@pytest.mark.requirement("R-018", "R-040")
@pytest.mark.parametrize(
    ("language", "door"),
    [
        (Language.FR, "bâtiment A, escalier 1, étage 2, porte 12, lot 104"),
        (Language.EN, "building A, staircase 1, floor 2, door 12, lot 104"),
    ],
)
async def test_a_flyer_has_code_and_address_and_no_serial(
    application: Application, manager: Viewer, language: Language, door: str
) -> None:
    """One for the residence, one for a dwelling with its door; the serial number that proves it stands on
    neither.
    """
    residence, home = await Residence.get(), await Dwelling.get()
    (whole,) = await pages(application, manager, PaperKind.FLYER, residence.id, language=language)
    (one,) = await pages(application, manager, PaperKind.FLYER, home.id, of_dwelling=True, language=language)
    for text in (whole, one):
        assert "AA000" in text
        assert LINK in text
        assert "Résidence Les Tilleuls" in text
        assert (await Meter.get()).printed_serial not in text
    assert door in one
    assert door not in whole


async def test_a_page_for_each_dwelling(
    application: Application, manager: Viewer, add_home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the building; more than fit one file are refused."""
    await add_home("13", building="A", staircase="1", floor="2")
    await add_home("2", building="B")
    residence = await Residence.get()
    texts = await pages(application, manager, PaperKind.FLYERS, residence.id)
    doors = ("porte 12", "porte 13", "bâtiment B, porte 2")
    assert [door in text for door, text in zip(doors, texts, strict=True)] == [True] * 3
    monkeypatch.setattr(papers, "MOST_PAGES", 2)
    with pytest.raises(InvalidInput):
        await pages(application, manager, PaperKind.FLYERS, residence.id)


@pytest.mark.requirement("R-041", "EED-10")
async def test_who_has_no_account_gets_the_consumption_on_paper(
    application: Application, manager: Viewer
) -> None:
    """Last month, the same month a year before and the year so far, with the code of the residence, as the
    form says of consumption certificates.
    """
    meter, residence = await Meter.get(), await Residence.get()
    await consume(meter, date(2025, 10, 1), date(2025, 10, 31), daily=100)
    await consume(meter, date(2026, 1, 1), date(2026, 11, 21), daily=200)
    assert await homes_without_account(manager, residence.id, now=NOW) == []
    with pytest.raises(NotFound):
        await pages(application, manager, PaperKind.CERTIFICATES, residence.id)
    await Occupancy.all().update(account_id=None)
    (text,) = await pages(application, manager, PaperKind.CERTIFICATES, residence.id)
    assert "Justificatif de consommation" in text
    assert "Code de la résidence : AA000" in text
    assert "octobre 2026 octobre 2025 Depuis le 01/01/2026" in text
    assert "Eau froide 6,20 m3 3,10 m3 60,80 m3" in text  # 31, 31 and 304 days
    assert "Des jours manquent" not in text
    (english,) = await pages(application, manager, PaperKind.CERTIFICATES, residence.id, language=Language.EN)
    assert "Cold water 6.20 m3 3.10 m3 60.80 m3" in english
    assert "22 November 2026" in english


@pytest.mark.requirement("EED-09", "CN-10")
async def test_a_certificate_shows_the_own_occupancy_alone(manager: Viewer) -> None:
    """Who moved in on 11 October sees 21 days of it, and nothing of the year before; who moved in this month
    sees nothing yet.
    """
    meter, residence = await Meter.get(), await Residence.get()
    await consume(meter, date(2025, 1, 1), date(2026, 11, 21), daily=100)
    await Occupancy.all().update(account_id=None, move_in=date(2026, 10, 11))
    (certificate,) = await certificates(manager, residence.id, now=NOW)
    (water,) = certificate.figures
    assert (water.month, water.year, water.month_a_year_before) == (2_100, 2_100, None)
    assert (certificate.since, water.complete) == (date(2026, 10, 11), True)
    await Occupancy.all().update(move_in=date(2026, 11, 2))
    newcomer: list[Certificate] = await certificates(manager, residence.id, now=NOW)
    assert [one.figures for one in newcomer] == [()]


async def test_missing_days_are_marked(application: Application, manager: Viewer) -> None:
    """A sum over a gap is no month's consumption without saying so; what was never read is not 0."""
    meter, residence = await Meter.get(), await Residence.get()
    await Occupancy.all().update(account_id=None)
    await consume(meter, date(2026, 10, 1), date(2026, 10, 30), daily=100)
    (text,) = await pages(application, manager, PaperKind.CERTIFICATES, residence.id)
    assert "Eau froide * 3,00 m3 non relevé 3,00 m3" in text
    assert "Des jours manquent" in text


async def test_a_disabled_account_is_reached_on_paper(manager: Viewer) -> None:
    """Its occupant lives there and reads no e-mail; the former occupant's account does not count."""
    residence = await Residence.get()
    await Account.filter(email="claire.martin@example.org").update(disabled_at=NOW)
    assert [one.place for one in await homes_without_account(manager, residence.id, now=NOW)] == [
        "A · 1 · 2 · 12"
    ]


@pytest.mark.requirement("R-136", "R-137")
@pytest.mark.parametrize("language", list(Language))
async def test_a_document_is_a_page_with_what_it_says(
    application: Application, manager: Viewer, language: Language
) -> None:
    """«Votre portail … est prêt» with the address to register at; the end of it without."""
    for act in (publish_residence, unpublish_residence):
        await act(application, SYSTEM, operator_code="ocea", residence_code="AA000", now=NOW)
    ready, closed = await ResidenceDocument.all().order_by("id")
    (text,) = await pages(application, manager, PaperKind.NOTICE, ready.id, language=language)
    french = language is Language.FR
    assert ("Votre portail ISI HABITAT est prêt" if french else "Your portal ISI HABITAT is ready") in text
    assert ("22/11/2026" if french else "22 November 2026") in text
    assert LINK in text
    (text,) = await pages(application, manager, PaperKind.NOTICE, closed.id, language=language)
    assert ("fermé aux inscriptions" if french else "closed to registration") in text
    assert LINK not in text


async def test_papers_are_the_managers_alone(
    application: Application, stranger: Viewer, resident: Any
) -> None:
    """Nothing of another's residence, dwelling or document; and nothing for a resident."""
    await publish_residence(application, SYSTEM, operator_code="ocea", residence_code="AA000", now=NOW)
    residence, home, document = await Residence.get(), await Dwelling.get(), await ResidenceDocument.get()
    asked = (
        (PaperKind.FLYER, residence.id, False),
        (PaperKind.FLYERS, residence.id, False),
        (PaperKind.CERTIFICATES, residence.id, False),
        (PaperKind.FLYER, home.id, True),
        (PaperKind.NOTICE, document.id, False),
        (PaperKind.NOTICE, 2**63, False),
    )
    for kind, number, of_dwelling in asked:
        with pytest.raises(NotFound):
            await pages(application, stranger, kind, number, of_dwelling=of_dwelling)
        with pytest.raises(Forbidden):
            await pages(application, await resident(), kind, number, of_dwelling=of_dwelling)


def test_a_link_keeps_what_the_operators_page_needs(application: Application) -> None:
    """A page without a path gets one; an operator without a profile has the portal's address."""
    assert registration_link(application, "ocea", "AA000") == LINK
    assert registration_link(application, "ista", "50001369") == "https://monespaceista.fr/?code=50001369"
    assert registration_link(application, "acme", "A 1").endswith("/?code=A+1")


async def test_the_setting_decides_where_residents_register(application: Application) -> None:
    """A portal that SUBMETER_PORTAL_URL names is where flyers and invitations lead; of one operator alone, if
    it names one.
    """
    settings = replace(application.settings, portal_url="ocea=https://water.example.org")
    elsewhere = replace(application, settings=settings)
    assert registration_link(elsewhere, "ocea", "AA000") == "https://water.example.org/?code=AA000"
    assert registration_link(elsewhere, "ista", "50001369") == "https://monespaceista.fr/?code=50001369"

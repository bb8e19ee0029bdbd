"""Annual notes: each block is filled or says why it is not (EED-04, FR-04)."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from core.access import SYSTEM
from core.bootstrap import Application
from core.consumption.notes import WhyMissing
from core.documents.note_values import AnnualNote, NoteBlock, WhyNoAverage, blocks_of, year_of_json
from core.errors import InvalidInput
from core.language import Text
from core.metering import Registry
from core.models import (
    Account,
    AveragePublication,
    Document,
    DocumentType,
    Dwelling,
    Meter,
    Occupancy,
    OutboxMessage,
    Residence,
)
from core.operators import ConsumptionNotes
from core.services.consumption.average_publication import publish_averages
from core.services.documents.annual_notes import make_annual_notes
from core.services.documents.note_files import note_pdf
from core.services.shared.transaction import current_database
from notifications.texts.render import render
from tests.services.documents.conftest import consume

JANUARY = datetime(2026, 1, 20, 9, tzinfo=UTC)


async def make(application: Application, year: int = 2025) -> int:
    return (await make_annual_notes(application, SYSTEM, year, now=JANUARY)).made


async def note_of(dwelling: Dwelling) -> AnnualNote:
    row = await Document.get(dwelling_id=dwelling.id, type=DocumentType.ANNUAL_NOTE)
    assert row.figures is not None
    return year_of_json(row.figures)


async def text_of(application: Application, dwelling: Dwelling) -> str:
    row = await Document.get(dwelling_id=dwelling.id, type=DocumentType.ANNUAL_NOTE)
    pages = PdfReader(io.BytesIO(await note_pdf(application, row.id))).pages
    return " ".join(" ".join(page.extract_text().replace("\u00a0", " ").split()) for page in pages)


@pytest.fixture
async def building(application: Application, claires_home: Dwelling, add_homes: Any) -> Dwelling:
    """Claire's home of 50 m² and four others of 25, all with 200 and 100 litres a day in 2024 and 2025."""
    await Dwelling.all().update(surface_m2=Decimal(50))
    await add_homes(4, surface_m2=Decimal(25))
    for meter in await Meter.all():
        daily = 100 if meter.dwelling_id == claires_home.id else 40
        await consume(meter, date(2024, 1, 1), date(2024, 12, 31), daily=200)
        await consume(meter, date(2025, 1, 1), date(2025, 12, 31), daily=daily)
    await Occupancy.all().update(move_in=date(2023, 1, 1))
    return claires_home


@pytest.mark.requirement("FR-04", "EED-04")
async def test_a_year_its_months_and_the_average_user_by_surface(
    application: Application, building: Dwelling
) -> None:
    """All consumption by all surface: (36.5 + 4 x 14.6 m³) / 150 m², times 50 m², is 31.633 m³."""
    await publish_averages(now=JANUARY)
    assert await make(application) == 5
    note = await note_of(building)
    (one,) = note.fluids
    assert (one.year.amount, one.year.complete) == (36_500, True)
    assert (one.year_before.amount, one.year_before.complete) == (73_200, True)  # 2024 has 366 days
    assert one.months == tuple(100 * days for days in (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31))
    assert one.months_before[1] == 29 * 200
    assert (one.average, one.average_of, one.why_no_average) == (31_633, 5, None)
    reasons = {kind.value: why and why.value for kind, why in blocks_of(note).items()}
    assert reasons == {
        "PRICES": "NOT_STATED",
        "ENERGY_MIX": "NOT_STATED",
        "COMPARISON": None,
        "CLIMATE_CORRECTED_COMPARISON": "NO_HEATING",
        "ADVICE": "NOT_STATED",
        "COMPLAINTS": None,
        "AVERAGE_USER": None,
        "COST_ALLOCATION": "NOT_STATED",
    }
    text = await text_of(application, building)
    for words in (
        "Note d'information annuelle 2025",
        "a. Prix et consommations de l'année",
        "Eau chaude 36,50 m3 73,20 m3 cette année : -50 %",
        "b. Sources d'énergie et gaz à effet de serre Non communiqué : OCEA Smart Building",
        "c. Comparaison avec l'année précédente",
        "d. Conseils pour économiser l'énergie Non communiqué",
        "e. Réclamations et médiation Une question ? OCEA Smart Building",
        "f. Comparaison avec l'utilisateur moyen de l'immeuble Eau chaude : 31,63 m3 pour un logement de",
        "50 m², moyenne de 5 logements par m². La vôtre : 36,50 m3.",
        "Répartition des frais Non communiqué",
    ):
        assert words in text


@pytest.mark.requirement("CN-11")
async def test_an_average_is_of_five_dwellings_that_are_known(
    application: Application, building: Dwelling
) -> None:
    """Without five whole homes in each month as it was published, or the own surface, the reason stands in
    its place; what is known since changes nothing, however late the note is made.
    """
    other = await Dwelling.exclude(id=building.id).first()
    assert other is not None
    await consume(await Meter.get(dwelling_id=other.id), date(2025, 5, 1), date(2025, 5, 1), daily=40)
    number = (await Meter.get(dwelling_id=other.id)).id
    await current_database().execute_script(
        f"DELETE FROM daily_volume WHERE meter_id = {number} AND day = 20250501"
    )
    await publish_averages(now=JANUARY)
    await make(application)
    (one,) = (await note_of(building)).fluids
    assert (one.average, one.why_no_average) == (None, WhyNoAverage.TOO_FEW_DWELLINGS)
    assert "il faut au moins cinq logements" in await text_of(application, building)
    await consume(await Meter.get(dwelling_id=other.id), date(2025, 5, 1), date(2025, 5, 1), daily=40)
    await Document.all().delete()
    await make(application)
    (one,) = (await note_of(building)).fluids
    assert (one.average, one.why_no_average) == (None, WhyNoAverage.TOO_FEW_DWELLINGS)
    await Document.all().delete()
    await AveragePublication.all().delete()
    await publish_averages(now=JANUARY)
    await Dwelling.filter(id=building.id).update(surface_m2=None)
    await make(application)
    (one,) = (await note_of(building)).fluids
    assert (one.average, one.why_no_average) == (None, WhyNoAverage.SURFACE_NOT_KNOWN)


@pytest.mark.requirement("EED-09")
async def test_the_year_before_is_the_same_occupants(application: Application, building: Dwelling) -> None:
    """Who moved in on 15 June 2024 is compared from July on, and with no year; in 2025, with nothing."""
    home = Occupancy.filter(dwelling_id=building.id)
    await home.update(move_in=date(2024, 6, 15))
    await make(application)
    (one,) = (await note_of(building)).fluids
    assert one.year_before.why is WhyMissing.OTHER_OCCUPANCY
    assert one.months_before[:6] == (None,) * 6
    assert one.months_before[6] == 31 * 200
    await Document.all().delete()
    await home.update(move_in=date(2025, 6, 15))
    await make(application)
    note = await note_of(building)
    (one,) = note.fluids
    assert (note.first, one.year.amount) == (date(2025, 6, 15), 200 * 100)
    assert one.months[:6] == one.months_before[:6] == (None,) * 6
    text = await text_of(application, building)
    assert "Eau chaude : pas de comparaison, l'année précédente n'est pas celle de votre occupation" in text


async def test_what_the_operator_states_remains_as_it_was(
    application: Application, building: Dwelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the language of the account; a later change of the profile or price changes no note."""
    profile = application.registry.profile("ocea")
    assert profile is not None
    stated = replace(profile, notes=ConsumptionNotes(energy_mix=Text("62 % de bois", "62% wood")))
    await Account.all().update(language="en")
    await Residence.all().update(water_price_eur_per_m3=Decimal("4.2"))
    with monkeypatch.context() as patched:
        patched.setattr(Registry, "profile", lambda _registry, _code: stated)
        await make(application)
    await Residence.all().update(water_price_eur_per_m3=Decimal(9))
    text = await text_of(application, building)
    assert "b. Sources of energy and greenhouse gases 62% wood c. Comparison" in text
    assert "Price of water, waste water included: €4.20 per m3." in text
    reasons = blocks_of(await note_of(building))
    assert reasons[NoteBlock.PRICES] is reasons[NoteBlock.ENERGY_MIX] is None


async def test_each_annual_note_is_made_and_announced_once(
    application: Application, building: Dwelling
) -> None:
    """A note for whoever lives there at the end of the year; a year must be over."""
    assert await make(application) == 5
    assert await make(application) == 0
    row = await OutboxMessage.get()
    subject = render(row.template, row.language, row.values).subject
    assert subject == "ISI HABITAT : votre note annuelle 2025"
    with pytest.raises(InvalidInput):
        await make(application, 2026)

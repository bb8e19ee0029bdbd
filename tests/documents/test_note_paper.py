"""Notes as they are laid out: a page each, however much there is to say."""

import io
from datetime import date

import pytest
from pypdf import PdfReader

from core.consumption import Month
from core.consumption.fluids import Fluid
from core.consumption.notes import FluidNote, NotedFigure, WhyMissing
from core.documents.note_paper import monthly_notes_pdf
from core.documents.note_values import Addressed, MonthlyNote, json_of_month, month_of_json
from core.documents.sheets import Door, Sender, Site
from core.language import Language

OTHER = NotedFigure(None, complete=False, why=WhyMissing.OTHER_OCCUPANCY)
UNREAD = NotedFigure(None, complete=False, why=WhyMissing.NOT_READ)
PARTLY = NotedFigure(98_765_432, complete=False, estimated_days=12)


def addressed(language: Language) -> Addressed:
    name = "Société coopérative des compteurs & répartiteurs"
    return Addressed(
        Sender(
            name, "Mes <suivis>", f"{name}, aide@example.org", "https://portail.example.org/?code=50001369"
        ),
        Site("50001369", "Résidence du Général de Gaulle", "12 ter avenue de l'Église", "13100", "Aix"),
        Door("Bâtiment principal", "2", "14", "1407 bis", "1407"),
        language,
        invites=True,
    )


NOTE = MonthlyNote(
    month=Month(2026, 9),
    first=date(2026, 9, 2),
    last=date(2026, 9, 29),
    year_first=date(2026, 9, 2),
    fluids=tuple(FluidNote(fluid, PARTLY, UNREAD, OTHER, PARTLY) for fluid in Fluid),
)


@pytest.mark.parametrize("language", Language)
def test_the_fullest_note_is_one_page(language: Language) -> None:
    """Every fluid, every remark, long names, and how to register; a batch is put into envelopes by page."""
    content = monthly_notes_pdf([(addressed(language), NOTE)] * 3)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
    assert len(pages) == 3
    assert all("code=50001369" in page and "Mes <suivis>" in page for page in pages)
    assert ("Question" if language is Language.FR else "question") in pages[0].replace("Une q", "Une Q")


def test_what_is_stored_is_the_note() -> None:
    """JSON and back, figures that are missing with their reasons among them."""
    assert month_of_json(json_of_month(NOTE)) == NOTE

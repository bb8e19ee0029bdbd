"""Lays out the annual note on consumption, by the blocks that the directive asks for (EED-04, FR-04).

In: an annual note as values, the sender and the place. Out: a PDF, the same bytes for the same note. The one
rule: each block, a to f and the sharing of costs, is filled or says why it is not.
"""

from collections.abc import Sequence

from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from core.consumption.fluids import Fluid
from core.documents.note_chart import year_bars
from core.documents.note_paper import figure_text, figures_table, head_of
from core.documents.note_values import HEATING, Addressed, AnnualFluid, AnnualNote
from core.documents.paper import BODY, BODY_BOLD, HEADING, SMALL
from core.documents.pdf import built, paragraph
from core.language import Language
from core.texts.alerts import amount_text, fluid_label
from core.texts.leaks import date_text
from core.texts.notes import change_text, months_short, words
from core.texts.paper import words as paper_words

_HEADING = ParagraphStyle("kept heading", parent=HEADING, keepWithNext=1)
_LABEL = ParagraphStyle("kept label", parent=BODY_BOLD, keepWithNext=1)


def annual_note_pdf(addressed: Addressed, note: AnnualNote) -> bytes:
    """The note."""
    language = addressed.language
    days = words("days", language, first=date_text(note.first, language), last=date_text(note.last, language))
    title = words("annual.title", language, year=note.year)
    parts: list[Flowable] = [*head_of(addressed, title, f"{days}.")]
    for key, content in (
        ("a", _prices(addressed, note)),
        ("b", _stated(addressed, note.stated.get("energy_mix"))),
        ("c", _comparison(note, language)),
        ("d", _stated(addressed, note.stated.get("consumer_bodies"))),
        ("e", _complaints(addressed, note)),
        ("f", _averages(note, language)),
        ("g", _stated(addressed, note.stated.get("cost_allocation"))),
    ):
        parts += [paragraph(words(key, language), _HEADING), *content]
    return built(parts, title=title, author=addressed.sender.operator_name, language=language, invariant=True)


def _prices(addressed: Addressed, note: AnnualNote) -> list[Flowable]:
    language = addressed.language
    head = (
        words("fluid", language),
        words("year", language, year=note.year),
        words("year", language, year=note.year - 1),
    )
    rows = [
        (
            fluid_label(one.fluid, language),
            figure_text(one.fluid, one.year, language),
            _before(one, language),
        )
        for one in note.fluids
    ]
    parts: list[Flowable] = [figures_table(head, rows, (58, 58, 58)), Spacer(0, 2 * mm)]
    if any(
        figure.amount is not None and not figure.complete
        for one in note.fluids
        for figure in (one.year, one.year_before)
    ):
        parts.append(paragraph(words("incomplete", language), SMALL))
    price = note.stated.get("water_price")
    if price is not None and language is Language.FR:
        price = price.replace(".", ",")
    is_water = any(one.fluid.is_water for one in note.fluids)
    if price is not None and is_water:
        parts.append(paragraph(words("water_price", language, price=price), BODY))
    if note.stated.get("prices") is not None or price is None or not is_water:
        parts += _stated(addressed, note.stated.get("prices"))
    return parts


def _before(one: AnnualFluid, language: Language) -> str:
    text = figure_text(one.fluid, one.year_before, language)
    year, before = one.year, one.year_before
    if year.amount is None or before.amount is None or not (year.complete and before.complete):
        return text
    change = change_text(year.amount, before.amount, language)
    return f"{text}\n{words('change.year', language, change=change)}" if change else text


def _stated(addressed: Addressed, text: str | None) -> list[Flowable]:
    """What the operator states, or that it does not."""
    language = addressed.language
    if text is None:
        operator = addressed.sender.operator_name
        return [paragraph(words("not_stated", language, operator=operator), BODY)]
    return [paragraph(line, BODY) for line in text.splitlines()]


def _comparison(note: AnnualNote, language: Language) -> list[Flowable]:
    parts: list[Flowable] = []
    for one in note.fluids:
        label = fluid_label(one.fluid, language)
        if all(amount is None for amount in one.months_before):
            parts.append(paragraph(words("no_year_before", language, fluid=label), BODY))
        if all(amount is None for amount in (*one.months, *one.months_before)):
            continue
        top = max(amount or 0 for amount in (*one.months, *one.months_before))
        drawing = year_bars(
            months_short(language),
            one.months_before,
            one.months,
            (str(note.year - 1), str(note.year)),
            _amount(one.fluid, top, language),
        )
        parts += [paragraph(label, _LABEL), drawing]
    if any(one.fluid in HEATING for one in note.fluids):
        parts.append(paragraph(words("no_climate", language), BODY))
    return parts


def _complaints(addressed: Addressed, note: AnnualNote) -> list[Flowable]:
    language = addressed.language
    contact = paper_words("contact", language, contact=addressed.sender.contact)
    text = note.stated.get("complaints")
    return [paragraph(contact, BODY), *(_stated(addressed, text) if text else [])]


def _averages(note: AnnualNote, language: Language) -> list[Flowable]:
    return [paragraph(text, BODY) for text in _average_texts(note.fluids, note.surface_m2, language)]


def _average_texts(fluids: Sequence[AnnualFluid], surface: str | None, language: Language) -> list[str]:
    found = []
    for one in fluids:
        label = fluid_label(one.fluid, language)
        if one.why_no_average is not None or one.average is None:
            found.append(words(f"average.{one.why_no_average}", language, fluid=label))
            continue
        shown = (surface or "").replace(".", ",") if language is Language.FR else surface
        found.append(
            words(
                "average",
                language,
                fluid=label,
                amount=_amount(one.fluid, one.average, language),
                surface=shown,
                number=one.average_of,
                own=figure_text(one.fluid, one.year, language),
            )
        )
    return found


def _amount(fluid: Fluid, amount: int, language: Language) -> str:
    text = amount_text(fluid, amount, language)
    return text.replace(".", ",") if language is Language.FR else text

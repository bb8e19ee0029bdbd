"""Lays out the notes on consumption: a page for each monthly note, annual notes as long as they are.

In: a note as values, the sender and the place. Out: a PDF, the same bytes for the same note. The one rule: a
sheet shows what was stored of the note; a missing figure is named with its reason and is never 0, and each
block of the annual note (EED-04, FR-04) is filled or says why it is not.
"""

from collections.abc import Sequence

from reportlab.lib import colors
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepInFrame, PageBreak, Spacer, Table

from core.consumption.fluids import Fluid
from core.consumption.notes import ALWAYS_NOTED, FluidNote, NotedFigure
from core.documents.note_chart import Bar, bars
from core.documents.note_values import Addressed, MonthlyNote
from core.documents.paper import BODY, BODY_BOLD, HEADING, SMALL, band, beside, door_text
from core.documents.pdf import TITLE_STYLE, built, paragraph
from core.documents.qr import QrCode
from core.language import Language
from core.texts.alerts import amount_text, fluid_label, month_text
from core.texts.leaks import date_text
from core.texts.notes import change_text, words
from core.texts.paper import words as paper_words


def monthly_notes_pdf(notes: Sequence[tuple[Addressed, MonthlyNote]]) -> bytes:
    """A page for each note, in its own language."""
    parts: list[Flowable] = []
    for addressed, note in notes:
        if parts:
            parts.append(PageBreak())
        # What is longer than a page is printed a little smaller.
        parts.append(KeepInFrame(0, 0, _monthly(addressed, note), mode="shrink"))
    first = notes[0][0]
    return built(
        parts,
        title=words("monthly.title", first.language),
        author=first.sender.operator_name,
        language=first.language,
        invariant=True,
    )


def head_of(addressed: Addressed, title: str, days: str) -> list[Flowable]:
    """Who writes to whom, and about which days."""
    site, language = addressed.site, addressed.language
    to: list[Flowable] = [
        paragraph(words("to", language), BODY),
        paragraph(door_text(addressed.door, language), BODY_BOLD),
        paragraph(site.name, BODY),
        paragraph(site.street, BODY),
        paragraph(f"{site.postcode} {site.city}", BODY),
    ]
    return [
        band(addressed.sender),
        Spacer(0, 6 * mm),
        Table(
            [("", to)],
            colWidths=(88 * mm, 86 * mm),
            style=[("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")],
        ),
        Spacer(0, 4 * mm),
        paragraph(title, TITLE_STYLE),
        paragraph(days, BODY),
        Spacer(0, 2 * mm),
    ]


def _monthly(addressed: Addressed, note: MonthlyNote) -> list[Flowable]:
    language = addressed.language
    month = month_text(note.month, language)
    days = words("days", language, first=date_text(note.first, language), last=date_text(note.last, language))
    head = head_of(addressed, words("monthly.title", language), f"{month[0].upper()}{month[1:]}. {days}.")
    parts = [*head, _figures(note, language), Spacer(0, 1 * mm)]
    parts += remarks(note.fluids, language)
    shown = [one for one in note.fluids if one.has_figures and one.fluid in ALWAYS_NOTED]
    if shown:
        parts.append(paragraph(words("chart", language), HEADING))
    for one in shown:
        label = paragraph(fluid_label(one.fluid, language), BODY_BOLD)
        parts += [label, bars(_bars(note, one, language))]
    parts += [Spacer(0, 2 * mm), paragraph(words("monthly.law", language), SMALL), Spacer(0, 2 * mm)]
    contact = paragraph(paper_words("contact", language, contact=addressed.sender.contact), SMALL)
    if not addressed.invites:
        return [*parts, contact]
    code, link = addressed.site.code, addressed.sender.link
    online = [paragraph(words("online", language, code=code), SMALL), paragraph(link, BODY_BOLD), contact]
    return [*parts, beside(online, QrCode(link, 20 * mm), right_mm=28)]


def _figures(note: MonthlyNote, language: Language) -> Table:
    head = (
        words("fluid", language),
        month_text(note.month, language),
        month_text(note.month.previous(), language),
        month_text(note.month.plus(-12), language),
        words("since", language, day=date_text(note.year_first, language)),
    )
    rows = [
        (
            fluid_label(one.fluid, language),
            figure_text(one.fluid, one.month, language),
            _compared(one, one.previous_month, language),
            _compared(one, one.month_of_last_year, language),
            figure_text(one.fluid, one.year_to_date, language),
        )
        for one in note.fluids
    ]
    return figures_table(head, rows, (38, 34, 34, 34, 34))


def figures_table(head: Sequence[str], rows: Sequence[Sequence[str]], widths_mm: Sequence[int]) -> Table:
    """A table of figures with its head; a cell of two lines has the second one smaller."""
    return Table(
        [
            tuple(paragraph(cell, BODY_BOLD) for cell in head),
            *(tuple(_cell(cell) for cell in row) for row in rows),
        ],
        colWidths=[width * mm for width in widths_mm],
        style=[
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
            ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.grey),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ],
        hAlign="LEFT",
    )


def _cell(text: str) -> list[Flowable]:
    first, _, second = text.partition("\n")
    return [paragraph(first, BODY), *([paragraph(second, SMALL)] if second else [])]


def _compared(note: FluidNote, before: NotedFigure, language: Language) -> str:
    """A figure of before, and by how much this month's differs, if both are of whole months."""
    text = figure_text(note.fluid, before, language)
    amount = note.month.amount
    if amount is None or before.amount is None or not (note.month.complete and before.complete):
        return text
    change = change_text(amount, before.amount, language)
    return f"{text}\n{words('change', language, change=change)}" if change else text


def figure_text(fluid: Fluid, figure: NotedFigure, language: Language) -> str:
    """`6,20 m3`, `3,10 m3 *` where days are missing, `non relevé` where all are."""
    if figure.amount is None:
        return words(f"why.{figure.why}", language)
    text = amount_text(fluid, figure.amount, language)
    text = text.replace(".", ",") if language is Language.FR else text
    return text if figure.complete else f"{text} *"


def remarks(fluids: Sequence[FluidNote], language: Language) -> list[Flowable]:
    """What must be known to read the figures."""
    found = []
    figures = [
        figure
        for one in fluids
        for figure in (one.month, one.previous_month, one.month_of_last_year, one.year_to_date)
    ]
    if any(figure.amount is not None and not figure.complete for figure in figures):
        found.append(words("incomplete", language))
    found += [
        words("estimated", language, fluid=fluid_label(one.fluid, language), days=one.month.estimated_days)
        for one in fluids
        if one.month.estimated_days
    ]
    if any(one.fluid is Fluid.HEAT_ALLOCATOR for one in fluids):
        found.append(words("allocator", language))
    return [paragraph(text, SMALL) for text in found]


def _bars(note: MonthlyNote, one: FluidNote, language: Language) -> list[Bar]:
    named = (
        (note.month.plus(-12), one.month_of_last_year),
        (note.month.previous(), one.previous_month),
        (note.month, one.month),
    )
    return [
        Bar(
            month_text(month, language),
            figure.amount,
            figure_text(one.fluid, figure, language),
            is_present=month == note.month,
        )
        for month, figure in named
    ]

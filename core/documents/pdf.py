"""Lays a statement out on A4: a title, its header data, a table.

In: texts. Out: a PDF. The one rule: texts are never interpreted as markup. The font (Bitstream Vera, which
comes with reportlab) is embedded, so that accents look the same everywhere.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

from core.language import Language

_FONTS = {"Submeter": "Vera.ttf", "Submeter-Bold": "VeraBd.ttf"}
TITLE_STYLE = ParagraphStyle("title", fontName="Submeter-Bold", fontSize=16, leading=20, spaceAfter=6 * mm)
TEXT_STYLE = ParagraphStyle("text", fontName="Submeter", fontSize=9, leading=12)
BOLD_STYLE = ParagraphStyle("bold", parent=TEXT_STYLE, fontName="Submeter-Bold")
_WIDTHS_MM = (27, 37, 42, 28, 14, 26)
MARGIN_MM = 18

Foot: TypeAlias = Callable[[Canvas, object], None]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The printed content; a row has a text for each of the six columns."""

    title: str
    author: str
    language: Language
    facts: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    after: tuple[Flowable, ...] = ()


def pdf(sheet: Sheet) -> bytes:
    """The sheet as a PDF; a long table continues on the next page, with its header repeated."""
    return built(_parts(sheet), title=sheet.title, author=sheet.author, language=sheet.language)


def built(
    parts: list[Flowable],
    *,
    title: str,
    author: str,
    language: Language,
    foot: Foot | None = None,
    invariant: bool = False,
) -> bytes:
    """Parts laid out on A4 pages, as a PDF; `foot` draws what stands at the foot of each.

    Invariant: the same bytes whenever it is made.
    """
    written = io.BytesIO()
    document = SimpleDocTemplate(
        written,
        pagesize=A4,
        leftMargin=MARGIN_MM * mm,
        rightMargin=MARGIN_MM * mm,
        topMargin=MARGIN_MM * mm,
        bottomMargin=MARGIN_MM * mm,
        title=title,
        author=author,
        lang=language.value,
        invariant=int(invariant),
    )
    draw = foot or _no_foot
    document.build(parts, onFirstPage=draw, onLaterPages=draw)
    return written.getvalue()


def _parts(sheet: Sheet) -> list[Flowable]:
    facts = Table(
        [(paragraph(label, BOLD_STYLE), paragraph(value, TEXT_STYLE)) for label, value in sheet.facts],
        colWidths=(34 * mm, 140 * mm),
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0)],
        hAlign="LEFT",
    )
    table = Table(
        [
            tuple(paragraph(column, BOLD_STYLE) for column in sheet.columns),
            *(tuple(paragraph(cell, TEXT_STYLE) for cell in row) for row in sheet.rows),
        ],
        colWidths=[width * mm for width in _WIDTHS_MM],
        repeatRows=1,
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
            ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.grey),
        ],
        hAlign="LEFT",
    )
    parts = [paragraph(sheet.title, TITLE_STYLE), facts, Spacer(0, 8 * mm), table]
    return [*parts, Spacer(0, 8 * mm), *sheet.after] if sheet.after else parts


def _no_foot(_canvas: Canvas, _document: object) -> None:
    pass


def paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    """A text as it is, in a style."""
    _load_fonts()
    return Paragraph(escape(text), style)


@cache
def _load_fonts() -> None:
    folder = Path(reportlab.__file__).parent / "fonts"
    for name, file in _FONTS.items():
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(folder / file)))

"""Draws the bars of a note on consumption: a few labelled amounts, or the months of two years.

In: labels and amounts. Out: a drawing. The one rule: a bar can be read without its colour, by its label and
its figure, and what is missing has no bar and says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib import colors
from reportlab.lib.units import mm

PRESENT: Final = colors.HexColor("#0b4f6c")
PAST: Final = colors.HexColor("#a9c4d0")
_WIDTH: Final = 174 * mm
_FONT: Final = "Submeter"
_ROW: Final = 5.2 * mm
_LABEL: Final = 46 * mm
_FIGURE: Final = 34 * mm


@dataclass(frozen=True, slots=True)
class Bar:
    """A labelled amount; `text` is its figure, or why there is none."""

    label: str
    amount: int | None
    text: str
    is_present: bool = False


def bars(rows: Sequence[Bar]) -> Drawing:
    """A row for each bar, from left to right."""
    drawing = Drawing(_WIDTH, _ROW * len(rows))
    largest = max((row.amount or 0 for row in rows), default=0)
    room = _WIDTH - _LABEL - _FIGURE
    for place, row in enumerate(rows):
        bottom = _ROW * (len(rows) - 1 - place)
        drawing.add(String(0, bottom + 1.4 * mm, row.label, fontName=_FONT, fontSize=9))
        length = room * (row.amount or 0) / largest if largest else 0.0
        if row.amount is not None:
            color = PRESENT if row.is_present else PAST
            drawing.add(_filled(_LABEL, bottom + 0.6 * mm, max(length, 0.6), _ROW - 1.2 * mm, color))
        drawing.add(String(_LABEL + length + 2 * mm, bottom + 1.4 * mm, row.text, fontName=_FONT, fontSize=9))
    return drawing


_HEIGHT: Final = 46 * mm
_FOOT: Final = 9 * mm


def year_bars(
    months: Sequence[str],
    past: Sequence[int | None],
    present: Sequence[int | None],
    legend: tuple[str, str],
    top: str,
) -> Drawing:
    """Two bars for each month, last year's and this year's, beside one another.

    Args:
        months: the twelve labels.
        past: the amounts of the year before.
        present: the amounts of the year.
        legend: the names of both years.
        top: the figure of the highest bar, which the scale ends with.
    """
    drawing = Drawing(_WIDTH, _HEIGHT + 8 * mm)
    largest = max((amount or 0 for amount in (*past, *present)), default=0)
    step, room = _WIDTH / len(months), _HEIGHT - _FOOT
    drawing.add(Line(0, _FOOT, _WIDTH, _FOOT, strokeColor=colors.grey, strokeWidth=0.5))
    drawing.add(Line(0, _HEIGHT, _WIDTH, _HEIGHT, strokeColor=colors.lightgrey, strokeWidth=0.5))
    drawing.add(String(0, _HEIGHT + 1 * mm, top, fontName=_FONT, fontSize=7))
    for place, label in enumerate(months):
        left = step * place
        middle = left + step / 2
        drawing.add(String(middle, 3 * mm, label, fontName=_FONT, fontSize=7, textAnchor="middle"))
        pair = ((past[place], PAST, left + step * 0.12), (present[place], PRESENT, middle))
        for amount, color, at in pair:
            if amount is not None and largest:
                height = max(room * amount / largest, 0.6)
                drawing.add(_filled(at, _FOOT, step * 0.36, height, color))
    for place, (name, color) in enumerate(zip(legend, (PAST, PRESENT), strict=True)):
        at = _WIDTH - (2 - place) * 24 * mm
        drawing.add(_filled(at, _HEIGHT + 2 * mm, 3 * mm, 3 * mm, color))
        drawing.add(String(at + 4.5 * mm, _HEIGHT + 2.3 * mm, name, fontName=_FONT, fontSize=8))
    return drawing


def _filled(left: float, bottom: float, width: float, height: float, color: colors.Color) -> Rect:
    """A bar without a border."""
    rect = Rect(left, bottom, width, height)
    rect.fillColor, rect.strokeColor = color, None
    return rect

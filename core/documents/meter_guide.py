"""The guide to meters, to download: where a device shows its serial number, and what that looks like.

In: an operator's help pages, and the meters that the installation reads. Out: a PDF with a page in each
language. The one rule: a number in it is a driver's example, never that of a meter in somebody's home.
"""

from collections.abc import Sequence

from reportlab.lib import colors
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, ListFlowable, PageBreak, Spacer, Table

from core.documents.paper import BODY, BODY_BOLD, HEADING, band
from core.documents.pdf import TITLE_STYLE, built, paragraph
from core.documents.sheets import MeterExample, Sender
from core.language import Language
from core.operators import HelpPage
from core.texts.alerts import fluid_label
from core.texts.paper import words


def meter_guide_pdf(sender: Sender, pages: Sequence[HelpPage], meters: Sequence[MeterExample]) -> bytes:
    """French first."""
    parts: list[Flowable] = []
    for language in Language:
        if parts:
            parts.append(PageBreak())
        parts += _page(sender, pages, meters, language)
    title = words("guide.title", Language.FR)
    return built(parts, title=title, author=sender.operator_name, language=Language.FR)


def _page(
    sender: Sender, pages: Sequence[HelpPage], meters: Sequence[MeterExample], language: Language
) -> list[Flowable]:
    parts: list[Flowable] = [
        band(sender),
        Spacer(0, 8 * mm),
        paragraph(words("guide.title", language), TITLE_STYLE),
    ]
    common = [item for item in pages[0].items if len(pages) > 1 and all(item in page.items for page in pages)]
    parts += [paragraph(item.in_language(language), BODY) for item in common]
    for page in pages:
        fluid = words("guide.any", language) if page.fluid is None else fluid_label(page.fluid, language)
        items = [paragraph(item.in_language(language), BODY) for item in page.items if item not in common]
        parts += [paragraph(fluid, HEADING), ListFlowable(items, bulletType="bullet", leftIndent=6 * mm)]
    parts += [paragraph(words("guide.examples", language), HEADING), Spacer(0, 2 * mm)]
    rows = [
        (
            paragraph(words("guide.meter", language), BODY_BOLD),
            paragraph(words("guide.serial", language), BODY_BOLD),
        ),
        *((paragraph(one.title, BODY), paragraph(one.serial, BODY_BOLD)) for one in meters),
    ]
    table = Table(
        rows,
        colWidths=(120 * mm, 54 * mm),
        repeatRows=1,
        style=[
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
            ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.grey),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ],
        hAlign="LEFT",
    )
    contact = paragraph(words("contact", language, contact=sender.contact), BODY)
    return [*parts, table, Spacer(0, 6 * mm), contact]

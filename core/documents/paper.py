"""Lays out what goes out on paper: flyers, certificates of consumption, notices to managers.

In: texts and figures, as values. Out: a PDF, a page for each flyer or certificate. The one rule: a sheet
shows what it was given and nothing else; its words are those of `core.texts.paper`.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date

from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, ListFlowable, PageBreak, Spacer, Table

from core.consumption.fluids import Fluid
from core.documents.pdf import BOLD_STYLE, TEXT_STYLE, TITLE_STYLE, built, paragraph
from core.documents.qr import QrCode
from core.documents.sheets import Certificate, Door, Flyer, Notice, Sender, kind_of, notice_title
from core.language import Language
from core.texts.alerts import amount_text, fluid_label, month_text
from core.texts.leaks import date_text
from core.texts.paper import words

_BAND = colors.HexColor("#0b4f6c")
_WIDTH = 174 * mm
_BIG = ParagraphStyle("big", parent=BOLD_STYLE, fontSize=30, leading=36)
HEADING = ParagraphStyle("heading", parent=BOLD_STYLE, fontSize=11, leading=15, spaceBefore=5 * mm)
BODY = ParagraphStyle("body", parent=TEXT_STYLE, fontSize=10.5, leading=15)
BODY_BOLD = ParagraphStyle("body bold", parent=BODY, fontName="Submeter-Bold")
SMALL = ParagraphStyle("small", parent=TEXT_STYLE, fontSize=8, leading=11)
_WHITE = ParagraphStyle("white", parent=BOLD_STYLE, fontSize=13, leading=17, textColor=colors.white)
_RIGHT = ParagraphStyle("right", parent=BODY, alignment=2)


def flyers_pdf(sender: Sender, flyers: Sequence[Flyer], language: Language) -> bytes:
    """A page for each flyer."""
    pages = [_flyer(sender, flyer, language) for flyer in flyers]
    return _pdf(pages, words("flyer.title", language), sender, language)


def certificates_pdf(
    sender: Sender, certificates: Sequence[Certificate], language: Language, *, today: date
) -> bytes:
    """A page for each certificate."""
    pages = [_certificate(sender, certificate, language, today) for certificate in certificates]
    return _pdf(pages, words("certificate.title", language), sender, language)


def notice_pdf(sender: Sender, notice: Notice, language: Language) -> bytes:
    """One page."""
    title = notice_title(sender.portal_name, language, is_open=notice.is_open)
    return _pdf([_notice(sender, notice, language)], title, sender, language)


def _pdf(pages: Sequence[list[Flowable]], title: str, sender: Sender, language: Language) -> bytes:
    parts: list[Flowable] = []
    for page in pages:
        if parts:
            parts.append(PageBreak())
        parts += page
    return built(parts, title=title, author=sender.operator_name, language=language)


def _flyer(sender: Sender, flyer: Flyer, language: Language) -> list[Flowable]:
    site, door = flyer.site, flyer.door
    at: list[Flowable] = [
        paragraph(site.name, BODY_BOLD),
        paragraph(site.address, BODY),
        Spacer(0, 6 * mm),
        paragraph(words("flyer.code", language), BODY),
        paragraph(site.code, _BIG),
    ]
    if door is not None:
        at += [
            paragraph(words("flyer.dwelling", language), BODY),
            paragraph(door_text(door, language), BODY_BOLD),
        ]
    steps = ListFlowable([paragraph(step, BODY) for step in flyer.steps], bulletType="1", leftIndent=7 * mm)
    return [
        band(sender),
        Spacer(0, 8 * mm),
        paragraph(words("flyer.title", language), TITLE_STYLE),
        paragraph(words("flyer.intro", language), BODY),
        Spacer(0, 6 * mm),
        beside(at, QrCode(sender.link, 62 * mm)),
        Spacer(0, 4 * mm),
        paragraph(words("flyer.scan", language), BODY),
        paragraph(sender.link, BODY_BOLD),
        paragraph(words("flyer.steps", language), HEADING),
        steps,
        paragraph(words("flyer.serial", language), HEADING),
        paragraph(words("flyer.serial.text", language, example=flyer.serial_example), BODY),
        Spacer(0, 6 * mm),
        paragraph(words("flyer.privacy", language), SMALL),
        Spacer(0, 2 * mm),
        paragraph(words("contact", language, contact=sender.contact), SMALL),
    ]


def _certificate(sender: Sender, certificate: Certificate, language: Language, today: date) -> list[Flowable]:
    site, month = certificate.site, month_text(certificate.month, language)
    to: list[Flowable] = [
        paragraph(words("certificate.to", language), BODY),
        paragraph(door_text(certificate.door, language), BODY_BOLD),
        paragraph(site.name, BODY),
        paragraph(site.street, BODY),
        paragraph(f"{site.postcode} {site.city}", BODY),
    ]
    opening = "certificate.intro" if certificate.figures else "certificate.none"
    parts: list[Flowable] = [
        band(sender),
        Spacer(0, 10 * mm),
        Table(
            [("", to)],
            colWidths=(88 * mm, 86 * mm),
            style=[("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")],
        ),
        Spacer(0, 8 * mm),
        paragraph(date_text(today, language), _RIGHT),
        paragraph(words("certificate.title", language), TITLE_STYLE),
        paragraph(words("certificate.code", language, code=site.code), BODY),
        Spacer(0, 4 * mm),
        paragraph(words("certificate.greeting", language), BODY),
        Spacer(0, 3 * mm),
        paragraph(words(opening, language, month=month), BODY),
        Spacer(0, 4 * mm),
    ]
    if certificate.figures:
        parts += [_figures(certificate, language), Spacer(0, 2 * mm)]
    if not all(one.complete for one in certificate.figures):
        parts.append(paragraph(words("certificate.incomplete", language), SMALL))
    online = [paragraph(words("certificate.online", language, code=site.code), BODY)]
    return [
        *parts,
        Spacer(0, 6 * mm),
        beside(online, QrCode(sender.link, 36 * mm), right_mm=44),
        paragraph(sender.link, BODY_BOLD),
        Spacer(0, 6 * mm),
        paragraph(words("certificate.consent", language), SMALL),
        Spacer(0, 2 * mm),
        paragraph(words("contact", language, contact=sender.contact), SMALL),
    ]


def _figures(certificate: Certificate, language: Language) -> Table:
    head = (
        words("certificate.fluid", language),
        month_text(certificate.month, language),
        month_text(certificate.month.plus(-12), language),
        words("certificate.year", language, day=date_text(certificate.since, language)),
    )
    rows = [
        (
            fluid_label(one.fluid, language) + ("" if one.complete else " *"),
            *(
                _amount(one.fluid, figure, language)
                for figure in (one.month, one.month_a_year_before, one.year)
            ),
        )
        for one in certificate.figures
    ]
    return Table(
        [
            tuple(paragraph(cell, BODY_BOLD) for cell in head),
            *(tuple(paragraph(cell, BODY) for cell in row) for row in rows),
        ],
        colWidths=(48 * mm, 40 * mm, 40 * mm, 46 * mm),
        style=[
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
            ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.grey),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ],
        hAlign="LEFT",
    )


def _amount(fluid: Fluid, figure: int | None, language: Language) -> str:
    if figure is None:
        return words("certificate.unknown", language)
    text = amount_text(fluid, figure, language)
    return text.replace(".", ",") if language is Language.FR else text


def _notice(sender: Sender, notice: Notice, language: Language) -> list[Flowable]:
    site, kind = notice.site, kind_of(is_open=notice.is_open)
    day = date_text(notice.day, language)
    facts = (
        (words("notice.residence", language), site.name),
        (words("notice.address", language), site.address),
        (words("notice.code", language), site.code),
        (words("notice.day", language), day),
    )
    table = Table(
        [(paragraph(label, BODY_BOLD), paragraph(value, BODY)) for label, value in facts],
        colWidths=(34 * mm, 140 * mm),
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0)],
        hAlign="LEFT",
    )
    parts: list[Flowable] = [
        band(sender),
        Spacer(0, 8 * mm),
        paragraph(notice_title(sender.portal_name, language, is_open=notice.is_open), TITLE_STYLE),
        table,
        Spacer(0, 6 * mm),
        paragraph(words(f"notice.{kind}.text", language, day=day), BODY),
    ]
    if notice.is_open:
        parts += [Spacer(0, 4 * mm), paragraph(sender.link, BODY_BOLD), _left(QrCode(sender.link, 44 * mm))]
    return [
        *parts,
        Spacer(0, 6 * mm),
        paragraph(words("contact", language, contact=sender.contact), SMALL),
    ]


def door_text(door: Door, language: Language) -> str:
    """`bâtiment A, escalier 1, étage 2, porte 12, lot 104`: the parts that are known."""
    given = ((part.name, getattr(door, part.name)) for part in fields(door))
    return ", ".join(words(f"door.{name}", language, value=value) for name, value in given if value)


def band(sender: Sender) -> Table:
    """The head of each sheet: who writes, and the portal's name."""
    name = sender.portal_name
    text = name if sender.operator_name in name else f"{name} · {sender.operator_name}"
    return Table(
        [(paragraph(text, _WHITE),)],
        colWidths=(_WIDTH,),
        style=[
            ("BACKGROUND", (0, 0), (-1, -1), _BAND),
            ("TOPPADDING", (0, 0), (-1, -1), 8),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 9),
            ("LEFTPADDING", (0, 0), (-1, -1), 10),
        ],
        hAlign="LEFT",
    )


def _left(code: QrCode) -> QrCode:
    code.hAlign = "LEFT"
    return code


def beside(left: Sequence[Flowable], code: QrCode, *, right_mm: int = 66) -> Table:
    """Texts with a QR code to their right."""
    return Table(
        [(list(left), code)],
        colWidths=(_WIDTH - right_mm * mm, right_mm * mm),
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ],
        hAlign="LEFT",
    )

"""Lays out the index certificate of a dwelling: the index of each of its meters at the end of a day, to be
attached to the inventory of fixtures of a move.

In: the indexes, as values. Out: a PDF of one page, or of more for a home of many meters. The one rule: it
names nobody, since both sides of a move get the same indexes; a meter without an index stands there with the
reason, and never with 0 (C-25).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from reportlab.lib import colors
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table

from core.consumption.amounts import in_shown_unit
from core.consumption.periods import civil_day
from core.documents.certified import CertifiedIndex, IndexCertificate
from core.documents.marks import VerificationMark, mark_block, page_foot
from core.documents.paper import BODY, HEADING, band, door_text
from core.documents.pdf import BOLD_STYLE, TEXT_STYLE, TITLE_STYLE, built, paragraph
from core.documents.sheets import Door, Site
from core.documents.statement import figure_text, unit_text
from core.language import Language
from core.texts.alerts import fluid_label
from core.texts.certificates import words
from core.texts.leaks import date_text, duration_text

_WIDTHS_MM = (25, 29, 30, 21, 15, 22, 32)
_COLUMNS = ("fluid", "serial", "location", "index", "unit", "read", "quality")
_PARTIES = ("outgoing", "incoming", "landlord")


def index_certificate_pdf(
    certificate: IndexCertificate, mark: VerificationMark, language: Language, *, signer: str
) -> bytes:
    """The certificate, still to be signed by `signer`."""
    title = words("index.title", language)
    rows = [_row(one, certificate, language) for one in certificate.indexes]
    parts: list[Flowable] = [
        band(certificate.sender),
        Spacer(0, 8 * mm),
        paragraph(title, TITLE_STYLE),
        facts_table(_facts(certificate, language)),
        Spacer(0, 5 * mm),
        paragraph(words("index.intro" if rows else "index.no_meters", language), BODY),
        Spacer(0, 4 * mm),
    ]
    if rows:
        head = tuple(words(f"index.column.{name}", language) for name in _COLUMNS)
        parts += [
            Table(
                [
                    tuple(paragraph(cell, BOLD_STYLE) for cell in head),
                    *(tuple(paragraph(cell, TEXT_STYLE) for cell in row) for row in rows),
                ],
                colWidths=[width * mm for width in _WIDTHS_MM],
                repeatRows=1,
                style=LINED,
                hAlign="LEFT",
            ),
            Spacer(0, 4 * mm),
            paragraph(words("index.late", language), TEXT_STYLE),
        ]
    parts += [_signatures(language), Spacer(0, 6 * mm), mark_block(mark, language, signer=signer)]
    return built(
        parts,
        title=title,
        author=certificate.sender.operator_name,
        language=language,
        foot=page_foot("index.page", mark, language),
    )


LINED: Final[list[tuple[str, tuple[int, int], tuple[int, int], *tuple[Any, ...]]]] = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
    ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.grey),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
]
"""A table with a line below its head and one below each row."""


def facts_table(facts: Sequence[tuple[str, str]]) -> Table:
    """Labels and their values, a line each."""
    return Table(
        [(paragraph(label, BOLD_STYLE), paragraph(value, TEXT_STYLE)) for label, value in facts],
        colWidths=(46 * mm, 128 * mm),
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0)],
        hAlign="LEFT",
    )


def moment_text(moment: datetime, time_zone: str, language: Language) -> str:
    """`22/11/2026 à 10:30`, `22 November 2026 at 10:30`, by the residence's clock."""
    local = moment.astimezone(ZoneInfo(time_zone))
    at = "à" if language is Language.FR else "at"
    return f"{date_text(local.date(), language)} {at} {local:%H:%M}"


def place_facts(site: Site, door: Door, language: Language) -> list[tuple[str, str]]:
    """Where a paper is about."""
    name = f"{site.name} ({site.code})" if site.name else site.code
    return [
        (words("of.residence", language), name),
        (words("of.address", language), site.address),
        (words("of.dwelling", language), door_text(door, language)),
    ]


def _facts(certificate: IndexCertificate, language: Language) -> list[tuple[str, str]]:
    day, zone = date_text(certificate.day, language), certificate.time_zone
    local = certificate.issued_at.astimezone(ZoneInfo(zone))
    is_over = certificate.day < civil_day(certificate.issued_at, zone)
    until = "index.day.value" if is_over else "index.day.today"
    facts = [
        *place_facts(certificate.site, certificate.door, language),
        (words("index.day", language), words(until, language, day=day, time=f"{local:%H:%M}")),
        (words("of.issued", language), moment_text(certificate.issued_at, zone, language)),
    ]
    if certificate.copy_of is not None:
        copy = words(f"index.copy.{certificate.copy_of}", language)
        facts.append((words("index.copy", language), copy))
    return facts


def _row(one: CertifiedIndex, certificate: IndexCertificate, language: Language) -> tuple[str, ...]:
    shown = None if one.index is None else in_shown_unit(one.fluid, one.index)
    read = "" if one.read_at is None else _short(one.read_at, certificate.time_zone, language)
    days = (
        0 if one.read_at is None else (certificate.day - civil_day(one.read_at, certificate.time_zone)).days
    )
    return (
        fluid_label(one.fluid, language),
        one.serial,
        one.location,
        figure_text(shown, language) or "—",
        unit_text(one.fluid, language),
        read or "—",
        words(f"index.quality.{one.quality}", language, days=duration_text(days, language)),
    )


def _short(moment: datetime, time_zone: str, language: Language) -> str:
    """For a narrow column."""
    local = moment.astimezone(ZoneInfo(time_zone))
    return f"{local:%d/%m/%Y %H:%M}" if language is Language.FR else f"{local:%Y-%m-%d %H:%M}"


def _signatures(language: Language) -> Flowable:
    """Room for the parties, who write their names themselves."""
    boxes = Table(
        [tuple(paragraph(words(f"index.sign.{party}", language), TEXT_STYLE) for party in _PARTIES)],
        colWidths=(58 * mm,) * len(_PARTIES),
        rowHeights=(24 * mm,),
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
        ],
        hAlign="LEFT",
    )
    return KeepTogether([paragraph(words("index.sign", language), HEADING), Spacer(0, 2 * mm), boxes])

"""Lays out a leak's dossier: for an insurer, a landlord, or a request to cap the bill after a leak.

In: the leak, as values. Out: a PDF: its course, its litres by day as a chart and a table, its cost, and room
for the plumber's attestation. The one rule: what is not known stands there with the reason; the loss is
never 0 for lack of data (C-25). WAR-03 (CGCT L. 2224-12-4 III bis, R. 2224-20-1).
"""

from collections.abc import Sequence

from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib import colors
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table

from core.alerting.claims import VolumeComparison
from core.consumption.amounts import rounded
from core.documents.certified import LeakDay, LeakDossier
from core.documents.index_certificate import LINED, facts_table, moment_text, place_facts
from core.documents.marks import VerificationMark, mark_block, page_foot
from core.documents.paper import BODY, HEADING, band
from core.documents.pdf import BOLD_STYLE, TEXT_STYLE, TITLE_STYLE, built, paragraph
from core.language import Language
from core.texts.alerts import meter_label
from core.texts.certificates import words
from core.texts.leaks import date_text, flow_text, level_equivalent, loss_text, price_text

MOST_DAYS = 366
"""Of the table; a longer leak is shown by its latest days."""

_LEAK, _ORDINARY = colors.HexColor("#0b4f6c"), colors.HexColor("#a9cbd8")
_CHART_WIDTH, _CHART_HEIGHT = 174 * mm, 42 * mm
_LEFT, _BOTTOM = 14 * mm, 6 * mm


def leak_dossier_pdf(
    dossier: LeakDossier, mark: VerificationMark, language: Language, *, signer: str
) -> bytes:
    """The dossier, still to be signed by `signer`."""
    title = words("leak.title", language)
    parts: list[Flowable] = [
        band(dossier.sender),
        Spacer(0, 8 * mm),
        paragraph(title, TITLE_STYLE),
        paragraph(words("leak.intro", language), TEXT_STYLE),
        Spacer(0, 3 * mm),
        facts_table(_places(dossier, language)),
        paragraph(words("leak.course", language), HEADING),
        facts_table(_course(dossier, language)),
        Spacer(0, 2 * mm),
        paragraph(words("leak.deadline.text", language), TEXT_STYLE),
        *_days(dossier, language),
        _attestation(language),
        Spacer(0, 6 * mm),
        mark_block(mark, language, signer=signer),
    ]
    return built(
        parts,
        title=title,
        author=dossier.sender.operator_name,
        language=language,
        foot=page_foot("leak.page", mark, language),
    )


def _places(dossier: LeakDossier, language: Language) -> list[tuple[str, str]]:
    return [
        *place_facts(dossier.site, dossier.door, language),
        (words("leak.meter", language), meter_label(dossier.fluid, dossier.serial, language)),
        (words("of.issued", language), moment_text(dossier.issued_at, dossier.time_zone, language)),
    ]


def _course(dossier: LeakDossier, language: Language) -> list[tuple[str, str]]:
    zone = dossier.time_zone
    began = words(
        "leak.began.value",
        language,
        day=date_text(dossier.started_on, language),
        level=dossier.level,
        equivalent=level_equivalent(dossier.level, language),
    )
    noticed = moment_text(dossier.noticed_at, zone, language)
    facts = [("leak.began", began)]
    if dossier.detected_at is not None:
        facts.append(("leak.detected", moment_text(dossier.detected_at, zone, language)))
    facts += [
        ("leak.notice", words(f"leak.notice.{dossier.notice_channel}", language, at=noticed)),
        ("leak.deadline", date_text(dossier.due_on, language)),
        *_repair(dossier, language),
        *(("leak.meter_says", seen) for seen in _meter_says(dossier, language)),
        ("leak.loss", _loss(dossier, language)),
        ("leak.cost", _cost(dossier, language)),
        ("leak.comparison", _comparison(dossier.comparison, language)),
    ]
    return [(words(key, language), value) for key, value in facts]


def _repair(dossier: LeakDossier, language: Language) -> list[tuple[str, str]]:
    repair = dossier.repair
    if repair is None:
        return [("leak.repaired", words("leak.repaired.none", language))]
    at = moment_text(repair.repaired_at, dossier.time_zone, language)
    note = [("leak.note", repair.note)] if repair.note else []
    return [("leak.repaired", words("leak.repaired.value", language, at=at)), *note]


def _meter_says(dossier: LeakDossier, language: Language) -> list[str]:
    repair, found = dossier.repair, []
    for verdict, at in (
        ("VERIFIED", repair.verified_at if repair else None),
        ("RELAPSED", repair.relapsed_at if repair else None),
    ):
        if at is not None:
            moment = moment_text(at, dossier.time_zone, language)
            found.append(words(f"leak.meter_says.{verdict}", language, at=moment))
    ended = dossier.ended_on
    key = "running" if ended is None else "ended"
    day = date_text(ended or dossier.today, language)
    return [*found, words(f"leak.meter_says.{key}", language, day=day)]


def _loss(dossier: LeakDossier, language: Language) -> str:
    if dossier.loss_litres is None:
        return words("leak.loss.unknown", language)
    loss, flow = loss_text(dossier.loss_litres), flow_text(dossier.mean_flow_lph)
    return words("leak.loss.value", language, loss=loss, flow=flow)


def _cost(dossier: LeakDossier, language: Language) -> str:
    if dossier.price_eur_per_m3 is None:
        return words("leak.cost.no_price", language)
    if dossier.cost_eur is None:
        return words("leak.cost.no_loss", language)
    cost, price = (price_text(eur, language) for eur in (dossier.cost_eur, dossier.price_eur_per_m3))
    return words(f"leak.cost.{dossier.price_source}", language, cost=cost, price=price)


def _comparison(compared: VolumeComparison | None, language: Language) -> str:
    """Whether the volume is abnormal in the sense of the law, or why that is not stated."""
    if compared is None or compared.mean is None or compared.limit is None:
        return words(f"leak.comparison.{'days' if compared is None else 'years'}", language)
    volume, mean, limit = (
        loss_text(rounded(litres, 0)) for litres in (compared.litres, compared.mean, compared.limit)
    )
    verdict = words(f"leak.comparison.{'above' if compared.abnormal else 'within'}", language)
    years = len(compared.earlier)
    counted = "1" if years == 1 else "several"
    return words(
        f"leak.comparison.{counted}",
        language,
        volume=volume,
        mean=mean,
        limit=limit,
        verdict=verdict,
        years=years,
    )


def _days(dossier: LeakDossier, language: Language) -> list[Flowable]:
    head = paragraph(words("leak.days", language), HEADING)
    shown = list(dossier.days)[-MOST_DAYS:]
    known = [one.litres for one in shown if one.litres is not None]
    if not known:
        return [head, paragraph(words("leak.days.none", language), TEXT_STYLE)]
    parts: list[Flowable] = [head]
    if len(shown) < len(dossier.days):
        parts.append(paragraph(words("leak.days.cut", language, days=MOST_DAYS), TEXT_STYLE))
    total = loss_text(sum(known))
    parts += [
        paragraph(words("leak.days.text", language, total=total), TEXT_STYLE),
        Spacer(0, 3 * mm),
        _chart(shown, language),
        Spacer(0, 3 * mm),
        _table(shown, language),
    ]
    return [KeepTogether(parts[:-2]), *parts[-2:]]


_COLUMNS = 3
"""Days stand side by side, so that a month takes a third of a page."""


def _table(days: Sequence[LeakDay], language: Language) -> Table:
    head = [words(key, language) for key in ("leak.day", "leak.litres", "leak.quality")]
    height = -(-len(days) // _COLUMNS)
    rows = []
    for line in range(height):
        row = []
        for column in range(_COLUMNS):
            place = line + column * height
            row += _cells(days[place], language) if place < len(days) else [""] * 3
        rows.append(row)
    leaking = [
        ("BACKGROUND", (3 * column, line + 1), (3 * column + 2, line + 1), colors.HexColor("#e4f0f5"))
        for line in range(height)
        for column in range(_COLUMNS)
        if (place := line + column * height) < len(days) and days[place].leaking
    ]
    return Table(
        [
            [paragraph(cell, BOLD_STYLE) for cell in head * _COLUMNS],
            *([paragraph(cell, TEXT_STYLE) for cell in row] for row in rows),
        ],
        colWidths=[width * mm for width in (23, 15, 20) * _COLUMNS],
        repeatRows=1,
        style=[*LINED, ("TOPPADDING", (0, 0), (-1, -1), 1), ("BOTTOMPADDING", (0, 0), (-1, -1), 2), *leaking],
        hAlign="LEFT",
    )


def _cells(one: LeakDay, language: Language) -> list[str]:
    quality = "MISSING" if one.quality is None else one.quality.name
    day = f"{one.day:%d/%m/%Y}" if language is Language.FR else one.day.isoformat()
    return [day, "—" if one.litres is None else str(one.litres), words(f"leak.quality.{quality}", language)]


def _chart(days: Sequence[LeakDay], language: Language) -> Drawing:
    """A bar a day, those of the leak dark; a day that was not read has none."""
    drawing = Drawing(_CHART_WIDTH, _CHART_HEIGHT)
    highest = max(1, *(one.litres or 0 for one in days))
    width, height = _CHART_WIDTH - _LEFT, _CHART_HEIGHT - _BOTTOM - 3 * mm
    step = width / len(days)
    for place, one in enumerate(days):
        if one.litres is not None:
            colour = _LEAK if one.leaking else _ORDINARY
            tall = one.litres / highest * height
            left = _LEFT + place * step + step * 0.1
            bar = Rect(left, _BOTTOM, step * 0.8, tall)
            bar.fillColor, bar.strokeColor = colour, None
            drawing.add(bar)
    for share in (0, 1):
        level = _BOTTOM + share * height
        drawing.add(Line(_LEFT, level, _CHART_WIDTH, level, strokeWidth=0.4, strokeColor=colors.grey))
        text = f"{highest * share} L"
        drawing.add(
            String(_LEFT - 2 * mm, level - 2, text, fontName="Submeter", fontSize=7, textAnchor="end")
        )
    first, last = (date_text(one.day, language) for one in (days[0], days[-1]))
    drawing.add(String(_LEFT, 1 * mm, first, fontName="Submeter", fontSize=7, textAnchor="start"))
    drawing.add(String(_CHART_WIDTH, 1 * mm, last, fontName="Submeter", fontSize=7, textAnchor="end"))
    return drawing


def _attestation(language: Language) -> Flowable:
    """Room for what the plumbing company writes and stamps."""
    fields = ("company", "place", "date", "signature")
    boxes = Table(
        [(paragraph(words(f"leak.attestation.{name}", language), TEXT_STYLE), "") for name in fields],
        colWidths=(58 * mm, 116 * mm),
        rowHeights=(11 * mm, 11 * mm, 11 * mm, 26 * mm),
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("GRID", (0, 0), (-1, -1), 0.5, colors.grey)],
        hAlign="LEFT",
    )
    return KeepTogether(
        [
            paragraph(words("leak.attestation", language), HEADING),
            paragraph(words("leak.attestation.text", language), BODY),
            Spacer(0, 3 * mm),
            boxes,
        ]
    )

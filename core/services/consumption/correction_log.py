"""The log of a dwelling's corrected days: what was shown, what is shown now, when that changed, and why.

In: the viewer, and pages. Out: corrections, the latest first. The one rule: it shows what the days
themselves would: those of the viewer's occupancy period, and to a manager those of the present occupant who
has consented, with a record of the look (CN-01, CN-13).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core.access import Permission, Role, Viewer, Visitor
from core.consumption.corrections import CorrectionReason
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.errors import NotFound, SubmeterError
from core.services.occupancy.present_occupancies import home_with_days, present_occupancies
from core.services.shared.columns import moment, select_by
from core.services.shared.guest_looks import DataLook, record_access, record_looks
from core.services.shared.paging import Page
from core.services.shared.scope import Home, homes_by_dwelling
from core.services.shared.time_series import day_number, day_of_number
from core.services.shared.transaction import current_database
from core.texts.access_log import LookedAt


@dataclass(frozen=True, slots=True)
class Correction:
    """A day of a meter whose amount changed; None where nothing was, or is, known of it."""

    id: int
    day: date
    meter_id: int
    printed_serial: str
    fluid: Fluid
    before: int | None
    after: int | None
    reason: CorrectionReason
    corrected_at: datetime


@dataclass(frozen=True, slots=True)
class CorrectionsAsked:
    """A page of a dwelling's corrections; `after`: the number of the last one of the page before."""

    dwelling_id: int
    first: int
    after: int | None = None


async def corrections(
    viewer: Viewer, asked: Sequence[CorrectionsAsked], *, visitor: Visitor, now: datetime
) -> list[Page[Correction] | SubmeterError]:
    """Each page in turn, by one statement for all; or why it is refused.

    NotFound: no such dwelling, or not the viewer's. To a manager also NoOccupant (no occupant is known), and
    ConsentRequired (the occupant has not consented).
    """
    homes_asked = await _homes(viewer, [one.dwelling_id for one in asked], now=now)
    keys = []
    for number, (one, home) in enumerate(zip(asked, homes_asked, strict=True)):
        if isinstance(home, SubmeterError):
            continue
        days = home.period.seen(None, None, today=civil_day(now, home.place["time_zone"]))
        if days is not None:
            keys.append((number, one.dwelling_id, *map(day_number, days), one.first + 1, one.after))
    rows = await _rows(keys) if keys else []
    pages: list[Page[Correction] | SubmeterError] = []
    for number, (one, home) in enumerate(zip(asked, homes_asked, strict=True)):
        if isinstance(home, SubmeterError):
            pages.append(home)
            continue
        mine = [row for row in rows if row["n"] == number]
        found = [_view(row) for row in mine if row["follows"]]
        total = mine[0]["total"] if mine else 0
        pages.append(Page(found[: one.first], has_next=len(found) > one.first, total=total))
    looks = [
        DataLook(
            one.dwelling_id,
            LookedAt.DAYS,
            min((each.day for each in page.items), default=None),
            max((each.day for each in page.items), default=None),
        )
        for one, page in zip(asked, pages, strict=True)
        if not isinstance(page, SubmeterError)
    ]
    if viewer.role is Role.MANAGER:
        await record_access(viewer, looks, visitor=visitor, now=now)
    await record_looks(viewer, looks, now=now)
    return pages


async def _homes(viewer: Viewer, dwelling_ids: Sequence[int], *, now: datetime) -> list[Home | SubmeterError]:
    """The home of each dwelling with the days that the viewer may see, or why there is none."""
    found: list[Home | SubmeterError] = []
    if viewer.role is Role.MANAGER:
        present = await present_occupancies(viewer, set(dwelling_ids), now=now)
        for number in dwelling_ids:
            try:
                found.append(home_with_days(present, number))
            except SubmeterError as refusal:
                found.append(refusal)
        return found
    viewer.require(Permission.CONSUMPTION_READ_DAILY)
    mine = await homes_by_dwelling(viewer)
    return [mine.get(number) or NotFound("No such dwelling.", field="id") for number in dwelling_ids]


async def _rows(keys: Sequence[Sequence[object]]) -> list[dict[str, Any]]:
    """The rows of pages and one more of each; and one of those before, for its total."""
    columns = ("n", "dwelling_id", "first_day", "last_day", "most", "after_id")
    follows = "CASE WHEN k.after_id IS NULL OR c.id < k.after_id THEN 1 ELSE 0 END"
    return await select_by(
        current_database(),
        dict.fromkeys(columns, "bigint"),
        "SELECT q.* FROM (SELECT k.n, k.most, c.id, c.meter_id, c.day, c.amount_before, c.amount_after,"  # noqa: S608 - our own words
        f" c.reason, c.corrected_at, m.printed_serial, m.fluid, COUNT(*) OVER (PARTITION BY k.n) AS total,"
        f" {follows} AS follows,"
        f" ROW_NUMBER() OVER (PARTITION BY k.n, {follows} ORDER BY c.id DESC) AS place"
        " FROM k JOIN meter m ON m.dwelling_id = k.dwelling_id JOIN consumption_correction c"
        " ON c.meter_id = m.id AND c.day BETWEEN k.first_day AND k.last_day) q"
        " WHERE (q.follows = 1 AND q.place <= q.most) OR (q.follows = 0 AND q.place = 1)"
        " ORDER BY q.n, q.place",
        keys,
    )


def _view(row: Mapping[str, Any]) -> Correction:
    return Correction(
        id=row["id"],
        day=day_of_number(row["day"]),
        meter_id=row["meter_id"],
        printed_serial=row["printed_serial"],
        fluid=Fluid(row["fluid"]),
        before=row["amount_before"],
        after=row["amount_after"],
        reason=CorrectionReason(row["reason"]),
        corrected_at=moment(row["corrected_at"]),
    )

"""The documents of dwellings and residences as rows, for all that an answer shows by one statement.

In: rights, each of which says by what right a viewer sees which days of a dwelling or residence; they come
from `core.services.shared.scope`. Out: pages of rows, newest first. The one rule: a document is narrowed in
the statement itself, by the right that it is asked for with:

- an occupant sees what is of the residence from the day that it is shown, and what is of the dwelling if that
  day is one of the own occupancy: neither successor nor predecessor sees it (EED-09);
- an owner who lives elsewhere sees the same for the time of owning, where it is meant for owners, and no note
  on consumption (C-01);
- a manager sees all, the operator's staff all but the notes on consumption.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from core.access.narrowing import Basis
from core.services.shared.columns import select_by
from core.services.shared.transaction import current_database

LONG_AGO: Final = date(1900, 1, 1)
FAR_AHEAD: Final = date(9999, 12, 31)
_BASES: Final = tuple(Basis)
_OCCUPANT, _OWNER, _MANAGER = (_BASES.index(one) for one in (Basis.OCCUPANT, Basis.OWNER, Basis.MANAGER))

COLUMNS: Final = (
    "d.id, d.residence_id, d.dwelling_id, d.occupancy_id, d.type, d.period_on, d.title, d.language,"
    " d.valid_from, d.for_owner, d.file_name, d.media_type, d.size_bytes, d.sha256, d.deposited_at,"
    " d.printed_at, d.figures"
)
_IN_TIME = f"(k.basis > {_OWNER} OR d.shown_from <= k.today)"
_OF_DWELLING = (
    "d.dwelling_id = k.dwelling_id"
    f" AND (k.basis > {_OWNER} OR d.shown_from BETWEEN k.first_day AND k.last_day)"
)
_OF_RESIDENCE = (
    "d.dwelling_id IS NULL AND d.residence_id = k.residence_id"
    f" AND (k.basis > {_OWNER} OR (d.shown_from <= k.last_day"
    f" AND (k.basis = {_OCCUPANT} OR d.shown_from >= k.first_day)))"
)
_BY_RIGHT = (
    f"(k.basis IN ({_OCCUPANT}, {_MANAGER}) OR d.occupancy_id IS NULL)"
    f" AND (k.basis <> {_OWNER} OR d.for_owner)"
)


@dataclass(frozen=True, slots=True)
class Right:
    """By what right, and for which days, a viewer sees the documents of a dwelling and of its residence.

    Without a dwelling: those of the residence as a whole alone. The days are those of the viewer's own
    occupancy or ownership; for whoever is in charge, all.
    """

    basis: Basis
    residence_id: int
    dwelling_id: int | None
    first_day: date
    last_day: date
    today: date


@dataclass(frozen=True, slots=True)
class PageOfRights:
    """A page: by which rights (what any of them shows), how many rows at most, and after which one."""

    rights: Sequence[Right]
    first: int
    after: int | None = None
    only: int | None = None
    """One document alone."""


async def document_pages(asked: Sequence[PageOfRights]) -> list[tuple[list[dict[str, Any]], int]]:
    """For each page its rows, with one more if there are more, and how many there are on all pages."""
    rows = await select_by(
        current_database(),
        {
            **dict.fromkeys(("n", "basis", "residence_id", "dwelling_id"), "bigint"),
            **dict.fromkeys(("first_day", "last_day", "today"), "date"),
            **dict.fromkeys(("most", "after_id", "only_id"), "bigint"),
        },
        "SELECT q.* FROM (SELECT x.*, COUNT(*) OVER (PARTITION BY x.n) AS total,"  # noqa: S608 - our own words
        " ROW_NUMBER() OVER (PARTITION BY x.n, x.follows ORDER BY x.id DESC) AS place"
        " FROM (SELECT DISTINCT k.n, k.most,"
        " CASE WHEN k.after_id IS NULL OR d.id < k.after_id THEN 1 ELSE 0 END AS follows,"
        f" {COLUMNS} FROM k JOIN document d ON d.residence_id = k.residence_id"
        " AND d.deposited_at IS NOT NULL AND d.withdrawn_at IS NULL"
        f" AND (({_OF_DWELLING}) OR ({_OF_RESIDENCE})) AND {_IN_TIME} AND {_BY_RIGHT}"
        " AND (k.only_id IS NULL OR d.id = k.only_id)) x) q"
        " WHERE (q.follows = 1 AND q.place <= q.most) OR (q.follows = 0 AND q.place = 1)"
        " ORDER BY q.n, q.place",
        [
            (
                *(n, _BASES.index(right.basis), right.residence_id, right.dwelling_id),
                *(right.first_day, right.last_day, right.today),
                *(one.first + 1, one.after, one.only),
            )
            for n, one in enumerate(asked)
            for right in one.rights
        ],
    )
    found: list[list[dict[str, Any]]] = [[] for _ in asked]
    for row in rows:
        found[row["n"]].append(row)
    return [([row for row in some if row["follows"]], some[0]["total"] if some else 0) for some in found]

"""Residences and dwellings with their places, each kind by one statement, in pages.

In: whose residences are asked for, and keys. Out: rows. The one rule: a statement is narrowed to the
residences that a manager was granted, or that are of an operator, in the statement itself; who that is
comes from `scope`, which alone calls this. A cursor is the number of the last row of the page before, of
which the database finds the place.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypedDict, cast

from core.access.narrowing import Basis
from core.services.shared.columns import select_by
from core.services.shared.transaction import current_database, is_sqlite

RESIDENCE_COLUMNS = (
    "r.id AS residence_id, r.operator_id, r.code, r.name, r.street, r.postcode, r.city, r.time_zone,"
    " r.billing_starts, r.weather_station, r.published_at, r.water_price_eur_per_m3,"
    " p.code AS operator_code, p.name AS operator_name"
)
DWELLING_COLUMNS = (
    "d.id AS dwelling_id, d.building, d.staircase, d.floor, d.number, d.lot, d.manager_reference,"
    " d.surface_m2"
)
_IN_CHARGE = {
    Basis.MANAGER: "r.id IN (SELECT g.residence_id FROM managed_residence g WHERE g.account_id = k.charge)",
    Basis.STAFF: "r.operator_id = k.charge",
}
_OPERATOR = "JOIN operator p ON p.id = r.operator_id"
_SEARCHED = ("r.code", "r.name", "r.street", "r.postcode", "r.city")
_ORDERS = {"code": "r.code, r.id", "name": "r.name, r.id", "city": "r.city, r.code, r.id"}


class ResidenceRow(TypedDict):
    """A residence with its operator, as stored."""

    residence_id: int
    operator_id: int
    billing_starts: str | None
    weather_station: str | None
    code: str
    name: str
    street: str
    postcode: str
    city: str
    time_zone: str
    published_at: datetime | str | None
    water_price_eur_per_m3: Decimal | str | None
    operator_code: str
    operator_name: str


class PlaceRow(ResidenceRow):
    """A dwelling with its residence and operator, as stored."""

    dwelling_id: int
    building: str
    staircase: str
    floor: str
    number: str
    lot: str | None
    manager_reference: str | None
    surface_m2: Decimal | str | None


class Charge(NamedTuple):
    """Whose residences: those granted to an account (MANAGER), or of an operator (STAFF)."""

    basis: Basis
    number: int


@dataclass(frozen=True, slots=True)
class PlacesAsked:
    """A page of a residence's dwellings; `after` is the last dwelling of the page before."""

    residence_id: int
    first: int
    after: int | None = None


@dataclass(frozen=True, slots=True)
class ResidencesAsked:
    """A page of residences; a filter that is None does not narrow.

    `search` is part of code, name, street, postcode or city. `order` is one of `_ORDERS`.
    """

    first: int
    after: int | None = None
    code: str | None = None
    city: str | None = None
    search: str | None = None
    published: bool | None = None
    order: str = "code"


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page, and one more if there are more; `total`: of all pages."""

    rows: Sequence[Any]
    total: int


async def place_rows(charge: Charge | None, dwelling_ids: Collection[int]) -> dict[int, PlaceRow]:
    """Those of the dwellings that are in charge, by their numbers; None: all, of which `scope` knows."""
    narrowed = "k.charge IS NULL" if charge is None else _IN_CHARGE[charge.basis]
    rows = await select_by(
        current_database(),
        {"charge": "bigint", "dwelling_id": "bigint"},
        f"SELECT {DWELLING_COLUMNS}, {RESIDENCE_COLUMNS} FROM k JOIN dwelling d ON d.id = k.dwelling_id"  # noqa: S608 - our own words
        f" JOIN residence r ON r.id = d.residence_id {_OPERATOR} WHERE {narrowed}",
        [(charge.number if charge else None, dwelling_id) for dwelling_id in dwelling_ids],
    )
    return {row["dwelling_id"]: cast("PlaceRow", row) for row in rows}


async def residence_rows(charge: Charge, residence_ids: Collection[int]) -> dict[int, ResidenceRow]:
    """Those of the residences that are in charge, by their numbers."""
    rows = await select_by(
        current_database(),
        {"charge": "bigint", "residence_id": "bigint"},
        f"SELECT {RESIDENCE_COLUMNS} FROM k JOIN residence r ON r.id = k.residence_id {_OPERATOR}"  # noqa: S608 - our own words
        f" WHERE {_IN_CHARGE[charge.basis]}",
        [(charge.number, residence_id) for residence_id in residence_ids],
    )
    return {row["residence_id"]: cast("ResidenceRow", row) for row in rows}


async def place_pages(charge: Charge, asked: Sequence[PlacesAsked]) -> list[Found]:
    """The dwellings of residences by building, staircase, floor and number; none of one not in charge."""
    order = "building, {0}.staircase, {0}.floor, {0}.number"
    rows = await select_by(
        current_database(),
        dict.fromkeys(("n", "charge", "residence_id", "most", "after_id"), "bigint"),
        "SELECT q.* FROM (SELECT x.*, COUNT(*) OVER (PARTITION BY x.n) AS total,"  # noqa: S608 - our own words
        f" ROW_NUMBER() OVER (PARTITION BY x.n, x.follows ORDER BY x.{order.format('x')}) AS place"
        " FROM (SELECT k.n, k.most, CASE WHEN k.after_id IS NULL"
        f" OR (d.{order.format('d')}) > (c.{order.format('c')}) THEN 1 ELSE 0 END AS follows,"
        f" {DWELLING_COLUMNS}, {RESIDENCE_COLUMNS} FROM k"
        f" JOIN residence r ON r.id = k.residence_id {_OPERATOR}"
        " JOIN dwelling d ON d.residence_id = r.id LEFT JOIN dwelling c ON c.id = k.after_id"
        f" WHERE {_IN_CHARGE[charge.basis]}) x) q"
        " WHERE (q.follows = 1 AND q.place <= q.most) OR (q.follows = 0 AND q.place = 1)"
        " ORDER BY q.n, q.place",
        [(n, charge.number, one.residence_id, one.first + 1, one.after) for n, one in enumerate(asked)],
    )
    found: list[list[dict[str, Any]]] = [[] for _ in asked]
    for row in rows:
        found[row["n"]].append(row)
    return [Found([row for row in rows if row["follows"]], rows[0]["total"] if rows else 0) for rows in found]


async def residence_page(charge: Charge, asked: ResidencesAsked) -> Found:
    """A page of the residences in charge."""
    connection = current_database()
    order = _ORDERS[asked.order]
    within = "instr" if is_sqlite(connection) else "strpos"
    searched = " OR ".join(f"{within}(LOWER({column}), LOWER(k.search)) > 0" for column in _SEARCHED)
    rows = await select_by(
        connection,
        {
            "charge": "bigint",
            "most": "bigint",
            "after_id": "bigint",
            "code": "text",
            "city": "text",
            "search": "text",
            "published": "bigint",
        },
        "SELECT q.* FROM (SELECT x.*, COUNT(*) OVER () AS total,"  # noqa: S608 - our own words
        " ROW_NUMBER() OVER (PARTITION BY x.follows ORDER BY x.place) AS row_place"
        f" FROM (SELECT k.most, ROW_NUMBER() OVER (ORDER BY {order}) AS place, CASE WHEN k.after_id IS NULL"
        f" OR ({order}) > ({order.replace('r.', 'c.')}) THEN 1 ELSE 0 END AS follows, {RESIDENCE_COLUMNS}"
        f" FROM k JOIN residence r ON {_IN_CHARGE[charge.basis]} {_OPERATOR}"
        " LEFT JOIN residence c ON c.id = k.after_id"
        " WHERE (k.code IS NULL OR r.code = k.code) AND (k.city IS NULL OR LOWER(r.city) = LOWER(k.city))"
        f" AND (k.search IS NULL OR {searched})"
        " AND (k.published IS NULL OR (r.published_at IS NOT NULL) = (k.published = 1))) x) q"
        " WHERE (q.follows = 1 AND q.row_place <= q.most) OR (q.follows = 0 AND q.row_place = 1)"
        " ORDER BY q.place",
        [
            (
                *(charge.number, asked.first + 1, asked.after, asked.code, asked.city, asked.search),
                None if asked.published is None else int(asked.published),
            )
        ],
    )
    following = [row for row in rows if row["follows"]]
    return Found(following, rows[0]["total"] if rows else 0)

"""The occupancies at an account's dwellings, with their places, in one statement.

In: an account. Out: every occupancy of those who live or lived at a dwelling where the account does or did,
each with the columns of its dwelling, residence and operator. The one rule: nothing is narrowed here; which
of them, and which days, a viewer may see is decided in `scope`, which alone calls this.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict, cast

from core.models import OccupancyKind
from core.services.shared import columns
from core.services.shared.time_series import run
from core.services.shared.transaction import current_database

_STATEMENT = (
    "SELECT o.id, o.account_id, o.dwelling_id, o.kind, o.move_in, o.move_out, o.access_until, o.attested_at,"
    " d.building, d.staircase, d.floor, d.number, d.lot, d.manager_reference, d.surface_m2,"
    " r.id AS residence_id, r.code, r.name, r.street, r.postcode, r.city, r.time_zone,"
    " r.water_price_eur_per_m3, p.code AS operator_code, p.name AS operator_name"
    " FROM occupancy o JOIN dwelling d ON d.id = o.dwelling_id JOIN residence r ON r.id = d.residence_id"
    " JOIN operator p ON p.id = r.operator_id WHERE o.kind <> $2 AND o.dwelling_id IN"
    " (SELECT dwelling_id FROM occupancy WHERE account_id = $1 AND kind <> $2)"
)


class PlaceRow(TypedDict):
    """A dwelling with its residence and operator, as stored."""

    dwelling_id: int
    building: str
    staircase: str
    floor: str
    number: str
    lot: str | None
    manager_reference: str | None
    surface_m2: Decimal | str | None
    residence_id: int
    code: str
    name: str
    street: str
    postcode: str
    city: str
    time_zone: str
    water_price_eur_per_m3: Decimal | str | None
    operator_code: str
    operator_name: str


@dataclass(frozen=True, slots=True)
class OccupancyRow:
    """An occupancy and its place."""

    id: int
    account_id: int | None
    dwelling_id: int
    kind: OccupancyKind
    move_in: date
    move_out: date | None
    access_until: date | None
    attested_at: datetime | None
    place: PlaceRow


async def occupancy_rows(account_id: int) -> list[OccupancyRow]:
    """The occupancies at the dwellings of an account, its own among them; landlords' are left out."""
    kind = OccupancyKind.OWNER_NON_OCCUPANT.value
    rows = await run(current_database(), _STATEMENT, [account_id, kind])
    return [
        OccupancyRow(
            id=row["id"],
            account_id=row["account_id"],
            dwelling_id=row["dwelling_id"],
            kind=OccupancyKind(row["kind"]),
            move_in=columns.day(row["move_in"]),
            move_out=columns.day_or_none(row["move_out"]),
            access_until=columns.day_or_none(row["access_until"]),
            attested_at=columns.moment_or_none(row["attested_at"]),
            place=cast("PlaceRow", row),
        )
        for row in rows
    ]

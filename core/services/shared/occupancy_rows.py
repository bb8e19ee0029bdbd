"""The occupancies at an account's dwellings, with their places, in one statement.

In: an account. Out: every occupancy of those who live or lived at a dwelling where the account does or did,
each with the columns of its dwelling, residence and operator. The one rule: nothing is narrowed here; which
of them, and which days, a viewer may see is decided in `scope`, which alone calls this.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from core.models import OccupancyKind
from core.services.shared import columns
from core.services.shared.place_rows import DWELLING_COLUMNS, RESIDENCE_COLUMNS, PlaceRow
from core.services.shared.time_series import run
from core.services.shared.transaction import current_database

_STATEMENT = (
    "SELECT o.id, o.account_id, o.dwelling_id, o.kind, o.move_in, o.move_out, o.access_until, o.attested_at,"  # noqa: S608 - our own words
    f" {DWELLING_COLUMNS}, {RESIDENCE_COLUMNS} FROM occupancy o JOIN dwelling d ON d.id = o.dwelling_id"
    " JOIN residence r ON r.id = d.residence_id JOIN operator p ON p.id = r.operator_id"
    " WHERE o.kind <> $2 AND o.dwelling_id IN"
    " (SELECT dwelling_id FROM occupancy WHERE account_id = $1 AND kind <> $2)"
)


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

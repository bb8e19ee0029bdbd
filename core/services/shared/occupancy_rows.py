"""The occupancies at an account's dwellings, with their places, in one statement.

In: an account. Out: every occupancy of those who live or lived at a dwelling where the account does or did,
each with the columns of its dwelling, residence and operator. The one rule: nothing is narrowed here; which
of them, and which days, a viewer may see is decided in `scope`, which alone looks at these rows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any, cast

from core.access import Viewer
from core.models import OccupancyKind
from core.services.shared import columns
from core.services.shared.place_rows import DWELLING_COLUMNS, RESIDENCE_COLUMNS, PlaceRow
from core.services.shared.time_series import run
from core.services.shared.transaction import current_database

_COLUMNS = (
    "o.id, o.account_id, o.dwelling_id, o.kind, o.move_in, o.move_out, o.access_until, o.attested_at,"
    f" {DWELLING_COLUMNS}, {RESIDENCE_COLUMNS}"
)
_PLACE = (
    "dwelling d ON d.id = o.dwelling_id {0} residence r ON r.id = d.residence_id"
    " {0} operator p ON p.id = r.operator_id"
)
_OWNER = OccupancyKind.OWNER_NON_OCCUPANT.value
_STATEMENT = (
    f"SELECT {_COLUMNS} FROM occupancy o JOIN {_PLACE.format('JOIN')}"  # noqa: S608 - our own words
    f" WHERE o.kind <> '{_OWNER}' AND o.dwelling_id IN"
    f" (SELECT dwelling_id FROM occupancy WHERE account_id = $1 AND kind <> '{_OWNER}')"
)

_PREFIX = "home_"
BESIDE_COLUMNS = re.sub(
    r"([a-z]\.([a-z_0-9]+))(?: AS ([a-z_0-9]+))?",
    lambda found: f"{found[1]} AS {_PREFIX}{found[3] or found[2]}",
    _COLUMNS,
)
_NAMES = re.findall(rf" AS {_PREFIX}([a-z_0-9]+)", BESIDE_COLUMNS)
_values_beside = itemgetter(*(_PREFIX + name for name in _NAMES))
BESIDE_ACCOUNT = (
    f"LEFT JOIN occupancy mine ON mine.account_id = a.id AND mine.kind <> '{_OWNER}'"
    f" LEFT JOIN occupancy o ON o.dwelling_id = mine.dwelling_id AND o.kind <> '{_OWNER}'"
    f" LEFT JOIN {_PLACE.format('LEFT JOIN')}"
)
"""The same columns, each with a prefix, beside an account `a`, and what to join for them. An occupancy comes
once for each of the account's own at the dwelling."""


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
    return [_row(row) for row in await run(current_database(), _STATEMENT, [account_id])]


def keeping_occupancies(viewer: Viewer, rows: Sequence[Mapping[str, Any]]) -> Viewer:
    """The viewer of an account, who keeps the occupancies that were read beside it."""
    if viewer.kept is not None:
        of_homes = [dict(zip(_NAMES, _values_beside(row), strict=True)) for row in rows]
        viewer.kept[_KEPT] = list(
            {row["id"]: _row(row) for row in of_homes if row["id"] is not None}.values()
        )
    return viewer


def kept_occupancies(viewer: Viewer) -> list[OccupancyRow] | None:
    """The occupancies that the viewer keeps; None if they are still to be read."""
    return None if viewer.kept is None else viewer.kept.get(_KEPT)


_KEPT = "occupancies"


def _row(row: Mapping[str, Any]) -> OccupancyRow:
    return OccupancyRow(
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

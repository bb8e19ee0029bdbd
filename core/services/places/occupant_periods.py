"""Who lives or lived in dwellings, with their periods, by one statement.

In: the open transaction and dwellings. Out: every occupancy of those who live or lived there, each with its
period; or the occupancies that form one period. The one rule: how a period is cut is decided in `scope`;
`occupant_periods` reads without objects of the ORM, since intake asks with nearly every batch.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from tortoise.backends.base.client import BaseDBAsyncClient

from core.models import Occupancy, OccupancyKind
from core.services.shared import columns, time_series
from core.services.shared.scope import OccupancyPeriod, occupants, periods_of, touch, with_periods


@dataclass(frozen=True, slots=True)
class OccupantRow:
    """An occupancy; `time_zone` is that of the residence."""

    id: int
    account_id: int | None
    dwelling_id: int
    kind: OccupancyKind
    move_in: date
    move_out: date | None
    attested_at: datetime | None
    time_zone: str


async def occupant_periods(
    connection: BaseDBAsyncClient, dwelling_ids: Iterable[int]
) -> list[tuple[OccupantRow, OccupancyPeriod]]:
    """The occupancies of dwellings with their periods; landlords' are left out."""
    asked = [(number,) for number in sorted(set(dwelling_ids))]
    rows = [
        OccupantRow(
            id=row["id"],
            account_id=row["account_id"],
            dwelling_id=row["dwelling_id"],
            kind=OccupancyKind(row["kind"]),
            move_in=columns.day(row["move_in"]),
            move_out=columns.day_or_none(row["move_out"]),
            attested_at=columns.moment_or_none(row["attested_at"]),
            time_zone=row["time_zone"],
        )
        for row in await time_series.select(connection, _OCCUPANTS, asked)
    ]
    return periods_of(rows, rows)


_OCCUPANTS: Final = (
    "SELECT o.id, o.account_id, o.dwelling_id, o.kind, o.move_in, o.move_out, o.attested_at, r.time_zone"  # noqa: S608 - our own words
    " FROM k JOIN occupancy o ON o.dwelling_id = k.a"
    " JOIN dwelling d ON d.id = o.dwelling_id JOIN residence r ON r.id = d.residence_id"
    f" WHERE o.kind <> '{OccupancyKind.OWNER_NON_OCCUPANT.value}' ORDER BY o.id"
)


async def rows_of_period(occupancy: Occupancy, *, connection: BaseDBAsyncClient | None = None) -> list[int]:
    """The numbers of the own occupancies at the dwelling that form one period with this one."""
    if occupancy.account_id is None:
        return [occupancy.id]
    same = occupants().filter(account_id=occupancy.account_id, dwelling_id=occupancy.dwelling_id)
    rows = await same.using_db(connection)
    known = await with_periods(rows, connection=connection)
    chains: list[list[tuple[int, OccupancyPeriod]]] = []
    for row, period in sorted(known, key=lambda one: (one[1].first_day, one[0].id)):
        if chains and any(touch(before, period) for _, before in chains[-1]):
            chains[-1].append((row.id, period))
        else:
            chains.append([(row.id, period)])
    found = [[number for number, _ in chain] for chain in chains]
    return next((numbers for numbers in found if occupancy.id in numbers), [occupancy.id])

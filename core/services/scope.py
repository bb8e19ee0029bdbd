"""The one point where rows are narrowed to a Viewer: which dwellings, and which days of each.

In: the viewer. Out: `Stay` values. The one rule: what is not in a stay does not exist for the viewer, so
"no such dwelling" and "not yours" are the same answer (serials.md §2 rule 6), and nothing from before the
move-in, or from the move-out on, is ever shown (EED-09, C-14, C-15).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.queryset import QuerySet

from core.access import Permission, Role, Viewer
from core.errors import ForbiddenPeriod, NotFound
from core.models import Dwelling, Meter, Occupancy, OccupancyKind

_LARGEST_ID = 2**63 - 1
"""What a database's BIGINT holds; to ask for more is an error of its own in each of them."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A dwelling and the civil days of it that a viewer may see; `last_day` is None while the stay lasts."""

    dwelling_id: int
    kind: OccupancyKind
    first_day: date
    last_day: date | None

    def holds(self, day: date) -> bool:
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def over_on(self, day: date) -> bool:
        """Whether the stay had ended before that day."""
        return self.last_day is not None and self.last_day < day

    def clip(self, first: date | None, last: date | None, *, today: date) -> tuple[date, date]:
        """The days asked for, or by default all that may be seen up to today.

        Raises:
            ForbiddenPeriod: a bound that was given lies outside the stay.
        """
        for day, field in ((first, "from"), (last, "to")):
            if day is not None and day < self.first_day:
                raise ForbiddenPeriod(f"Data are visible from {self.first_day.isoformat()} on.", field=field)
            if day is not None and self.last_day is not None and day > self.last_day:
                raise ForbiddenPeriod(f"Data are visible until {self.last_day.isoformat()}.", field=field)
        return first or self.first_day, min(day for day in (last, self.last_day, today) if day is not None)


async def stays(viewer: Viewer) -> list[Stay]:
    """Every stay of the viewer, the present ones first, then the latest."""
    viewer.require(Permission.DWELLINGS_READ)
    if viewer.role is not Role.RESIDENT or viewer.account_id is None:
        return []
    mine = await occupants().filter(account_id=viewer.account_id).order_by("-move_in", "id")
    found = await stays_of(mine)
    return sorted(found, key=lambda stay: stay.last_day is not None)


async def stays_of(
    occupancies: Sequence[Occupancy], *, connection: BaseDBAsyncClient | None = None
) -> list[Stay]:
    """The stay that each occupancy gives: cut where a predecessor was still there (C-14)."""
    dwelling_ids = {row.dwelling_id for row in occupancies}
    ended = occupants().filter(dwelling_id__in=list(dwelling_ids)).exclude(move_out=None)
    others = await ended.using_db(connection)
    return [
        Stay(
            dwelling_id=row.dwelling_id,
            kind=row.kind,
            first_day=max([row.move_in, *(end for other in others if (end := _end_before(other, row)))]),
            last_day=row.move_out - timedelta(days=1) if row.move_out else None,
        )
        for row in occupancies
    ]


async def stay_at(viewer: Viewer, dwelling_id: int) -> Stay:
    """The viewer's stay at a dwelling.

    Raises:
        NotFound: there is no such dwelling, or the viewer has no stay there.
    """
    for stay in await stays(viewer):
        if stay.dwelling_id == dwelling_id:
            return stay
    raise NotFound("No such dwelling.", field="id")


async def stay_of_meter(viewer: Viewer, meter_id: int) -> tuple[Meter, Stay]:
    """A meter (with its dwelling and residence) and the viewer's stay at its dwelling.

    Raises:
        NotFound: there is no such meter, or it is not one of the viewer's.
    """
    mine = {stay.dwelling_id: stay for stay in reversed(await stays(viewer))}
    if not 0 < meter_id <= _LARGEST_ID:
        raise NotFound("No such meter.", field="id")
    meter = await Meter.get_or_none(id=meter_id, dwelling_id__in=list(mine)).select_related(
        "dwelling__residence"
    )
    if meter is None:
        raise NotFound("No such meter.", field="id")
    return meter, mine[meter.dwelling_id]


async def dwellings_with_residence(dwelling_ids: list[int]) -> dict[int, Dwelling]:
    """The dwellings with residence and operator at hand; the ids must come from `stays`."""
    rows = await Dwelling.filter(id__in=dwelling_ids).select_related("residence__operator")
    return {row.id: row for row in rows}


def occupants() -> QuerySet[Occupancy]:
    """The occupancies of those who live or lived in their dwelling: no landlord sees a tenant's data."""
    return Occupancy.exclude(kind=OccupancyKind.OWNER_NON_OCCUPANT)


def _end_before(other: Occupancy, stay: Occupancy) -> date | None:
    """When another one's occupancy ended, if it came before this stay and not after it."""
    if other.dwelling_id != stay.dwelling_id or other.id == stay.id:
        return None
    if other.account_id is not None and other.account_id == stay.account_id:
        return None
    ends_first = other.move_out and (stay.move_out is None or other.move_out < stay.move_out)
    return other.move_out if ends_first else None

"""The one point where rows are narrowed to a Viewer: which dwellings, and which days of each.

In: the viewer. Out: `Stay` values. The one rule: what is not in a stay does not exist for the viewer, so
"no such dwelling" and "not yours" are the same answer (serials.md §2 rule 6), and nothing from before the
move-in, or from the move-out on, is ever shown (EED-09, C-14, C-15).
"""

from dataclasses import dataclass
from datetime import date, timedelta

from core.access import Permission, Role, Viewer
from core.errors import ForbiddenPeriod, NotFound
from core.models import Dwelling, Meter, Occupancy, OccupancyKind


@dataclass(frozen=True, slots=True)
class Stay:
    """A dwelling and the civil days of it that a viewer may see; `last_day` is None while the stay lasts."""

    dwelling_id: int
    kind: OccupancyKind
    first_day: date
    last_day: date | None

    def holds(self, day: date) -> bool:
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def clip(self, first: date | None, last: date | None, *, today: date) -> tuple[date, date]:
        """The days asked for, or by default all that may be seen up to today.

        Raises:
            ForbiddenPeriod: a bound that was given lies outside the stay.
        """
        if first is not None and not self.holds(first):
            raise ForbiddenPeriod(f"Data are visible from {self.first_day.isoformat()} on.", field="from")
        if last is not None and self.last_day is not None and last > self.last_day:
            raise ForbiddenPeriod(f"Data are visible until {self.last_day.isoformat()}.", field="to")
        return first or self.first_day, min(day for day in (last, self.last_day, today) if day is not None)


async def stays(viewer: Viewer) -> list[Stay]:
    """Every stay of the viewer, the present ones first, then the latest."""
    viewer.require(Permission.DWELLINGS_READ)
    if viewer.role is not Role.RESIDENT or viewer.account_id is None:
        return []
    mine = await Occupancy.filter(account_id=viewer.account_id).order_by("-move_in", "id")
    mine = [row for row in mine if row.kind is not OccupancyKind.OWNER_NON_OCCUPANT]
    ended_before = await _ends_of_predecessors(mine)
    found = [
        Stay(
            dwelling_id=row.dwelling_id,
            kind=row.kind,
            first_day=max(
                [row.move_in, *(end for end in ended_before[row.dwelling_id] if _precedes(end, row))]
            ),
            last_day=row.move_out - timedelta(days=1) if row.move_out else None,
        )
        for row in mine
    ]
    return sorted(found, key=lambda stay: stay.last_day is not None)


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


async def _ends_of_predecessors(mine: list[Occupancy]) -> dict[int, list[date]]:
    """For each dwelling the move-out days of occupancies that have ended."""
    ends: dict[int, list[date]] = {row.dwelling_id: [] for row in mine}
    for row in await Occupancy.filter(dwelling_id__in=list(ends)).exclude(move_out=None):
        if row.id not in {own.id for own in mine} and row.move_out is not None:
            ends[row.dwelling_id].append(row.move_out)
    return ends


def _precedes(end: date, stay: Occupancy) -> bool:
    """Whether an occupancy that ended then came before this stay, and not after it."""
    return stay.move_out is None or end < stay.move_out

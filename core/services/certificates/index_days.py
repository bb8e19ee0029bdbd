"""Which day of a dwelling a viewer may have certified, and which readings count for it.

In: the viewer, a dwelling and a day. Out: the dwelling, and since when readings count. The one rule: an index
at a move belongs to both sides; whoever moves in may have that of the evening before, and nothing earlier
(EED-09). Certificates of days one after the other would show a manager the days, so without the occupant's
consent those in charge get the days of moves and the last days of months, which they may always see (CN-01).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from core.access import Permission, Role, Viewer
from core.consumption import Month
from core.consumption.periods import civil_day
from core.errors import ConsentRequired, ForbiddenPeriod, InvalidInput, NotFound
from core.models import Dwelling
from core.services.occupancy.present_occupancies import present_occupancies
from core.services.shared.scope import OccupancyPeriod, homes, occupants, places_in_charge, with_periods

_ONE_DAY = timedelta(days=1)
MOVES_WITHIN = timedelta(days=31)
MOST_MOVES: Final = 3
"""Days of moves within a month of one another that are open: somebody leaves, a successor comes, and one
more. Occupancies of a day each, as a manager may record them, would be the daily data."""


@dataclass(frozen=True, slots=True)
class CertifiedDay:
    """A dwelling, with residence and operator, and a day whose indexes may be certified.

    `since`: readings before this day are another occupant's; None if they count. `by_consent`: it is seen by
    the occupant's consent alone.
    """

    dwelling: Dwelling
    day: date
    since: date | None
    by_consent: bool = False


async def certified_day(viewer: Viewer, dwelling_id: int, day: date, *, now: datetime) -> CertifiedDay:
    """The day, if the viewer may have it certified.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
        ForbiddenPeriod: the day lies outside the viewer's occupancy.
        InvalidInput: it is yet to come.
        ConsentRequired: to whoever is in charge it would show a day of the occupant's.
    """
    viewer.require(Permission.PAPERS_ISSUE)
    since, by_consent = None, False
    if viewer.role is Role.RESIDENT:
        since = _since(await _periods(viewer, dwelling_id), day)
    elif dwelling_id not in await places_in_charge(viewer, [dwelling_id]):
        raise NotFound("No such dwelling.", field="dwelling")
    dwelling = await Dwelling.get(id=dwelling_id).select_related("residence__operator")
    today = civil_day(now, dwelling.residence.time_zone)
    if day > today:
        raise InvalidInput("The day is yet to come.", field="day")
    if viewer.role is not Role.RESIDENT and not await _is_open(dwelling_id, day, today):
        await _consented(viewer, dwelling_id, day, now)
        by_consent = True
    return CertifiedDay(dwelling, day, since, by_consent)


async def _periods(viewer: Viewer, dwelling_id: int) -> list[OccupancyPeriod]:
    mine = [home.period for home in await homes(viewer) if home.period.dwelling_id == dwelling_id]
    if not mine:
        raise NotFound("No such dwelling.", field="dwelling")
    return mine


def _since(mine: list[OccupancyPeriod], day: date) -> date | None:
    """From which day on readings count for an occupant."""
    for period in mine:
        if period.holds(day):
            return period.first_day
        if period.first_day - _ONE_DAY == day:
            return None
    bounds = ", ".join(f"{period.first_day - _ONE_DAY} to {period.last_day or 'today'}" for period in mine)
    raise ForbiddenPeriod(f"Indexes are certified for {bounds}.", field="day")


async def _is_open(dwelling_id: int, day: date, today: date) -> bool:
    """Whether it is the last day of a month that is over, or lies at a move."""
    if day < today and day == Month.of(day).last_day:
        return True
    known = await with_periods(await occupants().filter(dwelling_id=dwelling_id))
    moves = {
        move
        for _, period in known
        if period.last_day is None or period.first_day <= period.last_day
        for move in (period.last_day, period.first_day - _ONE_DAY)
        if move is not None
    }
    near = {move for move in moves if abs(move - day) <= MOVES_WITHIN}
    return day in moves and len(near) <= MOST_MOVES


async def _consented(viewer: Viewer, dwelling_id: int, day: date, now: datetime) -> None:
    present = None
    if viewer.may(Permission.MANAGED_DAYS_READ):
        present = (await present_occupancies(viewer, [dwelling_id], now=now)).get(dwelling_id)
    if present is None or present.days is None or not present.days.holds(day):
        raise ConsentRequired(
            "Without the occupant's consent to daily data, the day is one of a move or the last of a month.",
            field="day",
        )

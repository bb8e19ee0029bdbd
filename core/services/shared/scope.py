"""The one point where rows are narrowed to a Viewer: which dwellings, and which days of each.

In: the viewer. Out: `OccupancyPeriod` values, or the places that a manager or the operator's staff are in
charge of. The one rule: what is in neither does not exist for the viewer, so "no such dwelling" and "not
yours" are the same answer, and nothing from before the move-in, or from the move-out on, is ever shown to
an occupant (EED-09, C-14, C-15). Which fields of a place are shown is decided in `core.access.narrowing`.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.queryset import QuerySet

from core.access import Permission, Role, Viewer
from core.access.narrowing import Basis
from core.consumption.periods import civil_day
from core.errors import ForbiddenPeriod, NotFound
from core.models import Meter, Occupancy, OccupancyKind
from core.services.shared import place_rows as places
from core.services.shared.guests import BASIS_OF, occupancies_shown
from core.services.shared.kept import keep, kept_rows
from core.services.shared.occupancy_rows import OccupancyRow, kept_occupancies, occupancy_rows
from core.services.shared.place_rows import (
    Charge,
    Found,
    PlaceRow,
    PlacesAsked,
    ResidenceRow,
    ResidencesAsked,
)

_ONE_DAY = timedelta(days=1)
_LONG_AGO = date(1900, 1, 1)
_LARGEST_ID = 2**63 - 1
"""The largest BIGINT; each database raises an error of its own for a larger number."""
_HOMES = "homes"  # where a viewer keeps them


@dataclass(frozen=True, slots=True)
class OccupancyPeriod:
    """A dwelling and the civil days of it that a viewer may see; `last_day` is None until it has ended.

    `kind` is None for the whole time, whoever lived there.
    """

    dwelling_id: int
    kind: OccupancyKind | None
    first_day: date
    last_day: date | None

    def holds(self, day: date) -> bool:
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def over_on(self, day: date) -> bool:
        """Whether the period had ended before that day."""
        return self.last_day is not None and self.last_day < day

    def seen(self, first: date | None, last: date | None, *, today: date) -> tuple[date, date] | None:
        """The days asked for that may be seen up to today, by default all; None for none."""
        ends = [day for day in (last, self.last_day, today) if day is not None]
        begin, end = max(first or self.first_day, self.first_day), min(ends)
        return (begin, end) if begin <= end else None

    def clip(self, first: date | None, last: date | None, *, today: date) -> tuple[date, date]:
        """The days asked for, or by default all that may be seen up to today.

        Raises:
            ForbiddenPeriod: a bound that was given lies outside the occupancy period.
        """
        for day, field in ((first, "from"), (last, "to")):
            if day is not None and day < self.first_day:
                raise ForbiddenPeriod(f"Data are visible from {self.first_day.isoformat()} on.", field=field)
            if day is not None and self.last_day is not None and day > self.last_day:
                raise ForbiddenPeriod(f"Data are visible until {self.last_day.isoformat()}.", field=field)
        return first or self.first_day, min(day for day in (last, self.last_day, today) if day is not None)


class OccupancyColumns(Protocol):
    """The columns of an occupancy that its period follows from: of a model, or of a row of `homes`."""

    @property
    def id(self) -> int: ...
    @property
    def account_id(self) -> int | None: ...
    @property
    def dwelling_id(self) -> int: ...
    @property
    def kind(self) -> OccupancyKind: ...
    @property
    def move_in(self) -> date: ...
    @property
    def move_out(self) -> date | None: ...
    @property
    def attested_at(self) -> datetime | None: ...


_Occupancy = TypeVar("_Occupancy", bound=OccupancyColumns)


async def occupancy_periods(viewer: Viewer) -> list[OccupancyPeriod]:
    """Every occupancy period of the viewer, the open-ended ones first, then the latest.

    Occupancies that follow one another without a day between are one period: a lease renewed, a tenant
    become owner.
    """
    return [home.period for home in await homes(viewer)]


@dataclass(frozen=True, slots=True)
class Home:
    """An occupancy period of a viewer, and the place: a row of dwelling, residence and operator."""

    period: OccupancyPeriod
    place: PlaceRow


async def homes(viewer: Viewer) -> Sequence[Home]:
    """Every occupancy period of the viewer with its place, in the order of `occupancy_periods`.

    One statement; a viewer that keeps what was read is answered from it.
    """
    viewer.require(Permission.DWELLINGS_READ)
    if viewer.role not in BASIS_OF:
        return ()
    if viewer.kept is None:
        return await _homes_shown(viewer)
    reading: asyncio.Future[Sequence[Home]] | None = viewer.kept.get(_HOMES)
    if reading is None:
        reading = asyncio.ensure_future(_homes_shown(viewer))
        viewer.kept[_HOMES] = reading
    return await reading


async def homes_by_dwelling(viewer: Viewer) -> dict[int, Home]:
    """The latest of them at each dwelling, by the dwelling's number."""
    return {home.period.dwelling_id: home for home in reversed(await homes(viewer))}


async def _homes_shown(viewer: Viewer) -> Sequence[Home]:
    """The own homes; of a guest those of who let the guest in, until that occupancy ends."""
    found: list[Home] = []
    for occupancy in await occupancies_shown(viewer):
        for home in await _homes(viewer, occupancy.account_id):
            period, at = home.period, viewer.asked_at
            today = None if at is None else civil_day(at, home.place["time_zone"])
            days = occupancy.days_of(period.dwelling_id, period.first_day, period.last_day, today=today)
            if days is not None:
                shown = replace(period, first_day=days[0], last_day=days[1])
                found.append(replace(home, period=shown))
    return found


async def _homes(viewer: Viewer, account_id: int) -> Sequence[Home]:
    kept = kept_occupancies(viewer) if account_id == viewer.account_id else None
    rows = await occupancy_rows(account_id) if kept is None else kept
    mine = [row for row in rows if row.account_id == account_id and _still_visible(row, viewer)]
    latest_first = sorted(sorted(mine, key=lambda row: row.id), key=lambda row: row.move_in, reverse=True)
    known = [_period(row, [other for other in rows if _is_another(other, row)]) for row in latest_first]
    places = {row.dwelling_id: row.place for row in rows}
    joined = sorted(_joined(known), key=lambda period: period.last_day is not None)
    return [Home(period, places[period.dwelling_id]) for period in joined]


def _still_visible(row: OccupancyRow, viewer: Viewer) -> bool:
    """Whether a former occupant still has access to the own period (CN-10): for the operator's access time,
    in the residence's days.
    """
    if row.access_until is None or viewer.asked_at is None:
        return True
    return civil_day(viewer.asked_at, row.place["time_zone"]) < row.access_until


async def with_periods(
    occupancies: Sequence[Occupancy], *, connection: BaseDBAsyncClient | None = None
) -> list[tuple[Occupancy, OccupancyPeriod]]:
    """Each occupancy with its period, by all occupancies of its dwelling."""
    dwelling_ids = {row.dwelling_id for row in occupancies}
    everyone = await occupants().filter(dwelling_id__in=list(dwelling_ids)).using_db(connection)
    return periods_of(occupancies, everyone)


def periods_of(
    occupancies: Sequence[_Occupancy], everyone: Sequence[OccupancyColumns]
) -> list[tuple[_Occupancy, OccupancyPeriod]]:
    """Each occupancy with its period: cut where a predecessor was still there (C-14) or a successor is.

    A dwelling has one occupant at a time (R-140): whoever moves in ends the occupancy before, though nobody
    entered a move-out. `everyone` are those who live or lived there.
    """
    at: dict[int, list[OccupancyColumns]] = {}
    for other in everyone:
        at.setdefault(other.dwelling_id, []).append(other)
    return [
        (row, _period(row, [other for other in at.get(row.dwelling_id, ()) if _is_another(other, row)]))
        for row in occupancies
    ]


def _is_another(other: OccupancyColumns, period: OccupancyColumns) -> bool:
    """Whether an occupancy of the same dwelling is somebody else's, and holds a day at all."""
    same_account = other.account_id is not None and other.account_id == period.account_id
    holds_a_day = other.move_out is None or other.move_out > other.move_in
    return (
        other.dwelling_id == period.dwelling_id and other.id != period.id and holds_a_day and not same_account
    )


def _period(row: OccupancyColumns, others: Sequence[OccupancyColumns]) -> OccupancyPeriod:
    before = [other.move_out for other in others if other.move_out is not None and _precedes(other, row)]
    first_day = max([row.move_in, *before])
    ends = [other.move_in for other in others if other.move_in > first_day]
    if row.move_out is not None:
        ends.append(row.move_out)
    last_day = min(ends) - _ONE_DAY if ends else None
    return OccupancyPeriod(row.dwelling_id, row.kind, first_day, last_day)


def _precedes(other: OccupancyColumns, row: OccupancyColumns) -> bool:
    """Whether somebody else's occupancy that has an end precedes this one, and so cuts its beginning
    (C-14).

    If the other began later, there are two cases. Either this one was attested, or entered, with too early
    a day after the other had ended; or it is that of a predecessor whose end nobody entered, who does not
    come back when the successor leaves.
    """
    if other.move_out is None or (row.move_out is not None and other.move_out >= row.move_out):
        return False
    if other.move_in <= row.move_in:
        return True
    if row.attested_at is None:
        entered_before: bool = other.id < row.id
        return entered_before
    return other.move_out <= row.attested_at.date() + _ONE_DAY  # whatever the time zone


def _joined(latest_first: Sequence[OccupancyPeriod]) -> list[OccupancyPeriod]:
    """The periods of one account, those at one dwelling that touch or overlap merged."""
    joined: list[OccupancyPeriod] = []
    for period in latest_first:
        later = next((known for known in joined if known.dwelling_id == period.dwelling_id), None)
        if later is None or not touch(period, later):
            joined.append(period)
            continue
        whole = replace(later, first_day=min(period.first_day, later.first_day))
        if period.last_day is None:
            whole = replace(whole, last_day=None)
        joined[joined.index(later)] = whole
    return joined


def touch(earlier: OccupancyPeriod, later: OccupancyPeriod) -> bool:
    """Whether no day lies between two periods of one account at one dwelling."""
    return earlier.last_day is None or later.first_day <= earlier.last_day + _ONE_DAY


async def occupancy_period_at(viewer: Viewer, dwelling_id: int) -> OccupancyPeriod:
    """The viewer's occupancy period at a dwelling.

    Raises:
        NotFound: there is no such dwelling, or the viewer has no occupancy there.
    """
    return (await home_at(viewer, dwelling_id)).period


async def home_at(viewer: Viewer, dwelling_id: int) -> Home:
    """The same, with the place.

    Raises:
        NotFound: there is no such dwelling, or the viewer has no occupancy there.
    """
    for home in await homes(viewer):
        if home.period.dwelling_id == dwelling_id:
            return home
    raise NotFound("No such dwelling.", field="id")


async def occupancy_period_of_meter(viewer: Viewer, meter_id: int) -> tuple[Meter, OccupancyPeriod]:
    """A meter (with its dwelling and residence) and the viewer's occupancy period at its dwelling.

    Raises:
        NotFound: there is no such meter, or it is not one of the viewer's.
    """
    mine = {period.dwelling_id: period for period in reversed(await occupancy_periods(viewer))}
    if not 0 < meter_id <= _LARGEST_ID:
        raise NotFound("No such meter.", field="id")
    found = Meter.get_or_none(id=meter_id, dwelling_id__in=list(mine))
    meter = await found.select_related("dwelling__residence")
    if meter is None:
        raise NotFound("No such meter.", field="id")
    return meter, mine[meter.dwelling_id]


def charge_of(viewer: Viewer) -> Charge | None:
    """Which residences the viewer is in charge of: a manager of those granted, staff of their
    operator's.
    """
    viewer.require(Permission.DWELLINGS_READ)
    if viewer.role is Role.MANAGER and viewer.account_id is not None:
        return Charge(Basis.MANAGER, viewer.account_id)
    if viewer.role is Role.STAFF and viewer.operator_id is not None:
        return Charge(Basis.STAFF, viewer.operator_id)
    return None


async def places_in_charge(viewer: Viewer, dwelling_ids: Collection[int]) -> dict[int, PlaceRow]:
    """Those of the dwellings that the viewer is in charge of, by their numbers."""
    charge = charge_of(viewer)
    if charge is None:
        return {}
    known = [number for number in dwelling_ids if 0 < number <= _LARGEST_ID]
    return await kept_rows(viewer, _PLACES, known, partial(places.place_rows, charge))


async def residences_in_charge(viewer: Viewer, residence_ids: Collection[int]) -> dict[int, ResidenceRow]:
    """Those of the residences that the viewer is in charge of, by their numbers."""
    charge = charge_of(viewer)
    if charge is None:
        return {}
    known = [number for number in residence_ids if 0 < number <= _LARGEST_ID]
    return await kept_rows(viewer, _RESIDENCES, known, partial(places.residence_rows, charge))


async def place_pages_in_charge(viewer: Viewer, asked: Sequence[PlacesAsked]) -> list[Found]:
    """Pages of the dwellings of residences; empty for one that the viewer is not in charge of."""
    charge = charge_of(viewer)
    pages = await places.place_pages(charge, asked) if charge else [Found((), 0) for _ in asked]
    keep(viewer, _PLACES, {row["dwelling_id"]: row for page in pages for row in page.rows})
    return pages


async def residence_page_in_charge(viewer: Viewer, asked: ResidencesAsked) -> Found:
    """A page of the residences that the viewer is in charge of."""
    charge = charge_of(viewer)
    found = await places.residence_page(charge, asked) if charge else Found((), 0)
    keep(viewer, _RESIDENCES, {row["residence_id"]: row for row in found.rows})
    return found


_PLACES, _RESIDENCES = "places", "residences"


def whole_time(place: PlaceRow) -> Home:
    """A place that a viewer is in charge of, with all its days."""
    return Home(OccupancyPeriod(place["dwelling_id"], None, _LONG_AGO, None), place)


@dataclass(frozen=True, slots=True)
class PresentPeriod:
    """A dwelling and its occupancy period today, with the occupancies that form it; None: none is known."""

    place: PlaceRow
    period: OccupancyPeriod | None
    occupancy_ids: Sequence[int]


async def present_periods(
    viewer: Viewer, dwelling_ids: Collection[int], *, now: datetime
) -> Mapping[int, PresentPeriod]:
    """Of each dwelling that the viewer is in charge of."""
    at = await places_in_charge(viewer, dwelling_ids)
    rows = await occupants().filter(dwelling_id__in=list(at)) if at else []
    known: dict[int, list[tuple[Occupancy, OccupancyPeriod]]] = {number: [] for number in at}
    for row, period in periods_of(rows, rows):
        known[row.dwelling_id].append((row, period))
    return {
        number: _present(place, known[number], civil_day(now, place["time_zone"]))
        for number, place in at.items()
    }


def _present(
    place: PlaceRow, known: Sequence[tuple[Occupancy, OccupancyPeriod]], today: date
) -> PresentPeriod:
    present = [(row, period) for row, period in known if period.holds(today)]
    if not present:
        return PresentPeriod(place, None, ())
    row, period = max(present, key=lambda one: (one[0].account_id is not None, one[0].move_in, one[0].id))
    if row.account_id is None:
        return PresentPeriod(place, period, [row.id])
    own = [(other, held) for other, held in known if other.account_id == row.account_id]
    own.sort(key=lambda one: (one[0].move_in, -one[0].id), reverse=True)
    whole = next(joined for joined in _joined([held for _, held in own]) if joined.holds(today))
    numbers = [other.id for other, held in own if whole.holds(held.first_day)]
    return PresentPeriod(place, whole, numbers)


def occupants() -> QuerySet[Occupancy]:
    """The occupancies of those who live or lived in their dwelling: no landlord sees a tenant's data."""
    return Occupancy.exclude(kind=OccupancyKind.OWNER_NON_OCCUPANT)

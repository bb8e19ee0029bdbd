"""Residents who cannot be reached by e-mail, and what they get on paper: a certificate of consumption.

In: a residence. Out: the dwellings whose present occupant has no account, and a certificate for each
(EED-10). The one rule: it shows the figures of the present occupancy alone (EED-09), by month, which a
manager may always see (CN-01); months that are over, so that no day can be derived.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.access import Permission, Viewer
from core.consumption import Month
from core.consumption.dashboard import MonthVolume
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.documents.sheets import Certificate, FluidFigures
from core.models import Dwelling, Residence
from core.services.managers.homes import residence_in_charge
from core.services.managers.senders import door_of, site_of
from core.services.places.dwelling_days import FluidSums, SumsAsked, sums_of
from core.services.places.managed_residences import place_of
from core.services.shared.scope import OccupancyPeriod, occupants, with_periods
from core.services.shared.transaction import current_database


@dataclass(frozen=True, slots=True)
class HomeWithoutAccount:
    """A dwelling whose occupant has no account; `since` is the first day of the occupancy."""

    dwelling: Dwelling
    place: str
    lot: str | None
    since: date


async def homes_without_account(
    viewer: Viewer, residence_id: int, *, now: datetime
) -> list[HomeWithoutAccount]:
    """Who gets certificates on paper, by place.

    Raises:
        NotFound: no such residence, or not the viewer's.
    """
    viewer.require(Permission.MANAGED_RESIDENCES_READ)
    residence = await residence_in_charge(viewer, residence_id)
    return await _without_account(residence, now)


async def certificates(viewer: Viewer, residence_id: int, *, now: datetime) -> list[Certificate]:
    """The certificates of the last month that is over, by place.

    Raises:
        NotFound: no such residence, or not the viewer's.
    """
    viewer.require(Permission.MANAGED_RESIDENCES_READ)
    residence = await residence_in_charge(viewer, residence_id)
    homes = await _without_account(residence, now)
    month = Month.of(civil_day(now, residence.time_zone)).previous()
    earliest = min(month.plus(-12).first_day, date(month.year, 1, 1))
    asked = [
        SumsAsked(
            home.dwelling.id, residence.time_zone, max(home.since, earliest), max(home.since, month.last_day)
        )
        for home in homes
    ]
    found = await sums_of(current_database(), asked) if asked else {}
    return [_certificate(residence, home, month, found.get(home.dwelling.id, {})) for home in homes]


async def _without_account(residence: Residence, now: datetime) -> list[HomeWithoutAccount]:
    today = civil_day(now, residence.time_zone)
    rows = await occupants().filter(dwelling__residence_id=residence.id).select_related("account", "dwelling")
    present: dict[int, list[tuple[bool, Dwelling, OccupancyPeriod]]] = {}
    for row, period in await with_periods(rows):
        if period.holds(today):
            reached = row.account is not None and row.account.disabled_at is None
            present.setdefault(row.dwelling_id, []).append((reached, row.dwelling, period))
    homes = [
        HomeWithoutAccount(
            dwelling, place_of(dwelling), dwelling.lot, min(period.first_day for _, _, period in known)
        )
        for known in present.values()
        if not any(reached for reached, _, _ in known)
        for dwelling in (known[0][1],)
    ]
    return sorted(homes, key=lambda home: (home.place, home.dwelling.id))


def _certificate(
    residence: Residence, home: HomeWithoutAccount, month: Month, found: Mapping[Fluid, FluidSums]
) -> Certificate:
    begun = home.since <= month.last_day
    since = max(home.since, date(month.year, 1, 1))
    return Certificate(
        site=site_of(residence),
        door=door_of(home.dwelling),
        month=month,
        since=since,
        figures=tuple(
            _figures(fluid, [one.volume for one in found[fluid].months], month, since, home.since)
            for fluid in Fluid
            if fluid in found and begun
        ),
    )


def _figures(
    fluid: Fluid, volumes: Sequence[MonthVolume], month: Month, since: date, moved_in: date
) -> FluidFigures:
    known = {volume.month: volume for volume in volumes}
    of_year = [volume for volume in volumes if since.year == volume.month.year and volume.month <= month]
    before = known.get(month.plus(-12)) if moved_in <= month.plus(-12).first_day else None
    in_month = known.get(month)
    days = sum(volume.days_with_data for volume in of_year)
    whole = all(volume.complete for volume in of_year if volume.month.first_day >= since)
    return FluidFigures(
        fluid=fluid,
        month=in_month.amount if in_month else None,
        year=sum(volume.amount for volume in of_year) if of_year else None,
        month_a_year_before=before.amount if before else None,
        complete=whole and days == (month.last_day - since).days + 1 and (before is None or before.complete),
    )

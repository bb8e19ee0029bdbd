"""What a resident owns without living there (C-01).

In: the viewer. Out: dwellings with the days of the ownership. The one rule: it is to be given up when it is
sold; it gives access to nobody's days (`scope` gives those).
"""

from datetime import timedelta

from core.access import Permission, Role, Viewer
from core.models import Occupancy, OccupancyKind
from core.services.shared import place_rows as places
from core.services.shared.scope import Home, OccupancyPeriod

_ONE_DAY = timedelta(days=1)


async def ownerships(viewer: Viewer) -> list[OccupancyPeriod]:
    """What the viewer owns, or owned, without living there, the latest first."""
    viewer.require(Permission.DWELLINGS_READ)
    if viewer.role is not Role.RESIDENT or viewer.account_id is None:
        return []
    kind = OccupancyKind.OWNER_NON_OCCUPANT
    rows = await Occupancy.filter(account_id=viewer.account_id, kind=kind).order_by("-move_in", "-id")
    return [
        OccupancyPeriod(row.dwelling_id, kind, row.move_in, row.move_out - _ONE_DAY if row.move_out else None)
        for row in rows
    ]


async def owned_homes(viewer: Viewer) -> list[Home]:
    """The same, with the places."""
    mine = await ownerships(viewer)
    rows = await places.place_rows(None, {period.dwelling_id for period in mine}) if mine else {}
    return [Home(period, rows[period.dwelling_id]) for period in mine]

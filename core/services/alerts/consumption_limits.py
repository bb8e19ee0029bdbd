"""A resident's own limits: set, changed, removed and listed (C-30, R-197).

In: the viewer, a dwelling, and an amount per day or month. Out: the limits as they are now. The one rule: a
limit belongs to an account and a dwelling, and nobody else reads it.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.access.refusals import LimitOutOfRange
from core.alerting.over_consumption import LimitPeriod
from core.consumption.fluids import Fluid
from core.errors import NotFound
from core.models import ConsumptionLimit
from core.services.places.dwellings import my_dwelling
from core.services.shared.scope import occupancy_period_at
from core.services.shared.transaction import transactional

HIGHEST_LIMIT = 10**9
"""A million cubic metres, or a gigawatt-hour: more than any dwelling uses."""


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """A day or a month with more than `amount`, in the smallest unit of the fluid, raises an alert; of a
    month's goal hints are sent.
    """

    fluid: Fluid
    period: LimitPeriod
    amount: int


async def own_limits(viewer: Viewer, dwelling_id: int) -> list[OwnLimit]:
    """The viewer's limits at a dwelling, by fluid and period.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    viewer.require(Permission.CONSUMPTION_READ)
    await occupancy_period_at(viewer, dwelling_id)
    rows = await ConsumptionLimit.filter(account_id=viewer.account_id, dwelling_id=dwelling_id)
    return sorted(
        (OwnLimit(row.fluid, row.period, row.amount) for row in rows),
        key=lambda limit: (limit.fluid, limit.period),
    )


async def set_limit(
    viewer: Viewer,
    dwelling_id: int,
    fluid: Fluid,
    period: LimitPeriod,
    amount: int | None,
    *,
    now: datetime,
) -> list[OwnLimit]:
    """Set or change a limit, or remove it with None; returns all that are left.

    Raises:
        NotFound: no such dwelling, or the viewer does not live there today.
        LimitOutOfRange: not 1 to 1,000,000,000 of the smallest unit.
    """
    viewer.require(Permission.LIMITS_WRITE)
    occupancy_period = await occupancy_period_at(viewer, dwelling_id)
    zone = ZoneInfo((await my_dwelling(viewer, dwelling_id)).residence.time_zone)
    if not occupancy_period.holds(now.astimezone(zone).date()):
        raise NotFound("No such dwelling.", field="dwelling")
    if amount is not None and not 1 <= amount <= HIGHEST_LIMIT:
        raise LimitOutOfRange(HIGHEST_LIMIT)
    await _keep(viewer, dwelling_id, fluid, period, amount, now=now)
    return await own_limits(viewer, dwelling_id)


@transactional
async def _keep(
    connection: TransactionalDBClient,
    viewer: Viewer,
    dwelling_id: int,
    fluid: Fluid,
    period: LimitPeriod,
    amount: int | None,
    *,
    now: datetime,
) -> None:
    whose = {
        "account_id": viewer.account_id,
        "dwelling_id": dwelling_id,
        "fluid": fluid,
        "period": period,
    }
    if amount is None:
        await ConsumptionLimit.filter(**whose).using_db(connection).delete()
        return
    await ConsumptionLimit.update_or_create(
        defaults={"amount": amount, "set_at": now}, using_db=connection, **whose
    )

"""A manager records what the present occupant of a dwelling answered on paper (R-121, C-17, CN-08).

In: the dwelling, the answer, the reference of the paper. Out: one more answer. The one rule: it is the
occupant's answer, so it is for the occupancy of today alone; and a refusal is never turned into a consent
(`core.services.occupancy.consents`). Somebody without an account may answer on paper as well.
"""

from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer, Visitor
from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.errors import NoOccupant
from core.services.managers.homes import home_in_charge
from core.services.occupancy.consents import ConsentView, record_on_paper
from core.services.places.meter_directory import lock_dwellings
from core.services.shared.scope import occupants, with_periods
from core.services.shared.transaction import transactional

_WITH = ("account", "dwelling__residence__operator")


@transactional
async def record_paper_consent(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    dwelling_id: int,
    *,
    granted: bool,
    evidence_reference: str | None = None,
    visitor: Visitor,
    now: datetime,
) -> ConsentView:
    """Record the answer of whoever lives in the dwelling today.

    Raises:
        NotFound: no such dwelling, or not one that the viewer manages.
        NoOccupant: nobody is known to live there today.
        InvalidInput: a consent without the paper it was given on.
        ConsentNotTheManagers: the occupant refused.
    """
    viewer.require(Permission.CONSENT_RECORD)
    dwelling = await home_in_charge(viewer, dwelling_id, connection=connection)
    today = civil_day(now, dwelling.residence.time_zone)
    await lock_dwellings(connection, [dwelling_id])
    rows = await occupants().filter(dwelling_id=dwelling_id).using_db(connection).select_related(*_WITH)
    present = [row for row, period in await with_periods(rows, connection=connection) if period.holds(today)]
    if not present:
        raise NoOccupant("Nobody is known to live there who could consent.", field="dwelling")
    return await record_on_paper(
        connection,
        application,
        viewer,
        max(present, key=lambda row: (row.move_in, row.id)),
        granted=granted,
        evidence_reference=evidence_reference,
        visitor=visitor,
        now=now,
    )

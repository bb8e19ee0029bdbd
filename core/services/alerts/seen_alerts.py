"""Alerts for whoever asks: an occupant, or the manager of the residence.

In: the viewer and questions. Out: a page or a refusal for each. The one rule: who that is decides the figures
(`resident_alerts`, `manager_alerts`); an alert that is not the viewer's is as one that does not exist.
"""

from collections.abc import Sequence
from datetime import datetime

from core.access import Permission, Role, Viewer
from core.errors import NotFound, SubmeterError
from core.leak_thresholds import ThresholdsOf
from core.models import Alert
from core.services.alerts.manager_alerts import ManagersQuestion, ResidenceAlerts, alerts_in_charge
from core.services.alerts.resident_alerts import AlertView, OneAlert, alerts_asked
from core.services.shared.paging import Page

_LARGEST_ID = 2**63 - 1


async def alerts_seen(
    viewer: Viewer, asked: Sequence[ManagersQuestion], *, thresholds_of: ThresholdsOf, now: datetime
) -> list[Page[AlertView] | SubmeterError]:
    """The alerts of each place that was asked for; a resident's are those of dwellings."""
    if viewer.role is not Role.RESIDENT:
        return await alerts_in_charge(viewer, asked, thresholds_of=thresholds_of, now=now)
    own = [one for one in asked if not isinstance(one, ResidenceAlerts)]
    found = iter(await alerts_asked(viewer, own, thresholds_of=thresholds_of, now=now))
    return [
        NotFound("No such residence.", field="id") if isinstance(one, ResidenceAlerts) else next(found)
        for one in asked
    ]


async def alert_seen(
    viewer: Viewer, alert_id: int, *, thresholds_of: ThresholdsOf, now: datetime
) -> AlertView:
    """One alert.

    Raises:
        NotFound: there is no such alert, or it is not the viewer's.
    """
    viewer.require(Permission.ALERTS_READ)
    row = await Alert.get_or_none(id=alert_id) if 0 < alert_id <= _LARGEST_ID else None
    if row is not None:
        asked = [OneAlert(row.dwelling_id, alert_id)]
        (page,) = await alerts_seen(viewer, asked, thresholds_of=thresholds_of, now=now)
        if not isinstance(page, SubmeterError) and page.items:
            return page.items[0]
    raise NotFound("No such alert.", field="id")

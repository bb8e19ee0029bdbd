"""What a home's first screen shows, by one statement: the tabs of its dashboard, and how many alerts run.

In: homes of the viewer. Out: tabs and numbers. The one rule: each is what its own service answers
(`consumption.dashboards`, `alerts.resident_alerts`), and only what is shown is recorded as looked at.
"""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct

from core.access import Permission, Viewer
from core.leak_thresholds import ThresholdsOf
from core.services.alerts.resident_alerts import ActiveAlertCount, Look, question_of
from core.services.consumption.consumption import FluidDashboard, look_at_dashboard, tabs_and_alerts
from core.services.shared.guest_looks import record_looks
from core.services.shared.scope import homes_by_dwelling

NEEDED = (Permission.CONSUMPTION_READ_DAILY, Permission.METERS_READ, Permission.ALERTS_READ)
"""What dashboards and alerts need."""


class HomeScreen(Struct, frozen=True):
    """A home's tabs, and the number of its active alerts without those dismissed as no leak."""

    tabs: list[FluidDashboard]
    active_alerts: int


async def home_screens(
    viewer: Viewer, dwelling_ids: Collection[int], *, thresholds_of: ThresholdsOf, now: datetime
) -> dict[int, HomeScreen]:
    """Of each dwelling; what is not the viewer's is left out.

    Raises:
        Forbidden: the viewer may not see consumption by day, or no alerts.
    """
    for permission in NEEDED:
        if not viewer.may(permission):
            viewer.require(permission)
    own = await homes_by_dwelling(viewer)
    mine = {number: home for number, home in own.items() if number in dwelling_ids}
    looks = {number: Look.of(home, thresholds_of, now) for number, home in mine.items()}
    running = {
        number: question
        for number, look in looks.items()
        if (question := await question_of(look, viewer.account_id, ActiveAlertCount(number))) is not None
    }
    found = await tabs_and_alerts(mine, running, now=now)
    await record_looks(viewer, [look_at_dashboard(home, now) for home in mine.values()], now=now)
    return {
        number: HomeScreen(tabs, looks[number].count(status_rows).total or 0)
        for number, (tabs, status_rows) in found.items()
    }

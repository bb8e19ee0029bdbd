"""Loader of what the first screen of a home shows: its dashboard, and the number of its active alerts.

In: dwellings, and which of the two is asked for. Out: tabs or numbers. The one rule: where both are asked for
at the same homes, one statement reads them; a refusal is that of what was asked for alone.
"""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

from strawberry.dataloader import DataLoader

from core.access import Role, Viewer, Visitor
from core.errors import NotFound, SubmeterError
from core.leak_thresholds import ThresholdsOf
from core.services.alerts.manager_alerts import alerts_seen
from core.services.alerts.resident_alerts import ActiveAlertCount
from core.services.consumption.consumption import FluidDashboard, dashboards
from core.services.consumption.home_screen import NEEDED, home_screens
from core.services.consumption.manager_consumption import managed_dashboards
from graphql_schema.base.loading.papers import ViewerSource


class Figure(Enum):
    """What is asked for of a home."""

    TABS = "TABS"
    ACTIVE_ALERTS = "ACTIVE_ALERTS"


class HomeFigure(NamedTuple):
    """The question for one of them."""

    dwelling_id: int
    figure: Figure


Found: TypeAlias = dict[HomeFigure, list[FluidDashboard] | int | BaseException]


class HomeFiguresLoader(DataLoader[HomeFigure, Any]):
    """The dashboards and numbers of alerts of homes: one call, however many homes and fields there are."""

    def __init__(
        self, viewer: ViewerSource, visitor: Visitor, thresholds_of: ThresholdsOf, now: datetime
    ) -> None:
        self._viewer, self._visitor, self._thresholds_of, self._now = viewer, visitor, thresholds_of, now
        super().__init__(load_fn=self._figures)

    async def tabs(self, dwelling_id: int) -> list[FluidDashboard]:
        """The tabs of a home's dashboard."""
        found: list[FluidDashboard] = await self.load(HomeFigure(dwelling_id, Figure.TABS))
        return found

    async def active_alerts(self, dwelling_id: int) -> int:
        """The number of a home's active alerts, without those dismissed as no leak."""
        found: int = await self.load(HomeFigure(dwelling_id, Figure.ACTIVE_ALERTS))
        return found

    async def _figures(self, asked: list[HomeFigure]) -> Sequence[Any]:
        viewer = await self._viewer()
        tabs = {one.dwelling_id for one in asked if one.figure is Figure.TABS}
        counted = {one.dwelling_id for one in asked if one.figure is Figure.ACTIVE_ALERTS}
        found: Found = {}
        if viewer.role is not Role.MANAGER and all(map(viewer.may, NEEDED)):
            both = tabs & counted
            found |= await self._screens(viewer, both) if both else {}
            tabs, counted = tabs - both, counted - both
        if tabs:
            found |= await _each(tabs, Figure.TABS, lambda: self._tabs(viewer, tabs))
        if counted:
            found |= await _each(counted, Figure.ACTIVE_ALERTS, lambda: self._counts(viewer, counted))
        missing = NotFound("No such dwelling.", field="id")
        return [found.get(one, missing) for one in asked]

    async def _screens(self, viewer: Viewer, dwelling_ids: set[int]) -> Found:
        screens = await home_screens(viewer, dwelling_ids, thresholds_of=self._thresholds_of, now=self._now)
        found: Found = {}
        for number, screen in screens.items():
            found[HomeFigure(number, Figure.TABS)] = screen.tabs
            found[HomeFigure(number, Figure.ACTIVE_ALERTS)] = screen.active_alerts
        return found

    async def _tabs(self, viewer: Viewer, dwelling_ids: set[int]) -> dict[int, Any]:
        if viewer.role is Role.MANAGER:
            return await managed_dashboards(viewer, dwelling_ids, visitor=self._visitor, now=self._now)
        return await dashboards(viewer, dwelling_ids, now=self._now)

    async def _counts(self, viewer: Viewer, dwelling_ids: set[int]) -> dict[int, Any]:
        asked = [ActiveAlertCount(number) for number in dwelling_ids]
        pages = await alerts_seen(viewer, asked, thresholds_of=self._thresholds_of, now=self._now)
        return {
            one.dwelling_id: page if isinstance(page, SubmeterError) else page.total
            for one, page in zip(asked, pages, strict=True)
        }


async def _each(
    dwelling_ids: set[int], figure: Figure, read: Callable[[], Coroutine[Any, Any, dict[int, Any]]]
) -> Found:
    """What was read of each home; a refusal of the whole is that of each."""
    try:
        values = await read()
    except SubmeterError as refusal:
        values = dict.fromkeys(dwelling_ids, refusal)
    return {HomeFigure(number, figure): value for number, value in values.items()}

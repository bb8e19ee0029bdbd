"""Loaders: data that several fields of one operation need are requested from a service once.

In: keys, in the order in which an operation's fields request them. Out: the service's values in the same
order. The one rule: a loader belongs to one operation of one viewer, since its values were filtered for that
viewer at that time. Loaders are named by their key.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from strawberry.dataloader import DataLoader

from core.access import Viewer
from core.errors import NotFound
from core.leak_thresholds import ThresholdsOf
from core.services.alerts.resident_alerts import ActiveAlerts, AlertView, PastAlerts, alerts_asked
from core.services.consumption.consumption import (
    DayPoint,
    FluidDashboard,
    SeriesAsked,
    dashboards,
    several_series,
)
from core.services.managers.overview import Overview, overviews
from core.services.places.meters import MeterView, meters_by_dwelling
from core.services.shared.paging import Page

ViewerSource: TypeAlias = Callable[[], Awaitable[Viewer]]


class MetersByDwellingLoader(DataLoader[int, list[MeterView]]):
    """The meters of each dwelling, in one call."""

    def __init__(self, viewer: ViewerSource) -> None:
        self._viewer = viewer
        super().__init__(load_fn=self._meters)

    async def _meters(self, dwelling_ids: list[int]) -> Sequence[list[MeterView] | BaseException]:
        found = await meters_by_dwelling(await self._viewer(), dwelling_ids)
        missing = NotFound("No such dwelling.", field="id")
        return [found.get(dwelling_id, missing) for dwelling_id in dwelling_ids]


class DashboardByDwellingLoader(DataLoader[int, list[FluidDashboard]]):
    """The dashboard of each dwelling: one call, however many dwellings there are and fields request tabs."""

    def __init__(self, viewer: ViewerSource, now: datetime) -> None:
        self._viewer = viewer
        self._now = now
        super().__init__(load_fn=self._dashboards)

    async def _dashboards(self, dwelling_ids: list[int]) -> Sequence[list[FluidDashboard] | BaseException]:
        found = await dashboards(await self._viewer(), dwelling_ids, now=self._now)
        missing = NotFound("No such dwelling.", field="id")
        return [found.get(dwelling_id, missing) for dwelling_id in dwelling_ids]


class DailySeriesLoader(DataLoader[SeriesAsked, list[DayPoint]]):
    """Daily series: one call for all fluids and dwellings of an operation."""

    def __init__(self, viewer: ViewerSource, now: datetime) -> None:
        self._viewer = viewer
        self._now = now
        super().__init__(load_fn=self._series)

    async def _series(self, asked: list[SeriesAsked]) -> Sequence[list[DayPoint] | BaseException]:
        return await several_series(await self._viewer(), asked, now=self._now)


class AlertsLoader(DataLoader[ActiveAlerts | PastAlerts, Page[AlertView]]):
    """Active and past alerts of dwellings: one call for counts, lists and pages of an operation."""

    def __init__(self, viewer: ViewerSource, thresholds_of: ThresholdsOf, now: datetime) -> None:
        self._viewer = viewer
        self._thresholds_of = thresholds_of
        self._now = now
        super().__init__(load_fn=self._alerts)

    async def _alerts(
        self, asked: list[ActiveAlerts | PastAlerts]
    ) -> Sequence[Page[AlertView] | BaseException]:
        viewer = await self._viewer()
        return await alerts_asked(viewer, asked, thresholds_of=self._thresholds_of, now=self._now)


class OverviewByResidenceLoader(DataLoader[int, Overview]):
    """The overview of each residence, in one call."""

    def __init__(self, viewer: ViewerSource, now: datetime) -> None:
        self._viewer = viewer
        self._now = now
        super().__init__(load_fn=self._overviews)

    async def _overviews(self, residence_ids: list[int]) -> Sequence[Overview | BaseException]:
        found = await overviews(await self._viewer(), residence_ids, now=self._now)
        missing = NotFound("No such residence.", field="id")
        return [found.get(residence_id, missing) for residence_id in residence_ids]


class Loaders:
    """The loaders of one operation."""

    def __init__(self, viewer: ViewerSource, thresholds_of: ThresholdsOf, now: datetime) -> None:
        self.meters_by_dwelling = MetersByDwellingLoader(viewer)
        self.dashboard_by_dwelling = DashboardByDwellingLoader(viewer, now)
        self.daily_series = DailySeriesLoader(viewer, now)
        self.alerts = AlertsLoader(viewer, thresholds_of, now)
        self.overview_by_residence = OverviewByResidenceLoader(viewer, now)

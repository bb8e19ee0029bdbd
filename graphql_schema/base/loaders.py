"""Loaders: data that several fields of one operation need are requested from a service once.

In: keys, in the order in which an operation's fields request them. Out: the service's values in the same
order. The one rule: a loader belongs to one operation of one viewer, since its values were filtered for
that viewer at that time. Loaders are named by their key. Where an occupant and a manager are answered by
different services, it is decided here which.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property

from strawberry.dataloader import DataLoader

from core.access import Role, Viewer, Visitor
from core.consumption.comparison import ComparedWith
from core.consumption.prices import Factor, Price
from core.errors import NotFound, SubmeterError
from core.leak_thresholds import ThresholdsOf
from core.services.alerts.manager_alerts import ManagersQuestion, alerts_seen
from core.services.alerts.resident_alerts import ActiveAlertCount, AlertView
from core.services.consumption.building_averages import BuildingAverages, building_averages
from core.services.consumption.by_resolution import Consumption, ConsumptionAsked, consumptions
from core.services.consumption.climate import (
    ClimateCorrected,
    ComparedInOwnWeather,
    climate_corrected,
    compared_in_own_weather,
)
from core.services.consumption.comparisons import Comparison, compare
from core.services.consumption.consumption import (
    MonthPoint,
    SeriesAsked,
    monthly_series,
    several_series,
)
from core.services.consumption.correction_log import Correction, CorrectionsAsked, corrections
from core.services.consumption.day_series import DaySeries
from core.services.consumption.manager_consumption import (
    MonthsAsked,
    managed_months,
    managed_series,
)
from core.services.consumption.rates import Rated, costs, emissions
from core.services.managers.overview import Overview, overviews
from core.services.occupancy.present_occupancies import PresentOccupancy, present_occupancies
from core.services.places.dwellings import (
    DwellingView,
    dwellings_of_residences,
    dwellings_seen,
)
from core.services.places.meters import MeterView, meters_by_dwelling
from core.services.shared.paging import Page
from core.services.shared.place_rows import PlacesAsked
from graphql_schema.base.loading.accounts import ReachByAccountLoader, ResidenceLoader
from graphql_schema.base.loading.home_figures import HomeFiguresLoader
from graphql_schema.base.loading.papers import (
    DocumentsLoader,
    NotesLoader,
    PapersByDwellingLoader,
    ViewerSource,
)


class MetersByDwellingLoader(DataLoader[int, list[MeterView]]):
    """The meters of each dwelling, in one call."""

    def __init__(self, viewer: ViewerSource) -> None:
        self._viewer = viewer
        super().__init__(load_fn=self._meters)

    async def _meters(self, dwelling_ids: list[int]) -> Sequence[list[MeterView] | BaseException]:
        found = await meters_by_dwelling(await self._viewer(), dwelling_ids)
        missing = NotFound("No such dwelling.", field="id")
        return [found.get(dwelling_id, missing) for dwelling_id in dwelling_ids]


class DailySeriesLoader(DataLoader[SeriesAsked, DaySeries]):
    """Daily series: one call for all fluids and dwellings of an operation."""

    def __init__(self, viewer: ViewerSource, visitor: Visitor, now: datetime) -> None:
        self._viewer, self._visitor, self._now = viewer, visitor, now
        super().__init__(load_fn=self._series)

    async def _series(self, asked: list[SeriesAsked]) -> Sequence[DaySeries | BaseException]:
        viewer = await self._viewer()
        if viewer.role is Role.MANAGER:
            return await managed_series(viewer, asked, visitor=self._visitor, now=self._now)
        return await several_series(viewer, asked, now=self._now)


class MonthlySeriesLoader(DataLoader[MonthsAsked, list[MonthPoint]]):
    """Monthly series: of a manager one call for all dwellings of an operation."""

    def __init__(self, viewer: ViewerSource, now: datetime) -> None:
        self._viewer, self._now = viewer, now
        super().__init__(load_fn=self._series)

    async def _series(self, asked: list[MonthsAsked]) -> Sequence[list[MonthPoint] | BaseException]:
        viewer = await self._viewer()
        if viewer.role is Role.MANAGER:
            return await managed_months(viewer, asked, now=self._now)
        return [await self._own(viewer, one) for one in asked]

    async def _own(self, viewer: Viewer, asked: MonthsAsked) -> list[MonthPoint] | BaseException:
        first, last = asked.first, asked.last
        try:
            return await monthly_series(
                viewer, asked.dwelling_id, asked.fluid, first=first, last=last, now=self._now
            )
        except SubmeterError as refusal:
            return refusal


class ConsumptionLoader(DataLoader[ConsumptionAsked, Consumption]):
    """Series by any resolution: one call for all dwellings, meters and fluids of an operation."""

    def __init__(self, viewer: ViewerSource, now: datetime) -> None:
        self._viewer = viewer
        self._now = now
        super().__init__(load_fn=self._series)

    async def _series(self, asked: list[ConsumptionAsked]) -> Sequence[Consumption | BaseException]:
        return await consumptions(await self._viewer(), asked, now=self._now)


class ComparisonLoader(DataLoader[tuple[ConsumptionAsked, ComparedWith], Comparison]):
    """Series compared: one call for all of an operation, with the series that it has read."""

    def __init__(self, viewer: ViewerSource, series: ConsumptionLoader) -> None:
        self._viewer = viewer
        self._series = series
        super().__init__(load_fn=self._comparisons)

    async def _comparisons(self, asked: list[tuple[ConsumptionAsked, ComparedWith]]) -> Sequence[Comparison]:
        series = await self._series.load_many([one for one, _ in asked])
        kinds = [compared_with for _, compared_with in asked]
        return await compare(await self._viewer(), list(zip(series, kinds, strict=True)))


class CostLoader(DataLoader[ConsumptionAsked, Rated[Price]]):
    """What series cost: one call for all of an operation."""

    def __init__(self, series: ConsumptionLoader) -> None:
        self._series = series
        super().__init__(load_fn=self._costs)

    async def _costs(self, asked: list[ConsumptionAsked]) -> Sequence[Rated[Price]]:
        return await costs(await self._series.load_many(asked))


class EmissionsLoader(DataLoader[ConsumptionAsked, Rated[Factor]]):
    """How much carbon dioxide series stand for: one call for all of an operation."""

    def __init__(self, series: ConsumptionLoader) -> None:
        self._series = series
        super().__init__(load_fn=self._emissions)

    async def _emissions(self, asked: list[ConsumptionAsked]) -> Sequence[Rated[Factor]]:
        return await emissions(await self._series.load_many(asked))


class BuildingAverageLoader(DataLoader[ConsumptionAsked, BuildingAverages]):
    """The averages beside series: one call for all of an operation."""

    def __init__(self, series: ConsumptionLoader) -> None:
        self._series = series
        super().__init__(load_fn=self._averages)

    async def _averages(self, asked: list[ConsumptionAsked]) -> Sequence[BuildingAverages]:
        return await building_averages(await self._series.load_many(asked))


class ClimateLoader(DataLoader[ConsumptionAsked, ClimateCorrected]):
    """Series in usual weather: one call for all of an operation."""

    def __init__(self, series: ConsumptionLoader) -> None:
        self._series = series
        super().__init__(load_fn=self._corrected)

    async def _corrected(self, asked: list[ConsumptionAsked]) -> Sequence[ClimateCorrected]:
        return await climate_corrected(await self._series.load_many(asked))


class CorrectionsLoader(DataLoader[CorrectionsAsked, Page[Correction]]):
    """Pages of corrections: one call for all dwellings of an operation."""

    def __init__(self, viewer: ViewerSource, visitor: Visitor, now: datetime) -> None:
        self._viewer, self._visitor, self._now = viewer, visitor, now
        super().__init__(load_fn=self._pages)

    async def _pages(self, asked: list[CorrectionsAsked]) -> Sequence[Page[Correction] | BaseException]:
        return await corrections(await self._viewer(), asked, visitor=self._visitor, now=self._now)


class ClimateComparisonLoader(DataLoader[tuple[ConsumptionAsked, ComparedWith], ComparedInOwnWeather]):
    """Comparisons in the weather of the series: one call for all of an operation."""

    def __init__(self, comparisons: ComparisonLoader) -> None:
        self._comparisons = comparisons
        super().__init__(load_fn=self._compared)

    async def _compared(
        self, asked: list[tuple[ConsumptionAsked, ComparedWith]]
    ) -> Sequence[ComparedInOwnWeather]:
        return await compared_in_own_weather(await self._comparisons.load_many(asked))


class AlertsLoader(DataLoader[ManagersQuestion, Page[AlertView]]):
    """Active and past alerts of dwellings and residences: one call for counts, lists and pages."""

    def __init__(self, viewer: ViewerSource, thresholds_of: ThresholdsOf, now: datetime) -> None:
        self._viewer = viewer
        self._thresholds_of = thresholds_of
        self._now = now
        super().__init__(load_fn=self._alerts)

    async def _alerts(self, asked: list[ManagersQuestion]) -> Sequence[Page[AlertView] | BaseException]:
        viewer = await self._viewer()
        return await alerts_seen(viewer, asked, thresholds_of=self._thresholds_of, now=self._now)


class DwellingLoader(DataLoader[int, DwellingView]):
    """Dwellings by their number: of meters, of alerts."""

    def __init__(self, viewer: ViewerSource, now: datetime) -> None:
        self._viewer, self._now = viewer, now
        super().__init__(load_fn=self._dwellings)

    async def _dwellings(self, dwelling_ids: list[int]) -> Sequence[DwellingView | BaseException]:
        found = await dwellings_seen(await self._viewer(), dwelling_ids, now=self._now)
        missing = NotFound("No such dwelling.", field="id")
        return [found.get(dwelling_id, missing) for dwelling_id in dwelling_ids]


class DwellingsByResidenceLoader(DataLoader[PlacesAsked, Page[DwellingView]]):
    """Pages of the dwellings of residences."""

    def __init__(self, viewer: ViewerSource, now: datetime) -> None:
        self._viewer, self._now = viewer, now
        super().__init__(load_fn=self._pages)

    async def _pages(self, asked: list[PlacesAsked]) -> Sequence[Page[DwellingView]]:
        return await dwellings_of_residences(await self._viewer(), asked, now=self._now)


class PresentOccupancyLoader(DataLoader[int, PresentOccupancy]):
    """Who lives at a manager's dwellings today, and with which consent."""

    def __init__(self, viewer: ViewerSource, now: datetime) -> None:
        self._viewer, self._now = viewer, now
        super().__init__(load_fn=self._present)

    async def _present(self, dwelling_ids: list[int]) -> Sequence[PresentOccupancy | BaseException]:
        found = await present_occupancies(await self._viewer(), dwelling_ids, now=self._now)
        missing = NotFound("No such dwelling.", field="id")
        return [found.get(dwelling_id, missing) for dwelling_id in dwelling_ids]


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
    """The loaders of one operation, each made when it is first needed."""

    def __init__(
        self, viewer: ViewerSource, visitor: Callable[[], Visitor], thresholds_of: ThresholdsOf, now: datetime
    ) -> None:
        self._viewer, self._visitor, self._thresholds_of, self._now = viewer, visitor, thresholds_of, now

    def let_go(self) -> None:
        """End the circle of each loader and its own function, once the operation is answered."""
        for loader in vars(self).values():
            if isinstance(loader, DataLoader):
                del loader.load_fn

    async def active_alert_count(self, dwelling_id: int, *, beside_tabs: bool) -> int | None:
        """The number of a home's active alerts: read with its dashboard, or else with its other alerts."""
        if beside_tabs:
            return await self.home_figures.active_alerts(dwelling_id)
        return (await self.alerts.load(ActiveAlertCount(dwelling_id))).total

    @cached_property
    def meters_by_dwelling(self) -> MetersByDwellingLoader:
        return MetersByDwellingLoader(self._viewer)

    @cached_property
    def home_figures(self) -> HomeFiguresLoader:
        return HomeFiguresLoader(self._viewer, self._visitor(), self._thresholds_of, self._now)

    @cached_property
    def daily_series(self) -> DailySeriesLoader:
        return DailySeriesLoader(self._viewer, self._visitor(), self._now)

    @cached_property
    def monthly_series(self) -> MonthlySeriesLoader:
        return MonthlySeriesLoader(self._viewer, self._now)

    @cached_property
    def consumption(self) -> ConsumptionLoader:
        return ConsumptionLoader(self._viewer, self._now)

    @cached_property
    def comparisons(self) -> ComparisonLoader:
        return ComparisonLoader(self._viewer, self.consumption)

    @cached_property
    def costs(self) -> CostLoader:
        return CostLoader(self.consumption)

    @cached_property
    def emissions(self) -> EmissionsLoader:
        return EmissionsLoader(self.consumption)

    @cached_property
    def building_averages(self) -> BuildingAverageLoader:
        return BuildingAverageLoader(self.consumption)

    @cached_property
    def climate(self) -> ClimateLoader:
        return ClimateLoader(self.consumption)

    @cached_property
    def corrections(self) -> CorrectionsLoader:
        return CorrectionsLoader(self._viewer, self._visitor(), self._now)

    @cached_property
    def climate_comparisons(self) -> ClimateComparisonLoader:
        return ClimateComparisonLoader(self.comparisons)

    @cached_property
    def alerts(self) -> AlertsLoader:
        return AlertsLoader(self._viewer, self._thresholds_of, self._now)

    @cached_property
    def dwellings(self) -> DwellingLoader:
        return DwellingLoader(self._viewer, self._now)

    @cached_property
    def dwellings_by_residence(self) -> DwellingsByResidenceLoader:
        return DwellingsByResidenceLoader(self._viewer, self._now)

    @cached_property
    def present_occupancies(self) -> PresentOccupancyLoader:
        return PresentOccupancyLoader(self._viewer, self._now)

    @cached_property
    def overview_by_residence(self) -> OverviewByResidenceLoader:
        return OverviewByResidenceLoader(self._viewer, self._now)

    @cached_property
    def papers_by_dwelling(self) -> PapersByDwellingLoader:
        return PapersByDwellingLoader(self._viewer)

    @cached_property
    def notes(self) -> NotesLoader:
        return NotesLoader(self._viewer)

    @cached_property
    def documents(self) -> DocumentsLoader:
        return DocumentsLoader(self._viewer, self._now)

    @cached_property
    def reach_by_account(self) -> ReachByAccountLoader:
        return ReachByAccountLoader(self._viewer, self._now)

    @cached_property
    def residences(self) -> ResidenceLoader:
        return ResidenceLoader(self._viewer)

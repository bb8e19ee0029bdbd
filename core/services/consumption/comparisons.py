"""Series compared with the period before, or with the same period last year.

In: series that were read for a viewer, and what each is compared with. Out: the comparison of each. The one
rule: the days of the other period are those of the same occupancy period; no predecessor's day is ever read
(EED-09). One statement for all series of an operation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.access import Permission, Viewer
from core.consumption.comparison import (
    Compared,
    ComparedWith,
    NotCompared,
    Shift,
    Side,
    compared,
    total_of,
)
from core.consumption.resolutions import Resolution
from core.services.consumption.by_resolution import Consumption, SeriesPlan
from core.services.places.dwelling_days import DaysAsked, totals_of
from core.services.shared.transaction import current_database


@dataclass(frozen=True, slots=True)
class Comparison:
    """The values of a series compared one by one, and together."""

    series: Consumption
    compared_with: ComparedWith
    values: Sequence[Compared]
    total: Compared


async def compare(viewer: Viewer, asked: Sequence[tuple[Consumption, ComparedWith]]) -> list[Comparison]:
    """Each series compared; the series must have been read for this viewer."""
    shifts = [_shift(series.plan, compared_with) for series, compared_with in asked]
    wanted = [_days_asked(series.plan, shift) for (series, _), shift in zip(asked, shifts, strict=True)]
    days = [one for one in wanted if one is not None]
    found = iter(await totals_of(current_database(), days) if days else ())
    by_day = viewer.may(Permission.CONSUMPTION_READ_DAILY)
    comparisons = []
    for (series, compared_with), shift, one in zip(asked, shifts, wanted, strict=True):
        first_day = series.plan.home.period.first_day
        other = {} if one is None else {total.day: total for total in next(found)}
        if series.plan.resolution is Resolution.HOURLY:
            reason = NotCompared.NOT_FOR_RESOLUTION
            values = [Compared(None, None, None, 0, whole=False, reason=reason) for _ in series.values]
            total = Compared(None, None, None, 0, whole=False, reason=reason)
        else:
            own_side, other_side = Side(series.totals, first_day), Side(other, first_day)
            values = compared(series.plan.spans, shift, own_side, other_side, by_day=by_day)
            total = total_of(values)
        comparisons.append(Comparison(series, compared_with, values, total))
    return comparisons


def _shift(plan: SeriesPlan, compared_with: ComparedWith) -> Shift:
    # The values that lie before the occupancy are part of the period, though none of them is shown.
    return Shift(plan.resolution, compared_with, plan.count, plan.billing)


def _days_asked(plan: SeriesPlan, shift: Shift) -> DaysAsked | None:
    """The days of the other period that the viewer may see; None for none."""
    spans = [period for span in plan.spans if (period := shift.span(span)) is not None]
    if not spans:
        return None
    first = max(spans[0].first, plan.home.period.first_day)
    last = min(spans[-1].last, plan.latest)
    if last < first:
        return None
    place = plan.home.place
    return DaysAsked(
        place["dwelling_id"], place["time_zone"], plan.fluid, first, last, meter_id=plan.asked.meter_id
    )

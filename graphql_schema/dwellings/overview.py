"""A residence at a glance, for its manager: counts, completeness, leaks, outliers.

In: the overview of a residence. Out: all of it but the dwellings and meters that are counted. The one rule:
those are the nouns `Dwelling` and `Meter`, with what a manager may see of them, and so above this
(`graphql_schema.dwellings.dwellings`).
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Self, TypeVar

import strawberry

from core.consumption import Month
from core.consumption.amounts import rounded
from core.consumption.outliers import OutlierKind
from core.errors import InvalidInput
from core.services.managers.overview import HomeView, MeterOfHome, OutlierView, Overview
from core.services.shared.paging import Page
from graphql_schema.base.amounts import Amount
from graphql_schema.base.enums import AlertKind, Fluid
from graphql_schema.base.paging import checked_first, parse_cursor
from graphql_schema.base.views import shown

ItemT = TypeVar("ItemT")

strawberry.enum(
    OutlierKind,
    name="OutlierKind",
    description="What stands out in a month. HIGH: far above the other dwellings. ZERO_WHILE_OCCUPIED: "
    "nothing, though somebody lives there. USED_WHILE_VACANT: consumption after whoever lived there left.",
)


@strawberry.type(
    description="The dwellings of a residence by number. The consents are those of the present occupants."
)
class DwellingCounts:
    total: int = strawberry.field(description="All of them.")
    occupied: int = strawberry.field(description="Somebody is known to live there today.")
    vacant: int = strawberry.field(description="Whoever lived there has left; nobody has moved in since.")
    unknown: int = strawberry.field(description="No occupancy was ever recorded.")
    with_account: int = strawberry.field(description="Occupied by somebody with an account.")
    without_account: int = strawberry.field(description="Occupied by somebody who is reached on paper only.")
    consent_granted: int = strawberry.field(description="The occupant consents to daily data.")
    consent_refused: int = strawberry.field(description="The occupant refused, or withdrew the consent.")
    consent_unanswered: int = strawberry.field(description="Occupied, and not answered yet.")


@strawberry.type(description="How many of the days that a fluid's meters should have data of have some.")
class FluidCompleteness:
    fluid: Fluid
    expected_days: int = strawberry.field(description="Days of the last 30, summed over the meters.")
    days_with_data: int = strawberry.field(description="How many of them have data.")


@strawberry.type(description="Active leak alerts of a level.")
class LeakCount:
    level: int = strawberry.field(description="The level, 1 to 3.")
    count: int


@strawberry.type(description="Active alerts of a kind.")
class AlertCount:
    kind: AlertKind
    count: int


@strawberry.type
class OutlierFields:
    view: strawberry.Private[OutlierView]
    fluid: Fluid
    month: Month
    kind: OutlierKind
    amount: Amount = strawberry.field(description="The consumption of the month.")
    median: Amount = strawberry.field(description="The median of the dwellings that were compared.")

    @classmethod
    def of(cls, view: OutlierView) -> Self:
        return shown(
            cls,
            view,
            view=view,
            amount=Amount.of(view.fluid, view.amount),
            median=Amount.of(view.fluid, int(rounded(view.median, 0))),
        )


@strawberry.type
class OverviewFields:
    view: strawberry.Private[Overview]
    day: date = strawberry.field(description="Today, in the residence.")
    month: Month = strawberry.field(description="The month whose consumption is compared: the last one.")
    dwellings: DwellingCounts = strawberry.field(description="The dwellings by number.")
    meters_in_service: int = strawberry.field(description="How many meters are in service.")
    completeness: list[FluidCompleteness] = strawberry.field(
        description="How complete the data of the last 30 days are, by fluid."
    )
    active_leaks: list[LeakCount] = strawberry.field(description="The active leak alerts by level.")
    active_alerts: list[AlertCount] = strawberry.field(description="The active alerts by kind.")

    @classmethod
    def of(cls, view: Overview) -> Self:
        return shown(
            cls,
            view,
            view=view,
            dwellings=shown(DwellingCounts, view.homes),
            completeness=[shown(FluidCompleteness, one) for one in view.completeness],
            active_leaks=[LeakCount(level=level, count=count) for level, count in sorted(view.leaks.items())],
            active_alerts=[AlertCount(kind=kind, count=count) for kind, count in sorted(view.alerts.items())],
        )


def key_of_home(home: HomeView) -> tuple[str, ...]:
    return (str(home.id),)


def key_of_meter(meter: MeterOfHome) -> tuple[str, ...]:
    return (str(meter.id),)


def key_of_outlier(outlier: OutlierView) -> tuple[str, ...]:
    return (str(outlier.home.id), outlier.fluid.value)


def page_of(
    items: Sequence[ItemT],
    key_of: Callable[[ItemT], tuple[str, ...]],
    kind: str,
    first: int,
    after: str | None,
) -> Page[ItemT]:
    """The items after the one that the cursor names.

    Raises:
        InvalidInput: a page of another size than allowed, or a cursor of something that is not listed.
    """
    size, seen, begin = checked_first(first), parse_cursor(after, kind, tuple), 0
    if seen is not None:
        keys = [key_of(item) for item in items]
        if seen not in keys:
            raise InvalidInput("What this cursor names is no longer listed: start again.", field="after")
        begin = keys.index(seen) + 1
    return Page(list(items[begin : begin + size]), has_next=len(items) > begin + size, total=len(items))

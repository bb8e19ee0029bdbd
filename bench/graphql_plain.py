"""The dashboard as one writes it first: stock strawberry, rows of the ORM, and data loaders.

In: the database of a demo (`SUBMETER_DATABASE_URL`). Out: an ASGI app whose `/graphql` answers the dashboard
query of `bench/graphql_cost.py` for a session's token, and nothing else. The one rule: it narrows no rows
beyond the account's own dwellings and knows neither limits nor languages: it does less than the product.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from core.access.codes import token_hash
from core.bootstrap import open_application
from core.consumption import DayVolume, Indicators, indicators
from core.consumption.totals import MeterDays, total_by_day
from core.models import Account, Alert, Dwelling, Meter, Occupancy, Session
from core.services.shared import time_series
from core.services.shared.transaction import current_database
from core.settings import from_environment


@strawberry.type
class Figure:
    value: str


@strawberry.type
class Tab:
    label: str
    unit: str
    months_counted: int
    last_reading_at: datetime | None
    month_to_date: Figure | None
    previous_month: Figure | None
    year_to_date: Figure | None
    mean_of_last_12_months: Figure | None = strawberry.field(name="meanOfLast12Months")


@strawberry.type
class Home:
    id: strawberry.ID
    number: strawberry.Private[int]

    @strawberry.field
    async def active_alert_count(self, info: strawberry.Info) -> int:
        return len(await info.context["alerts"].load(self.number))

    @strawberry.field
    async def dashboard(self, info: strawberry.Info) -> list[Tab]:
        by_fluid: dict[str, list[Meter]] = {}
        for meter in await info.context["meters"].load(self.number):
            by_fluid.setdefault(meter.fluid, []).append(meter)
        return [await self._tab(info, fluid, meters) for fluid, meters in by_fluid.items()]

    async def _tab(self, info: strawberry.Info, fluid: str, meters: list[Meter]) -> Tab:
        days = [
            MeterDays(meter.installed_at.date(), None, await info.context["days"].load(meter.id))
            for meter in meters
        ]
        readings = [await info.context["readings"].load(meter.id) for meter in meters]
        figures: Indicators = indicators(
            total_by_day(days), today=datetime.now(UTC).date(), visible_from=None
        )
        last = max((one.read_at_s for one in readings if one), default=None)
        return Tab(
            label=fluid,
            unit="CUBIC_METRE",
            months_counted=figures.months_counted,
            last_reading_at=None if last is None else datetime.fromtimestamp(last, UTC),
            month_to_date=_figure(figures.month_to_date),
            previous_month=_figure(figures.previous_month),
            year_to_date=_figure(figures.year_to_date),
            mean_of_last_12_months=_figure(figures.mean_of_last_12_months),
        )


@strawberry.type
class Viewer:
    account: strawberry.Private[Account]

    @strawberry.field
    async def first_name(self) -> str:
        return self.account.first_name

    @strawberry.field
    async def last_name(self) -> str:
        return self.account.last_name

    @strawberry.field
    async def dwellings(self) -> list[Home]:
        rows = await Occupancy.filter(account_id=self.account.id).select_related("dwelling__residence")
        return [Home(id=strawberry.ID(str(row.dwelling.id)), number=row.dwelling.id) for row in rows]


@strawberry.type
class Query:
    @strawberry.field
    async def viewer(self, info: strawberry.Info) -> Viewer:
        token = info.context["request"].headers["authorization"].removeprefix("Bearer ")
        session = await Session.get(token_hash=token_hash(token)).select_related("account__operator")
        return Viewer(account=session.account)


def _figure(amount: Any) -> Figure | None:
    return None if amount is None else Figure(value=f"{amount / 1000:.3f}")


async def _meters(numbers: list[int]) -> list[list[Meter]]:
    rows = await Meter.filter(dwelling_id__in=numbers)
    return [[row for row in rows if row.dwelling_id == number] for number in numbers]


async def _alerts(numbers: list[int]) -> list[list[Alert]]:
    rows = await Alert.filter(dwelling_id__in=numbers, ended_on=None).select_related("episode")
    return [[row for row in rows if row.dwelling_id == number] for number in numbers]


async def _days(numbers: list[int]) -> list[list[DayVolume]]:
    today = datetime.now(UTC).date()
    found = await time_series.days_within(
        current_database(), numbers, (today.replace(year=today.year - 1, day=1), today)
    )
    return [found.get(number, []) for number in numbers]


async def _readings(numbers: list[int]) -> list[time_series.ReadingRow | None]:
    found = await time_series.last_readings(current_database(), numbers)
    return [found.get(number) for number in numbers]


class PlainGraphQL(GraphQL[dict[str, Any], None]):
    """A context with the loaders of a request."""

    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:
        return {
            "request": request,
            "response": response,
            "meters": DataLoader(_meters),
            "alerts": DataLoader(_alerts),
            "days": DataLoader(_days),
            "readings": DataLoader(_readings),
        }


@asynccontextmanager
async def _lifespan(_app: Starlette) -> AsyncIterator[None]:
    async with open_application(from_environment(), shared=True):
        assert await Dwelling.all().count()
        yield


async def health(_request: Request) -> Response:
    return Response("ok")


app = Starlette(
    routes=[Route("/graphql", PlainGraphQL(strawberry.Schema(Query))), Route("/health", health)],
    lifespan=_lifespan,
)

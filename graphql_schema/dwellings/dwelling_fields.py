"""Dwellings: place, tenure, and what the viewer may see of whom.

`DwellingFields` is all of a dwelling that is no noun of its own and no consumption; those are above it
(`graphql_schema.dwellings.dwellings`).
"""

from datetime import date
from decimal import Decimal
from typing import Self

import strawberry

from core.access.narrowing import Audience, Basis
from core.consumption.amounts import rounded
from core.consumption.periods import civil_day
from core.services.occupancy.consents import consent_view, my_consent
from core.services.occupancy.present_occupancies import PresentOccupancy
from core.services.places.dwellings import DwellingView
from graphql_schema.base.context import Info
from graphql_schema.base.enums import OccupancyKind
from graphql_schema.base.narrowing import Narrowed, narrowed
from graphql_schema.base.relay import Node, global_id
from graphql_schema.base.views import shown
from graphql_schema.dwellings.consents import Consent


@strawberry.type
class DwellingFields(Node, Narrowed):
    view: strawberry.Private[DwellingView]
    database_id: strawberry.Private[int]
    building: str
    staircase: str
    floor: str
    number: str
    place: str = strawberry.field(
        description="Building, staircase, floor and number in one line: `A · 1 · 2 · 12`."
    )
    lot: str | None
    manager_reference: str | None
    surface_m2: Decimal | None = strawberry.field(
        name="surfaceM2", description="Floor area in square metres; null if it is not known."
    )

    @classmethod
    def of(cls, view: DwellingView) -> Self:
        return shown(
            cls,
            view,
            id=global_id("Dwelling", view.id),
            seen_as=view.basis,
            dwelling_id=view.id,
            view=view,
            database_id=view.id,
            surface_m2=None if view.surface_m2 is None else rounded(view.surface_m2, 2),
        )

    @narrowed("The tenure: of the viewer, or of the present occupant.", Audience.OCCUPANCY)
    async def occupancy(self, info: Info) -> OccupancyKind | None:
        present = await self._present(info)
        if present is None:
            return self.view.occupancy
        return present.period.kind if present.period else None

    @narrowed(
        "The first day of the present occupancy; null for a former occupant.",
        Audience.OCCUPANCY,
    )
    async def occupied_since(self, info: Info) -> date | None:
        present = await self._present(info)
        if present is not None:
            return present.period.first_day if present.period else None
        today, until = civil_day(info.context.now, self.view.residence.time_zone), self.view.visible_until
        return self.view.visible_from if until is None or until >= today else None

    @narrowed("The first day of data that the viewer can see.", Audience.CONSENTED)
    async def visible_from(self, info: Info) -> date | None:
        present = await self._present(info)
        if present is None:
            return self.view.visible_from
        return present.period.first_day if present.period else None

    @narrowed(
        "The last day of data that the viewer can see; null while the occupancy lasts.", Audience.CONSENTED
    )
    async def visible_until(self, info: Info) -> date | None:
        present = await self._present(info)
        if present is None:
            return self.view.visible_until
        return present.period.last_day if present.period else None

    @narrowed(
        "The present occupant's consent to the manager's access to daily data.",
        Audience.OCCUPANCY,
    )
    async def consent(self, info: Info) -> Consent | None:
        context = info.context
        present = await self._present(info)
        if present is not None:
            return Consent.of(consent_view(context.application, present.place, present.last_answer))
        return Consent.of(await my_consent(context.application, await context.viewer(), self.database_id))

    async def _present(self, info: Info) -> PresentOccupancy | None:
        """The present occupancy, for a manager; None for whoever has an own one."""
        if self.seen_as is not Basis.MANAGER:
            return None
        return await info.context.loaders.present_occupancies.load(self.database_id)

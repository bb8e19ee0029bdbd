"""Residences: name, address and documents.

`ResidenceFields` is all of a residence but its dwellings and alerts, which are nouns above it
(`graphql_schema.dwellings.dwellings`).
"""

from datetime import datetime
from decimal import Decimal
from typing import Self

import strawberry

from core.access.narrowing import Audience
from core.consumption.amounts import rounded
from core.documents.sheets import notice_title
from core.services.places.dwellings import ResidenceView
from core.services.portfolio.publication import DocumentKind, DocumentView, residence_documents
from graphql_schema.alerts.evidence import LeakLevel, leak_levels
from graphql_schema.base.addresses import ResidenceAddress
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language
from graphql_schema.base.fields import resolved
from graphql_schema.base.narrowing import Narrowed, narrowed
from graphql_schema.base.relay import Node, global_id
from graphql_schema.base.texts import worded
from graphql_schema.base.views import shown

strawberry.enum(
    DocumentKind,
    name="DocumentKind",
    description="PORTAL_READY: residents can register. PORTAL_CLOSED: they no longer can.",
)


@strawberry.type(description="A document of a residence; all its managers can see it.")
class ResidenceDocument(Node):
    portal: strawberry.Private[str]
    kind: DocumentKind
    created_at: datetime

    @classmethod
    def of(cls, view: DocumentView) -> "ResidenceDocument":
        return shown(cls, view, id=global_id("ResidenceDocument", view.id))

    @worded("The title: `Votre portail Mes suivis de consommation est prêt`.")
    def title(self, language: Language) -> str:
        return notice_title(self.portal, language, is_open=self.kind is DocumentKind.PORTAL_READY)


@strawberry.type
class ResidenceFields(Node, Narrowed, ResidenceAddress):
    number: strawberry.Private[int]
    operator_code: strawberry.Private[str]
    code: str = strawberry.field(description="The site code that residents register with: `AA000`.")
    time_zone: str = strawberry.field(
        description="The IANA name of the time zone; all days and months are in this zone."
    )
    operator_name: str
    published_at: datetime | None = strawberry.field(
        description="When its data were published, which opens the registration; null if they are not."
    )
    water_price: Decimal | None = strawberry.field(
        description="EUR per cubic metre including waste water, four decimals; null if it is not known."
    )

    @classmethod
    def of(cls, view: ResidenceView) -> Self:
        price = view.water_price_eur_per_m3
        return shown(
            cls,
            view,
            id=global_id("Residence", view.id),
            seen_as=view.basis,
            dwelling_id=None,
            number=view.id,
            water_price=None if price is None else rounded(price, 4),
        )

    @resolved("The levels of leak alerts at this residence, the lowest first.")
    def leak_levels(self, info: Info) -> list[LeakLevel]:
        return leak_levels(info.context.application.registry.leak_thresholds(self.operator_code))

    @narrowed(
        "The documents of the residence («Mes documents»), newest first.",
        Audience.MANAGER_ONLY,
    )
    async def documents(self, info: Info) -> list[ResidenceDocument] | None:
        viewer, application = await info.context.viewer(), info.context.application
        found = await residence_documents(application, viewer, self.number)
        return [ResidenceDocument.of(view) for view in found]

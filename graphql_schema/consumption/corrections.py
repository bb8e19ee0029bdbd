"""The log of a dwelling's corrected days.

In: a page of corrections. Out: a connection. The one rule: it is for whom the days are.
"""

from datetime import date, datetime
from decimal import Decimal

import strawberry
from strawberry.relay import PageInfo

from core.access.narrowing import Audience
from core.consumption.amounts import DisplayUnit, in_shown_unit
from core.consumption.corrections import CorrectionReason
from core.services.consumption.correction_log import Correction, CorrectionsAsked
from graphql_schema.base.amounts import Amount
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid
from graphql_schema.base.narrowing import narrowed
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, number_of_cursor, page_info

_CURSOR = "correction"

strawberry.enum(
    CorrectionReason,
    description="Why a day's amount changed after it could be seen. LATE_READING: a reading was received "
    "after a later one. DOUBTFUL_READING: readings received since contradict one that counted. "
    "WITHDRAWN_READING, ACCEPTED_READING: a decision of the operator. METER_REPLACED: the days on which the "
    "meter was installed or removed were corrected. CLOCK_ERROR: readings were dated by a clock that was "
    "ahead. RECOMPUTED: the operator had the volumes computed anew.",
)


@strawberry.type(
    description="A day of a meter whose amount changed after it could be seen. Its week, month and year "
    "changed by as much."
)
class ConsumptionCorrection:
    day: date = strawberry.field(description="The civil day, in the residence's time zone.")
    fluid: Fluid
    meter_serial: str = strawberry.field(description="The serial number as printed on the meter.")
    unit: DisplayUnit = strawberry.field(description="The unit of the amounts.")
    before: Amount | None = strawberry.field(
        description="The amount of before; null if nothing was known of the day."
    )
    after: Amount | None = strawberry.field(
        description="The amount since; null if nothing is known of the day any more."
    )
    difference: Decimal = strawberry.field(
        description="By how much the day's amount changed, in `unit`; what is not known counts as nothing."
    )
    reason: CorrectionReason
    corrected_at: datetime = strawberry.field(description="When the amount changed.")

    @classmethod
    def of(cls, found: Correction) -> "ConsumptionCorrection":
        return cls(
            day=found.day,
            fluid=found.fluid,
            meter_serial=found.printed_serial,
            unit=DisplayUnit.of(found.fluid),
            before=Amount.known(found.fluid, found.before),
            after=Amount.known(found.fluid, found.after),
            difference=in_shown_unit(found.fluid, (found.after or 0) - (found.before or 0)),
            reason=found.reason,
            corrected_at=found.corrected_at,
        )


@strawberry.type(description="A page of corrections, the latest first. `totalCount`: those on all pages.")
class ConsumptionCorrectionConnection:
    edges: list[Edge[ConsumptionCorrection]]
    page_info: PageInfo
    total_count: int


@strawberry.type
class CorrectionsOfDwelling:
    """The field of a dwelling."""

    database_id: strawberry.Private[int]

    @narrowed(
        "The days whose amount changed after it could be seen, with what they changed by, when and why; the "
        "latest first. A manager's look is recorded.",
        Audience.CONSENTED,
    )
    async def corrections(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> ConsumptionCorrectionConnection | None:
        asked = CorrectionsAsked(self.database_id, checked_first(first), number_of_cursor(after, _CURSOR))
        page = await info.context.loaders.corrections.load(asked)
        edges = [
            Edge(cursor=cursor(_CURSOR, one.id), node=ConsumptionCorrection.of(one)) for one in page.items
        ]
        return ConsumptionCorrectionConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )

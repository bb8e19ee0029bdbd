"""Readings that do not count, and their correction by the operator's staff."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry
from strawberry.relay import PageInfo

from core.services.telegrams import corrections
from core.services.telegrams.corrections import Corrected, DoubtfulReadingView
from graphql_schema.base.amounts import Amount
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Doubt, Evidence, Fluid, ReadingStatus
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, page_info, parse_cursor
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import Node, global_id, number_of
from graphql_schema.base.scalars import BigInt
from graphql_schema.base.views import shown
from graphql_schema.meters.readings import checked_moment

_TYPE = "DoubtfulReading"
_CURSOR = "doubtful-reading"


@strawberry.type(
    description="A reading that does not count: it is in no consumption, no alert and no leak detection."
)
class DoubtfulReading(Node):
    radio_address: str
    printed_serial: str
    residence_code: str
    dwelling_number: str
    fluid: Fluid
    read_at: datetime
    received_at: datetime
    index: Amount
    index_before: Amount | None = strawberry.field(description="The last index before it that counts.")
    index_after: Amount | None = strawberry.field(description="The first index after it that counts.")
    evidence: Evidence
    doubt: Doubt
    status: ReadingStatus

    @classmethod
    def of(cls, view: DoubtfulReadingView) -> "DoubtfulReading":
        return shown(
            cls,
            view,
            id=global_id(_TYPE, view.id),
            index=Amount.of(view.fluid, view.index),
            index_before=Amount.known(view.fluid, view.index_before),
            index_after=Amount.known(view.fluid, view.index_after),
        )


@strawberry.type(description="A page of readings that do not count, those received last first.")
class DoubtfulReadingConnection:
    edges: list[Edge[DoubtfulReading]]
    page_info: PageInfo


@strawberry.input
class AcceptReadingInput:
    id: strawberry.ID
    reason: str = strawberry.field(default="", description="Kept in the audit log, up to 200 characters.")


@strawberry.input
class WithdrawReadingInput:
    radio_address: str = strawberry.field(description="The meter's: MMM-IIIIIIII-VV-TT.")
    read_at: datetime = strawberry.field(description="The time of the reading.")
    index: BigInt | None = strawberry.field(
        default=None,
        description="Which reading of this time, by its index in the smallest unit, if there are several.",
    )
    reason: str = strawberry.field(default="", description="Kept in the audit log, up to 200 characters.")


@strawberry.type(
    description="The reading was decided; consumption and alerts are recomputed, and residents who were "
    "wrongly notified get a correction."
)
class ReadingCorrected:
    counts: bool = strawberry.field(description="Whether the reading counts now.")
    alerts: int = strawberry.field(description="Alerts that were raised, changed or withdrawn.")
    messages: int = strawberry.field(description="E-mails and SMS that were queued for sending.")

    @classmethod
    def of(cls, changed: Corrected) -> "ReadingCorrected":
        return shown(cls, changed)


CorrectReadingResult: TypeAlias = Annotated[
    ReadingCorrected | RequestRefused, strawberry.union("CorrectReadingResult")
]


@strawberry.type
class DoubtfulReadingQuery:
    @resolved("The readings of the operator's meters that do not count, for the operator's staff.")
    async def doubtful_readings(
        self,
        info: Info,
        radio_address: str | None = None,
        status: ReadingStatus | None = None,
        first: int = PAGE,
        after: str | None = None,
    ) -> DoubtfulReadingConnection:
        size = checked_first(first)
        page = await corrections.list_doubtful_readings(
            await info.context.viewer(),
            radio_address=radio_address,
            status=status,
            before_id=parse_cursor(after, _CURSOR, _number),
            limit=size,
        )
        edges = [Edge(cursor=cursor(_CURSOR, view.id), node=DoubtfulReading.of(view)) for view in page.items]
        return DoubtfulReadingConnection(edges=edges, page_info=page_info(edges, page, after))


@strawberry.type
class DoubtfulReadingMutation:
    @answered(
        "Count a doubtful reading from now on. CONFLICT if another reading of the same time was accepted. "
        "For the operator's staff."
    )
    async def accept_reading(
        self,
        info: Info,
        input: AcceptReadingInput,  # noqa: A002 - the argument's name in the schema
    ) -> CorrectReadingResult:
        context = info.context
        changed = await corrections.accept_reading(
            context.application,
            await context.viewer(),
            number_of(input.id, _TYPE),
            reason=input.reason,
            visitor=context.visitor,
            now=context.now,
        )
        return ReadingCorrected.of(changed)

    @answered(
        "Take out a false reading, whether it counts or is doubtful; `acceptReading` takes it back. CONFLICT "
        "with the field `index` if several readings have this time. For the operator's staff."
    )
    async def withdraw_reading(
        self,
        info: Info,
        input: WithdrawReadingInput,  # noqa: A002 - the argument's name in the schema
    ) -> CorrectReadingResult:
        context = info.context
        moment = checked_moment(input.read_at, "readAt")
        assert moment is not None
        changed = await corrections.withdraw_reading(
            context.application,
            await context.viewer(),
            input.radio_address,
            moment,
            index=input.index,
            reason=input.reason,
            visitor=context.visitor,
            now=context.now,
        )
        return ReadingCorrected.of(changed)


def _number(parts: Sequence[str]) -> int:
    (number,) = parts
    return int(number)

"""Telegram lines of the operator's gateways and meters that could not be used (for the operator's staff).

In: filters. Out: a page of dead letters without their lines, and how many there are of each reason.
"""

from datetime import datetime

import strawberry
from strawberry.relay import PageInfo

from core.services.telegrams.dead_letters import (
    DeadLetterInList,
    DeadLettersAsked,
    TelegramState,
    count_dead_letters,
    list_dead_letters,
)
from graphql_schema.base.context import Context, Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, number_of_cursor, page_info
from graphql_schema.base.relay import Node, global_id
from graphql_schema.base.views import shown
from graphql_schema.gateways import UnusableReason

_CURSOR = "dead-letter"

strawberry.enum(
    TelegramState,
    name="DeadLetterState",
    description="What became of a dead letter. WAITING: it was not used. REPLAYED: its cause was removed, "
    "and it was used since.",
)


@strawberry.input(description="Which dead letters; a field that is left out does not narrow.")
class DeadLetterFilterInput:
    reason: UnusableReason | None = strawberry.field(default=None, description="Why they could not be used.")
    state: TelegramState | None = strawberry.field(default=None, description="What became of them.")
    radio_address: str | None = strawberry.field(
        default=None, description="The address that the telegrams name: MMM-IIIIIIII-VV-TT."
    )

    def asked(self, *, first: int = 1, before: int | None = None) -> DeadLettersAsked:
        """The same as a question to the service."""
        reason = None if self.reason is None else self.reason.name
        return DeadLettersAsked(first, before, None, reason, self.state, self.radio_address)


@strawberry.type(
    description="A line of a gateway that could not be used. The command line alone shows the line itself."
)
class DeadLetter(Node):
    received_at: datetime = strawberry.field(description="When it was first received.")
    reason: UnusableReason = strawberry.field(description="Why it could not be used, the last time.")
    message: str = strawberry.field(description="The reason in a sentence, for technicians.")
    radio_address: str | None = strawberry.field(
        description="The address that the telegram names; null if it could not be read."
    )
    gateway: str | None = strawberry.field(
        description="The name of the gateway; null if it was no gateway's or is another operator's."
    )
    source: str | None = strawberry.field(
        description="Where the line came from; null if it was received by another operator's gateway."
    )
    times_seen: int = strawberry.field(description="How often the line was received.")
    state: TelegramState = strawberry.field(description="What became of it.")
    replayed_at: datetime | None = strawberry.field(description="When it was used; null if it was not.")

    @classmethod
    def of(cls, view: DeadLetterInList) -> "DeadLetter":
        return shown(cls, view, id=global_id("DeadLetter", view.id), reason=UnusableReason[view.reason])


@strawberry.type(description="A page of dead letters, newest first. `totalCount`: those on all pages.")
class DeadLetterConnection:
    edges: list[Edge[DeadLetter]]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="The dead letters of one reason by number.")
class DeadLetterCount:
    reason: UnusableReason = strawberry.field(description="Why they could not be used.")
    count: int = strawberry.field(description="How many lines.")
    times_seen: int = strawberry.field(description="How often these lines were received.")


async def dead_letter_by_number(context: Context, number: int) -> DeadLetter | None:
    """One dead letter of the viewer's operator."""
    page = await list_dead_letters(await context.viewer(), DeadLettersAsked(only_id=number))
    return next((DeadLetter.of(view) for view in page.items), None)


@strawberry.type
class DeadLetterQuery:
    @resolved(
        "The lines that could not be used, of the operator's gateways and meters, for the operator's staff."
    )
    async def dead_letters(
        self,
        info: Info,
        filter: DeadLetterFilterInput | None = None,  # noqa: A002 - the argument's name in the schema
        first: int = PAGE,
        after: str | None = None,
    ) -> DeadLetterConnection:
        chosen = filter or DeadLetterFilterInput()
        asked = chosen.asked(first=checked_first(first), before=number_of_cursor(after, _CURSOR))
        page = await list_dead_letters(await info.context.viewer(), asked)
        edges = [Edge(cursor=cursor(_CURSOR, view.id), node=DeadLetter.of(view)) for view in page.items]
        return DeadLetterConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )

    @resolved("The same lines by reason, the most frequent reason first; for the operator's staff.")
    async def dead_letter_counts(
        self,
        info: Info,
        filter: DeadLetterFilterInput | None = None,  # noqa: A002 - the argument's name in the schema
    ) -> list[DeadLetterCount]:
        chosen = filter or DeadLetterFilterInput()
        counted = await count_dead_letters(await info.context.viewer(), chosen.asked())
        return [shown(DeadLetterCount, one, reason=UnusableReason[one.reason]) for one in counted]

"""Messages to the accounts of the operator: whether each was sent, and why not (for the operator's staff).

In: filters. Out: a page of messages without their texts, each recipient masked.
"""

from datetime import datetime

import strawberry
from strawberry.relay import PageInfo

from core.services.messaging.delivery import Channel
from core.services.messaging.message_lists import (
    MessageInList,
    MessagesAsked,
    MessageState,
    MessageTopic,
    list_operator_messages,
)
from graphql_schema.base.context import Context, Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, number_of_cursor, page_info
from graphql_schema.base.relay import Node, global_id
from graphql_schema.base.views import shown

_CURSOR = "message"

strawberry.enum(Channel, name="MessageChannel", description="How a message is sent.")
strawberry.enum(
    MessageState,
    description="The state of a message. PENDING: it is to be sent, or to be sent again. SENT: the next "
    "server accepted it. FAILED: it was given up.",
)
strawberry.enum(
    MessageTopic,
    description="What a message is about. LEAK: leaks and slow leaks. OVER_CONSUMPTION: a month far above "
    "the usual, an own limit, or a goal. METER: bursts, and what a meter reports. CORRECTION: an alert that "
    "was withdrawn. DOCUMENT: notes, certificates and other documents. REGISTRATION: signing up, and "
    "requests for a dwelling. OCCUPANCY: moves and consents. "
    "SECURITY: passwords, codes, tokens. INVITATION: to an account. PORTAL: a residence was published or "
    "closed, and questions. OTHER: anything else.",
)


@strawberry.input(description="Which messages; a field that is left out does not narrow.")
class OutboxFilterInput:
    state: MessageState | None = strawberry.field(default=None, description="Their state.")
    channel: Channel | None = strawberry.field(default=None, description="How they are sent.")
    topic: MessageTopic | None = strawberry.field(default=None, description="What they are about.")


@strawberry.type(
    description="A message to an account of the operator, its text not shown and its recipient masked."
)
class OutboxMessage(Node):
    topic: MessageTopic
    template: str = strawberry.field(description="The name of its text: `leak_opened`.")
    channel: Channel = strawberry.field(description="How it is sent.")
    recipient: str | None = strawberry.field(
        description="The address, masked: `c…@example.org`; null if there is none, or it was erased."
    )
    state: MessageState = strawberry.field(description="Whether it was sent.")
    attempts: int = strawberry.field(description="How often it was tried.")
    last_error: str | None = strawberry.field(
        description="Why it was not sent, the last time: `SMTP_450`; null if nothing went wrong."
    )
    created_at: datetime
    due_at: datetime | None = strawberry.field(
        description="When it is tried again; null if that is at once or not any more."
    )
    expires_at: datetime | None = strawberry.field(
        description="When it is no longer worth sending; null if it always is."
    )
    sent_at: datetime | None = strawberry.field(description="When it was sent; null if it was not.")

    @classmethod
    def of(cls, view: MessageInList) -> "OutboxMessage":
        return shown(cls, view, id=global_id("OutboxMessage", view.id), last_error=view.failure)


@strawberry.type(description="A page of messages, newest first. `totalCount`: the messages on all pages.")
class OutboxMessageConnection:
    edges: list[Edge[OutboxMessage]]
    page_info: PageInfo
    total_count: int


async def message_by_number(context: Context, number: int) -> OutboxMessage | None:
    """One message to an account of the viewer's operator."""
    page = await list_operator_messages(await context.viewer(), MessagesAsked(only_id=number))
    return next((OutboxMessage.of(view) for view in page.items), None)


@strawberry.type
class OutboxQuery:
    @resolved("The messages to accounts of the operator, for the operator's staff.")
    async def outbox(
        self,
        info: Info,
        filter: OutboxFilterInput | None = None,  # noqa: A002 - the argument's name in the schema
        first: int = PAGE,
        after: str | None = None,
    ) -> OutboxMessageConnection:
        chosen = filter or OutboxFilterInput()
        asked = MessagesAsked(
            first=checked_first(first),
            before=number_of_cursor(after, _CURSOR),
            state=chosen.state,
            channel=chosen.channel,
            topic=chosen.topic,
        )
        page = await list_operator_messages(await info.context.viewer(), asked)
        edges = [Edge(cursor=cursor(_CURSOR, view.id), node=OutboxMessage.of(view)) for view in page.items]
        return OutboxMessageConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )

"""What retention has deleted: for the operator's staff, who answer for it (CN-03)."""

from datetime import datetime

import strawberry
from strawberry.relay import PageInfo

from core.services.operation.retention import RunView, retention_runs
from core.services.shared.paging import Page
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, number_of_cursor, page_info
from graphql_schema.base.scalars import BigInt

_CURSOR = "retention-run"


@strawberry.type(description="Rows of one kind of data that were deleted.")
class DeletedRows:
    data: str = strawberry.field(description="The kind of data, as `submeter retention` names it.")
    rows: BigInt = strawberry.field(description="How many rows; of readings on PostgreSQL how many months.")


@strawberry.type(description="One run of retention that deleted something, of the whole installation.")
class RetentionRun:
    finished_at: datetime = strawberry.field(description="When the run ended.")
    deleted: list[DeletedRows] = strawberry.field(description="What was deleted, by the kind of data.")

    @classmethod
    def of(cls, view: RunView) -> "RetentionRun":
        deleted = [DeletedRows(data=kind, rows=BigInt(count)) for kind, count in view.deleted.items()]
        return cls(finished_at=view.finished_at, deleted=deleted)


@strawberry.type(description="A page of runs, the newest first.")
class RetentionRunConnection:
    edges: list[Edge[RetentionRun]]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[RunView], *, after: str | None) -> "RetentionRunConnection":
        edges = [Edge(cursor=cursor(_CURSOR, view.id), node=RetentionRun.of(view)) for view in page.items]
        return cls(edges=edges, page_info=page_info(edges, page, after))


@strawberry.type
class RetentionQuery:
    @resolved("What retention has deleted, run by run, the newest first.")
    async def retention_runs(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> RetentionRunConnection:
        size, seen = checked_first(first), number_of_cursor(after, _CURSOR)
        page = await retention_runs(await info.context.viewer(), first=size, after=seen)
        return RetentionRunConnection.of(page, after=after)

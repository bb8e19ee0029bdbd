"""The viewer's own data: taken away, thinned out, erased (CN-06, CN-09)."""

from datetime import date, datetime
from typing import Annotated, TypeAlias

import strawberry

from core.access.purposes import ExportState
from core.services.privacy.erasure import erase_my_account
from core.services.privacy.exports import ExportView, link_of_export, request_export
from core.services.privacy.fine_data import purge_fine_data
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.refusals import RateLimited, RequestRefused, answered
from graphql_schema.base.relay import Node, global_id, number_of
from graphql_schema.base.views import shown

strawberry.enum(
    ExportState,
    description="The state of an archive. REQUESTED: it will be made within minutes. READY: it can be "
    "fetched. FAILED: it could not be made; ask again.",
)


@strawberry.type(
    description="An archive (ZIP) of the viewer's own data: every table as JSON and as CSV, of the own "
    "occupancies alone."
)
class DataExport(Node):
    number: strawberry.Private[int]
    state: ExportState
    requested_at: datetime
    ready_at: datetime | None = strawberry.field(description="When it was made; null until then.")
    expires_at: datetime | None = strawberry.field(
        description="When it is deleted, a week after it was made; null until it is made."
    )
    size_bytes: int | None = strawberry.field(description="Null until it is READY.")
    sha256: str | None = strawberry.field(description="The SHA-256 of the file; null until it is READY.")

    @classmethod
    def of(cls, view: ExportView) -> "DataExport":
        return shown(cls, view, number=view.id, id=global_id("DataExport", view.id))

    @resolved(
        "Where to fetch it: for this account, and for ten minutes. Ask again for another address; null until "
        "it is READY."
    )
    async def url(self, info: Info) -> str | None:
        context = info.context
        viewer = await context.viewer()
        link = await link_of_export(context.application, viewer, self.number, now=context.now)
        return None if link is None else f"{context.request.base_url}downloads?link={link}"


@strawberry.type(description="An archive was asked for. An e-mail says when it is ready.")
class DataExportRequested:
    data_export: DataExport


@strawberry.type(description="The account and the personal data were erased. An e-mail confirms it.")
class AccountErased:
    email: str = strawberry.field(description="The address that the confirmation goes to.")


@strawberry.type(
    description="What is finer than a day was deleted: of each day the first, last and highest reading "
    "remain."
)
class FineDataPurged:
    kept_from: date = strawberry.field(description="The first day whose hours are still there.")
    readings: int = strawberry.field(description="How many readings were deleted.")


ExportMyDataResult: TypeAlias = Annotated[
    DataExportRequested | RequestRefused, strawberry.union("ExportMyDataResult")
]
DeleteMyAccountResult: TypeAlias = Annotated[
    AccountErased | RequestRefused | RateLimited, strawberry.union("DeleteMyAccountResult")
]
PurgeFineDataResult: TypeAlias = Annotated[
    FineDataPurged | RequestRefused, strawberry.union("PurgeFineDataResult")
]


@strawberry.type
class OwnDataMutation:
    @answered(
        "Ask for an archive of all personal data that are kept of the viewer. It is made in the background "
        "and can be fetched for a week. CONFLICT while another one is being made."
    )
    async def export_my_data(self, info: Info) -> ExportMyDataResult:
        context = info.context
        view = await request_export(await context.viewer(), visitor=context.visitor, now=context.now)
        return DataExportRequested(data_export=DataExport.of(view))

    @answered(
        "Erase the viewer's account and personal data, at once and for good. The occupancy ends with the day "
        "before; the consumption of the building is kept without a link to the viewer. The session ends."
    )
    async def delete_my_account(self, info: Info, password: str) -> DeleteMyAccountResult:
        context = info.context
        context.try_sign_in()
        email = (await context.account()).email
        viewer = await context.viewer()
        await erase_my_account(
            context.application, viewer, password, visitor=context.visitor, now=context.now
        )
        context.sign_out()
        return AccountErased(email=email)

    @answered(
        "Delete what is finer than a day of the viewer's own occupancy in a dwelling; of an occupancy that "
        "goes on, the last three days are kept for the detection of leaks. Days, months and indexes remain."
    )
    async def purge_fine_data(self, info: Info, dwelling: strawberry.ID) -> PurgeFineDataResult:
        context = info.context
        found = await purge_fine_data(
            await context.viewer(),
            number_of(dwelling, "Dwelling", field="dwelling"),
            visitor=context.visitor,
            now=context.now,
        )
        return FineDataPurged(kept_from=found.kept_from, readings=found.readings)

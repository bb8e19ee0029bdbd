"""Publishing a residence, and ending that (for the operator's staff).

In: a residence. Out: the residence as it is now, or why it was refused. The one rule: a residence in which
residents would find nothing is published only if that is confirmed, as on the command line.
"""

from typing import Annotated, TypeAlias

import strawberry

from core.services.places.dwellings import residence_seen
from core.services.portfolio.publication import publish_in_charge, unpublish_in_charge
from graphql_schema.base.context import Context, Info
from graphql_schema.base.refusals import RequestRefused, ResidenceNotReady, answered
from graphql_schema.base.relay import number_of
from graphql_schema.dwellings.dwellings import Residence


@strawberry.type(description="Residents of the residence can register.")
class ResidencePublished:
    residence: Residence
    changed: bool = strawberry.field(description="Whether it was not published before.")


@strawberry.type(
    description="Residents of the residence cannot register any more; accounts keep their access."
)
class ResidenceUnpublished:
    residence: Residence
    changed: bool = strawberry.field(description="Whether it was published before.")


PublishResidenceResult: TypeAlias = Annotated[
    ResidencePublished | ResidenceNotReady | RequestRefused, strawberry.union("PublishResidenceResult")
]
UnpublishResidenceResult: TypeAlias = Annotated[
    ResidenceUnpublished | RequestRefused, strawberry.union("UnpublishResidenceResult")
]


@strawberry.type
class PublicationMutation:
    @answered(
        "Publish a residence of the operator, so that its residents can register; its administrators are "
        "notified, once only. RESIDENCE_NOT_READY if they would find no data and `withoutData` does not "
        "confirm that. For the operator's staff."
    )
    async def publish_residence(
        self, info: Info, residence: strawberry.ID, *, without_data: bool = False
    ) -> PublishResidenceResult:
        context, number = info.context, number_of(residence, "Residence", field="residence")
        changed = await publish_in_charge(
            context.application,
            await context.viewer(),
            number,
            without_data=without_data,
            visitor=context.visitor,
            now=context.now,
        )
        return ResidencePublished(residence=await _residence(context, number), changed=changed)

    @answered(
        "End the publication of a residence of the operator: no new registrations; existing accounts keep "
        "their access. Its administrators are notified. For the operator's staff."
    )
    async def unpublish_residence(self, info: Info, residence: strawberry.ID) -> UnpublishResidenceResult:
        context, number = info.context, number_of(residence, "Residence", field="residence")
        changed = await unpublish_in_charge(
            context.application, await context.viewer(), number, visitor=context.visitor, now=context.now
        )
        return ResidenceUnpublished(residence=await _residence(context, number), changed=changed)


async def _residence(context: Context, number: int) -> Residence:
    return Residence.of(await residence_seen(await context.viewer(), number, now=context.now))

"""What a manager records of residents: who moves in and out, answers on paper, invitations to register."""

from datetime import date
from typing import Annotated, TypeAlias

import strawberry

from core.services.managers.invitations import Invitation, invite_residents
from core.services.managers.occupancies import RecordedOccupancy, record_move_in, record_move_out
from core.services.managers.paper_consents import record_paper_consent
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language, OccupancyKind
from graphql_schema.base.refusals import RateLimited, RequestRefused, answered
from graphql_schema.base.relay import global_id, number_of
from graphql_schema.dwellings.consents import Consent


@strawberry.type(description="The occupancy that a move was recorded for.")
class MoveRecorded:
    dwelling: strawberry.ID
    first_day: date = strawberry.field(description="The first day of the occupancy.")
    last_day: date | None = strawberry.field(description="Its last day; null while no end is known.")

    @classmethod
    def of(cls, recorded: RecordedOccupancy) -> "MoveRecorded":
        number = global_id("Dwelling", recorded.dwelling_id)
        return cls(dwelling=number, first_day=recorded.first_day, last_day=recorded.last_day)


RecordMoveInResult: TypeAlias = Annotated[
    MoveRecorded | RequestRefused, strawberry.union("RecordMoveInResult")
]
RecordMoveOutResult: TypeAlias = Annotated[
    MoveRecorded | RequestRefused, strawberry.union("RecordMoveOutResult")
]


@strawberry.input(description="Who moves into a dwelling, and when.")
class RecordMoveInInput:
    dwelling: strawberry.ID
    first_day: date = strawberry.field(description="The first day in the dwelling, at most 92 days ahead.")
    occupancy: OccupancyKind = strawberry.field(
        default=OccupancyKind.TENANT, description="TENANT or OWNER_OCCUPIER."
    )


@strawberry.input(description="When whoever lives in a dwelling leaves it.")
class RecordMoveOutInput:
    dwelling: strawberry.ID
    last_day: date = strawberry.field(
        description="The last day in the dwelling, at most 92 days before or after today."
    )


@strawberry.input(description="An answer that the present occupant of a dwelling gave on paper.")
class RecordPaperConsentInput:
    dwelling: strawberry.ID
    granted: bool = strawberry.field(description="Whether the occupant consents.")
    evidence_reference: str | None = strawberry.field(
        default=None, description="Where the signed paper is; required for a consent."
    )


@strawberry.type(description="The answer was recorded; an occupant with an account is notified.")
class PaperConsentRecorded:
    consent: Consent


RecordPaperConsentResult: TypeAlias = Annotated[
    PaperConsentRecorded | RequestRefused, strawberry.union("RecordPaperConsentResult")
]


@strawberry.input(description="An e-mail to somebody who lives in a dwelling.")
class ResidentInvitationInput:
    dwelling: strawberry.ID
    email: str
    language: Language = strawberry.field(default=Language.FR, description="The language of the e-mail.")


@strawberry.input(description="Whom to invite.")
class InviteResidentsInput:
    invitations: list[ResidentInvitationInput] = strawberry.field(description="From 1 to 100 of them.")


@strawberry.type(description="The invitations were sent.")
class ResidentsInvited:
    count: int = strawberry.field(description="How many e-mails were sent.")


InviteResidentsResult: TypeAlias = Annotated[
    ResidentsInvited | RequestRefused | RateLimited, strawberry.union("InviteResidentsResult")
]


@strawberry.type
class MoveMutation:
    @answered(
        "Record that somebody moves into a dwelling of a managed residence. CONFLICT if somebody else lives "
        "there by then: record that person's last day first."
    )
    async def record_move_in(self, info: Info, input: RecordMoveInInput) -> RecordMoveInResult:  # noqa: A002 - the argument's name in the schema
        context = info.context
        recorded = await record_move_in(
            await context.viewer(),
            number_of(input.dwelling, "Dwelling", field="dwelling"),
            first_day=input.first_day,
            kind=input.occupancy,
            visitor=context.visitor,
            now=context.now,
        )
        return MoveRecorded.of(recorded)

    @answered(
        "Record the last day of whoever lives in a dwelling of a managed residence; it can be changed until "
        "then. An occupant with an account is notified, and keeps access to the own period. NOT_FOUND if "
        "nobody is known to live there."
    )
    async def record_move_out(self, info: Info, input: RecordMoveOutInput) -> RecordMoveOutResult:  # noqa: A002 - the argument's name in the schema
        context = info.context
        recorded = await record_move_out(
            context.application,
            await context.viewer(),
            number_of(input.dwelling, "Dwelling", field="dwelling"),
            last_day=input.last_day,
            visitor=context.visitor,
            now=context.now,
        )
        return MoveRecorded.of(recorded)

    @answered(
        "Record an answer on paper to the question of daily data. A refusal is never turned into a consent: "
        "CONSENT_NOT_THE_MANAGERS. NO_OCCUPANT if nobody is known to live there."
    )
    async def record_paper_consent(
        self,
        info: Info,
        input: RecordPaperConsentInput,  # noqa: A002 - the argument's name in the schema
    ) -> RecordPaperConsentResult:
        context = info.context
        view = await record_paper_consent(
            context.application,
            await context.viewer(),
            number_of(input.dwelling, "Dwelling", field="dwelling"),
            granted=input.granted,
            evidence_reference=input.evidence_reference,
            visitor=context.visitor,
            now=context.now,
        )
        return PaperConsentRecorded(consent=Consent.of(view))

    @answered(
        "Invite residents to register, by an e-mail with a link to each; all or none. CONFLICT if residents "
        "of a dwelling's residence cannot register yet."
    )
    async def invite_residents(self, info: Info, input: InviteResidentsInput) -> InviteResidentsResult:  # noqa: A002 - the argument's name in the schema
        context = info.context
        invitations = [
            Invitation(
                number_of(one.dwelling, "Dwelling", field=f"invitations.{place}.dwelling"),
                one.email,
                one.language,
            )
            for place, one in enumerate(input.invitations)
        ]
        count = await invite_residents(
            context.application,
            await context.viewer(),
            invitations,
            visitor=context.visitor,
            now=context.now,
        )
        return ResidentsInvited(count=count)

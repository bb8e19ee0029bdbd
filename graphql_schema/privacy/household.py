"""The household: invited by the holder of a dwelling's account, with a sign-in of its own that only
reads.
"""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from core.services.accounts.password_change import NewPassword
from core.services.privacy.household import MemberView, accept_invitation, invite_member, remove_member
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.refusals import PasswordTooWeak, RateLimited, RequestRefused, answered
from graphql_schema.base.relay import Node, global_id, number_of
from graphql_schema.base.views import shown


@strawberry.type(
    description="Somebody whom the viewer lets see a dwelling, or an invitation that is still open."
)
class HouseholdMember(Node):
    dwelling_number: strawberry.Private[int]
    name: str
    email: str = strawberry.field(description="The address that the invitation went to.")
    invited_at: datetime
    expires_at: datetime = strawberry.field(description="Until when the invitation can be accepted.")
    accepted_at: datetime | None = strawberry.field(
        description="When the invitation was accepted; null until it is."
    )

    @classmethod
    def of(cls, view: MemberView) -> "HouseholdMember":
        return shown(cls, view, id=global_id("HouseholdMember", view.id), dwelling_number=view.dwelling_id)

    @resolved("The id of the dwelling.")
    def dwelling(self) -> strawberry.ID:
        return global_id("Dwelling", self.dwelling_number)


@strawberry.type(description="The invitation was sent. Whether the address has an account is not disclosed.")
class HouseholdMemberInvited:
    member: HouseholdMember


@strawberry.type(description="The invitation was accepted: sign in with the address and the password.")
class HouseholdInvitationAccepted:
    email: str


@strawberry.type(description="The member sees the dwelling no longer.")
class HouseholdMemberRemoved:
    id: strawberry.ID


@strawberry.input
class AcceptHouseholdInvitationInput:
    token: str = strawberry.field(description="The token of the link in the e-mail.")
    password: str = strawberry.field(
        description="The new password; of somebody with an account of another household, the present one."
    )
    confirmation: str = strawberry.field(description="The password again.")


InviteHouseholdMemberResult: TypeAlias = Annotated[
    HouseholdMemberInvited | RequestRefused | RateLimited, strawberry.union("InviteHouseholdMemberResult")
]
AcceptHouseholdInvitationResult: TypeAlias = Annotated[
    HouseholdInvitationAccepted | RequestRefused | PasswordTooWeak | RateLimited,
    strawberry.union("AcceptHouseholdInvitationResult"),
]
RemoveHouseholdMemberResult: TypeAlias = Annotated[
    HouseholdMemberRemoved | RequestRefused, strawberry.union("RemoveHouseholdMemberResult")
]


@strawberry.type
class HouseholdMutation:
    @answered(
        "Invite somebody by e-mail to see a dwelling: its dashboard, consumption, meters and alerts, and "
        "nothing of the account. At most five. It ends when the viewer ends it, and with the occupancy."
    )
    async def invite_household_member(
        self, info: Info, dwelling: strawberry.ID, email: str, name: str
    ) -> InviteHouseholdMemberResult:
        context = info.context
        view = await invite_member(
            context.application,
            await context.viewer(),
            number_of(dwelling, "Dwelling", field="dwelling"),
            email=email,
            name=name,
            visitor=context.visitor,
            now=context.now,
        )
        return HouseholdMemberInvited(member=HouseholdMember.of(view))

    @answered("Accept an invitation with the token of its link, within seven days.")
    async def accept_household_invitation(
        self,
        info: Info,
        input: AcceptHouseholdInvitationInput,  # noqa: A002 - the argument's name in the schema
    ) -> AcceptHouseholdInvitationResult:
        context = info.context
        context.try_sign_in()
        email = await accept_invitation(
            context.application,
            input.token,
            NewPassword(input.password, input.confirmation),
            visitor=context.visitor,
            now=context.now,
        )
        return HouseholdInvitationAccepted(email=email)

    @answered("End somebody's access to a dwelling, or an invitation, with immediate effect.")
    async def remove_household_member(self, info: Info, id: strawberry.ID) -> RemoveHouseholdMemberResult:  # noqa: A002 - the argument's name in the schema
        context = info.context
        number, viewer = number_of(id, "HouseholdMember"), await context.viewer()
        await remove_member(viewer, number, visitor=context.visitor, now=context.now)
        return HouseholdMemberRemoved(id=id)

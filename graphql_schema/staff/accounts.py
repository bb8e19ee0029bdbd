"""The accounts of the operator, and what each reaches (for the operator's staff).

In: filters. Out: a page of accounts; the homes and residences that they reach are the nouns of all. The one
rule: a look at an account is recorded, since it is a person's; what accounts of a page reach is read at once.
"""

from datetime import datetime

import strawberry
from strawberry.relay import PageInfo

from core.access import Role
from core.services.accounts.account_lists import AccountInList, AccountsAsked, list_accounts
from graphql_schema.base.context import Context, Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import (
    PAGE,
    Edge,
    checked_first,
    cursor,
    number_of_cursor,
    page_info,
)
from graphql_schema.base.relay import Node, global_id, number_of
from graphql_schema.base.views import shown
from graphql_schema.dwellings.dwellings import Dwelling, Residence
from graphql_schema.dwellings.overview import page_of
from graphql_schema.managers.residences import ResidenceConnection

_CURSOR, _RESIDENCE = "account", "residence-of-account"


@strawberry.input(description="Which accounts; a field that is left out does not narrow.")
class AccountFilterInput:
    role: Role | None = strawberry.field(default=None, description="The role of the account.")
    residence: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of a residence in which a resident has or had a dwelling, or that a manager "
        "manages.",
    )
    search: str | None = strawberry.field(
        default=None, description="Part of the name or the e-mail address, whatever its case."
    )


@strawberry.type(
    description="An account of the operator, as its staff see it. Each look is recorded in the access log."
)
class Account(Node):
    number: strawberry.Private[int]
    role: Role
    email: str
    first_name: str
    last_name: str
    created_at: datetime
    disabled_at: datetime | None = strawberry.field(
        description="When it was disabled; null if it can sign in."
    )
    invited: bool = strawberry.field(
        description="Whether its temporary password was not replaced by an own one yet."
    )
    second_factor: bool = strawberry.field(description="Whether signing in needs a second factor.")

    @classmethod
    def of(cls, view: AccountInList) -> "Account":
        return shown(cls, view, id=global_id("Account", view.id), number=view.id)

    @resolved(
        "The dwellings that a resident sees, or owns without living there, the latest first; empty for all "
        "other roles."
    )
    async def dwellings(self, info: Info) -> list[Dwelling]:
        reach = await info.context.loaders.reach_by_account.load(self.number)
        views = await info.context.loaders.dwellings.load_many([one.dwelling_id for one in reach.homes])
        return [Dwelling.of(view) for view in views]

    @resolved("The residences that a manager manages, by code; empty for all other roles.")
    async def residences(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> ResidenceConnection:
        reach = await info.context.loaders.reach_by_account.load(self.number)
        page = page_of(reach.residences, lambda one: (str(one.residence_id),), _RESIDENCE, first, after)
        views = await info.context.loaders.residences.load_many([one.residence_id for one in page.items])
        edges = [Edge(cursor=cursor(_RESIDENCE, view.id), node=Residence.of(view)) for view in views]
        return ResidenceConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )


@strawberry.type(description="A page of accounts by e-mail address. `totalCount`: the accounts on all pages.")
class AccountConnection:
    edges: list[Edge[Account]]
    page_info: PageInfo
    total_count: int


async def account_by_number(context: Context, number: int) -> Account | None:
    """One account of the viewer's operator."""
    asked = AccountsAsked(first=1, only_id=number)
    page = await list_accounts(await context.viewer(), asked, visitor=context.visitor, now=context.now)
    return next((Account.of(view) for view in page.items), None)


@strawberry.type
class StaffAccountQuery:
    @resolved(
        "The accounts of the operator, for its staff: residents, managers, staff and analysts. The look at "
        "each is recorded in the access log."
    )
    async def accounts(
        self,
        info: Info,
        filter: AccountFilterInput | None = None,  # noqa: A002 - the argument's name in the schema
        first: int = PAGE,
        after: str | None = None,
    ) -> AccountConnection:
        chosen, context = filter or AccountFilterInput(), info.context
        asked = AccountsAsked(
            first=checked_first(first),
            after=number_of_cursor(after, _CURSOR),
            role=chosen.role,
            residence_id=None
            if chosen.residence is None
            else number_of(chosen.residence, "Residence", field="residence"),
            search=chosen.search,
        )
        page = await list_accounts(await context.viewer(), asked, visitor=context.visitor, now=context.now)
        edges = [Edge(cursor=cursor(_CURSOR, view.id), node=Account.of(view)) for view in page.items]
        return AccountConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )

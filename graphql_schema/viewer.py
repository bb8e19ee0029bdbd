"""The viewer: the resident who is signed in, with the account and the dwellings."""

import strawberry

from core.services.places import my_dwellings
from core.services.sessions import AccountView
from graphql_schema.context import Info, language_of
from graphql_schema.dwellings import Dwelling
from graphql_schema.enums import Language
from graphql_schema.fields import resolved
from graphql_schema.relay import global_id


@strawberry.type(description="The resident who is asking.")
class Viewer:
    id: strawberry.ID
    email: str
    civility: str
    first_name: str
    last_name: str
    phone: str | None = strawberry.field(description="E.164: `+33639980012`.")
    language: Language

    @classmethod
    def of(cls, account: AccountView) -> "Viewer":
        return cls(
            id=global_id("Viewer", account.id),
            email=account.email,
            civility=account.civility,
            first_name=account.first_name,
            last_name=account.last_name,
            phone=account.phone_e164,
            language=language_of(account),
        )

    @resolved("The present ones first.")
    async def dwellings(self, info: Info) -> list[Dwelling]:
        return [Dwelling.of(view) for view in await my_dwellings(await info.context.viewer())]


@strawberry.type
class ViewerQuery:
    @resolved("Who is asking. Without a valid token: UNAUTHENTICATED.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(await info.context.account())

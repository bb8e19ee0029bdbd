"""`node(id)`: objects by their global id, for clients that refetch them.

In: a global id. Out: the object, by the service that narrows it to the viewer. The one rule: every type
that has the interface Node is in the table, and what is not the viewer's is NOT_FOUND, whether it exists or
not.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import strawberry

from core.errors import InvalidInput, NotFound
from core.services.accounts.access_tokens import my_tokens
from core.services.alerts.draw_questions import recurring_draw
from core.services.alerts.manager_alerts import alert_seen
from core.services.auth.sessions import my_sessions
from core.services.documents.seen import document_seen
from core.services.occupancy.dwelling_request_views import dwelling_request
from core.services.places.dwellings import dwelling_seen, residence_seen
from core.services.places.meters import meter_seen
from core.services.portfolio.publication import residence_document
from core.services.privacy.exports import my_exports
from core.services.privacy.grants import my_grants
from core.services.privacy.household import my_household
from core.services.telegrams.corrections import list_doubtful_readings
from graphql_schema.accounts.viewer import AccessToken, Session, Viewer
from graphql_schema.alerts.recurring_draws import RecurringDraw
from graphql_schema.base.context import Context, Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.relay import Node, parse_global_id
from graphql_schema.documents.documents import Document
from graphql_schema.dwellings.dwellings import Alert, Dwelling, Meter, Residence
from graphql_schema.dwellings.residences import ResidenceDocument
from graphql_schema.managers.dwelling_requests import DwellingRequest
from graphql_schema.meters.corrections import DoubtfulReading
from graphql_schema.privacy.grants import ThirdPartyGrant
from graphql_schema.privacy.household import HouseholdMember
from graphql_schema.privacy.own_data import DataExport
from graphql_schema.staff.accounts import account_by_number
from graphql_schema.staff.dead_letters import dead_letter_by_number
from graphql_schema.staff.outbox import message_by_number

Finder: TypeAlias = Callable[[Context, int], Awaitable[Node | None]]


async def _viewer(context: Context, number: int) -> Node | None:
    account = await context.account()
    return Viewer.of(account, await context.viewer()) if account.id == number else None


async def _session(context: Context, number: int) -> Node | None:
    views = await my_sessions(await context.viewer(), now=context.now)
    return next((Session.of(view) for view in views if view.id == number), None)


async def _access_token(context: Context, number: int) -> Node | None:
    views = await my_tokens(await context.viewer())
    return next((AccessToken.of(view) for view in views if view.id == number), None)


async def _data_export(context: Context, number: int) -> Node | None:
    views = await my_exports(await context.viewer(), now=context.now)
    return next((DataExport.of(view) for view in views if view.id == number), None)


async def _grant(context: Context, number: int) -> Node | None:
    views = await my_grants(await context.viewer())
    return next((ThirdPartyGrant.of(view) for view in views if view.id == number), None)


async def _member(context: Context, number: int) -> Node | None:
    views = await my_household(await context.viewer(), now=context.now)
    return next((HouseholdMember.of(view) for view in views if view.id == number), None)


async def _residence(context: Context, number: int) -> Node | None:
    return Residence.of(await residence_seen(await context.viewer(), number, now=context.now))


async def _document(context: Context, number: int) -> Node | None:
    view = await residence_document(context.application, await context.viewer(), number)
    return ResidenceDocument.of(view)


async def _resident_document(context: Context, number: int) -> Node | None:
    return Document.of(await document_seen(await context.viewer(), number, now=context.now))


async def _dwelling(context: Context, number: int) -> Node | None:
    return Dwelling.of(await dwelling_seen(await context.viewer(), number, now=context.now))


async def _dwelling_request(context: Context, number: int) -> Node | None:
    return DwellingRequest.of(await dwelling_request(await context.viewer(), number, now=context.now))


async def _meter(context: Context, number: int) -> Node | None:
    return Meter.of(await meter_seen(await context.viewer(), number))


async def _doubtful_reading(context: Context, number: int) -> Node | None:
    page = await list_doubtful_readings(await context.viewer(), only_id=number, limit=1)
    return next((DoubtfulReading.of(view) for view in page.items), None)


async def _alert(context: Context, number: int) -> Node | None:
    thresholds_of = context.application.registry.leak_thresholds
    return Alert.of(
        await alert_seen(await context.viewer(), number, thresholds_of=thresholds_of, now=context.now)
    )


async def _recurring_draw(context: Context, number: int) -> Node | None:
    view, dwelling_id = await recurring_draw(await context.viewer(), number)
    seen = await context.loaders.dwellings.load(dwelling_id)
    return RecurringDraw.of(view, seen.basis, dwelling_id)


FINDERS: Mapping[str, Finder] = {
    "AccessToken": _access_token,
    "Account": account_by_number,
    "Alert": _alert,
    "DeadLetter": dead_letter_by_number,
    "Document": _resident_document,
    "DoubtfulReading": _doubtful_reading,
    "Dwelling": _dwelling,
    "DwellingRequest": _dwelling_request,
    "Meter": _meter,
    "OutboxMessage": message_by_number,
    "RecurringDraw": _recurring_draw,
    "Residence": _residence,
    "ResidenceDocument": _document,
    "Session": _session,
    "DataExport": _data_export,
    "HouseholdMember": _member,
    "ThirdPartyGrant": _grant,
    "Viewer": _viewer,
}


@strawberry.type
class NodeQuery:
    @resolved("An object of the viewer by its global id, whatever its type.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:  # noqa: A002 - the argument's name in the schema
        await info.context.viewer()
        name, number = parse_global_id(id)
        if name not in FINDERS:
            raise InvalidInput(f"A {name} is not a node.", field="id")
        found = await FINDERS[name](info.context, number)
        if found is None:
            raise NotFound(f"No such {name}.", field="id")
        return found

"""Requests for a dwelling that a manager decides: found by what can be guessed, or contested (C-40, C-12).

In: a claim, of which the managers are notified; then a request and a decision. Out: an occupancy, or none;
an e-mail to the requester, and a record of the decision. The one rule: until it is decided the account sees
nothing; an occupancy is ended only by a decision that was made knowing of it; and its holder is notified
and keeps access to the own period (CN-10).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.access.acts import NOBODY
from core.bootstrap import Application
from core.errors import Conflict, NotFound
from core.models import (
    Account,
    Dwelling,
    DwellingRequest,
    DwellingRequestKind,
    DwellingRequestState,
    Occupancy,
)
from core.operators import OperatorProfile
from core.services.messaging.account_messages import AccountMessage, portal_link, queue_account_message
from core.services.occupancy.dwelling_request_views import (
    DwellingRequestView,
    in_the_way,
    kind_now,
    requests_of,
    view_of,
)
from core.services.occupancy.occupancies import Claim, admit, end, holders, today_at
from core.services.places.managed_residences import managers_of, place_of
from core.services.places.meter_directory import lock_dwellings
from core.services.shared.audit import Subject, record
from core.services.shared.transaction import transactional


async def open_dwelling_request(
    connection: TransactionalDBClient,
    application: Application,
    claim: Claim,
    profile: OperatorProfile,
    *,
    contested: bool,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Ask the managers of the residence to decide, by one e-mail to each of them.

    The requester is written to, and whoever has the dwelling: of a claim, not of its success alone.
    """
    dwelling_request = await DwellingRequest.create(
        dwelling_id=claim.dwelling_id,
        account_id=claim.account_id,
        kind=DwellingRequestKind.CONTESTED if contested else DwellingRequestKind.REVIEW,
        occupancy_kind=claim.kind,
        move_in=claim.move_in,
        attested_at=claim.attested_at,
        council_member=claim.council_member,
        manager_daily_data=claim.manager_daily_data,
        opened_at=now,
        using_db=connection,
    )
    await record(
        Act.DWELLING_CONTESTED,
        Subject("dwelling", claim.dwelling_id),
        None,
        visitor,
        now,
        connection,
        account=claim.account_id,
        contested=contested,
    )
    dwelling = await Dwelling.get(id=claim.dwelling_id, using_db=connection).select_related("residence")
    managers = await managers_of(connection, [dwelling.residence_id])
    where = {"place": place_of(dwelling), "residence": dwelling.residence.code}
    for manager in managers.get(dwelling.residence_id, ()):
        key = f"dwelling_request:{dwelling_request.id}:opened:{manager.id}"
        await _notify(
            connection, application, manager, profile, "dwelling_request_opened", key, now=now, **where
        )
    requester = await Account.get(id=claim.account_id, using_db=connection)
    received = f"dwelling_request:{dwelling_request.id}:received"
    await _notify(
        connection, application, requester, profile, "dwelling_request_received", received, now=now, **where
    )
    dwelling_request.dwelling = dwelling
    await _tell_holders(
        connection, application, dwelling_request, profile, "dwelling_claimed", now=now, **where
    )


async def _tell_holders(
    connection: TransactionalDBClient,
    application: Application,
    dwelling_request: DwellingRequest,
    profile: OperatorProfile | None,
    template: str,
    *,
    now: datetime,
    **where: str,
) -> None:
    """Write to whoever lives in a dwelling that somebody else claims; without the other's name."""
    held = await holders([dwelling_request.dwelling_id], connection=connection)
    for row in in_the_way(dwelling_request, held, now):
        assert row.account is not None
        key = f"dwelling_request:{dwelling_request.id}:{template}:{row.account_id}"
        day = dwelling_request.move_in.isoformat()
        await _notify(connection, application, row.account, profile, template, key, now=now, day=day, **where)


async def withdraw_reviews(
    connection: TransactionalDBClient, account_id: int, *, visitor: Visitor, now: datetime
) -> None:
    """Withdraw a request made on a guessable claim: the requester has proved the dwelling since."""
    waiting = DwellingRequest.filter(
        account_id=account_id, kind=DwellingRequestKind.REVIEW, state=DwellingRequestState.OPEN
    )
    for dwelling_request in await waiting.using_db(connection):
        await dwelling_request.delete(using_db=connection)
        await record(
            Act.DWELLING_REQUEST_WITHDRAWN,
            Subject("dwelling", dwelling_request.dwelling_id),
            None,
            visitor,
            now,
            connection,
            dwelling_request=dwelling_request.id,
            account=account_id,
        )


@transactional
async def decide(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    request_id: int,
    *,
    approved: bool,
    contested: bool | None = None,
    visitor: Visitor = NOBODY,
    now: datetime,
) -> DwellingRequestView:
    """Approve or refuse a request; the requester is notified either way.

    `contested` is what the request showed when it was decided; None: what it showed when it was opened.

    Raises:
        NotFound: no such request, or not of the manager's residences.
        Conflict: it was decided before; or (field `contested`) somebody else has the dwelling, and the
            request did not show that.
    """
    viewer.require(Permission.DWELLING_REQUESTS_DECIDE)
    query = (
        requests_of(viewer).using_db(connection).select_related("account", "dwelling__residence__operator")
    )
    dwelling_request = await query.get_or_none(id=request_id)
    if dwelling_request is None:
        raise NotFound("No such request.", field="request")
    await lock_dwellings(connection, [dwelling_request.dwelling_id])
    present = in_the_way(
        dwelling_request, await holders([dwelling_request.dwelling_id], connection=connection), now
    )
    known = dwelling_request.kind is DwellingRequestKind.CONTESTED if contested is None else contested
    dwelling_request.state = DwellingRequestState.APPROVED if approved else DwellingRequestState.REFUSED
    dwelling_request.kind = kind_now(present)
    still_open = DwellingRequest.filter(id=request_id, state=DwellingRequestState.OPEN).using_db(connection)
    if not await still_open.update(state=dwelling_request.state, kind=dwelling_request.kind, decided_at=now):
        raise Conflict("This request was decided before.", field="request")
    if approved and present and not known:
        raise Conflict(
            "Somebody else has this dwelling now: approve it as contested to end that occupancy.",
            field="contested",
        )
    profile = application.registry.profile(dwelling_request.dwelling.residence.operator.code)
    if approved:
        await _make_room(
            connection, application, viewer, dwelling_request, present, profile, visitor=visitor, now=now
        )
        claim = Claim(
            dwelling_id=dwelling_request.dwelling_id,
            account_id=dwelling_request.account_id,
            kind=dwelling_request.occupancy_kind,
            move_in=dwelling_request.move_in,
            attested_at=dwelling_request.attested_at,
            council_member=dwelling_request.council_member,
            manager_daily_data=dwelling_request.manager_daily_data,
        )
        version = profile.consent_version if profile else ""
        await admit(connection, claim, consent_version=version, visitor=visitor, now=now)
    else:
        dwelling = dwelling_request.dwelling
        where = {"place": place_of(dwelling), "residence": dwelling.residence.code}
        await _tell_holders(
            connection, application, dwelling_request, profile, "dwelling_claim_refused", now=now, **where
        )
    template = "dwelling_request_approved" if approved else "dwelling_request_refused"
    await _notify(
        connection,
        application,
        dwelling_request.account,
        profile,
        template,
        f"dwelling_request:{dwelling_request.id}",
        now=now,
    )
    await record(
        Act.DWELLING_REQUEST_DECIDED,
        Subject("dwelling", dwelling_request.dwelling_id),
        viewer,
        visitor,
        now,
        connection,
        dwelling_request=dwelling_request.id,
        account=dwelling_request.account_id,
        approved=approved,
        contested=bool(present),
    )
    return view_of(dwelling_request)


async def _make_room(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    dwelling_request: DwellingRequest,
    present: Sequence[Occupancy],
    profile: OperatorProfile | None,
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    """End the present occupancy, on the day before the new one.

    Where the new one is declared to have begun before it, it ends today: days of one occupant are never
    given to another. An occupancy that has ended already is left as it is.
    """
    today = await today_at(dwelling_request.dwelling_id, now=now)
    for row in present:
        leaves = dwelling_request.move_in if dwelling_request.move_in > row.move_in else today
        await end(connection, row, application.registry, last_day=leaves - timedelta(days=1), today=today)
        await record(
            Act.OCCUPANCY_ENDED,
            Subject("dwelling", dwelling_request.dwelling_id),
            viewer,
            visitor,
            now,
            connection,
            dwelling_request=dwelling_request.id,
            account=row.account_id,
        )
        if row.account is not None and row.access_until is not None:
            await _notify(
                connection,
                application,
                row.account,
                profile,
                "occupancy_ended",
                f"dwelling_request:{dwelling_request.id}:{row.id}",
                until=row.access_until.isoformat(),
                now=now,
            )


async def _notify(
    connection: TransactionalDBClient,
    application: Application,
    account: Account,
    profile: OperatorProfile | None,
    template: str,
    key: str,
    *,
    now: datetime,
    **values: str,
) -> None:
    account_message = AccountMessage.to(
        account,
        template,
        key=key,
        values={
            "portal": profile.portal_name if profile else "Submeter",
            "operator": profile.name if profile else "",
            "link": await portal_link(connection, application, account),
            **values,
        },
    )
    await queue_account_message(connection, application.settings, account_message, now=now)

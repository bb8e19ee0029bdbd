"""Lets a provider read consumption on the resident's behalf, and ends it (EED-07).

In: a resident, and whom to let read what. Out: a token, readable once, which is passed on to the provider.
The one rule: a grant is of one dwelling's fluids, as fine as it says, for days that lie in the own
occupancy, for a year at most; it is ended at once by the resident, and by the end of the occupancy. What it
covers is not changed: another scope is another grant. That it was agreed to is kept (`account_consent`),
and each look of the provider (`access_log`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.access.codes import make_token, token_hash
from core.access.purposes import AccountPurpose
from core.bootstrap import Application
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.consumption.resolutions import Resolution
from core.errors import Conflict, InvalidInput, NotFound
from core.models import Account, ThirdPartyGrant
from core.sanitize import escape_for_database
from core.services.auth.account_consents import record_account_consent
from core.services.auth.grant_tokens import GRANT_PREFIX
from core.services.messaging.account_messages import AccountMessage, portal_link, queue_account_message
from core.services.shared.audit import Subject, record
from core.services.shared.scope import home_at
from core.services.shared.transaction import transactional

LONGEST: Final = timedelta(days=365)
MOST_GRANTS: Final = 10
LONGEST_PROVIDER: Final = 80
LONGEST_CONTACT: Final = 254
GRANTED: Final = frozenset({Resolution.MONTHLY, Resolution.DAILY, Resolution.HOURLY})


@dataclass(frozen=True, slots=True)
class GrantAsked:
    """Whom to let read what; without `first` from the first day of the occupancy on."""

    provider: str
    contact: str
    fluids: Iterable[Fluid]
    resolution: Resolution
    last: date
    first: date | None = None


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant as the resident sees it; `last_used_at` is exact to five minutes."""

    id: int
    dwelling_id: int
    provider: str
    contact: str
    fluids: tuple[Fluid, ...]
    resolution: Resolution
    first_day: date
    last_day: date
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedGrant:
    """A new grant; its token is readable here and never again."""

    token: str = field(repr=False)
    view: GrantView


async def my_grants(viewer: Viewer) -> list[GrantView]:
    """All grants of the viewer, those that were revoked or are over too, the newest first."""
    viewer.require(Permission.GRANTS_WRITE)
    rows = await ThirdPartyGrant.filter(account_id=viewer.account_id).order_by("-id")
    return [_view(row) for row in rows]


@transactional
async def issue_grant(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    dwelling_id: int,
    asked: GrantAsked,
    *,
    visitor: Visitor,
    now: datetime,
) -> IssuedGrant:
    """Let a provider read.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
        InvalidInput: a text, a fluid or a day is not possible.
        Conflict: there are ten grants already, or the occupancy is over.
    """
    viewer.require(Permission.GRANTS_WRITE)
    assert viewer.account_id is not None
    home = await home_at(viewer, dwelling_id)
    today = civil_day(now, home.place["time_zone"])
    if home.period.over_on(today):
        raise Conflict("The occupancy is over.")
    provider = _text(asked.provider, "provider", LONGEST_PROVIDER)
    contact = _text(asked.contact, "contact", LONGEST_CONTACT)
    fluids = [fluid for fluid in Fluid if fluid in set(asked.fluids)]
    if not fluids:
        raise InvalidInput("must name a fluid", field="fluids")
    if asked.resolution not in GRANTED:
        raise InvalidInput("must be MONTHLY, DAILY or HOURLY", field="resolution")
    first = max(asked.first or home.period.first_day, home.period.first_day)
    if not today <= asked.last <= today + LONGEST:
        raise InvalidInput(f"must be today or later, at most {LONGEST.days} days ahead", field="until")
    if first > asked.last:
        raise InvalidInput("begins after it ends", field="from")
    account = await Account.filter(id=viewer.account_id).using_db(connection).select_for_update().get()
    mine = ThirdPartyGrant.filter(account_id=account.id, revoked_at=None, last_day__gte=today)
    if await mine.using_db(connection).count() >= MOST_GRANTS:
        raise Conflict(f"There are {MOST_GRANTS} grants already: revoke one first.")
    token = make_token(GRANT_PREFIX)
    row = await ThirdPartyGrant.create(
        account_id=account.id,
        dwelling_id=dwelling_id,
        provider=provider,
        contact=contact,
        fluids=[fluid.value for fluid in fluids],
        resolution=asked.resolution,
        first_day=first,
        last_day=asked.last,
        token_hash=token_hash(token),
        created_at=now,
        using_db=connection,
    )
    await _agreed(connection, row, granted=True, now=now)
    values = {
        "provider": provider,
        "until": asked.last.isoformat(),
        "link": await portal_link(connection, application, account),
    }
    message = AccountMessage.to(account, "grant_issued", key=f"grant_issued:{row.id}", values=values)
    await queue_account_message(connection, application.settings, message, now=now)
    subject = Subject("third_party_grant", row.id)
    resolution = asked.resolution.value
    await record(Act.GRANT_ISSUED, subject, viewer, visitor, now, connection, resolution=resolution)
    return IssuedGrant(token, _view(row))


@transactional
async def revoke_grant(
    connection: TransactionalDBClient, viewer: Viewer, grant_id: int, *, visitor: Visitor, now: datetime
) -> GrantView:
    """End a grant: its token is unknown from the next request on.

    Raises:
        NotFound: there is no such grant that lasts, or it is another's.
    """
    viewer.require(Permission.GRANTS_WRITE)
    mine = ThirdPartyGrant.filter(id=grant_id, account_id=viewer.account_id, revoked_at=None)
    row = await mine.using_db(connection).get_or_none()
    if row is None:
        raise NotFound("No such grant.", field="id")
    row.revoked_at = now
    await row.save(using_db=connection, update_fields=["revoked_at"])
    await _agreed(connection, row, granted=False, now=now)
    await record(Act.GRANT_REVOKED, Subject("third_party_grant", row.id), viewer, visitor, now, connection)
    return _view(row)


async def _agreed(
    connection: TransactionalDBClient, row: ThirdPartyGrant, *, granted: bool, now: datetime
) -> None:
    purpose = AccountPurpose.THIRD_PARTY
    await record_account_consent(connection, row.account_id, purpose, granted=granted, now=now, grant=row.id)


def _text(text: str, name: str, longest: int) -> str:
    kept = escape_for_database(" ".join(text.split()))
    if not 0 < len(kept) <= longest:
        raise InvalidInput(f"must have 1 to {longest} characters", field=name)
    return kept


def _view(row: ThirdPartyGrant) -> GrantView:
    return GrantView(
        id=row.id,
        dwelling_id=row.dwelling_id,
        provider=row.provider,
        contact=row.contact,
        fluids=tuple(Fluid(fluid) for fluid in row.fluids),
        resolution=row.resolution,
        first_day=row.first_day,
        last_day=row.last_day,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )

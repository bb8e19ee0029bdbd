"""The household: people whom the holder of a dwelling's account lets look (one account a dwelling, R-140,
occupancies).

In: the holder, and an e-mail address; then the address's owner, with the link. Out: an account of its own
that reads. The one rule: a member sees what the holder sees of the present occupancy, changes nothing and
takes nothing away; the holder ends it at once, and the end of the occupancy does too
(`core.services.shared.guests`). The holder never learns whether an address has an account: whoever opens
the link learns it (C-13).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Role, Viewer, Visitor
from core.access.codes import make_token, token_hash
from core.access.emails import email_key
from core.access.passwords import OwnData, check_password, failed
from core.access.refusals import CodeExpired, PasswordMismatch, PasswordTooWeak, PasswordWrong
from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.errors import Conflict, InvalidInput, NotFound
from core.models import Account, Channel, HouseholdMember, Operator
from core.registration.machine import checked_email
from core.registration.refusals import RegistrationRefused
from core.sanitize import escape_for_database
from core.services.accounts.password_change import DEFAULT_POLICY, NewPassword
from core.services.auth.passwords import fits, hash_in_thread, judged
from core.services.auth.rate_limits import RateLimit, RateLimiter, network_of
from core.services.auth.sessions import end_sessions
from core.services.messaging.account_messages import AccountMessage, portal_link, queue_account_message
from core.services.shared.audit import Subject, record
from core.services.shared.scope import home_at
from core.services.shared.transaction import transactional

INVITATION_FOR: Final = timedelta(days=7)
MOST_MEMBERS: Final = 5
LONGEST_NAME: Final = 80
INVITATION_PREFIX: Final = "smh_"
INVITATIONS: Final = RateLimit("household invitations by account", 10, timedelta(days=1))
ACCEPTANCES: Final = RateLimit("household invitations accepted by address", 20, timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class MemberView:
    """Somebody of the household; who has not accepted yet has no `accepted_at`."""

    id: int
    dwelling_id: int
    name: str
    email: str
    invited_at: datetime
    expires_at: datetime
    accepted_at: datetime | None


async def my_household(viewer: Viewer, *, now: datetime) -> list[MemberView]:
    """Whom the viewer lets look, and the invitations that are still open, the oldest first."""
    viewer.require(Permission.HOUSEHOLD_WRITE)
    rows = await HouseholdMember.filter(holder_id=viewer.account_id, revoked_at=None).order_by("id")
    return [_view(row) for row in rows if _counts(row, now)]


async def invite_member(
    application: Application,
    viewer: Viewer,
    dwelling_id: int,
    *,
    email: str,
    name: str,
    visitor: Visitor,
    now: datetime,
) -> MemberView:
    """Send an invitation by e-mail; another one to the same address takes the place of the first.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
        InvalidInput: no e-mail address, the viewer's own, or no name.
        Conflict: five were invited, or the occupancy is over.
        RateLimited: too many invitations within a day.
    """
    viewer.require(Permission.HOUSEHOLD_WRITE)
    kept = escape_for_database(" ".join(name.split()))
    if not 0 < len(kept) <= LONGEST_NAME:
        raise InvalidInput(f"must have 1 to {LONGEST_NAME} characters", field="name")
    try:
        address = checked_email(email)
    except RegistrationRefused as failure:
        raise InvalidInput("is no e-mail address", field="email") from failure
    home = await home_at(viewer, dwelling_id)
    if home.period.over_on(civil_day(now, home.place["time_zone"])):
        raise Conflict("The occupancy is over.")
    await RateLimiter.of(application).hit((INVITATIONS, str(viewer.account_id)), now=now)
    return await _invite(application, viewer, dwelling_id, address, kept, visitor=visitor, now=now)


@transactional
async def _invite(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    dwelling_id: int,
    email: str,
    name: str,
    *,
    visitor: Visitor,
    now: datetime,
) -> MemberView:
    holder = await Account.filter(id=viewer.account_id).using_db(connection).select_for_update().get()
    key = email_key(email)
    if key == holder.email_key:
        raise InvalidInput("is your own address", field="email")
    known = await HouseholdMember.filter(holder_id=holder.id, revoked_at=None).using_db(connection)
    here = [row for row in known if row.dwelling_id == dwelling_id and _counts(row, now)]
    if any(row.email_key == key and row.accepted_at is not None for row in here):
        raise Conflict("This person has accepted already.")
    again = [row.id for row in here if row.email_key == key]
    if len(here) - len(again) >= MOST_MEMBERS:
        raise Conflict(f"There are {MOST_MEMBERS} already: end one first.")
    await HouseholdMember.filter(id__in=again).using_db(connection).update(revoked_at=now)
    token = make_token(INVITATION_PREFIX)
    row = await HouseholdMember.create(
        dwelling_id=dwelling_id,
        holder_id=holder.id,
        name=name,
        email=email,
        email_key=key,
        token_hash=token_hash(token),
        invited_at=now,
        expires_at=now + INVITATION_FOR,
        using_db=connection,
    )
    profile = application.registry.profile(
        (await Operator.get(id=holder.operator_id, using_db=connection)).code
    )
    page = await portal_link(connection, application, holder, "/household-invitation")
    message = AccountMessage(
        key=f"household_invited:{row.id}",
        channel=Channel.EMAIL,
        template="household_invited",
        language=holder.language,
        recipient=email,
        values={
            "portal": profile.portal_name if profile else "Submeter",
            "holder": f"{holder.first_name} {holder.last_name}".strip(),
        },
        secrets={"link": f"{page}#{token}"},
        expires_at=row.expires_at,
    )
    await queue_account_message(connection, application.settings, message, now=now)
    await record(Act.HOUSEHOLD_INVITED, Subject("dwelling", dwelling_id), viewer, visitor, now, connection)
    return _view(row)


async def accept_invitation(
    application: Application, token: str, new: NewPassword, *, visitor: Visitor, now: datetime
) -> str:
    """Accept with a password of one's own; returns the address to sign in with.

    Somebody of another household types the password that the account has.

    Raises:
        CodeExpired: no such invitation, or it was ended, accepted, or is too old.
        PasswordMismatch, PasswordTooWeak, PasswordWrong: the password is not acceptable.
        Conflict: the address has an account of another kind.
        RateLimited: too many were tried from this address.
    """
    await RateLimiter.of(application).hit((ACCEPTANCES, network_of(visitor)), now=now)
    row = await HouseholdMember.get_or_none(
        token_hash=token_hash(token), revoked_at=None, accepted_at=None, expires_at__gt=now
    ).select_related("holder__operator")
    if row is None:
        raise CodeExpired
    known = await Account.get_or_none(email_key=row.email_key)
    if known is not None:
        if known.role is not Role.HOUSEHOLD_MEMBER or known.disabled_at is not None:
            raise Conflict("This address has an account of another kind: ask for another address.")
        if not await fits(new.password, known.password_hash):
            raise PasswordWrong
        return await _join(application, row.id, known, visitor=visitor, now=now)
    if new.password != new.confirmation:
        raise PasswordMismatch
    profile = application.registry.profile(row.holder.operator.code)
    policy = profile.password_policy if profile else DEFAULT_POLICY
    own = OwnData.of(row.email, row.name, None, None)
    criteria = await judged(partial(check_password, policy, new.password, own))
    if failed(criteria):
        raise PasswordTooWeak(criteria)
    account = Account(
        operator_id=row.holder.operator_id,
        email=row.email,
        email_key=row.email_key,
        password_hash=await hash_in_thread(new.password),
        password_changed_at=now,
        first_name="",
        last_name=row.name,
        language=row.holder.language,
        role=Role.HOUSEHOLD_MEMBER,
        created_at=now,
    )
    return await _join(application, row.id, account, visitor=visitor, now=now)


@transactional
async def _join(
    connection: TransactionalDBClient,
    application: Application,
    member_id: int,
    account: Account,
    *,
    visitor: Visitor,
    now: datetime,
) -> str:
    await account.save(using_db=connection)
    open_still = HouseholdMember.filter(id=member_id, accepted_at=None, revoked_at=None)
    if not await open_still.using_db(connection).update(accepted_at=now, member_id=account.id):
        raise CodeExpired
    row = await HouseholdMember.get(id=member_id, using_db=connection).select_related("holder")
    values = {"name": row.name, "link": await portal_link(connection, application, row.holder)}
    message = AccountMessage.to(
        row.holder, "household_joined", key=f"household_joined:{row.id}", values=values
    )
    await queue_account_message(connection, application.settings, message, now=now)
    subject = Subject("dwelling", row.dwelling_id)
    await record(Act.HOUSEHOLD_JOINED, subject, None, visitor, now, connection, member=account.id)
    return account.email


@transactional
async def remove_member(
    connection: TransactionalDBClient, viewer: Viewer, member_id: int, *, visitor: Visitor, now: datetime
) -> None:
    """End somebody's access, or an invitation: from the next request on; open sessions end.

    Raises:
        NotFound: there is none of the viewer's.
    """
    viewer.require(Permission.HOUSEHOLD_WRITE)
    mine = HouseholdMember.filter(id=member_id, holder_id=viewer.account_id, revoked_at=None)
    row = await mine.using_db(connection).get_or_none()
    if row is None:
        raise NotFound("No such member.", field="id")
    row.revoked_at = now
    await row.save(using_db=connection, update_fields=["revoked_at"])
    if row.member_id is not None:
        others = HouseholdMember.filter(member_id=row.member_id, revoked_at=None).using_db(connection)
        if not await others.exists():
            await end_sessions(connection, row.member_id, now=now)
    subject = Subject("dwelling", row.dwelling_id)
    await record(Act.HOUSEHOLD_REVOKED, subject, viewer, visitor, now, connection, member=row.member_id)


def _counts(row: HouseholdMember, now: datetime) -> bool:
    return row.accepted_at is not None or row.expires_at > now


def _view(row: HouseholdMember) -> MemberView:
    return MemberView(
        id=row.id,
        dwelling_id=row.dwelling_id,
        name=row.name,
        email=row.email,
        invited_at=row.invited_at,
        expires_at=row.expires_at,
        accepted_at=row.accepted_at,
    )

"""A manager invites residents to register: an e-mail with a link to each (R-018, R-040).

In: dwellings and e-mail addresses. Out: e-mails in the outbox. The one rule: an invitation proves nothing
and opens nothing. Whoever registers proves the dwelling by a serial number as everybody does; and whether
an address has an account already is not disclosed (C-13), since nobody looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.access.emails import email_key
from core.bootstrap import Application
from core.errors import Conflict, InvalidInput
from core.language import Language
from core.models import Channel, Dwelling
from core.registration.machine import checked_email
from core.registration.refusals import RegistrationRefused
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.services.managers.homes import home_in_charge
from core.services.managers.senders import sender_of
from core.services.messaging.account_messages import AccountMessage, notice_key, queue_account_message
from core.services.places.managed_residences import place_of
from core.services.shared.audit import Subject, record
from core.services.shared.transaction import transactional

MOST_AT_ONCE: Final = 100
INVITATIONS_BY_ACCOUNT: Final = RateLimit("invitations by account", 2_000, timedelta(days=1))
INVITATIONS_TO_EMAIL: Final = RateLimit("invitations to an e-mail address", 3, timedelta(days=1))
"""Counted over all accounts: the mailbox may be somebody else's."""
_EXPIRE_AFTER: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who is invited to register for which dwelling, in which language."""

    dwelling_id: int
    email: str
    language: Language = Language.FR


async def invite_residents(
    application: Application,
    viewer: Viewer,
    invitations: Sequence[Invitation],
    *,
    visitor: Visitor,
    now: datetime,
) -> int:
    """Send an e-mail for each invitation, or none at all; returns how many.

    Raises:
        NotFound: no such dwelling, or not one that the viewer manages.
        InvalidInput: none, too many, or something that is no e-mail address; the field names which.
        Conflict: residents of a dwelling's residence cannot register yet.
        RateLimited: too many in a day, or to one address.
    """
    viewer.require(Permission.RESIDENTS_INVITE)
    if not 0 < len(invitations) <= MOST_AT_ONCE:
        raise InvalidInput(f"has 1 to {MOST_AT_ONCE} invitations", field="invitations")
    addresses = [_checked(one.email, place) for place, one in enumerate(invitations)]
    homes = [await _open_home(application, viewer, one.dwelling_id, now) for one in invitations]
    limiter = RateLimiter.of(application)
    for address in addresses:
        await limiter.hit(
            (INVITATIONS_BY_ACCOUNT, str(viewer.account_id)),
            (INVITATIONS_TO_EMAIL, email_key(address)),
            now=now,
        )
    asked = [
        (home, address, one.language)
        for home, address, one in zip(homes, addresses, invitations, strict=True)
    ]
    await _queue(application, viewer, asked, visitor=visitor, now=now)
    return len(asked)


def _checked(email: str, place: int) -> str:
    try:
        return checked_email(email)
    except RegistrationRefused:
        raise InvalidInput("is no e-mail address", field=f"invitations.{place}.email") from None


async def _open_home(application: Application, viewer: Viewer, dwelling_id: int, now: datetime) -> Dwelling:
    """A dwelling whose residents may register (C-11)."""
    dwelling = await home_in_charge(viewer, dwelling_id)
    residence = dwelling.residence
    published = residence.published_at is not None and residence.published_at <= now
    if not (published and residence.resident_portal_option and residence.remote_reading):
        raise Conflict("The residents of this residence cannot register yet.", field="dwelling")
    if application.registry.profile(residence.operator.code) is None:
        raise Conflict("The residents of this operator cannot register.", field="dwelling")
    return dwelling


@transactional
async def _queue(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    asked: Sequence[tuple[Dwelling, str, Language]],
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    for dwelling, address, language in asked:
        residence = dwelling.residence
        sender = sender_of(application, residence)
        message = AccountMessage(
            key=notice_key("resident_invited", dwelling.id),
            channel=Channel.EMAIL,
            template="resident_invited",
            language=language.value,
            recipient=address,
            values={
                "portal": sender.portal_name,
                "place": place_of(dwelling),
                "residence": residence.name,
                "code": residence.code,
                "link": sender.link,
            },
            expires_at=now + _EXPIRE_AFTER,
        )
        await queue_account_message(connection, application.settings, message, now=now)
        await record(Act.RESIDENT_INVITED, Subject("dwelling", dwelling.id), viewer, visitor, now, connection)

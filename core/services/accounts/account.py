"""The owner's own page: contact data, language, which notifications, terms (R-097 to R-105, R-118).

In: what the owner changed. Out: nothing; the account is changed. The one rule: an SMS goes only to a mobile
that was confirmed by a code. So a number that is changed is not confirmed: SMS alerts that are on pause
until it is. None is switched on without a confirmed number, and none remains on without a mobile (C-19,
R-101).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.access.purposes import AccountPurpose
from core.access.refusals import PhoneInvalid, PhoneRequiredForSms
from core.bootstrap import Application
from core.errors import InvalidInput
from core.language import Language
from core.models import Account, Channel
from core.registration.phones import is_mobile, to_e164
from core.sanitize import escape_for_database
from core.services.auth.account_consents import record_account_consent
from core.services.auth.sessions import terms_in_force
from core.services.shared.audit import record_own
from core.services.shared.transaction import transactional

LONGEST_NAME = 80
LONGEST_CIVILITY = 16


class NotificationTopic(StrEnum):
    """What residents choose to be notified of, each by e-mail and by SMS (R-104, R-105, R-197, C-32)."""

    LEAK = "LEAK"
    OVER_CONSUMPTION = "OVER_CONSUMPTION"
    NEW_DOCUMENT = "NEW_DOCUMENT"


@dataclass(frozen=True, slots=True)
class NotificationChoice:
    """The channels that are on for one topic; `sms_paused`: SMS are on, and wait for the number to be
    confirmed.
    """

    topic: NotificationTopic
    by_email: bool
    by_sms: bool
    sms_paused: bool


@dataclass(frozen=True, slots=True)
class Contact:
    """What the owner may change; None leaves a part as it is, a blank phone number clears it."""

    civility: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    language: Language | None = None


@transactional
async def change_contact(
    connection: TransactionalDBClient, viewer: Viewer, contact: Contact, *, visitor: Visitor, now: datetime
) -> None:
    """Store the changed contact data (R-102, R-111).

    Raises:
        InvalidInput: a name is blank or too long.
        PhoneInvalid: no valid number.
        PhoneRequiredForSms: while alerts by SMS are on, the number is cleared or replaced by a fixed line.
    """
    viewer.require(Permission.ACCOUNT_WRITE)
    account = await _mine(connection, viewer)
    changed = []
    for name, text, longest in (
        ("civility", contact.civility, LONGEST_CIVILITY),
        ("first_name", contact.first_name, LONGEST_NAME),
        ("last_name", contact.last_name, LONGEST_NAME),
    ):
        if text is not None and _name(text, name, longest) != getattr(account, name):
            setattr(account, name, _name(text, name, longest))
            changed.append(name)
    if contact.language is not None and contact.language != account.language:
        account.language = contact.language.value
        changed.append("language")
    if contact.phone is not None and _change_phone(account, contact.phone):
        changed.append("phone")
    if not changed:
        return
    await account.save(using_db=connection)
    await record_own(Act.CONTACT_CHANGED, viewer, visitor, now, connection, fields=", ".join(changed))


async def notification_choices(viewer: Viewer) -> list[NotificationChoice]:
    """What the viewer chose, topic by topic; everything is off by default (R-015, C-16)."""
    viewer.require(Permission.ACCOUNT_READ)
    account = await Account.get(id=viewer.account_id)
    return [
        NotificationChoice(
            topic,
            by_email=getattr(account, _column(topic, Channel.EMAIL)),
            by_sms=getattr(account, _column(topic, Channel.SMS)),
            sms_paused=getattr(account, _column(topic, Channel.SMS)) and account.phone_confirmed_at is None,
        )
        for topic in NotificationTopic
    ]


@transactional
async def choose_notification(
    connection: TransactionalDBClient,
    viewer: Viewer,
    topic: NotificationTopic,
    *,
    by_email: bool | None = None,
    by_sms: bool | None = None,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Switch a topic's channels on or off, at any time (R-118); None leaves one as it is.

    Raises:
        PhoneRequiredForSms: by SMS, and no mobile is confirmed.
    """
    viewer.require(Permission.ACCOUNT_WRITE)
    account = await _mine(connection, viewer)
    is_on = getattr(account, _column(topic, Channel.SMS))
    if by_sms and not is_on and account.phone_confirmed_at is None:
        raise PhoneRequiredForSms
    for channel, wish in ((Channel.EMAIL, by_email), (Channel.SMS, by_sms)):
        if wish is not None:
            setattr(account, _column(topic, channel), wish)
            purpose = AccountPurpose(f"{topic.value}_{channel.value}")
            await record_account_consent(connection, account.id, purpose, granted=wish, now=now)
    await account.save(using_db=connection)
    await record_own(
        Act.NOTIFICATIONS_CHANGED,
        viewer,
        visitor,
        now,
        connection,
        topic=topic.value,
        by_email=by_email,
        by_sms=by_sms,
    )


@transactional
async def choose_newsletter(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    *,
    wished: bool,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Subscribe to the operator's newsletter, or unsubscribe as easily (GDPR Art. 7(3), NL-01).

    Raises:
        InvalidInput: a subscription is wished, and the operator has no newsletter.
    """
    viewer.require(Permission.ACCOUNT_WRITE)
    account = await _mine(connection, viewer)
    profile = application.registry.profile(account.operator.code)
    if wished and (profile is None or not profile.newsletter):
        raise InvalidInput("The operator has no newsletter.", field="wished")
    if wished == (account.newsletter_since is not None):
        return
    account.newsletter_since = now if wished else None
    newsletter = AccountPurpose.NEWSLETTER
    await record_account_consent(connection, account.id, newsletter, granted=wished, now=now)
    await account.save(using_db=connection)
    await record_own(
        Act.NOTIFICATIONS_CHANGED, viewer, visitor, now, connection, topic="NEWSLETTER", by_email=wished
    )


@transactional
async def accept_terms(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    version: str,
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Accept the terms in force (R-062). A new version must be accepted before anything is shown (C-38).

    Raises:
        InvalidInput: the version in force is not the one that was read.
    """
    viewer.require(Permission.TERMS_ACCEPT)
    account = await _mine(connection, viewer)
    if version != terms_in_force(application, account):
        raise InvalidInput("This is not the version in force: read the present one.", field="version")
    account.terms_version, account.terms_accepted_at = version, now
    await account.save(using_db=connection)
    await record_own(Act.TERMS_ACCEPTED, viewer, visitor, now, connection, version=version)


async def _mine(connection: TransactionalDBClient, viewer: Viewer) -> Account:
    mine = Account.filter(id=viewer.account_id).using_db(connection).select_for_update(of=("account",))
    return await mine.get().select_related("operator")


def _change_phone(account: Account, typed: str) -> bool:
    """Whether the number has changed; if so, it is no longer confirmed, and SMS pause until it is."""
    number = to_e164(typed) if typed.strip() else None
    if typed.strip() and number is None:
        raise PhoneInvalid
    if number == account.phone_e164:
        return False
    by_sms = any(getattr(account, _column(topic, Channel.SMS)) for topic in NotificationTopic)
    if by_sms and (number is None or not is_mobile(number)):
        raise PhoneRequiredForSms
    account.phone_e164, account.phone_confirmed_at = number, None
    return True


def _name(text: str, field: str, longest: int) -> str:
    kept = escape_for_database(" ".join(text.split()))
    if (not kept and field != "civility") or len(kept) > longest:
        raise InvalidInput(f"must have 1 to {longest} characters", field=_camel(field))
    return kept


def _column(topic: NotificationTopic, channel: Channel) -> str:
    return f"{topic.value.lower()}_by_{channel.value.lower()}"


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)

"""Makes the account of a registration whose mailbox is proved, and its occupancy or a request to a manager.

In: a draft, in the transaction of its last step. Out: the account's number, or a refusal. The one rule: the
one-account rules apply here (R-139, R-140, C-12), under the locks of the dwelling and of the account that
the address has, so that of two concurrent registrations one gets the dwelling, and an address has one
account.
"""

from dataclasses import dataclass
from datetime import date, datetime

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.exceptions import IntegrityError

from core.access import Act, Role, Visitor
from core.access.emails import email_key
from core.access.purposes import AccountPurpose
from core.bootstrap import Application
from core.models import (
    AccessToken,
    Account,
    OccupancyKind,
    Operator,
    Session,
)
from core.operators import OperatorProfile
from core.registration.draft import Draft
from core.registration.machine import needs_review
from core.registration.refusals import RefusalCode, refused
from core.services.auth.account_consents import record_account_consent
from core.services.auth.one_time_codes import void_reset_tokens
from core.services.occupancy.dwelling_requests import open_dwelling_request, withdraw_reviews
from core.services.occupancy.occupancies import Claim, admit, holds_a_dwelling, is_taken
from core.services.places.meter_directory import lock_dwellings
from core.services.shared.audit import Subject, record

_NOBODY = 0


@dataclass(frozen=True, slots=True)
class AccountCreation:
    """What an account is made from.

    Attributes:
        operator: whose resident.
        profile: its rules.
        draft: what was answered.
        language: of the person's messages.
        password_hash: chosen at sign-up, or of the temporary password.
        temporary_until: until when a temporary password is valid; None: it is no temporary one.
        today: the civil day at the dwelling.
    """

    operator: Operator
    profile: OperatorProfile
    draft: Draft
    language: str
    password_hash: str
    temporary_until: datetime | None
    today: date


async def account_of_address(email: str, *, lock: TransactionalDBClient | None = None) -> Account | None:
    """The account of an address, whatever its case (C-12), locked by the transaction `lock`."""
    found = Account.filter(email_key=email_key(email))
    return await (found.using_db(lock).select_for_update() if lock else found).get_or_none()


async def is_in_use(
    account: Account | None, profile: OperatorProfile, draft: Draft, *, now: datetime
) -> bool:
    """Whether an address cannot be registered with: its account has its one dwelling, or is not a
    resident's. Somebody who awaits a manager's decision on a guess may still prove the dwelling by a
    serial. A free address costs the same work (C-13).
    """
    if account is None:
        await holds_a_dwelling(_NOBODY, now=now)
        return False
    if account.disabled_at is not None or account.role is not Role.RESIDENT:
        return True
    proven = not needs_review(profile, draft)
    return profile.one_dwelling_per_account and await holds_a_dwelling(account.id, proven=proven, now=now)


async def enrol(
    connection: TransactionalDBClient,
    application: Application,
    enrolment: AccountCreation,
    *,
    visitor: Visitor,
    now: datetime,
) -> int:
    """Make the account with its occupancy, or open a request; returns the account's number.

    Raises:
        RegistrationRefused: EMAIL_INVALID where the address has become somebody's meanwhile,
            DWELLING_ALREADY_REGISTERED where the dwelling has and the draft does not contest it.
    """
    draft, profile = enrolment.draft, enrolment.profile
    assert draft.dwelling_id is not None
    assert draft.attested_at is not None
    await lock_dwellings(connection, [draft.dwelling_id])
    known = await account_of_address(draft.email, lock=connection)
    if await is_in_use(known, profile, draft, now=now):
        raise refused(RefusalCode.EMAIL_INVALID, "email")
    taken = profile.one_account_per_dwelling and await is_taken(
        draft.dwelling_id,
        draft.kind,
        today=enrolment.today,
        account_id=known.id if known else None,
        connection=connection,
    )
    if taken and not draft.contested:
        raise refused(RefusalCode.DWELLING_ALREADY_REGISTERED, "contested")
    account = await _account(connection, enrolment, known, now=now)
    claim = Claim(
        dwelling_id=draft.dwelling_id,
        account_id=account.id,
        kind=draft.kind or OccupancyKind.TENANT,
        move_in=draft.move_in or enrolment.today,
        attested_at=draft.attested_at,
        council_member=draft.council_member,
        manager_daily_data=draft.manager_daily_data,
    )
    await record(Act.ACCOUNT_CREATED, Subject("account", account.id), None, visitor, now, connection)
    if taken or needs_review(profile, draft):
        await open_dwelling_request(
            connection, application, claim, profile, contested=taken, visitor=visitor, now=now
        )
    else:
        await withdraw_reviews(connection, account.id, visitor=visitor, now=now)
        await admit(connection, claim, consent_version=profile.consent_version, visitor=visitor, now=now)
    account_id: int = account.id
    return account_id


async def _account(
    connection: TransactionalDBClient, enrolment: AccountCreation, known: Account | None, *, now: datetime
) -> Account:
    """A new account, or that of a former occupant who proved the same address again (C-12)."""
    draft = enrolment.draft
    account = known or Account(email_key=email_key(draft.email), created_at=now)
    if known is not None:
        await Session.filter(account_id=known.id, revoked_at=None).using_db(connection).update(revoked_at=now)
        await (
            AccessToken.filter(account_id=known.id, revoked_at=None)
            .using_db(connection)
            .update(revoked_at=now)
        )
        await void_reset_tokens(connection, known.id, now=now)
    account.operator_id = enrolment.operator.id
    account.email, account.language = draft.email, enrolment.language
    account.civility = draft.civility.abbreviation if draft.civility else ""
    account.first_name, account.last_name = draft.first_name, draft.last_name
    if account.phone_e164 != draft.phone_e164:
        account.phone_e164, account.phone_confirmed_at = draft.phone_e164, None
    account.leak_by_email, account.leak_by_sms = draft.leak_by_email, draft.leak_by_sms
    account.over_consumption_by_email = draft.over_consumption_by_email
    account.privacy_version = draft.privacy_version
    account.newsletter_since = now if draft.newsletter else None
    account.password_hash, account.password_changed_at = enrolment.password_hash, now
    account.temporary_password_until = enrolment.temporary_until
    account.temporary_password_used_at = None
    try:
        await account.save(using_db=connection)
    except IntegrityError as failure:  # a concurrent registration used the same address
        raise refused(RefusalCode.EMAIL_INVALID, "email") from failure
    chosen = {
        AccountPurpose.LEAK_EMAIL: draft.leak_by_email,
        AccountPurpose.LEAK_SMS: draft.leak_by_sms,
        AccountPurpose.OVER_CONSUMPTION_EMAIL: draft.over_consumption_by_email,
        AccountPurpose.NEWSLETTER: draft.newsletter,
    }
    for purpose, granted in chosen.items():
        await record_account_consent(connection, account.id, purpose, granted=granted, now=now)
    return account

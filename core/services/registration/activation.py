"""Proves the mailbox of a registration, and makes the account: six digits, or a temporary password.

In: personal data, a code, or sign-in credentials. Out: a message in the outbox, or the account. The one
rule: an address that already has an account gets the same answers, costs the same work, and never makes an
account (C-13); the one-account rules apply when the mailbox is proved and not before (C-12).
"""

from dataclasses import replace
from datetime import datetime
from functools import partial

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.expressions import F

from core.access import Act, Visitor
from core.access.codes import (
    CODE_TRIES,
    TEMPORARY_PASSWORD_LIFETIME,
    CodeVerdict,
    KeptCode,
    token_hash,
)
from core.access.emails import email_key
from core.access.passwords import LONGEST_PASSWORD, OwnData
from core.bootstrap import Application
from core.models import Operator, Registration
from core.operators import OperatorProfile, Step
from core.registration import machine
from core.registration.answers import VerificationAnswer
from core.registration.draft import Draft
from core.registration.machine import PersonalData
from core.registration.refusals import Refusal, RefusalCode, RegistrationRefused, refused
from core.services.auth.passwords import hash_in_thread, judged
from core.services.registration.account_creation import AccountCreation, account_of_address, enrol, is_in_use
from core.services.registration.identification import numbers_of
from core.services.registration.messages import hash_of_code, send_secret
from core.services.registration.rate_limits import count_message
from core.services.registration.storage import (
    RegistrationView,
    draft_of,
    lock,
    open_registration,
    store,
    today_of,
    view_of,
)
from core.services.shared.audit import Subject, record
from core.services.shared.transaction import transactional


async def take_personal_data(
    application: Application,
    profile: OperatorProfile,
    row: Registration,
    given: PersonalData,
    *,
    visitor: Visitor,
    now: datetime,
) -> RegistrationView:
    before = draft_of(row)
    own = OwnData.of(*await numbers_of(before, profile))
    after = await judged(partial(machine.give_personal_data, profile, before, given, own_data=own))
    await count_message(application, after.email, visitor, now=now)
    if given.password is not None and after.step is Step.VERIFICATION:
        after = replace(after, password_hash=await hash_in_thread(given.password))
    return await _send_secret_of(application, profile, row, after, now=now)


async def send_again(
    application: Application, token: str, *, visitor: Visitor, now: datetime
) -> RegistrationView:
    """Another code or temporary password to the same address; the one before is invalid (R-221).

    Raises:
        RegistrationRefused: CODE_RESEND_TOO_SOON, FORM_NOT_OFFERED, REGISTRATION_EXPIRED.
        RateLimited: too many messages.
    """
    row, profile = await open_registration(application, token, now)
    if row.step not in {Step.VERIFICATION, Step.FIRST_SIGN_IN}:
        raise refused(RefusalCode.FORM_NOT_OFFERED)
    _check_waited(row, now)
    await count_message(application, row.email, visitor, now=now)
    return await _send_secret_of(application, profile, row, None, now=now)


async def correct_email(
    application: Application, token: str, email: str, *, visitor: Visitor, now: datetime
) -> RegistrationView:
    """Another address, which has to be proved instead (R-222).

    Raises:
        RegistrationRefused: EMAIL_INVALID, FORM_NOT_OFFERED, REGISTRATION_EXPIRED.
        RateLimited: too many messages.
    """
    row, profile = await open_registration(application, token, now)
    after = machine.correct_email(draft_of(row), email)
    await count_message(application, after.email, visitor, now=now)
    return await _send_secret_of(application, profile, row, after, now=now)


async def verify(
    application: Application,
    profile: OperatorProfile,
    row: Registration,
    given: VerificationAnswer,
    *,
    visitor: Visitor,
    now: datetime,
) -> RegistrationView:
    """Check the six digits; the try is counted first, and is not refunded."""
    assert row.code_hash is not None
    assert row.code_made_at is not None
    untried = Registration.filter(id=row.id, code_hash=row.code_hash, code_tries__lt=CODE_TRIES)
    if not await untried.update(code_tries=F("code_tries") + 1):
        raise refused(RefusalCode.CODE_EXPIRED, "verification_code")
    await row.refresh_from_db(fields=["code_tries"])
    kept = KeptCode(row.code_hash, row.code_made_at, tries=row.code_tries)
    verdict = kept.judge(hash_of_code(application, row, given.code), now=now)
    if verdict is CodeVerdict.EXPIRED:
        raise refused(RefusalCode.CODE_EXPIRED, "verification_code")
    wrong = RegistrationRefused(
        Refusal(RefusalCode.CODE_INVALID, "verification_code", attempts_left=kept.tries_left)
    )
    if verdict is CodeVerdict.WRONG:
        await record(Act.CODE_REFUSED, Subject("registration", row.id), None, visitor, now)
        raise wrong
    try:
        await complete(application, row, contested=given.contested, visitor=visitor, now=now)
    except RegistrationRefused as failure:
        if failure.refusal.code is RefusalCode.EMAIL_INVALID:  # the address has an account: no code was right
            raise wrong from failure
        raise
    return await view_of(profile, row)


async def redeem_temporary_password(
    application: Application, email: str, password: str, *, visitor: Visitor, now: datetime
) -> bool:
    """Make the account of somebody who signs in with the temporary password for the first time (R-060).

    The password has a hundred random bits, so it is found by its SHA-256, and any other password costs one
    index lookup. A dwelling that somebody else got meanwhile becomes a request to the manager. False: no
    such password.
    """
    if len(password) > LONGEST_PASSWORD:
        return False
    row = await Registration.get_or_none(
        temporary_password_hash=token_hash(password), step=Step.FIRST_SIGN_IN, expires_at__gt=now
    )
    if row is None or row.code_made_at is None or email_key(row.email) != email_key(email):
        return False
    if now >= _lapses(row):
        return False
    password_hash = await hash_in_thread(password)
    try:
        await complete(application, row, password_hash=password_hash, visitor=visitor, now=now)
    except RegistrationRefused as failure:
        if failure.refusal.code is not RefusalCode.DWELLING_ALREADY_REGISTERED:
            return False
        await complete(
            application, row, password_hash=password_hash, contested=True, visitor=visitor, now=now
        )
    return True


def _lapses(row: Registration) -> datetime:
    """When the temporary password expires."""
    assert row.code_made_at is not None
    return min(row.code_made_at + TEMPORARY_PASSWORD_LIFETIME, row.expires_at)


@transactional
async def complete(
    connection: TransactionalDBClient,
    application: Application,
    row: Registration,
    *,
    password_hash: str | None = None,
    contested: bool = False,
    visitor: Visitor,
    now: datetime,
) -> int:
    """Make the account, and erase in the row all that was entered; returns the account's number.

    Args:
        connection: given by `transactional`.
        application: whose profiles.
        row: a registration whose mailbox has just been proved.
        password_hash: of the temporary password; None: one was chosen at sign-up.
        contested: the dwelling has become somebody else's meanwhile, and that is disputed.
        visitor: who proved it.
        now: the moment.

    Raises:
        RegistrationRefused: somebody else has the dwelling or address meanwhile; nothing has changed.
    """
    before = draft_of(row)
    draft = replace(before, contested=before.contested or contested)
    operator = await Operator.get(id=row.operator_id, using_db=connection)
    profile = application.registry.profile(operator.code)
    assert profile is not None
    enrolment = AccountCreation(
        operator=operator,
        profile=profile,
        draft=draft,
        language=row.language,
        password_hash=password_hash or draft.password_hash or "",
        temporary_until=_lapses(row) if password_hash else None,
        today=await today_of(draft, now),
    )
    account_id = await enrol(connection, application, enrolment, visitor=visitor, now=now)
    row.code_hash = row.temporary_password_hash = None
    await store(row, before, machine.finished(profile, draft), connection=connection)
    await row.save(using_db=connection)
    return account_id


async def _send_secret_of(
    application: Application,
    profile: OperatorProfile,
    row: Registration,
    after: Draft | None,
    *,
    now: datetime,
) -> RegistrationView:
    """Move to the step that waits for the mailbox, and queue its message in the same transaction."""
    await _store_and_send(application, profile, row, after, now=now)
    return await view_of(profile, row)


def _check_waited(row: Registration, now: datetime) -> None:
    """Refuse a second message within the minute.

    Raises:
        RegistrationRefused: CODE_RESEND_TOO_SOON.
    """
    assert row.code_made_at is not None
    wait = KeptCode("", row.code_made_at).resend_after(now)
    if wait:
        waiting = Refusal(RefusalCode.CODE_RESEND_TOO_SOON, retry_after_s=int(wait.total_seconds()))
        raise RegistrationRefused(waiting)


@transactional
async def _store_and_send(
    connection: TransactionalDBClient,
    application: Application,
    profile: OperatorProfile,
    row: Registration,
    after: Draft | None,
    *,
    now: datetime,
) -> None:
    """Under the row's lock, so that two concurrent calls send two messages, or one and a refusal.

    Args:
        connection: given by `transactional`.
        application: whose secret encrypts.
        profile: which secret, and in whose name.
        row: the registration as it was answered; it is read again.
        after: the draft to store; None: it is unchanged, and the last message, at least a minute old, is
            sent again.
        now: the moment.
    """
    before = draft_of(row)
    await lock(connection, row)
    if after is None:
        _check_waited(row, now)
        after = replace(draft_of(row), step=before.step)
    await store(row, before, after, connection=connection)
    known = await account_of_address(after.email)
    owner = known if await is_in_use(known, profile, after, now=now) else None
    await send_secret(connection, application, profile, row, owner=owner, now=now)

"""Proves a new e-mail address or mobile number by a code that is sent there.

In: the address, later the code. Out: the account has the address. The one rule: an address counts from the
moment it is proved, not before; and whether a new e-mail address is somebody else's is not said, to whoever
asks (C-13): that mailbox simply gets no code.
"""

from datetime import datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.exceptions import IntegrityError

from core.access import Act, Permission, Viewer, Visitor
from core.access.codes import CODE_LIFETIME
from core.access.emails import email_key
from core.access.refusals import CodeExpired, CodeInvalid, EmailInvalid, PhoneInvalid, PhoneRequiredForSms
from core.bootstrap import Application
from core.models import Account, ChallengePurpose, Channel
from core.registration.machine import checked_email
from core.registration.phones import is_mobile
from core.registration.refusals import RegistrationRefused
from core.services.accounts.password_change import ask_again
from core.services.auth.one_time_codes import new_code, settle_code, void_reset_tokens
from core.services.auth.rate_limits import RateLimit, RateLimiter, network_of
from core.services.messaging.account_messages import AccountMessage, notice_key, queue_account_message
from core.services.shared.audit import Subject, record
from core.services.shared.transaction import transactional

CODES_BY_ACCOUNT = RateLimit("codes by account", 6, timedelta(hours=1))
CODES_BY_ADDRESS = RateLimit("codes by address", 20, timedelta(hours=1))
CODES_TO_NUMBER = RateLimit("codes to a number", 5, timedelta(days=1))
CODES_TO_EMAIL = RateLimit("codes to an e-mail address", 5, timedelta(days=1))
"""Whoever's account asks: the number or mailbox may be a stranger's."""
TRIES_BY_ACCOUNT = RateLimit("code tries by account", 20, timedelta(hours=1))


async def request_email_change(
    application: Application, viewer: Viewer, email: str, password: str, *, visitor: Visitor, now: datetime
) -> None:
    """Send a code to a new e-mail address.

    Raises:
        EmailInvalid: it is none.
        PasswordWrong: an open session is not enough to take an account's mailbox away.
        CodeResendTooSoon, RateLimited: codes are sent one a minute, a few an hour, and fewer a day to one
            mailbox.
    """
    viewer.require(Permission.ACCOUNT_WRITE)
    address = _checked(email)
    account = await Account.get(id=viewer.account_id)
    await _count_code(application, account, visitor, now)
    await ask_again(application, account, password, now=now)
    await RateLimiter.of(application).hit((CODES_TO_EMAIL, email_key(address)), now=now)
    await _send_email_code(application, viewer, account, address, visitor=visitor, now=now)


async def confirm_email_change(
    application: Application, viewer: Viewer, code: str, *, visitor: Visitor, now: datetime
) -> None:
    """Take the new address over, which the code proves; the old one is told.

    Raises:
        CodeInvalid, CodeExpired: the code is wrong, or no longer counts.
        RateLimited: too many tries.
    """
    viewer.require(Permission.ACCOUNT_WRITE)
    assert viewer.account_id is not None
    email = await _settled(
        application, viewer, ChallengePurpose.CONFIRM_EMAIL, code, visitor=visitor, now=now
    )
    await _take_email(application, viewer, email, visitor=visitor, now=now)


async def request_phone_code(
    application: Application, viewer: Viewer, *, visitor: Visitor, now: datetime
) -> None:
    """Send a code by SMS to the account's number, which must be a mobile (C-34).

    Raises:
        PhoneRequiredForSms: the account has no number.
        PhoneInvalid: the number is no mobile.
        CodeResendTooSoon, RateLimited: codes are sent one a minute, a few an hour, and fewer a day to one
            number.
    """
    viewer.require(Permission.ACCOUNT_WRITE)
    account = await Account.get(id=viewer.account_id)
    if account.phone_e164 is None:
        raise PhoneRequiredForSms
    if not is_mobile(account.phone_e164):
        raise PhoneInvalid("SMS reach mobile numbers alone.")
    await _count_code(application, account, visitor, now)
    await RateLimiter.of(application).hit((CODES_TO_NUMBER, account.phone_e164), now=now)
    await _send_phone_code(application, account, account.phone_e164, now=now)


async def confirm_phone(
    application: Application, viewer: Viewer, code: str, *, visitor: Visitor, now: datetime
) -> None:
    """Confirm the number that the code was sent to.

    Raises:
        CodeInvalid, CodeExpired: the code is wrong, or no longer counts; or the number has changed since.
        RateLimited: too many tries.
    """
    viewer.require(Permission.ACCOUNT_WRITE)
    number = await _settled(
        application, viewer, ChallengePurpose.CONFIRM_PHONE, code, visitor=visitor, now=now
    )
    if not await Account.filter(id=viewer.account_id, phone_e164=number).update(phone_confirmed_at=now):
        raise CodeExpired
    await record(
        Act.PHONE_CONFIRMED, Subject("account", viewer.account_id), now=now, visitor=visitor, viewer=viewer
    )


def _checked(email: str) -> str:
    try:
        return checked_email(email)
    except RegistrationRefused:
        raise EmailInvalid from None


async def _settled(
    application: Application,
    viewer: Viewer,
    purpose: ChallengePurpose,
    code: str,
    *,
    visitor: Visitor,
    now: datetime,
) -> str:
    assert viewer.account_id is not None
    await RateLimiter.of(application).hit((TRIES_BY_ACCOUNT, str(viewer.account_id)), now=now)
    try:
        return await settle_code(application.settings, viewer.account_id, purpose, code, now=now)
    except (CodeInvalid, CodeExpired) as refused:
        await record(
            Act.CODE_REFUSED,
            Subject("account", viewer.account_id),
            now=now,
            visitor=visitor,
            viewer=viewer,
            purpose=purpose.value,
            reason=refused.code,
        )
        raise


async def _count_code(application: Application, account: Account, visitor: Visitor, now: datetime) -> None:
    await RateLimiter.of(application).hit(
        (CODES_BY_ACCOUNT, str(account.id)), (CODES_BY_ADDRESS, network_of(visitor)), now=now
    )


@transactional
async def _send_email_code(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    account: Account,
    address: str,
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    purpose = ChallengePurpose.CONFIRM_EMAIL
    number, code = await new_code(connection, application.settings, account.id, purpose, address, now=now)
    await record(
        Act.EMAIL_CHANGE_ASKED,
        Subject("account", account.id),
        now=now,
        visitor=visitor,
        viewer=viewer,
        connection=connection,
    )
    taken = await Account.filter(email_key=email_key(address)).using_db(connection).exists()
    await queue_account_message(
        connection,
        application.settings,
        AccountMessage(
            key=f"email_code:{number}",
            channel=Channel.EMAIL,
            template="email_code",
            language=account.language,
            recipient=None if taken else address,
            account_id=None if taken else account.id,
            secrets={"code": code},
            expires_at=now + CODE_LIFETIME,
        ),
        now=now,
    )


@transactional
async def _send_phone_code(
    connection: TransactionalDBClient,
    application: Application,
    account: Account,
    number: str,
    *,
    now: datetime,
) -> None:
    purpose = ChallengePurpose.CONFIRM_PHONE
    challenge, code = await new_code(connection, application.settings, account.id, purpose, number, now=now)
    await queue_account_message(
        connection,
        application.settings,
        AccountMessage(
            key=f"phone_code:{challenge}",
            channel=Channel.SMS,
            template="phone_code",
            language=account.language,
            recipient=number,
            account_id=account.id,
            secrets={"code": code},
            expires_at=now + CODE_LIFETIME,
        ),
        now=now,
    )


@transactional
async def _take_email(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    email: str,
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    account = await Account.get(id=viewer.account_id, using_db=connection)
    former = account.email
    account.email, account.email_key = email, email_key(email)
    try:
        await account.save(using_db=connection, update_fields=["email", "email_key"])
    except IntegrityError as failure:  # the address has become somebody else's
        raise CodeExpired from failure
    await void_reset_tokens(connection, account.id, now=now)
    await queue_account_message(
        connection,
        application.settings,
        AccountMessage(
            key=notice_key("email_changed", account.id),
            channel=Channel.EMAIL,
            template="email_changed",
            language=account.language,
            recipient=former,
            account_id=account.id,
            values={"new_email": email},
        ),
        now=now,
    )
    await record(
        Act.EMAIL_CHANGED,
        Subject("account", account.id),
        now=now,
        visitor=visitor,
        viewer=viewer,
        connection=connection,
    )

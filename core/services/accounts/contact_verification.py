"""Proves a new e-mail address or mobile number by a code that is sent there.

In: the address, later the code. Out: the account has the address. The one rule: an address is used from the
moment it is verified, not before; and whether a new e-mail address is somebody else's is never disclosed
(C-13): that mailbox simply gets no code.
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
from core.services.shared.audit import record_own
from core.services.shared.transaction import transactional

CODES_BY_ACCOUNT = RateLimit("codes by account", 6, timedelta(hours=1))
CODES_BY_ADDRESS = RateLimit("codes by address", 20, timedelta(hours=1))
CODES_TO_NUMBER = RateLimit("codes to a number", 5, timedelta(days=1))
CODES_TO_EMAIL = RateLimit("codes to an e-mail address", 5, timedelta(days=1))
"""Counted over all accounts: the number or mailbox may be somebody else's."""
TRIES_BY_ACCOUNT = RateLimit("code tries by account", 20, timedelta(hours=1))


async def request_email_change(
    application: Application, viewer: Viewer, email: str, password: str, *, visitor: Visitor, now: datetime
) -> None:
    """Send a code to a new e-mail address.

    Raises:
        EmailInvalid: it is no e-mail address.
        PasswordWrong: an open session is not enough to replace an account's mailbox.
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
    """Replace the account's address by the one that the code proves; the old address is notified.

    Raises:
        CodeInvalid, CodeExpired: the code is wrong, or no longer valid.
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
        CodeInvalid, CodeExpired: the code is wrong, or no longer valid; or the number has changed since.
        RateLimited: too many tries.
    """
    viewer.require(Permission.ACCOUNT_WRITE)
    number = await _settled(
        application, viewer, ChallengePurpose.CONFIRM_PHONE, code, visitor=visitor, now=now
    )
    if not await Account.filter(id=viewer.account_id, phone_e164=number).update(phone_confirmed_at=now):
        raise CodeExpired
    await record_own(Act.PHONE_CONFIRMED, viewer, visitor, now)


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
        await record_own(Act.CODE_REFUSED, viewer, visitor, now, purpose=purpose.value, reason=refused.code)
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
    await record_own(Act.EMAIL_CHANGE_REQUESTED, viewer, visitor, now, connection)
    taken = await Account.filter(email_key=email_key(address)).using_db(connection).exists()
    purpose = ChallengePurpose.CONFIRM_EMAIL
    await _send_code(connection, application, account, purpose, address, to_nobody=taken, now=now)


@transactional
async def _send_phone_code(
    connection: TransactionalDBClient,
    application: Application,
    account: Account,
    number: str,
    *,
    now: datetime,
) -> None:
    await _send_code(connection, application, account, ChallengePurpose.CONFIRM_PHONE, number, now=now)


_MESSAGES = {
    ChallengePurpose.CONFIRM_EMAIL: ("email_code", Channel.EMAIL),
    ChallengePurpose.CONFIRM_PHONE: ("phone_code", Channel.SMS),
}


async def _send_code(
    connection: TransactionalDBClient,
    application: Application,
    account: Account,
    purpose: ChallengePurpose,
    address: str,
    *,
    to_nobody: bool = False,
    now: datetime,
) -> None:
    """Make a code for an address, and send it there; or to nobody, and write the same rows (C-13)."""
    number, code = await new_code(connection, application.settings, account.id, purpose, address, now=now)
    template, channel = _MESSAGES[purpose]
    await queue_account_message(
        connection,
        application.settings,
        AccountMessage(
            key=f"{template}:{number}",
            channel=channel,
            template=template,
            language=account.language,
            recipient=None if to_nobody else address,
            account_id=None if to_nobody else account.id,
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
    except IntegrityError as failure:  # somebody else has taken the address since
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
    await record_own(Act.EMAIL_CHANGED, viewer, visitor, now, connection)

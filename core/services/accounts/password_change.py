"""Changes passwords: by their owner, who knows the present one, or by whoever proves the mailbox.

In: what was typed, twice. Out: a new token for the present session. The one rule: a new password ends every
other session, invalidates links and temporary passwords, and is notified by e-mail (PW-06).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.access.codes import RESET_LIFETIME
from core.access.emails import email_key
from core.access.passwords import (
    CharacterClass,
    ClassRule,
    Criterion,
    OwnData,
    PasswordPolicy,
    check_password,
    failed,
)
from core.access.refusals import PasswordMismatch, PasswordTooWeak, PasswordUnchanged, PasswordWrong
from core.bootstrap import Application
from core.language import Language, Text
from core.models import Account, Channel, Device, Meter, Occupancy
from core.registration.machine import LONGEST_EMAIL
from core.services.accounts.sign_in import BY_ACCOUNT, know_device
from core.services.auth.one_time_codes import (
    RESET_TEMPLATE,
    account_of_reset_token,
    use_reset_token,
    void_reset_tokens,
)
from core.services.auth.passwords import fits, hash_in_thread, judged
from core.services.auth.rate_limits import RateLimit, RateLimiter, network_of
from core.services.auth.sessions import OpenedSession, end_sessions, rotate
from core.services.messaging.account_messages import (
    AccountMessage,
    notice_key,
    portal_link,
    queue_account_message,
)
from core.services.shared.audit import Subject, record, record_own
from core.services.shared.transaction import transactional

WRONG_PASSWORDS = RateLimit("password asked again", 10, timedelta(minutes=15))
RESETS_BY_ADDRESS = RateLimit("reset by address", 20, timedelta(hours=1))
RESETS_BY_EMAIL = RateLimit("reset by e-mail", 3, timedelta(hours=1))


DEFAULT_POLICY = PasswordPolicy(
    minimum_characters=12,
    length_label=Text("12 caractères minimum", "At least 12 characters"),
    rules=(
        ClassRule("LOWER", Text("Une minuscule", "A lower-case letter"), frozenset({CharacterClass.LOWER})),
        ClassRule("UPPER", Text("Une majuscule", "An upper-case letter"), frozenset({CharacterClass.UPPER})),
        ClassRule("DIGIT", Text("Un chiffre", "A digit"), frozenset({CharacterClass.DIGIT})),
    ),
)
"""For an operator without a profile (CNIL 2022-100)."""


@dataclass(frozen=True, slots=True)
class NewPassword:
    """What was typed: the new password and its repetition."""

    password: str
    confirmation: str

    def __repr__(self) -> str:
        return "NewPassword(...)"


async def change_password(
    application: Application,
    viewer: Viewer,
    current: str,
    new: NewPassword,
    *,
    visitor: Visitor,
    now: datetime,
) -> OpenedSession:
    """Change the password of who is signed in (R-103, R-061); the present session gets a new token.

    Raises:
        PasswordWrong: `current` is not the present password.
        PasswordMismatch, PasswordTooWeak, PasswordUnchanged: the new one is not acceptable.
        RateLimited: too many wrong ones.
    """
    viewer.require(Permission.PASSWORD_WRITE)
    account = await Account.get(id=viewer.account_id).select_related("operator")
    await ask_again(application, account, current, now=now)
    await _check(application, account, new)
    hashed = await hash_in_thread(new.password)
    return await _change(application, viewer, account, hashed, visitor=visitor, now=now)


async def ask_again(application: Application, account: Account, password: str, *, now: datetime) -> None:
    """Ask for the password again, before an action for which an open session is not enough.

    Raises:
        PasswordWrong: it is not the account's password.
        RateLimited: too many were wrong.
    """
    counted, limiter = (WRONG_PASSWORDS, str(account.id)), RateLimiter.of(application)
    await limiter.hit(counted, now=now)
    if not await fits(password, account.password_hash):
        raise PasswordWrong
    await limiter.refund(*counted, now=now)


async def ask_for_reset(application: Application, email: str, *, visitor: Visitor, now: datetime) -> None:
    """Send a link to the mailbox of an account (R-117); whether the account exists is not disclosed (C-13).

    Nor by the time it takes: the same rows are written in both cases, and the outbox worker makes the link.

    Raises:
        RateLimited: too many were asked for, by this address or for this e-mail address.
    """
    key = email_key(email)[: LONGEST_EMAIL + 1]  # a longer one belongs to no account and fits no column
    await RateLimiter.of(application).hit(
        (RESETS_BY_ADDRESS, network_of(visitor)), (RESETS_BY_EMAIL, key), now=now
    )
    account = await Account.filter(email_key=key).get_or_none() if len(key) <= LONGEST_EMAIL else None
    await _send_reset(application, account, visitor=visitor, now=now)


async def reset_password(
    application: Application, token: str, new: NewPassword, *, visitor: Visitor, now: datetime
) -> str:
    """Set a new password by the link's token; returns a new device token.

    All other devices are forgotten: whoever had the old password may have been among them.

    Raises:
        CodeExpired: the token is unknown, used or too old.
        PasswordMismatch, PasswordTooWeak, PasswordUnchanged: the new password is not acceptable, and the
            token is not used up.
        RateLimited: too many tries from this address.
    """
    await RateLimiter.of(application).hit((RESETS_BY_ADDRESS, network_of(visitor)), now=now)
    account_id = await account_of_reset_token(token, now=now)
    account = await Account.get(id=account_id).select_related("operator")
    await _check(application, account, new)
    hashed = await hash_in_thread(new.password)
    device_token = await _reset(application, account, token, hashed, visitor=visitor, now=now)
    await RateLimiter.of(application).forget(BY_ACCOUNT, account.email_key, now=now)
    return device_token


async def _check(application: Application, account: Account, new: NewPassword) -> None:
    if new.password != new.confirmation:
        raise PasswordMismatch
    criteria = await _criteria(application, account, new.password)
    if failed(criteria):
        raise PasswordTooWeak(criteria)
    if await fits(new.password, account.password_hash):
        raise PasswordUnchanged


async def _criteria(application: Application, account: Account, password: str) -> tuple[Criterion, ...]:
    profile = application.registry.profile(account.operator.code)
    policy = profile.password_policy if profile else DEFAULT_POLICY
    # Serials of a dwelling that was left belong to its next occupant: a guess must not reveal them.
    occupancy_periods = await Occupancy.filter(account_id=account.id, move_out=None).select_related(
        "dwelling"
    )
    serials = await Meter.filter(
        dwelling_id__in=[period.dwelling_id for period in occupancy_periods]
    ).values_list("printed_serial", flat=True)
    own = OwnData.of(
        account.email,
        account.first_name,
        account.last_name,
        account.phone_e164,
        *(str(serial) for serial in serials),
        *(period.dwelling.manager_reference for period in occupancy_periods),
    )
    return await judged(partial(check_password, policy, password, own))


@transactional
async def _change(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    account: Account,
    hashed: str,
    *,
    visitor: Visitor,
    now: datetime,
) -> OpenedSession:
    await _store(connection, account, hashed, now)
    ended = await end_sessions(connection, account.id, keep=viewer.session_id, now=now)
    opened = await rotate(connection, application, viewer, now=now)
    await _notice(connection, application, account, now)
    await record_own(Act.PASSWORD_CHANGED, viewer, visitor, now, connection, sessions_ended=ended)
    return opened


@transactional
async def _reset(
    connection: TransactionalDBClient,
    application: Application,
    account: Account,
    token: str,
    hashed: str,
    *,
    visitor: Visitor,
    now: datetime,
) -> str:
    await use_reset_token(connection, token, now=now)
    await _store(connection, account, hashed, now)
    ended = await end_sessions(connection, account.id, now=now)
    await Device.filter(account_id=account.id).using_db(connection).delete()
    device_token = await know_device(connection, account.id, now=now)
    await _notice(connection, application, account, now)
    await record(
        Act.PASSWORD_RESET,
        Subject("account", account.id),
        None,
        visitor,
        now,
        connection,
        sessions_ended=ended,
    )
    return device_token


async def _store(connection: TransactionalDBClient, account: Account, hashed: str, now: datetime) -> None:
    await (
        Account.filter(id=account.id)
        .using_db(connection)
        .update(
            password_hash=hashed,
            password_changed_at=now,
            temporary_password_until=None,
            temporary_password_used_at=None,
        )
    )
    await void_reset_tokens(connection, account.id, now=now)


async def _notice(
    connection: TransactionalDBClient, application: Application, account: Account, now: datetime
) -> None:
    await queue_account_message(
        connection,
        application.settings,
        AccountMessage.to(
            account,
            "password_changed",
            values={"link": await portal_link(connection, application, account, "/forgotten-password")},
        ),
        now=now,
    )


@transactional
async def _send_reset(
    connection: TransactionalDBClient,
    application: Application,
    account: Account | None,
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    subject = Subject("account", account.id if account else None)
    await record(Act.PASSWORD_RESET_REQUESTED, subject, None, visitor, now, connection)
    await queue_account_message(
        connection,
        application.settings,
        AccountMessage(
            key=notice_key(RESET_TEMPLATE, account.id if account else 0),
            channel=Channel.EMAIL,
            template=RESET_TEMPLATE,
            language=account.language if account else Language.FR,
            recipient=None,
            account_id=account.id if account else None,
            expires_at=now + RESET_LIFETIME,
        ),
        now=now,
    )

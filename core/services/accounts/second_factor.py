"""The second factor: codes of an authenticator app (TOTP, RFC 6238), with pyotp; and what stands in for it.

In: the viewer and a code. Out: an enrolment's secret, a session that may continue, recovery codes. The
rules: a time step is accepted once, so a code that somebody else read is of no use a second later; a try is
counted before it is checked; the secret is stored encrypted, bound to its account. Optional for a resident,
mandatory for a manager.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyotp
from tortoise.backends.base.client import TransactionalDBClient
from tortoise.expressions import Q

from core.access import NOBODY, Act, Permission, Viewer, Visitor
from core.access.codes import make_recovery_codes, same, token_hash, typed_code
from core.access.emails import email_key
from core.access.permissions import NEEDING_SECOND_FACTOR
from core.access.refusals import CodeExpired, CodeInvalid
from core.bootstrap import Application
from core.errors import Conflict, NotFound
from core.models import Account, RecoveryCode, Session
from core.services.accounts.password_change import ask_again
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.services.auth.sessions import OpenedSession, end_sessions, rotate
from core.services.messaging.account_messages import AccountMessage, portal_link, queue_account_message
from core.services.shared.audit import Subject, record, record_own
from core.services.shared.encryption import Encryption
from core.services.shared.transaction import transactional
from core.settings import Settings

STEP_S = 30
STEPS_AROUND = 1
"""A code is valid in its own half minute, the one before and the one after, for clock drift and typing."""

TRIES = RateLimit("second factor", 10, timedelta(minutes=15))
_PURPOSE = "second factors v1"


@dataclass(frozen=True, slots=True)
class SecondFactorEnrolment:
    """What an authenticator app needs: the secret, and the same as a URI for a QR code."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A second factor in force from now on; the recovery codes are readable here and never again."""

    session: OpenedSession
    recovery_codes: Sequence[str] = field(repr=False)


async def begin_enrolment(
    application: Application, viewer: Viewer, password: str, *, now: datetime
) -> SecondFactorEnrolment:
    """A new secret for an authenticator app. It is in force once a code of it was entered.

    Raises:
        PasswordWrong: an open session is not enough.
        Conflict: there is a second factor already.
        RateLimited: too many wrong passwords.
    """
    viewer.require(Permission.SECOND_FACTOR_WRITE)
    account = await Account.get(id=viewer.account_id).select_related("operator")
    await ask_again(application, account, password, now=now)
    if account.second_factor_since is not None:
        raise Conflict("There is a second factor already: remove it first.")
    secret = pyotp.random_base32(length=32)
    encrypted = _encryption(application.settings).encrypt(
        secret.encode(), bound_to=second_factor_bound_to(account.id)
    )
    await Account.filter(id=account.id, second_factor_since=None).update(
        second_factor_encrypted=encrypted, second_factor_step=None
    )
    uri = pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name=account.operator.name)
    return SecondFactorEnrolment(secret=secret, uri=uri)


async def confirm_enrolment(
    application: Application, viewer: Viewer, code: str, *, visitor: Visitor, now: datetime
) -> Enrolled:
    """Put the second factor in force, by a right code of the app. Other sessions end.

    Raises:
        CodeExpired: no enrolment was begun.
        CodeInvalid: the code is wrong.
        RateLimited: too many wrong codes.
    """
    viewer.require(Permission.SECOND_FACTOR_WRITE)
    account = await Account.get(id=viewer.account_id)
    if account.second_factor_encrypted is None or account.second_factor_since is not None:
        raise CodeExpired
    await _take_code(application, account, code, visitor=visitor, now=now)
    return await _enrol(application, viewer, account, visitor=visitor, now=now)


async def verify_second_factor(
    application: Application, viewer: Viewer, code: str, *, visitor: Visitor, now: datetime
) -> OpenedSession:
    """Complete a sign-in after the password, by a code of the app or a recovery code; returns a new token.

    Raises:
        CodeInvalid: wrong, or a code that was used before.
        RateLimited: too many wrong ones.
    """
    viewer.require(Permission.SECOND_FACTOR_VERIFY)
    account = await Account.get(id=viewer.account_id)
    if account.second_factor_since is None:
        raise CodeExpired
    if len(typed_code(code)) > pyotp.TOTP(pyotp.random_base32()).digits:
        await _take_recovery_code(application, account, code, visitor=visitor, now=now)
    else:
        await _take_code(application, account, code, visitor=visitor, now=now)
    return await _go_on(application, viewer, now=now)


async def remove_second_factor(
    application: Application, viewer: Viewer, password: str, *, visitor: Visitor, now: datetime
) -> None:
    """Sign in by password alone from now on.

    Raises:
        Conflict: the account of a manager or of staff needs one.
        PasswordWrong, RateLimited: as always where the password is asked again.
    """
    viewer.require(Permission.SECOND_FACTOR_WRITE)
    if viewer.role in NEEDING_SECOND_FACTOR:
        raise Conflict("The account of a manager or of staff needs a second factor.")
    account = await Account.get(id=viewer.account_id)
    await ask_again(application, account, password, now=now)
    await _remove(application, viewer, account, visitor=visitor, now=now)


async def install_second_factor(
    settings: Settings, viewer: Viewer, *, email: str, secret: str, now: datetime
) -> bool:
    """Put a secret that is known already in force, without a code of it; False: there is a factor already.

    For accounts that are made with their authenticator, such as the demo's; there are no recovery codes.

    Raises:
        NotFound: there is no such account.
    """
    viewer.require(Permission.ACCOUNTS_MANAGE)
    account = await Account.get_or_none(email_key=email_key(email))
    if account is None:
        raise NotFound("No account has this e-mail address.", field="email")
    encrypted = _encryption(settings).encrypt(secret.encode(), bound_to=second_factor_bound_to(account.id))
    without = Account.filter(id=account.id, second_factor_since=None)
    changed = await without.update(second_factor_encrypted=encrypted, second_factor_since=now)
    if changed:
        await record(Act.SECOND_FACTOR_ENROLLED, Subject("account", account.id), viewer, NOBODY, now)
    return bool(changed)


async def clear_second_factor(connection: TransactionalDBClient, account_id: int) -> None:
    """Delete the secret and the recovery codes of an account; the caller notifies its owner."""
    await (
        Account.filter(id=account_id)
        .using_db(connection)
        .update(second_factor_encrypted=None, second_factor_since=None, second_factor_step=None)
    )
    await RecoveryCode.filter(account_id=account_id).using_db(connection).delete()


async def _take_code(
    application: Application, account: Account, code: str, *, visitor: Visitor, now: datetime
) -> None:
    """Accept a code of the app, and its time step never again."""
    counted = (TRIES, str(account.id))
    await RateLimiter.of(application).hit(counted, now=now)
    step = _step_of(application.settings, account, typed_code(code), now)
    fresh = Account.filter(Q(second_factor_step=None) | Q(second_factor_step__lt=step), id=account.id)
    if step is None or not await fresh.update(second_factor_step=step):
        await _report_refused(account, visitor, now)
        raise CodeInvalid
    await RateLimiter.of(application).refund(*counted, now=now)


def _step_of(settings: Settings, account: Account, code: str, now: datetime) -> int | None:
    """The time step whose code this is; every valid one is compared."""
    encrypted = bytes(account.second_factor_encrypted or b"")
    secret = _encryption(settings).open(encrypted, bound_to=second_factor_bound_to(account.id)).decode()
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    steps = range(present - STEPS_AROUND, present + STEPS_AROUND + 1)
    right = [step for step in steps if same(totp.generate_otp(step), code)]
    return right[0] if right else None


async def _take_recovery_code(
    application: Application, account: Account, code: str, *, visitor: Visitor, now: datetime
) -> None:
    counted = (TRIES, str(account.id))
    await RateLimiter.of(application).hit(counted, now=now)
    shown = _recovery_hash(account.id, code)
    unused = RecoveryCode.filter(account_id=account.id, code_hash=shown, used_at=None)
    if not await unused.update(used_at=now):
        await _report_refused(account, visitor, now)
        raise CodeInvalid
    await RateLimiter.of(application).refund(*counted, now=now)
    await record(Act.RECOVERY_CODE_USED, Subject("account", account.id), None, visitor, now)


@transactional
async def _enrol(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    account: Account,
    *,
    visitor: Visitor,
    now: datetime,
) -> Enrolled:
    await Account.filter(id=account.id).using_db(connection).update(second_factor_since=now)
    await RecoveryCode.filter(account_id=account.id).using_db(connection).delete()
    codes = make_recovery_codes()
    await RecoveryCode.bulk_create(
        [RecoveryCode(account_id=account.id, code_hash=_recovery_hash(account.id, code)) for code in codes],
        using_db=connection,
    )
    await Session.filter(id=viewer.session_id).using_db(connection).update(second_factor_at=now)
    await end_sessions(connection, account.id, keep=viewer.session_id, now=now)
    opened = await rotate(connection, application, viewer, now=now)
    await _notice(connection, application, account, "second_factor_enrolled", now)
    await _notify(Act.SECOND_FACTOR_ENROLLED, connection, viewer, visitor, now)
    return Enrolled(session=opened, recovery_codes=codes)


@transactional
async def _go_on(
    connection: TransactionalDBClient, application: Application, viewer: Viewer, *, now: datetime
) -> OpenedSession:
    await Session.filter(id=viewer.session_id).using_db(connection).update(second_factor_at=now)
    return await rotate(connection, application, viewer, now=now)


@transactional
async def _remove(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    account: Account,
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    await clear_second_factor(connection, account.id)
    await _notice(connection, application, account, "second_factor_removed", now)
    await _notify(Act.SECOND_FACTOR_REMOVED, connection, viewer, visitor, now)


async def _notice(
    connection: TransactionalDBClient,
    application: Application,
    account: Account,
    template: str,
    now: datetime,
) -> None:
    await queue_account_message(
        connection,
        application.settings,
        AccountMessage.to(
            account,
            template,
            values={"link": await portal_link(connection, application, account, "/forgotten-password")},
        ),
        now=now,
    )


async def _notify(
    act: Act, connection: TransactionalDBClient, viewer: Viewer, visitor: Visitor, now: datetime
) -> None:
    await record_own(act, viewer, visitor, now, connection)


async def _report_refused(account: Account, visitor: Visitor, now: datetime) -> None:
    await record(Act.SECOND_FACTOR_REFUSED, Subject("account", account.id), None, visitor, now)


def _recovery_hash(account_id: int, code: str) -> str:
    return token_hash(f"recovery:{account_id}:{typed_code(code).upper()}")


def second_factor_encryption(secret_key: str) -> Encryption:
    return Encryption.under(secret_key, _PURPOSE)


def _encryption(settings: Settings) -> Encryption:
    return second_factor_encryption(settings.secret_key)


def second_factor_bound_to(account_id: int) -> str:
    return f"account {account_id}"

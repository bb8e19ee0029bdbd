"""Signs people in, and limits password guessing without locking the owner out.

In: e-mail and password as typed, the visitor, and the device token if the browser has one. Out: a session.
The rules: every try is counted before its password is checked, and refunded if it was right, so a thousand
concurrent tries get no further than ten (PW-01). A try beyond that looks up no account: it costs one
statement if it comes with a device token, else none. Unknown devices share one count for each e-mail
address, whether an account has it or not; a device that the account has signed in with has a count of its
own, and so has whoever proves the mailbox by a reset mail. So an attacker can lock out unknown devices only.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Visitor
from core.access.codes import make_token, token_hash
from core.access.emails import email_key
from core.bootstrap import Application
from core.errors import AccountLocked, RateLimited, SignInRefused
from core.models import Account, Device
from core.services.auth.passwords import fits
from core.services.auth.rate_limits import RateLimit, RateLimiter, network_of
from core.services.auth.sessions import OpenedSession, open_session
from core.services.registration.activation import redeem_temporary_password
from core.services.shared.audit import Subject, record, record_own
from core.services.shared.transaction import transactional

DEVICE_PREFIX = "smd_"
MOST_DEVICES = 20
"""Devices known per account, the last used ones: a program that stores no token is a new one each time."""

WINDOW = timedelta(minutes=15)
BY_ADDRESS = RateLimit("sign-in by address", 30, WINDOW)
BY_ACCOUNT = RateLimit("sign-in by account", 10, WINDOW)
BY_DEVICE = RateLimit("sign-in by device", 10, WINDOW)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session, and the token by which the device is known from now on."""

    session: OpenedSession
    device_token: str = field(repr=False)


async def sign_in(
    application: Application,
    email: str,
    password: str,
    *,
    visitor: Visitor,
    device_token: str | None = None,
    now: datetime,
) -> SignedIn:
    """Open a session for an account.

    Args:
        application: settings and counters.
        email: as typed.
        password: as typed.
        visitor: from where.
        device_token: what an earlier sign-in from this browser returned.
        now: the moment.

    Raises:
        SignInRefused: e-mail and password do not belong together, or the account is disabled, or the
            temporary password was used or is too old.
        AccountLocked: too many wrong passwords for this e-mail address from unknown devices.
        RateLimited: too many wrong passwords from this address.
    """
    limiter, key = RateLimiter.of(application), email_key(email)
    device = await _device(device_token, key)
    counted = (
        (BY_ADDRESS, network_of(visitor)),
        (BY_ACCOUNT, key) if device is None else (BY_DEVICE, str(device.id)),
    )
    try:
        await limiter.hit(*counted, now=now)
    except RateLimited as limited:
        if (await limiter.peek(*counted[0], now=now)).reached:
            raise
        raise AccountLocked(until=now + timedelta(seconds=limited.retry_after_s)) from None
    account = await Account.get_or_none(email_key=key).select_related("operator")
    right = await fits(password, account.password_hash if account else None)
    if not right and await redeem_temporary_password(application, email, password, visitor=visitor, now=now):
        account = await Account.get(email_key=key).select_related("operator")
        right, device = True, None
    if (
        account is None
        or not right
        or account.disabled_at is not None
        or not await _may_be_used(account, now)
    ):
        await _notify(Act.SIGN_IN_REFUSED, account, visitor, now)
        # Rate-limited tries are not recorded one by one, or a guesser would fill the table.
        for act, (limit, name) in zip((Act.RATE_LIMITED, Act.ACCOUNT_LOCKED), counted, strict=True):
            if (await limiter.peek(limit, name, now=now)).reached:
                await _notify(act, account, visitor, now)
        raise SignInRefused("E-mail and password do not belong together.")
    for limit, name in counted:
        await limiter.refund(limit, name, now=now)
    return await _enter(application, account, visitor=visitor, device=device, now=now)


@transactional
async def _enter(
    connection: TransactionalDBClient,
    application: Application,
    account: Account,
    *,
    visitor: Visitor,
    device: Device | None,
    now: datetime,
) -> SignedIn:
    session = await open_session(connection, application, account, visitor=visitor, now=now)
    token = await know_device(connection, account.id, device=device, now=now)
    await record_own(
        Act.SIGNED_IN,
        session.viewer,
        visitor,
        now,
        connection,
        state=session.viewer.state.value,
        known_device=device is not None,
    )
    return SignedIn(session=session, device_token=token)


async def know_device(
    connection: TransactionalDBClient, account_id: int, *, device: Device | None = None, now: datetime
) -> str:
    """A token by which the account knows this device; a known device gets a new one."""
    token = make_token(DEVICE_PREFIX)
    if device is None:
        device = Device(account_id=account_id, created_at=now)
    device.token_hash, device.last_used_at = token_hash(token), now
    await device.save(using_db=connection)
    mine = Device.filter(account_id=account_id).using_db(connection)
    oldest = (
        await mine.order_by("-last_used_at", "-id")
        .offset(MOST_DEVICES)
        .limit(100)
        .values_list("id", flat=True)
    )
    if oldest:
        await mine.filter(id__in=list(oldest)).delete()
    return token


async def _device(token: str | None, key: str) -> Device | None:
    """The device with this token, if it is one of the account with this e-mail address."""
    if not token:
        return None
    return await Device.get_or_none(token_hash=token_hash(token), account__email_key=key)


async def _may_be_used(account: Account, now: datetime) -> bool:
    """Whether the right password is still valid: a temporary one is, once and for a day (PW-05)."""
    if account.temporary_password_until is None:
        return True
    unused = Account.filter(id=account.id, temporary_password_until__gt=now, temporary_password_used_at=None)
    return bool(await unused.update(temporary_password_used_at=now))


async def _notify(act: Act, account: Account | None, visitor: Visitor, now: datetime) -> None:
    await record(act, Subject("account", account.id if account else None), None, visitor, now)

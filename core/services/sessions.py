"""Signs residents in and out, and turns tokens into Viewers.

A token is 256 random bits, shown once and stored as its SHA-256; it can be revoked at any moment and ends by
itself. Passwords are hashed by argon2id with the library's defaults (RFC 9106, low-memory profile). The one
rule: "no such account" and "wrong password" give one answer and cost one hash (C-13).
"""

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.access import Role, Viewer
from core.errors import SignInRefused, Unauthenticated
from core.models import Account, Gateway, Session
from core.services.storable import storable

SESSION_PREFIX = "sms_"
GATEWAY_PREFIX = "smg_"
"""Tokens say what they are, so that a leaked one is recognised by a secret scanner."""

LONGEST_PASSWORD = 1_024
"""Characters; more is no password but work for the hash."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: the token is readable here and never again."""

    token: str = field(repr=False)
    viewer: Viewer
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AccountView:
    """The viewer's own account (R-098…R-101)."""

    id: int
    email: str
    civility: str
    first_name: str
    last_name: str
    phone_e164: str | None
    language: str


async def sign_in(
    email: str, password: str, *, lifetime: timedelta, user_agent: str = "", now: datetime
) -> SignedIn:
    """Open a session for an account.

    Raises:
        SignInRefused: e-mail and password do not belong together, or the account is disabled.
    """
    account = await Account.get_or_none(email_key=email_key(email))
    known_hash = account.password_hash if account else _hash_of_nobody()
    fits = len(password) <= LONGEST_PASSWORD and await to_thread.run_sync(
        _verify, known_hash, password, limiter=_at_a_time()
    )
    if account is None or account.disabled_at is not None or not fits:
        raise SignInRefused("E-mail and password do not belong together.")
    token = SESSION_PREFIX + secrets.token_urlsafe(32)
    expires_at = now + lifetime
    await Session.create(
        account_id=account.id,
        token_hash=token_hash(token),
        user_agent=storable(user_agent)[:200],
        created_at=now,
        expires_at=expires_at,
    )
    return SignedIn(token=token, viewer=_resident(account), expires_at=expires_at)


async def sign_out(token: str, *, now: datetime) -> bool:
    """Revoke a session; False when there was none to revoke."""
    open_session = Session.filter(token_hash=token_hash(token), revoked_at=None, expires_at__gt=now)
    return bool(await open_session.update(revoked_at=now))


async def viewer_of_token(token: str, *, now: datetime) -> Viewer:
    """The viewer that a session token or a gateway's API key stands for.

    Raises:
        Unauthenticated: unknown, expired or revoked.
    """
    if token.startswith(GATEWAY_PREFIX):
        gateway = await Gateway.get_or_none(key_hash=token_hash(token), revoked_at=None)
        if gateway is not None:
            return Viewer(role=Role.GATEWAY, gateway_id=gateway.id, operator_id=gateway.operator_id)
    else:
        session = await Session.get_or_none(
            token_hash=token_hash(token), revoked_at=None, expires_at__gt=now, account__disabled_at=None
        ).select_related("account")
        if session is not None:
            return replace(_resident(session.account), asked_at=now)
    raise Unauthenticated("The token is unknown, expired or revoked: sign in again.")


async def my_account(viewer: Viewer) -> AccountView:
    """The viewer's account.

    Raises:
        Unauthenticated: the viewer is no resident.
    """
    account = await Account.get_or_none(id=viewer.account_id) if viewer.account_id is not None else None
    if account is None:
        raise Unauthenticated("Only a resident has an account.")
    return AccountView(
        id=account.id,
        email=account.email,
        civility=account.civility,
        first_name=account.first_name,
        last_name=account.last_name,
        phone_e164=account.phone_e164,
        language=account.language,
    )


def email_key(email: str) -> str:
    """The form in which e-mail addresses are compared: trimmed and case-folded, dots and tags kept (C-12)."""
    return storable(unicodedata.normalize("NFC", email).strip().casefold())


def token_hash(token: str) -> str:
    return hashlib.sha256(_bytes(token)).hexdigest()


def hash_password(password: str) -> str:
    """The argon2id hash of a password in its NFKC form: it fits however a keyboard composes accents."""
    return _hasher().hash(_bytes(unicodedata.normalize("NFKC", password)))


async def hashed(password: str) -> str:
    """As `hash_password`, beside the event loop, and not more of them at once than a process should do."""
    return await to_thread.run_sync(hash_password, password, limiter=_at_a_time())


def _verify(known_hash: str, password: str) -> bool:
    try:
        return _hasher().verify(known_hash, _bytes(unicodedata.normalize("NFKC", password)))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(text: str) -> bytes:
    """UTF-8; a lone surrogate, which JSON can carry, is wrong and no reason to fail."""
    return text.encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _at_a_time() -> CapacityLimiter:
    """Two hashes at once a process: each takes 64 MiB, and a crowd at the door must not starve the house."""
    return CapacityLimiter(2)


@cache
def _hash_of_nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))


def _resident(account: Account) -> Viewer:
    return Viewer(role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id)

"""Sessions: the viewer that a token stands for, and how its owner lists and ends them.

A token is 256 random bits, shown once and stored as its SHA-256; it can be revoked at any moment and
expires. The one rule: a token becomes a Viewer here and nowhere else, together with the steps still
required before the data (C-38), so a revocation, a disabled account or a new requirement applies from the
next request on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import Act, Permission, Role, Viewer, Visitor
from core.access.codes import make_token, token_hash
from core.access.permissions import NEEDING_SECOND_FACTOR
from core.access.sessions import TokenScope, state_of
from core.bootstrap import Application
from core.errors import NotFound, Unauthenticated
from core.models import AccessToken, Account, Device, Gateway, Session
from core.sanitize import escape_for_database
from core.services.auth.grant_tokens import GRANT_PREFIX, viewer_of_grant
from core.services.auth.token_rows import Credential, account_row, token_rows
from core.services.shared import columns
from core.services.shared.audit import Subject, record, record_own
from core.services.shared.occupancy_rows import keeping_occupancies
from core.services.shared.transaction import transactional

SESSION_PREFIX = "sms_"
GATEWAY_PREFIX = "smg_"
ACCESS_TOKEN_PREFIX = "smp_"  # noqa: S105 - the prefix of a token
"""Tokens have a prefix, so that a secret scanner recognises a leaked one."""

SEEN_EVERY = timedelta(minutes=5)
"""The precision of "last seen", so that not every request writes."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session's token as issued: readable here and never again."""

    token: str = field(repr=False)
    viewer: Viewer
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its owner sees it; `user_agent` is the browser's own."""

    id: int
    user_agent: str
    address: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """The viewer's own account (R-098…R-101); `terms_version` is the one in force, if any."""

    id: int
    email: str
    civility: str
    first_name: str
    last_name: str
    phone_e164: str | None
    phone_confirmed: bool
    language: str
    role: Role
    second_factor: bool
    newsletter: bool
    terms_version: str | None
    operator_code: str


async def viewer_of_token(
    application: Application, token: str, *, keeps: bool = False, homes: bool = False, now: datetime
) -> Viewer:
    """The viewer that a session token, an access token or a gateway's API key stands for.

    Args:
        application: settings and profiles.
        token: as sent.
        keeps: the operation only reads: its viewer keeps what was read, the account first.
        homes: such an operation shows the viewer's homes: they are read by the same statement.
        now: the present moment.

    Raises:
        Unauthenticated: unknown, expired or revoked.
    """
    if token.startswith(GATEWAY_PREFIX):
        gateway = await Gateway.get_or_none(key_hash=token_hash(token), revoked_at=None)
        if gateway is not None:
            return Viewer(role=Role.GATEWAY, gateway_id=gateway.id, operator_id=gateway.operator_id)
    elif token.startswith(ACCESS_TOKEN_PREFIX):
        found = await token_rows(Credential.ACCESS_TOKEN, token, homes=homes and keeps, now=now)
        if found:
            row = found[0]
            if _to_be_seen(row["last_used_at"], now):
                await AccessToken.filter(id=row["token_id"]).update(last_used_at=now)
            scopes = frozenset(TokenScope(scope) for scope in columns.document(row["scopes"]))
            viewer = _viewer_of(application, row, scopes=scopes, keeps=keeps, now=now)
            return keeping_occupancies(viewer, found) if homes else viewer
    elif token.startswith(GRANT_PREFIX):
        provider = await viewer_of_grant(token, now=now)
        if provider is not None:
            return replace(provider, kept={} if keeps else None)
    else:
        found = await token_rows(Credential.SESSION, token, homes=homes and keeps, now=now)
        if found:
            row = found[0]
            if _to_be_seen(row["last_seen_at"], now):
                await Session.filter(id=row["session_id"]).update(last_seen_at=now)
            viewer = _viewer_of(application, row, keeps=keeps, now=now)
            return keeping_occupancies(viewer, found) if homes else viewer
    raise Unauthenticated("The token is unknown, expired or revoked: sign in again.")


def viewer_of_session(
    application: Application, account: Account, session: Session, *, now: datetime
) -> Viewer:
    """The viewer of a session whose account, with its operator, is loaded."""
    enrolled = account.second_factor_since is not None
    return Viewer(
        role=account.role,
        account_id=account.id,
        operator_id=account.operator_id,
        asked_at=now,
        session_id=session.id,
        state=state_of(
            factor_missing=enrolled and session.second_factor_at is None,
            password_temporary=account.temporary_password_until is not None,
            factor_to_enrol=account.role in NEEDING_SECOND_FACTOR and not enrolled,
            terms_to_accept=_terms_to_accept(application, account),
        ),
    )


async def open_session(
    connection: BaseDBAsyncClient,
    application: Application,
    account: Account,
    *,
    visitor: Visitor,
    second_factor_at: datetime | None = None,
    now: datetime,
) -> OpenedSession:
    """Begin a session of an account whose operator is loaded."""
    token = make_token(SESSION_PREFIX)
    expires_at = now + application.settings.session_lifetime
    session = await Session.create(
        account_id=account.id,
        token_hash=token_hash(token),
        user_agent=escape_for_database(visitor.user_agent)[:200],
        address=visitor.address,
        created_at=now,
        last_seen_at=now,
        second_factor_at=second_factor_at,
        expires_at=expires_at,
        using_db=connection,
    )
    return OpenedSession(
        token=token, viewer=viewer_of_session(application, account, session, now=now), expires_at=expires_at
    )


async def sign_out(token: str, *, visitor: Visitor, now: datetime) -> bool:
    """Revoke the session of a token; False when there was none to revoke."""
    session = await Session.get_or_none(token_hash=token_hash(token), revoked_at=None, expires_at__gt=now)
    if session is None or not await Session.filter(id=session.id, revoked_at=None).update(revoked_at=now):
        return False
    await record(
        Act.SIGNED_OUT, Subject("account", session.account_id), None, visitor, now, session=session.id
    )
    return True


async def my_sessions(viewer: Viewer, *, now: datetime) -> list[SessionView]:
    """The viewer's open sessions, the last seen first."""
    viewer.require(Permission.SESSIONS_WRITE)
    rows = await Session.filter(account_id=viewer.account_id, revoked_at=None, expires_at__gt=now)
    views = [
        SessionView(
            id=row.id,
            user_agent=row.user_agent,
            address=row.address,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at or row.created_at,
            expires_at=row.expires_at,
            current=row.id == viewer.session_id,
        )
        for row in rows
    ]
    return sorted(views, key=lambda view: (view.last_seen_at, view.id), reverse=True)


@transactional
async def revoke_session(
    connection: TransactionalDBClient, viewer: Viewer, session_id: int, *, visitor: Visitor, now: datetime
) -> None:
    """End one session of the viewer.

    Raises:
        NotFound: there is no such open session, or it is another's.
    """
    viewer.require(Permission.SESSIONS_WRITE)
    mine = Session.filter(id=session_id, account_id=viewer.account_id, revoked_at=None, expires_at__gt=now)
    if not await mine.using_db(connection).update(revoked_at=now):
        raise NotFound("No such session.", field="id")
    await record(Act.SESSION_REVOKED, Subject("session", session_id), viewer, visitor, now, connection)


@transactional
async def revoke_other_sessions(
    connection: TransactionalDBClient, viewer: Viewer, *, visitor: Visitor, now: datetime
) -> int:
    """End every session of the viewer but the present one, and forget the devices; returns how many
    ended.
    """
    viewer.require(Permission.SESSIONS_WRITE)
    assert viewer.account_id is not None
    ended = await end_sessions(connection, viewer.account_id, keep=viewer.session_id, now=now)
    await Device.filter(account_id=viewer.account_id).using_db(connection).delete()
    await record_own(Act.SESSION_REVOKED, viewer, visitor, now, connection, sessions=ended)
    return ended


async def end_sessions(
    connection: BaseDBAsyncClient, account_id: int, *, keep: int | None = None, now: datetime
) -> int:
    """Revoke an account's sessions, but for one; part of a change of its credentials."""
    mine = Session.filter(account_id=account_id, revoked_at=None, expires_at__gt=now)
    if keep is not None:
        mine = mine.exclude(id=keep)
    return await mine.using_db(connection).update(revoked_at=now)


@transactional
async def renew_session(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    *,
    visitor: Visitor,
    now: datetime,
) -> OpenedSession:
    """A new token and lifetime for the present session; the old token is invalid from now on.

    Raises:
        Unauthenticated: the viewer has no session.
    """
    viewer.require(Permission.SESSIONS_WRITE)
    opened = await rotate(connection, application, viewer, now=now)
    await record(Act.SESSION_RENEWED, Subject("session", viewer.session_id), viewer, visitor, now, connection)
    return opened


async def rotate(
    connection: BaseDBAsyncClient, application: Application, viewer: Viewer, *, now: datetime
) -> OpenedSession:
    """A new token for the present session, after a change of what it may do.

    Raises:
        Unauthenticated: the viewer has no session, or it has ended.
    """
    token, expires_at = make_token(SESSION_PREFIX), now + application.settings.session_lifetime
    mine = Session.filter(id=viewer.session_id, account_id=viewer.account_id, revoked_at=None)
    if viewer.session_id is None or not await mine.using_db(connection).update(
        token_hash=token_hash(token), expires_at=expires_at, last_seen_at=now
    ):
        raise Unauthenticated("There is no session: sign in first.")
    session = await mine.using_db(connection).get().select_related("account__operator")
    viewer = viewer_of_session(application, session.account, session, now=now)
    return OpenedSession(token=token, viewer=viewer, expires_at=expires_at)


async def my_account(application: Application, viewer: Viewer) -> AccountView:
    """The viewer's account.

    Raises:
        Unauthenticated: the viewer has none.
    """
    if viewer.account_id is None:
        raise Unauthenticated("Only a person has an account.")
    kept = kept_account(application, viewer)
    if kept is not None:
        return kept
    row = await account_row(viewer.account_id)
    if row is None:
        raise Unauthenticated("The account is gone.")
    return _account_view(application, row)


def kept_account(application: Application, viewer: Viewer) -> AccountView | None:
    """The account that was read with the viewer, if the viewer keeps what was read."""
    row = (viewer.kept or {}).get(_ACCOUNT)
    return None if row is None else _account_view(application, row)


def _account_view(application: Application, row: Mapping[str, Any]) -> AccountView:
    return AccountView(
        id=row["id"],
        email=row["email"],
        civility=row["civility"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        phone_e164=row["phone_e164"],
        phone_confirmed=row["phone_confirmed_at"] is not None,
        language=row["language"],
        role=Role(row["role"]),
        second_factor=row["second_factor_since"] is not None,
        newsletter=row["newsletter_since"] is not None,
        terms_version=_terms_of(application, row["operator_code"]),
        operator_code=row["operator_code"],
    )


def terms_in_force(application: Application, account: Account) -> str | None:
    """The version of the operator's terms; None for an operator that has no profile, and so no terms."""
    return _terms_of(application, account.operator.code)


def _terms_of(application: Application, operator_code: str) -> str | None:
    profile = application.registry.profile(operator_code)
    return profile.terms_version if profile else None


def _terms_to_accept(application: Application, account: Account) -> bool:
    in_force = terms_in_force(application, account)
    return in_force is not None and account.terms_version != in_force


_ACCOUNT = "account"
"""Where a viewer keeps the row of its account."""


def _viewer_of(
    application: Application,
    row: Mapping[str, Any],
    *,
    scopes: frozenset[TokenScope] | None = None,
    keeps: bool,
    now: datetime,
) -> Viewer:
    """The viewer of a session, or of an access token if there are scopes.

    The second factor is for people: it was required to make a token, and not to use it.
    """
    role, is_person = Role(row["role"]), scopes is None
    enrolled = row["second_factor_since"] is not None
    in_force = _terms_of(application, row["operator_code"])
    return Viewer(
        role=role,
        account_id=row["id"],
        operator_id=row["operator_id"],
        asked_at=now,
        session_id=row.get("session_id"),
        state=state_of(
            factor_missing=is_person and enrolled and row["second_factor_at"] is None,
            password_temporary=row["temporary_password_until"] is not None,
            factor_to_enrol=is_person and role in NEEDING_SECOND_FACTOR and not enrolled,
            terms_to_accept=in_force is not None and row["terms_version"] != in_force,
        ),
        scopes=scopes,
        kept={_ACCOUNT: row} if keeps else None,
    )


def _to_be_seen(last: datetime | str | None, now: datetime) -> bool:
    """Whether the last use is to be noted: it was not within the last five minutes."""
    seen = columns.moment_or_none(last)
    return seen is None or now - seen >= SEEN_EVERY

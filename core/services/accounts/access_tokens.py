"""Personal access tokens: a program's key to a part of its owner's data, beside two-factor sign-in.

In: a name and scopes. Out: a token, readable once. The one rule: a token reads what its scopes name and
changes nothing (`core.access.sessions`); what it is for is chosen when it is made, and it is ended by its
owner at any moment.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, TokenScope, Viewer, Visitor
from core.access.codes import make_token, token_hash
from core.bootstrap import Application
from core.errors import Conflict, InvalidInput, NotFound
from core.models import AccessToken, Account
from core.sanitize import escape_for_database
from core.services.auth.sessions import ACCESS_TOKEN_PREFIX
from core.services.messaging.account_messages import AccountMessage, portal_link, queue_account_message
from core.services.shared.audit import Subject, record
from core.services.shared.transaction import transactional

LONGEST_NAME = 80
MOST_TOKENS = 20
LONGEST_DAYS = 730


@dataclass(frozen=True, slots=True)
class AccessTokenView:
    """A token as its owner sees it; `last_used_at` is exact to five minutes."""

    id: int
    name: str
    scopes: tuple[TokenScope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token: readable here and never again."""

    token: str = field(repr=False)
    view: AccessTokenView


async def my_tokens(viewer: Viewer) -> list[AccessTokenView]:
    """The viewer's tokens that were not revoked, the newest first; one that has expired is among them."""
    viewer.require(Permission.TOKENS_WRITE)
    rows = await AccessToken.filter(account_id=viewer.account_id, revoked_at=None).order_by("-id")
    return [_view(row) for row in rows]


@transactional
async def issue_token(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    *,
    name: str,
    scopes: Iterable[TokenScope],
    days: int | None = None,
    visitor: Visitor,
    now: datetime,
) -> IssuedToken:
    """Make a token; its owner is notified by e-mail.

    Args:
        connection: the transaction.
        application: settings.
        viewer: the owner.
        name: what it is for, in the owner's words.
        scopes: what it may read; at least one.
        days: how long it is valid; None for until it is revoked.
        visitor: from where.
        now: the moment.

    Raises:
        InvalidInput: no name, no scope, or a lifetime below 1 or above the maximum.
        Conflict: there are twenty already.
    """
    viewer.require(Permission.TOKENS_WRITE)
    kept, chosen = escape_for_database(" ".join(name.split())), sorted(set(scopes))
    if not 0 < len(kept) <= LONGEST_NAME:
        raise InvalidInput(f"must have 1 to {LONGEST_NAME} characters", field="name")
    if not chosen:
        raise InvalidInput("must name what the token may read", field="scopes")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"must be 1 to {LONGEST_DAYS}", field="days")
    mine = AccessToken.filter(account_id=viewer.account_id, revoked_at=None).using_db(connection)
    if await mine.count() >= MOST_TOKENS:
        raise Conflict(f"There are {MOST_TOKENS} tokens already: revoke one first.")
    token = make_token(ACCESS_TOKEN_PREFIX)
    row = await AccessToken.create(
        account_id=viewer.account_id,
        name=kept,
        token_hash=token_hash(token),
        scopes=[scope.value for scope in chosen],
        created_at=now,
        expires_at=now + timedelta(days=days) if days is not None else None,
        using_db=connection,
    )
    account = await Account.get(id=viewer.account_id, using_db=connection)
    await queue_account_message(
        connection,
        application.settings,
        AccountMessage.to(
            account,
            "token_issued",
            key=f"token_issued:{row.id}",
            values={"name": kept, "link": await portal_link(connection, application, account)},
        ),
        now=now,
    )
    await _notify(connection, Act.TOKEN_ISSUED, row, viewer, visitor, now)
    return IssuedToken(token=token, view=_view(row))


@transactional
async def revoke_token(
    connection: TransactionalDBClient, viewer: Viewer, token_id: int, *, visitor: Visitor, now: datetime
) -> None:
    """End one of the viewer's tokens.

    Raises:
        NotFound: there is no such token, or it is another's.
    """
    viewer.require(Permission.TOKENS_WRITE)
    row = await AccessToken.get_or_none(
        id=token_id, account_id=viewer.account_id, revoked_at=None, using_db=connection
    )
    if row is None:
        raise NotFound("No such token.", field="id")
    row.revoked_at = now
    await row.save(using_db=connection)
    await _notify(connection, Act.TOKEN_REVOKED, row, viewer, visitor, now)


async def _notify(
    connection: TransactionalDBClient,
    act: Act,
    row: AccessToken,
    viewer: Viewer,
    visitor: Visitor,
    now: datetime,
) -> None:
    await record(
        act, Subject("access_token", row.id), viewer, visitor, now, connection, scopes=" ".join(row.scopes)
    )


def _view(row: AccessToken) -> AccessTokenView:
    return AccessTokenView(
        id=row.id,
        name=row.name,
        scopes=tuple(TokenScope(scope) for scope in row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )

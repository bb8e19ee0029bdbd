"""Operator actions on an account's access: disable, enable, reset the second factor after a lost phone.

In: the operator's command line. Out: whether anything changed. The one rule: existing sessions and access
tokens are invalid from that moment on, none of the person's data is touched, and each action is recorded;
repeating one changes nothing.
"""

from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import NOBODY, Act, Permission, Viewer
from core.access.emails import email_key
from core.bootstrap import Application
from core.errors import NotFound
from core.models import AccessToken, Account
from core.services.accounts.second_factor import clear_second_factor
from core.services.auth.sessions import end_sessions
from core.services.messaging.account_messages import AccountMessage, portal_link, queue_account_message
from core.services.shared.audit import Subject, record
from core.services.shared.transaction import transactional


@transactional
async def disable_account(
    connection: TransactionalDBClient, viewer: Viewer, *, email: str, operator_code: str, now: datetime
) -> bool:
    """Disable an account, resident's or manager's, until it is enabled again; False: it was disabled
    already.

    Its sessions and access tokens end. It is not notified of anything meanwhile, and its dwelling is free
    for somebody else.

    Raises:
        NotFound: the operator has no such account.
    """
    viewer.require(Permission.ACCOUNTS_MANAGE)
    account = await _account(connection, email, operator_code)
    enabled = Account.filter(id=account.id, disabled_at=None).using_db(connection)
    if not await enabled.update(disabled_at=now):
        return False
    sessions = await end_sessions(connection, account.id, now=now)
    issued = AccessToken.filter(account_id=account.id, revoked_at=None).using_db(connection)
    tokens = await issued.update(revoked_at=now)
    await _notify(
        connection, Act.ACCOUNT_DISABLED, account, viewer, now=now, sessions=sessions, access_tokens=tokens
    )
    return True


@transactional
async def enable_account(
    connection: TransactionalDBClient, viewer: Viewer, *, email: str, operator_code: str, now: datetime
) -> bool:
    """Enable an account again; False: it was not disabled. Ended sessions and tokens are not restored.

    Raises:
        NotFound: the operator has no such account.
    """
    viewer.require(Permission.ACCOUNTS_MANAGE)
    account = await _account(connection, email, operator_code)
    disabled = Account.filter(id=account.id).exclude(disabled_at=None).using_db(connection)
    if not await disabled.update(disabled_at=None):
        return False
    await _notify(connection, Act.ACCOUNT_ENABLED, account, viewer, now=now)
    return True


@transactional
async def reset_second_factor(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    *,
    email: str,
    operator_code: str,
    now: datetime,
) -> bool:
    """Remove the second factor of somebody who has lost phone and recovery codes; False: there was none.

    The sessions end, and the owner is notified by e-mail; a manager sets up a new factor at the next
    sign-in.

    Raises:
        NotFound: the operator has no such account.
    """
    viewer.require(Permission.ACCOUNTS_MANAGE)
    account = await _account(connection, email, operator_code)
    if account.second_factor_since is None:
        return False
    await clear_second_factor(connection, account.id)
    sessions = await end_sessions(connection, account.id, now=now)
    template = "second_factor_reset"
    account_message = AccountMessage.to(
        account,
        template,
        values={
            "operator": account.operator.name,
            "link": await portal_link(connection, application, account, "/forgotten-password"),
        },
    )
    await queue_account_message(connection, application.settings, account_message, now=now)
    await _notify(connection, Act.SECOND_FACTOR_RESET, account, viewer, now=now, sessions=sessions)
    return True


async def _account(connection: TransactionalDBClient, email: str, operator_code: str) -> Account:
    known = Account.filter(email_key=email_key(email), operator__code=operator_code).using_db(connection)
    account = await known.first().select_related("operator")
    if account is None:
        raise NotFound(f"{operator_code} has no account with this e-mail address.", field="email")
    return account


async def _notify(
    connection: TransactionalDBClient,
    act: Act,
    account: Account,
    viewer: Viewer,
    *,
    now: datetime,
    **details: int,
) -> None:
    subject = Subject("account", account.id)
    await record(act, subject, viewer, NOBODY, now, connection, **details)

"""Invites managers, analysts and the operator's staff: an account with a temporary password by e-mail.

In: the operator's command line. Out: an account of the role MANAGER, STAFF or ANALYST. The one rule: the
password is made here, goes to the mailbox only and is valid once, within a day; the first sign-in asks for
one of the person's own, and for a second factor where the role needs one, before anything else is shown.
"""

from datetime import datetime
from functools import partial

from tortoise.backends.base.client import TransactionalDBClient

from core.access import NOBODY, Act, Permission, Role, Viewer
from core.access.codes import TEMPORARY_PASSWORD_LIFETIME, make_temporary_password
from core.access.emails import email_key
from core.errors import Conflict, InvalidInput, NotFound
from core.language import Language
from core.models import Account, Operator
from core.registration.machine import checked_email
from core.registration.refusals import RegistrationRefused
from core.services.auth.passwords import hash_in_thread
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.shared.audit import Subject, record
from core.services.shared.transaction import transactional
from core.settings import Settings


async def invite(
    settings: Settings,
    viewer: Viewer,
    *,
    role: Role,
    email: str,
    operator_code: str,
    first_name: str,
    last_name: str,
    language: Language = Language.FR,
    now: datetime,
) -> int:
    """Make an account of this role and send its temporary password; returns the account's id.

    Whoever has not signed in yet gets another password.

    Raises: InvalidInput: it is no e-mail address. NotFound: there is no such operator. Conflict: the
    address belongs to another role, to another operator, or to somebody who has signed in.
    """
    viewer.require(Permission.PLACES_WRITE)
    try:
        email = checked_email(email)
    except RegistrationRefused as failure:
        raise InvalidInput("is no e-mail address", field="email") from failure
    password = make_temporary_password()
    return await _invite(
        settings,
        Account(
            email=email,
            email_key=email_key(email),
            first_name=first_name,
            last_name=last_name,
            language=language.value,
            role=role,
            leak_by_email=role is Role.MANAGER,
            created_at=now,
        ),
        operator_code=operator_code,
        password=password,
        password_hash=await hash_in_thread(password),
        now=now,
    )


invite_manager = partial(invite, role=Role.MANAGER)
"""A manager, who sees the alerts of the residences that are granted."""

invite_staff = partial(invite, role=Role.STAFF)
"""One of the operator's staff, who correct readings."""


@transactional
async def _invite(
    connection: TransactionalDBClient,
    settings: Settings,
    wanted: Account,
    *,
    operator_code: str,
    password: str,
    password_hash: str,
    now: datetime,
) -> int:
    operator = await Operator.get_or_none(code=operator_code, using_db=connection)
    if operator is None:
        raise NotFound(f"There is no operator {operator_code}.", field="operator")
    account = await Account.get_or_none(email_key=wanted.email_key, using_db=connection) or wanted
    waits = account.temporary_password_until is not None and account.temporary_password_used_at is None
    if account is not wanted and not (
        waits and account.role is wanted.role and account.operator_id == operator.id
    ):
        raise Conflict("This e-mail address has an account.", field="email")
    account.operator_id = operator.id
    account.password_hash, account.password_changed_at = password_hash, now
    account.temporary_password_until = now + TEMPORARY_PASSWORD_LIFETIME
    await account.save(using_db=connection)
    await record(Act.ACCOUNT_CREATED, Subject("account", account.id), None, NOBODY, now, connection)
    account_message = AccountMessage.to(
        account,
        _INVITED_BY[account.role],
        values={"operator": operator.name},
        secrets={"password": password},
        expires_at=account.temporary_password_until,
    )
    await queue_account_message(connection, settings, account_message, now=now)
    account_id: int = account.id
    return account_id


_INVITED_BY = {
    Role.MANAGER: "manager_invited",
    Role.STAFF: "staff_invited",
    Role.ANALYST: "analyst_invited",
}

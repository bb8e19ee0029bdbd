"""What a registration sends by e-mail: a temporary password, a six-digit code, or a notice to the address's
owner.

In: the registration's row as it is stored in this transaction. Out: a row of the outbox, and the hash of
the secret. The one rule: an address that has an account gets a message too and the answer is the same
(C-13); a secret is made and its hash stored in both cases, and in that one the secret is not sent.
"""

from collections.abc import Iterable
from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access.codes import (
    CODE_LIFETIME,
    TEMPORARY_PASSWORD_LIFETIME,
    code_hash,
    make_code,
    make_temporary_password,
    token_hash,
)
from core.bootstrap import Application
from core.models import Account, Channel, OutboxMessage, Registration
from core.operators import ActivationMode, OperatorProfile
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.shared.encryption import derived_key

_CODE_KEY = "registration codes v1"


async def send_secret(
    connection: TransactionalDBClient,
    application: Application,
    profile: OperatorProfile,
    row: Registration,
    *,
    owner: Account | None,
    now: datetime,
) -> None:
    """Make the secret that proves the mailbox, store its hash in the row, and queue the message.

    Args:
        connection: the transaction of the step.
        application: whose secret encrypts.
        profile: which secret, and in whose name.
        row: the registration; it is changed and saved.
        owner: the account that the address belongs to already, or None.
        now: the moment.
    """
    row.messages_sent += 1
    key = _key(row, row.messages_sent)
    if profile.activation is ActivationMode.EMAIL_CODE:
        secret, template, until = {"code": make_code()}, "registration_code", now + CODE_LIFETIME
        row.code_hash = hash_of_code(application, row, secret["code"])
        row.code_made_at, row.code_tries = now, 0
    else:
        until = min(now + TEMPORARY_PASSWORD_LIFETIME, row.expires_at)
        secret, template = {"password": make_temporary_password()}, "registration_temporary_password"
        row.temporary_password_hash = None if owner else token_hash(secret["password"])
        row.code_made_at = now
    account_message = AccountMessage(
        key=key,
        channel=Channel.EMAIL,
        template=template,
        language=row.language,
        recipient=row.email,
        values={
            "portal": profile.portal_name,
            "link": application.portal_link(profile.code),
            "operator": profile.name,
        },
        secrets=secret,
        expires_at=until,
    )
    if owner is not None:
        account_message = AccountMessage(
            key=key,
            channel=Channel.EMAIL,
            template="registration_address_taken",
            language=owner.language,
            recipient=owner.email,
            account_id=owner.id,
            values=account_message.values,
        )
    await row.save(using_db=connection)
    await queue_account_message(connection, application.settings, account_message, now=now)


async def forget_account_messages(connection: TransactionalDBClient, rows: Iterable[Registration]) -> None:
    """Delete every message of these registrations, sent or not: they hold the address that was entered."""
    keys = [_key(row, number) for row in rows for number in range(1, row.messages_sent + 1)]
    if keys:
        await OutboxMessage.filter(idempotency_key__in=keys).using_db(connection).delete()


def _key(row: Registration, number: int) -> str:
    return f"registration:{row.id}:{number}"


def hash_of_code(application: Application, row: Registration, code: str) -> str:
    """The stored hash of a code, which is valid for this registration and this address only."""
    key = derived_key(application.settings.secret_key, _CODE_KEY)
    return code_hash(code, key=key, bound_to=f"registration {row.id} {row.email}")

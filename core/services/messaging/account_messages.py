"""Queues messages about access itself: codes, links, temporary passwords, notices of a change.

In: a message, and the transaction of its event. Out: a row of the outbox. The one rule: credentials
(`secrets`) are encrypted in the row, wiped once the message is sent or abandoned, and never sent after they
have expired.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from core.bootstrap import Application
from core.models import Account, Channel, Operator, OutboxMessage
from core.services.shared.encryption import Encryption
from core.settings import Settings

_PURPOSE = "letters v1"


@dataclass(frozen=True, slots=True)
class AccountMessage:
    """One message to one address.

    Attributes:
        key: the event's, the same at every repetition; one message is sent per key.
        channel: e-mail or SMS.
        template: the words (`notifications.texts.render`).
        language: `fr` or `en`.
        recipient: an e-mail address, or an E.164 number; None for the account's own at the time of sending.
            Without an account either, nothing is sent: so the same rows are written whether an account
            exists or not (C-13).
        account_id: whose; None for somebody who has no account.
        values: template values that may be stored in clear.
        secrets: template values that are stored encrypted.
        expires_at: when the message is no longer worth sending; None for never.
    """

    key: str
    channel: Channel
    template: str
    language: str
    recipient: str | None
    account_id: int | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    expires_at: datetime | None = None

    @classmethod
    def to(
        cls,
        account: Account,
        template: str,
        *,
        key: str | None = None,
        values: Mapping[str, object] | None = None,
        secrets: Mapping[str, str] | None = None,
        expires_at: datetime | None = None,
    ) -> "AccountMessage":
        """An e-mail to an account's present address, in its language; without `key` a notice of a
        change.
        """
        return cls(
            key=key or notice_key(template, account.id),
            channel=Channel.EMAIL,
            template=template,
            language=account.language,
            recipient=account.email,
            account_id=account.id,
            values=values or {},
            secrets=secrets or {},
            expires_at=expires_at,
        )


async def portal_link(
    connection: BaseDBAsyncClient, application: Application, account: Account, path: str = ""
) -> str:
    """The address of a page of the operator's portal, for an e-mail."""
    operator = await Operator.get(id=account.operator_id, using_db=connection)
    return application.portal_link(operator.code, path)


def notice_key(template: str, account_id: int) -> str:
    """The key of a notice of a change: each change is an event of its own, queued in its transaction."""
    return f"{template}:{account_id}:{secrets.token_hex(8)}"


def secrets_encryption(secret_key: str) -> Encryption:
    return Encryption.under(secret_key, _PURPOSE)


async def queue_account_message(
    connection: BaseDBAsyncClient, settings: Settings, account_message: AccountMessage, *, now: datetime
) -> None:
    """Write the message in the transaction of its event."""
    encrypted = None
    if account_message.secrets:
        encrypt = secrets_encryption(settings.secret_key)
        encrypted = encrypt.encrypt(orjson.dumps(dict(account_message.secrets)), bound_to=account_message.key)
    await OutboxMessage.create(
        idempotency_key=account_message.key,
        account_id=account_message.account_id,
        recipient=account_message.recipient,
        channel=account_message.channel,
        template=account_message.template,
        language=account_message.language,
        values=dict(account_message.values),
        encrypted_values=encrypted,
        created_at=now,
        expires_at=account_message.expires_at,
        using_db=connection,
    )


def opened_values(message: OutboxMessage, settings: Settings) -> dict[str, object]:
    """All values of a message, the encrypted ones decrypted.

    Raises:
        SecretUnusable: SUBMETER_SECRET_KEY is not the one they were encrypted with.
    """
    if message.encrypted_values is None:
        return dict(message.values)
    encrypt = secrets_encryption(settings.secret_key)
    opened = encrypt.open(bytes(message.encrypted_values), bound_to=message.idempotency_key)
    return {**message.values, **orjson.loads(opened)}

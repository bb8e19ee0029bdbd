"""Queues messages about access itself: codes, links, temporary passwords, notices of a change.

In: a letter, and the transaction of what it tells. Out: a row of the outbox. The one rule: what opens
something (`secrets`) is sealed in the row, wiped once the message is gone or given up, and never sent after
the moment from which it opens nothing.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from core.bootstrap import House
from core.models import Account, Channel, Operator, OutboxMessage
from core.services.shared.encryption import Seal
from core.settings import Settings

_PURPOSE = "letters v1"


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one address.

    Attributes:
        key: the event's, the same whenever it is told again; told once only.
        channel: e-mail or SMS.
        template: the words (`notifications.texts.render`).
        language: `fr` or `en`.
        recipient: an e-mail address, or an E.164 number; None for the account's own as it is when it is
            sent. Where there is no account either, nobody is written to: so the same rows are written
            whether somebody is there or not (C-13).
        account_id: whose; None for somebody who has no account.
        values: what the words need and may lie open.
        secrets: what the words need and must not.
        expires_at: from when on it is not worth sending; None for never.
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
    ) -> "Letter":
        """An e-mail to an account's address of now, in its language; without `key` the notice of a change."""
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


async def portal_link(connection: BaseDBAsyncClient, house: House, account: Account, path: str = "") -> str:
    """A page of the portal of an account's operator, for a letter."""
    operator = await Operator.get(id=account.operator_id, using_db=connection)
    return house.portal_link(operator.code, path)


def notice_key(template: str, account_id: int) -> str:
    """The key of a notice of a change: each change is an event of its own, and told in its transaction."""
    return f"{template}:{account_id}:{secrets.token_hex(8)}"


async def queue_letter(
    connection: BaseDBAsyncClient, settings: Settings, letter: Letter, *, now: datetime
) -> None:
    """Write the message in the transaction of what it tells."""
    sealed = None
    if letter.secrets:
        seal = Seal.under(settings.secret_key, _PURPOSE)
        sealed = seal.seal(orjson.dumps(dict(letter.secrets)), bound_to=letter.key)
    await OutboxMessage.create(
        idempotency_key=letter.key,
        account_id=letter.account_id,
        recipient=letter.recipient,
        channel=letter.channel,
        template=letter.template,
        language=letter.language,
        values=dict(letter.values),
        sealed_values=sealed,
        created_at=now,
        expires_at=letter.expires_at,
        using_db=connection,
    )


def opened_values(message: OutboxMessage, settings: Settings) -> dict[str, object]:
    """All values of a message, the sealed ones opened.

    Raises:
        SealBroken: SUBMETER_SECRET_KEY is not the one they were sealed under.
    """
    if message.sealed_values is None:
        return dict(message.values)
    seal = Seal.under(settings.secret_key, _PURPOSE)
    opened = seal.open(bytes(message.sealed_values), bound_to=message.idempotency_key)
    return {**message.values, **orjson.loads(opened)}

"""Messages to be sent. A row is written in the transaction of what it tells; sending is another process."""

from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.models import Model

from core.models.leaks import Alert
from core.models.people import Account


class Channel(StrEnum):
    """By which way a message goes."""

    EMAIL = "EMAIL"
    SMS = "SMS"


class MessageState(StrEnum):
    """How far a message has come."""

    PENDING = "PENDING"
    SENT = "SENT"
    FAILED = "FAILED"


class OutboxMessage(Model):
    """One message to one account by one channel. The idempotency_key lets an event be told once only."""

    id = fields.BigIntField(primary_key=True)
    idempotency_key = fields.CharField(max_length=160, unique=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="messages", on_delete=fields.CASCADE
    )
    account_id: int
    alert: fields.ForeignKeyNullableRelation[Alert] = fields.ForeignKeyField(
        "models.Alert", related_name="messages", null=True, on_delete=fields.SET_NULL
    )
    alert_id: int | None
    channel = fields.CharEnumField(Channel, max_length=8)
    template = fields.CharField(max_length=40)
    language = fields.CharField(max_length=2)
    values: dict[str, Any] = fields.JSONField()
    state = fields.CharEnumField(MessageState, max_length=8, default=MessageState.PENDING)
    created_at = fields.DatetimeField()
    sent_at = fields.DatetimeField(null=True)

    class Meta:
        table = "outbox_message"
        indexes = (("state", "id"),)

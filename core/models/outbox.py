"""Messages to be sent. A row is written in the transaction of its event; sending is another process."""

from enum import StrEnum
from typing import Any

from tortoise import fields

from core.models.alerts import Alert
from core.models.base import Model
from core.models.documents import Document
from core.models.people import Account


class Channel(StrEnum):
    """How a message is sent."""

    EMAIL = "EMAIL"
    SMS = "SMS"


class MessageState(StrEnum):
    """The state of a message's delivery."""

    PENDING = "PENDING"
    SENT = "SENT"
    FAILED = "FAILED"


class OutboxMessage(Model):
    """One message by one channel. By the idempotency_key an event is notified once only.

    It goes to the account's address at the time of sending, or to a recipient of its own.
    Secret values, such as a code, are encrypted, and wiped once the message is sent.
    The row of an alert's or document's message remains when text and address are erased: it is not sent
    again, and proves that it was.
    """

    id = fields.BigIntField(primary_key=True)
    idempotency_key = fields.CharField(max_length=160, unique=True)
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="messages", null=True, on_delete=fields.CASCADE
    )
    account_id: int | None
    recipient = fields.CharField(max_length=254, null=True)
    alert: fields.ForeignKeyNullableRelation[Alert] = fields.ForeignKeyField(
        "models.Alert", related_name="messages", null=True, on_delete=fields.SET_NULL
    )
    alert_id: int | None
    document: fields.ForeignKeyNullableRelation[Document] = fields.ForeignKeyField(
        "models.Document", related_name="messages", null=True, on_delete=fields.SET_NULL
    )
    document_id: int | None
    channel = fields.CharEnumField(Channel, max_length=8)
    template = fields.CharField(max_length=40)
    language = fields.CharField(max_length=2)
    values: dict[str, Any] = fields.JSONField()
    encrypted_values = fields.BinaryField(null=True)
    state = fields.CharEnumField(MessageState, max_length=8, default=MessageState.PENDING)
    created_at = fields.DatetimeField()
    attempts = fields.IntField(default=0, db_default=0)
    due_at = fields.DatetimeField(null=True, description="not to be tried before, null for at once")
    expires_at = fields.DatetimeField(null=True, description="not to be sent from then on")
    claimed_by = fields.CharField(max_length=32, null=True)
    claimed_until = fields.DatetimeField(null=True)
    failure = fields.CharField(max_length=200, null=True, description="the last reason it was not sent")
    sent_at = fields.DatetimeField(null=True)
    erased_at = fields.DatetimeField(null=True, description="when its text and address were erased")

    class Meta:
        table = "outbox_message"
        indexes = (("state", "id"), ("erased_at", "created_at"), ("document_id",))

"""Credentials of an account beside its password, and the audit.

Devices, one-time challenges, recovery codes, personal access tokens, and the audit records.
"""

from enum import StrEnum
from typing import Any

from tortoise import fields

from core.access import Act
from core.models.base import Model
from core.models.people import Account


class ChallengePurpose(StrEnum):
    """What a one-time secret is for."""

    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - a purpose's name
    CONFIRM_EMAIL = "CONFIRM_EMAIL"
    CONFIRM_PHONE = "CONFIRM_PHONE"


class Device(Model):
    """A browser or app that an account has signed in with: exempt from a lock-out of unknown devices."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="devices", on_delete=fields.CASCADE
    )
    account_id: int
    token_hash = fields.CharField(max_length=64, unique=True)
    created_at = fields.DatetimeField()
    last_used_at = fields.DatetimeField()

    class Meta:
        table = "device"
        indexes = (("account_id",),)


class Challenge(Model):
    """A secret sent to an address, to be shown once. The target is the address that it proves."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="challenges", on_delete=fields.CASCADE
    )
    account_id: int
    purpose = fields.CharEnumField(ChallengePurpose, max_length=32)
    secret_hash = fields.CharField(max_length=64)
    target = fields.CharField(max_length=254)
    tries = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "challenge"
        indexes = (("account_id", "purpose"), ("secret_hash",))


class RecoveryCode(Model):
    """Replaces the second factor once, when its device is lost."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="recovery_codes", on_delete=fields.CASCADE
    )
    account_id: int
    code_hash = fields.CharField(max_length=64)
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "recovery_code"
        unique_together = (("account", "code_hash"),)


class AccessToken(Model):
    """A personal access token: a program's key to a part of its owner's data."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="access_tokens", on_delete=fields.CASCADE
    )
    account_id: int
    name = fields.CharField(max_length=80)
    token_hash = fields.CharField(max_length=64, unique=True)
    scopes: list[str] = fields.JSONField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "access_token"
        indexes = (("account_id",),)


class AuditRecord(Model):
    """A security-relevant act. Rows are only added: triggers refuse to change one or to remove a recent one.

    The parties are plain numbers, so that a record outlives the account it is about.
    """

    id = fields.BigIntField(primary_key=True)
    at = fields.DatetimeField()
    act = fields.CharEnumField(Act, max_length=40, description="what happened, see core.access.acts")
    role = fields.CharField(max_length=16, null=True, description="who acted, null for nobody known")
    actor_id = fields.BigIntField(null=True, description="the account that acted")
    subject = fields.CharField(max_length=40, description="the kind of thing acted on")
    subject_id = fields.BigIntField(null=True)
    address = fields.CharField(max_length=45, null=True)
    details: dict[str, Any] = fields.JSONField()

    class Meta:
        table = "audit_record"
        indexes = (("subject", "subject_id"), ("at",))

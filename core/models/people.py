"""Accounts, who lives where and when, sign-ins, consents, and the API keys of gateways."""

from enum import StrEnum

from tortoise import fields

from core.access import Role
from core.models.base import Model
from core.models.places import Dwelling, Operator, Residence
from core.operators import OccupancyKind
from core.registration.draft import CouncilMember


class ConsentPurpose(StrEnum):
    """What a consent is about: one record per purpose (CN-02)."""

    MANAGER_DAILY_DATA = "MANAGER_DAILY_DATA"


class ConsentState(StrEnum):
    """An answer that was given; no record at all means unanswered, which counts as refused (C-18)."""

    GRANTED = "GRANTED"
    REFUSED = "REFUSED"


class ConsentAuthor(StrEnum):
    """Who recorded the answer (R-121)."""

    OCCUPANT = "OCCUPANT"
    MANAGER = "MANAGER"


class Account(Model):
    """A person's access, a resident's or a manager's.

    Nothing is ticked in advance: every notification is opt-in (R-015, C-16).
    """

    id = fields.BigIntField(primary_key=True)
    operator: fields.ForeignKeyRelation[Operator] = fields.ForeignKeyField(
        "models.Operator", related_name="accounts", on_delete=fields.RESTRICT
    )
    operator_id: int
    email = fields.CharField(max_length=254)
    email_key = fields.CharField(max_length=254, unique=True, description="trimmed and case-folded (C-12)")
    password_hash = fields.CharField(max_length=200)
    civility = fields.CharField(max_length=16, default="")
    first_name = fields.CharField(max_length=80)
    last_name = fields.CharField(max_length=80)
    phone_e164 = fields.CharField(max_length=16, null=True)
    language = fields.CharField(max_length=2, default="fr")
    leak_by_email = fields.BooleanField(default=False)
    leak_by_sms = fields.BooleanField(default=False)
    over_consumption_by_email = fields.BooleanField(default=False)
    over_consumption_by_sms = fields.BooleanField(default=False)
    new_document_by_email = fields.BooleanField(default=False, db_default=False)
    new_document_by_sms = fields.BooleanField(default=False, db_default=False)
    slow_leak_by_email = fields.BooleanField(
        default=False, db_default=False, description="hints about slow leaks, which are no alerts"
    )
    role = fields.CharEnumField(
        Role,
        max_length=16,
        default=Role.RESIDENT,
        db_default="RESIDENT",
        description="RESIDENT, MANAGER, STAFF or ANALYST",
    )
    temporary_password_until = fields.DatetimeField(
        null=True, description="set while the password is a temporary one, which must be changed (R-061)"
    )
    temporary_password_used_at = fields.DatetimeField(null=True)
    password_changed_at = fields.DatetimeField(null=True)
    terms_version = fields.CharField(max_length=32, null=True, description="the last one accepted (R-062)")
    terms_accepted_at = fields.DatetimeField(null=True)
    phone_confirmed_at = fields.DatetimeField(null=True)
    second_factor_encrypted = fields.BinaryField(null=True)
    second_factor_since = fields.DatetimeField(null=True)
    second_factor_step = fields.BigIntField(null=True, description="the last time step used, never again")
    privacy_version = fields.CharField(
        max_length=32, null=True, description="of the notice acknowledged at sign-up (R-211)"
    )
    newsletter_since = fields.DatetimeField(null=True, description="null without a subscription (NL-01)")
    created_at = fields.DatetimeField()
    disabled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "account"


class Occupancy(Model):
    """Who holds a dwelling from which civil day to which: move_out is the first day no longer held."""

    id = fields.BigIntField(primary_key=True)
    dwelling: fields.ForeignKeyRelation[Dwelling] = fields.ForeignKeyField(
        "models.Dwelling", related_name="occupancies", on_delete=fields.RESTRICT
    )
    dwelling_id: int
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="occupancies", null=True, on_delete=fields.SET_NULL
    )
    account_id: int | None
    kind = fields.CharEnumField(OccupancyKind, max_length=20)
    move_in = fields.DateField()
    move_out = fields.DateField(null=True)
    access_until = fields.DateField(
        null=True, description="the first day on which a former occupant no longer sees the own period"
    )
    attested_at = fields.DatetimeField(null=True, description="when it was declared on honour (R-048)")
    council_member = fields.CharEnumField(CouncilMember, max_length=16, null=True)

    class Meta:
        table = "occupancy"
        indexes = (("account_id",), ("dwelling_id", "move_in"))


class ManagedResidence(Model):
    """A residence that a manager's account manages."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="managed_residences", on_delete=fields.CASCADE
    )
    account_id: int
    residence: fields.ForeignKeyRelation[Residence] = fields.ForeignKeyField(
        "models.Residence", related_name="managers", on_delete=fields.CASCADE
    )
    residence_id: int
    granted_at = fields.DatetimeField()
    administrator = fields.BooleanField(
        default=False, db_default=False, description="notified by e-mail (R-134)"
    )

    class Meta:
        table = "managed_residence"
        unique_together = (("account", "residence"),)
        indexes = (("residence_id",),)


class Session(Model):
    """A sign-in. The token itself is never stored: only its SHA-256."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="sessions", on_delete=fields.CASCADE
    )
    account_id: int
    token_hash = fields.CharField(max_length=64, unique=True)
    user_agent = fields.CharField(max_length=200, default="")
    address = fields.CharField(max_length=45, null=True)
    created_at = fields.DatetimeField()
    last_seen_at = fields.DatetimeField(null=True)
    second_factor_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "session"
        indexes = (("account_id",),)


class ConsentRecord(Model):
    """One answer to one consent question. Rows are only ever added (CN-07, R-107, R-121)."""

    id = fields.BigIntField(primary_key=True)
    occupancy: fields.ForeignKeyRelation[Occupancy] = fields.ForeignKeyField(
        "models.Occupancy", related_name="consents", on_delete=fields.RESTRICT
    )
    occupancy_id: int
    purpose = fields.CharEnumField(ConsentPurpose, max_length=32)
    state = fields.CharEnumField(ConsentState, max_length=16)
    author = fields.CharEnumField(ConsentAuthor, max_length=16)
    author_account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="consents_recorded", null=True, on_delete=fields.SET_NULL
    )
    author_account_id: int | None
    text_version = fields.CharField(max_length=32)
    evidence_reference = fields.CharField(max_length=200, null=True)
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "consent_record"
        indexes = (("occupancy_id", "purpose", "recorded_at"),)


class Gateway(Model):
    """A radio gateway and the SHA-256 of its API key."""

    id = fields.BigIntField(primary_key=True)
    operator: fields.ForeignKeyRelation[Operator] = fields.ForeignKeyField(
        "models.Operator", related_name="gateways", on_delete=fields.RESTRICT
    )
    operator_id: int
    name = fields.CharField(max_length=80)
    key_hash = fields.CharField(max_length=64, unique=True)
    created_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "gateway"
        unique_together = (("operator", "name"),)

"""Sign-ups in progress, and the requests that a manager decides.

A registration is no account yet. When it is cancelled or expires, its row is deleted with all its data.
"""

from enum import StrEnum

from tortoise import fields

from core.models.base import Model
from core.models.people import Account
from core.models.places import Dwelling, Operator, Residence
from core.operators import OccupancyKind, Path, Step
from core.registration.draft import Civility, CouncilMember


class DwellingRequestKind(StrEnum):
    """Why a manager has to decide."""

    REVIEW = "REVIEW"
    CONTESTED = "CONTESTED"


class DwellingRequestState(StrEnum):
    """The state of a request."""

    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"


class Registration(Model):
    """A sign-up in progress. The token itself is never stored, only its SHA-256."""

    id = fields.BigIntField(primary_key=True)
    operator: fields.ForeignKeyRelation[Operator] = fields.ForeignKeyField(
        "models.Operator", related_name="registrations", on_delete=fields.RESTRICT
    )
    operator_id: int
    token_hash = fields.CharField(max_length=64, unique=True)
    language = fields.CharField(max_length=2, default="fr")
    step = fields.CharEnumField(Step, max_length=20)
    kind = fields.CharEnumField(OccupancyKind, max_length=20, null=True)
    residence: fields.ForeignKeyNullableRelation[Residence] = fields.ForeignKeyField(
        "models.Residence", related_name="registrations", null=True, on_delete=fields.SET_NULL
    )
    residence_id: int | None
    dwelling: fields.ForeignKeyNullableRelation[Dwelling] = fields.ForeignKeyField(
        "models.Dwelling", related_name="registrations", null=True, on_delete=fields.SET_NULL
    )
    dwelling_id: int | None
    path = fields.CharEnumField(Path, max_length=24, null=True)
    proven = fields.BooleanField(default=False)
    asked_within = fields.BooleanField(
        default=False, db_default=False, description="the residence was found first, then the dwelling"
    )
    contested = fields.BooleanField(default=False)
    attested_at = fields.DatetimeField(null=True)
    move_in = fields.DateField(null=True)
    council_member = fields.CharEnumField(CouncilMember, max_length=16, null=True)
    leak_by_email = fields.BooleanField(default=False)
    leak_by_sms = fields.BooleanField(default=False)
    over_consumption_by_email = fields.BooleanField(default=False)
    manager_daily_data = fields.BooleanField(null=True)
    civility = fields.CharEnumField(Civility, max_length=16, null=True)
    first_name = fields.CharField(max_length=80, default="")
    last_name = fields.CharField(max_length=80, default="")
    email = fields.CharField(max_length=254, default="")
    phone_e164 = fields.CharField(max_length=16, null=True)
    privacy_version = fields.CharField(max_length=32, null=True)
    newsletter = fields.BooleanField(default=False)
    password_hash = fields.CharField(max_length=200, null=True)
    temporary_password_hash = fields.CharField(max_length=64, null=True, description="SHA-256, 100 bits")
    code_hash = fields.CharField(max_length=64, null=True)
    code_made_at = fields.DatetimeField(null=True)
    code_tries = fields.IntField(default=0)
    messages_sent = fields.IntField(default=0, description="how many, for their keys")
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "registration"
        indexes = (("temporary_password_hash",), ("expires_at",))


class DwellingRequest(Model):
    """Somebody asks for a dwelling and a manager decides. The account exists and sees nothing until then."""

    id = fields.BigIntField(primary_key=True)
    dwelling: fields.ForeignKeyRelation[Dwelling] = fields.ForeignKeyField(
        "models.Dwelling", related_name="dwelling_requests", on_delete=fields.RESTRICT
    )
    dwelling_id: int
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="dwelling_requests", on_delete=fields.CASCADE
    )
    account_id: int
    kind = fields.CharEnumField(DwellingRequestKind, max_length=16)
    state = fields.CharEnumField(DwellingRequestState, max_length=16, default=DwellingRequestState.OPEN)
    occupancy_kind = fields.CharEnumField(OccupancyKind, max_length=20)
    move_in = fields.DateField()
    attested_at = fields.DatetimeField()
    council_member = fields.CharEnumField(CouncilMember, max_length=16, null=True)
    manager_daily_data = fields.BooleanField(null=True)
    opened_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)

    class Meta:
        table = "dwelling_request"
        indexes = (("state", "id"), ("account_id", "state"))

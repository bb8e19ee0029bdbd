"""Privacy: what retention has deleted, what a person takes away, and whom a resident lets look.

Months whose days are past their period are in tables of their own, `month_volume` and `archived_month`,
which the initial migration makes (composite keys).
"""

from typing import Any

from tortoise import fields

from core.access.purposes import AccountPurpose, ExportState
from core.consumption.resolutions import Resolution
from core.models.base import Model
from core.models.people import Account, ConsentState
from core.models.places import Dwelling


class RetentionMark(Model):
    """How far retention has come with a series table: up to which border, and which dwellings are done."""

    name = fields.CharField(max_length=40, primary_key=True)
    border = fields.BigIntField(description="epoch seconds, or a day or month as a number")
    last_dwelling_id = fields.BigIntField(default=0, description="the last dwelling that is done")
    done = fields.BooleanField(default=False)

    class Meta:
        table = "retention_mark"


class RetentionRun(Model):
    """What one run of retention has deleted: rows by the kind of data. None if it deleted nothing."""

    id = fields.BigIntField(primary_key=True)
    finished_at = fields.DatetimeField()
    deleted: dict[str, int] = fields.JSONField(description="rows by the kind of data")

    class Meta:
        table = "retention_run"
        indexes = (("finished_at",),)


class FineDataPurge(Model):
    """The readings within the days of a dwelling before a day were deleted. Rows are only added (CN-06)."""

    id = fields.BigIntField(primary_key=True)
    dwelling: fields.ForeignKeyRelation[Dwelling] = fields.ForeignKeyField(
        "models.Dwelling", related_name="fine_data_purges", on_delete=fields.CASCADE
    )
    dwelling_id: int
    kept_from = fields.DateField(description="the first day whose fine data are kept")
    purged_at = fields.DatetimeField()
    readings = fields.BigIntField(description="how many were deleted")
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account",
        related_name="fine_data_purges",
        null=True,
        on_delete=fields.SET_NULL,
        description="who asked for it, null after a move",
    )
    account_id: int | None

    class Meta:
        table = "fine_data_purge"
        indexes = (("dwelling_id", "kept_from"),)


class DataExport(Model):
    """An archive of a person's data (GDPR Art. 15 and 20), whose parts are deleted when it expires."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="data_exports", on_delete=fields.CASCADE
    )
    account_id: int
    state = fields.CharEnumField(ExportState, max_length=12, default=ExportState.REQUESTED)
    requested_at = fields.DatetimeField()
    claimed_until = fields.DatetimeField(null=True, description="a worker is making it until then")
    ready_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)
    size_bytes = fields.BigIntField(default=0)
    sha256 = fields.CharField(max_length=64, default="")
    tries = fields.SmallIntField(default=0)

    class Meta:
        table = "data_export"
        indexes = (("account_id",), ("state", "id"), ("expires_at",))


class DataExportPart(Model):
    """A part of an archive, of a size that a process holds in memory."""

    id = fields.BigIntField(primary_key=True)
    export: fields.ForeignKeyRelation[DataExport] = fields.ForeignKeyField(
        "models.DataExport", related_name="parts", on_delete=fields.CASCADE
    )
    export_id: int
    number = fields.IntField()
    content = fields.BinaryField()

    class Meta:
        table = "data_export_part"
        unique_together = (("export", "number"),)


class ThirdPartyGrant(Model):
    """A provider that a resident lets read consumption (EED-07). The token is stored as its SHA-256.

    Days and scope are fixed when it is made: another scope is another grant. It ends with the occupancy.
    """

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="third_party_grants", on_delete=fields.CASCADE
    )
    account_id: int
    dwelling: fields.ForeignKeyRelation[Dwelling] = fields.ForeignKeyField(
        "models.Dwelling", related_name="third_party_grants", on_delete=fields.RESTRICT
    )
    dwelling_id: int
    provider = fields.CharField(max_length=80)
    contact = fields.CharField(max_length=254)
    fluids: list[str] = fields.JSONField()
    resolution = fields.CharEnumField(Resolution, max_length=12)
    first_day = fields.DateField(description="of the data that may be read")
    last_day = fields.DateField(description="of the data, and the last day on which the token is valid")
    token_hash = fields.CharField(max_length=64, unique=True)
    created_at = fields.DatetimeField()
    last_used_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "third_party_grant"
        indexes = (("account_id",), ("dwelling_id",))


class HouseholdMember(Model):
    """Somebody whom the holder of a dwelling's account lets look: a partner, a child who helps a parent.

    Until the invitation is accepted there is an address and no account.
    """

    id = fields.BigIntField(primary_key=True)
    dwelling: fields.ForeignKeyRelation[Dwelling] = fields.ForeignKeyField(
        "models.Dwelling", related_name="household", on_delete=fields.RESTRICT
    )
    dwelling_id: int
    holder: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="household", on_delete=fields.CASCADE
    )
    holder_id: int
    name = fields.CharField(max_length=80)
    email = fields.CharField(max_length=254)
    email_key = fields.CharField(max_length=254)
    token_hash = fields.CharField(max_length=64, unique=True, description="of the invitation")
    invited_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(description="of the invitation")
    member: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="member_of", null=True, on_delete=fields.CASCADE
    )
    member_id: int | None
    accepted_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "household_member"
        indexes = (("holder_id",), ("dwelling_id",), ("member_id",))


class AccountConsent(Model):
    """An answer for one purpose of an account. Rows are only ever added: the last one counts (CN-07)."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="account_consents", null=True, on_delete=fields.SET_NULL
    )
    account_id: int | None
    purpose = fields.CharEnumField(AccountPurpose, max_length=32)
    state = fields.CharEnumField(ConsentState, max_length=16)
    text_version = fields.CharField(max_length=32)
    recorded_at = fields.DatetimeField()
    details: dict[str, Any] = fields.JSONField(description="of a third party: the grant")

    class Meta:
        table = "account_consent"
        indexes = (("account_id", "purpose"),)

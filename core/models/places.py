"""Operators, residences and dwellings: where meters are installed."""

from enum import StrEnum

from tortoise import fields

from core.models.base import Model


class Operator(Model):
    """A metering company, landlord or co-op that runs residences."""

    id = fields.BigIntField(primary_key=True)
    code = fields.CharField(max_length=32, unique=True)
    name = fields.CharField(max_length=120)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "operator"


class Residence(Model):
    """A building or group of buildings. Its code is the site code (AA000) or building code (50001369)."""

    id = fields.BigIntField(primary_key=True)
    operator: fields.ForeignKeyRelation[Operator] = fields.ForeignKeyField(
        "models.Operator", related_name="residences", on_delete=fields.RESTRICT
    )
    operator_id: int
    code = fields.CharField(max_length=16)
    name = fields.CharField(max_length=120)
    street = fields.CharField(max_length=200)
    postcode = fields.CharField(max_length=10)
    city = fields.CharField(max_length=100)
    time_zone = fields.CharField(max_length=64, default="Europe/Paris")
    remote_reading = fields.BooleanField(default=True, db_default=True)
    resident_portal_option = fields.BooleanField(default=True)
    published_at = fields.DatetimeField(null=True)
    water_price_eur_per_m3 = fields.DecimalField(
        max_digits=7, decimal_places=4, null=True, description="waste water included, null where not known"
    )
    billing_starts = fields.CharField(
        max_length=5, null=True, description="MM-DD, where billing periods are not calendar years"
    )
    weather_station = fields.CharField(
        max_length=32, null=True, description="whose degree days its heating is compared by"
    )

    class Meta:
        table = "residence"
        unique_together = (("operator", "code"),)


class Dwelling(Model):
    """One home. Floors and numbers are texts as printed, since they may contain letters."""

    id = fields.BigIntField(primary_key=True)
    residence: fields.ForeignKeyRelation[Residence] = fields.ForeignKeyField(
        "models.Residence", related_name="dwellings", on_delete=fields.RESTRICT
    )
    residence_id: int
    building = fields.CharField(max_length=16, default="")
    staircase = fields.CharField(max_length=16, default="")
    floor = fields.CharField(max_length=16, default="")
    number = fields.CharField(max_length=16)
    lot = fields.CharField(max_length=16, null=True)
    manager_reference = fields.CharField(max_length=32, null=True)
    surface_m2 = fields.DecimalField(max_digits=7, decimal_places=2, null=True)

    class Meta:
        table = "dwelling"
        unique_together = (("residence", "building", "staircase", "floor", "number"),)


class DocumentKind(StrEnum):
    """The kinds of document for a residence's managers."""

    PORTAL_READY = "PORTAL_READY"
    PORTAL_CLOSED = "PORTAL_CLOSED"


class ResidenceDocument(Model):
    """A document of a residence, readable by everybody who manages it (C-10): of a publication or its end."""

    id = fields.BigIntField(primary_key=True)
    residence: fields.ForeignKeyRelation[Residence] = fields.ForeignKeyField(
        "models.Residence", related_name="documents", on_delete=fields.CASCADE
    )
    residence_id: int
    kind = fields.CharEnumField(DocumentKind, max_length=20)
    created_at = fields.DatetimeField()

    class Meta:
        table = "residence_document"
        indexes = (("residence_id",),)

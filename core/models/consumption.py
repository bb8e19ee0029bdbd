"""What the consumption of dwellings is corrected, priced and compared by."""

from tortoise import fields

from core.consumption.corrections import CorrectionReason
from core.consumption.fluids import Fluid
from core.consumption.prices import FixedCharge
from core.models.base import Model
from core.models.meters import Meter
from core.models.places import Operator, Residence


class ConsumptionCorrection(Model):
    """A day of a meter whose amount changed after it could be seen. Rows are only ever added.

    Written in the transaction that changed the volume. Days are written 20261122, as in `daily_volume`.
    """

    id = fields.BigIntField(primary_key=True)
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "models.Meter", related_name="corrections", on_delete=fields.CASCADE
    )
    meter_id: int
    day = fields.IntField()
    amount_before = fields.BigIntField(null=True, description="null: nothing was known of the day")
    amount_after = fields.BigIntField(null=True, description="null: nothing is known of it any more")
    reason = fields.CharEnumField(CorrectionReason, max_length=20, description="see CorrectionReason")
    corrected_at = fields.DatetimeField()

    class Meta:
        table = "consumption_correction"
        indexes = (("meter_id", "day"),)


class Tariff(Model):
    """What a fluid costs residents from a day on, in euros. One of a residence precedes its operator's."""

    id = fields.BigIntField(primary_key=True)
    operator: fields.ForeignKeyRelation[Operator] = fields.ForeignKeyField(
        "models.Operator", related_name="tariffs", on_delete=fields.CASCADE
    )
    operator_id: int
    residence: fields.ForeignKeyNullableRelation[Residence] = fields.ForeignKeyField(
        "models.Residence", related_name="tariffs", null=True, on_delete=fields.CASCADE
    )
    residence_id: int | None
    fluid = fields.CharEnumField(Fluid, max_length=16)
    valid_from = fields.DateField()
    eur_per_unit = fields.DecimalField(
        max_digits=9, decimal_places=5, description="a cubic metre, a kilowatt-hour or an allocator unit"
    )
    fixed_eur = fields.DecimalField(max_digits=9, decimal_places=2, null=True)
    fixed_per = fields.CharEnumField(FixedCharge, max_length=8, null=True, description="see FixedCharge")
    vat_included = fields.BooleanField(null=True, description="null: not stated")

    class Meta:
        table = "tariff"
        indexes = (("operator_id", "fluid", "valid_from"),)


class EmissionFactor(Model):
    """How much carbon dioxide a fluid stands for from a day on, and who says so."""

    id = fields.BigIntField(primary_key=True)
    operator: fields.ForeignKeyRelation[Operator] = fields.ForeignKeyField(
        "models.Operator", related_name="emission_factors", on_delete=fields.CASCADE
    )
    operator_id: int
    residence: fields.ForeignKeyNullableRelation[Residence] = fields.ForeignKeyField(
        "models.Residence", related_name="emission_factors", null=True, on_delete=fields.CASCADE
    )
    residence_id: int | None
    fluid = fields.CharEnumField(Fluid, max_length=16)
    valid_from = fields.DateField()
    grams_per_unit = fields.DecimalField(
        max_digits=10, decimal_places=3, description="a cubic metre, a kilowatt-hour or an allocator unit"
    )
    source = fields.CharField(max_length=120)

    class Meta:
        table = "emission_factor"
        indexes = (("operator_id", "fluid", "valid_from"),)


class DegreeDay(Model):
    """How cold a day was at a weather station: the degrees below a base temperature, and who measured it."""

    id = fields.BigIntField(primary_key=True)
    station = fields.CharField(max_length=32)
    day = fields.DateField()
    degree_days = fields.DecimalField(max_digits=6, decimal_places=2)
    base_celsius = fields.DecimalField(max_digits=4, decimal_places=1)
    source = fields.CharField(max_length=120)

    class Meta:
        table = "degree_day"
        unique_together = (("station", "day"),)


class AveragePublication(Model):
    """The averages of a month of a residence, as residents see them. Made once and not changed."""

    id = fields.BigIntField(primary_key=True)
    residence: fields.ForeignKeyRelation[Residence] = fields.ForeignKeyField(
        "models.Residence", related_name="average_publications", on_delete=fields.CASCADE
    )
    residence_id: int
    month = fields.IntField(description="202610")
    published_at = fields.DatetimeField()

    class Meta:
        table = "average_publication"
        unique_together = (("residence", "month"),)


class BuildingAverage(Model):
    """What five homes or more used in a month, by their surface (core.access.floor)."""

    id = fields.BigIntField(primary_key=True)
    publication: fields.ForeignKeyRelation[AveragePublication] = fields.ForeignKeyField(
        "models.AveragePublication", related_name="averages", on_delete=fields.CASCADE
    )
    publication_id: int
    fluid = fields.CharEnumField(Fluid, max_length=16)
    building = fields.CharField(max_length=16, null=True, description="null: all of the residence together")
    amount = fields.BigIntField(description="of all homes, in the smallest unit")
    surface_cm2 = fields.BigIntField(description="of all homes")
    homes = fields.IntField()

    class Meta:
        table = "building_average"
        indexes = (("publication_id", "fluid"),)

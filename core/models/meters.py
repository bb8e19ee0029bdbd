"""Meters, their encrypted keys, and the telegrams that could not be used.

A replaced meter is another row: indexes are never subtracted across two of them.
"""

from enum import StrEnum

from tortoise import fields

from core.consumption.fluids import Fluid
from core.consumption.plausibility import Doubt
from core.models.base import Model
from core.models.people import Account, Gateway
from core.models.places import Dwelling


class Meter(Model):
    """One remotely read device.

    `printed_serial` is what a resident reads on it, `serial_key` the same after normalisation,
    `radio_address` the EN 13757 address as text (`KAM-76348799-1B-16`), unique worldwide.
    `register_step` is the smallest progress its register shows and `register_capacity` where it starts
    again at 0, both in the fluid's smallest unit. `nominal_flow_m3_per_h` is its size: Q3 of a water
    meter, qp of a heat meter.
    """

    id = fields.BigIntField(primary_key=True)
    dwelling: fields.ForeignKeyRelation[Dwelling] = fields.ForeignKeyField(
        "models.Dwelling", related_name="meters", on_delete=fields.RESTRICT
    )
    dwelling_id: int
    fluid = fields.CharEnumField(Fluid, max_length=16)
    vendor = fields.CharField(max_length=40)
    printed_serial = fields.CharField(max_length=40)
    serial_key = fields.CharField(max_length=40)
    radio_address = fields.CharField(max_length=20, unique=True)
    register_step = fields.IntField(default=1)
    register_capacity = fields.BigIntField(null=True)
    nominal_flow_m3_per_h = fields.DecimalField(max_digits=8, decimal_places=3, null=True)
    location = fields.CharField(max_length=80, default="")
    installed_at = fields.DatetimeField()
    removed_at = fields.DatetimeField(null=True)
    coarsest_step = fields.BigIntField(
        null=True, description="of a meter with aliases: the coarsest step among the indexes received"
    )
    keys: fields.ReverseRelation["MeterKey"]
    aliases: fields.ReverseRelation["MeterAlias"]

    class Meta:
        table = "meter"
        indexes = (("dwelling_id",), ("serial_key",))


class MeterAlias(Model):
    """A further radio address of a meter: of another kind of telegram, or of another radio module.

    Unique worldwide together with the addresses of meters. `serial_key` is its identification, as a resident
    may read it on the module. One that has sent an `encrypted` telegram is refused in the clear from then on.
    """

    id = fields.BigIntField(primary_key=True)
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "models.Meter", related_name="aliases", on_delete=fields.CASCADE
    )
    meter_id: int
    radio_address = fields.CharField(max_length=20, unique=True)
    serial_key = fields.CharField(max_length=40)
    encrypted = fields.BooleanField(default=False)
    added_at = fields.DatetimeField()
    added_by: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account",
        related_name="meter_aliases",
        null=True,
        on_delete=fields.SET_NULL,
        description="null: the command line",
    )
    added_by_id: int | None

    class Meta:
        table = "meter_alias"
        indexes = (("meter_id",), ("serial_key",))


class MeterKey(Model):
    """A meter's AES key, encrypted with SUBMETER_SECRET_KEY. Several while a key is being changed."""

    id = fields.BigIntField(primary_key=True)
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "models.Meter", related_name="keys", on_delete=fields.CASCADE
    )
    meter_id: int
    encrypted_key = fields.BinaryField()
    added_at = fields.DatetimeField()

    class Meta:
        table = "meter_key"
        indexes = (("meter_id",),)


class DoubtfulReading(Model):
    """A reading that does not count: in no volume, no alert and no judgement.

    Later readings may still confirm it, which makes it a row of `reading`; or the operator accepts it.
    Times are epoch seconds, as in `reading`.
    """

    id = fields.BigIntField(primary_key=True)
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "models.Meter", related_name="doubtful_readings", on_delete=fields.RESTRICT
    )
    meter_id: int
    read_at = fields.BigIntField(description="epoch seconds")
    index_value = fields.BigIntField(description="in the smallest unit of the fluid")
    status_bits = fields.IntField()
    received_at = fields.BigIntField(description="epoch seconds")
    telegram_digest = fields.BigIntField()
    evidence = fields.SmallIntField(description="see Evidence")
    doubt = fields.CharEnumField(Doubt, max_length=20, description="see Doubt")
    decided = fields.BooleanField(
        default=False, db_default=False, description="the readings after it have made it an outlier"
    )

    class Meta:
        table = "doubtful_reading"
        unique_together = (("meter", "read_at", "index_value"),)


class CompactFormat(Model):
    """Record headers of a full telegram, with which compact ones of its kind are decoded (EN 13757-3)."""

    id = fields.BigIntField(primary_key=True)
    manufacturer = fields.CharField(max_length=3)
    version = fields.SmallIntField()
    medium = fields.SmallIntField()
    headers = fields.CharField(max_length=500)
    learned_at = fields.DatetimeField()

    class Meta:
        table = "compact_format"
        unique_together = (("manufacturer", "version", "medium", "headers"),)


class MessageCounter(Model):
    """The newest message of a radio whose messages are counted and authenticated (mode 7).

    A meter has one for each of its addresses.
    """

    id = fields.BigIntField(primary_key=True)
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "models.Meter", related_name="message_counters", on_delete=fields.CASCADE
    )
    meter_id: int
    radio_address = fields.CharField(max_length=20)
    counter = fields.BigIntField()
    received_at = fields.DatetimeField()

    class Meta:
        table = "message_counter"
        unique_together = (("meter", "radio_address"),)


class TelegramState(StrEnum):
    """Whether a dead letter has been used since."""

    WAITING = "WAITING"
    REPLAYED = "REPLAYED"


class DeadLetter(Model):
    """A gateway line that could not become a reading, with the fault, its place, and the sender.

    By `line_digest` the same line, received again, is the same row: `times_seen` is incremented.
    `telegram_digest` is as in `reading`; None of a line that holds no telegram. Intake looks rows up by it.
    """

    id = fields.BigIntField(primary_key=True)
    line = fields.TextField()
    line_digest = fields.CharField(max_length=64, unique=True)
    source = fields.CharField(max_length=200)
    gateway: fields.ForeignKeyNullableRelation[Gateway] = fields.ForeignKeyField(
        "models.Gateway", related_name="dead_letters", null=True, on_delete=fields.SET_NULL
    )
    gateway_id: int | None
    received_at = fields.DatetimeField()
    stage = fields.CharField(max_length=16)
    reason = fields.CharField(max_length=40)
    byte_offset = fields.IntField(null=True)
    message = fields.CharField(max_length=300)
    radio_address = fields.CharField(max_length=20, null=True)
    telegram_digest = fields.BigIntField(null=True)
    times_seen = fields.IntField(default=1)
    state = fields.CharEnumField(TelegramState, max_length=12, default=TelegramState.WAITING)
    replayed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "dead_letter"
        indexes = (("state", "id"), ("radio_address",), ("telegram_digest",))

"""What is asked or hinted, and is no alert: recurring draws of a meter, and slow leaks below level 1."""

from tortoise import fields

from core.alerting.recurring_draws import DrawAnswer
from core.alerting.workflow import Party
from core.models.base import Model
from core.models.meters import Meter
from core.models.people import Account


class RecurringDraw(Model):
    """Draws of a meter at about the same hour in one occupancy, which the occupant is asked about once.

    It follows from burst_draw. Only asked_at and its answers are its own.
    """

    id = fields.BigIntField(primary_key=True)
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "models.Meter", related_name="recurring_draws", on_delete=fields.CASCADE
    )
    meter_id: int
    since = fields.DateField(
        null=True, description="the first day of the occupancy, or of the time without one"
    )
    first_on = fields.DateField(description="the day of the first draw")
    last_on = fields.DateField(description="the day of the last draw so far")
    draws = fields.IntField()
    minute_of_day = fields.SmallIntField(description="when the first began, by the residence's clock")
    litres = fields.BigIntField(description="of the larger of the first two draws")
    asked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "recurring_draw"
        indexes = (("meter_id",),)


class RecurringDrawAnswer(Model):
    """An answer to whose draw it is. Rows are only ever added, and the last one counts."""

    id = fields.BigIntField(primary_key=True)
    recurring: fields.ForeignKeyRelation[RecurringDraw] = fields.ForeignKeyField(
        "models.RecurringDraw", related_name="answers", on_delete=fields.CASCADE
    )
    recurring_id: int
    answer = fields.CharEnumField(DrawAnswer, max_length=12)
    party = fields.CharEnumField(Party, max_length=12)
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="draw_answers", null=True, on_delete=fields.SET_NULL
    )
    account_id: int | None
    answered_at = fields.DatetimeField()

    class Meta:
        table = "recurring_draw_answer"
        indexes = (("recurring_id", "id"),)


class BurstDraw(Model):
    """A burst that readings of a meter show (core.alerting.recurring_draws). Times in epoch seconds."""

    id = fields.BigIntField(primary_key=True)
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "models.Meter", related_name="burst_draws", on_delete=fields.CASCADE
    )
    meter_id: int
    shown_from_s = fields.BigIntField()
    shown_until_s = fields.BigIntField()
    ended_s = fields.BigIntField(null=True)
    started_s = fields.BigIntField()
    litres = fields.BigIntField()
    flow_lph = fields.IntField()
    reported = fields.BooleanField(description="the meter itself reported a burst meanwhile")
    expected = fields.BooleanField(default=False, description="it recurs, and raises no alert")
    recurring: fields.ForeignKeyNullableRelation[RecurringDraw] = fields.ForeignKeyField(
        "models.RecurringDraw", related_name="members", null=True, on_delete=fields.SET_NULL
    )
    recurring_id: int | None

    class Meta:
        table = "burst_draw"
        unique_together = (("meter", "shown_from_s"),)


class SlowLeakHint(Model):
    """A flow below level 1 that has not stopped for ten days, as hinted to an account that asked for hints.

    Only days of the account's own occupancy are looked at.
    """

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="slow_leak_hints", on_delete=fields.CASCADE
    )
    account_id: int
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "models.Meter", related_name="slow_leak_hints", on_delete=fields.CASCADE
    )
    meter_id: int
    started_on = fields.DateField(description="the first of the days without a pause")
    judged_on = fields.DateField(description="the last whole day that was looked at")
    ended_on = fields.DateField(null=True, description="the day that shows a pause, or a leak alert")
    flow_lph = fields.DecimalField(max_digits=8, decimal_places=2)
    hinted_at = fields.DatetimeField()

    class Meta:
        table = "slow_leak_hint"
        indexes = (("account_id", "meter_id"), ("meter_id", "ended_on"))

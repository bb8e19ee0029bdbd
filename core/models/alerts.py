"""Leak episodes of meters, and the alerts of dwellings that residents see."""

from typing import Any

from tortoise import fields

from core.alerting.kinds import AlertKind
from core.alerting.over_consumption import LimitPeriod
from core.alerting.workflow import AlertActionKind, KnownUse, Party
from core.consumption.fluids import Fluid
from core.models.base import Model
from core.models.meters import Meter
from core.models.people import Account
from core.models.places import Dwelling


class LeakEpisode(Model):
    """One leak of one meter from its first day on.

    Its identity is the meter and that day (C-23).
    """

    id = fields.BigIntField(primary_key=True)
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "models.Meter", related_name="leak_episodes", on_delete=fields.CASCADE
    )
    meter_id: int
    started_on = fields.DateField()
    ended_on = fields.DateField(null=True, description="exclusive: the first day without the leak")
    level_at_opening = fields.SmallIntField()
    level_now = fields.SmallIntField()
    level_max = fields.SmallIntField()
    over_range = fields.BooleanField()
    q_min_at_opening_lph = fields.DecimalField(max_digits=12, decimal_places=4)
    loss_litres = fields.DecimalField(max_digits=16, decimal_places=2, null=True)
    mean_flow_lph = fields.DecimalField(max_digits=12, decimal_places=4, null=True)
    counted_days = fields.IntField()
    segments: list[dict[str, Any]] = fields.JSONField()
    close_reason = fields.CharField(max_length=24, null=True)
    detected_at = fields.DatetimeField(null=True, description="the reading that showed the leak")
    evidence: dict[str, Any] | None = fields.JSONField(
        null=True, description="why: the rule and its figures, at the opening and at the last change"
    )
    judged_at = fields.DatetimeField()

    class Meta:
        table = "leak_episode"
        unique_together = (("meter", "started_on"),)


class LeakClassifierState(Model):
    """The classifier state of a meter up to a moment (core.leaks.classifier.stream).

    Readings after `settled_s`, epoch seconds, are processed again whenever one arrives. A reading before it
    makes the row void, and the meter's series is processed from the last checkpoint before it.
    """

    id = fields.BigIntField(primary_key=True)
    meter: fields.OneToOneRelation[Meter] = fields.OneToOneField(
        "models.Meter", related_name="leak_classifier_state", on_delete=fields.CASCADE
    )
    meter_id: int
    settled_s = fields.BigIntField()
    state = fields.BinaryField()
    changes: list[list[Any]] = fields.JSONField()

    class Meta:
        table = "leak_classifier_state"


class LeakCheckpoint(Model):
    """The classifier state of a meter as it was settled at a moment, one a month: where a late reading makes
    the classifier begin again, instead of at the meter's first reading.
    """

    id = fields.BigIntField(primary_key=True)
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "models.Meter", related_name="leak_checkpoints", on_delete=fields.CASCADE
    )
    meter_id: int
    settled_s = fields.BigIntField()
    state = fields.BinaryField()
    changes: list[list[Any]] = fields.JSONField()

    class Meta:
        table = "leak_checkpoint"
        unique_together = (("meter", "settled_s"),)


class LeakDayFlows(Model):
    """The minimum flows of the whole days of a meter with a leak, from the first day of its runs on.

    `flows_lph` are litres an hour by day (20261122), without days that have no minimum; `until_day` is the
    last day that was looked at.
    """

    id = fields.BigIntField(primary_key=True)
    meter: fields.OneToOneRelation[Meter] = fields.OneToOneField(
        "models.Meter", related_name="leak_day_flows", on_delete=fields.CASCADE
    )
    meter_id: int
    first_day = fields.IntField()
    until_day = fields.IntField()
    flows_lph: dict[str, int] = fields.JSONField()

    class Meta:
        table = "leak_day_flows"


class Alert(Model):
    """An alert to a resident. By the alert_key, judging the same readings again gives the same row."""

    id = fields.BigIntField(primary_key=True)
    alert_key = fields.CharField(max_length=80, unique=True)
    kind = fields.CharEnumField(AlertKind, max_length=20, description="see AlertKind")
    dwelling: fields.ForeignKeyRelation[Dwelling] = fields.ForeignKeyField(
        "models.Dwelling", related_name="alerts", on_delete=fields.RESTRICT
    )
    dwelling_id: int
    fluid = fields.CharEnumField(Fluid, max_length=16)
    episode: fields.ForeignKeyNullableRelation[LeakEpisode] = fields.ForeignKeyField(
        "models.LeakEpisode", related_name="alerts", null=True, on_delete=fields.CASCADE
    )
    episode_id: int | None
    meter: fields.ForeignKeyNullableRelation[Meter] = fields.ForeignKeyField(
        "models.Meter",
        related_name="alerts",
        null=True,
        on_delete=fields.CASCADE,
        description="of a condition of the meter",
    )
    meter_id: int | None
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account",
        related_name="own_alerts",
        null=True,
        on_delete=fields.CASCADE,
        description="whose own limit was passed, and who alone sees it",
    )
    account_id: int | None
    own_limit = fields.CharEnumField(LimitPeriod, max_length=8, null=True, description="see LimitPeriod")
    started_on = fields.DateField()
    ended_on = fields.DateField(null=True)
    amount = fields.BigIntField(null=True, description="over-consumption: the month's amount so far")
    threshold = fields.BigIntField(null=True, description="over-consumption: the amount that was passed")
    raised_at = fields.DatetimeField()
    last_action = fields.CharEnumField(
        AlertActionKind, max_length=16, null=True, description="of alert_action"
    )
    repaired_at = fields.DatetimeField(null=True)
    snoozed_until = fields.DateField(null=True, description="exclusive: dismissed as no leak until then")
    snoozed_level = fields.SmallIntField(null=True, description="up to which level it is snoozed")

    class Meta:
        table = "alert"
        indexes = (("dwelling_id", "ended_on"), ("episode_id",), ("last_action",), ("meter_id", "kind"))


class ConsumptionLimit(Model):
    """A resident's own limit: more than this amount a day or a month raises an alert.

    A limit applies from the day on which it was set.
    """

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="consumption_limits", on_delete=fields.CASCADE
    )
    account_id: int
    dwelling: fields.ForeignKeyRelation[Dwelling] = fields.ForeignKeyField(
        "models.Dwelling", related_name="consumption_limits", on_delete=fields.CASCADE
    )
    dwelling_id: int
    fluid = fields.CharEnumField(Fluid, max_length=16)
    period = fields.CharEnumField(LimitPeriod, max_length=8, description="see LimitPeriod")
    amount = fields.BigIntField(description="in the smallest unit of the fluid")
    set_at = fields.DatetimeField()

    class Meta:
        table = "consumption_limit"
        unique_together = (("account", "dwelling", "fluid", "period"),)
        indexes = (("dwelling_id",),)


class AlertAction(Model):
    """An action of a person on an alert, or the meter's verdict on a repair. Rows are only ever added."""

    id = fields.BigIntField(primary_key=True)
    alert: fields.ForeignKeyRelation[Alert] = fields.ForeignKeyField(
        "models.Alert", related_name="actions", on_delete=fields.CASCADE
    )
    alert_id: int
    action = fields.CharEnumField(AlertActionKind, max_length=16)
    party = fields.CharEnumField(Party, max_length=12)
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="alert_actions", null=True, on_delete=fields.SET_NULL
    )
    account_id: int | None
    done_at = fields.DatetimeField()
    repaired_at = fields.DatetimeField(null=True)
    reason = fields.CharEnumField(KnownUse, max_length=20, null=True)
    snoozed_until = fields.DateField(null=True)
    note = fields.CharField(max_length=300, default="")

    class Meta:
        table = "alert_action"
        indexes = (("alert_id", "id"),)

"""What the processes of an installation share about their own work."""

from datetime import datetime

from tortoise import fields

from core.models.base import Model


class PeriodicJob(Model):
    """When a periodic job is due. Whoever moves the moment on runs the job: once among all processes."""

    name = fields.CharField(max_length=40, primary_key=True)
    due_at: datetime = fields.DatetimeField()

    class Meta:
        table = "periodic_job"


class Recomputation(Model):
    """A recomputation that has begun and not ended. Each batch of meters moves it on, in one transaction."""

    id = fields.BigIntField(primary_key=True)
    selection = fields.CharField(
        max_length=64, unique=True, description="SHA-256 of what was asked: the day, and which meters"
    )
    begun_at: datetime = fields.DatetimeField()
    last_meter_id = fields.BigIntField(default=0, description="the last meter that is done")
    meters = fields.BigIntField(default=0, description="how many are done")
    days = fields.BigIntField(default=0, description="how many days had another volume")
    alerts = fields.BigIntField(default=0, description="how many alerts were changed")
    messages = fields.BigIntField(default=0, description="how many messages were queued")

    class Meta:
        table = "recomputation"

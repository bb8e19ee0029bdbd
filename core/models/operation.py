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

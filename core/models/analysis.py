"""The monthly statistics of an operator, as they were published."""

from datetime import datetime

from tortoise import fields

from core.models.base import Model
from core.models.places import Operator, Residence


class AnalysisPublication(Model):
    """The statistics of one month of an operator. They are computed once and not changed."""

    id = fields.BigIntField(primary_key=True)
    operator: fields.ForeignKeyRelation[Operator] = fields.ForeignKeyField(
        "models.Operator", related_name="analysis_publications", on_delete=fields.CASCADE
    )
    operator_id: int
    month = fields.IntField(description="202610")
    published_at: datetime = fields.DatetimeField()

    class Meta:
        table = "analysis_publication"
        unique_together = (("operator", "month"),)


class AnalysisRow(Model):
    """One row of a table of statistics: of a residence, or of the whole operator.

    It is about five dwellings or more (core.access.floor). Absent figures are null.
    """

    id = fields.BigIntField(primary_key=True)
    publication: fields.ForeignKeyRelation[AnalysisPublication] = fields.ForeignKeyField(
        "models.AnalysisPublication", related_name="rows", on_delete=fields.CASCADE
    )
    publication_id: int
    topic = fields.CharField(max_length=16, description="see StatisticTable")
    residence: fields.ForeignKeyNullableRelation[Residence] = fields.ForeignKeyField(
        "models.Residence",
        related_name="analysis_rows",
        null=True,
        on_delete=fields.CASCADE,
        description="null: the whole operator",
    )
    residence_id: int | None
    fluid = fields.CharField(max_length=16, null=True)
    grouping = fields.CharField(max_length=12, description="what the classes are of")
    classes = fields.CharField(max_length=500, description="joined by +, or ALL")
    dwellings = fields.IntField(description="rounded to a multiple of five")
    figures: list[float | None] = fields.JSONField(description="in the order of the topic's figures")

    class Meta:
        table = "analysis_row"
        indexes = (("publication_id", "topic", "residence_id"), ("residence_id",))

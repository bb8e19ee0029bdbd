"""Documents for residents: deposited files, and the notes on consumption that the application makes.

In: a residence, or one of its dwellings. Out: rows. The one rule: the content of a deposited file lies in the
file store under its SHA-256, that of a note in the row as figures, and neither is ever changed.
"""

from enum import StrEnum
from typing import Any

from tortoise import fields

from core.models.base import Model
from core.models.people import Account, Occupancy
from core.models.places import Dwelling, Residence


class DocumentType(StrEnum):
    """What a document is about. The notes are made by the application, all others are deposited."""

    MONTHLY_NOTE = "MONTHLY_NOTE"
    ANNUAL_NOTE = "ANNUAL_NOTE"
    CHARGES = "CHARGES"
    CONTRACT = "CONTRACT"
    INSPECTION = "INSPECTION"
    MEETING = "MEETING"
    NOTICE = "NOTICE"
    RULES = "RULES"
    WORKS = "WORKS"
    OTHER = "OTHER"

    @property
    def is_note(self) -> bool:
        return self in {DocumentType.MONTHLY_NOTE, DocumentType.ANNUAL_NOTE}


class Document(Model):
    """A document of a residence, or of one dwelling, a note of one occupancy as well.

    Without deposited_at its file was announced and has not been received. The unique key makes a note of one
    occupancy and period one row.
    """

    id = fields.BigIntField(primary_key=True)
    residence: fields.ForeignKeyRelation[Residence] = fields.ForeignKeyField(
        "models.Residence", related_name="resident_documents", on_delete=fields.CASCADE
    )
    residence_id: int
    dwelling: fields.ForeignKeyNullableRelation[Dwelling] = fields.ForeignKeyField(
        "models.Dwelling", related_name="documents", null=True, on_delete=fields.CASCADE
    )
    dwelling_id: int | None
    occupancy: fields.ForeignKeyNullableRelation[Occupancy] = fields.ForeignKeyField(
        "models.Occupancy", related_name="documents", null=True, on_delete=fields.CASCADE
    )
    occupancy_id: int | None
    type = fields.CharEnumField(DocumentType, max_length=16)
    period_on = fields.DateField(null=True, description="of a note the first day of its month or year")
    title = fields.CharField(max_length=120, default="", description="of a deposited file")
    language = fields.CharField(max_length=2)
    valid_from = fields.DateField(description="from when on it applies")
    shown_from = fields.DateField(
        description="the civil day whose occupants it is for, and from when on they see it"
    )
    for_owner = fields.BooleanField(
        default=True, description="whether an owner who lives elsewhere sees it as well"
    )
    file_name = fields.CharField(max_length=120, default="")
    media_type = fields.CharField(max_length=80, default="")
    size_bytes = fields.BigIntField(null=True)
    sha256 = fields.CharField(max_length=64, null=True)
    figures: dict[str, Any] | None = fields.JSONField(null=True, description="the content of a note")
    author: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name="documents_deposited", null=True, on_delete=fields.SET_NULL
    )
    author_id: int | None
    created_at = fields.DatetimeField()
    deposited_at = fields.DatetimeField(null=True)
    notified_at = fields.DatetimeField(null=True, description="when those who asked for it were written to")
    withdrawn_at = fields.DatetimeField(null=True)
    printed_at = fields.DatetimeField(null=True, description="of a note when it was printed first")

    class Meta:
        table = "document"
        unique_together = (("occupancy", "type", "period_on"),)
        indexes = (("dwelling_id",), ("residence_id", "type", "period_on"), ("sha256",))

"""Papers that were issued: by its code and its hash, whoever holds one can have it verified."""

from tortoise import fields

from core.documents.issued import IssuedPaperKind, PaperSide
from core.models.alerts import Alert
from core.models.base import Model
from core.models.people import Account, Occupancy
from core.models.places import Dwelling


class IssuedPaper(Model):
    """A file that was handed out, with the code that is printed on it and the hash of its bytes.

    `content` is the file itself, for as long as it may be fetched again. The row remains, so that a paper can
    be verified for as long as it is used. No name, no index and no figure of it is in another column.
    """

    id = fields.BigIntField(primary_key=True)
    code = fields.CharField(max_length=16, unique=True)
    kind = fields.CharEnumField(IssuedPaperKind, max_length=20)
    dwelling: fields.ForeignKeyRelation[Dwelling] = fields.ForeignKeyField(
        "models.Dwelling", related_name="issued_papers", on_delete=fields.RESTRICT
    )
    dwelling_id: int
    first_day = fields.DateField(description="of the days that it is about")
    last_day = fields.DateField(description="of an index: the day whose end it is of")
    issued_at = fields.DatetimeField()
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account",
        related_name="issued_papers",
        null=True,
        on_delete=fields.SET_NULL,
        description="to whom it was issued, null for a copy of a move",
    )
    account_id: int | None
    occupancy: fields.ForeignKeyNullableRelation[Occupancy] = fields.ForeignKeyField(
        "models.Occupancy",
        related_name="issued_papers",
        null=True,
        on_delete=fields.SET_NULL,
        description="of a copy of a move: whose it is",
    )
    occupancy_id: int | None
    side = fields.CharEnumField(PaperSide, max_length=8, null=True)
    alert: fields.ForeignKeyNullableRelation[Alert] = fields.ForeignKeyField(
        "models.Alert", related_name="issued_papers", null=True, on_delete=fields.SET_NULL
    )
    alert_id: int | None
    move_key = fields.CharField(
        max_length=80, null=True, unique=True, description="of a copy of a move, one each"
    )
    file_name = fields.CharField(max_length=120)
    media_type = fields.CharField(max_length=100)
    sha256 = fields.CharField(max_length=64)
    size = fields.IntField()
    content = fields.BinaryField(null=True)

    class Meta:
        table = "issued_paper"
        indexes = (("dwelling_id", "id"), ("account_id",), ("issued_at",))

"""The base of the application's tables.

In: a class of fields. Out: a Tortoise model. The one rule: a column is described by its `description`.
Tortoise would look for descriptions in comments too, and for that parse the source of every model in every
process that starts: 0.1 s.
"""

from typing import Any

from tortoise.models import Model as TortoiseModel
from tortoise.models import ModelMeta


class _WithoutComments(ModelMeta):
    def __new__(  # noqa: PYI034 - Self has no meaning in a metaclass
        cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]
    ) -> "_WithoutComments":
        made = super().__new__(cls, name, bases, {**attributes, "_no_comments": True})
        assert isinstance(made, cls)
        return made


class Model(TortoiseModel, metaclass=_WithoutComments):
    """A table."""

    class Meta:
        abstract = True

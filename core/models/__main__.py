"""Prints the initial migration: `make migration` writes it to core/migrations/0001_initial.py.

In: the models, and the part of the migration above its mark, which is written by hand. Out: the migration
with every model stated in literals. The one rule: only for as long as no released version has made a database
by that migration; from then on a change of the models is a migration of its own (decision 3).
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from textwrap import wrap
from typing import Any

from tortoise.context import TortoiseContext
from tortoise.fields.base import OnDelete
from tortoise.fields.data import CharEnumFieldInstance
from tortoise.indexes import Index
from tortoise.migrations.operations import CreateModel
from tortoise.migrations.schema_generator.operation_generator import OperationGenerator
from tortoise.migrations.schema_generator.state import ModelState, State
from tortoise.migrations.schema_generator.state_apps import StateApps

INITIAL = Path(__file__).resolve().parents[1] / "migrations/0001_initial.py"
MARK = "# Written by `make migration` from here on.\n"
_APP = "models"
_CONFIG = {
    "connections": {"sqlite": "sqlite://:memory:"},  # never opened
    "apps": {_APP: {"models": ["core.models"], "default_connection": "sqlite"}},
}
_IMPLIED = {
    "auto_now": False,
    "auto_now_add": False,
    "db_constraint": True,
    "to_field": "id",
    "unique": False,
}
"""The defaults of a field's options."""

_IMPLIED_BY_KEY = {"generated", "unique", "db_index"}
_NOT_OF_THE_TABLE = {"encoder", "decoder"}


def initial_migration(written: str) -> str:
    """The migration as it should stand in its file.

    Args:
        written: the migration as it stands there now; its part above the mark is kept.
    """
    by_hand, mark, _ = written.partition(MARK)
    if not mark:
        raise ValueError(f"the migration has no line {MARK!r}")
    return by_hand + mark + "\n".join(_lines(_models())) + "\n"


def _models() -> list[CreateModel]:
    """The models as Tortoise would create them: those that others refer to come first."""

    async def states() -> dict[tuple[str, str], ModelState]:
        async with TortoiseContext() as context:
            await context.init(config=_CONFIG)
            if context.apps is None:
                raise RuntimeError("Tortoise found no models")
            models = context.apps[_APP]
            return {(_APP, name): ModelState.make_from_model(_APP, model) for name, model in models.items()}

    empty = State(models={}, apps=StateApps())
    operations = OperationGenerator(empty, State(models=asyncio.run(states()), apps=StateApps())).generate()
    return [operation for operation in operations if isinstance(operation, CreateModel)]


def _lines(models: list[CreateModel]) -> Iterator[str]:
    for name, values in sorted(_value_sets(models).items()):
        stated = f"{name} = one_of({', '.join(map(_literal, values))})"
        yield from wrap(stated, width=110, subsequent_indent="    ", break_long_words=False)
    yield ""
    yield ""
    yield "class Migration(migrations.Migration):"
    yield "    initial = True"
    yield "    operations = ["
    yield "        CreateModels("
    for model in models:
        yield from _model_lines(model)
    yield "        ),"
    yield "        ops.RunPython(code=add_what_tortoise_cannot_model),"
    yield "    ]"


def _value_sets(models: list[CreateModel]) -> dict[str, tuple[str, ...]]:
    """The closed sets of values, by the name of their enum."""
    found: dict[str, tuple[str, ...]] = {}
    for model in models:
        for name, field in model.fields:
            if isinstance(field, CharEnumFieldInstance):
                values = tuple(str(member.value) for member in field.enum_type)
                if found.setdefault(field.enum_type.__name__, values) != values:
                    raise ValueError(f"{model.name}.{name}: two enums are called {field.enum_type.__name__}")
    return found


def _model_lines(model: CreateModel) -> Iterator[str]:
    columns = dict(model.fields)
    backing = {getattr(field, "source_field", None) for field in columns.values()}  # meter_id of meter
    yield f"            ops.CreateModel({_literal(model.name)}, ["
    for name, field in columns.items():
        if name not in backing:
            yield f"                ({_literal(name)}, {_field(field)}),"
    options = [
        f"{_literal(name)}: {_literal(value)}"
        for name, value in (model.options or {}).items()
        if name not in ("app", "pk_attr")
    ]
    yield f"            ], {{{', '.join(options)}}}),"


def _field(field: Any) -> str:
    path, _, arguments = field.deconstruct()
    positional: list[str] = []
    if field.pk:
        arguments = {name: value for name, value in arguments.items() if name not in _IMPLIED_BY_KEY}
    if isinstance(field, CharEnumFieldInstance):
        positional.append(arguments.pop("enum_type").__name__)
        if arguments["description"] == _description_of_values(field.enum_type):
            del arguments["description"]
    if "model_name" in arguments:
        positional.append(_literal(arguments.pop("model_name")))
    stated = [
        f"{argument}={_literal(value)}"
        for argument, value in arguments.items()
        if argument not in _NOT_OF_THE_TABLE and not (argument in _IMPLIED and value == _IMPLIED[argument])
    ]
    kind = path.rsplit(".", 1)[1].removesuffix("Instance")
    return f"fields.{kind}({', '.join(positional + stated)})"


def _description_of_values(values: type[Enum]) -> str:
    """What Tortoise says of an enum's column where its model says nothing, and so of the migration's, too."""
    return "\n".join(f"{member.value}: {member.value}" for member in values)


def _literal(value: object) -> str:
    match value:
        case OnDelete():
            return f"fields.{value.name}"
        case Enum():
            return _literal(value.value)
        case str():
            return json.dumps(value, ensure_ascii=False)  # quoted as Python quotes it
        case Index():
            return _literal(tuple(value.field_names))
        case list():
            return f"[{', '.join(map(_literal, value))}]"
        case tuple():
            return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
        case None | bool() | int():
            return repr(value)
    raise TypeError(f"{value!r} has no literal here")


if __name__ == "__main__":
    sys.stdout.write(initial_migration(INITIAL.read_text(encoding="utf-8")))

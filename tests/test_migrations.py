"""The migrations: what they may know, what they cost, and that they say what the models say."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from tortoise.migrations.schema_generator.state import ModelState

from core import migrations, models
from core.bootstrap import migrate
from core.settings import Settings

FOLDER = Path(migrations.__file__).parent
ROOT = FOLDER.parents[1]


def _imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_a_migration_imports_nothing_of_the_application(path) -> None:
    """Only the standard library and Tortoise: what an old migration makes does not change with our names."""
    roots = {name.partition(".")[0] for name in _imported(path)}
    assert roots - sys.stdlib_module_names <= {"tortoise"}


def test_the_initial_migration_says_what_the_models_say() -> None:
    """`make migration` prints it anew, until 0.2 is released."""
    printed = subprocess.run(
        [sys.executable, "-m", "core.models"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert printed == (FOLDER / "0001_initial.py").read_text(encoding="utf-8")


async def test_an_empty_database_costs_each_model_a_few_times(tmp_path, monkeypatch) -> None:
    """Tortoise makes a class of every model between two operations: many operations would make thousands."""
    made = []
    render = ModelState.render

    def counted(state, *arguments, **options):
        made.append(state.name)
        return render(state, *arguments, **options)

    monkeypatch.setattr(ModelState, "render", counted)
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    assert await migrate(Settings(data_dir=tmp_path, database_url=url, secret_key="x" * 32))
    tables = [name for name in models.__all__ if hasattr(getattr(models, name), "_meta")]
    assert set(made) == set(tables)
    assert len(made) <= 3 * len(tables)

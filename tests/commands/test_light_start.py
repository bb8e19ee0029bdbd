"""What a command imports: a shell that asks for a version does not wait for a database library."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"matplotlib", "numpy", "reportlab", "strawberry", "tortoise", "vonage", "xlsxwriter", "zxcvbn"}
VECTORS = Path(__file__).parents[1] / "data/own_vectors.json"
TELEGRAM = json.loads(VECTORS.read_text(encoding="utf-8"))["records"][0]["telegram"]
RUN = """
import sys
from importlib.metadata import entry_points

(command,) = entry_points(group="console_scripts", name="submeter")
try:
    command.load()()
except SystemExit as ended:
    assert not ended.code, ended.code
sys.stderr.write(" ".join(sys.modules))
"""


def imported_by(tmp_path: Path, *arguments: str) -> set[str]:
    """The modules that the command has imported by its end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUBMETER_")}
    environment["SUBMETER_DATA_DIR"] = str(tmp_path)
    ended = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return set(ended.stderr.split())


@pytest.mark.parametrize(
    "arguments", [("--version",), ("--help",), ("decode", TELEGRAM), ("drivers", "list")]
)
def test_a_command_without_a_database_starts_without_one(tmp_path, arguments) -> None:
    """Nor does it load what only a server, a statement or a figure needs."""
    assert imported_by(tmp_path, *arguments) & HEAVY == set()


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)], ids=" ".join)
def test_a_version_is_printed_without_any_part_of_the_product(tmp_path, arguments) -> None:
    """Neither decoders nor commands are loaded to say what there is."""
    ours = {name for name in imported_by(tmp_path, *arguments) if name.split(".")[0] in ("core", "drivers")}
    assert ours == {
        "core",
        "core.document_settings",
        "core.errors",
        "core.graphql_settings",
        "core.portal_urls",
        "core.retention_periods",
        "core.settings",
    }


def test_tables_are_found_up_to_date_without_the_models(tmp_path) -> None:
    """`migrate` asks the database what it has, and loads models and migrations only to add to it."""
    assert "core.models" in imported_by(tmp_path, "migrate")
    assert "core.models" not in imported_by(tmp_path, "migrate")

"""The order of the tree: no import circle, rooms taken in at a glance, one class a name on a floor.

Imports under `TYPE_CHECKING` count. The layers themselves are the contracts of `pyproject.toml`; what
stands here is what those cannot say.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("core", "drivers", "graphql_schema", "notifications", "submeter")
FLOORS = (
    (*(f"core/{name}.py" for name in ("errors", "language", "settings", "leak_thresholds", "sanitize")),),
    ("core/mbus", "core/consumption", "core/access", "core/rate_limit_store.py"),
    ("core/metering", "core/operators"),
    (
        "core/leaks",
        "core/alerting",
        "core/registration",
        "core/documents",
        "core/texts",
        "core/bootstrap.py",
        "drivers",
    ),
    ("core/models",),
    ("core/services",),
    ("graphql_schema",),
    ("notifications",),
    ("submeter",),
)
MOST_SERVICES = 17
MOST_FILES = 20
LONGEST_FILE = 400
PRINTED = {"core/migrations/0001_initial.py"}
"""Made by a command, and as long as the tables are many."""


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _files(*folders: str) -> list[Path]:
    roots = [ROOT / folder for folder in folders]
    return sorted(path for root in roots for path in ([root] if root.is_file() else root.rglob("*.py")))


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def _modules() -> dict[str, Path]:
    return {_name(path): path for path in _files(*PACKAGES)}


def _imports(path: Path) -> Iterator[str]:
    """Every module and every name of one that a file imports, wherever in the file it does."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, (_above(path, node.level), node.module)))
            names = [f"{module}.{alias.name}" for alias in node.names]
            yield from names
            if not all(name in _modules() for name in names):  # a name of the module itself
                yield module


def _above(path: Path, level: int) -> str:
    """The package that the dots of a relative import mean; nothing for an absolute one."""
    return ".".join(path.relative_to(ROOT).parts[:-level]) if level else ""


def test_no_two_modules_import_each_other() -> None:
    """There is no circle of imports, however long, those that only a type checker follows included."""
    graph = {
        name: {wanted for wanted in _imports(path) if wanted in _modules() and wanted != name}
        for name, path in _modules().items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        raise AssertionError(" -> ".join(circle.args[1])) from None


def test_the_services_are_few_rooms() -> None:
    """`core/services` is packages by domain, and few enough to be read as a list."""
    entries = [path for path in (ROOT / "core/services").iterdir() if path.name[:2] != "__"]
    assert len(entries) <= MOST_SERVICES


def test_no_folder_is_a_heap() -> None:
    """A folder of code, tests included, holds at most twenty files."""
    folders = Counter(path.parent for path in _files(*PACKAGES, "tests", "bench") if path.stem != "__init__")
    assert {str(folder): number for folder, number in folders.items() if number > MOST_FILES} == {}


def test_no_file_is_longer_than_a_subject() -> None:
    """A file has at most 400 lines."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in _files(*PACKAGES, "tests", "bench")
    }
    assert {
        name: number for name, number in lengths.items() if number > LONGEST_FILE and name not in PRINTED
    } == {}


def test_a_name_is_one_class_on_a_floor() -> None:
    """Two classes of one name never meet on one floor; the same noun on several floors is wanted."""
    twice = {}
    for floor in FLOORS:
        places = defaultdict(list)
        for path in _files(*floor):
            for node in _tree(path).body:
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(str(path.relative_to(ROOT)))
        twice |= {name: where for name, where in places.items() if len(where) > 1}
    assert twice == {}

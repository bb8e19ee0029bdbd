"""docs/requirements.md and the tests that cite it; `make requirements` brings the page up to date.

In: the page, whose rows are written by hand but for their last column, and the `@pytest.mark.requirement`
markers of the tests, read from the source without importing one. Out: the page with the tests that name each
row, and the numbers that are cited anywhere. The one rule: a row has tests that name its number, or says why
none can; tests/test_repository.py holds the page to that.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "requirements.md"
NUMBER = re.compile(r"\b(?:R|C|CN|EED|FR|NL|PW|WAR)-\d{2,3}\b")
NONE = "none: "
NAMED_IN_A_ROW = 3
"""More names than this say how many they are: a reader wants an example."""

_ROW = re.compile(rf"^\| ({NUMBER.pattern}) \| (.*?) \| (.*?) \| ?(.*?) ?\|$")


@dataclass(frozen=True, slots=True)
class Row:
    """A requirement: its number, what it asks, where that is served, and the tests or why there is none."""

    number: str
    asks: str
    served_by: str
    tests: str

    def __str__(self) -> str:
        return f"| {self.number} | {self.asks} | {self.served_by} | {self.tests} |"


@dataclass(frozen=True, slots=True, order=True)
class Proof:
    """A test that names a requirement; one that names few comes before one that names many."""

    names: int
    file: str
    line: int
    test: str

    def __str__(self) -> str:
        return f"`{self.file}::{self.test}`"


def rows(text: str) -> list[Row]:
    """The rows of the page, in order."""
    return [Row(*found.groups()) for line in text.splitlines() if (found := _ROW.match(line))]


def proofs() -> dict[str, list[Proof]]:
    """The tests that name each number, the most particular first.

    Raises:
        ValueError: a marker is not on a test's own decorator, or its numbers are not written out.
    """
    found: dict[str, list[Proof]] = {}
    folder = ROOT / "tests"
    for path in sorted(folder.rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        if ".requirement" not in source:
            continue
        name = path.relative_to(folder).as_posix()
        tree = ast.parse(source)
        read = 0
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            markers = [marker for decorator in node.decorator_list for marker in _markers(decorator)]
            read += len(markers)
            numbers = [_literal(argument, name) for marker in markers for argument in marker.args]
            for number in numbers:
                found.setdefault(number, []).append(Proof(len(numbers), name, node.lineno, node.name))
        if read != len(list(_markers(tree))):
            raise ValueError(f"A requirement is named elsewhere than on a test in tests/{name}.")
    return {number: sorted(tests) for number, tests in found.items()}


def _markers(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
            yield node


def _literal(argument: ast.expr, name: str) -> str:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    raise ValueError(f"A requirement is not named by its number in tests/{name}.")


def up_to_date(text: str) -> str:
    """The page as the tests have it now.

    Raises:
        ValueError: a test names what is no row, or a row has neither a test nor a reason.
    """
    proved = proofs()
    if unknown := sorted(proved.keys() - {row.number for row in rows(text)}):
        raise ValueError(f"Tests name what is not in {PAGE.name}: {', '.join(unknown)}.")
    lines = text.splitlines()
    for position, line in enumerate(lines):
        if found := _ROW.match(line):
            row = Row(*found.groups())
            lines[position] = str(replace(row, tests=_tests_of(row, proved.get(row.number, []))))
    return "\n".join(lines) + "\n"


def _tests_of(row: Row, tests: list[Proof]) -> str:
    if not tests:
        if row.tests.startswith(NONE) and row.tests != NONE:
            return row.tests
        raise ValueError(f"No test names {row.number}, and {PAGE.name} does not say why ({NONE}...).")
    shown = [str(test) for test in tests[:NAMED_IN_A_ROW]]
    more = len(tests) - len(shown)
    return "<br>".join(shown) + (f" and {more} more" if more else "")


def cited() -> dict[str, list[str]]:
    """Every number that a committed file names, and those files."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = {}
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path == PAGE or path.suffix == ".lock" or not path.is_file():
            continue
        for number in sorted(set(NUMBER.findall(path.read_text(encoding="utf-8")))):
            found.setdefault(number, []).append(name)
    return found


def main() -> None:
    """Rewrite the page's last column, and say how many rows a test proves."""
    try:
        text = up_to_date(PAGE.read_text(encoding="utf-8"))
    except ValueError as error:
        sys.exit(str(error))
    PAGE.write_text(text, encoding="utf-8")
    listed = rows(text)
    without = [row for row in listed if row.tests.startswith(NONE)]
    print(f"{len(listed) - len(without)} of {len(listed)} requirements are named by a test.")
    for row in without:
        print(f"{row.number} {row.tests}")


if __name__ == "__main__":
    main()

"""The application's own rules that no linter knows: what is committed, locked, documented and migrated."""

import re
import subprocess
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from graphql import build_schema

from core.settings import PREFIX, Settings
from tests.support import requirements

ROOT = Path(__file__).resolve().parent.parent
READ_FROM_ELSEWHERE = {
    "session_lifetime": "SESSION_DAYS",
    "message_retention": "MESSAGE_DAYS",
    "audit_retention": "AUDIT_DAYS",
    "retention": "READING_MONTHS",
}


def _committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def _texts() -> list[tuple[Path, str]]:
    return [(path, path.read_text(encoding="utf-8")) for path in _committed()]


def test_no_unfinished_work_is_left_in_the_tree() -> None:
    """No note of work to be done and no stub stands in the code."""
    unfinished = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|raise NotImpl" r"ementedError")
    assert [path for path, text in _texts() if path.suffix == ".py" and unfinished.search(text)] == []


def test_nothing_names_a_machine_or_a_package_index() -> None:
    """No committed file names a path of a developer's machine or a package registry's host."""
    named = re.compile(r"p[y]pi\.org|python[h]osted|npm[j]s\.(org|com)|/(work|farm|home)/\w+/|bash_job[s]")
    assert [path for path, text in _texts() if path.name != "test_repository.py" and named.search(text)] == []


@pytest.mark.parametrize("name", ["docs/settings.md", ".env.example"])
def test_every_setting_is_documented(name: str) -> None:
    """Each field of Settings stands in the docs and the example under the variable that sets it."""
    text = (ROOT / name).read_text(encoding="utf-8")
    variables = [
        PREFIX + READ_FROM_ELSEWHERE.get(field.name, field.name.upper()) for field in fields(Settings)
    ]
    assert [variable for variable in variables if variable not in text] == []


def test_the_readme_fits_a_screen_and_names_what_exists() -> None:
    """The README is short, and each file that it and the docs link to is there."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 80
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_way_to_check_checks_the_same() -> None:
    """`make check`, the hooks before a commit and both CI files; a part that one has the others have."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    parts = re.search(r"^check: (.+?) ##", makefile, re.MULTILINE)
    assert parts is not None
    assert parts[1].split() == re.findall(r"entry: make ([\w-]+)", hooks)
    for name in (".ci/run", ".github/workflows/ci.yml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert set(re.findall(r"make ([\w-]+)$", text, re.MULTILINE)) == {"check", "check-locks", "test"}


def test_the_pythons_that_are_named_are_those_that_ci_runs() -> None:
    """What the package says of itself begins with the oldest that it takes, and has been run."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    named = [f"3.{one.removeprefix(prefix)}" for one in project["classifiers"] if one.startswith(prefix)]
    matrix = re.search(r"python: \[(.+)\]", (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert matrix is not None
    assert f">={named[0]}" == project["requires-python"]
    assert set(named) <= set(re.findall(r"3\.\d+", matrix[1]))


def test_make_alone_lists_the_targets() -> None:
    """Bare `make` prints every documented target and does nothing."""
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in (
        "demo",
        "demo-reset",
        "test",
        "check",
        "check-locks",
        "requirements",
        "supported-meters",
        "lock",
    ):
        assert f"make {target} " in listed


def test_every_requirement_that_is_named_can_be_looked_up() -> None:
    """Each number in the tree is a row of docs/requirements.md, once and in the order of its kind."""
    listed = [row.number for row in requirements.rows(requirements.PAGE.read_text(encoding="utf-8"))]
    assert len(set(listed)) == len(listed) > 250
    for kind in {number.split("-")[0] for number in listed}:
        of_kind = [number for number in listed if number.startswith(f"{kind}-")]
        assert of_kind == sorted(of_kind)
    unlisted = {number: files for number, files in requirements.cited().items() if number not in listed}
    assert unlisted == {}


def test_each_requirement_names_its_tests_or_says_why_none_can() -> None:
    """The page names the tests whose markers name the number; `make requirements` writes it anew."""
    text = requirements.PAGE.read_text(encoding="utf-8")
    assert requirements.up_to_date(text) == text


def test_where_a_requirement_is_served_is_there() -> None:
    """Each field, type or command that the page names exists."""
    types = build_schema((ROOT / "graphql_schema" / "schema.graphql").read_text(encoding="utf-8")).type_map
    missing = []
    for row in requirements.rows(requirements.PAGE.read_text(encoding="utf-8")):
        assert row.asks.endswith("."), row.number
        for name in re.findall(r"`([^`]+)`", row.served_by):
            if name.startswith("submeter "):
                command = name.removeprefix("submeter ")
                found = any((ROOT / "submeter" / "commands").rglob(f"{command}.py"))
            else:
                owner, _, member = name.partition(".")
                kind = types.get(owner)
                members = {**getattr(kind, "fields", {}), **getattr(kind, "values", {})}
                found = kind is not None and (not member or member in members)
            if not found:
                missing.append((row.number, name))
    assert missing == []


def test_what_clients_read_needs_no_list_of_numbers() -> None:
    """Neither the schema's descriptions nor the commands' help name a requirement by its number."""
    read = [ROOT / "graphql_schema" / "schema.graphql", *(ROOT / "submeter" / "commands").glob("*.py")]
    named = {path.name: requirements.NUMBER.findall(path.read_text(encoding="utf-8")) for path in read}
    assert {name: numbers for name, numbers in named.items() if numbers} == {}

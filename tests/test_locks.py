"""The locks: what is declared is bounded and locked, and what is locked is whole. No index is asked.

That each lock makes an environment by every pip is tried by `make check-locks`, which asks one.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.check_locks import needed

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "deploy/requirements.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DECLARED = {
    "requirements.lock": [*PROJECT["dependencies"], *EXTRAS["build"]],
    "requirements-dev.lock": [*PROJECT["dependencies"], *EXTRAS["build"], *EXTRAS["dev"]],
    "deploy/requirements.lock": [
        *PROJECT["dependencies"],
        *(need for extra in ("build", "mqtt", "opentelemetry", "redis", "s3") for need in EXTRAS[extra]),
    ],
}
OF_CODE = ("requirements-dev.lock", "requirements.lock")
"""Those whose libraries our code imports."""

UNBOUNDED = {"tzdata"}
"""Numbered by year; whoever holds it back has the wrong time."""

PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def locked(name: str) -> Iterator[Requirement]:
    """The entries of a lock file, by name, version and marker."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\S)", text.strip()):
        yield Requirement(entry.partition("\\")[0])


def on(python: str) -> dict[str, str]:
    """What a marker is held against on this machine, under another Python."""
    return {**default_environment(), "python_version": python, "python_full_version": f"{python}.7"}


def versions(name: str, python: str) -> dict[str, str]:
    """What a lock installs under a Python: versions by name."""
    return {
        canonicalize_name(one.name): str(next(iter(one.specifier)).version)
        for one in locked(name)
        if one.marker is None or one.marker.evaluate(on(python))
    }


def wanted(needs: Iterable[str], python: str) -> dict[str, list[Requirement]]:
    """Every requirement of these and of what they need in turn, with its extras, by name."""
    found: dict[str, list[Requirement]] = {}
    waiting = [(Requirement(need), frozenset[str]()) for need in needs]
    seen = set()
    while waiting:
        need, extras = waiting.pop()
        applies = need.marker is None or any(
            need.marker.evaluate({**on(python), "extra": extra}) for extra in ("", *extras)
        )
        name = canonicalize_name(need.name)
        if not applies or (str(need), extras) in seen:
            continue
        seen.add((str(need), extras))
        found.setdefault(name, []).append(need)
        if (known := installed(name)) is not None:
            waiting += [(Requirement(one), frozenset(need.extras)) for one in known.requires or ()]
    return found


def installed(name: str) -> Distribution | None:
    """A library of this environment; another Python or machine may have others."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


@pytest.mark.parametrize("name", [*LOCKS, "tools/pip.lock"])
def test_every_locked_dependency_has_a_version_and_hashes(name: str) -> None:
    """The lock files pin by version and hash, and hold no address."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+(\[[a-z]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_what_is_declared_ends_before_the_next_major_version() -> None:
    """A version that may break is taken in by a change, not by the day of an installation."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    declared = [*PROJECT["dependencies"], *build, *(need for extra in EXTRAS.values() for need in extra)]
    open_ended = {
        need.name
        for need in map(Requirement, declared)
        if not {"<", "=="} & {specifier.operator for specifier in need.specifier}
    }
    assert open_ended == UNBOUNDED


def test_a_library_has_the_same_bounds_wherever_it_is_declared() -> None:
    """What the tests install of an extra is what the extra installs."""
    bounds: dict[str, set[str]] = {}
    for need in map(
        Requirement, [*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)]
    ):
        bounds.setdefault(need.name, set()).add(str(need.specifier))
    assert {name: found for name, found in bounds.items() if len(found) > 1} == {}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_everything_that_its_libraries_need(name: str, python: str) -> None:
    """Each requirement, of extras too, is locked in a version that suits; nothing is locked for nobody."""
    held, needs = versions(name, python), wanted(DECLARED[name], python)
    assert sorted(set(needs) - set(held)) == []
    assert sorted(set(held) - set(needs)) == []
    unsuited = [
        (str(need), held[library])
        for library, found in needs.items()
        for need in found
        if not need.specifier.contains(held[library], prereleases=True)
    ]
    assert unsuited == []


@pytest.fixture(scope="module")
def modules() -> dict[str, list[str]]:
    """The modules that each lock has to bring: every file of the repository is parsed for it."""
    return needed()


def test_each_lock_that_code_asks_for_is_looked_at(modules: dict[str, list[str]]) -> None:
    """None is left out below."""
    assert sorted(modules) == sorted(OF_CODE)


@pytest.mark.parametrize("name", OF_CODE)
def test_a_lock_holds_every_library_that_the_code_imports(name: str, modules: dict[str, list[str]]) -> None:
    """The shipped code finds its own in the lock of a server; tests and benches find theirs beside."""
    brought_by = packages_distributions()
    held = {canonicalize_name(one.name) for one in locked(name)}
    imported = {module.partition(".")[0] for module in modules[name]}
    assert imported >= {"tortoise", "strawberry", "cyclopts"}
    assert [
        module
        for module in sorted(imported)
        if not held & {canonicalize_name(one) for one in brought_by.get(module, ())}
    ] == []

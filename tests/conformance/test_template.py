"""core.metering.template: what `submeter drivers new` writes is sound for any name."""

import ast
import tomllib
from pathlib import Path

import pytest

from core.metering import template
from core.metering.conformance import CHECKS, importable, plugins_in, run_checks, subjects_of
from core.metering.template import UnusableName, maker_of, package_files, telegrams


@pytest.mark.parametrize(
    ("name", "maker"), [("acme", "ACM"), ("zz", "ZZZ"), ("a1b2", "QQQ"), ("w" * 30, "AAA")]
)
def test_a_new_package_passes_every_check_as_it_is(package, name: str, maker: str) -> None:
    """Whatever the name and the letters: the telegrams are made for them, and all checks pass."""
    folder = package(name, maker)
    with importable(folder):
        subjects, broken = subjects_of(plugins_in(folder))
        results = run_checks(subjects)
    assert broken == ()
    assert [result.check for result in results] == [check.name for check in CHECKS]
    assert [result for result in results if not result.passed] == []
    assert len(subjects[0].vectors) == 2
    assert subjects[0].vectors[1].key is not None


@pytest.mark.parametrize(
    "name", ["", "a", "Acme", "acme-water", "1acme", "acme water", "acmé", "a" * 31, "../acme"]
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """A driver's name is one lower-case word; the refusal shows what was given."""
    with pytest.raises(UnusableName, match="no name of a driver"):
        package_files(name, "ACM")


def test_reserved_names_are_refused() -> None:
    """`generic` is the driver of meters that nobody claims."""
    with pytest.raises(UnusableName, match="reserved name"):
        package_files("generic", "GEN")


@pytest.mark.parametrize("maker", ["", "AC", "acm", "ACME", "AC1"])
def test_letters_that_are_none_are_refused(maker: str) -> None:
    """A maker has three letters, A to Z."""
    with pytest.raises(UnusableName, match="letters of a maker"):
        package_files("acme", maker)


def test_the_letters_are_those_of_the_name_where_it_has_three() -> None:
    """`acme` gives ACM; a name without three letters asks for --maker."""
    assert maker_of("acme") == "ACM"
    with pytest.raises(UnusableName, match="--maker"):
        maker_of("a1")


def test_the_project_file_declares_the_entry_point() -> None:
    """The one line that an installation needs, and the telegrams travel with the package."""
    project = tomllib.loads(package_files("acme", "ACM")["pyproject.toml"])
    assert project["project"]["entry-points"]["submeter.drivers"] == {"acme": "submeter_acme"}
    assert "vectors.toml" in project["tool"]["setuptools"]["package-data"]["submeter_acme"]


def test_the_driver_is_short() -> None:
    """A driver that reads two kinds of meters fits on a screen."""
    assert len(package_files("acme", "ACM")["submeter_acme/driver.py"].splitlines()) <= 45


@pytest.mark.parametrize("module", [template, telegrams])
def test_the_encoder_shares_nothing_with_the_decoder(module) -> None:
    """Its telegrams prove something, since it imports nothing of core.mbus."""
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in imported if name.startswith("core.mbus")}

"""Our wheel beside another distribution that has a package of the same name: it is reported, and not run."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from submeter import installation
from tests.conformance.conftest import build, pip

STRANGER = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "stranger"
version = "1.0"

[tool.setuptools]
packages = ["{package}"]
"""
RUN = "print('the stranger runs')\n"


def strange(folder: Path, package: str, *files: str) -> Path:
    """The source of a distribution that has this package, with these files beside `__init__.py`."""
    (folder / package).mkdir(parents=True)
    for name in ("__init__.py", *files):
        (folder / package / name).write_text(RUN)
    (folder / "pyproject.toml").write_text(STRANGER.format(package=package))
    return folder


def refused(answer: subprocess.CompletedProcess[str], path: Path) -> str:
    """The line that is all the output; it names the file."""
    assert answer.returncode == 1
    (line,) = answer.stdout.splitlines()
    assert line.startswith(f"INSTALLATION: {path} is not Submeter's: another distribution")
    return line


def test_a_package_that_was_laid_over_ours_is_reported(environment, tmp_path: Path) -> None:
    """Both wheels in one site-packages: the command names the file and the distribution that brought it."""
    assert environment.run("submeter --version", cwd=tmp_path).returncode == 0
    (site,) = (environment.folder / "lib").glob("python*/site-packages")
    wheel = build(strange(tmp_path / "source", "core"), tmp_path / "wheel")
    pip("--python", environment.python, "install", "--no-deps", wheel)
    line = refused(environment.run("submeter --version", cwd=tmp_path), site / "core" / "__init__.py")
    assert "another distribution (stranger) has a package of the same name." in line


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Path:
    """A folder that our wheel was unpacked into."""
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    return tmp_path / "site"


def submeter(*path: Path) -> subprocess.CompletedProcess[str]:
    """The command, of the first folder of these that has it."""
    return subprocess.run(
        [sys.executable, "-c", "from submeter.main import main; main()", "--version"],
        cwd=path[-1].parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("package", ["core", "drivers"])
def test_a_package_that_python_finds_before_ours_is_reported(
    site: Path, tmp_path: Path, package: str
) -> None:
    """A folder ahead of ours; without a package of our names it is no trouble."""
    ahead = strange(tmp_path / "ahead", package)
    refused(submeter(ahead, site), ahead / package / "__init__.py")
    (ahead / package).rename(ahead / "another")
    assert submeter(ahead, site).returncode == 0


def test_a_module_beside_ours_is_reported_too(site: Path) -> None:
    """Where a folder `settings` would be found before our file `settings.py`."""
    laid = site / "core" / "settings" / "__init__.py"
    laid.parent.mkdir()
    laid.write_text(RUN)
    refused(submeter(site), laid)
    laid.unlink()
    assert submeter(site).returncode == 0


@pytest.mark.parametrize("name", ["core/__init__.py", "core/errors.py"])
def test_a_file_that_a_stranger_took_along_is_reported(site: Path, name: str) -> None:
    """Whoever uninstalls a distribution that had laid a file over ours removes it."""
    (site / name).unlink()
    answer = submeter(site)
    assert answer.returncode == 1
    assert answer.stdout.startswith(f"INSTALLATION: {site / name} is missing: another distribution")


def test_a_checkout_is_its_own() -> None:
    """As it lies here, installed editable or not at all."""
    assert installation.what_is_wrong() is None


def test_the_look_loads_nothing() -> None:
    """Nothing of the application, and not the library that reads what is installed: every start pays it."""
    program = "import sys, submeter.installation as it; it.what_is_wrong(); print(sorted(sys.modules))"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert not any(f"'{name}" in loaded for name in (*installation.PACKAGES, "importlib.metadata", "email"))

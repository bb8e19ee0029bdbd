"""`make` on a machine that lacks something: one line says what, and nothing half made is taken for whole."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("make", "sh", "echo", "rm", "tail", "touch", "mv")
"""What a machine has that has nothing: no compiler, and no Python but the one that is named."""

FORGOTTEN = ("MAKE", "MFLAGS", "PIP_", "PORT", "PYTHON", "SUBMETER_", "VENV", "VIRTUAL_ENV")
"""What the `make test` around us, or whoever runs it, may have set."""

NO_ENSUREPIP = """\
The virtual environment was not created successfully because ensurepip is not available.  On Debian/Ubuntu
systems, you need to install the python3-venv package using the following command.
"""
PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "1.0"

[tool.setuptools]
py-modules = []
{extension}
"""
EXTENSION = 'ext-modules = [{name = "compiled", sources = ["compiled.c"]}]'

Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that holds what `make` reads, with a lock and a project of the test's own."""
    folder = tmp_path / "checkout"
    (folder / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "tools" / "install.py", folder / "tools")
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name="application", extension=""))
    (folder / "requirements.lock").write_text("")
    return folder


@pytest.fixture
def make(checkout: Path, tmp_path: Path) -> Make:
    """Runs `make` in the checkout, with no network and little on its PATH; answers what it printed."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in NEEDED:
        (programs / name).symlink_to(shutil.which(name))

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FORGOTTEN)}
        offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0", "PIP_NO_BUILD_ISOLATION": "0"}
        return subprocess.run(
            [programs / "make", *arguments],
            cwd=checkout,
            env=kept | offline | {"PATH": str(programs)} | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def environment(checkout: Path) -> Path:
    """An environment that is made and empty, with the pip and the setuptools of the running one."""
    folder = checkout / ".venv"
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    (site,) = (folder / "lib").glob("python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def python(folder: Path, script: str) -> str:
    """A program that stands for a Python; answers its path."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def printed(answer: subprocess.CompletedProcess[str]) -> str:
    """The one line on standard error that is not make's own; make has failed."""
    assert answer.returncode == 2
    (line,) = [line for line in answer.stderr.splitlines() if not line.startswith("make: ")]
    return line


def test_a_python_that_is_not_there_is_named(make: Make) -> None:
    """Whether one was named or none was found."""
    assert "There is no /nowhere/python here" in printed(make(".venv/.run", "PYTHON=/nowhere/python"))
    assert "There is no python3 here: Submeter needs Python 3.11" in printed(make(".venv/.run"))


def test_an_old_python_is_refused(make: Make, tmp_path: Path) -> None:
    """Before anything is made by it."""
    old = python(tmp_path, "echo SyntaxError >&2; exit 1")
    assert "Submeter needs Python 3.11 or newer" in printed(make(".venv/.run", f"PYTHON={old}"))


@pytest.mark.parametrize("words", [NO_ENSUREPIP, "/usr/bin/python3: No module named venv"])
def test_a_python_without_venv_is_answered_with_how_to_get_it(
    make: Make, tmp_path, checkout: Path, words
) -> None:
    """By the name of the package, and no folder is left that looks like an environment."""
    (tmp_path / "words").write_text(words)
    lacking = python(
        tmp_path,
        f'case "$*" in "-m venv"*) /bin/mkdir -p .venv/bin; /bin/cat {tmp_path}/words; exit 1;; esac\n'
        f'exec {sys.executable} "$@"',
    )
    line = printed(make(".venv/.run", f"PYTHON={lacking}"))
    assert "has no venv module" in line
    assert f"python{sys.version_info.major}.{sys.version_info.minor}-venv" in line
    assert not (checkout / ".venv").exists()


def test_an_environment_that_cannot_be_made_is_reported_with_its_reason(make: Make, tmp_path) -> None:
    """The last line that Python printed."""
    full = python(tmp_path, 'case "$*" in "-m venv"*) echo one; echo No space left; exit 1;; esac')
    assert printed(make(".venv/.run", f"PYTHON={full}")).endswith("in .venv: No space left")


@pytest.mark.usefixtures("environment")
def test_a_network_that_is_not_there_is_named(make: Make, checkout: Path) -> None:
    """pip's own words are kept in a file that the line names; what was begun is not taken as done."""
    (checkout / "requirements.lock").write_text(f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n")
    line = printed(make(".venv/.run", PIP_INDEX_URL="http://127.0.0.1:9/simple"))
    assert line.startswith("No package index answers with no-such-package==1.0: look at the network")
    assert line.endswith("(pip's own words: .venv/install.log).")
    assert "127.0.0.1:9" in (checkout / ".venv" / "install.log").read_text()
    assert not (checkout / ".venv" / ".run").exists()


@pytest.mark.usefixtures("environment")
def test_a_compiler_that_is_not_there_is_named(make: Make, checkout: Path, tmp_path: Path) -> None:
    """And so is the package that has no wheel."""
    lock = checkout / "requirements.lock"
    source = tmp_path / "compiled-1.0"
    source.mkdir()
    (source / "pyproject.toml").write_text(PYPROJECT.format(name="compiled", extension=EXTENSION))
    (source / "compiled.c").write_text("#include <Python.h>\n")
    archive = tmp_path / "compiled-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(source, source.name)
    lock.write_text(f"compiled==1.0 --hash=sha256:{sha256(archive.read_bytes()).hexdigest()}\n")
    given = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    line = printed(make(".venv/.run", **given))
    assert line.startswith("compiled has no wheel for Python")
    assert "there is no C compiler" in line
    lock.write_text(f"compiled==1.0 --hash=sha256:{'0' * 64}\n")
    assert printed(make(".venv/.run", **given)).startswith("A package is not the one that was locked")
    lock.write_text(f"compiled==2.0 --hash=sha256:{'0' * 64}\n")
    assert printed(make(".venv/.run", **given)).startswith("The package index has no compiled==2.0")


def test_an_environment_that_is_not_whole_is_not_taken_for_one(make: Make, checkout, environment) -> None:
    """`pip check` speaks at the end of an installation."""
    project = checkout / "pyproject.toml"
    project.write_text(project.read_text().replace("[tool.", 'dependencies = ["no-such-package"]\n\n[tool.'))
    line = printed(make(".venv/.run"))
    assert "not whole: application 1.0 requires no-such-package, which is not installed." in line
    assert not (environment / ".run").exists()


def test_make_leaves_the_file_of_settings_to_the_program(make: Make, checkout: Path, environment) -> None:
    """It neither reads `.env` nor hands a port on that nobody gave to make."""
    (checkout / ".env").write_text("SUBMETER_SMTP_PASSWORD=a$b#c $(shell touch made)\nPORT=9000\n  if\n")
    (environment / ".run").touch()
    os.utime(environment / ".run", (2**32, 2**32))
    submeter = environment / "bin" / "submeter"
    submeter.write_text('#!/bin/sh\necho "$*" "$SUBMETER_SMTP_PASSWORD" "$SUBMETER_HOST"\n')
    submeter.chmod(0o755)
    assert make("serve").stdout.split() == ["serve"]
    assert make("demo", "PORT=8001", SUBMETER_HOST="a#b").stdout.split() == ["demo", "--port", "8001", "a#b"]
    assert not (checkout / "made").exists()

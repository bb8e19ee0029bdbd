"""What the tests of the vendor surface share: new packages, and an environment of their own."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.metering.template import package_files

ROOT = Path(__file__).resolve().parents[2]
BUILT = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "core",
    "submeter",
    "drivers",
    "graphql_schema",
    "notifications",
)
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""No package index is asked, and packages are built with the setuptools at hand."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds our wheel, and the libraries of the running interpreter."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, command: str, *, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Runs a shell command as somebody would who has activated the environment."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SUBMETER_"))
        }
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        settings = {"PATH": path, "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", **OFFLINE}
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=cwd,
            env=kept | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Our wheel, built from a copy, so that nothing is left in the tree."""
    source = tmp_path_factory.mktemp("source")
    for name in BUILT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    return build(source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def environment(wheel: Path, tmp_path: Path) -> Environment:
    """A fresh environment with our wheel, and the running interpreter's libraries through a .pth file."""
    made = Environment(tmp_path / "environment")
    venv.EnvBuilder(symlinks=True, with_pip=False).create(made.folder)
    pip("--python", made.python, "install", "--no-deps", wheel)
    (site,) = (made.folder / "lib").glob("python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return made


def build(source: Path, into: Path) -> Path:
    """The wheel of a folder."""
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", into, source)
    (made,) = into.glob("*.whl")
    return made


def pip(*arguments: object) -> None:
    """Runs pip without a package index."""
    command = [sys.executable, "-m", "pip", "--quiet", *map(str, arguments)]
    run = subprocess.run(
        command, env=os.environ | OFFLINE, capture_output=True, text=True, check=False, cwd=ROOT.anchor
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.fixture
def package(tmp_path: Path, monkeypatch) -> Callable[..., Path]:
    """Writes a new vendor's package, with some texts replaced; its module is forgotten after the test."""
    before = set(sys.modules)

    def write(name: str = "acme", maker: str = "ACM", **changes: tuple[str, str]) -> Path:
        folder = tmp_path / f"submeter-{name}"
        for path, text in package_files(name, maker).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            old, new = changes.get(target.stem, ("", ""))
            assert old in text
            target.write_text(text.replace(old, new) if old else text)
        return folder

    yield write
    for module in set(sys.modules) - before:
        if module.startswith("submeter_"):
            del sys.modules[module]

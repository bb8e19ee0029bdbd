"""Holds each lock by itself: does it make an environment in which everything that the code imports is there?

In: the two locks, and a package index. Out: a line for each environment, and exit status 1 where one is not
whole. The one rule: an environment is made as `make` makes one (`install.py`), by the pip that Python brings
and by the newest (`pip.lock`), since one of them may ask for what the other does not.

    make check-locks
"""

import ast
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP_LOCK = ROOT / "tools" / "pip.lock"
SCRIPTS = ("bench", "tools")
OPTIONAL = frozenset(
    {"aiomqtt", "matplotlib", "minio", "opentelemetry", "paho", "pyarrow", "redis", "pytest", "urllib3"}
)
"""What Submeter imports where it is there: the extras, and pytest for whoever tests a driver of their own."""

ELSEWHERE = "compression" if sys.version_info < (3, 14) else "backports"
"""Where other Pythons have zstd: from 3.14 on it is their own, before a library's."""

_IMPORT = """
import importlib, sys
missing = []
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError as failure:
        missing.append(f"{name}: {failure}")
sys.exit("; ".join(missing) or None)
"""


def main() -> int:
    """Try every lock with every pip; answer the exit status."""
    faults = 0
    for lock, names in needed().items():
        for newest in (False, True):
            fault = try_lock(lock, names, newest=newest)
            result = fault or f"whole, {len(names)} modules imported"
            sys.stdout.write(f"{lock}, {'the newest pip' if newest else 'the pip of Python'}: {result}\n")
            sys.stdout.flush()
            faults += bool(fault)
    return min(faults, 1)


def needed() -> dict[str, list[str]]:
    """The modules that each lock has to bring: those that the shipped code imports, or all code."""
    packages = shipped_packages()
    scripts = (path.stem for folder in SCRIPTS for path in (ROOT / folder).glob("*.py"))
    own = {*packages, "tests", *SCRIPTS, *scripts}
    return {
        "requirements.lock": _imported(packages, own | OPTIONAL),
        "requirements-dev.lock": _imported((*packages, "tests", *SCRIPTS), own),
    }


def shipped_packages() -> tuple[str, ...]:
    """The top-level packages of the wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[str] = project["tool"]["setuptools"]["packages"]["find"]["include"]
    return tuple(pattern.removesuffix("*") for pattern in found)


def _imported(folders: Iterable[str], own: set[str] | frozenset[str]) -> list[str]:
    """What the code below these folders imports, beside Python's own and ours, in order."""
    passed = sys.stdlib_module_names | own | {ELSEWHERE}
    return sorted(
        {
            name
            for folder in folders
            for path in (ROOT / folder).rglob("*.py")
            for name in _imports(path)
            if name.partition(".")[0] not in passed
        }
    )


@cache
def _imports(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return frozenset(found)


def try_lock(lock: str, names: Iterable[str], *, newest: bool) -> str:
    """Make an environment of one lock alone and import the modules; answer what is wrong, or nothing."""
    with tempfile.TemporaryDirectory(prefix="submeter-lock-") as folder:
        python = Path(folder) / "bin" / "python"
        steps: list[list[object]] = [[sys.executable, "-m", "venv", folder]]
        if newest:
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            steps.append([*pip, "--require-hashes", "--requirement", PIP_LOCK])
        steps += [
            [python, ROOT / "tools" / "install.py", lock, "--no-compile"],
            [python, "-I", "-B", "-c", _IMPORT, *names],
        ]
        for step in steps:
            done = subprocess.run(
                [str(part) for part in step],
                cwd=ROOT,
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "XDG_RUNTIME_DIR": folder},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode:
                return done.stdout.strip() or "failed without a word"
    return ""


if __name__ == "__main__":
    sys.exit(main())

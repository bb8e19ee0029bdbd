"""Installs a lock and Submeter itself into the environment whose Python runs this, and nothing else.

In: a lock file. Out: a complete environment, or one line that names what is missing. The one rule: what is
locked is installed as it is locked (`FLAGS`), and `pip check` says whether it is whole. Needs nothing but
Python and the pip of the environment; where pip fails its own words are kept in `install.log` beside it.

    .venv/bin/python tools/install.py requirements.lock
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

FLAGS = ("--no-deps", "--require-hashes")
"""How a lock is installed. Without --no-deps pip may ask for `coverage[toml]` where `coverage` is locked, and
refuse what it has no hash for."""

LOG = Path(sys.prefix) / "install.log"

_UNBUILT = re.compile(
    r"Failed building wheel for (\S+)|Could not build wheels for (\S+),|Failed to build '?([\w.-]+)"
)
_OTHER_HASH = "DO NOT MATCH THE HASHES"
_NOTHING_OF_IT = re.compile(r"requirement (\S+)[^\n]*\(from versions: none\)")
_NOT_FOUND = re.compile(r"No matching distribution found for (\S+)")
_ERROR = re.compile(r"error: (.+)", re.IGNORECASE)
_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def main(lock: str, *more: str) -> int:
    """Install, giving pip `more` arguments; answer the exit status."""
    for arguments in (
        ("install", *FLAGS, *more, "--requirement", lock),
        ("install", "--no-deps", *more, "--no-build-isolation", "--editable", "."),
    ):
        status, output = _pip(*arguments, "--progress-bar", "off", "--no-input")
        if status:
            LOG.write_text(output, encoding="utf-8")
            return _fail(f"{what_is_missing(output)} (pip's own words: {_shown(LOG)}).")
    status, output = _pip("check")
    if status:
        return _fail(f"The environment is not whole: {output.strip()} (`make clean` begins anew).")
    LOG.unlink(missing_ok=True)
    return 0


def what_is_missing(output: str) -> str:
    """One sentence for what pip says when it fails, without its full stop."""
    if unbuilt := _UNBUILT.search(output):
        package = next(filter(None, unbuilt.groups()))
        return f"{package} has no wheel for Python {_VERSION} here and must be compiled: {_lacking(output)}"
    if _OTHER_HASH in output:
        return "A package is not the one that was locked: its hash differs"
    if nothing := _NOTHING_OF_IT.search(output):
        return (
            f"No package index answers with {nothing[1]}: look at the network, at a proxy, and at pip's"
            " settings (PIP_INDEX_URL)"
        )
    if unknown := _NOT_FOUND.search(output):
        return f"The package index has no {unknown[1]} for Python {_VERSION} here"
    errors = _ERROR.findall(output)
    return errors[-1].rstrip(". ") if errors else "pip failed"


def _lacking(output: str) -> str:
    """What stood in the way of compiling."""
    compilers = (os.environ.get("CC", "cc").split()[0], "gcc", "clang")
    if not any(shutil.which(compiler) for compiler in compilers):
        return (
            f"there is no C compiler. On Debian and Ubuntu: apt install build-essential python{_VERSION}-dev"
        )
    if "Python.h: No such file" in output:
        return f"the headers of Python are missing. On Debian and Ubuntu: apt install python{_VERSION}-dev"
    if re.search(r"\b(cargo|rustc)\b", output) and not shutil.which("cargo"):
        return "there is no Rust. On Debian and Ubuntu: apt install cargo"
    return "that failed"


def _pip(*arguments: str) -> tuple[int, str]:
    """Exit status and output of the environment's pip."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _fail(sentence: str) -> int:
    sys.stderr.write(" ".join(sentence.split()) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

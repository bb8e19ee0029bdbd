"""docs/writing-a-driver.md, done as it is written, in an environment of its own."""

import doctest
import json
import re
import subprocess
from pathlib import Path

import pytest

from core.metering.conformance import CHECKS
from tests.conformance.conftest import ROOT, build
from tests.support.makers.vendors import OUR_DRIVERS

PAGE = (ROOT / "docs" / "writing-a-driver.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ACME = "23446D047856341201077A010000000C135634120002FD1700004C1301001200426C5F3A"
CHECKER = doctest.OutputChecker()
LOOSELY = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Reader:
    """Somebody who follows the page: types the commands, writes the files, applies the changes."""

    def __init__(self, environment, folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.status = 0

    def console(self, text: str) -> None:
        for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, shown = step.partition("\n")
            if command.startswith("cd "):
                self.folder /= command[3:]
                continue
            run = self.environment.run(f"(exit {self.status}); {command}", cwd=self.folder)
            self.status = run.returncode
            assert CHECKER.check_output(shown, run.stdout, LOOSELY), f"{command}\n{run.stdout}"

    def python(self, text: str) -> None:
        path, _, shown = text.removeprefix("# ").partition("\n")
        assert shown.strip() in (self.folder / path).read_text("utf-8")

    def toml(self, text: str) -> None:
        path, _, added = text.removeprefix("# ").partition("\n")
        with (self.folder / path).open("a", encoding="utf-8") as file:
            file.write(added)

    def diff(self, text: str) -> None:
        subprocess.run(["git", "apply", "-"], input=text, cwd=self.folder, text=True, check=True)

    def pycon(self, text: str) -> None:
        (self.folder / "session.txt").write_text(text, encoding="utf-8")
        run = self.environment.run("python -m doctest session.txt", cwd=self.folder)
        assert run.returncode == 0, run.stdout


def test_the_tutorial_does_what_it_says(environment, tmp_path: Path) -> None:
    """Every block of the page, in its order: commands give the output shown, files are as shown."""
    reader = Reader(environment, tmp_path)
    assert {kind for kind, _ in BLOCKS} == {"console", "python", "toml", "diff", "pycon"}
    for kind, text in BLOCKS:
        getattr(reader, kind)(text)
    assert reader.status == 0


def test_a_strangers_wheel_beside_ours_makes_one_vendor_more(environment, package, tmp_path: Path) -> None:
    """Two wheels in a fresh environment, no network: the stranger's driver is listed and decodes."""
    wheel = build(package(), tmp_path / "wheels")
    installed = environment.run(f"python -m pip install --no-deps {wheel}", cwd=tmp_path)
    assert installed.returncode == 0, installed.stdout
    listed = json.loads(environment.run("submeter drivers list --json", cwd=tmp_path).stdout)
    assert [driver["driver"] for driver in listed["drivers"]] == ["acme", *OUR_DRIVERS]
    assert listed["drivers"][0]["distribution"] == "submeter-acme 0.1.0"
    assert listed["broken"] == []
    decoded = json.loads(environment.run(f"submeter decode {ACME} --json", cwd=tmp_path).stdout)
    assert decoded["driver"] == "acme"
    assert decoded["measurement"]["index"] == {"quantity": "VOLUME", "value": 123456}
    assert environment.run("submeter drivers new rival --maker ACM", cwd=tmp_path).returncode == 1
    written = environment.run("submeter drivers new other", cwd=tmp_path)
    assert written.returncode == 0, "the templates are in the wheel"
    where = environment.run("python -c 'import core; print(core.__file__)'", cwd=tmp_path).stdout
    assert Path(where.strip()).is_relative_to(environment.folder)


@pytest.mark.parametrize("check", CHECKS, ids=[check.name for check in CHECKS])
def test_every_check_stands_on_the_page(check) -> None:
    """The table of checks has each with its promise, word for word."""
    assert f"| `{check.name}` | {check.promise} |" in PAGE

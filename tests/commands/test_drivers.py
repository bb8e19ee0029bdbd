"""`submeter drivers` as run from a shell: `new` writes a package, `check` tests one."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest


@pytest.fixture
def drivers(tmp_path: Path):
    """Runs `submeter drivers ...` in an empty folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        repository = Path(__file__).resolve().parents[2]
        start = f"import sys; sys.path.insert(0, {str(repository)!r}); from submeter.main import main; main()"
        command = [sys.executable, "-c", start, "drivers", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    return run


@pytest.fixture
def drivers_here(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The same in this process, for what imports no package of the folder."""
    monkeypatch.chdir(tmp_path)
    return partial(run, "drivers")


def test_a_new_package_is_written_once_and_passes(drivers, drivers_here, tmp_path: Path) -> None:
    """`new` lists each file and overwrites none; `check --path` passes without an installation."""
    written = drivers("new", "acme", "--into", "deep/er")
    assert written.returncode == 0, written.stderr
    driver = tmp_path / "deep" / "er" / "submeter-acme" / "submeter_acme" / "driver.py"
    assert "submeter_acme/driver.py" in written.stdout
    driver.write_text(driver.read_text() + "# mine\n")
    again = drivers_here("new", "acme", "--into", "deep/er")
    assert (again.returncode, "NOT_WRITTEN" in again.stderr) == (1, True)
    assert driver.read_text().endswith("# mine\n")
    checked = drivers("check", "acme", "--path", "deep/er/submeter-acme", "--json")
    assert checked.returncode == 0, checked.stderr
    answer = json.loads(checked.stdout)
    assert answer["passed"] is True
    assert {result["driver"] for result in answer["checks"]} == {"acme"}
    assert all(result["promise"] and result["looked_at"] for result in answer["checks"])


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (("Acme",), "'Acme' is no name of a driver"),
        (("kamstrup",), "a driver kamstrup is already installed"),
        (("a1",), "--maker ABC"),
        (("acme", "--maker", "acm"), "'acm' are no letters of a maker"),
        (("sappy", "--maker", "SAP"), "meters of SAP are already read by ocea"),
    ],
)
def test_an_invalid_name_is_refused_with_its_reason(
    drivers_here, tmp_path: Path, arguments, reported
) -> None:
    """One line, exit status 1, nothing written."""
    refused = drivers_here("new", *arguments)
    assert refused.returncode == 1
    assert "INVALID_NAME" in refused.stderr
    assert reported in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_failing_check_ends_with_status_1_and_the_place(drivers, drivers_here, tmp_path: Path) -> None:
    """The table shows the check that failed, the telegram and the difference; JSON has the same."""
    drivers_here("new", "acme")
    vectors = tmp_path / "submeter-acme" / "submeter_acme" / "vectors.toml"
    vectors.write_text(vectors.read_text().replace('flags = ["LEAK"]', "flags = []"))
    shown = drivers("check", "acme", "--path", "submeter-acme")
    assert shown.returncode == 1
    assert "acme: 1 of 9 checks failed" in shown.stdout
    assert "flags are ['LEAK'], not []" in shown.stdout
    answer = json.loads(drivers("check", "--path", "submeter-acme", "--json").stdout)
    assert answer["passed"] is False
    (failed,) = [result for result in answer["checks"] if not result["passed"]]
    assert failed["check"] == "vectors"
    assert failed["failures"] == [
        "vectors.toml, telegram 2 (warm water, encrypted in mode 5, with a leak): flags are ['LEAK'], not []"
    ]


def test_a_plugin_that_does_not_load_fails_its_check(drivers, drivers_here, tmp_path: Path) -> None:
    """The reason is in the table, and no stack trace."""
    drivers_here("new", "acme")
    (tmp_path / "submeter-acme" / "submeter_acme" / "driver.py").write_text(
        "raise RuntimeError('no licence')\n"
    )
    shown = drivers("check", "acme", "--path", "submeter-acme")
    assert shown.returncode == 1
    assert "RuntimeError: no licence" in shown.stdout
    assert "Traceback" not in shown.stderr


def test_our_own_drivers_are_checked_by_name(drivers_here) -> None:
    """`check` takes several names; those of installed packages need no path."""
    answer = drivers_here("check", "ista", "itron", "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert {result["driver"] for result in json.loads(answer.stdout)["checks"]} == {"ista", "itron"}


def test_an_unknown_driver_is_refused_with_the_names_of_the_installed(drivers_here) -> None:
    """An unknown name, or a folder that is no plugin, ends with one line."""
    unknown = drivers_here("check", "nobody")
    assert (unknown.returncode, "NO_SUCH_DRIVER" in unknown.stderr) == (1, True)
    assert "kamstrup" in unknown.stderr
    nowhere = drivers_here("check", "--path", "nowhere")
    assert (nowhere.returncode, "NOT_A_PLUGIN" in nowhere.stderr) == (1, True)

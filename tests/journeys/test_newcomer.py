"""README.md, word for word: a newcomer with the demo, no mail server and no database client."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import pages

README = pages.ROOT / "README.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone as `make` leaves it: an environment in `.venv`."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return folder


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[tuple[int, str]]:
    """The demo, as `make demo` serves it, with fewer homes and days: its port and its banner."""
    port = pages.free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUBMETER_")}
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.support.short_demo", str(port)],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(pages.ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line)
        if "outbox read" in line:
            break
    yield port, "".join(lines)
    running.terminate()
    running.communicate()


@pytest.fixture(scope="module")
def answers(folder: Path, demo: tuple[int, str]) -> list[dict[str, Any]]:
    """What the API answered to the commands of the README, in order."""
    commands = pages.commands_of(README, since="## The first query", until="## Where to go next")
    # The example of an answer is no command.
    commands = re.sub(r"^\{\"data\".*\n.*\n", "", commands, flags=re.MULTILINE)
    ended = pages.run(commands, folder, {}, port=demo[0])
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (folder / "output.txt").write_text(ended.stdout, encoding="utf-8")
    return [json.loads(line) for line in ended.stdout.splitlines() if line.startswith('{"data"')]


pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the README uses curl")


def test_every_account_and_home_of_the_readme_stands_in_the_banner(demo: tuple[int, str]) -> None:
    """Residents, manager, staff, a free home of each journey, the secret and the letters' page."""
    port, banner = demo
    readme = README.read_text(encoding="utf-8")
    for named in ("claire.martin@example.org", "odile.garnier@example.org", "558200358", "H18CA032121"):
        assert named in banner
        assert named in readme
    for named in ("marc.leroy@example.org", "DEMOWATER", "AA001", "smg_", f"127.0.0.1:{port}/demo/letters"):
        assert named in banner
    assert "a level 1 leak" in banner


def test_a_leak_is_seen_with_the_first_query(answers: list[dict[str, Any]]) -> None:
    """The second answer of the README is the dashboard of a home that leaks."""
    assert answers[0]["data"] == {"signIn": {"state": "READY"}}
    (home,) = answers[1]["data"]["viewer"]["dwellings"]
    assert [tab["label"] for tab in home["dashboard"]] == ["Eau froide", "Eau chaude", "Chauffage"]
    (alert,) = home["activeAlerts"]
    assert alert["title"].startswith("Alerte fuite niveau 1 depuis le ")


def test_both_sign_ups_end_at_the_dashboard(answers: list[dict[str, Any]]) -> None:
    """Each form leads to the next step, and both newcomers read figures of their homes."""
    steps = [
        given["data"]["answerRegistration"].get("step")
        for given in answers
        if "answerRegistration" in given["data"]
    ]
    ista = ["ATTESTATION", "PROFILE", "OPTIONS", "PERSONAL_DATA", "VERIFICATION", "COMPLETE"]
    ocea = ["RESIDENCE", "DWELLING", "ATTESTATION", "PERSONAL_DATA", "FIRST_SIGN_IN"]
    assert steps == ista + ocea
    seen = [given["data"]["viewer"]["dwellings"] for given in answers if "viewer" in given["data"]]
    ada, weber = seen[1], seen[2]
    assert [tab["label"] for tab in ada[0]["dashboard"]] == ["Eau froide", "Eau chaude", "Chauffage"]
    assert ada[0]["dashboard"][0]["monthToDate"] is not None
    assert [tab["label"] for tab in weber[0]["dashboard"]] == ["Eau froide", "Eau chaude", "Chauffage"]


def test_a_statement_is_downloaded(folder: Path, answers: list[dict[str, Any]]) -> None:
    """It is a PDF, by the signed link."""
    assert answers
    assert (folder / ".submeter" / "statement.pdf").read_bytes().startswith(b"%PDF-")


def test_a_manager_reads_days_between_consent_and_withdrawal(answers: list[dict[str, Any]]) -> None:
    """With the consent the days are there; in the call after the withdrawal they are refused."""
    given = [each for each in answers if "answerConsent" in each["data"] or "dwelling" in each["data"]]
    granted, read, withdrawn, refused = given
    assert granted["data"]["answerConsent"]
    assert len(read["data"]["dwelling"]["dailyConsumption"]) == 31
    assert withdrawn["data"]["answerConsent"]
    assert refused["data"]["dwelling"]["dailyConsumption"] is None
    withheld = {one["field"]: one["reason"] for one in refused["data"]["dwelling"]["withheld"]}
    assert withheld["dailyConsumption"] == "CONSENT_REQUIRED"


def test_the_letters_lead_to_the_demo(
    folder: Path, demo: tuple[int, str], answers: list[dict[str, Any]]
) -> None:
    """No link of a message leads to an operator's real portal."""
    port, _ = demo
    assert answers
    command = (
        "for number in $(curl -s http://127.0.0.1:8000/demo/letters | grep -o '/demo/letters/[0-9]*');"
        " do curl -s http://127.0.0.1:8000$number; done"
    )
    command += """
    curl -s http://127.0.0.1:8000/graphql -H 'Content-Type: application/json' \\
        -d '{"query": "mutation { requestPasswordReset(email: \\"ada@example.org\\") { __typename } }"}'
    .venv/bin/submeter outbox read --to ada@example.org
    """
    seen = pages.run(command, folder, {}, port=port).stdout
    assert f"http://127.0.0.1:{port}/reset-password#smf_" in seen
    assert f"http://127.0.0.1:{port}" in seen
    assert "ocea-sb.com" not in seen
    assert "monespaceista.fr" not in seen


def test_fresh_telegrams_are_stored(folder: Path, answers: list[dict[str, Any]]) -> None:
    """The file of the last hours is ingested as the README says."""
    assert answers
    assert re.search(r"stored +│ [1-9]", (folder / "output.txt").read_text(encoding="utf-8"))

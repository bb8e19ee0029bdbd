"""docs/first-meters.md, word for word: from an empty folder to a resident who reads the meter.

The page names no database, so it is the embedded one.
"""

import json
import shutil
from pathlib import Path

import pytest

from tests.support import pages

PAGE = pages.ROOT / "docs" / "first-meters.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page uses curl")
def test_the_page_ends_with_a_resident_who_reads_the_meter(tmp_path: Path) -> None:
    """Every command of the page succeeds, and the last answer has the reading that was ingested."""
    commands = pages.commands_of(PAGE, until="## Two addresses of one meter")
    ended = pages.run(commands, tmp_path, {}, port=pages.free_port())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    answers = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith('{"data"')]
    steps = [given["data"]["answerRegistration"]["step"] for given in answers[:-1]]
    assert steps == [
        "DWELLING",
        "ATTESTATION",
        "PROFILE",
        "OPTIONS",
        "PERSONAL_DATA",
        "VERIFICATION",
        "COMPLETE",
    ]
    (home,) = answers[-1]["data"]["viewer"]["dwellings"]
    readings = {meter["label"]: meter["lastReading"] for meter in home["meters"]}
    assert readings == {
        "Eau froide n°H18CA029620": {"index": {"value": "123.456", "unit": "CUBIC_METRE"}},
        "Chauffage n°76348799": None,
    }
    assert "1 of its 2 meters have no reading yet" in ended.stdout

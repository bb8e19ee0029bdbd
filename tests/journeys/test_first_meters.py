"""docs/first-meters.md, word for word: from an empty folder to a resident who reads the meter."""

import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import pages

PAGE = pages.ROOT / "docs" / "first-meters.md"
SECRET = "a secret of the tests, of at least 32 characters"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The settings of a database without any table: none for the embedded one."""
    if request.param == "sqlite":
        yield {}
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"page_{uuid.uuid4().hex}"
    server.create(name)
    yield {"SUBMETER_DATABASE_URL": server.url(name), "SUBMETER_SECRET_KEY": SECRET}
    server.drop(name)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page uses curl")
def test_the_page_ends_with_a_resident_who_reads_the_meter(tmp_path: Path, database: dict[str, str]) -> None:
    """Every command of the page succeeds, and the last answer has the reading that was ingested."""
    commands = pages.commands_of(PAGE, until="## Two addresses of one meter")
    ended = pages.run(commands, tmp_path, database, port=pages.free_port())
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

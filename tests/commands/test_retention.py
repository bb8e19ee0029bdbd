"""`submeter retention`: for how long, and what was deleted."""

import json

import pytest

from core.models import RetentionRun
from submeter.commands.retention import retention
from tests.support.factories import NOW


async def test_periods_and_runs_are_listed(
    application, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a table and as JSON: the periods in force, and the rows that the last runs deleted."""
    await RetentionRun.create(finished_at=NOW, deleted={"daily volumes": 31})
    monkeypatch.setattr("submeter.commands.retention.opened", lambda: _Opened(application))
    await retention(json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["periods"]["daily volumes: whole months beside the present one"] == 35
    assert found["runs"] == [{"finished_at": NOW.isoformat(), "deleted": {"daily volumes": 31}}]
    await retention()
    printed = capsys.readouterr().out
    assert "daily volumes" in printed
    assert "31" in printed


class _Opened:
    """The application that is open already."""

    def __init__(self, application) -> None:
        self.application = application

    async def __aenter__(self):
        return self.application

    async def __aexit__(self, *_: object) -> None:
        """It remains open for the test."""

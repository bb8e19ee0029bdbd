"""The `submeter` command as a shell runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def run(tmp_path: Path):
    """Runs the command in an empty data folder; answers exit status, output and errors."""

    def submeter(*arguments: str, given: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SUBMETER_")}
        environment |= {"SUBMETER_DATA_DIR": str(tmp_path / "data"), **settings}
        command = [sys.executable, "-m", "cli.main", *arguments]
        return subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            env=environment,
            cwd=tmp_path,  # no file `.env` of whoever runs the tests
            check=False,
        )

    return submeter

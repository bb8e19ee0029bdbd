"""examples/analyst against a server: signing in, both formats, and what it prints."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from core.bootstrap import Application
from tests.support import factories
from tests.support.served import served

FOLDER = Path(__file__).resolve().parents[3] / "examples/analyst"


async def run(script: str, *arguments: str, **environment: str) -> str:
    """What a script prints; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(FOLDER / script), *arguments),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_example_reads_both_formats(analyst: Any, application: Application, tmp_path: Path) -> None:
    """Arrow where pyarrow is there, CSV where it is not: the same lines."""
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    email = "analyst@example.org"
    async with served(application, analyst.clock) as url:
        token = await run("sign_in.py", email, SUBMETER_URL=url, SUBMETER_PASSWORD=factories.PASSWORD)
        known = {"SUBMETER_URL": url, "SUBMETER_TOKEN": token.strip()}
        by_arrow = await run("consumption.py", "COLD_WATER", **known)
        by_csv = await run("consumption.py", "COLD_WATER", **known, PYTHONPATH=str(tmp_path))
    assert by_arrow == by_csv
    assert by_arrow == (
        "2026-10  about   15 dwellings  mean 6.44  median 6.82  quarters ? to ?  cubic_metre\n"
    )

"""examples/python against a server: signing in, a screen by the library gql, and a refusal."""

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.bootstrap import Application
from tests.graphql.conftest import WATER
from tests.support import factories, seats
from tests.support.factories import NOW
from tests.support.served import served

SCRIPT = Path(__file__).resolve().parents[3] / "examples/python/screens.py"
TOKEN = """mutation { createAccessToken(name: "script", scopes: [ALERTS]) {
  ... on AccessTokenIssued { token } } }"""

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Runs the script from another folder; its exit status, and what it printed."""

    async def script(*arguments: str, **environment: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(SCRIPT), *arguments),
            cwd=tmp_path,
            env={**os.environ, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        return process.returncode, (output or errors).decode()

    return script


async def test_the_script_prints_a_screen(claire: Any, home: Any, application: Application, run: Any) -> None:
    """With e-mail and password; the variables are JSON."""
    await home.consume(WATER, (NOW - timedelta(days=60)).date(), (NOW - timedelta(days=1)).date(), daily=300)
    async with served(application, claire.clock) as url:
        known = {"SUBMETER_URL": url, "SUBMETER_PASSWORD": factories.PASSWORD}
        status, output = await run(seats.CLAIRE, "dashboard", **known)
        assert (status, output[:1]) == (0, "{"), output
        (dwelling,) = json.loads(output)["viewer"]["dwellings"]
        assert dwelling["dashboard"][0]["monthToDate"] == {"value": "6.300"}
        variables = json.dumps({"fluid": "COLD_WATER", "last": 3})
        status, output = await run(seats.CLAIRE, "consumption", variables, **known)
        assert status == 0, output
        (dwelling,) = json.loads(output)["viewer"]["dwellings"]
        assert dwelling["consumption"]["amounts"] == ["0.300", "0.300", None]


async def test_a_refusal_is_one_sentence(claire: Any, application: Application, run: Any) -> None:
    """Of a wrong password, and of a token without the scope; no traceback."""
    token = (await claire.ask(TOKEN))["createAccessToken"]["token"]
    async with served(application, claire.clock) as url:
        known = {"SUBMETER_URL": url, "SUBMETER_PASSWORD": "wrong"}
        status, output = await run(seats.CLAIRE, "dashboard", **known)
        assert (status, output.count("\n")) == (1, 1)
        assert "Traceback" not in output
        status, output = await run(seats.CLAIRE, "account", **known, SUBMETER_TOKEN=token)
        assert (status, output) == (1, "account: FORBIDDEN\n")

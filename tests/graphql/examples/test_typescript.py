"""examples/typescript: generated from schema and screens, compiled strictly, and run against a server.

Skipped where its packages were not installed: `make typescript` installs them, and needs a registry.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from core.bootstrap import Application
from core.graphql_settings import TRUSTED, GraphQLSettings
from tests.graphql.alerts.test_alerts import leak
from tests.graphql.conftest import WATER
from tests.graphql.examples.relay import write_modules
from tests.graphql.examples.screens import screens
from tests.support import seats
from tests.support.factories import NOW
from tests.support.served import served
from tools.build_graphiql import is_new_enough, version_of

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "examples/typescript"
NODE = shutil.which("node")
ALERT = "Alerte fuite niveau 1 depuis le 19/11/2026 (3 jours)"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """The example in a checkout of its own, generated and compiled without a network."""
    if NODE is None or not is_new_enough(version_of(NODE)):
        pytest.skip("There is no Node 20.19 or newer here")
    if not (SOURCE / "node_modules/.bin/graphql-codegen").exists():
        pytest.skip("The packages of examples/typescript are not installed: `make typescript` installs them")
    folder = tmp_path / "examples/typescript"
    left_out = shutil.ignore_patterns("node_modules", "dist", "generated")
    shutil.copytree(SOURCE, folder, ignore=left_out)
    shutil.copytree(ROOT / "examples/screens", tmp_path / "examples/screens")
    (tmp_path / "graphql_schema").mkdir()
    shutil.copy(ROOT / "graphql_schema/schema.graphql", tmp_path / "graphql_schema")
    (folder / "node_modules").symlink_to(SOURCE / "node_modules")
    for command in (["graphql-codegen", "--config", "codegen.mjs"], ["tsc"]):
        tool = [f"node_modules/.bin/{command[0]}", *command[1:]]
        done = subprocess.run(tool, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


async def run(built: Path, *arguments: str, **environment: str) -> tuple[int | None, str]:
    """The exit status of the program, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(str(NODE), "dist/main.js", *arguments),
        cwd=built,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, (output or errors).decode()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_one_function_writes_the_alerts_of_both_roles(
    claire: Any, home: Any, application: Application, built: Path
) -> None:
    """By text, and by id of a server that runs trusted documents alone, those that were generated."""
    await leak(home.meters[WATER], NOW.date() - timedelta(days=3), loss="400.00", mean="5.9000")
    resident = {"SUBMETER_TOKEN": claire.token}
    manager = {"SUBMETER_TOKEN": (await seats.manager(claire, application)).token}
    documents = built / "src/generated/persisted-documents.json"
    graphql = GraphQLSettings(documents=documents, allowed=TRUSTED)
    strict = replace(application, settings=replace(application.settings, graphql=graphql))
    for server, by_id in ((application, "no"), (strict, "yes")):
        async with served(server, claire.clock) as url:
            how = {"SUBMETER_URL": url, "SUBMETER_BY_ID": by_id}
            shown = await run(built, "alerts", **how, **resident)
            assert shown == (0, f"A · 1 · 2 · 12\n  {ALERT}, 0.40 m3 ({WATER})\n")
            status, output = await run(built, "residences", **how, **manager)
            assert (status, output.splitlines()[1:]) == (0, [f"  A · 1 · 2 · 12: {ALERT} ({WATER})"]), output
            assert await run(built, "alerts", **how, SUBMETER_TOKEN="") == (1, "UNAUTHENTICATED\n")
    async with served(strict, claire.clock) as url:
        refused = await run(built, "alerts", SUBMETER_URL=url, **resident)
        assert refused == (1, "DOCUMENT_NOT_TRUSTED\n")


def test_the_generated_documents_are_the_screens(built: Path) -> None:
    """Each under the SHA-256 of its text; no scalar was left without a type."""
    written = (built / "src/generated/persisted-documents.json").read_text(encoding="utf-8")
    documents = json.loads(written)
    assert all(sha256(text.encode()).hexdigest() == number for number, text in documents.items())
    assert len(documents) == len(screens())
    types = (built / "src/generated/graphql.ts").read_text(encoding="utf-8")
    assert "Decimal: { input: string; output: string; }" in types
    assert not re.search(r"(input|output): (any|unknown);", types)


def test_relay_accepts_the_schema_and_the_screens(tmp_path: Path) -> None:
    """Its compiler writes an artifact for each operation and fragment, and finds no fault."""
    compiler = SOURCE / "node_modules/relay-compiler/cli.js"
    if NODE is None or not compiler.exists():
        pytest.skip("There is no relay-compiler here: `make typescript` installs it")
    shutil.copy(ROOT / "graphql_schema/schema.graphql", tmp_path)
    documents = write_modules(tmp_path)
    command = [NODE, str(compiler), "relay.config.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "artifacts").iterdir())) == documents


def test_its_packages_are_locked_by_hash() -> None:
    """Each with its integrity, and none with an address."""
    text = (SOURCE / "package-lock.json").read_text(encoding="utf-8")
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    weak = [name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")]
    assert weak == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    declared = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in declared} == declared

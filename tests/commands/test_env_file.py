"""The file `.env`, as the command and the processes of a server read it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.servers.redis_server import redis_server

FOLDER = """da$HOME ${HOME} #1 "x" it's 50%"""
"""Every character that make or a shell would have read in its own way."""

SIGN_IN = (
    """mutation { signIn(input: {email: "nobody@example.org", password: "a wrong one"}) { __typename } }"""
)


@pytest.fixture
def environment() -> dict[str, str]:
    """That of this process without settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SUBMETER_")}


def test_a_command_reads_the_file_where_it_is_started(tmp_path: Path, environment) -> None:
    """The data folder has the name that the file gives it, to the last character."""
    (tmp_path / ".env").write_text(f"SUBMETER_DATA_DIR={FOLDER}\n", encoding="utf-8")
    command = [sys.executable, "-m", "submeter.main", "migrate"]
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert {path.name for path in tmp_path.iterdir()} == {".env", FOLDER}
    assert {path.name for path in (tmp_path / FOLDER).iterdir()} >= {"secret.key", "submeter.db"}


def test_each_process_of_a_server_reads_the_file(tmp_path: Path, environment) -> None:
    """Two of them answer from the database of the file, and count a try in the store that it names."""
    with redis_server() as store:
        (tmp_path / ".env").write_text(
            f"SUBMETER_DATA_DIR={FOLDER}\nSUBMETER_LIMITS_URL={store.url}\n", encoding="utf-8"
        )
        with _serving(tmp_path, environment) as url:
            answer = httpx.post(f"{url}/graphql", json={"query": SIGN_IN}, timeout=60).json()
        assert answer["data"] == {"signIn": {"__typename": "SignInRefused"}}
        assert store.keys()
    assert {path.name for path in tmp_path.iterdir()} == {".env", FOLDER}


@contextmanager
def _serving(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """`submeter serve` with two processes, once both have reported that they are ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "submeter.main", "serve", "--workers", "2", "--port", port]
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        reported = []
        for line in server.stderr:
            reported.append(line)
            if sum("Application startup complete" in one for one in reported) == 2:
                break
        else:
            pytest.fail("".join(reported))
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=60)

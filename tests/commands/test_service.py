"""`submeter worker` and `submeter serve` as processes: what they do, where they are watched, how they end."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.telemetry import metrics


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextmanager
def process(data_dir: Path, *arguments: str, ready: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until the block ends; the block begins when it has written the words `ready`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUBMETER_", "OTEL_"))}
    running = subprocess.Popen(
        [sys.executable, "-m", "submeter.main", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=kept | {"SUBMETER_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1", **settings},
        cwd=data_dir.parent,
    )
    assert running.stdout is not None
    try:
        lines = []
        while not (lines and ready in lines[-1]):
            lines.append(running.stdout.readline())
            assert lines[-1], f"{arguments} ended: {''.join(lines)}"
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.wait()
        running.stdout.close()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def until_it_listens(running: subprocess.Popen[str], port: int) -> None:
    """A process of several says that it has started before it listens."""
    while running.poll() is None:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        os.sched_yield()
    raise AssertionError("it has ended")


def ended(running: subprocess.Popen[str], number: int) -> tuple[int, str]:
    """The exit status after a signal, and what was written since the process was ready."""
    running.send_signal(number)
    rest, _ = running.communicate(timeout=60)
    return running.returncode, rest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_is_watched_and_ends_with_status_0(tables, data_dir, number) -> None:
    """It runs the periodic jobs, serves health and metrics at its own address, and ends at either signal."""
    address = f"127.0.0.1:{free_port()}"
    with process(data_dir, "worker", ready="Working:", SUBMETER_METRICS_ADDRESS=address) as worker:
        assert get(f"http://{address}/health/live") == (200, '{"status":"ok"}')
        assert get(f"http://{address}/health/ready")[0] == 200
        status, text = get(f"http://{address}/metrics")
        assert (status, "submeter_outbox_messages 0.0" in text) == (200, True)
        status, rest = ended(worker, number)
    assert status == 0, rest
    assert "Stopped." in rest.splitlines()[-1]
    assert "Traceback" not in rest


def test_a_server_logs_json_without_what_requests_contain_and_ends_with_status_0(tables, data_dir) -> None:
    """Each line is an object, uvicorn's included, and none has the query string."""
    port = free_port()
    settings = {"SUBMETER_PORT": str(port), "SUBMETER_LOG_FORMAT": "JSON"}
    with process(data_dir, "serve", ready="Uvicorn running", **settings) as server:
        assert (
            get(f"http://127.0.0.1:{port}/graphql?query=%7B__typename%7D&email=claire@example.org")[0] == 200
        )
        assert get(f"http://127.0.0.1:{port}/health/ready") == (200, '{"status":"ok"}')
        status, rest = ended(server, signal.SIGTERM)
    assert status == 0, rest
    lines = [json.loads(line) for line in rest.splitlines()]
    assert [line["path"] for line in lines if line["logger"] == "submeter.access"] == ["/graphql"]
    assert "claire" not in rest
    assert "__typename" not in rest


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_metrics_of_several_processes_are_added_up(database_url, tmp_path) -> None:
    """At one address, whichever process served a request; and the parent ends with status 0."""
    port, address = free_port(), f"127.0.0.1:{free_port()}"
    settings = {
        "SUBMETER_DATABASE_URL": database_url,
        "SUBMETER_SECRET_KEY": "x" * 40,
        "SUBMETER_LIMITS_URL": "redis://127.0.0.1:1",
        "SUBMETER_PORT": str(port),
        "SUBMETER_METRICS_ADDRESS": address,
    }
    arguments = ("serve", "--workers", "2", "--without", "jobs")
    with process(tmp_path / "data", *arguments, ready="startup complete", **settings) as server:
        until_it_listens(server, port)
        for _ in range(20):
            assert get(f"http://127.0.0.1:{port}/health/live")[0] == 200
        _, text = get(f"http://{address}/metrics")
        status, rest = ended(server, signal.SIGTERM)
    counted = [line for line in text.splitlines() if line.startswith("submeter_http_requests_total")]
    assert [float(line.rpartition(" ")[2]) for line in counted] == [20.0]
    assert "submeter_job_runs_total" not in text
    assert status == 0, rest


def test_gauges_of_a_process_that_has_ended_are_forgotten(tmp_path) -> None:
    """Its connections are gone; what it counted is not."""
    script = (
        "from core.telemetry import metrics; metrics.CONNECTIONS.labels('idle').set(3);"
        "metrics.WORK_FAILURES.labels('jobs').inc()"
    )
    environment = os.environ | {metrics.FOLDER_VARIABLE: str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    registry = metrics.registry_of_children(tmp_path)
    names = {sample.name: sample.value for metric in registry.collect() for sample in metric.samples}
    assert "submeter_database_connections" not in names
    assert names["submeter_work_failures_total"] == 2


def test_an_address_that_is_taken_is_one_line(tables, run) -> None:
    """The name of the setting, and why."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        answer = run("worker", SUBMETER_METRICS_ADDRESS=address)
    assert answer.returncode == 1
    assert f"SUBMETER_METRICS_ADDRESS is {address}, which cannot be listened on" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "without"),
    [(("--without", "jobs"), ""), ((), "jobs, outbox"), (("--without", "jobs"), "ingest")],
)
def test_a_worker_without_work_says_so(tables, run, arguments, without) -> None:
    """Neither configured nor left on: that is a mistake, and no process that idles."""
    answer = run("worker", *arguments, SUBMETER_WITHOUT=without)
    assert (answer.returncode, "No work is left" in answer.stderr) == (1, True)


def test_an_unknown_kind_of_work_is_refused(tables, run) -> None:
    """By the option and by the setting."""
    assert run("worker", "--without", "everything").returncode == 2
    answer = run("worker", SUBMETER_WITHOUT="everything")
    assert "SUBMETER_WITHOUT may name ingest, outbox, jobs only" in answer.stderr


COMMANDS = [
    ("outbox", "list"),
    ("dead-letters", "list"),
    ("readings", "list"),
    ("readings", "list", "--meter", "H18CA029620", "--from", "2026-11-01"),
    ("residences", "list"),
    ("dwellings", "list", "--json"),
    ("meters", "list"),
    ("accounts", "list"),
    ("migrate",),
    ("purge",),
    ("recompute", "--from", "2026-11-01"),
    ("replay",),
    ("worker",),
    ("worker", "--once"),
    ("serve",),
    ("gateways", "issue-key", "ocea", "roof"),
    ("secret", "rotate"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_that_is_away_is_one_line(run, command) -> None:
    """Whatever the command; the password is not in it."""
    answer = run(
        *command,
        SUBMETER_DATABASE_URL=f"postgresql://portal:geheim@127.0.0.1:{free_port()}/submeter",
        SUBMETER_SECRET_KEY="x" * 40,
        SUBMETER_SECRET_KEY_OLD="y" * 40,
        SUBMETER_VONAGE_API_KEY="key",
        SUBMETER_VONAGE_API_SECRET="word",
    )
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    assert line.startswith("DATABASE_UNREACHABLE: The database cannot be reached: ")
    assert "geheim" not in answer.stdout + answer.stderr


def test_a_server_that_refuses_us_is_one_line(request, run) -> None:
    """No such database and no such user, as a PostgreSQL server that answers reports them."""
    data, name = request.getfixturevalue("postgresql_template")
    for url in (f"postgresql://postgres@/nowhere?host={data}", f"postgresql://nobody@/{name}?host={data}"):
        answer = run("outbox", "list", SUBMETER_DATABASE_URL=url, SUBMETER_SECRET_KEY="x" * 40)
        (line,) = answer.stderr.splitlines()
        assert line.startswith("DATABASE_UNREACHABLE: ")


def test_the_secret_of_the_data_folder_is_rotated(tables, run, data_dir) -> None:
    """A new file in the old one's place; what an interrupted run left is finished first."""
    present, old = data_dir / "secret.key", data_dir / "secret.key.old"
    before = present.read_text(encoding="ascii")
    assert run("secret", "rotate").returncode == 0
    after = present.read_text(encoding="ascii")
    assert (after != before, len(after) >= 32, old.exists()) == (True, True, False)
    assert present.stat().st_mode & 0o777 == 0o600

    old.write_text(before, encoding="ascii")
    assert "ROTATE_FIRST" in run("outbox", "list").stderr
    assert "ROTATE_FIRST" in run("serve").stderr
    assert run("secret", "rotate").returncode == 0
    assert (present.read_text(encoding="ascii"), old.exists()) == (after, False)
    assert run("outbox", "list").returncode == 0


def test_a_rotation_needs_both_secrets(tables, run) -> None:
    """Where the secret is in the environment, the old one has to be, too."""
    answer = run("secret", "rotate", SUBMETER_SECRET_KEY="x" * 40)
    assert (answer.returncode, "SUBMETER_SECRET_KEY_OLD" in answer.stderr) == (1, True)

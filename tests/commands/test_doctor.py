"""`submeter doctor`: a line for each check, what to do about it, and exit status 1 if one fails."""

import asyncio
import json
import socket
from datetime import timedelta

import pytest

from submeter.commands.operation.findings import Level
from submeter.commands.operation.remote_checks import broker, clock_finding, database
from tests.support.post import smtp_server


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.fixture
def few_checks(monkeypatch) -> None:
    """Without the drivers' own checks, which take seconds and have tests of their own."""
    monkeypatch.setattr("submeter.commands.operation.local_checks.run_checks", lambda _subjects: ())


def found(answer) -> dict[str, list[dict[str, str]]]:
    by_check: dict[str, list[dict[str, str]]] = {}
    for one in json.loads(answer.stdout):
        by_check.setdefault(one["check"], []).append(one)
    return by_check


def test_a_sound_installation_passes(tables, shell) -> None:
    """All checks, the drivers' own included: no FAIL, exit status 0."""
    answer = shell("doctor")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    lines = answer.stdout.splitlines()
    assert {line[:4].strip() for line in lines} <= {"OK", "WARN"}
    for check in ("settings", "files", "disk", "drivers", "database", "migrations", "mail", "SMS"):
        assert [line for line in lines if line[5:].startswith(f"{check}:")] != []


def test_a_database_without_tables_fails(run, few_checks) -> None:
    """And the advice is the command that helps."""
    answer = run("doctor", "--json")
    assert answer.returncode == 1
    (migrations,) = found(answer)["migrations"]
    assert (migrations["level"], migrations["advice"]) == ("FAIL", "Run `submeter migrate`.")


def test_what_cannot_be_reached_fails_in_one_line_each(run, few_checks, closed_port) -> None:
    """Database, mail server, rate limits and broker that are away; without a password and a traceback."""
    answer = run(
        "doctor",
        "--json",
        SUBMETER_DATABASE_URL=f"postgresql://portal:geheim@127.0.0.1:{closed_port}/x",
        SUBMETER_SECRET_KEY="x" * 40,
        SUBMETER_SMTP_HOST="127.0.0.1",
        SUBMETER_SMTP_PORT=str(closed_port),
        SUBMETER_MAIL_FROM="a@example.org",
        SUBMETER_LIMITS_URL=f"redis://127.0.0.1:{closed_port}",
        SUBMETER_MQTT_URL=f"mqtt://127.0.0.1:{closed_port}",
    )
    assert answer.returncode == 1
    checks = found(answer)
    for name in ("database", "mail", "rate limits", "broker"):
        assert [one["level"] for one in checks[name]] == ["FAIL"], name
        assert checks[name][0]["advice"]
    assert "geheim" not in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


def test_settings_that_cannot_be_read_are_a_finding(run) -> None:
    """The name of the variable, and where it is described."""
    answer = run("doctor", "--json", SUBMETER_PORT="many")
    assert answer.returncode == 1
    (finding,) = found(answer)["settings"]
    assert "SUBMETER_PORT" in finding["what"]
    assert "docs/settings.md" in finding["advice"]


def test_files_that_others_may_read_are_a_warning(tables, run, few_checks, data_dir) -> None:
    """Nothing is changed by looking."""
    (data_dir / "submeter.db").chmod(0o644)
    (finding,) = found(run("doctor", "--json"))["files"]
    assert (finding["level"], "submeter.db" in finding["what"]) == ("WARN", True)
    assert (data_dir / "submeter.db").stat().st_mode & 0o777 == 0o644


def test_a_mail_server_is_greeted_without_a_mail(tables, run, few_checks) -> None:
    """With the security and the credentials of the settings; wrong ones fail."""
    with smtp_server() as (mailbox, port):
        settings = {
            "SUBMETER_SMTP_HOST": "127.0.0.1",
            "SUBMETER_SMTP_PORT": str(port),
            "SUBMETER_SMTP_SECURITY": "PLAIN",
            "SUBMETER_MAIL_FROM": "a@example.org",
        }
        (finding,) = found(run("doctor", "--json", **settings))["mail"]
        assert finding["level"] == "OK", finding
        (finding,) = found(run("doctor", "--json", **{**settings, "SUBMETER_SMTP_SECURITY": "STARTTLS"}))[
            "mail"
        ]
        assert finding["level"] == "FAIL"
        assert mailbox.mails == []


@pytest.mark.parametrize(
    ("seconds", "level"),
    [
        (0, Level.OK),
        (-5, Level.OK),
        (6, Level.WARN),
        (-60, Level.WARN),
        (61, Level.FAIL),
        (-3600, Level.FAIL),
    ],
)
def test_two_clocks_that_differ_are_reported(seconds, level) -> None:
    """More than five seconds is a warning, more than a minute a fault; ahead and behind."""
    finding = clock_finding(timedelta(seconds=seconds))
    assert finding.level is level
    assert ("ahead of" in finding.what) is (seconds > 0)


async def test_the_clock_of_the_database_is_asked(settings, now) -> None:
    """The fixed clock of the tests is not that of a PostgreSQL server; SQLite has the machine's own."""
    findings = await database(settings, now=lambda: now - timedelta(days=10_000))
    assert {finding.check: finding.level for finding in findings if finding.check != "clock"} == {
        "database": Level.OK,
        "migrations": Level.OK,
    }
    clock = [finding.level for finding in findings if finding.check == "clock"]
    assert clock == ([] if settings.is_sqlite else [Level.FAIL])


async def test_a_broker_that_listens_is_reached_and_a_wrong_address_is_named(closed_port) -> None:
    """By TCP; an address of another protocol is a fault of the setting."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert [one.level for one in await broker(f"mqtt://user:word@127.0.0.1:{port}")] == [Level.OK]
    assert [one.level for one in await broker("http://127.0.0.1")] == [Level.FAIL]
    assert await broker("") == []
    server.close()

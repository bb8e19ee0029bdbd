"""The `submeter` command: as run from a shell, and in this process where a process would prove no more."""

import asyncio
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tortoise.transactions import in_transaction

from core.access import Act, Visitor
from core.bootstrap import open_application
from core.models import Channel
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.shared.audit import Subject, record
from core.settings import from_environment
from tests.support import factories
from tests.support.makers.vendors import OUR_DRIVERS
from tests.support.servers.post import smtp_server
from tests.support.telegrams import encryption
from tests.support.telegrams import records as encoder

PRIOS = "1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD"


def written(folder: Path, text: str) -> Path:
    """A file with these lines."""
    path = folder / "lines.txt"
    path.write_text(text, encoding="ascii")
    return path


def test_decode_needs_no_database(shell, tmp_path: Path) -> None:
    """A telegram is decoded without a data folder being made."""
    answer = shell("decode", PRIOS, "--json")
    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    assert report["driver"] == "ocea"
    assert report["measurement"]["values"]["total_volume_m3"] == "123.456"
    assert not (tmp_path / "data").exists()


def test_decode_answers_json_lines_in_order(run) -> None:
    """Each line is answered in turn; an error is the answer to its line, and the stream goes on."""
    key = "F5011AE1F4F10C62B7E5052DE5831F09"
    compact = "23442D2C043799691B168D204640207928848F2B4DCCDFACBABB24C04B9B1281721EA518"
    asked = [
        json.dumps({"id": 1, "telegram": PRIOS, "key": None, "prior_telegrams": []}),
        "no JSON",
        "",
        json.dumps({"id": 2, "telegram": compact, "key": key}),
        json.dumps({"id": 3, "telegram": compact}),
        json.dumps({"id": 4, "telegram": PRIOS[:-2]}),
        json.dumps({"id": 5, "telegram": PRIOS, "key": "my-secret"}),
        json.dumps({"id": 6}),
        json.dumps([7]),
    ]
    answer = run("decode", "--jsonl", given="\n".join(asked) + "\n")
    assert answer.returncode == 0, answer.stderr
    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [reported["id"] for reported in answers] == [1, None, 2, 3, 4, 5, 6, None]
    codes = [reported["error"] and reported["error"]["code"] for reported in answers]
    bad = "INVALID_INPUT"
    assert codes == [None, bad, None, "KEY_MISSING", "TRUNCATED", bad, bad, bad]
    first, _, second, third, *_ = answers
    assert (first["manufacturer"], first["serial"]) == ("SAP", "21131C34")
    assert first["measurements"]["total_volume_m3"] == 123.456
    assert first["history"][0] == {
        "day": "2025-04-30",
        "quantity": "VOLUME",
        "value": 120.001,
        "source": "SNAPSHOT",
    }
    assert second["measurements"]["total_volume_m3"] == 47.889
    assert (third["serial"], third["measurements"]) == ("69993704", {})
    assert "my-secret" not in answer.stdout + answer.stderr


def test_decode_learns_compact_formats_from_the_telegrams_before(run) -> None:
    """A full telegram among `prior_telegrams` opens a compact frame of a meter that no driver lists."""
    link = bytes.fromhex("6A49112233440107")
    records = [encoder.bcd(0xC, "13", 123456)]
    full = encryption.plain(link, encoder.full(records)).hex()
    compact = encryption.plain(link, encoder.compact(records), encryption.Header(compact=True)).hex()
    asked = [{"telegram": compact}, {"telegram": compact, "prior_telegrams": ["broken", full]}]
    answer = run("decode", "--jsonl", given="".join(json.dumps(line) + "\n" for line in asked))
    unknown, known = (json.loads(line) for line in answer.stdout.splitlines())
    assert unknown["error"]["code"] == "UNKNOWN_COMPACT_FORMAT"
    assert known["measurements"] == {"total_volume_m3": 123.456}


def test_decode_names_where_a_telegram_failed(run) -> None:
    """A truncated telegram ends the command with status 1, the code and the layers that were read."""
    answer = run("decode", PRIOS[:40])
    assert answer.returncode == 1
    assert "TRUNCATED" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_invalid_key_is_refused_without_being_printed(run) -> None:
    """A --key that is not hex is refused, and the text given is not printed."""
    answer = run("decode", PRIOS, "--key", "my-secret-key")
    assert answer.returncode == 1
    assert "INVALID_INPUT" in answer.stderr
    assert "my-secret" not in answer.stdout + answer.stderr


def test_drivers_are_listed_with_where_they_come_from(run) -> None:
    """The vendors are found through their entry points."""
    answer = run("drivers", "list", "--json")
    listed = json.loads(answer.stdout)
    assert [driver["driver"] for driver in listed["drivers"]] == list(OUR_DRIVERS)
    assert listed["broken"] == []


def test_a_command_on_a_fresh_machine_names_the_command_to_run_first(run, shell) -> None:
    """Without tables `ingest` names the command that makes them, and `migrate` makes them."""
    refused = run("ingest", "-", given=PRIOS)
    assert (refused.returncode, "submeter migrate" in refused.stderr) == (1, True)
    assert "0001_initial" in shell("migrate").stdout
    assert "up to date" in run("migrate").stdout
    taken_in = shell("ingest", "-", "--json", given=f"# a comment\n\n{PRIOS}\nnonsense\n")
    assert json.loads(taken_in.stdout)["unusable"] == {"NOT_A_TELEGRAM": 1, "UNKNOWN_METER": 1}


def test_dead_letters_are_listed_with_their_reason(tables, run, tmp_path: Path) -> None:
    """`dead-letters list` names stage, reason, place and meter of each line, and filters by reason."""
    run("ingest", str(written(tmp_path, f"{PRIOS}\nnonsense\n")))
    listed = json.loads(run("dead-letters", "list", "--json").stdout)
    assert [(row["stage"], row["reason"], row["offset"]) for row in listed] == [
        ("METER", "UNKNOWN_METER", None),
        ("LINE", "NOT_A_TELEGRAM", 0),
    ]
    (unknown,) = json.loads(run("dead-letters", "list", "--reason", "UNKNOWN_METER", "--json").stdout)
    assert (unknown["radio_address"], unknown["line"]) == ("SAP-21131C34-0C-04", PRIOS)


def test_meters_are_imported_from_a_list_and_their_telegrams_replayed(
    tables, run, shell, tmp_path: Path
) -> None:
    """`meters import` encrypts the keys of a CSV file; a dead letter is then replayed."""
    run("ingest", str(written(tmp_path, PRIOS)))
    table = tmp_path / "meters.csv"
    heading = "operator,residence,number,fluid,vendor,printed_serial,radio_address,installed_on,key\n"
    row = "ocea,AA000,12,COLD_WATER,ocea,H18CA029620,SAP-21131C34-0C-04,2024-01-01,{}\n"
    table.write_text(heading + row.format(""), encoding="utf-8")
    refused = run("meters", "import", str(table))
    assert (refused.returncode, "NOT_FOUND" in refused.stderr) == (1, True)
    described = ("ocea", "OCEA", "AA000", "Les Tilleuls", "1 rue A", "92400", "Courbevoie")
    free = run("residences", "add", *described, "--water-price", "0")
    assert (free.returncode, "water_price" in free.stderr) == (1, True)
    made = run("residences", "add", *described, "--water-price", "4.52")
    assert made.returncode == 0, made.stderr
    table.write_text(heading + row.format("not hex"), encoding="utf-8")
    unreadable = run("meters", "import", str(table))
    assert (unreadable.returncode, "line 2" in unreadable.stderr, "not hex" in unreadable.stderr) == (
        1,
        True,
        False,
    )
    table.write_text(heading + row.format(""), encoding="utf-8")
    assert "1 meter registered" in shell("meters", "import", str(table)).stdout
    assert json.loads(run("replay", "--json").stdout)["stored"] == 1


def test_a_setting_that_cannot_be_read_is_named(run) -> None:
    """A wrong variable ends the command with its name and without a stack trace."""
    answer = run("migrate", SUBMETER_PORT="eight thousand")
    assert answer.returncode == 1
    assert "SUBMETER_PORT" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_postgresql_requires_a_secret_key(run) -> None:
    """With PostgreSQL no secret is generated: every worker must have the same."""
    answer = run("migrate", SUBMETER_DATABASE_URL="postgresql://nobody@localhost/none")
    assert (answer.returncode, "SUBMETER_SECRET_KEY" in answer.stderr) == (1, True)


def test_a_file_that_is_not_there_is_named(tables, run) -> None:
    """A missing file is reported in one line."""
    answer = run("ingest", "nowhere.log")
    assert (answer.returncode, "nowhere.log" in answer.stderr, "Traceback" in answer.stderr) == (
        1,
        True,
        False,
    )


def test_the_outbox_of_a_new_application_is_empty(tables, run) -> None:
    """`outbox list --json` is a list also when there is nothing in it."""
    assert json.loads(run("outbox", "list", "--json").stdout) == []


def test_external_text_is_printed_and_never_read_as_markup(tables, run, tmp_path: Path) -> None:
    """Brackets in a source or a file's name are printed as they are."""
    assert run("ingest", str(written(tmp_path, "nonsense\n")), "--source", "[/x]").returncode == 0
    listed = run("dead-letters", "list")
    assert (listed.returncode, "[/x]" in listed.stdout) == (0, True)
    refused = run("ingest", "no[/]pe")
    assert (refused.returncode, "no[/]pe" in refused.stderr) == (1, True)


def test_an_invalid_byte_affects_its_own_line_alone(tables, shell) -> None:
    """Lines after a byte that is no UTF-8 on standard input are ingested."""
    summary = shell("ingest", "-", "--json", given=f"damaged \udcff\n{PRIOS}\n")
    assert json.loads(summary.stdout)["unusable"] == {"NOT_A_TELEGRAM": 1, "UNKNOWN_METER": 1}


@pytest.mark.parametrize("where", ["/none?host=/nowhere", "127.0.0.1:1/none"])
def test_a_database_that_cannot_be_reached_is_named(run, where: str) -> None:
    """The message does not ask to migrate it."""
    url = f"postgresql://nobody@{where}"
    answer = run("dead-letters", "list", SUBMETER_DATABASE_URL=url, SUBMETER_SECRET_KEY="s" * 40)
    assert (answer.returncode, "DATABASE_UNREACHABLE" in answer.stderr) == (1, True), answer.stderr


def test_the_worker_requires_a_channel(tables, run) -> None:
    """Without a server to send through, the command names the missing settings."""
    answer = run("worker", "--once")
    assert answer.returncode == 1
    assert "SUBMETER_SMTP_HOST" in answer.stderr


def test_the_worker_run_once_sends_what_is_due_and_ends(tables, run, shell, tmp_path: Path) -> None:
    """A code that was queued goes to the mail server; the list shows it sent, and never its code."""
    url = f"sqlite:///{tmp_path / 'data' / 'submeter.db'}"
    settings = from_environment({"SUBMETER_DATA_DIR": str(tmp_path / "data"), "SUBMETER_DATABASE_URL": url})

    async def queue() -> None:
        mail = AccountMessage(
            key="a code",
            channel=Channel.EMAIL,
            template="email_code",
            language="en",
            recipient="claire@example.org",
            secrets={"code": "042117"},
        )
        async with open_application(settings), in_transaction() as connection:
            await queue_account_message(connection, settings, mail, now=datetime.now(UTC))

    asyncio.run(queue())
    with smtp_server() as (box, port):
        sending = {
            "SUBMETER_SMTP_HOST": "127.0.0.1",
            "SUBMETER_SMTP_PORT": str(port),
            "SUBMETER_SMTP_SECURITY": "PLAIN",
            "SUBMETER_MAIL_FROM": "portail@example.org",
        }
        answer = shell("worker", "--once", **sending)
        assert (answer.returncode, answer.stdout) == (0, "1 message sent, 0 failed.\n"), answer.stderr
        assert run("worker", "--once", **sending).stdout == "0 messages sent, 0 failed.\n"
    assert box.texts_to("claire@example.org") == [
        "Hello,\n\nYour confirmation code is 042117. It is valid for 15 minutes.\n"
    ]
    (listed,) = json.loads(run("outbox", "list", "--json").stdout)
    assert (listed["state"], listed["failure"]) == ("SENT", None)
    assert listed["recipient"] == "claire@example.org"
    assert listed["text"] == "Your confirmation code is …. It is valid for 15 minutes."


def test_data_past_their_retention_period_are_deleted(tables, run, tmp_path: Path) -> None:
    """`purge` prints how many of each kind were deleted; run again, it deletes nothing."""
    settings = from_environment({"SUBMETER_DATA_DIR": str(tmp_path / "data")})

    async def act() -> None:
        async with open_application(settings):
            for at in (datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC)):
                await record(Act.SIGNED_IN, Subject("account", 7), None, Visitor("192.0.2.7"), at)

    asyncio.run(act())
    gone = json.loads(run("purge", "--json").stdout)
    assert {kind: count for kind, count in gone.items() if count} == {"audit records": 1}
    answer = run("purge")
    assert (answer.returncode, "1" in answer.stdout, "audit records" in answer.stdout) == (0, False, True)
    assert len(json.loads(run("audit", "list", "--json").stdout)) == 1


def test_several_workers_share_a_rate_limit_store_or_do_not_start(run) -> None:
    """Counted in each process, a guesser would have a multiple of the tries."""
    answer = run("serve", "--workers", "2")
    assert answer.returncode == 1
    assert "SUBMETER_LIMITS_URL" in answer.stderr


def test_the_audit_is_listed(tables, run, tmp_path: Path) -> None:
    """The acts of one account or kind, as a table or as JSON."""
    settings = from_environment({"SUBMETER_DATA_DIR": str(tmp_path / "data")})

    async def act() -> None:
        now = datetime.now(UTC)
        async with open_application(settings):
            for number in (7, 8):
                await record(Act.SIGNED_IN, Subject("account", number), None, Visitor("192.0.2.7"), now)

    asyncio.run(act())
    (listed,) = json.loads(run("audit", "list", "--account", "7", "--json").stdout)
    assert (listed["act"], listed["number"], listed["address"]) == ("SIGNED_IN", 7, "192.0.2.7")
    assert "2 acts" in run("audit", "list", "--act", "SIGNED_IN").stdout
    assert json.loads(run("audit", "list", "--act", "SIGNED_OUT", "--json").stdout) == []


def test_a_paper_consent_is_recorded(tables, run, tmp_path: Path, key_encryption) -> None:
    """With the place of the paper; without it, the command names what is missing."""
    settings = from_environment({"SUBMETER_DATA_DIR": str(tmp_path / "data")})

    async def move_in() -> None:
        async with open_application(settings):
            await factories.residence(key_encryption)

    asyncio.run(move_in())
    claire = ("consents", "record", "claire.martin@example.org", "--granted")
    refused = run(*claire)
    assert (refused.returncode, "evidenceReference" in refused.stderr) == (1, True)
    assert "is now GRANTED" in run(*claire, "--evidence", "dossier 12").stdout
    assert run("consents", "record", "nobody@example.org", "--no-granted").returncode == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are of POSIX")
def test_ingest_reads_a_named_pipe(tables, run, tmp_path: Path) -> None:
    """A FIFO is read once, to its end; no line is lost to counting."""
    fifo = tmp_path / "gateway.fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_text, args=(f"{PRIOS}\n" * 3,), daemon=True)
    writer.start()
    answer = run("ingest", str(fifo), "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["lines"] == 3

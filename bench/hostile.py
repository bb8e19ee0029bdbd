"""What hostile requests cost the GraphQL API: CPU of each, and how long others wait meanwhile.

    python bench/hostile.py [SEED] [--all]

In: nothing; the documents are those of `tests/support/hostile.py`, 200 generated ones among them. Out: the
requests that cost most, the maximum, and the longest wait of a concurrent `/health`. The one rule: the app
itself is called, in this process and on its event loop, so no client's and no socket's work is counted; each
request is a document that the caches do not hold.
"""

import asyncio
import gc
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from starlette.applications import Starlette
from starlette.types import Message

from core.access import SYSTEM
from core.bootstrap import migrate, open_application
from core.graphql_settings import ROLES, GraphQLSettings
from core.services.portfolio.gateways import issue_gateway_key
from core.services.portfolio.portfolio import upsert_operator
from core.settings import Settings
from graphql_schema.asgi import build_app
from graphql_schema.requests.documents import DocumentCache
from graphql_schema.requests.trusted import Documents
from graphql_schema.schema import schema
from tests.support.hostile import Hostile, asked, batches, generated, measured

SECRET = "a secret of the bench, 32 characters"  # noqa: S105 - of a database that is deleted
MOST_CPU_MS = 50.0
TRIES = 3
"""The least CPU of three is taken: on a shared core a neighbour makes the same work dearer by half."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request cost: CPU of the event loop's thread, its status, and the size of its answer."""

    kind: str
    loop_ms: float
    process_ms: float
    status: int
    answered: int
    waited_ms: float = 0.0


async def called(app: Starlette, request: Hostile, key: str) -> Outcome:
    """Send one request to the app, in pieces of 64 KiB as a server does."""
    headers = [*request.headers, (b"host", b"portal.test"), (b"content-length", b"%d" % len(request.body))]
    if request.by_gateway:
        headers.append((b"authorization", f"Bearer {key}".encode()))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method,
        "scheme": "http", "path": "/graphql", "raw_path": b"/graphql", "root_path": "",
        "query_string": request.query_string, "headers": headers, "client": ("192.0.2.1", 1),
        "server": ("portal.test", 80), "state": {},
    }  # fmt: skip
    pieces = [request.body[at : at + 65_536] for at in range(0, len(request.body), 65_536)] or [b""]
    pending = iter(pieces)
    status, answered, left = 0, 0, len(pieces)

    async def receive() -> Message:
        nonlocal left
        left -= 1
        await asyncio.sleep(0)
        return {"type": "http.request", "body": next(pending, b""), "more_body": left > 0}

    async def send(message: Message) -> None:
        nonlocal status, answered
        status = message.get("status", status)
        answered += len(message.get("body", b""))

    loop, process = time.thread_time(), time.process_time()
    await app(scope, receive, send)
    loop_ms, process_ms = (time.thread_time() - loop) * 1000, (time.process_time() - process) * 1000
    return Outcome(request.kind, loop_ms, process_ms, status, answered)


async def longest_wait(app: Starlette, request: Hostile, key: str) -> float:
    """The longest time that `/health` took, one asked for after the other, while the request was answered."""
    health = Hostile("health", method="GET", headers=())
    longest, done = 0.0, False

    async def watch() -> None:
        nonlocal longest
        while not done:
            began = time.perf_counter()
            await probed(app, health)
            longest = max(longest, time.perf_counter() - began)
            await asyncio.sleep(0.001)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    await called(app, request, key)
    done = True
    await watching
    return longest * 1000


async def longest_of_idle(app: Starlette) -> float:
    """The longest time that `/health` takes of two hundred, while nothing else is asked."""
    longest = 0.0
    for _ in range(200):
        began = time.perf_counter()
        await probed(app, Hostile("health", method="GET", headers=()))
        longest = max(longest, time.perf_counter() - began)
    return longest * 1000


async def probed(app: Starlette, request: Hostile) -> None:
    """Ask for `/health`."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method,
        "scheme": "http", "path": "/health", "raw_path": b"/health", "root_path": "", "query_string": b"",
        "headers": [], "client": ("192.0.2.2", 1), "server": ("portal.test", 80), "state": {},
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        pass

    await app(scope, receive, send)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Starlette, str]]:
    """The app over an empty database, and the key of its gateway."""
    limits = GraphQLSettings(hour_points=dict.fromkeys(ROLES, 10**9))  # each request is to be answered
    settings = Settings(folder, f"sqlite:///{folder}/hostile.db", SECRET, graphql=limits)
    await migrate(settings)
    async with open_application(settings) as application:
        now = datetime.now(UTC)
        await upsert_operator(SYSTEM, code="ocea", name="OCEA")
        key = await issue_gateway_key(SYSTEM, operator_code="ocea", name="bench", now=now)
        yield build_app(application), key


async def main(seed: int, *, shows_all: bool) -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as (app, key):
            for warm in ("{ __typename }", "{ operators { code } }", "{ viewer { id } }"):
                await called(app, asked("warm", warm), key)
            gc.collect()
            gc.freeze()
            idle_ms = await longest_of_idle(app)
            outcomes = []
            for request in [*measured(), *generated(seed, 200)]:
                tries = []
                for _ in range(TRIES):
                    app.state.documents = Documents(schema.core, None, DocumentCache())
                    tries.append(await called(app, request, key))
                app.state.documents = Documents(schema.core, None, DocumentCache())
                waited_ms = await longest_wait(app, request, key)
                least = min(tries, key=lambda one: one.loop_ms)
                outcomes.append(replace(least, waited_ms=waited_ms))
            app.state.documents = Documents(schema.core, None, DocumentCache())
            taken_in = [
                replace(await called(app, one, key), waited_ms=await longest_wait(app, one, key))
                for one in batches()
            ]
    show(taken_in, "taken in, most of it in the thread of intake")
    show(outcomes if shows_all else outcomes[:18], "as measured on 0.1" if not shows_all else "all")
    dear = sorted(outcomes, key=lambda one: one.loop_ms, reverse=True)
    show(dear[:10], "the dearest")
    waits = sorted(one.waited_ms for one in outcomes)
    statuses = sorted({one.status // 100 for one in outcomes})
    print(f"\n{len(outcomes)} requests, seed {seed}, statuses {statuses}: CPU of the event loop at most")
    print(f"{dear[0].loop_ms:.1f} ms, of the process {max(one.process_ms for one in outcomes):.1f} ms.")
    print(f"/health waited {waits[len(waits) // 2]:.1f} ms in the median and {waits[-1]:.1f} ms at most;")
    print(f"while nothing else was asked, at most {idle_ms:.1f} ms.")
    return int(dear[0].loop_ms > MOST_CPU_MS or 5 in statuses)


def show(outcomes: list[Outcome], title: str) -> None:
    print(f"\n{title}: CPU ms of the loop, of the process, ms that /health waited, status, bytes answered")
    for one in outcomes:
        times = f"{one.loop_ms:7.1f} {one.process_ms:7.1f} {one.waited_ms:7.1f}"
        print(f"  {times} {one.status:4} {one.answered:8}  {one.kind}")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    chosen = next((int(one) for one in sys.argv[1:] if one.isdecimal()), 13)
    sys.exit(asyncio.run(main(chosen, shows_all="--all" in sys.argv)))

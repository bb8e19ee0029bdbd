"""Thousands of generated GraphQL operations of every role: is any answered wrongly?

    python bench/api/generated_operations.py [--operations N] [--mutations N] [--roles staff,…] [--seed TEXT]

Makes the demo in a temporary folder, adds rows of every kind, and asks as nobody, resident, owner, household
member, provider, manager, staff and analyst, in process. A fault is an internal error, an id, serial or
address of another's row in an answer, an aggregate below five dwellings, or another's row that a mutation has
changed. The one rule: the same seed asks the same; all queries come before the first mutation. Ends with
status 1 if there is a fault. One operation may cost what its role may spend, as in production; the points of
an hour are not counted.
"""

import argparse
import asyncio
import sys
import tempfile
import time
import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import httpx

from core.bootstrap import open_application
from core.graphql_settings import ROLES, GraphQLSettings
from core.services.analysis.publication import publish_due
from core.settings import Settings
from graphql_schema.asgi import build_app
from graphql_schema.schema import schema
from submeter.demo.command import make
from submeter.demo.people import describe_people
from tests.support.factories import NOW
from tests.support.generated.answers import Tally, tally
from tests.support.generated.operations import Generator
from tests.support.generated.people import Seat, addresses, all_seats, ids_for, rows_of_others
from tests.support.generated.rows import add_rows

SECRET = "a secret of the bench, 32 characters"  # noqa: S105 - of no one
SHOWN = 20


def main() -> None:
    """Runs the bench."""
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)  # see `tally`
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--operations", type=int, default=5_000, help="of each role")
    parser.add_argument("--mutations", type=int, default=500, help="of each role")
    parser.add_argument("--roles", default="", help="only these, with commas between them")
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="submeter-") as folder:
        graphql = GraphQLSettings(hour_points=dict.fromkeys(ROLES, 10**9))
        url = f"sqlite:///{folder}/demo.db"
        settings = Settings(Path(folder), url, SECRET, log_level="CRITICAL", graphql=graphql)
        faults = asyncio.run(_asked(settings, options))
    sys.exit(bool(faults))


async def _asked(settings: Settings, options: argparse.Namespace) -> int:
    with redirect_stdout(StringIO()):
        await make(settings, now=NOW)
    async with open_application(settings) as application:
        await describe_people(application, now=NOW)
        await publish_due(now=NOW)
        await add_rows(NOW)
        app = build_app(application, clock=lambda: NOW)
        portal = SimpleNamespace(clock=SimpleNamespace(now=NOW), token=None)
        seats = await all_seats(portal, application)
        wanted = set(filter(None, options.roles.split(","))) or {seat.name for seat in seats}
        assert wanted <= {seat.name for seat in seats}, f"roles are {', '.join(seat.name for seat in seats)}"
        faults = 0
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
            for mutating in (False, True):
                for seat in seats:
                    if seat.name in wanted:
                        faults += await _of(seat, client, options, mutating=mutating)
        return faults


async def _of(seat: Seat, client: httpx.AsyncClient, options: argparse.Namespace, *, mutating: bool) -> int:
    """Ask as one role; how many faults there were."""
    seed = f"{options.seed} {seat.name} {mutating}"
    generator = Generator(
        schema.core, seed, NOW.date(), await ids_for(seat), seat.roots, await addresses() if mutating else ()
    )
    started = time.perf_counter()
    before = await rows_of_others(seat) if mutating else {}
    asked = generator.mutations(options.mutations) if mutating else generator.queries(options.operations)
    found = await tally(client, seat, asked)
    after = await rows_of_others(seat) if mutating else {}
    found.faults += [
        f"{seat.name}: has changed {name}: {row} to {after.get(name)}"
        for name, row in before.items()
        if after.get(name) != row
    ]
    _print(seat, "mutations" if mutating else "queries", found, time.perf_counter() - started)
    return len(found.faults)


def _print(seat: Seat, what: str, found: Tally, seconds: float) -> None:
    refusals = ", ".join(f"{code} {count:,}" for code, count in found.refusals.most_common())
    print(
        f"{seat.name:10} {found.operations:6,} {what}, {found.with_data:6,} answered with data,"
        f" {len(found.fields):4} names of fields, {found.aggregates:,} counts of aggregates,"
        f" {len(found.faults)} faults, {seconds:.0f} s; refusals: {refusals}",
        flush=True,
    )
    for fault in found.faults[:SHOWN]:
        print(f"  {fault}", flush=True)


if __name__ == "__main__":
    main()

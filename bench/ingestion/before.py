"""The same fleet through another state of the sources, by its own command line.

In: a folder with those sources (`git worktree add FOLDER COMMIT`). Out: how many telegrams a second its
`submeter ingest` takes. The one rule: what is asked of it are commands that every state since the first has
had (`migrate`, `residences add`, `meters import`, `ingest`), so nothing of it is imported here.

Its lines are the fleet's, dated by this machine's clock, to which its commands compare them. Each worker is a
process with the lines of every so many dwellings. The first hour, in which each meter is looked up, is not
counted; nor is the start of the process, which is measured with an empty file.
"""

import json
import os
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench.fleet import Home, home_of
from bench.ingestion.servers import server, server_cpu_s
from core.metering import identify, load_registry

_A_DWELLING: Final = 4
_COLUMNS: Final = "operator,residence,number,fluid,vendor,printed_serial,radio_address,installed_on,key"
_OPERATOR: Final = "bench"
_RESIDENCE: Final = "00001"


@dataclass(frozen=True, slots=True)
class Before:
    """What another state took in.

    Attributes:
        rate: telegrams a second after the first hour, all workers together.
        cpu_us: CPU of its workers a telegram, microseconds.
        server_us: CPU of PostgreSQL a telegram.
    """

    rate: float
    cpu_us: float
    server_us: float


def measure(
    source: Path,
    folder: Path,
    *,
    database: str,
    meters: int,
    hours: int,
    workers: int,
    batch: int,
    secret: str,
) -> Before:
    """Take in so many hours of so many meters.

    Args:
        source: the sources.
        folder: for its database and files.
        database: sqlite or postgresql.
        meters: how many of the fleet, the first ones.
        hours: how many, one more than are counted.
        workers: processes at once.
        batch: lines of a transaction.
        secret: under which it encrypts keys.
    """
    folder.mkdir(parents=True, exist_ok=True)
    homes = [home_of(number) for number in range(meters)]
    with server(database, folder) as url:
        state = _State(source.resolve(), folder, url, secret, batch)
        state.run("migrate")
        state.run("residences", "add", _OPERATOR, "Bench", _RESIDENCE, "Bench", "1 rue", "75001", "Paris")
        described = folder / "meters.csv"
        described.write_text(_described(homes), encoding="ascii")
        state.run("meters", "import", str(described))
        empty = folder / "empty.jsonl"
        empty.touch()
        begun, start_cpu_s = _timed(state, [[empty]] * workers)
        files = _files(homes, hours, workers, folder)
        _timed(state, [own[:1] for own in files])
        before_s = server_cpu_s(folder)
        took, cpu_s = _timed(state, [own[1:] for own in files])
        count = meters * (hours - 1)
        return Before(
            count / max(took - begun, 1e-3),
            (cpu_s - start_cpu_s) / count * 1e6,
            (server_cpu_s(folder) - before_s) / count * 1e6,
        )


@dataclass(frozen=True, slots=True)
class _State:
    """A state of the sources with a database of its own."""

    source: Path
    folder: Path
    url: str
    secret: str
    batch: int

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """One of its commands."""
        scripts = tomllib.loads((self.source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        module, _, function = scripts["scripts"]["submeter"].partition(":")
        environment = os.environ | {
            "PYTHONPATH": str(self.source),
            "SUBMETER_DATABASE_URL": self.url,
            "SUBMETER_SECRET_KEY": self.secret,
            "SUBMETER_DATA_DIR": str(self.folder),
            "SUBMETER_INTAKE_BATCH_LINES": str(self.batch),
            "SUBMETER_LOG_LEVEL": "WARNING",
        }
        return subprocess.Popen(  # noqa: S603 - a command of ours
            [sys.executable, "-c", f"from {module} import {function}; {function}()", *arguments],
            env=environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
        )

    def run(self, *arguments: str) -> None:
        """Run one of its commands to its end."""
        process = self.start(*arguments)
        answer, _ = process.communicate()
        if process.returncode:
            sys.exit(
                f"{self.source}: submeter {' '.join(arguments[:2])} ended with {process.returncode}\n"
                f"{answer.decode()}"
            )


def _timed(state: _State, files: list[list[Path]]) -> tuple[float, float]:
    """Wall and CPU seconds until processes have taken in their files, all at once."""
    started, children = time.perf_counter(), _children_s()
    processes = [state.start("ingest", "--json", *map(str, own)) for own in files]
    answers = [process.communicate()[0] for process in processes]
    took = time.perf_counter() - started
    for process, answer, own in zip(processes, answers, files, strict=True):
        lines = sum(path.read_bytes().count(b"\n") for path in own)
        if process.returncode or json.loads(answer)["stored"] != lines:
            sys.exit(f"{state.source}: of {lines} lines, ended with {process.returncode}: {answer.decode()}")
    return took, _children_s() - children


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _described(homes: list[Home]) -> str:
    """The list of meters to import."""
    registry, at = load_registry(), datetime.now(UTC)
    rows = [_COLUMNS]
    for home in homes:
        address = identify(home.telegram(0, at), registry).address
        rows.append(
            f"{_OPERATOR},{_RESIDENCE},{home.number // _A_DWELLING},{home.fluid},bench,{home.number:08d},"
            f"{address},2024-01-01,{home.key.hex()}"
        )
    return "\n".join(rows) + "\n"


def _files(homes: list[Home], hours: int, workers: int, folder: Path) -> list[list[Path]]:
    """For each worker a file of each hour, the last hour just past."""
    begins = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours + 1)
    files: list[list[Path]] = [[] for _ in range(workers)]
    for hour in range(hours):
        lines: list[list[str]] = [[] for _ in range(workers)]
        for home in homes:
            at = begins + timedelta(hours=hour, seconds=home.phase_s)
            line = {"telegram": home.telegram(hour, at).hex(), "timestamp": at.isoformat(), "mic": "CRC"}
            lines[home.number // _A_DWELLING % workers].append(json.dumps(line) + "\n")
        for number, own in enumerate(lines):
            path = folder / f"{number}-{hour:03d}.jsonl"
            path.write_text("".join(own), encoding="ascii")
            files[number].append(path)
    return files

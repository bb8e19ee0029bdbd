"""`submeter decode --jsonl` as a whole process: telegrams per CPU second, by kind of encryption.

    python bench/decode_lines.py [--lines N] [--vectors FILE] [--before FOLDER [--lines-before N]]

Each kind is a file of N lines (100,000) on standard input of a process of its own: a fleet in which each
meter has its own key and sends one telegram, then, with --vectors, the records of a vector file over and
over, by their `security_class`. What counts is the CPU time of the process, user and system, less that of one
with an empty input just before it: the start.

With --before, a folder with the sources of another state (`git worktree add FOLDER COMMIT`), both take turns
on the same lines, and the ratio is printed with whether the answers are the same; a slow one may be given
fewer lines. Absolute figures vary with the machine; compare the ratios.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from fleet import KINDS, Sample, fleet

from submeter.simulator.encryption import CI_FULL, mode7, telegram
from submeter.simulator.layouts import ista_water
from submeter.simulator.records import full

HERE = Path(__file__).resolve().parents[1]
RUN = "from submeter.main import main; main()"
TURNS = 5
ISTA_WATER = bytes.fromhex("7426")


def main() -> None:
    """Runs the bench."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--lines", type=int, default=100_000)
    arguments.add_argument("--lines-before", type=int, default=25_000)
    arguments.add_argument("--vectors", type=Path)
    arguments.add_argument("--before", type=Path)
    given = arguments.parse_args()
    states = {"now": (HERE, given.lines)}
    if given.before is not None:
        states["before"] = (given.before.resolve(), given.lines_before)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "empty").touch()
        for kind, lines in kinds(given.vectors):
            measure(kind, lines, states, Path(folder))


def measure(
    kind: str,
    lines: Callable[[int], Iterator[str]],
    states: dict[str, tuple[Path, int]],
    folder: Path,
) -> None:
    """One line of the table: telegrams per CPU second of each state, and the ratio of both."""
    rates: dict[str, list[float]] = {name: [] for name in states}
    answers: dict[str, list[bytes]] = {}
    every = list(lines(max(count for _, count in states.values())))
    for _ in range(TURNS):
        for name, (source, count) in states.items():
            asked = folder / name
            asked.write_text("".join(every[:count]))
            start, _ = cpu_time(source, folder / "empty")
            taken, answer = cpu_time(source, asked)
            rates[name].append(count / max(taken - start, 0.01))
            answers[name] = answer.splitlines()
    columns = [f"{kind:24}", *(f"{name} {median(found):8.0f}/s" for name, found in rates.items())]
    if "before" in states:
        ratio = median(now / before for now, before in zip(rates["now"], rates["before"], strict=True))
        both = list(zip(*answers.values(), strict=False))
        other = sum(json.loads(one) != json.loads(two) for one, two in both)
        columns += [
            f"{ratio:6.1f}x",
            "same answers" if not other else f"{other} of {len(both)} answers differ",
        ]
    print("  ".join(columns), flush=True)


def cpu_time(source: Path, asked: Path) -> tuple[float, bytes]:
    """CPU seconds of the command on a file, user and system, and what it answers."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with asked.open("rb") as lines:
        done = subprocess.run(  # noqa: S603 - this very command
            [sys.executable, "-c", RUN, "decode", "--jsonl"],
            stdin=lines,
            stdout=subprocess.PIPE,
            cwd=source,
            env={**os.environ, "PYTHONPATH": str(source)},
            check=True,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def kinds(vectors: Path | None) -> Iterator[tuple[str, Callable[[int], Iterator[str]]]]:
    """Each kind, and what writes so many lines of it."""
    for kind in ("none", "mode 7", *KINDS):
        yield kind, lambda count, kind=kind: map(line_of, meters(kind, count))
    if vectors is not None:
        classes: dict[str, list[str]] = {}
        for record in json.loads(vectors.read_text())["records"]:
            asked = {name: record.get(name) for name in ("id", "telegram", "key", "prior_telegrams")}
            classes.setdefault(record["security_class"], []).append(json.dumps(asked) + "\n")
        for name, lines in sorted(classes.items()):
            yield f"vectors {name}", lambda count, lines=lines: islice(cycle(lines), count)


def meters(kind: str, count: int) -> Iterator[Sample]:
    """One telegram of each meter of a fleet."""
    if kind in KINDS:
        yield from fleet(kind, count)
        return
    chance = random.Random(f"{count} {kind}")
    for number in range(count):
        wire = ISTA_WATER + bytes.fromhex(f"{number:08d}")[::-1] + b"\x31\x07"
        records = full(
            ista_water(
                litres=chance.randrange(10**6),
                month_end_litres=chance.randrange(10**6),
                month_end=date(2026, 10, 31),
            )
        )
        key = chance.randbytes(16) if kind == "mode 7" else b""
        if key:
            yield Sample(mode7(wire, key, records, access=number & 0xFF, counter=number), key)
        else:
            yield Sample(telegram(wire, bytes((CI_FULL,)) + records), key)


def line_of(sample: Sample) -> str:
    """The line that asks for a telegram."""
    asked = {"id": None, "telegram": sample.telegram.hex(), "key": sample.key.hex() or None}
    return json.dumps(asked) + "\n"


if __name__ == "__main__":
    main()

"""`submeter classify`: finds the leaks in a file of readings. Needs no database.

In: index readings as CSV or Parquet. Out: a line for each leak, or for each meter with what the classifier
concluded about it, as CSV or JSON, and a plot if requested. The one rule: the classifier is that of the
intake, so it finds the leaks that residents are notified of.
"""

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, TextIO

import orjson
from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.errors import InvalidInput
from core.leaks.classifier.classify import Classifier, Readings
from core.leaks.classifier.classify import classify as find_leaks
from core.leaks.classifier.runs import LeakRun
from core.leaks.classifier.verdict import Verdict, verdicts_of
from core.leaks.export import LeakRow, VerdictRow, rows, verdict_rows
from submeter.leak_plot import draw
from submeter.output import counted, err, fail
from submeter.reading_files import read_readings

_REGISTERS = (1, 10, 100)


def classify(
    file: Path,
    *,
    register: int = 1,
    capacity_m3: int = 100_000,
    out: Annotated[Path | None, Parameter(name=("--output", "--out"))] = None,
    json: bool = False,
    verdicts: bool = False,
    plot: str | None = None,
    plot_to: Path | None = None,
) -> None:
    """Find the leaks in a file of readings: columns meter, read_at, litres and, after a replacement, serial.

    Writes meter, start, end, level, total_loss_m3, mean_flow_lph and detected_at of each leak; end is empty
    while a leak is active. A leak that came back has one line per occurrence. With --verdicts: meter, finding
    (LEAK, NO_LEAK, UNDECIDED or NOT_MEASURABLE at its last reading), level, flow_lph, bound_lph, observed_h
    and lowest_lph of each meter.

    Args:
        file: a CSV file with a header, or a Parquet file.
        register: resolution of the registers in litres: 1, 10 or 100.
        capacity_m3: register capacity in cubic metres, after which the index rolls over to 0.
        out: output file instead of standard output; JSON if its name ends in .json.
        json: write JSON.
        verdicts: write one line per meter instead of one per leak.
        plot: plot the flow and the leaks of this meter.
        plot_to: file of the plot, .png or .svg; by default METER.png in the current folder.
    """
    if register not in _REGISTERS:
        fail(f"--register must be 1, 10 or 100, not {register}", code="INVALID_INPUT")
    if capacity_m3 <= 0:
        fail("--capacity-m3 must be positive", code="INVALID_INPUT")
    as_json = json or (out is not None and out.suffix.lower() == ".json")
    with _progress() as bar:
        reading = bar.add_task("reading", total=None)
        series = read_readings(file, progress=lambda count: bar.advance(reading, count))
        if plot is not None and plot not in series:
            raise InvalidInput(f"{file.name} has no meter {plot}.", field="plot")
        total = sum(len(one.at_s) for one in series.values())
        bar.update(reading, total=total, completed=total)
        judging = bar.add_task("classifying meters", total=len(series))
        concluded: list[Verdict] = []

        def judged(block: Classifier) -> None:
            if verdicts:
                concluded.extend(verdicts_of(block.state, block.resolution))
            bar.advance(judging, block.state.meters)

        runs = find_leaks(
            list(series.values()),
            step_litres=register,
            capacity_litres=capacity_m3 * 1000,
            done=judged,
        )
    leaks = list(rows(list(series), runs))
    kind = VerdictRow if verdicts else LeakRow
    found = list(verdict_rows(list(series), concluded)) if verdicts else leaks
    if out is None:
        _write(sys.stdout, kind, found, as_json=as_json)
    else:
        with out.open("w", encoding="utf-8", newline="") as target:
            _write(target, kind, found, as_json=as_json)
    if plot is not None:
        _draw(plot, plot_to, series, runs)
    meters = sum(bool(of_meter) for of_meter in runs)
    reported = (
        f"{counted(len(leaks), 'leak')} of {counted(meters, 'meter')} among {counted(len(series), 'meter')}"
    )
    err.print(reported, style="dim")


def _write(
    target: TextIO,
    kind: type[LeakRow | VerdictRow],
    found: Sequence[LeakRow | VerdictRow],
    *,
    as_json: bool,
) -> None:
    if as_json:
        target.write(orjson.dumps([asdict(row) for row in found], option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(field.name for field in fields(kind))
    writer.writerows(["" if value is None else value for value in asdict(row).values()] for row in found)


def _draw(
    meter: str, target: Path | None, series: dict[str, Readings], runs: Sequence[Sequence[LeakRun]]
) -> None:
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in meter)
    path = target or Path(f"{safe}.png")
    draw(path, meter, series[meter], runs[list(series).index(meter)])
    err.print(f"plot written to {path}", style="dim", highlight=False)


def _progress() -> Progress:
    """A progress bar on standard error, so that pipes are not affected; only shown on a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )

"""`submeter classify`: finds the leaks in a file of readings. Needs no database.

In: index readings as CSV or Parquet. Out: a line for each leak, as CSV or JSON, and a picture where asked.
The one rule: the classifier is the one that intake uses, so an analyst sees what a resident would be told.
"""

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import orjson
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.errors import InvalidInput
from core.leaks.classifier.classify import Readings
from core.leaks.classifier.classify import classify as find_leaks
from core.leaks.classifier.runs import LeakRun
from core.leaks.export import COLUMNS, LeakRow, rows
from submeter.leak_plot import draw
from submeter.output import counted, err, fail
from submeter.reading_files import read_readings

_REGISTERS = (1, 10, 100)


def classify(
    file: Path,
    *,
    register: int = 1,
    capacity_m3: int = 100_000,
    out: Path | None = None,
    json: bool = False,
    plot: str | None = None,
    plot_to: Path | None = None,
) -> None:
    """Find the leaks in a file of readings: columns meter, read_at, litres and, after a replacement, serial.

    Writes meter, start, end, level, total_loss_m3, mean_flow_lph and detected_at of each leak; end is empty
    while a leak runs. A leak that came back has a line for each time.

    Args:
        file: a CSV file with a header, or a Parquet file.
        register: litres of one step of the registers: 1, 10 or 100.
        capacity_m3: where the registers show 0 again.
        out: write here instead of standard output; a name that ends in .json makes it JSON.
        json: write JSON.
        plot: draw this meter's flow with the verdict.
        plot_to: the picture, .png or .svg; by default METER.png beside where you are.
    """
    if register not in _REGISTERS:
        fail(f"--register is 1, 10 or 100, not {register}", code="INVALID_INPUT")
    if capacity_m3 <= 0:
        fail("--capacity-m3 is positive", code="INVALID_INPUT")
    as_json = json or (out is not None and out.suffix.lower() == ".json")
    with _progress() as bar:
        reading = bar.add_task("reading", total=None)
        series = read_readings(file, progress=lambda count: bar.advance(reading, count))
        if plot is not None and plot not in series:
            raise InvalidInput(f"{file.name} has no meter {plot}.", field="plot")
        total = sum(len(one.at_s) for one in series.values())
        bar.update(reading, total=total, completed=total)
        judging = bar.add_task("judging meters", total=len(series))
        runs = find_leaks(
            list(series.values()),
            step_litres=register,
            capacity_litres=capacity_m3 * 1000,
            progress=lambda count: bar.advance(judging, count),
        )
    found = list(rows(list(series), runs))
    if out is None:
        _write(sys.stdout, found, as_json=as_json)
    else:
        with out.open("w", encoding="utf-8", newline="") as target:
            _write(target, found, as_json=as_json)
    if plot is not None:
        _draw(plot, plot_to, series, runs)
    meters = sum(bool(of_meter) for of_meter in runs)
    reported = (
        f"{counted(len(found), 'leak')} of {counted(meters, 'meter')} among {counted(len(series), 'meter')}"
    )
    err.print(reported, style="dim")


def _write(target: TextIO, found: Sequence[LeakRow], *, as_json: bool) -> None:
    if as_json:
        target.write(orjson.dumps([asdict(row) for row in found], option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(["" if value is None else value for value in asdict(row).values()] for row in found)


def _draw(
    meter: str, target: Path | None, series: dict[str, Readings], runs: Sequence[Sequence[LeakRun]]
) -> None:
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in meter)
    path = target or Path(f"{safe}.png")
    draw(path, meter, series[meter], runs[list(series).index(meter)])
    err.print(f"drawn: {path}", style="dim", highlight=False)


def _progress() -> Progress:
    """A bar on standard error, where it disturbs no pipe; where that is no terminal it is not drawn."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )

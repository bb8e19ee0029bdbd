"""Plots one meter's flow with the leaks that were found, for `submeter classify --plot`.

In: the readings and runs of one meter. Out: a PNG or SVG file. The one rule: the plot shows the
classifier's input and estimate, the flow between readings, and nothing smoothed.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import InvalidInput
from core.leaks.classifier.classify import Readings
from core.leaks.classifier.runs import LeakRun

SUFFIXES = (".png", ".svg")
_COLOUR = {1: "#e0b000", 2: "#e07000", 3: "#c00020"}
_HOUR_S = 3600
_DAY_S = 86_400


def draw(path: Path, meter: str, readings: Readings, runs: Sequence[LeakRun]) -> None:
    """Write the plot; its format follows the file's suffix.

    Raises:
        InvalidInput: for another suffix, or if matplotlib is missing.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InvalidInput(f"A plot is {' or '.join(SUFFIXES)}, not {path.name}.", field="plot-to")
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, loaded when it is needed
    except ImportError as failure:
        raise InvalidInput(
            "A plot needs matplotlib: pip install 'submeter[analysis]'.", field="plot"
        ) from failure
    ordered = readings.ordered()
    hours = np.diff(ordered.at_s) / _HOUR_S
    litres = np.diff(ordered.litres)
    known = (hours > 0) & (litres >= 0)
    flow = np.where(known, litres / np.where(known, hours, 1), np.nan)
    figure = Figure(figsize=(12, 4), layout="constrained")
    axes = figure.subplots()
    axes.stairs(flow, ordered.at_s / _DAY_S, color="#406090", linewidth=0.8, label="flow")
    axes.xaxis_date("UTC")  # matplotlib counts days from 1970
    for run in runs:
        end_s = run.until_s if run.until_s is not None else float(ordered.at_s[-1])
        start, end = run.since_s / _DAY_S, end_s / _DAY_S
        axes.axvspan(start, end, color=_COLOUR[run.level], alpha=0.25)
        reported = f"level {run.level}, {run.mean_flow_lph:.1f} L/h, {run.lost_litres / 1000:.2f} m3"
        axes.plot(
            [start, end],
            [run.mean_flow_lph] * 2,
            color=_COLOUR[run.level],
            linewidth=2,
            label=f"leak: {reported}" if run.until_s is not None else f"leak, still running: {reported}",
        )
    axes.set(title=f"Meter {meter}", ylabel="L/h", ylim=(0, None))
    axes.legend(loc="upper left", fontsize="small")
    figure.autofmt_xdate()
    figure.savefig(path, dpi=120, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)

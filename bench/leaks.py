"""Quality and speed of leak detection.

    python bench/leaks.py [--set dev|dev2 | --data FILE.npz | --generated SEED] [--by-kind] [--by-scenario]
    python bench/leaks.py --fleet [--meters N]

Runs the classifier over the labelled dwellings of ../shared/leaks (dev.npz, or dev2.npz, which was made by
other rules), or over generated ones, at each register and cadence, and prints the scorer's figures; with
--by-scenario those of each scenario and confounder too. With --fleet: one day of a whole fleet, from memory
to results, as a multiple of the time to copy the same readings. Compare the ratios, not the absolute figures.
"""

import argparse
import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from leak_fleet import measure
from leak_homes import homes

from core.leaks.classifier.classify import Readings, classify
from core.leaks.classifier.runs import LeakRun

LABELLED = Path(__file__).resolve().parents[2] / "shared" / "leaks"
CAPACITY_L = 10**8
CASES = ((1, 1), (10, 1), (100, 1), (1, 6), (10, 6), (1, 24), (10, 24))
"""Litres of a step, and hours between readings."""

HEADING = (
    "step cadence homes leaks | recall % all  L1    L2    L3 | false | level % | delay h med p95 |"
    " loss err % med p90 bias | end err h med p95 | runs/leak | CPU s"
)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--set", choices=("dev", "dev2"), default="dev", help="the labelled set")
    asked.add_argument(
        "--data", type=Path, help="another labelled set: its file, score.py beside it or shared"
    )
    asked.add_argument("--generated", type=int, metavar="SEED", help="generated dwellings instead of a set")
    asked.add_argument("--homes", type=int, default=240, help="how many of them")
    asked.add_argument("--by-kind", action="store_true", help="recall by kind of leak, and levels mistaken")
    asked.add_argument("--by-scenario", action="store_true", help="each scenario and confounder by itself")
    asked.add_argument("--only", metavar="L,H", help="one case: litres of a step, hours between readings")
    asked.add_argument("--fleet", action="store_true", help="the speed over a fleet")
    asked.add_argument("--meters", type=int, default=3_600_000, help="of the fleet")
    chosen = asked.parse_args()
    if chosen.fleet:
        measure(chosen.meters)
        return
    data = chosen.data or LABELLED / f"{chosen.set}.npz"
    scorer_file = next((one for one in (data.parent, LABELLED) if (one / "score.py").exists()), None)
    if scorer_file is None or not (data.exists() or chosen.generated is not None):
        sys.exit(f"no labelled data or no scorer: {data}")
    scorer = _module(scorer_file / "score.py")
    cases = CASES if chosen.only is None else (tuple(int(one) for one in chosen.only.split(",")),)
    print(HEADING)
    for step, cadence_h in cases:
        if chosen.generated is None:
            arrays, truth = scorer.load_truth(data)
            arrays = {name: arrays[name] for name in arrays.files}
            series = _labelled(arrays, step)
            mask = arrays["cadence_h"] == cadence_h
        else:
            made = homes(chosen.generated, chosen.homes, cadence_h=cadence_h, step_litres=step)
            arrays, truth, series = made.arrays, made.truth, made.readings
            mask = np.ones(len(series), bool)
        numbers = np.flatnonzero(mask)
        start = time.process_time()
        found = classify([series[number] for number in numbers], step_litres=step, capacity_litres=CAPACITY_L)
        seconds = time.process_time() - start
        rows = [_row(run, numbers) for runs in found for run in runs]
        result = scorer.score(arrays, truth, rows, mask)
        print(_line(step, cadence_h, int(mask.sum()), result, seconds), flush=True)
        if chosen.by_kind:
            print("    ", result["recall_by_kind"], "levels", result["confusion_true_rows_pred_cols"][1:])
        if chosen.by_scenario:
            _by_scenario(scorer, arrays, truth, rows, mask)


def _by_scenario(scorer: ModuleType, arrays: Any, truth: Any, rows: Any, mask: Any) -> None:
    """The figures of each scenario, and of the homes that have each confounder."""
    groups = [(str(name), arrays["confounder"][:, at]) for at, name in enumerate(arrays["confounders"])]
    groups.append(("no confounder", ~arrays["confounder"].any(axis=1)))
    if "scenarios" in arrays:
        groups += [(str(name), arrays["scenario"] == at) for at, name in enumerate(arrays["scenarios"])]
    for name, chosen in groups:
        both = mask & chosen
        if both.any():
            result = scorer.score(arrays, truth, rows, both)
            below = result["subthreshold_alerts"]
            print(f"    {name:15s} {_figures(int(both.sum()), result)} | below level 1: {below}")


def _labelled(arrays: Any, step: int) -> list[Readings]:
    times, index = (
        np.cumsum(arrays["ts_delta"].astype(np.int64)),
        np.cumsum(arrays["idx_delta"].astype(np.int64)),
    )
    index = index // step * step
    edges = list(zip(arrays["offsets"][:-1], arrays["offsets"][1:], strict=True))
    serial = arrays["serial"].astype(np.int64)
    return [Readings(times[first:end], index[first:end], serial[first:end]) for first, end in edges]


def _row(run: LeakRun, numbers: Any) -> dict[str, Any]:
    """A run in the scorer's form; the mean flow is the litres over the whole duration of the leak."""
    return {
        "dw": int(numbers[run.meter]),
        "s": run.since_s,
        "e": run.until_s,
        "lv": run.level,
        "loss": run.lost_litres / 1000,
        "mf": run.mean_flow_lph,
        "d": run.detected_s,
    }


def _line(step: int, cadence_h: int, count: int, result: dict[str, Any], seconds: float) -> str:
    return f"{step:3d} L {cadence_h:4d} h {_figures(count, result)} | {seconds:5.1f}"


def _figures(count: int, result: dict[str, Any]) -> str:
    def figure(name: str, factor: float = 1, digits: int = 1) -> str:
        value = result[name]
        return "-" if value is None else f"{factor * value:.{digits}f}"

    levels = " ".join(f"{figure(f'recall_L{level}', 100):>5}" for level in (1, 2, 3))
    return (
        f"{count:6d} {result['leaks_alertable']:5d} |"
        f" {figure('recall', 100):>11} {levels} |"
        f" {figure('false_per_1000_dwelling_days', 1, 2):>5} | {figure('level_accuracy', 100):>7} |"
        f" {figure('delay_h_median'):>9} {figure('delay_h_p95'):>6} |"
        f" {figure('loss_err_median_pct'):>9} {figure('loss_err_p90_pct'):>6}"
        f" {figure('loss_total_bias_pct'):>6} |"
        f" {figure('end_err_h_median'):>9} {figure('end_err_h_p95'):>6} |"
        f" {figure('fragmentation', 1, 3):>9}"
    )


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("leak_scorer", path)
    if spec is None or spec.loader is None:
        sys.exit(f"{path} cannot be read")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()

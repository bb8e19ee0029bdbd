"""What `submeter classify` writes: one line a run, in the units that analysts use.

In: the runs of named meters. Out: rows of text values. The one rule: times are UTC in ISO 8601, an open end
is empty, cubic metres have four decimals and litres an hour three.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.consumption.amounts import LITRES_PER_M3
from core.leaks.classifier.runs import LeakRun

COLUMNS = ("meter", "start", "end", "level", "total_loss_m3", "mean_flow_lph", "detected_at")


@dataclass(frozen=True, slots=True)
class LeakRow:
    """One run of one meter; `end` is None while it lasts."""

    meter: str
    start: str
    end: str | None
    level: int
    total_loss_m3: float
    mean_flow_lph: float
    detected_at: str


def rows(meters: Sequence[str], runs: Iterable[Sequence[LeakRun]]) -> Iterator[LeakRow]:
    """The runs of these meters, in their order."""
    for meter, of_meter in zip(meters, runs, strict=True):
        for run in of_meter:
            yield LeakRow(
                meter=meter,
                start=moment_text(run.since_s),
                end=None if run.until_s is None else moment_text(run.until_s),
                level=run.level,
                total_loss_m3=round(run.lost_litres / LITRES_PER_M3, 4),
                mean_flow_lph=round(run.mean_flow_lph, 3),
                detected_at=moment_text(run.detected_s),
            )


def moment_text(at_s: float) -> str:
    """`2026-11-22T06:00:00Z`, to the second."""
    return f"{datetime.fromtimestamp(int(at_s), UTC):%Y-%m-%dT%H:%M:%SZ}"

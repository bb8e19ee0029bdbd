"""What `submeter classify` writes: one line per run, or per meter, in the units that analysts use.

In: the runs of named meters, or the verdicts on them. Out: rows of text values. The one rule: times are UTC
in ISO 8601, an open end is empty, cubic metres have four decimals and litres an hour three.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.consumption.amounts import LITRES_PER_M3
from core.leaks.classifier.runs import LeakRun
from core.leaks.classifier.verdict import Finding, Verdict


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


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """What is known of one meter at its last reading: see `core.leaks.classifier.verdict`."""

    meter: str
    finding: Finding
    level: int
    flow_lph: float | None
    bound_lph: float | None
    observed_h: float
    lowest_lph: float


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


def verdict_rows(meters: Sequence[str], verdicts: Iterable[Verdict]) -> Iterator[VerdictRow]:
    """The verdict on each of these meters, in their order."""
    for meter, verdict in zip(meters, verdicts, strict=True):
        yield VerdictRow(
            meter=meter,
            finding=verdict.finding,
            level=verdict.level,
            flow_lph=_rounded(verdict.flow_lph),
            bound_lph=_rounded(verdict.bound_lph),
            observed_h=round(verdict.observed_h, 2),
            lowest_lph=round(verdict.lowest_lph, 3),
        )


def _rounded(flow_lph: float | None) -> float | None:
    return None if flow_lph is None else round(flow_lph, 3)


def moment_text(at_s: float) -> str:
    """`2026-11-22T06:00:00Z`, to the second."""
    return f"{datetime.fromtimestamp(int(at_s), UTC):%Y-%m-%dT%H:%M:%SZ}"

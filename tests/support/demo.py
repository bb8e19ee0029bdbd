"""Parts of the demo's plan for tests, and the amounts of its telegrams, computed without the application."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from submeter.simulator.telegrams import DemoLine
from submeter.simulator.values import DemoDwelling, DemoMeter, DemoPlan, Scenario

QUIET_HOURS = range(1, 5)
"""Of the local clock: in a dwelling without a leak nobody draws water in them."""


def only(plan: DemoPlan, *scenarios: Scenario) -> DemoPlan:
    """The plan with nothing but the dwellings of these scenarios, residences without any left out."""
    wanted = set(scenarios)
    residences = [
        replace(
            residence,
            dwellings=tuple(dwelling for dwelling in residence.dwellings if dwelling.scenarios & wanted),
        )
        for residence in plan.residences
    ]
    return replace(plan, residences=tuple(residence for residence in residences if residence.dwellings))


def dwellings(plan: DemoPlan) -> list[DemoDwelling]:
    return [dwelling for residence in plan.residences for dwelling in residence.dwellings]


def dwelling_with(plan: DemoPlan, scenario: Scenario) -> DemoDwelling:
    return next(dwelling for dwelling in dwellings(plan) if scenario in dwelling.scenarios)


def change_meters(plan: DemoPlan, change: dict[str, DemoMeter | None]) -> DemoPlan:
    """The plan with the meters of these addresses exchanged, or taken out where None is given."""

    def changed(dwelling: DemoDwelling) -> DemoDwelling:
        meters = [change.get(meter.address, meter) for meter in dwelling.meters]
        return replace(dwelling, meters=tuple(meter for meter in meters if meter is not None))

    return replace(
        plan,
        residences=tuple(
            replace(residence, dwellings=tuple(changed(dwelling) for dwelling in residence.dwellings))
            for residence in plan.residences
        ),
    )


class Truth:
    """Amounts recomputed from the index values of the generated lines, by schoolbook interpolation.

    Shares no code with the application: exact fractions, linear between two neighbouring telegrams.
    """

    def __init__(self, lines: Iterable[DemoLine], zone: ZoneInfo) -> None:
        self._zone = zone
        self._points: dict[str, list[tuple[Fraction, int]]] = {}
        for line in lines:
            at = Fraction(int(line.sent_at.timestamp()))
            self._points.setdefault(line.meter_address, []).append((at, line.index))

    def amount(self, addresses: Iterable[str], first: date, end: date) -> int | None:
        """What the meters counted from the midnight of `first` to that of `end`; None if nothing is known."""
        amounts = [self._of_one(address, first, end) for address in addresses]
        known = [amount for amount in amounts if amount is not None]
        return sum(known) if known else None

    def _of_one(self, address: str, first: date, end: date) -> int | None:
        points = self._points.get(address, [])
        start = max(self._midnight(first), points[0][0]) if points else Fraction(0)
        stop = min(self._midnight(end), points[-1][0]) if points else Fraction(0)
        if stop <= start:
            return None
        return self._index_at(points, stop) - self._index_at(points, start)

    def _midnight(self, day: date) -> Fraction:
        return Fraction(int(datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp()))

    @staticmethod
    def _index_at(points: list[tuple[Fraction, int]], at: Fraction) -> int:
        after = next(place for place, (moment, _) in enumerate(points) if moment >= at)
        if points[after][0] == at:
            return points[after][1]
        (t0, i0), (t1, i1) = points[after - 1], points[after]
        exact = i0 + (i1 - i0) * (at - t0) / (t1 - t0)
        return exact.numerator // exact.denominator

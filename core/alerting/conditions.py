"""Other conditions than leaks: burst, backflow, dry meter, tampering, a leak flag, no data.

In: the states a meter sends, or time and volume between two readings. Out: the conditions that hold. The one
rule: a state that the meter itself reports holds while it reports it, and needs no volume; what is found in
readings is a bound that they prove, never a guess.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from core.consumption.register import Register
from core.metering import StatusFlag

_HOUR_S = 3600

BURST_SHARE_OF_Q3 = Fraction(1, 5)
"""More than 20 % of Q3: the highest sensitivity of one maker's meters; another asks for 30 %."""

BURST_S = 1800
"""For half an hour."""

BURST_IN_READINGS_S = 2 * _HOUR_S
"""What readings must show before they alone call it a burst.

A bath and a garden hose draw as much for half an hour: over the labelled dwellings an hour of it came 4.6
times in 1,000 days, two hours of it once. Meters that measure the flow itself report a burst by their state.
"""

USUAL_Q3_LPH = 1600
"""Q3 of the usual dwelling meter, 1.6 m3/h."""

NO_DATA_AFTER_INTERVALS = 6
"""A meter's data are missing after so many of its usual intervals without a telegram, and at least a day."""

DAY_S = 24 * _HOUR_S


class Condition(StrEnum):
    """The further kinds of alert."""

    BURST = "BURST"
    BACKFLOW = "BACKFLOW"
    DRY = "DRY"
    TAMPER = "TAMPER"
    NO_DATA = "NO_DATA"
    METER_LEAK = "METER_LEAK"
    """The meter's own leak flag; it is used where readings cannot show a leak."""


_TOLD_BY = {
    StatusFlag.LEAK: Condition.METER_LEAK,
    StatusFlag.BURST: Condition.BURST,
    StatusFlag.REVERSE: Condition.BACKFLOW,
    StatusFlag.DRY: Condition.DRY,
    StatusFlag.AIR: Condition.DRY,
    StatusFlag.TAMPER: Condition.TAMPER,
}


@dataclass(frozen=True, slots=True)
class Between:
    """Two neighbouring readings of one register: seconds and litres between them, and the register's step."""

    seconds: int
    litres: int
    step_litres: int = 1

    def __post_init__(self) -> None:
        if self.seconds <= 0 or self.step_litres <= 0:
            raise ValueError("the second reading comes after the first, and a register has a step")


def reported(flags: Collection[StatusFlag]) -> frozenset[Condition]:
    """The conditions that the meter's own states report."""
    return frozenset(_TOLD_BY[flag] for flag in flags if flag in _TOLD_BY)


def is_burst(between: Between, *, q3_lph: int = USUAL_Q3_LPH) -> bool:
    """Whether a burst ran for half an hour or longer: the mean flow, less a register step, proves it."""
    if between.seconds < BURST_S:
        return False
    least_litres = max(between.litres - between.step_litres, 0)
    return Fraction(least_litres * _HOUR_S, between.seconds) > BURST_SHARE_OF_Q3 * q3_lph


def is_backflow(between: Between) -> bool:
    """Whether the register ran back by more than the jitter of a pulse: two steps or more."""
    return between.litres <= -2 * between.step_litres


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a meter reported at a moment: its index in the smallest unit, and its states.

    `leaked_litres` is what leaks that are known by then have let run, counted from any moment on: it is no
    burst and nobody's draw.
    """

    at_s: int
    index: int
    flags: frozenset[StatusFlag]
    leaked_litres: int = 0


@dataclass(frozen=True, slots=True)
class ConditionRun:
    """A condition that neighbouring sightings show: the first, the last, and the first one without it.

    `ended_s` is None where no sighting without it is known.
    """

    condition: Condition
    first_s: int
    last_s: int
    ended_s: int | None


def runs(
    sightings: Sequence[Sighting],
    *,
    register: Register | None,
    from_s: int,
    drawn_s: Collection[int] = (),
) -> list[ConditionRun]:
    """The runs of every condition among the sightings from a moment on.

    Args:
        sightings: of one meter, in the order of time; those before `from_s` are only compared with.
        register: of a water meter; None for one that counts no litres: only its states are used.
        from_s: the first sighting that is judged.
        drawn_s: the sightings whose burst in readings is notified as a draw; the meter's own flag counts.
    """
    going_on: dict[Condition, ConditionRun] = {}
    found: list[ConditionRun] = []
    for number, sighting in enumerate(sightings):
        if sighting.at_s < from_s:
            continue
        shown = reported(sighting.flags)
        if register is not None:
            found_in_readings = _found(sightings, number, register)
            shown |= found_in_readings - {Condition.BURST} if sighting.at_s in drawn_s else found_in_readings
        over = [going_on.pop(condition) for condition in list(going_on) if condition not in shown]
        found += [replace(run, ended_s=sighting.at_s) for run in over]
        for condition in shown:
            run = going_on.get(condition) or ConditionRun(condition, sighting.at_s, sighting.at_s, None)
            going_on[condition] = replace(run, last_s=sighting.at_s)
    return sorted([*found, *going_on.values()], key=lambda run: (run.first_s, run.condition))


def _found(sightings: Sequence[Sighting], number: int, register: Register) -> frozenset[Condition]:
    """What a sighting shows, compared with the one before and with one from two hours ago."""
    found: set[Condition] = set()
    if number and is_backflow(between(sightings[number - 1], sightings[number], register)):
        found.add(Condition.BACKFLOW)
    if burst_since(sightings, number, register) is not None:
        found.add(Condition.BURST)
    return frozenset(found)


def burst_since(sightings: Sequence[Sighting], number: int, register: Register) -> int | None:
    """The number of the sighting, two hours or more ago, since when a burst ran; None where none did."""
    latest = sightings[number]
    for at in range(number - 1, -1, -1):
        before = sightings[at]
        if latest.at_s - before.at_s >= BURST_IN_READINGS_S:
            return at if is_burst(drawn_between(before, latest, register)) else None
    return None


def between(before: Sighting, after: Sighting, register: Register) -> Between:
    """The volume between two sightings, the shorter way round the register; 0 if it was reset."""
    seconds, litres = after.at_s - before.at_s, after.index - before.index
    if register.capacity is not None:
        litres = (litres + register.capacity // 2) % register.capacity - register.capacity // 2
    if abs(litres) > register.possible(seconds):
        litres = 0
    return Between(seconds, litres, register.step)


def drawn_between(before: Sighting, after: Sighting, register: Register) -> Between:
    """The same without what a known leak let run."""
    found = between(before, after, register)
    drawn = found.litres - (after.leaked_litres - before.leaked_litres)
    return replace(found, litres=max(drawn, min(found.litres, 0)))


def is_missing_data(last_reading_s: int, now_s: int, *, usual_interval_s: int) -> bool:
    """Whether data are missing from a meter that is usually received at this interval.

    Raises:
        ValueError: for an interval that is not positive.
    """
    if usual_interval_s <= 0:
        raise ValueError("an interval is positive")
    return now_s - last_reading_s > max(NO_DATA_AFTER_INTERVALS * usual_interval_s, DAY_S)

"""The resolution of a register, and the observation time it requires: the figures of the classifier.

In: the litres of a register's step. Out: the figures its readings are judged with. The one rule: nothing is
guessed that the register cannot resolve; where a day without any draw could still hide a leak of level 1, the
flow is not measurable. To distinguish 3.9 from 4.1 L/h two readings must lie 10 h apart at 1 L, 100 h at 10 L
and 1000 h at 100 L while nobody draws water.
"""

from dataclasses import dataclass

LONGEST_WINDOW_H = 24.0
"""A window longer than a day is little evidence of a leak: somebody drew water in it."""


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What whole days must say before a leak among rare readings is reported, in natural log odds.

    Attributes:
        asked: the least that an opening requires.
        weight: how much of the filter's own log odds is added to those of the days.
    """

    asked: float
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a register of this step requires before a leak is reported. Flows in L/h, times in hours.

    The figures were found on labelled series of dwellings, and checked on generated ones (docs/leaks.md).
    """

    step_litres: int
    observed_h: int
    """Hours observed without a break before an alert opens: the product's day; more for coarse steps."""
    settled_h: int
    """The hours over which the flow is estimated while it does not change."""
    pulse_share: float
    """The share of a step that the flow's estimate adds to the litres of its window: 1 gives a hard bound."""
    pulse_window_h: float
    """In shorter windows a whole step is added: there the share would be a large error."""
    near_lph: float
    """An opening this little above the first threshold requires the 72-hour minimum too."""
    doubtful_lph: float
    """This little above it, it requires it unless long quiet windows show the leak: a step over two hours."""
    agreement: float
    """The day's minimum may exceed the settled one by this factor, and still be the same flow."""
    spacing_s: int
    """Readings closer than this to the one before are skipped."""
    doubt_quarters: float
    """The doubt that the filter may leave at an opening by quarter days, as a share of the thresholds'."""
    doubt_days: float
    """The same by whole days."""
    by_quarters: SecondOpinion
    """Every few hours. At 10 L a step is much of what a night draws: a surer filter counts no more."""
    by_days: SecondOpinion


_RESOLUTIONS = (
    Resolution(
        1,
        24,
        72,
        0.85,
        0.0,
        0.25,
        0.0,
        1.12,
        1800,
        1.0,
        1.0,
        SecondOpinion(2.0, 1.0),
        SecondOpinion(0.5, 0.5),
    ),
    Resolution(
        10, 42, 96, 0.7, 2.0, 1.1, 5.0, 1.35, 1800, 0.35, 1.0, SecondOpinion(-2.0), SecondOpinion(-0.5)
    ),
    Resolution(
        100, 96, 96, 0.7, 24.0, 4.0, 0.0, 2.0, 84_600, 0.0035, 0.0013, SecondOpinion(0.0), SecondOpinion(0.0)
    ),
)


def resolution_of(step_litres: int) -> Resolution:
    """The figures for registers of this step.

    Raises:
        ValueError: for a register that counts neither 1, 10 nor 100 litres.
    """
    for resolution in _RESOLUTIONS:
        if resolution.step_litres == step_litres:
            return resolution
    raise ValueError(f"a register counts 1, 10 or 100 litres a step, not {step_litres}")


def known_step(step_litres: int) -> int | None:
    """The step whose figures hold for a register of this one: the next coarser; None beyond 100 litres."""
    return next((one.step_litres for one in _RESOLUTIONS if step_litres <= one.step_litres), None)


def shows_leaks(step_litres: int, level_1_lph: float) -> bool:
    """Whether readings of a register of this step can show a leak of level 1 at all."""
    step = known_step(step_litres)
    return step is not None and lowest_measurable_lph(step, level_1_lph) <= level_1_lph


def lowest_measurable_lph(step_litres: int, level_1_lph: float) -> float:
    """The least leak that readings of this register can show, in L/h: level 1, or five steps a day."""
    per_day = step_litres / LONGEST_WINDOW_H
    return level_1_lph if per_day < level_1_lph else 5 * per_day

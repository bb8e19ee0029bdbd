"""A flow below level 1 that never stops, by the register and the cadence of its readings."""

import random
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from core.consumption import IndexReading, Register, clean
from core.leaks.slow_flow import (
    DayFinding,
    is_measurable,
    least_measurable_lph,
    slow_days,
    slow_flow,
)

PARIS = ZoneInfo("Europe/Paris")
FIRST = date(2026, 10, 20)
LEVEL_1 = Fraction(4)
MINUTE_S = 60


def days_of(
    leak_lph: float, *, days=10, step=1, every_min=60, paused=(), silent=(), seed=1, awake=False, jitter=0
):
    """Days of a home that draws from six to eleven in the evening, with so much running all the time.

    Args:
        leak_lph: the constant flow.
        days: how many.
        step: litres of the register's step.
        every_min: minutes between readings.
        paused: hours from the beginning in which nothing flows.
        silent: hours in which nothing is received.
        seed: of the draws.
        awake: whether it draws at night too.
        jitter: minutes by which a reading may be late.
    """
    dice = random.Random(seed)
    start = datetime.combine(FIRST, datetime.min.time(), tzinfo=PARIS).astimezone(UTC)
    litres, readings = 5_000.0, [IndexReading(int(start.timestamp()), 5_000 // step * step)]
    shown = {minute + dice.randint(0, jitter) for minute in range(every_min, (days * 24 + 1) * 60, every_min)}
    for minute in range((days * 24 + 2) * 60):
        hour = minute // 60
        local = (start + timedelta(minutes=minute)).astimezone(PARIS).hour
        if hour not in paused:
            litres += leak_lph / 60
            if (awake or 6 <= local < 23) and dice.random() < 0.03:
                litres += dice.choice((2, 6, 9, 40))
        if minute + 1 in shown and (minute + 1) // 60 not in silent:
            at_s = int(start.timestamp()) + (minute + 1) * MINUTE_S
            readings.append(IndexReading(at_s, int(litres) // step * step))
    return slow_days(
        clean(readings, Register()),
        step_litres=step,
        zone=PARIS,
        first=FIRST,
        last=FIRST + timedelta(days=days - 1),
    )


def findings(days) -> list[str]:
    return [day.finding.value[0] for day in days]


@pytest.mark.parametrize("every_min", [15, 60])
@pytest.mark.parametrize("leak_lph", [1.1, 2, 3.6])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_litre_register_shows_one_to_four_litres_an_hour(leak_lph, every_min, seed) -> None:
    """Ten whole days: since the first of them, to 0.2 L/h."""
    found = slow_flow(days_of(leak_lph, every_min=every_min, seed=seed, jitter=5), level_1_lph=LEVEL_1)
    assert found is not None
    assert found.started_on == FIRST
    assert abs(found.flow_lph - leak_lph) < 0.2


@pytest.mark.parametrize("leak_lph", [0, 0.5, 4.5, 12])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_leak_a_smaller_one_and_an_alerts_own_are_not_hinted_at(leak_lph, seed) -> None:
    """Below 1 L/h is below what meters show; from 4 L/h on the classifier tells."""
    assert slow_flow(days_of(leak_lph, seed=seed), level_1_lph=LEVEL_1) is None


@pytest.mark.parametrize("leak_lph", [9, 13, 40])
def test_a_leak_that_begins_beside_a_quiet_hour_is_no_slow_one(leak_lph) -> None:
    """An hour without a step before it proves no pause, and estimates no flow either."""
    days = days_of(leak_lph, days=11, paused=range(1))
    assert findings(days)[0] == "F"
    assert slow_flow(days, level_1_lph=LEVEL_1) is None


def test_nine_days_are_not_ten() -> None:
    """A hint waits for ten whole days."""
    assert slow_flow(days_of(2, days=9), level_1_lph=LEVEL_1) is None


def test_one_pause_begins_the_ten_days_anew() -> None:
    """Three hours without flow on the third day of twelve: nine days since, no hint; thirteen days: one."""
    pause = range(2 * 24 + 2, 2 * 24 + 5)
    assert findings(days_of(2, days=12, paused=pause)) == [*"FFP", *"F" * 9]
    assert slow_flow(days_of(2, days=12, paused=pause), level_1_lph=LEVEL_1) is None
    found = slow_flow(days_of(2, days=13, paused=pause), level_1_lph=LEVEL_1)
    assert found is not None
    assert found.started_on == FIRST + timedelta(days=3)


def test_a_day_that_was_not_watched_proves_neither() -> None:
    """It neither counts among the ten nor begins them anew."""
    silent = range(3 * 24 + 2, 3 * 24 + 12)
    assert findings(days_of(2, silent=silent)) == [*"FFF", "U", *"F" * 6]
    assert slow_flow(days_of(2, silent=silent), level_1_lph=LEVEL_1) is None
    found = slow_flow(days_of(2, days=11, silent=silent), level_1_lph=LEVEL_1)
    assert found is not None
    assert found.started_on == FIRST


@pytest.mark.parametrize("every_min", [6 * 60, 24 * 60])
def test_a_meter_that_is_read_rarely_shows_no_pause_and_so_no_flow(every_min) -> None:
    """Somebody draws in nearly every six hours; nothing is hinted at."""
    days = days_of(2, every_min=every_min)
    assert {day.finding for day in days} == {DayFinding.UNWATCHED}
    assert slow_flow(days, level_1_lph=LEVEL_1) is None


@pytest.mark.parametrize(("step", "least"), [(1, 1), (5, Fraction(5, 4)), (10, Fraction(5, 2)), (100, 25)])
def test_what_a_register_can_show_follows_from_its_step(step, least) -> None:
    """One litre: from 1 L/h; ten: from 2.5; a hundred: nothing below level 1."""
    assert least_measurable_lph(step) == least
    assert is_measurable(step, LEVEL_1) == (step < 100)


@pytest.mark.parametrize(("leak_lph", "shown"), [(0, False), (1.2, False), (3.3, True)])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_register_of_ten_litres_shows_what_it_can_prove(leak_lph, shown, seed) -> None:
    """Its nights without a leak look like one of 1.2 L/h, and not like one of 3.3 L/h."""
    found = slow_flow(days_of(leak_lph, step=10, seed=seed), level_1_lph=LEVEL_1)
    assert (found is not None) == shown


@pytest.mark.parametrize("seed", range(5))
def test_a_home_that_is_awake_at_night_has_pauses_too(seed) -> None:
    """Two hours without a draw within ten days prove that nothing leaks."""
    assert slow_flow(days_of(0, awake=True, seed=seed), level_1_lph=LEVEL_1) is None

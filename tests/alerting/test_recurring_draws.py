"""Draws found in readings, and which of them recur."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.alerting.conditions import Sighting
from core.alerting.recurring_draws import Draw, draws, kinds
from core.consumption.register import Register
from core.metering import StatusFlag

PARIS = ZoneInfo("Europe/Paris")
MIDNIGHT = datetime(2026, 7, 1, tzinfo=PARIS)
HOUR_S = 3600
NIGHT = {22: 500, 23: 500}
"""Watering from ten to midnight, 500 L/h."""


def at_s(day: int, hour: float) -> int:
    return int((MIDNIGHT + timedelta(days=day, hours=hour)).astimezone(UTC).timestamp())


def sightings(
    nights: Sequence[dict[int, int]], *, usual: int = 10, step_s: int = HOUR_S, flagged: Sequence[int] = ()
) -> list[Sighting]:
    """A meter read every hour over as many days, which draws `usual` litres in every other hour."""
    index, found = 1000, [Sighting(at_s(0, 0), 1000, frozenset())]
    for day, night in enumerate(nights):
        for hour in range(24):
            for part in range(1, HOUR_S // step_s + 1):
                index += night.get(hour, usual) * step_s // HOUR_S
                at = at_s(day, hour) + part * step_s
                flags = frozenset({StatusFlag.BURST} if at in flagged else ())
                found.append(Sighting(at, index, flags))
    return found


def found_in(nights, **more) -> list[Draw]:
    return draws(sightings(nights, **more), register=Register(highest_per_hour=5000), from_s=0)


@pytest.mark.parametrize("step_s", [900, 1800, 3600])
def test_a_draw_has_its_start_its_litres_and_the_flow_of_its_highest_two_hours(step_s) -> None:
    """Ten to midnight at 500 L/h: 1,000 L, 500 L/h, two hours, however often the meter is read."""
    (draw,) = found_in([NIGHT], step_s=step_s, usual=0)
    assert (draw.started_s, draw.litres, draw.flow_lph, draw.duration_s) == (at_s(0, 22), 1000, 500, 7200)


def test_one_hour_of_watering_is_the_same_draw_wherever_readings_cut_it() -> None:
    """700 L within an hour are 350 L/h over two, in one reading or spread over two."""
    (whole,), (cut,) = found_in([{21: 700}]), found_in([{21: 350, 22: 350}])
    assert (whole.litres, whole.flow_lph) == (700, 355)
    assert (cut.litres, cut.flow_lph) == (700, 350)
    assert whole.started_s == cut.started_s == at_s(0, 21)


def test_a_draw_that_still_runs_has_no_end() -> None:
    """Its last sighting is the newest reading."""
    (draw,) = found_in([{22: 500, 23: 500}])
    assert draw.ended_s is None
    assert draw.shown_until_s == at_s(1, 0)


@pytest.mark.parametrize(
    ("nights", "expected"),
    [
        ([NIGHT] * 8, [list(range(8))]),
        ([NIGHT, {22: 900, 23: 900}], [[0], [1]]),  # more than half again as much
        ([NIGHT, {22: 700, 23: 700}], [[0, 1]]),
        ([NIGHT, {20: 500, 21: 500, 22: 500, 23: 500}], [[0], [1]]),  # twice as long
        ([NIGHT, {3: 500, 4: 500}], [[0], [1]]),  # another hour
        ([NIGHT, {21: 500, 22: 500}], [[0, 1]]),  # within the readings' own hour
        ([{22: 1500, 23: 1500}, NIGHT], [[0], [1]]),  # a first one that was three times as large
        ([NIGHT, NIGHT, {22: 330, 23: 330}], [[0, 1, 2]]),  # what recurs may be smaller
        ([NIGHT, {}, {}, NIGHT, {}, {}, {}, NIGHT], [[0, 1, 2]]),  # not every night
        ([NIGHT, *[{}] * 40, NIGHT], [[0], [1]]),  # a first one again after more than 31 days
        ([dict.fromkeys(range(12, 22), 500)] * 2, []),  # ten hours are no habit
    ],
)
def test_what_recurs_has_hour_flow_and_duration_in_common(nights, expected) -> None:
    """The first of each kind is notified; what clearly grows, or comes at another hour, is a first one."""
    assert kinds(found_in([*nights, {}]), zone=PARIS) == expected


def test_a_known_kind_outlasts_a_winter() -> None:
    """Whoever answered that it is theirs is not asked again in spring."""
    found = found_in([NIGHT, NIGHT, *[{}] * 40, NIGHT, {}])
    assert kinds(found, zone=PARIS) == [[0, 1], [2]]
    assert kinds(found, zone=PARIS, known={0, 1}) == [[0, 1, 2]]


def test_a_timer_follows_the_clock_on_the_wall() -> None:
    """The same civil hour before and after the change of 25 October is the same hour."""
    before, after = (int(datetime(2026, 10, day, 22, tzinfo=PARIS).timestamp()) for day in (24, 26))
    found = [
        Draw(start + 7200, start + 7200, start + 10_800, start, 1000, 500, reported=False)
        for start in (before, after)
    ]
    assert [draw.minute_of_day(PARIS) for draw in found] == [22 * 60] * 2
    assert kinds(found, zone=PARIS) == [[0, 1]]


def test_draws_around_midnight_are_at_about_the_same_hour() -> None:
    """23:30 and 00:30 are an hour apart."""
    found = [
        Draw(start + 7200, start + 7200, start + 10_800, start, 1000, 500, reported=False)
        for start in (at_s(0, 23.5), at_s(2, 0.5))
    ]
    assert kinds(found, zone=PARIS) == [[0, 1]]


def test_a_draw_that_the_meter_reported_belongs_to_no_kind() -> None:
    """The meter's own flag is always notified."""
    found = found_in([NIGHT, NIGHT, NIGHT, {}], flagged=[at_s(2, 0)])
    assert [draw.reported for draw in found] == [False, True, False]
    assert kinds(found, zone=PARIS) == [[0, 2]]


def test_a_draw_that_still_runs_may_become_as_long_as_the_first() -> None:
    """Four hours of watering are not notified on the second night because two of them are over."""
    received = sightings([{20: 500, 21: 500, 22: 500, 23: 500}, {20: 500, 21: 500}])
    running = [one for one in received if one.at_s <= at_s(1, 22)]
    over = [one for one in received if one.at_s <= at_s(1, 23)]
    for seen, expected in ((running, [[0, 1]]), (over, [[0], [1]])):
        found = draws(seen, register=Register(highest_per_hour=5000), from_s=0)
        assert kinds(found, zone=PARIS) == expected

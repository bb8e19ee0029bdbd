from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.leaks.episodes.daily_flows import DayFlow
from core.leaks.episodes.events import Event, EventKind, events, paired
from tests.leaks.reference_rule import episodes

START = date(2022, 3, 1)


def on(number):
    """The day of that number, counted from 0."""
    return START + timedelta(days=number)


def found(*q_mins, replaced_on=None):
    days = [
        DayFlow(on(at), None if q_min is None else Fraction(q_min), 24) for at, q_min in enumerate(q_mins)
    ]
    return episodes(days, today=on(len(q_mins)), replaced_on=replaced_on)


def reported(before, after):
    return [(event.kind.value, event.level, event.day) for event in events(before, after)]


def test_a_new_alert_is_opened_once():
    """An alert is reported when it opens and never again while it only goes on."""
    assert events([], found(5)) == [Event(EventKind.OPENED, on(0), 1, on(0), "2022-03-01:opened:0")]
    assert events(found(5), found(5)) == []
    assert events(found(5), found(5, 5, 1, None, 6)) == []


def test_a_rise_is_reported_and_a_fall_is_not():
    """Reaching a higher level is reported once; falling back, and rising to it again, is not."""
    assert reported(found(5), found(5, 9)) == [("LEVEL_UP", 2, on(1))]
    assert reported(found(5, 9), found(5, 9, 5, 9)) == []
    assert reported(found(5, 9, 5, 9), found(5, 9, 5, 9, 14)) == [("LEVEL_UP", 3, on(4))]


def test_an_end_and_a_return_are_reported():
    """The end is reported, and so is the return of the same leak within the week."""
    assert reported(found(9, 5), found(9, 5, 0, 0)) == [("CLOSED", 2, on(2))]
    assert reported(found(9, 0, 0), found(9, 0, 0, 5)) == [("REOPENED", 1, on(3))]
    assert reported(found(9, 0, 0, 5), found(9, 0, 0, 5, 0, 0)) == [("CLOSED", 2, on(4))]


def test_a_removed_meter_ends_its_alert():
    """A replaced meter's alert is reported as closed."""
    assert reported(found(5, 5), found(5, 5, replaced_on=on(1))) == [("CLOSED", 1, on(1))]


def test_days_that_arrive_together_are_reported_in_order():
    """A history that arrives at once reports every event, oldest first, each under its own key."""
    all_at_once = events([], found(5, 9, 0, 0, 13, 0, 0, *[0] * 9, 6))
    assert [(event.kind.value, event.day) for event in all_at_once] == [
        ("OPENED", on(0)),
        ("LEVEL_UP", on(1)),
        ("CLOSED", on(2)),
        ("REOPENED", on(4)),
        ("CLOSED", on(5)),
        ("OPENED", on(16)),
    ]
    assert len({event.key for event in all_at_once}) == len(all_at_once)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((5, 7), (5, 6)),  # a flow, and with it the loss
        ((1, 5, 5), (5, 5, 5)),  # the start, a day earlier
        ((5, 5, 5), (1, 5, 5)),  # the start, a day later
        ((5, 9), (9, 9)),  # the day a level was reached
        ((5, 0, 0, 0), (5, 5, 0, 0)),  # the end
    ],
)
def test_a_correction_is_not_reported_again(before, after):
    """A corrected day or loss of an event that was reported gives no further event."""
    assert reported(found(*before), found(*after)) == []


def test_a_correction_upward_is_a_rise():
    """A leak reported as level 1 that turns out to be level 2 from the start is reported as a rise."""
    assert reported(found(5), found(9)) == [("LEVEL_UP", 2, on(0))]


def test_an_end_that_is_undone_is_reported_and_may_come_again():
    """A late reading that undoes the end opens the alert again; its new end has a key of its own."""
    ended, goes_on = found(5, 5, 0, 0), found(5, 5, 0, 3)
    assert reported(ended, goes_on) == [("REOPENED", 1, on(2))]
    ended_later = found(5, 5, 0, 3, 0, 0)
    assert reported(goes_on, ended_later) == [("CLOSED", 1, on(4))]
    assert events([], ended)[-1].key != events(goes_on, ended_later)[-1].key


def test_joined_runs_report_what_differs_from_the_last_of_them():
    """When late days fill the pause between end and return, only a change of today's state is reported."""
    returned = found(9, 0, 0, 5)
    assert reported(returned, found(9, 0, 1, 5)) == []
    assert reported(returned, found(9, 0, 1, 5, 0, 0)) == [("CLOSED", 2, on(4))]
    assert reported(returned, found(9, 0, 1, 13)) == [("LEVEL_UP", 3, on(3))]


def test_episodes_are_paired_by_start_or_by_overlap():
    """The stored row of an episode is found although its start moved; a vanished one is paired with none."""
    before, after = found(1, 5, 5), found(5, 5, 5)
    assert paired(before, after) == [(before[0], after[0])]
    assert paired(before, []) == [(before[0], None)]
    assert paired([], after) == [(None, after[0])]
    assert events(before, []) == []


def test_a_start_pairs_before_an_overlap_does():
    """An episode with the same start is the same, even if another overlaps it."""
    before = found(5, 0, 0, *[0] * 8, 5)
    after = found(5, *[1] * 10, 5)
    assert paired(before, after) == [(before[0], after[0]), (before[1], None)]


Q_MINS = st.lists(st.one_of(st.none(), st.sampled_from([0, 0, 3, 5, 9, 13])), max_size=40)


@given(Q_MINS, st.integers(0, 40))
def test_day_by_day_reports_the_same_as_all_at_once(q_mins, cut):
    """A history judged in two parts gives the same events, in the same order and under the same keys."""
    first, whole = found(*q_mins[:cut]), found(*q_mins)
    in_two = [event.key for event in events([], first) + events(first, whole)]
    in_one = [event.key for event in events([], whole)]
    assert in_two == in_one
    assert len(set(in_one)) == len(in_one)
    assert events(whole, whole) == []

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.leaks.episodes.daily_flows import DayFlow
from core.leaks.episodes.episode import CloseReason, Figures, Segment, SegmentReason
from core.texts.leaks import flow_text, loss_m3
from tests.leaks.reference_rule import (
    episodes,
    flow_of_daily_leak,
    is_over_range,
    level_of,
    window_figures,
)

START = date(2022, 3, 1)


def on(number):
    """The day of that number, counted from 0."""
    return START + timedelta(days=number)


def flows(*q_mins):
    """One day after another; None is a day without data."""
    return [
        DayFlow(on(at), None if q_min is None else Fraction(q_min), 24) for at, q_min in enumerate(q_mins)
    ]


def judged(*q_mins, days_to_open=1, replaced_on=None, today=None):
    return episodes(
        flows(*q_mins),
        days_to_open=days_to_open,
        today=today or on(len(q_mins)),
        replaced_on=replaced_on,
    )


def guide_days():
    """The one daily series that gives every figure of the resident guide's table.

    4 L/h from 2022-03-11 with a gap of 41 days, then 24 L on 06/09 and 3 L on 07/09, the day in progress.
    """
    first, last = date(2022, 3, 11), date(2022, 9, 5)
    days = [first + timedelta(days=at) for at in range((last - first).days + 1)]
    hole = date(2022, 5, 1), date(2022, 6, 10)
    known = [flow_of_daily_leak(day, 96) for day in days if not hole[0] <= day <= hole[1]]
    return [*known, flow_of_daily_leak(date(2022, 9, 6), 24), flow_of_daily_leak(date(2022, 9, 7), 3)]


TODAY_IN_GUIDE = date(2022, 9, 7)


@pytest.mark.requirement("R-092", "R-094", "R-095", "R-096", "C-26")
@pytest.mark.parametrize(
    ("q_min_lph", "level", "over_range"),
    [
        ("0", 0, False),
        ("3.99", 0, False),
        ("4", 1, False),
        ("7.99", 1, False),
        ("7.999999999999999999999", 1, False),
        ("8", 2, False),
        ("11.99", 2, False),
        ("12", 3, False),
        ("20", 3, False),
        ("20.01", 3, True),
        ("63", 3, True),
        ("400", 3, True),
    ],
)
def test_each_border_of_the_product_belongs_to_the_level_above_it(q_min_lph, level, over_range):
    """The product's borders are half-open, and a flow above the last one is level 3, marked."""
    assert level_of(Fraction(q_min_lph)) == level
    assert is_over_range(Fraction(q_min_lph)) is over_range


@pytest.mark.requirement("R-085", "R-086", "R-087", "R-091", "R-093", "C-24", "C-27")
@pytest.mark.parametrize(
    ("started_on", "ended_on", "counted_days", "loss", "flow"),
    [
        (date(2022, 3, 11), None, 140, "13.28", "3.95 L/h"),
        (date(2022, 9, 5), None, 3, "0.12", "1.71 L/h"),
        (date(2022, 3, 11), date(2022, 7, 14), 84, "8.06", "4 L/h"),
    ],
)
def test_the_rows_of_the_guide_come_out_exactly(started_on, ended_on, counted_days, loss, flow):
    """One daily series gives the three rows of the guide: closed without its last day, active with today."""
    figures = window_figures(guide_days(), started_on=started_on, ended_on=ended_on, today=TODAY_IN_GUIDE)
    assert figures.counted_days == counted_days
    assert loss_m3(figures.loss_litres) == Decimal(loss)
    assert figures.mean_flow_lph is not None
    assert flow_text(figures.mean_flow_lph) == flow


@pytest.mark.requirement("R-084", "R-091", "R-092", "R-093", "C-24", "C-27")
def test_the_guides_series_is_one_open_episode_of_level_1():
    """Read by the rule, the guide's series is an alert of level 1 whose mean lies below level 1."""
    (episode,) = episodes(guide_days(), today=TODAY_IN_GUIDE)
    assert (episode.started_on, episode.ended_on) == (date(2022, 3, 11), None)
    assert (episode.level_at_opening, episode.level_now, episode.level_max) == (1, 1, 1)
    assert (episode.loss_litres, episode.counted_days) == (13_275, 140)
    assert episode.mean_flow_lph == Fraction(13_275, 24 * 140)
    assert not episode.stale
    (closed,) = episodes(guide_days(), today=TODAY_IN_GUIDE, replaced_on=date(2022, 7, 14))
    assert (closed.loss_litres, closed.counted_days, closed.mean_flow_lph) == (8_064, 84, 4)


@pytest.mark.requirement("R-092", "C-26")
@pytest.mark.parametrize(
    ("q_min", "level", "over_range"),
    [("3.99", 0, False), (4, 1, False), (8, 2, False), (12, 3, False), (20, 3, False), (63, 3, True)],
)
def test_one_complete_day_opens_an_alert_of_its_level(q_min, level, over_range):
    """A single day at 4 L/h or more raises the alert; a toilet's 63 L/h is not dropped."""
    found = judged(q_min)
    assert [(e.level_at_opening, e.over_range, e.started_on) for e in found] == (
        [(level, over_range, on(0))] if level else []
    )


def test_a_day_below_level_1_keeps_an_open_alert_open():
    """An alert closes at no flow, not at little flow, and its level does not fall below 1."""
    (episode,) = judged(9, 3, 1, 2)
    assert episode.active
    assert (episode.level_now, episode.level_max, len(episode.segments)) == (1, 2, 1)
    assert (episode.loss_litres, episode.counted_days) == (24 * 15, 4)


def test_two_quiet_days_in_a_row_close_an_alert_on_the_first():
    """The first of two days with a quiet hour is the end, and belongs to the alert no more."""
    (episode,) = judged(5, 5, 0, 0, 0)
    assert (episode.ended_on, episode.close_reason) == (on(2), CloseReason.NO_FLOW)
    assert (episode.loss_litres, episode.counted_days, episode.mean_flow_lph) == (240, 2, 5)
    assert not episode.active


def test_one_quiet_day_closes_nothing_and_counts():
    """A single quiet day is a day with data that lost nothing: it lowers the mean."""
    (episode,) = judged(6, 0, 6, 0)
    assert episode.active
    assert (episode.counted_days, episode.mean_flow_lph) == (4, 3)


@pytest.mark.parametrize("hole", [[None], [None] * 9])
def test_a_gap_never_closes_an_alert(hole):
    """Days without data close nothing, count nothing, and separate two quiet days."""
    (episode,) = judged(6, 0, *hole, 0)
    assert episode.active
    assert (episode.counted_days, episode.loss_litres) == (3, 144)


def test_a_day_that_is_absent_is_a_day_without_data():
    """A gap may be given as days without a minimum, or not be given at all."""
    reported = flows(6, 0, None, 0, 6)
    untold = [flow for flow in reported if flow.q_min_lph is not None]
    assert episodes(reported, today=on(5)) == episodes(untold, today=on(5))


@pytest.mark.parametrize(("today", "stale"), [(2, False), (3, False), (4, False), (5, True), (30, True)])
def test_an_open_alert_is_stale_after_three_days_without_data(today, stale):
    """Thirty hours without data leave the alert as it is; after three whole days it is stale."""
    (episode,) = judged(5, 5, today=on(today))
    assert episode.active
    assert episode.counted_days == 2
    assert episode.stale is stale


def test_a_closed_alert_is_not_stale():
    """What is over needs no data."""
    (episode,) = judged(5, 0, 0, today=on(60))
    assert not episode.stale


@pytest.mark.requirement("R-091", "C-24")
def test_a_leak_within_seven_days_is_the_same_episode():
    """A leak that comes back a week after its end goes on as a new segment of its episode."""
    (episode,) = judged(5, 0, 0, 1, 0, 0, 0, 0, 9)
    assert episode.started_on == on(0)
    assert episode.ended_on is None
    assert episode.segments == (
        Segment(on(0), on(1), 1, SegmentReason.OPENED),
        Segment(on(8), None, 2, SegmentReason.REOPENED),
    )
    assert (episode.level_at_opening, episode.level_now, episode.level_max) == (1, 2, 2)
    assert (episode.loss_litres, episode.counted_days) == (24 * 14, 2)


def test_a_leak_after_more_than_seven_days_is_another_episode():
    """Eight days after its end a leak is over, and the next one stands for itself."""
    first, second = judged(5, 0, 0, 0, 0, 0, 0, 0, 0, 9)
    assert (first.started_on, first.ended_on) == (on(0), on(1))
    assert (second.started_on, second.active, second.level_at_opening) == (on(9), True, 2)


def test_a_rise_opens_a_segment_and_a_fall_does_not():
    """Each level is reached once: flickering around a border makes no new segments."""
    (episode,) = judged(5, 9, 5, 9, 30, 13)
    assert [(part.started_on, part.level, part.reason) for part in episode.segments] == [
        (on(0), 1, SegmentReason.OPENED),
        (on(1), 2, SegmentReason.LEVEL_UP),
        (on(4), 3, SegmentReason.LEVEL_UP),
    ]
    assert [part.ended_on for part in episode.segments] == [on(1), on(4), None]
    assert (episode.level_at_opening, episode.level_now, episode.level_max) == (1, 3, 3)
    assert episode.over_range
    assert (episode.q_min_at_opening_lph, episode.counted_days) == (5, 6)


def test_after_reopening_levels_are_reached_anew():
    """The level of a leak that came back is its own, not that of the leak before."""
    (episode,) = judged(13, 0, 0, 5, 9, 5)
    assert [part.level for part in episode.segments] == [3, 1, 2]
    assert (episode.level_now, episode.level_max) == (1, 3)


def test_a_replaced_meter_closes_its_alert():
    """The day a meter is taken out ends its alert; what is read later is another meter's."""
    (episode,) = judged(5, 5, 5, 0, 0, replaced_on=on(2))
    assert (episode.ended_on, episode.close_reason) == (on(2), CloseReason.METER_REPLACED)
    assert episode.counted_days == 2


def test_a_replacement_without_an_open_alert_changes_nothing():
    """A meter without a leak, or whose leak was over, is removed without an event; a later one is not yet."""
    assert judged(1, 1, replaced_on=on(1)) == []
    assert judged(5, 0, 0, replaced_on=on(3))[0].close_reason is CloseReason.NO_FLOW
    assert judged(5, 5, replaced_on=on(9), today=on(2))[0].active


def test_a_corrected_day_is_judged_as_corrected():
    """Of two flows for one day the later holds, and the loss follows it."""
    (episode,) = episodes([*flows(5, 7), DayFlow(on(1), Fraction(6), 24)], today=on(2))
    assert (episode.loss_litres, episode.counted_days) == (24 * 11, 2)


def test_the_order_and_repetition_of_days_do_not_matter():
    """The same days imported twice, backwards, are the same episodes."""
    days = flows(5, 9, 0, 0, None, 6)
    assert episodes([*reversed(days), *reversed(days)], today=on(6)) == episodes(days, today=on(6))


def test_days_after_today_are_not_judged():
    """A day that has not come opens nothing."""
    assert judged(1, 1, 50, today=on(1)) == []


def test_more_days_may_be_asked_before_an_alert_opens():
    """With two days to open, a lone day is no alert; two in a row are, from the first and at the lesser."""
    assert judged(5, 1, 5, None, 5, days_to_open=2) == []
    (episode,) = judged(1, 9, 25, days_to_open=2)
    assert (episode.started_on, episode.level_at_opening, episode.counted_days) == (on(1), 2, 2)
    assert episode.over_range
    assert episode.q_min_at_opening_lph == 9


@pytest.mark.parametrize("day", [date(2022, 3, 27), date(2022, 10, 30)])
def test_a_day_of_the_clock_change_loses_24_times_its_minimum(day):
    """The loss of a day of 23 or 25 hours is 24 times its minimum flow by definition."""
    (episode,) = episodes([DayFlow(day, Fraction(5), 23)], today=day)
    assert episode.loss_litres == 120


@pytest.mark.requirement("C-25")
def test_a_window_without_data_has_an_unknown_loss():
    """Without a counted day loss and mean are unknown, which is not 0."""
    figures = window_figures(flows(None), started_on=on(0), ended_on=None, today=on(3))
    assert figures == Figures(loss_litres=None, counted_days=0, mean_flow_lph=None)
    dry = window_figures(flows(0), started_on=on(0), ended_on=None, today=on(3))
    assert dry == Figures(loss_litres=0, counted_days=1, mean_flow_lph=Fraction(0))


def test_a_loss_that_is_not_whole_is_decimal():
    """A flow with decimals gives a loss with decimals, exactly."""
    figures = window_figures(flows("4.13"), started_on=on(0), ended_on=None, today=on(0))
    assert figures.loss_litres == Decimal("99.12")


Q_MINS = st.lists(
    st.one_of(st.none(), st.integers(0, 25).map(Fraction), st.just(Fraction(0))), min_size=1, max_size=60
)


@given(Q_MINS)
def test_episodes_are_apart_and_their_segments_touch_in_order(q_mins):
    """For any readings, episodes do not overlap, only the last is open, and segments are in order."""
    found = judged(*q_mins)
    assert all(episode.ended_on is not None for episode in found[:-1])
    edges = [
        edge
        for episode in found
        for part in episode.segments
        for edge in (part.started_on, part.ended_on or date.max)
    ]
    assert edges == sorted(edges)
    for episode in found:
        assert episode.active == (episode.close_reason is None)
        assert episode.level_max >= max(episode.level_now, episode.level_at_opening) >= 1
        assert episode.counted_days >= 1


@given(Q_MINS)
def test_every_leaking_day_lies_in_an_episode(q_mins):
    """No day at 4 L/h or more is left out, and each closed episode ends on a quiet day."""
    found = judged(*q_mins)
    inside = {
        on(at)
        for at in range(len(q_mins))
        for episode in found
        for part in episode.segments
        if part.started_on <= on(at) < (part.ended_on or date.max)
    }
    for at, q_min in enumerate(q_mins):
        if q_min is not None and q_min >= 4:
            assert on(at) in inside
    for episode in found:
        if episode.ended_on is not None:
            assert q_mins[(episode.ended_on - START).days] == 0

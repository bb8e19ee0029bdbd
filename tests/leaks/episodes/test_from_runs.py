"""Runs of the classifier as the episodes that residents see."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.consumption import IndexReading, Register, clean, day_start, hourly_volumes
from core.leaks.classifier.classify import Readings, classify
from core.leaks.episodes.daily_flows import day_flows
from core.leaks.episodes.episode import CloseReason, SegmentReason
from core.leaks.episodes.from_runs import judged_episodes
from core.texts.leaks import flow_text, loss_m3

PARIS = ZoneInfo("Europe/Paris")
FIRST = date(2022, 3, 9)
H = 3600


def on(number):
    return FIRST + timedelta(days=number)


def judged(flows_lph, *, missing=(), replaced_on=None, today=None, first=FIRST):
    """Hourly readings from the midnight of `first` on; hours in `missing` are not read."""
    start_s = day_start(first, PARIS)
    litres = np.floor(1000 + np.concatenate(([0], np.cumsum(flows_lph)))).astype(int)
    times = start_s + np.arange(len(litres)) * H
    kept = [at for at in range(len(litres)) if at not in set(missing)]
    times, litres = times[kept], litres[kept]
    (runs,) = classify([Readings.of(times, litres)], step_litres=1)
    pieces = clean(
        [IndexReading(int(at), int(index)) for at, index in zip(times, litres, strict=True)],
        Register(),
    )
    return judged_episodes(
        runs,
        day_flows(hourly_volumes(pieces), zone=PARIS, complete_until_s=int(times[-1])),
        zone=PARIS,
        last_reading_s=int(times[-1]),
        today=today or on(len(flows_lph) // 24),
        replaced_on=replaced_on,
    )


QUIET = [0] * 48


@pytest.mark.requirement("R-085", "R-086", "R-091", "R-093", "C-24", "C-27")
def test_the_guides_closed_row_comes_out_of_readings():
    """4 L/h from 11/03 to 14/07 with 41 days without data: 84 counted days, 8.06 m3, 4 L/h."""
    hours = [*QUIET, *[4] * (24 * 125)]
    gap = range((date(2022, 5, 1) - FIRST).days * 24 + 1, (date(2022, 6, 11) - FIRST).days * 24)
    (one,) = judged(hours[:-1], missing=gap, replaced_on=date(2022, 7, 14), today=date(2022, 9, 7))
    episode = one.episode
    assert (episode.started_on, episode.ended_on) == (date(2022, 3, 11), date(2022, 7, 14))
    assert (episode.level_at_opening, episode.close_reason) == (1, CloseReason.METER_REPLACED)
    assert episode.counted_days == 84
    assert flow_text(episode.mean_flow_lph) == "4 L/h"
    assert loss_m3(episode.loss_litres) == Decimal("8.06")


def test_a_leak_that_begins_at_noon_counts_what_ran_that_day():
    """The first day is counted by what ran on it, the others by 24 times their minimum."""
    (one,) = judged([*QUIET, *[0] * 12, *[6] * (12 + 48)])
    assert one.episode.started_on == on(2)
    assert float(one.episode.loss_litres) == pytest.approx(6 * 12 + 2 * 144, rel=0.02)
    assert one.episode.q_min_at_opening_lph == 6
    assert one.opening.rule == "BOUNDS"
    assert one.opening.observed_h == 24
    assert one.detected_s == day_start(on(2), PARIS) + 36 * H


@pytest.mark.requirement("R-091", "C-24")
def test_a_leak_that_comes_back_within_a_week_is_the_same_episode():
    """Closed, opened again after three days, and given as one episode in two segments."""
    (one,) = judged([*QUIET, *[6] * 48, *[0] * 72, *[9] * 48])
    assert [(part.reason, part.level, part.started_on) for part in one.episode.segments] == [
        (SegmentReason.OPENED, 1, on(2)),
        (SegmentReason.REOPENED, 2, on(7)),
    ]
    assert one.episode.active
    assert one.episode.loss_litres == 24 * (6 + 6 + 9 + 9)


def test_a_leak_that_comes_back_later_is_another_episode():
    """Eight quiet days separate two leaks."""
    first, second = judged([*QUIET, *[6] * 48, *[0] * 24 * 8, *[9] * 48])
    assert (first.episode.ended_on, first.episode.close_reason) == (on(4), CloseReason.NO_FLOW)
    assert second.episode.started_on == on(12)


def test_levels_are_reached_once_and_the_latest_evidence_is_kept():
    """A rise is a segment; the evidence has the flow that proves it."""
    (one,) = judged([*QUIET, *[6] * 48, *[13] * 48])
    assert [(part.reason, part.level) for part in one.episode.segments] == [
        (SegmentReason.OPENED, 1),
        (SegmentReason.LEVEL_UP, 3),
    ]
    assert (one.opening.level, one.latest.level) == (1, 3)
    assert one.latest.flow_lph == pytest.approx(13, rel=0.02)


@pytest.mark.parametrize(("today", "stale"), [(5, False), (7, False), (8, True)])
def test_an_open_leak_is_stale_after_three_days_without_data(today, stale):
    """Missing data does not end it; after three days it is stale."""
    (one,) = judged([*QUIET, *[6] * 48], today=on(today))
    assert one.episode.active
    assert one.episode.stale is stale
    assert one.episode.mean_flow_lph == Fraction(6)

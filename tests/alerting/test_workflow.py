"""What people do about an alert, and the meter's last word."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from core.alerting.workflow import (
    Deed,
    Silence,
    Standing,
    asked_from,
    open_deeds,
    standing,
    verdict_on_repair,
)
from core.leaks.episodes.daily_flows import DayFlow

DAY = date(2026, 11, 20)
EVERYTHING = {Deed.ACKNOWLEDGED, Deed.REPAIRED, Deed.NOT_A_LEAK}


def flows(*minima):
    """Days in a row with these minimum flows in L/h."""
    return [
        DayFlow(DAY + timedelta(days=at), None if q_min is None else Fraction(q_min), 24)
        for at, q_min in enumerate(minima)
    ]


@pytest.mark.parametrize(
    ("deeds", "silenced", "expected"),
    [
        ([], False, Standing.OPEN),
        ([Deed.ACKNOWLEDGED], False, Standing.ACKNOWLEDGED),
        ([Deed.ACKNOWLEDGED, Deed.REPAIRED], False, Standing.REPAIRED),
        ([Deed.REPAIRED, Deed.RELAPSED], False, Standing.RELAPSED),
        ([Deed.REPAIRED, Deed.RELAPSED, Deed.ACKNOWLEDGED], False, Standing.ACKNOWLEDGED),
        ([Deed.REPAIRED, Deed.VERIFIED], False, Standing.VERIFIED),
        ([Deed.NOT_A_LEAK], True, Standing.NOT_A_LEAK),
        ([Deed.NOT_A_LEAK], False, Standing.OPEN),
        ([Deed.NOT_A_LEAK, Deed.REPAIRED], True, Standing.REPAIRED),
    ],
)
def test_the_last_deed_decides(deeds, silenced, expected):
    """An alert stands as its last deed says; one whose silence is over is open again."""
    assert standing(deeds, silenced=silenced) is expected


def test_what_may_be_done():
    """A running alert can be repaired or called no leak at any time, and be seen to once."""
    assert open_deeds(Standing.OPEN, running=True) == EVERYTHING
    assert open_deeds(Standing.RELAPSED, running=True) == EVERYTHING
    assert open_deeds(Standing.NOT_A_LEAK, running=True) == EVERYTHING
    for seen_to in (Standing.ACKNOWLEDGED, Standing.REPAIRED, Standing.VERIFIED):
        assert open_deeds(seen_to, running=True) == EVERYTHING - {Deed.ACKNOWLEDGED}
    assert open_deeds(Standing.OPEN, running=False) == frozenset()


@pytest.mark.parametrize(
    ("minima", "verdict"),
    [
        ((), None),
        ((None, None), None),
        ((0,), (Deed.VERIFIED, DAY)),
        ((1,), (Deed.RELAPSED, DAY)),
        ((None, 0, 9), (Deed.VERIFIED, DAY + timedelta(days=1))),
        ((None, Fraction(1, 3)), (Deed.RELAPSED, DAY + timedelta(days=1))),
    ],
)
def test_the_meter_has_the_last_word(minima, verdict):
    """The first day that the meter tells of decides; silence is no verdict."""
    assert verdict_on_repair(flows(*minima)) == verdict


def test_a_repair_is_believed_for_two_days():
    """Before that, the pipes may still be filling and the appliances running."""
    repaired_at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert asked_from(repaired_at) == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_a_silence_ends_with_its_day_or_a_higher_level():
    """More than what was called no leak is told at once."""
    silence = Silence(until=DAY, level=2)
    assert silence.covers(DAY - timedelta(days=1), 2)
    assert silence.covers(DAY - timedelta(days=1), None)
    assert not silence.covers(DAY - timedelta(days=1), 3)
    assert not silence.covers(DAY, 1)

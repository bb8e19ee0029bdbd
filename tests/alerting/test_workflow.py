"""Actions of people on an alert, and the verdict of the meter."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from core.alerting.workflow import (
    AlertActionKind,
    AlertStatus,
    Snooze,
    asked_from,
    possible_actions,
    status,
    verdict_on_repair,
)
from core.leaks.episodes.daily_flows import DayFlow

DAY = date(2026, 11, 20)
EVERYTHING = {AlertActionKind.ACKNOWLEDGED, AlertActionKind.REPAIRED, AlertActionKind.NOT_A_LEAK}


def flows(*minima):
    """Days in a row with these minimum flows in L/h."""
    return [
        DayFlow(DAY + timedelta(days=at), None if q_min is None else Fraction(q_min), 24)
        for at, q_min in enumerate(minima)
    ]


@pytest.mark.parametrize(
    ("actions", "snoozed", "expected"),
    [
        ([], False, AlertStatus.OPEN),
        ([AlertActionKind.ACKNOWLEDGED], False, AlertStatus.ACKNOWLEDGED),
        ([AlertActionKind.ACKNOWLEDGED, AlertActionKind.REPAIRED], False, AlertStatus.REPAIRED),
        ([AlertActionKind.REPAIRED, AlertActionKind.RELAPSED], False, AlertStatus.RELAPSED),
        (
            [AlertActionKind.REPAIRED, AlertActionKind.RELAPSED, AlertActionKind.ACKNOWLEDGED],
            False,
            AlertStatus.ACKNOWLEDGED,
        ),
        ([AlertActionKind.REPAIRED, AlertActionKind.VERIFIED], False, AlertStatus.VERIFIED),
        ([AlertActionKind.NOT_A_LEAK], True, AlertStatus.NOT_A_LEAK),
        ([AlertActionKind.NOT_A_LEAK], False, AlertStatus.OPEN),
        ([AlertActionKind.NOT_A_LEAK, AlertActionKind.REPAIRED], True, AlertStatus.REPAIRED),
    ],
)
def test_the_last_action_decides_the_status(actions, snoozed, expected):
    """An alert has the status of its last action; once a snooze is over it is open again."""
    assert status(actions, snoozed=snoozed) is expected


def test_the_possible_actions_follow_from_the_status():
    """A running alert can be marked repaired or no leak at any time, and be acknowledged once."""
    assert possible_actions(AlertStatus.OPEN, running=True) == EVERYTHING
    assert possible_actions(AlertStatus.RELAPSED, running=True) == EVERYTHING
    assert possible_actions(AlertStatus.NOT_A_LEAK, running=True) == EVERYTHING
    for seen_to in (AlertStatus.ACKNOWLEDGED, AlertStatus.REPAIRED, AlertStatus.VERIFIED):
        assert possible_actions(seen_to, running=True) == EVERYTHING - {AlertActionKind.ACKNOWLEDGED}
    assert possible_actions(AlertStatus.OPEN, running=False) == frozenset()


@pytest.mark.parametrize(
    ("minima", "verdict"),
    [
        ((), None),
        ((None, None), None),
        ((0,), (AlertActionKind.VERIFIED, DAY)),
        ((1,), (AlertActionKind.RELAPSED, DAY)),
        ((None, 0, 9), (AlertActionKind.VERIFIED, DAY + timedelta(days=1))),
        ((None, Fraction(1, 3)), (AlertActionKind.RELAPSED, DAY + timedelta(days=1))),
    ],
)
def test_the_first_day_with_data_after_a_repair_decides(minima, verdict):
    """Days without data are skipped: missing data is no verdict."""
    assert verdict_on_repair(flows(*minima)) == verdict


def test_a_repair_is_not_judged_for_two_days():
    """Before that, the pipes may still be filling and the appliances running."""
    repaired_at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert asked_from(repaired_at) == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_a_snooze_ends_with_its_last_day_or_a_higher_level():
    """A flow above the level that was dismissed is notified at once."""
    snooze = Snooze(until=DAY, level=2)
    assert snooze.covers(DAY - timedelta(days=1), 2)
    assert snooze.covers(DAY - timedelta(days=1), None)
    assert not snooze.covers(DAY - timedelta(days=1), 3)
    assert not snooze.covers(DAY, 1)

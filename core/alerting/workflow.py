"""The workflow of an alert: actions of people, and the check of repairs by the meter's readings.

In: actions of residents, managers and the meter itself, in the order in which they were done. Out: the
alert's status, and the actions still possible. The one rule: the meter's readings decide. A repair is not
checked for 48 hours; then a day with a quiet hour confirms it, and a day without one is a relapse
(docs/leaks.md).

Resident and manager see the same status. "Not a leak" snoozes the alert for a while, at the level that it
had: a higher level ends the snooze.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from core.leaks.episodes.daily_flows import DayFlow

BELIEVE_REPAIR_FOR = timedelta(hours=48)
"""From the repair to the moment from which the readings are checked."""

RARELY_READ_TAKES = timedelta(days=10)
"""How long the profile rule may take to detect that a leak continues or has ended: as for a new leak."""

SHORTEST_SNOOZE_DAYS, LONGEST_SNOOZE_DAYS, USUAL_SNOOZE_DAYS = 1, 90, 30
"""Days for which an alert can be snoozed."""


class AlertActionKind(StrEnum):
    """What was done about an alert; the last two are the meter's."""

    ACKNOWLEDGED = "ACKNOWLEDGED"
    REPAIRED = "REPAIRED"
    NOT_A_LEAK = "NOT_A_LEAK"
    VERIFIED = "VERIFIED"
    RELAPSED = "RELAPSED"


class AlertStatus(StrEnum):
    """The status of an alert: its last action that still counts."""

    OPEN = "OPEN"
    """Nobody has acted on it yet, or its snooze is over."""
    ACKNOWLEDGED = "ACKNOWLEDGED"
    REPAIRED = "REPAIRED"
    """Reported as repaired; not confirmed by the meter yet."""
    VERIFIED = "VERIFIED"
    RELAPSED = "RELAPSED"
    NOT_A_LEAK = "NOT_A_LEAK"


class Party(StrEnum):
    """Who did it."""

    RESIDENT = "RESIDENT"
    MANAGER = "MANAGER"
    METER = "METER"


class KnownUse(StrEnum):
    """What runs without being a leak."""

    WATER_SOFTENER = "WATER_SOFTENER"
    REVERSE_OSMOSIS = "REVERSE_OSMOSIS"
    HUMIDIFIER = "HUMIDIFIER"
    WATERING = "WATERING"
    RECIRCULATION = "RECIRCULATION"
    SHARED_METER = "SHARED_METER"
    METER_FAULT = "METER_FAULT"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Snooze:
    """Until which day, exclusive, an alert is snoozed, and up to which level."""

    until: date
    level: int

    def covers(self, day: date, level: int | None) -> bool:
        """Whether the snooze covers that day at that level; an alert without levels has none to exceed."""
        return day < self.until and (level is None or level <= self.level)


def status(actions: Sequence[AlertActionKind], *, snoozed: bool) -> AlertStatus:
    """The status of an alert after these actions.

    Args:
        actions: the oldest first.
        snoozed: whether the snooze of the last NOT_A_LEAK still covers it.

    """
    if not actions:
        return AlertStatus.OPEN
    if actions[-1] is AlertActionKind.NOT_A_LEAK and not snoozed:
        return AlertStatus.OPEN
    return AlertStatus(actions[-1].value)


def possible_actions(now: AlertStatus, *, running: bool) -> frozenset[AlertActionKind]:
    """What a resident or a manager may do about an alert; nothing once it has ended."""
    if not running:
        return frozenset()
    everything = frozenset(
        {AlertActionKind.ACKNOWLEDGED, AlertActionKind.REPAIRED, AlertActionKind.NOT_A_LEAK}
    )
    return everything - {AlertActionKind.ACKNOWLEDGED} if now in SEEN_TO else everything


SEEN_TO = frozenset({AlertStatus.ACKNOWLEDGED, AlertStatus.REPAIRED, AlertStatus.VERIFIED})
"""Statuses in which there is nothing to acknowledge."""


def asked_from(repaired_at: datetime) -> datetime:
    """The moment from which the readings are checked for a repair."""
    return repaired_at + BELIEVE_REPAIR_FOR


def verdict_of_episode(
    ended_on: date | None, *, first: date, today: date
) -> tuple[AlertActionKind, date] | None:
    """The classifier's verdict on a repair where readings are too rare to show a quiet hour.

    Args:
        ended_on: the first day without the leak; None while it goes on.
        first: the first whole day after `asked_from`.
        today: the day of the meter's last reading.

    """
    if ended_on is not None:
        return AlertActionKind.VERIFIED, max(ended_on, first)
    return (AlertActionKind.RELAPSED, today) if today >= first + RARELY_READ_TAKES else None


def verdict_on_repair(flows: Iterable[DayFlow]) -> tuple[AlertActionKind, date] | None:
    """The meter's verdict on a repair, and its day; None while there is none.

    Args:
        flows: of the whole civil days from `asked_from` on, the oldest first. A day without a minimum is
            skipped.

    """
    for flow in flows:
        if flow.q_min_lph is not None:
            return AlertActionKind.RELAPSED if flow.q_min_lph > 0 else AlertActionKind.VERIFIED, flow.day
    return None

"""Judges water leaks: hourly volumes in; the minimum flow of each day, episodes, levels and losses out.

Flows are `Fraction` in litres per hour, compared unrounded; rounding happens in `display` alone. Only water
is judged: heat meters and heat cost allocators have no leak alert.
"""

from core.alerting.over_consumption import OverConsumption, over_consumption
from core.leaks.episodes.daily_flows import DayFlow, day_flows, flow_of_daily_leak
from core.leaks.episodes.episode import (
    CloseReason,
    Episode,
    Figures,
    Segment,
    SegmentReason,
    episodes,
    window_figures,
)
from core.leaks.episodes.events import Event, EventKind, events, paired
from core.leaks.levels import DEFAULT_THRESHOLDS, Thresholds, is_over_range, level_of

__all__ = [
    "DEFAULT_THRESHOLDS",
    "CloseReason",
    "DayFlow",
    "Episode",
    "Event",
    "EventKind",
    "Figures",
    "OverConsumption",
    "Segment",
    "SegmentReason",
    "Thresholds",
    "day_flows",
    "episodes",
    "events",
    "flow_of_daily_leak",
    "is_over_range",
    "level_of",
    "over_consumption",
    "paired",
    "window_figures",
]

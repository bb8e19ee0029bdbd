"""A home's first screen, read at once: what its dashboard and its alerts say, each asked for alone."""

from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from core.access import Role, Viewer
from core.alerting.workflow import AlertActionKind
from core.consumption.fluids import Fluid
from core.errors import Forbidden
from core.leak_thresholds import product_thresholds
from core.models import Alert, AlertKind, Dwelling, LeakEpisode, Meter
from core.services.alerts.resident_alerts import active_alerts
from core.services.consumption.consumption import dashboards
from core.services.consumption.home_screen import home_screens
from tests.support import factories
from tests.support.factories import NOW

TODAY = NOW.date()
MOVE_IN = TODAY - timedelta(days=200)
LEVEL = 2
STARTS = [TODAY - timedelta(days=days) for days in (900, 200, 40, 1, 0)]
ENDS = [None, *(TODAY + timedelta(days=days) for days in (-300, -5, 0, 2))]
LATER = TODAY + timedelta(days=9)
ACTIONS = [
    (None, None, None),
    (AlertActionKind.REPAIRED, None, None),
    (AlertActionKind.NOT_A_LEAK, LATER, LEVEL),
    (AlertActionKind.NOT_A_LEAK, LATER, LEVEL - 1),
    (AlertActionKind.NOT_A_LEAK, LATER, None),
    (AlertActionKind.NOT_A_LEAK, TODAY, 3),
    (AlertActionKind.NOT_A_LEAK, None, None),
]
KINDS = (AlertKind.LEAK, AlertKind.BURST, AlertKind.OVER_CONSUMPTION)


async def every_alert() -> None:
    """An alert of each kind, with each start, end and last action."""
    episode = await LeakEpisode.create(
        meter_id=1,
        started_on=STARTS[0],
        level_at_opening=LEVEL,
        level_now=LEVEL,
        level_max=LEVEL,
        over_range=False,
        q_min_at_opening_lph=Decimal(6),
        counted_days=1,
        segments=[
            {"started_on": STARTS[0].isoformat(), "ended_on": None, "level": LEVEL, "reason": "OPENED"}
        ],
        judged_at=NOW,
    )
    await Alert.bulk_create(
        Alert(
            alert_key=f"alert:{number}",
            kind=kind,
            dwelling_id=1,
            fluid=Fluid.COLD_WATER,
            episode_id=episode.id if kind is AlertKind.LEAK else None,
            started_on=start,
            ended_on=end,
            last_action=action,
            snoozed_until=until,
            snoozed_level=level,
            raised_at=NOW,
        )
        for number, (kind, start, end, (action, until, level)) in enumerate(
            product(KINDS, STARTS, ENDS, ACTIONS)
        )
        if end is None or end >= start
    )


@pytest.mark.requirement("R-080")
async def test_the_number_beside_the_tabs_is_that_of_the_alerts(
    application: Any, key_encryption: Any, resident: Any, izar: Any
) -> None:
    """Of alerts of every kind, before and after the move-in, ended and running, dismissed for a time or up to
    a level: as many as the list of active alerts has that are not dismissed.
    """
    await factories.residence(key_encryption, factories.meter(izar.address), move_in=MOVE_IN)
    await every_alert()
    viewer = await resident()
    listed = await active_alerts(viewer, 1, now=NOW)
    (screen,) = (await home_screens(viewer, [1], thresholds_of=product_thresholds, now=NOW)).values()
    assert screen.active_alerts == sum(not view.snoozed for view in listed)
    assert 0 < screen.active_alerts < len(listed)
    assert screen.tabs == (await dashboards(viewer, [1], now=NOW))[1]


async def test_a_home_without_meters_has_its_alerts_all_the_same(
    application: Any, key_encryption: Any, resident: Any, izar: Any
) -> None:
    """Its meter hangs elsewhere now: no tab, and what runs here still counts."""
    await factories.residence(key_encryption, factories.meter(izar.address), move_in=MOVE_IN)
    await Alert.create(
        alert_key="alert:1",
        kind=AlertKind.BURST,
        dwelling_id=1,
        fluid=Fluid.COLD_WATER,
        started_on=TODAY,
        raised_at=NOW,
    )
    await Dwelling.create(id=2, residence_id=1, number="2")
    await Meter.filter(id=1).update(dwelling_id=2)
    (screen,) = (
        await home_screens(await resident(), [1], thresholds_of=product_thresholds, now=NOW)
    ).values()
    assert (screen.tabs, screen.active_alerts) == ([], 1)


async def test_what_is_not_the_viewers_is_left_out(
    application: Any, key_encryption: Any, resident: Any, izar: Any
) -> None:
    """Another home is not there, and whoever may see neither days nor alerts is refused."""
    await factories.residence(key_encryption, factories.meter(izar.address), move_in=MOVE_IN)
    screens = await home_screens(await resident(), [2], thresholds_of=product_thresholds, now=NOW)
    assert screens == {}
    with pytest.raises(Forbidden):
        await home_screens(Viewer(role=Role.GATEWAY), [1], thresholds_of=product_thresholds, now=NOW)

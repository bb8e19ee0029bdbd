"""The alerts of a dwelling: the active ones, and the history page by page."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core.access import SYSTEM, Role, Viewer
from core.consumption.fluids import Fluid
from core.errors import Forbidden, NotFound
from core.leaks.cost import cost_of
from core.models import Alert, AlertKind, LeakEpisode, Residence
from core.services.alerts.resident_alerts import active_alerts, past_alerts
from core.services.portfolio.descriptions import OccupancySpec
from core.services.telegrams.pipeline import take_in
from tests.support import factories

MOVE_IN = date(2026, 3, 1)
TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)


@pytest.fixture
async def home(application, key_encryption, izar, other_izar):
    """A dwelling with two meters, its occupant since 1 March 2026 and one before; answers its id."""
    await factories.account(email="old@example.org")
    old = OccupancySpec(date(2020, 1, 1), MOVE_IN, email="old@example.org")
    meters = factories.meter(izar.address), factories.meter(other_izar.address, printed_serial="H18CA029621")
    await factories.residence(key_encryption, *meters, move_in=MOVE_IN, predecessor=old)
    return 1


async def leak(started_on, ended_on=None, *, level=1, level_max=None, meter_id=1):
    """A leak's episode and alert; answers the alert's id."""
    episode = await LeakEpisode.create(
        meter_id=meter_id,
        started_on=started_on,
        ended_on=ended_on,
        level_at_opening=level,
        level_now=level,
        level_max=level_max or level,
        over_range=False,
        q_min_at_opening_lph=Decimal(6),
        loss_litres=Decimal(13280),
        mean_flow_lph=Decimal("3.95"),
        counted_days=2,
        segments=[
            {
                "started_on": started_on.isoformat(),
                "ended_on": ended_on.isoformat() if ended_on else None,
                "level": level_max or level,
                "reason": "OPENED",
            }
        ],
        judged_at=factories.NOW,
    )
    alert = await Alert.create(
        alert_key=f"leak:{episode.id}",
        kind=AlertKind.LEAK,
        dwelling_id=1,
        fluid=Fluid.COLD_WATER,
        episode_id=episode.id,
        started_on=started_on,
        ended_on=ended_on,
        raised_at=factories.NOW,
    )
    return alert.id


async def over_consumption(started_on, ended_on):
    alert = await Alert.create(
        alert_key=f"over-consumption:{started_on}",
        kind=AlertKind.OVER_CONSUMPTION,
        dwelling_id=1,
        fluid=Fluid.COLD_WATER,
        started_on=started_on,
        ended_on=ended_on,
        amount=9000,
        threshold=6000,
        raised_at=factories.NOW,
    )
    return alert.id


@pytest.mark.requirement("R-080", "R-081", "R-083", "R-087", "C-23")
async def test_active_alerts_come_the_worst_first_then_the_oldest(home, resident, now) -> None:
    """One dwelling may have several; ended ones are not among them."""
    mild_young = await leak(date(2026, 11, 20))
    mild_old = await leak(date(2026, 11, 1), meter_id=2)
    grave = await leak(date(2026, 11, 19), level=3, meter_id=2)
    await leak(date(2026, 5, 1), date(2026, 5, 9))
    month = await over_consumption(date(2026, 11, 1), date(2026, 12, 1))
    views = await active_alerts(await resident(), home, now=now)
    assert [view.id for view in views] == [grave, mild_old, mild_young, month]
    assert (views[0].level, views[0].printed_serial, views[0].duration_days) == (3, "H18CA029621", 3)
    assert (views[3].level, views[3].amount, views[3].threshold) == (None, 9000, 6000)
    assert views[3].ended_on == date(2026, 12, 1)


@pytest.mark.requirement("R-084", "R-085", "R-086", "C-27")
async def test_an_active_leak_shows_its_figures(home, resident, now) -> None:
    """Loss, mean flow, the minimum that made its level, and how long it has lasted."""
    await leak(date(2026, 5, 26))
    (view,) = await active_alerts(await resident(), home, now=now)
    assert (view.loss_litres, view.mean_flow_lph, view.q_min_at_opening_lph) == (13280, Decimal("3.95"), 6)
    assert (view.duration_days, view.ended_on, view.fluid) == (180, None, Fluid.COLD_WATER)


@pytest.mark.requirement("R-088", "R-089", "R-090", "R-091")
@pytest.mark.parametrize("size", [1, 2, 7, 20])
async def test_the_history_is_paged_newest_first_and_counted_whole(home, resident, now, size) -> None:
    """Every past alert once, those that began on one day or before the move-in included."""
    spans = [
        (date(2025, 12, 1), date(2026, 3, 5), 1),
        (date(2026, 1, 10), date(2026, 4, 1), 1),
        (date(2026, 2, 1), date(2026, 3, 9), 2),
        (date(2026, 3, 1), date(2026, 3, 4), 1),
        (date(2026, 6, 1), date(2026, 6, 9), 1),
        (date(2026, 6, 1), date(2026, 6, 10), 2),
        (date(2026, 7, 15), TODAY, 1),
    ]
    ids = [await leak(start, end, meter_id=meter) for start, end, meter in spans]
    await leak(date(2025, 1, 1), MOVE_IN)  # the predecessor's
    await leak(date(2026, 11, 1))
    viewer, seen, after = await resident(), [], None
    while True:
        page = await past_alerts(viewer, home, first=size, after=after, now=now)
        assert page.total == len(ids)
        seen += [view.id for view in page.items]
        if not page.has_next:
            break
        assert len(page.items) == size
        after = page.items[-1].started_on, page.items[-1].id
    assert sorted(seen) == sorted(ids)
    assert seen[:3] == [ids[6], ids[5], ids[4]]


async def test_a_predecessors_figures_are_hidden(home, resident, now) -> None:
    """A leak from before the move-in shows from the move-in day on, without its loss and cost."""
    await Residence.all().update(water_price_eur_per_m3=Decimal("4.52"))
    await leak(date(2026, 2, 20), date(2026, 3, 5), level_max=2)
    (view,) = (await past_alerts(await resident(), home, first=5, now=now)).items
    assert (view.started_on, view.ended_on, view.duration_days) == (MOVE_IN, date(2026, 3, 5), 4)
    assert (view.loss_litres, view.mean_flow_lph, view.q_min_at_opening_lph) == (None, None, None)
    assert view.cost == cost_of(None, None, eur_per_m3=None)
    assert view.level == 2


async def test_a_predecessors_months_are_hidden_whole(home, resident, now) -> None:
    """Over-consumption of the month of the move is the former occupant's, if it was found for them."""
    theirs = await over_consumption(date(2026, 2, 1), date(2026, 3, 1))
    mine = await over_consumption(MOVE_IN, date(2026, 4, 1))
    page = await past_alerts(await resident(), home, first=5, now=now)
    assert [view.id for view in page.items] == [mine]
    old = await past_alerts(await resident("old@example.org"), home, first=5, now=now)
    assert [view.id for view in old.items] == [theirs]


async def test_a_former_occupant_sees_leaks_up_to_the_move_out(home, resident, now) -> None:
    """A leak that continued under the successor ends with the occupancy, without figures; none is active."""
    still, beyond = await leak(date(2026, 2, 1)), await leak(date(2026, 1, 1), date(2026, 3, 9), meter_id=2)
    own = await leak(date(2025, 6, 1), date(2025, 6, 9))
    await leak(date(2026, 3, 2), date(2026, 3, 9))
    viewer = await resident("old@example.org")
    assert await active_alerts(viewer, home, now=now) == []
    page = await past_alerts(viewer, home, first=10, now=now)
    assert ([view.id for view in page.items], page.total) == ([still, beyond, own], 3)
    assert [view.ended_on for view in page.items] == [MOVE_IN, MOVE_IN, date(2025, 6, 9)]
    assert [view.loss_litres for view in page.items] == [None, None, 13280]
    assert [view.started_on for view in page.items] == [
        date(2026, 2, 1),
        date(2026, 1, 1),
        date(2025, 6, 1),
    ]


async def test_a_level_reached_in_anothers_period_is_not_shown(home, resident, now) -> None:
    """Of an episode across two occupancies, each occupant sees the level of the own days."""
    await leak(date(2026, 2, 20), date(2026, 3, 9), level_max=3)
    await LeakEpisode.all().update(
        segments=[
            {"started_on": "2026-02-20", "ended_on": "2026-03-03", "level": 1, "reason": "OPENED"},
            {"started_on": "2026-03-03", "ended_on": "2026-03-09", "level": 3, "reason": "LEVEL_UP"},
        ]
    )
    (before,) = (await past_alerts(await resident("old@example.org"), home, first=5, now=now)).items
    assert (before.level, before.level_max, before.over_range) == (1, 1, False)
    (after,) = (await past_alerts(await resident(), home, first=5, now=now)).items
    assert (after.level, after.level_max) == (3, 3)


async def test_who_moves_in_later_sees_no_alert_yet(application, key_encryption, resident, izar, now) -> None:
    """An active leak is shown to the present occupant."""
    await factories.residence(key_encryption, factories.meter(izar.address), move_in=date(2026, 12, 1))
    await leak(date(2026, 11, 1))
    assert await active_alerts(await resident(), 1, now=now) == []
    assert (await past_alerts(await resident(), 1, first=5, now=now)).items == []


@pytest.mark.parametrize(("days_without_data", "stale"), [(3, False), (4, True)])
async def test_an_active_leak_without_data_is_stale(
    application, home, resident, now, izar, days_without_data, stale
) -> None:
    """By the residence's own days: a last reading on the third day before today is recent enough."""
    last = datetime(2026, 11, 22 - days_without_data, 22, 59, tzinfo=UTC)
    await take_in(application, SYSTEM, [izar.line(1000, last)], source="test", now=now)
    await leak(date(2026, 11, 1))
    (view,) = await active_alerts(await resident(), home, now=now)
    assert view.stale is stale


async def test_an_alert_of_a_meter_without_any_reading_is_stale(home, resident, now) -> None:
    """Without a reading, data have been missing from the start."""
    await leak(date(2026, 11, 1))
    (view,) = await active_alerts(await resident(), home, now=now)
    assert view.stale


async def test_anothers_alerts_are_not_found(home, now) -> None:
    """A gateway is forbidden to ask."""
    stranger = Viewer(role=Role.RESIDENT, account_id=99)
    with pytest.raises(NotFound):
        await active_alerts(stranger, home, now=now)
    with pytest.raises(NotFound):
        await past_alerts(stranger, home, first=1, now=now)
    with pytest.raises(Forbidden):
        await active_alerts(Viewer(role=Role.GATEWAY, operator_id=1), home, now=now)

"""What is finer than a day: deleted after a move-out, or when the resident asks; the days remain
(CN-06).
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tortoise.transactions import in_transaction

from core.access import NOBODY, SYSTEM, Act, Role, Viewer
from core.access.acts import Visitor
from core.consumption.fluids import Fluid
from core.consumption.resolutions import Resolution
from core.errors import Forbidden, NotFound
from core.models import Account, Dwelling, FineDataPurge, Meter, Occupancy
from core.retention_periods import RetentionPeriods
from core.services.consumption.by_resolution import ConsumptionAsked, consumptions
from core.services.operation.retention import purge
from core.services.places.meter_directory import meters_by_address
from core.services.privacy.fine_data import purge_after_moves, purge_fine_data
from core.services.shared.audit import acts_on
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import take_in
from core.services.telegrams.recompute import recompute_meter
from tests.support import factories
from tests.support.factories import NOW

WATER = Fluid.COLD_WATER
PARIS = ZoneInfo("Europe/Paris")
BEGIN = datetime(2026, 10, 20, tzinfo=UTC)
HOURS = 24 * 20
LEFT = date(2026, 11, 1)
"""The first day on which Claire no longer lives there."""


@pytest.fixture
async def home(application, key_encryption, izar) -> int:
    """Claire's, with readings of every hour from 20 October to 9 November."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = izar.hourly(BEGIN, [3 + number % 11 for number in range(HOURS)])
    await take_in(application, SYSTEM, lines, source="test", now=NOW)
    return (await Dwelling.get()).id


async def _viewer(email: str = "claire.martin@example.org") -> Viewer:
    return Viewer(role=Role.RESIDENT, account_id=(await Account.get(email=email)).id)


async def _read() -> list[datetime]:
    rows = await current_database().execute_query_dict("SELECT read_at FROM reading ORDER BY read_at")
    return [datetime.fromtimestamp(row["read_at"], PARIS) for row in rows]


async def _volumes() -> list[dict]:
    return list(
        map(dict, await current_database().execute_query_dict("SELECT * FROM daily_volume ORDER BY day"))
    )


async def _leave(home: int) -> None:
    await Occupancy.filter(dwelling_id=home).update(move_out=LEFT)


@pytest.mark.requirement("CN-06")
async def test_the_hours_of_an_occupancy_are_deleted_after_the_grace(
    application, settings, key_encryption, izar, home
) -> None:
    """Thirty days after Claire left her days have two or three readings each, and the same volumes; those
    of the next ones are untouched. A recomputation of the whole meter changes no day.
    """
    await _leave(home)
    before, days = await _read(), await _volumes()
    early = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert (await purge(settings, now=early))["fine data of ended occupancies"] == 0
    late = early + timedelta(days=1)
    gone = (await purge(settings, now=late))["fine data of ended occupancies"]
    after = await _read()
    assert len(before) - len(after) == gone > 200
    assert [at for at in after if at.date() >= LEFT] == [at for at in before if at.date() >= LEFT]
    by_day = {
        at.date(): [one for one in after if one.date() == at.date()] for at in after if at.date() < LEFT
    }
    assert all(len(own) <= 2 for own in by_day.values())
    assert all(own[0].hour <= 2 and own[-1].hour == 23 for own in list(by_day.values())[1:])
    assert await _volumes() == days
    (meter,) = (await meters_by_address(SYSTEM, [izar.address], key_encryption=key_encryption)).values()
    async with in_transaction() as connection:
        await recompute_meter(connection, meter, thresholds_of=application.registry.leak_thresholds, now=late)
    assert await _volumes() == days
    assert (await purge(settings, now=late + timedelta(days=3)))["fine data of ended occupancies"] == 0


@pytest.mark.requirement("CN-06")
async def test_a_resident_purges_the_own_hours_but_for_three_days(home) -> None:
    """On 9 November: the hours before the 7th are gone, days remain, and by the hour nothing is shown."""
    now = datetime(2026, 11, 9, 12, tzinfo=UTC)
    claire, days = await _viewer(), await _volumes()
    asked = [ConsumptionAsked(Resolution.HOURLY, 24, date(2026, 11, 5), fluid=WATER, dwelling_id=home)]
    (hours,) = await consumptions(claire, asked, now=now)
    assert None not in {value.amount for value in hours.values}
    found = await purge_fine_data(claire, home, visitor=Visitor("192.0.2.7"), now=now)
    assert found.kept_from == date(2026, 11, 7)
    assert found.readings > 300
    assert await _volumes() == days
    (hours,) = await consumptions(claire, asked, now=now)
    assert len([value for value in hours.values if value.amount is not None]) <= 2, "those around midnight"
    assert len([at for at in await _read() if at.date() == date(2026, 11, 8)]) == 24
    (entry,) = await acts_on(SYSTEM, act=Act.FINE_DATA_PURGED)
    assert (entry.actor_id, entry.details["readings"]) == (claire.account_id, found.readings)


async def test_only_days_of_the_own_occupancy_are_purged(home) -> None:
    """Paul, who came on 1 November, purges his days; Claire's hours of October remain until her grace is
    over; a stranger's dwelling does not exist, and a manager may not.
    """
    await _leave(home)
    paul = await factories.account(email="paul@example.org")
    await Occupancy.create(dwelling_id=home, account_id=paul, kind="TENANT", move_in=LEFT)
    october = [at for at in await _read() if at.date() < LEFT]
    now = datetime(2026, 11, 9, 12, tzinfo=UTC)
    await purge_fine_data(Viewer(role=Role.RESIDENT, account_id=paul), home, visitor=NOBODY, now=now)
    assert [at for at in await _read() if at.date() < LEFT] == october
    stranger = await factories.account(email="stranger@example.org")
    with pytest.raises(NotFound):
        await purge_fine_data(Viewer(role=Role.RESIDENT, account_id=stranger), home, visitor=NOBODY, now=now)
    with pytest.raises(Forbidden):
        await purge_fine_data(Viewer(role=Role.MANAGER, account_id=stranger), home, visitor=NOBODY, now=now)


async def test_a_successor_ends_an_occupancy_whose_end_nobody_entered_and_a_new_lease_does_not(home) -> None:
    """Claire's lease is renewed on the day it ends: nothing is purged. Somebody else moves in: it is."""
    claire = await _viewer()
    await _leave(home)
    await Occupancy.create(dwelling_id=home, account_id=claire.account_id, kind="TENANT", move_in=LEFT)
    late = datetime(2026, 12, 24, tzinfo=UTC)
    assert await purge_after_moves(RetentionPeriods(), now=late) == 0
    paul = await factories.account(email="paul@example.org")
    await Occupancy.create(dwelling_id=home, account_id=paul, kind="TENANT", move_in=date(2026, 11, 5))
    assert await purge_after_moves(RetentionPeriods(), now=late) == 0, "once a day"
    late += timedelta(days=1)
    assert await purge_after_moves(RetentionPeriods(), now=late) > 300
    assert (await FineDataPurge.get()).kept_from == date(2026, 11, 5)
    late += timedelta(days=1)
    assert await purge_after_moves(RetentionPeriods(), now=late) == 0


async def test_the_grace_is_a_setting(home) -> None:
    """Without one the hours go on the day of the move-out."""
    await _leave(home)
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert await purge_after_moves(RetentionPeriods(fine_data_days=0), now=now) > 200
    assert await Meter.all().count() == 1

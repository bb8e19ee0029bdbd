"""Who sees which dwelling, and which days of it."""

from datetime import UTC, date, datetime

import pytest
from tortoise.transactions import in_transaction

from core.access import SYSTEM, Role, Viewer
from core.errors import Forbidden, ForbiddenPeriod, NotFound
from core.models import Dwelling, Occupancy, OccupancyKind
from core.services.messaging.outbox import Notification, Topic, queue
from core.services.places.dwellings import my_dwelling, my_dwellings
from core.services.portfolio.descriptions import DwellingSpec, OccupancySpec, ResidenceSpec
from core.services.portfolio.portfolio import upsert_residence
from core.services.shared.scope import (
    OccupancyPeriod,
    occupancy_period_at,
    occupancy_period_of_meter,
    occupancy_periods,
)
from tests.support import factories

TODAY = date(2026, 11, 22)
ME = "claire.martin@example.org"


async def homes(key_encryption, *dwellings_of_periods, meters=()):
    """Residence AA000 with a dwelling for each list of occupancies, their accounts made before."""
    for home in dwellings_of_periods:
        for period in home:
            if period.email:
                await factories.account(email=period.email)
    specs = [
        DwellingSpec(number=str(number), occupancies=home, meters=meters if number == 1 else ())
        for number, home in enumerate(dwellings_of_periods, start=1)
    ]
    residence = ResidenceSpec("ocea", "OCEA", "AA000", "R", "1 rue", "92400", "Courbevoie", dwellings=specs)
    await upsert_residence(SYSTEM, residence, key_encryption=key_encryption, now=factories.NOW)


@pytest.mark.requirement("R-010", "R-011", "R-014")
async def test_a_resident_sees_the_own_dwelling_alone(application, key_encryption, resident) -> None:
    """Another one's dwelling, and one that does not exist, are the same answer."""
    mine, hers = (
        OccupancySpec(date(2024, 2, 1), email=ME),
        OccupancySpec(date(2020, 1, 1), email="b@example.org"),
    )
    await homes(key_encryption, [mine], [hers])
    viewer = await resident()
    (dwelling,) = await my_dwellings(viewer)
    assert (dwelling.number, dwelling.visible_from, dwelling.visible_until) == ("1", date(2024, 2, 1), None)
    assert dwelling.residence.operator_name == "OCEA"
    other = (await my_dwellings(await resident("b@example.org")))[0].id
    messages = set()
    for dwelling_id in (other, 10**6, -1, 2**70):
        with pytest.raises(NotFound) as refused:
            await my_dwelling(viewer, dwelling_id)
        messages.add(refused.value.message)
    assert len(messages) == 1


@pytest.mark.requirement("R-190", "R-193", "C-14")
@pytest.mark.parametrize("attested", [date(1900, 1, 1), date(2015, 1, 2), date(2023, 12, 31)])
async def test_an_attested_move_in_is_limited_by_the_predecessors_end(
    application, key_encryption, resident, attested
) -> None:
    """Whatever day somebody attests, nothing from a known predecessor's period is shown."""
    predecessor = OccupancySpec(date(2015, 1, 1), date(2024, 2, 1), email="old@example.org")
    await homes(key_encryption, [predecessor, OccupancySpec(attested, email=ME)])
    (period,) = await occupancy_periods(await resident())
    assert (period.first_day, period.last_day) == (date(2024, 2, 1), None)


@pytest.mark.requirement("R-140")
async def test_a_move_out_that_nobody_entered_ends_with_the_next_move_in(
    application, key_encryption, resident
) -> None:
    """A former occupant who is still on the list sees nothing of the successor."""
    moved = date(2026, 1, 1)
    await homes(
        key_encryption,
        [
            OccupancySpec(date(2024, 1, 1), email=ME),
            OccupancySpec(moved, email="new@example.org"),
        ],
    )
    (old,) = await occupancy_periods(await resident())
    assert (old.first_day, old.last_day) == (date(2024, 1, 1), date(2025, 12, 31))
    (new,) = await occupancy_periods(await resident("new@example.org"))
    assert (new.first_day, new.last_day) == (moved, None)


@pytest.mark.requirement("R-140", "C-15")
@pytest.mark.parametrize("attested", [None, datetime(2020, 1, 2, tzinfo=UTC)])
async def test_a_predecessor_without_an_end_is_not_restored(
    application, key_encryption, resident, attested
) -> None:
    """After a successor of the list has left, the predecessor sees nothing later and gets no message."""
    await homes(
        key_encryption,
        [
            OccupancySpec(date(2020, 1, 1), email=ME),
            OccupancySpec(date(2025, 1, 1), date(2026, 11, 1), email="new@example.org"),
        ],
    )
    await Occupancy.filter(account__email=ME).update(attested_at=attested)
    assert [(period.first_day, period.last_day) for period in await occupancy_periods(await resident())] == [
        (date(2020, 1, 1), date(2024, 12, 31))
    ]
    dwelling = (await Dwelling.get()).id
    notification = Notification(
        dwelling_id=dwelling,
        topic=Topic.LEAK,
        template="leak_opened",
        key="leak",
        started_on=TODAY,
        happened_on=TODAY,
        alert_id=0,
        values={},
        figures={},
    )
    async with in_transaction() as connection:
        assert await queue(connection, [notification], now=factories.NOW) == 0


@pytest.mark.requirement("C-14")
async def test_who_attested_after_the_predecessor_left_came_after(
    application, key_encryption, resident
) -> None:
    """Whichever of the two the list named first: the day of the attestation decides who lives there."""
    before = OccupancySpec(date(2015, 1, 1), date(2024, 2, 1), email="old@example.org")
    await homes(key_encryption, [OccupancySpec(date(2010, 1, 1), email=ME), before])
    await Occupancy.filter(account__email=ME).update(attested_at=datetime(2024, 2, 5, tzinfo=UTC))
    (period,) = await occupancy_periods(await resident())
    assert (period.first_day, period.last_day) == (date(2024, 2, 1), None)


async def test_an_occupancy_without_a_day_ends_no_other(application, key_encryption, resident) -> None:
    """A move-in that did not happen: the row without a day is no successor."""
    cancelled = OccupancySpec(date(2026, 1, 1), date(2026, 1, 1), email="never@example.org")
    await homes(key_encryption, [OccupancySpec(date(2024, 1, 1), email=ME), cancelled])
    (period,) = await occupancy_periods(await resident())
    assert (period.first_day, period.last_day) == (date(2024, 1, 1), None)


@pytest.mark.parametrize(
    ("asked_at", "seen"),
    [(datetime(2026, 11, 22, 3, 30, tzinfo=UTC), 1), (datetime(2026, 11, 22, 4, 30, tzinfo=UTC), 0)],
)
async def test_the_look_back_ends_by_the_residences_time_zone(
    application, key_encryption, asked_at, seen
) -> None:
    """In Martinique the last day lasts until four in the morning, UTC."""
    await factories.residence(key_encryption, time_zone="America/Martinique")
    await Occupancy.all().update(move_out=date(2025, 11, 22), access_until=date(2026, 11, 22))
    account_id = (await Occupancy.get()).account_id
    viewer = Viewer(role=Role.RESIDENT, account_id=account_id, asked_at=asked_at)
    assert len(await occupancy_periods(viewer)) == seen


async def test_occupancies_that_follow_one_another_are_one_period(
    application, key_encryption, resident
) -> None:
    """A renewed lease, or a tenant who becomes owner, keeps the whole history; a gap separates it."""
    await homes(
        key_encryption,
        [
            OccupancySpec(date(2024, 1, 1), date(2027, 1, 1), email=ME),
            OccupancySpec(date(2027, 1, 1), kind=OccupancyKind.OWNER_OCCUPIER, email=ME),
        ],
        [
            OccupancySpec(date(2020, 1, 1), date(2021, 1, 1), email=ME),
            OccupancySpec(date(2022, 1, 1), date(2023, 1, 1), email=ME),
        ],
    )
    first, *others = await occupancy_periods(await resident())
    assert (first.first_day, first.last_day) == (date(2024, 1, 1), None)
    assert [(period.first_day, period.last_day) for period in others] == [
        (date(2022, 1, 1), date(2022, 12, 31)),
        (date(2020, 1, 1), date(2020, 12, 31)),
    ]


async def test_a_former_occupant_keeps_the_own_period(application, key_encryption, resident) -> None:
    """Up to the day before the move-out, on which the successor's period begins."""
    moved = date(2025, 6, 1)
    old = OccupancySpec(date(2020, 1, 1), moved, email=ME)
    await homes(key_encryption, [old, OccupancySpec(moved, email="new@example.org")])
    (period,) = await occupancy_periods(await resident())
    assert (period.first_day, period.last_day) == (date(2020, 1, 1), date(2025, 5, 31))
    assert (await occupancy_periods(await resident("new@example.org")))[0].first_day == moved


async def test_who_returns_sees_the_present_period(application, key_encryption, resident) -> None:
    """The years of another occupant in between are hidden, and the first period is over."""
    await homes(
        key_encryption,
        [
            OccupancySpec(date(2018, 1, 1), date(2020, 1, 1), email=ME),
            OccupancySpec(date(2020, 1, 1), date(2022, 1, 1)),
            OccupancySpec(date(2022, 1, 1), email=ME),
        ],
    )
    viewer = await resident()
    present, past = await occupancy_periods(viewer)
    assert (present.first_day, past.last_day) == (date(2022, 1, 1), date(2019, 12, 31))
    assert await occupancy_period_at(viewer, present.dwelling_id) == present


@pytest.mark.requirement("C-01", "C-02")
async def test_an_owner_who_lives_elsewhere_sees_nothing(application, key_encryption, resident) -> None:
    """A landlord has an account and no data; a sale of the dwelling does not affect its tenant."""
    kind = OccupancyKind.OWNER_NON_OCCUPANT
    await homes(
        key_encryption,
        [
            OccupancySpec(date(2010, 1, 1), date(2025, 1, 1), kind, email="seller@example.org"),
            OccupancySpec(date(2024, 2, 1), email=ME),
            OccupancySpec(date(2024, 2, 1), kind=kind, email="landlord@example.org"),
        ],
    )
    assert await my_dwellings(await resident("landlord@example.org")) == []
    assert (await occupancy_periods(await resident()))[0].first_day == date(2024, 2, 1)


async def test_gateways_and_the_command_line_have_no_dwelling(application, key_encryption) -> None:
    """A gateway is forbidden to ask; the command line has none of its own."""
    with pytest.raises(Forbidden):
        await occupancy_periods(Viewer(role=Role.GATEWAY, gateway_id=1, operator_id=1))
    assert await occupancy_periods(SYSTEM) == []


@pytest.mark.parametrize("meter_id", [2, 0, -1, 2**63 - 1, 2**63, 10**30])
async def test_a_meter_that_is_not_the_viewers_is_not_found(
    application, key_encryption, resident, izar, meter_id
) -> None:
    """Nor is one whose number exceeds the database's range."""
    await homes(
        key_encryption, [OccupancySpec(date(2024, 2, 1), email=ME)], meters=[factories.meter(izar.address)]
    )
    viewer = await resident()
    meter, period = await occupancy_period_of_meter(viewer, 1)
    assert meter.dwelling_id == period.dwelling_id
    with pytest.raises(NotFound):
        await occupancy_period_of_meter(viewer, meter_id)


PERIOD = OccupancyPeriod(1, OccupancyKind.TENANT, date(2024, 2, 1), date(2025, 5, 31))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2024, 1, 31), None),
        (date(2025, 6, 1), None),
        (None, date(2025, 6, 1)),
        (None, date(2024, 1, 31)),
    ],
)
def test_a_bound_outside_the_period_is_refused(first, last) -> None:
    """On either side of it, for either bound."""
    with pytest.raises(ForbiddenPeriod):
        PERIOD.clip(first, last, today=TODAY)


def test_without_bounds_the_whole_period_is_meant() -> None:
    """A present one up to today."""
    assert PERIOD.clip(None, None, today=TODAY) == (PERIOD.first_day, PERIOD.last_day)
    lasting = OccupancyPeriod(1, OccupancyKind.TENANT, date(2024, 2, 1), None)
    assert lasting.clip(None, date(2030, 1, 1), today=TODAY) == (lasting.first_day, TODAY)
    assert (PERIOD.holds(PERIOD.first_day), PERIOD.holds(date(2025, 6, 1)), PERIOD.over_on(TODAY)) == (
        True,
        False,
        True,
    )

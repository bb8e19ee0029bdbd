"""core.services.occupancy.occupancies: who holds a dwelling, from when to when."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from core.access import SYSTEM, Role, Viewer
from core.access.acts import NOBODY
from core.bootstrap import Application
from core.errors import Forbidden, InvalidInput, NotFound
from core.metering import Registry
from core.models import Account, AuditRecord, ConsentRecord, Dwelling, Occupancy, OccupancyKind
from core.services.occupancy.occupancies import (
    Claim,
    admit,
    holds_a_dwelling,
    is_taken,
    leave_dwelling,
    today_at,
)
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import OccupancySpec
from core.services.shared.scope import occupancy_periods
from tests.support import factories
from tests.support.factories import NOW

TODAY = NOW.date()
ME = "new@example.org"


@pytest.fixture
async def newcomer(application: Application) -> int:
    return await factories.account(email=ME, first_name="Nadia")


async def _admit(account_id: int, move_in: date, **changes: Any) -> Occupancy:
    claim = Claim(
        dwelling_id=(await Dwelling.get()).id,
        account_id=account_id,
        kind=changes.pop("kind", OccupancyKind.TENANT),
        move_in=move_in,
        attested_at=NOW,
        **changes,
    )
    async with in_transaction() as connection:
        number = await admit(connection, claim, consent_version="1", visitor=NOBODY, now=NOW)
    return await Occupancy.get(id=number)


@pytest.mark.requirement("C-14")
async def test_an_occupancy_begins_after_the_one_before(
    application: Application, key_encryption: KeyEncryption, newcomer: int, resident: Any
) -> None:
    """A declared day within the predecessor's period is moved to its end, and the predecessor keeps it."""
    ended = OccupancySpec(date(2020, 1, 1), date(2026, 11, 10), email="claire.martin@example.org")
    await factories.account()
    await factories.residence(
        key_encryption, factories.meter(), email=None, predecessor=ended, move_in=date(2026, 11, 10)
    )
    await Occupancy.filter(account_id=None).delete()
    period = await _admit(newcomer, date(2019, 5, 1))
    assert period.move_in == date(2026, 11, 10)
    assert [one.last_day for one in await occupancy_periods(await resident())] == [date(2026, 11, 9)]


async def test_who_was_described_without_an_account_is_the_same_person(
    application: Application, key_encryption: KeyEncryption, newcomer: int
) -> None:
    """A list without an e-mail describes the occupant; whoever registers for that period is that person."""
    await factories.residence(key_encryption, factories.meter(), email=None, move_in=date(2026, 3, 1))
    period = await _admit(newcomer, date(2024, 1, 1))
    assert (period.move_in, period.account_id) == (date(2026, 3, 1), newcomer)
    assert await Occupancy.all().count() == 1


async def test_a_later_day_ends_the_described_occupancy(
    application: Application, key_encryption: KeyEncryption, newcomer: int, resident: Any
) -> None:
    """Whoever declares a later move-in is another person, and sees no earlier day."""
    await factories.residence(key_encryption, factories.meter(), email=None, move_in=date(2026, 3, 1))
    await _admit(newcomer, date(2026, 9, 1))
    assert sorted([(one.move_in, one.move_out) for one in await Occupancy.all()]) == [
        (date(2026, 3, 1), date(2026, 9, 1)),
        (date(2026, 9, 1), None),
    ]
    assert [one.first_day for one in await occupancy_periods(await resident(ME))] == [date(2026, 9, 1)]


@pytest.mark.requirement("C-16", "C-18")
@pytest.mark.parametrize(("answer", "states"), [(None, []), (True, ["GRANTED"]), (False, ["REFUSED"])])
async def test_a_consent_is_recorded_where_it_was_answered(
    application: Application,
    key_encryption: KeyEncryption,
    newcomer: int,
    answer: bool | None,  # noqa: FBT001 - a column of the table above
    states: list[str],
) -> None:
    """No answer leaves no record; an answer is the occupant's own, with the version of its text."""
    await factories.residence(key_encryption, factories.meter(), email=None)
    await Occupancy.all().delete()
    await _admit(newcomer, TODAY, manager_daily_data=answer)
    records = await ConsentRecord.all()
    assert [one.state.value for one in records] == states
    assert all((one.author.value, one.text_version) == ("OCCUPANT", "1") for one in records)


@pytest.mark.requirement("C-01", "R-140")
async def test_an_open_occupancy_takes_a_dwelling(
    application: Application, key_encryption: KeyEncryption, newcomer: int
) -> None:
    """Another person's, up to the day before the move-out; an owner who lives elsewhere never takes it."""
    await factories.residence(key_encryption, factories.meter())
    dwelling = (await Dwelling.get()).id
    tenant = await Occupancy.get()
    assert tenant.account_id is not None
    assert await is_taken(dwelling, OccupancyKind.TENANT, today=TODAY)
    assert await is_taken(dwelling, None, today=TODAY)
    assert not await is_taken(dwelling, OccupancyKind.OWNER_NON_OCCUPANT, today=TODAY)
    assert not await is_taken(dwelling, OccupancyKind.TENANT, today=TODAY, account_id=tenant.account_id)
    await _admit(newcomer, TODAY, kind=OccupancyKind.OWNER_NON_OCCUPANT)
    await Occupancy.filter(id=tenant.id).update(move_out=TODAY + timedelta(days=1))
    assert await is_taken(dwelling, OccupancyKind.TENANT, today=TODAY)
    assert not await is_taken(dwelling, OccupancyKind.TENANT, today=TODAY + timedelta(days=1))
    assert await holds_a_dwelling(tenant.account_id, now=NOW)
    assert not await holds_a_dwelling(tenant.account_id, now=NOW + timedelta(days=1))


async def test_leaving_ends_the_occupancy_on_the_declared_day(
    application: Application, key_encryption: KeyEncryption, resident: Any, registry: Registry
) -> None:
    """The resident declares the last day; the own period remains visible, and the act is audited."""
    await factories.residence(key_encryption, factories.meter())
    dwelling, me = (await Dwelling.get()).id, await resident()
    await leave_dwelling(application, me, dwelling, last_day=TODAY, visitor=NOBODY, now=NOW)
    period = await Occupancy.get()
    assert (period.move_out, period.access_until) == (
        TODAY + timedelta(days=1),
        TODAY + timedelta(days=366),
    )
    assert [record.act.value for record in await AuditRecord.all()] == ["OCCUPANCY_ENDED"]
    assert [one.last_day for one in await occupancy_periods(me)] == [TODAY]


@pytest.mark.parametrize(
    ("last_day", "error"), [(date(2024, 1, 31), InvalidInput), (date(2027, 3, 1), InvalidInput)]
)
async def test_an_invalid_last_day_is_refused(
    application: Application,
    key_encryption: KeyEncryption,
    resident: Any,
    registry: Registry,
    last_day: date,
    error: type[Exception],
) -> None:
    """Neither before the occupancy began nor a quarter of a year ahead."""
    await factories.residence(key_encryption, factories.meter())
    dwelling = (await Dwelling.get()).id
    with pytest.raises(error):
        await leave_dwelling(
            application, await resident(), dwelling, last_day=last_day, visitor=NOBODY, now=NOW
        )


async def test_nobody_leaves_for_another(
    application: Application, key_encryption: KeyEncryption, resident: Any, registry: Registry, newcomer: int
) -> None:
    """Another's dwelling is not found, and one that was left cannot be left again."""
    await factories.residence(key_encryption, factories.meter())
    dwelling = (await Dwelling.get()).id
    with pytest.raises(NotFound):
        await leave_dwelling(
            application, await resident(ME), dwelling, last_day=TODAY, visitor=NOBODY, now=NOW
        )
    await leave_dwelling(
        application, await resident(), dwelling, last_day=TODAY - timedelta(days=1), visitor=NOBODY, now=NOW
    )
    with pytest.raises(NotFound):
        await leave_dwelling(application, await resident(), dwelling, last_day=TODAY, visitor=NOBODY, now=NOW)
    gateway = Viewer(role=Role.GATEWAY, gateway_id=1)
    with pytest.raises(Forbidden):
        await leave_dwelling(application, gateway, dwelling, last_day=TODAY, visitor=NOBODY, now=NOW)


@pytest.mark.requirement("C-12")
async def test_a_departure_can_be_postponed(
    application: Application, key_encryption: KeyEncryption, resident: Any, registry: Registry
) -> None:
    """Declared again, earlier or later: the day confirmed last is valid, for this occupancy alone."""
    await factories.residence(key_encryption, factories.meter())
    dwelling, me = (await Dwelling.get()).id, await resident()
    await Occupancy.create(
        dwelling_id=dwelling,
        account_id=me.account_id,
        kind=OccupancyKind.TENANT,
        move_in=date(2022, 1, 1),
        move_out=date(2023, 1, 1),
    )
    for last_day in (date(2026, 12, 10), date(2026, 12, 31), date(2026, 12, 24), TODAY):
        await leave_dwelling(application, me, dwelling, last_day=last_day, visitor=NOBODY, now=NOW)
        present, past = await occupancy_periods(me)
        assert (present.last_day, past.last_day) == (last_day, date(2022, 12, 31))
    assert (await Occupancy.get(move_in=date(2024, 2, 1))).access_until == TODAY + timedelta(days=366)


async def test_a_departure_is_not_postponed_into_the_next_occupancy(
    application: Application, key_encryption: KeyEncryption, newcomer: int, resident: Any, registry: Registry
) -> None:
    """Somebody moves in on the first of December: the day before is accepted, a later day is refused."""
    await factories.residence(key_encryption, factories.meter())
    dwelling, me = (await Dwelling.get()).id, await resident()
    await leave_dwelling(application, me, dwelling, last_day=date(2026, 11, 25), visitor=NOBODY, now=NOW)
    await Occupancy.create(
        dwelling_id=dwelling, account_id=newcomer, kind=OccupancyKind.TENANT, move_in=date(2026, 12, 1)
    )
    with pytest.raises(InvalidInput) as refused:
        await leave_dwelling(application, me, dwelling, last_day=date(2026, 12, 1), visitor=NOBODY, now=NOW)
    assert refused.value.field == "lastDay"
    assert [one.last_day for one in await occupancy_periods(me)] == [date(2026, 11, 25)]
    await leave_dwelling(application, me, dwelling, last_day=date(2026, 11, 30), visitor=NOBODY, now=NOW)
    assert [one.last_day for one in await occupancy_periods(me)] == [date(2026, 11, 30)]


@pytest.mark.requirement("C-01", "C-12")
async def test_an_owner_who_lives_elsewhere_gives_the_dwelling_up(
    application: Application, key_encryption: KeyEncryption, newcomer: int, resident: Any, registry: Registry
) -> None:
    """Sold: the address is free, the tenant's occupancy continues, and it cannot be given up twice."""
    await factories.residence(key_encryption, factories.meter())
    dwelling, owner = (await Dwelling.get()).id, await resident(ME)
    await _admit(newcomer, TODAY, kind=OccupancyKind.OWNER_NON_OCCUPANT)
    assert await holds_a_dwelling(newcomer, now=NOW)
    yesterday = TODAY - timedelta(days=1)
    await leave_dwelling(application, owner, dwelling, last_day=yesterday, visitor=NOBODY, now=NOW)
    assert not await holds_a_dwelling(newcomer, now=NOW)
    assert [one.last_day for one in await occupancy_periods(await resident())] == [None]
    with pytest.raises(NotFound):
        await leave_dwelling(application, owner, dwelling, last_day=TODAY, visitor=NOBODY, now=NOW)


async def test_who_has_no_account_leaves_nothing(
    application: Application, key_encryption: KeyEncryption, newcomer: int, registry: Registry
) -> None:
    """The command line has no dwelling, and ends no occupancy without an account either."""
    await factories.residence(key_encryption, factories.meter(), email=None)
    dwelling = (await Dwelling.get()).id
    for number in (dwelling, dwelling + 1):
        with pytest.raises(NotFound):
            await leave_dwelling(application, SYSTEM, number, last_day=TODAY, visitor=NOBODY, now=NOW)
    assert (await Occupancy.get()).move_out is None


@pytest.mark.requirement("R-139", "C-12")
@pytest.mark.parametrize(
    ("zone", "now", "held"),
    [
        ("America/Martinique", datetime(2026, 11, 22, 0, 30, tzinfo=UTC), True),
        ("America/Martinique", datetime(2026, 11, 22, 4, 30, tzinfo=UTC), False),
        ("Europe/Paris", datetime(2026, 11, 21, 22, 30, tzinfo=UTC), True),
        ("Europe/Paris", datetime(2026, 11, 21, 23, 30, tzinfo=UTC), False),
    ],
)
async def test_an_address_is_free_from_midnight_at_the_residence_on(
    application: Application,
    key_encryption: KeyEncryption,
    zone: str,
    now: datetime,
    held: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    """The last day is in the residence's time zone, for the dwelling and for the address alike."""
    await factories.residence(key_encryption, factories.meter(), time_zone=zone)
    await Occupancy.all().update(move_out=date(2026, 11, 22))
    account_id, dwelling = (await Occupancy.get()).account_id, (await Dwelling.get()).id
    assert account_id is not None
    assert await holds_a_dwelling(account_id, now=now) == held
    today = await today_at(dwelling, now=now)
    assert await is_taken(dwelling, OccupancyKind.TENANT, today=today) == held


@pytest.mark.requirement("R-139", "R-140")
async def test_a_succeeded_occupancy_is_ended(
    application: Application, key_encryption: KeyEncryption, newcomer: int, resident: Any, registry: Registry
) -> None:
    """Even where nobody entered an end: dwelling and address are free when the successor leaves, and the end
    is recorded, so that nothing later can change it.
    """
    forgotten = OccupancySpec(date(2020, 1, 1), email=ME)
    await factories.residence(
        key_encryption, factories.meter(), predecessor=forgotten, move_in=date(2025, 1, 1)
    )
    dwelling, present = (await Dwelling.get()).id, await resident()
    assert not await holds_a_dwelling(newcomer, now=NOW)
    yesterday = TODAY - timedelta(days=1)
    await leave_dwelling(application, present, dwelling, last_day=yesterday, visitor=NOBODY, now=NOW)
    assert not await is_taken(dwelling, OccupancyKind.TENANT, today=TODAY)
    assert (await Occupancy.get(account_id=newcomer)).move_out == date(2025, 1, 1)


@pytest.mark.parametrize(
    ("declared", "ended", "begun"),
    [
        (date(2026, 3, 1), date(2026, 3, 1), date(2026, 3, 1)),
        (date(2019, 3, 1), TODAY, TODAY),
    ],
)
async def test_an_occupancy_after_a_disabled_accounts_ends_it(
    application: Application,
    key_encryption: KeyEncryption,
    newcomer: int,
    resident: Any,
    declared: date,
    ended: date,
    begun: date,
) -> None:
    """It ends where the new one begins, so that the account, enabled again, sees nothing later."""
    await factories.residence(key_encryption, factories.meter())
    await Account.filter(email="claire.martin@example.org").update(disabled_at=NOW)
    await _admit(newcomer, declared)
    assert [one.last_day for one in await occupancy_periods(await resident())] == [ended - timedelta(days=1)]
    assert [(one.first_day, one.last_day) for one in await occupancy_periods(await resident(ME))] == [
        (begun, None)
    ]


@pytest.mark.requirement("C-14")
async def test_a_described_tenant_with_the_end_of_a_lease_is_the_predecessor(
    application: Application, key_encryption: KeyEncryption, newcomer: int, resident: Any
) -> None:
    """Whoever declares a later move-in than the tenant of a list is that tenant's successor."""
    await factories.residence(key_encryption, factories.meter(), email=None, move_in=date(2026, 3, 1))
    await Occupancy.all().update(move_out=date(2029, 3, 1))
    await _admit(newcomer, date(2026, 9, 1))
    assert [(one.first_day, one.last_day) for one in await occupancy_periods(await resident(ME))] == [
        (date(2026, 9, 1), None)
    ]
    assert (await Occupancy.get(account_id=None)).move_out == date(2026, 9, 1)

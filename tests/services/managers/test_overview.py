"""A residence at a glance: what a manager may always see, by a fixed number of statements."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from core.access import NOBODY, SYSTEM, Role, Viewer
from core.bootstrap import Application
from core.consumption import DayVolume, Month, Quality
from core.consumption.fluids import Fluid
from core.consumption.outliers import OutlierKind
from core.errors import Forbidden
from core.models import Alert, AlertKind, Dwelling, LeakEpisode, Meter, Occupancy, OccupancyKind, Residence
from core.services.managers.overview import Overview, overviews
from core.services.managers.paper_consents import record_paper_consent
from core.services.occupancy.consents import answer_consent
from core.services.places.managed_residences import grant_residence
from core.services.places.meter_states import note_condition
from core.services.shared import time_series
from tests.support import factories
from tests.support.attack import watched
from tests.support.factories import NOW

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
INSTALLED = datetime(2024, 1, 1, tzinfo=UTC)

AddMeter = Callable[..., Awaitable[int]]


@pytest.fixture
def add_meter(manager: Viewer) -> AddMeter:
    """Adds a meter of cold water, with the same volume on each day of a period."""

    async def add(dwelling: int, daily: int = 0, days: tuple[date, date] | None = None, **more: Any) -> int:
        number = await Meter.all().count()
        meter = await Meter.create(
            dwelling_id=dwelling,
            fluid=Fluid.COLD_WATER,
            vendor="ocea",
            printed_serial=f"H18CA{number:06}",
            serial_key=f"H18CA{number:06}",
            radio_address=f"SAP-{number:08}-0C-04",
            **{"installed_at": INSTALLED, **more},
        )
        if days is not None:
            await consume(meter.id, daily, days)
        return int(meter.id)

    return add


async def consume(meter_id: int, daily: int, days: tuple[date, date]) -> None:
    count = (days[1] - days[0]).days + 1
    volumes = [
        (meter_id, DayVolume(days[0] + timedelta(days=offset), daily, Quality.MEASURED))
        for offset in range(count)
    ]
    async with in_transaction() as connection:
        await time_series.replace_days(connection, [], volumes)


async def overview(viewer: Viewer) -> Overview:
    number = (await Residence.get(code="AA000")).id
    return (await overviews(viewer, [number], now=NOW))[number]


async def alert(meter: Meter, kind: AlertKind, *, level: int | None = None, **more: Any) -> None:
    episode = None
    if level is not None:
        episode = await LeakEpisode.create(
            meter_id=meter.id,
            started_on=date(2026, 11, 10 + level),
            level_at_opening=1,
            level_now=level,
            level_max=level,
            over_range=False,
            q_min_at_opening_lph=5,
            counted_days=1,
            segments=[],
            judged_at=NOW,
        )
    await Alert.create(
        alert_key=f"{kind}:{meter.id}:{level}:{len(more)}",
        kind=kind,
        dwelling_id=meter.dwelling_id,
        fluid=meter.fluid,
        meter_id=None if episode else meter.id,
        episode_id=episode.id if episode else None,
        raised_at=NOW,
        **{"started_on": date(2026, 11, 10), **more},
    )


@pytest.mark.requirement("R-042", "CN-01")
async def test_homes_are_counted_by_who_lives_there(
    application: Application, manager: Viewer, resident: Any, add_home: Any
) -> None:
    """Claire has an account, 13 has none, of 14 the occupant has left, of 15 nobody is known; the consents
    are those of the present occupants.
    """
    thirteen = await add_home("13", date(2026, 1, 1))
    await add_home("14", date(2026, 1, 1), date(2026, 6, 1))
    await add_home("15")
    claire = await resident()
    dwelling = (await Dwelling.get(number="12")).id
    homes = (await overview(manager)).homes
    assert (homes.total, homes.occupied, homes.vacant, homes.unknown) == (4, 2, 1, 1)
    assert (homes.with_account, homes.without_account) == (1, 1)
    assert (homes.consent_granted, homes.consent_refused, homes.consent_unanswered) == (0, 0, 2)
    await answer_consent(application, claire, dwelling, granted=True, visitor=NOBODY, now=NOW)
    await Occupancy.create(  # the lease renewed: the answer is valid for the whole occupancy
        dwelling_id=dwelling,
        account_id=claire.account_id,
        kind=OccupancyKind.TENANT,
        move_in=date(2026, 5, 1),
    )
    await record_paper_consent(application, manager, thirteen, granted=False, visitor=NOBODY, now=NOW)
    view = await overview(manager)
    homes = view.homes
    assert (homes.consent_granted, homes.consent_refused, homes.consent_unanswered) == (1, 1, 0)
    assert [home.place for home in view.without_account] == ["13"]


async def test_meters_that_need_a_look(manager: Viewer, add_home: Any, add_meter: AddMeter) -> None:
    """Never read; silent by its own interval; removed ones are not in service."""
    home = await add_home("13", date(2026, 1, 1))
    read = await Meter.get()
    async with in_transaction() as connection:
        moment = int(NOW.timestamp()) - 40 * 86_400
        await factories.store_readings(
            connection, [time_series.ReadingRow(read.id, moment, 5, 0, moment, moment)]
        )
        await note_condition(connection, [read.id])
    await add_meter(home)
    await add_meter(home, removed_at=NOW - timedelta(days=60))
    await alert(read, AlertKind.NO_DATA)
    view = await overview(manager)
    assert view.meters_in_service == 2
    assert [(one.home.place, one.last_read_at) for one in view.unread] == [("13", None)]
    (silent,) = view.silent
    assert (silent.printed_serial, silent.home.lot) == ("H18CA029620", "104")
    assert silent.last_read_at == NOW.replace(microsecond=0) - timedelta(days=40)


async def test_completeness_counts_the_days_that_should_have_data(
    manager: Viewer, add_home: Any, add_meter: AddMeter
) -> None:
    """Of 30 days up to yesterday: one meter has 12; one that was installed ten days ago should have ten,
    and has them all; one removed before has none to show.
    """
    await consume((await Meter.get()).id, 100, (date(2026, 11, 10), date(2026, 11, 21)))
    home = await add_home("13", date(2026, 1, 1))
    await add_meter(
        home, 10, (date(2026, 11, 12), date(2026, 11, 21)), installed_at=datetime(2026, 11, 12, tzinfo=UTC)
    )
    await add_meter(home, removed_at=datetime(2026, 10, 1, tzinfo=UTC))
    (water,) = (await overview(manager)).completeness
    assert (water.fluid, water.expected_days, water.days_with_data) == (Fluid.COLD_WATER, 40, 22)


@pytest.mark.requirement("CN-01")
async def test_alerts_are_counted_and_own_limits_are_private(
    manager: Viewer, resident: Any, add_home: Any, add_meter: AddMeter
) -> None:
    """Active leaks by level, others by kind; what has ended, and a resident's own limit, is not counted."""
    meter = await Meter.get()
    for level in (1, 2, 3):
        await alert(meter, AlertKind.LEAK, level=level)
    other = await Meter.get(id=await add_meter(await add_home("13")))
    await alert(other, AlertKind.LEAK, level=3)
    await alert(meter, AlertKind.TAMPER)
    await alert(meter, AlertKind.BURST, ended_on=date(2026, 11, 12))
    await alert(meter, AlertKind.OVER_CONSUMPTION, account_id=(await resident()).account_id)
    view = await overview(manager)
    assert view.leaks == {1: 1, 2: 1, 3: 2}
    assert view.alerts == {AlertKind.LEAK: 4, AlertKind.TAMPER: 1}


@pytest.mark.requirement("CN-01", "CN-11")
async def test_outliers_are_of_the_last_month_that_is_over(
    manager: Viewer, add_home: Any, add_meter: AddMeter
) -> None:
    """Among complete months alone: ten times the others, nothing where somebody lives, water where nobody
    does. Days of the month in progress change nothing.
    """
    await consume((await Meter.get()).id, 3_000, OCTOBER)
    for number in range(13, 20):
        await add_meter(await add_home(str(number), date(2026, 1, 1)), 300 + number, OCTOBER)
    await add_meter(await add_home("20", date(2026, 1, 1)), 0, OCTOBER)
    left = await add_home("21", date(2026, 1, 1), date(2026, 9, 1))
    await add_meter(left, 300, OCTOBER)
    gap = await add_meter(await add_home("22"), 9_000, (date(2026, 10, 2), date(2026, 10, 31)))
    await consume(gap, 90_000, (date(2026, 11, 1), date(2026, 11, 21)))
    view = await overview(manager)
    assert view.month == Month(2026, 10)
    assert [(one.home.place, one.kind, one.amount) for one in view.outliers] == [
        ("A · 1 · 2 · 12", OutlierKind.HIGH, 93_000),
        ("21", OutlierKind.USED_WHILE_VACANT, 9_300),
        ("20", OutlierKind.ZERO_WHILE_OCCUPIED, 0),
    ]


async def test_the_first_day_of_march_has_a_window_before_its_month(manager: Viewer) -> None:
    """On 1 March the 30 days reach back to January, the month to compare is February."""
    meter, residence = await Meter.get(), await Residence.get()
    await consume(meter.id, 100, (date(2026, 1, 1), date(2026, 2, 28)))
    march = datetime(2026, 3, 1, 12, tzinfo=UTC)
    view = (await overviews(manager, [residence.id], now=march))[residence.id]
    assert (view.month, view.day) == (Month(2026, 2), date(2026, 3, 1))
    assert [(one.expected_days, one.days_with_data) for one in view.completeness] == [(30, 30)]


async def test_an_overview_is_the_managers_alone(manager: Viewer, stranger: Viewer, resident: Any) -> None:
    """Another manager gets none, as of a residence that does not exist; a resident may not ask."""
    number = (await Residence.get()).id
    assert await overviews(stranger, [number], now=NOW) == {}
    assert list(await overviews(manager, [number, number + 1], now=NOW)) == [number]
    assert list(await overviews(SYSTEM, [number], now=NOW)) == [number]
    with pytest.raises(Forbidden):
        await overviews(await resident(), [number], now=NOW)


async def test_the_statements_do_not_grow(
    manager: Viewer, add_home: Any, add_meter: AddMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine, whether one dwelling or twenty, one residence or two."""
    first = (await Residence.get()).id
    with watched(monkeypatch) as few:
        await overviews(manager, [first], now=NOW)
    for number in range(20):
        await add_meter(await add_home(f"n{number}", date(2026, 1, 1)), 100, OCTOBER)
    second = await Residence.create(
        operator_id=(await Residence.get()).operator_id,
        code="AA001",
        name="R",
        street="1",
        postcode="1",
        city="C",
    )
    await grant_residence(
        SYSTEM, email="gestion@example.org", operator_code="ocea", residence_code="AA001", now=NOW
    )
    with watched(monkeypatch) as many:
        found = await overviews(manager, [first, second.id], now=NOW)
    assert len(found) == 2
    assert len(few.statements) == len(many.statements) == 9, many.statements
    assert manager.role is Role.MANAGER

"""Retention of consumption: rows that are gone, and the figures that remain (CN-03)."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tortoise.transactions import in_transaction

from core.access import SYSTEM, Permission, Role, Viewer
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.consumption.resolutions import Resolution
from core.errors import Forbidden
from core.models import Account, Dwelling, Meter, Occupancy, Residence, RetentionMark, RetentionRun
from core.models import ManagedResidence as Managed
from core.retention_periods import RetentionPeriods
from core.services.consumption.by_resolution import ConsumptionAsked, consumptions
from core.services.consumption.consumption import daily_series, monthly_series
from core.services.consumption.manager_consumption import MonthsAsked, managed_months
from core.services.operation.retention import purge, retention_runs
from core.services.privacy import series_retention
from core.services.privacy.series_retention import archived_parts, purge_series
from core.services.shared import time_series
from core.services.shared.transaction import current_database
from tests.support import factories
from tests.support.factories import NOW

WATER = Fluid.COLD_WATER
FIRST = date(2019, 1, 1)
TODAY = NOW.date()


async def _days(meter_id: int, first: date, last: date, *, daily: int = 10) -> None:
    count = (last - first).days + 1
    days = [first + timedelta(days=number) for number in range(count)]
    async with in_transaction() as connection:
        rows = [(meter_id, time_series.day_number(day), daily, "M") for day in days]
        await time_series.upsert_days(connection, rows)


async def _rows(table: str) -> list[dict]:
    query = f"SELECT * FROM {table} ORDER BY meter_id, 2"
    return list(map(dict, await current_database().execute_query_dict(query)))


@pytest.fixture
async def claire(application, key_encryption) -> Viewer:
    """Who has lived there since 2019, with a meter that was read every day until today."""
    await factories.residence(
        key_encryption, factories.meter(installed_at=datetime(2018, 6, 1, tzinfo=UTC)), move_in=FIRST
    )
    await _days((await Meter.get()).id, FIRST, TODAY)
    account = await Account.get(email="claire.martin@example.org")
    return Viewer(role=Role.RESIDENT, account_id=account.id)


@pytest.mark.requirement("CN-03")
async def test_no_day_is_older_than_three_years_and_the_months_are_what_they_were(
    application, settings, claire
) -> None:
    """Days of before December 2023 are gone on 22 November 2026; November 2023, which ended less than three
    years ago, has the figure that it had, although no day of it is left; older months can no longer be
    read.
    """
    dwelling = (await Dwelling.get()).id
    november = Month(2023, 11)
    asked = {"first": november, "last": Month(2026, 10), "now": NOW}
    before = await monthly_series(claire, dwelling, WATER, **asked)
    assert before[0].amount == 300
    gone = await purge(settings, now=NOW)
    assert gone["daily volumes"] == (date(2023, 12, 1) - FIRST).days
    days = [row["day"] for row in await _rows("daily_volume")]
    assert min(days) == 20231201 > time_series.day_number(TODAY.replace(year=2023))
    assert await monthly_series(claire, dwelling, WATER, **asked) == before
    (oldest,) = await monthly_series(
        claire, dwelling, WATER, first=Month(2023, 10), last=Month(2023, 10), now=NOW
    )
    assert (oldest.amount, oldest.days_with_data) == (None, 0)
    first, last = date(2023, 11, 1), date(2023, 11, 30)
    points = await daily_series(claire, dwelling, WATER, first=first, last=last, now=NOW)
    assert {point.amount for point in points} == {None}


@pytest.mark.parametrize("resolution", [Resolution.MONTHLY, Resolution.YEARLY])
async def test_series_by_month_and_year_are_the_same_before_and_after(
    application, claire, resolution
) -> None:
    """With days kept for thirteen months: each month and year whose months are all still read, by dwelling
    and by meter.
    """
    dwelling, meter = (await Dwelling.get()).id, (await Meter.get()).id
    asked = [
        ConsumptionAsked(
            resolution, 36 if resolution is Resolution.MONTHLY else 3, fluid=WATER, dwelling_id=dwelling
        ),
        ConsumptionAsked(resolution, 24 if resolution is Resolution.MONTHLY else 2, meter_id=meter),
    ]
    before = await consumptions(claire, asked, now=NOW)
    await purge_series(RetentionPeriods(reading_months=13, daily_months=13), now=NOW)
    after = await consumptions(claire, asked, now=NOW)
    assert min(row["day"] for row in await _rows("daily_volume")) == 20251001
    # November 2023 is the oldest month that is still read; 2023 and 2024 have all their days in months.
    whole = [value for value in before[0].values if value.starts_at.date() >= date(2023, 11, 1)]
    assert [value for value in after[0].values if value.starts_at.date() >= date(2023, 11, 1)] == whole
    assert after[1].values == before[1].values


async def test_a_successor_is_shown_no_part_of_a_month_before_the_move_in(application, claire) -> None:
    """Claire left on 15 November 2023, Paul came on the 16th: of that month, whose days are gone, she reads
    150 litres of 15 days, he 75 of 15, and the manager all 225.
    """
    dwelling, meter = await Dwelling.get(), await Meter.get()
    await _days(meter.id, date(2023, 11, 16), TODAY, daily=5)
    await Occupancy.filter(account_id=claire.account_id).update(move_out=date(2023, 11, 16))
    paul = await factories.account(email="paul@example.org")
    await Occupancy.create(
        dwelling_id=dwelling.id, account_id=paul, kind="TENANT", move_in=date(2023, 11, 16)
    )
    boss = await factories.account(email="boss@example.org", role=Role.MANAGER)
    await Managed.create(account_id=boss, residence=await Residence.get(), granted_at=NOW)
    await purge_series(RetentionPeriods(), now=NOW)
    month = {"first": Month(2023, 11), "last": Month(2023, 11), "now": NOW}
    (hers,) = await monthly_series(claire, dwelling.id, WATER, **month)
    (his,) = await monthly_series(Viewer(role=Role.RESIDENT, account_id=paul), dwelling.id, WATER, **month)
    assert [(one.amount, one.days_with_data, one.complete) for one in (hers, his)] == [
        (150, 15, False),
        (75, 15, False),
    ]
    asked = MonthsAsked(dwelling.id, WATER, Month(2023, 11), Month(2023, 11))
    ((whole,),) = await managed_months(Viewer(role=Role.MANAGER, account_id=boss), [asked], now=NOW)
    assert (whole.amount, whole.complete) == (225, True)


async def test_months_are_archived_for_four_years_and_then_deleted(application, settings, claire) -> None:
    """A month that ended three years ago goes into the archive, which residents and managers have no way
    to; seven years after its end it is deleted.
    """
    meter = (await Meter.get()).id
    await purge(settings, now=NOW)
    archived = (await archived_parts([meter]))[meter]
    assert [archived[0]["first_day"], archived[-1]["last_day"]] == [20191101, 20231031]
    assert [row["first_day"] for row in await _rows("month_volume")] == [20231101]
    later = NOW.replace(year=2029)
    await purge(settings, now=later)
    assert (await archived_parts([meter]))[meter][0]["first_day"] == 20221101


def test_no_service_of_the_api_reads_the_archive() -> None:
    """`archived_month` is in the statements of retention alone, whose one reader takes no viewer."""
    root = Path(series_retention.__file__).resolve().parents[3]
    files = [*root.glob("core/**/*.py"), *root.glob("graphql_schema/**/*.py")]
    read = re.compile(r"(FROM|JOIN|INTO|UPDATE) archived_month")
    assert {path.name for path in files if read.search(path.read_text(encoding="utf-8"))} == {
        "series_retention.py"
    }


async def test_a_run_that_is_killed_goes_on_where_it_was(application, claire, monkeypatch) -> None:
    """The dwelling that was done is not read again, and no day is lost between days and months."""
    monkeypatch.setattr(series_retention, "DWELLINGS_AT_ONCE", 1)
    dwelling = await Dwelling.get()
    other = await Dwelling.create(residence_id=dwelling.residence_id, number="13")
    second = await Meter.create(
        dwelling_id=other.id,
        fluid=WATER,
        vendor="ocea",
        printed_serial="H18CA029621",
        serial_key="H18CA029621",
        radio_address="SAP-21131C36-0C-04",
        installed_at=datetime(2018, 6, 1, tzinfo=UTC),
    )
    await _days(second.id, FIRST, TODAY)
    done: list[int] = []
    work = series_retention._days

    async def counted(connection, meter_ids, border):
        done.extend(meter_ids)
        rows = await work(connection, meter_ids, border)
        if len(done) == 2:
            raise RuntimeError("killed")
        return rows

    monkeypatch.setattr(series_retention, "_days", counted)
    with pytest.raises(RuntimeError, match="killed"):
        await purge_series(RetentionPeriods(), now=NOW)
    every = (TODAY - FIRST).days + 1
    old = (date(2023, 12, 1) - FIRST).days
    assert len(await _rows("daily_volume")) == 2 * every - old, "the second dwelling's were rolled back"
    assert (await purge_series(RetentionPeriods(), now=NOW))["daily volumes"] == old
    assert done == [(await Meter.get(dwelling_id=dwelling.id)).id, second.id, second.id]
    assert (await RetentionMark.get(name="daily volumes")).done
    assert not any((await purge_series(RetentionPeriods(), now=NOW + timedelta(hours=1))).values())
    assert len(done) == 3, "nothing is read again before the border moves"


async def test_what_a_run_deleted_is_listed_for_staff(application, settings, claire) -> None:
    """By the kind of data, with its moment; a run that deletes nothing leaves none; no resident reads
    it.
    """
    gone = await purge(settings, now=NOW)
    await purge(settings, now=NOW + timedelta(hours=1))
    (run,) = (await retention_runs(SYSTEM)).items
    assert run.finished_at == NOW
    assert run.deleted == {kind: count for kind, count in gone.items() if count}
    assert await RetentionRun.all().count() == 1
    assert Viewer(role=Role.STAFF).may(Permission.RETENTION_READ)
    with pytest.raises(Forbidden):
        await retention_runs(claire)


async def test_readings_set_apart_are_deleted_with_the_others(application, settings, claire) -> None:
    """What was outside the time in service is as old as what counts."""
    meter = (await Meter.get()).id
    border = datetime(2024, 12, 1, tzinfo=UTC)
    for at in (border - timedelta(seconds=1), border):
        row = (meter, int(at.timestamp()), 1, 0, 0, 1)
        await current_database().execute_query(
            "INSERT INTO reading_outside_service (meter_id, read_at, index_value, status_bits, received_at,"
            f" telegram_digest) VALUES {row}"
        )
    assert (await purge(settings, now=NOW))["readings set apart"] == 1
    assert [row["read_at"] for row in await _rows("reading_outside_service")] == [int(border.timestamp())]

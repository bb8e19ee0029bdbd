"""Recomputing a fleet: what is right remains, what was damaged is restored, an interruption costs a
batch.
"""

import asyncio
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from core.access import SYSTEM, Role, Viewer
from core.bootstrap import open_application
from core.errors import Forbidden, InvalidInput, NotFound
from core.metering import Registry
from core.models import Dwelling, Meter, Recomputation, Residence
from core.retention_periods import RetentionPeriods
from core.services.operation import recomputation
from core.services.operation.recomputation import Selection, recompute_fleet
from core.services.operation.retention import purge
from core.services.places.key_encryption import KeyEncryption
from core.services.privacy.series_retention import READINGS
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import take_in
from core.services.telegrams.recompute import Recomputed
from core.settings import Settings
from tests.conftest import SECRET_KEY
from tests.support.crash.fleet import START, describe, end_of, homes_of, lines_of
from tests.support.crash.tables import COMPUTED, differences, tables_of

METERS, HOURS = 3, 24 * 36
NOW = end_of(HOURS)
FIRST = START.date()
ALL = {
    **COMPUTED,
    "leak_classifier_state": (
        "SELECT meter_id, settled_s, state, changes FROM leak_classifier_state ORDER BY meter_id"
    ),
    "leak_checkpoint": (
        "SELECT meter_id, settled_s, state, changes FROM leak_checkpoint ORDER BY meter_id, settled_s"
    ),
    "leak_day_flows": "SELECT meter_id, first_day, until_day, flows_lph FROM leak_day_flows ORDER BY 1",
    "judged": "SELECT id, judged_at FROM leak_episode ORDER BY id",
    "outbox_message": "SELECT id, idempotency_key, template FROM outbox_message ORDER BY id",
    "reading": "SELECT * FROM reading ORDER BY meter_id, read_at",
}
NOTHING = Recomputed()
_ROUNDS = 5
_A_BATCH = 36
"""Hours."""


async def tables(which=ALL):
    return await tables_of(current_database(), which)


async def run(*statements: str) -> None:
    for statement in statements:
        await current_database().execute_query(statement)


async def recomputed(application, since: date = FIRST, **options):
    selection = Selection(
        since, **{name: options.pop(name) for name in ("meters", "residence") if name in options}
    )
    return await recompute_fleet(application, SYSTEM, selection, clock=lambda: NOW, **options)


@cache
def lines_by_hour() -> list[list[str]]:
    """The fleet's lines, and those of a day more."""
    return lines_of(homes_of(METERS), HOURS + 24).hours


async def build(settings: Settings, registry: Registry) -> None:
    """Three meters with residents, five weeks of hourly readings, and a leak."""
    hours = lines_by_hour()[:HOURS]
    async with open_application(settings, registry=registry) as application:
        await describe(homes_of(METERS), registry, KeyEncryption.under(SECRET_KEY))
        for hour in range(0, HOURS, _A_BATCH):
            texts = [line for one in hours[hour : hour + _A_BATCH] for line in one]
            await take_in(application, SYSTEM, texts, source="test", now=end_of(hour + _A_BATCH - 1))


@pytest.fixture(scope="module")
def fleet_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, registry) -> Path:
    folder = tmp_path_factory.mktemp("fleet")
    shutil.copyfile(sqlite_template, folder / "fleet.db")
    asyncio.run(build(Settings(folder, f"sqlite:///{folder}/fleet.db", SECRET_KEY), registry))
    return folder / "fleet.db"


@pytest.fixture(scope="module")
def fleet_postgresql(
    postgresql_server, postgresql_template, tmp_path_factory: pytest.TempPathFactory, registry
) -> str:
    name = f"fleet_{uuid.uuid4().hex}"
    postgresql_server.create(name, postgresql_template[1])
    settings = Settings(tmp_path_factory.mktemp("fleet"), postgresql_server.url(name), SECRET_KEY)
    asyncio.run(build(settings, registry))
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A copy of the fleet: taking it in costs more than all that is tested here."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("fleet_sqlite"), tmp_path / "test.db")
        yield f"sqlite:///{tmp_path}/test.db"
        return
    template, server = (
        request.getfixturevalue("fleet_postgresql"),
        request.getfixturevalue("postgresql_server"),
    )
    name = f"test_{uuid.uuid4().hex}"
    server.create(name, template)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def fleet(application):
    """The application with the fleet."""
    return application


@pytest.fixture
def one_by_one(monkeypatch) -> None:
    """A batch is one meter."""
    monkeypatch.setattr(recomputation, "_MOST_METERS", 1)


async def test_what_is_right_is_not_changed(fleet) -> None:
    """Whatever the day: each row is the same, and nobody is notified. No recomputation is left open."""
    before = await tables()
    assert before["leak_episode"]
    assert len(before["leak_checkpoint"]) > len(before["leak_classifier_state"])
    for days in (-1000, 20, 33, 36, 400):
        done = await recomputed(fleet, FIRST + timedelta(days=days))
        assert (done.meters, done.of, done.changed) == (METERS, METERS, NOTHING)
        assert differences(await tables(), before) == {}
    assert await Recomputation.all().count() == 0


DAMAGES = {
    "volumes changed": ["UPDATE daily_volume SET amount = amount + 7 WHERE day % 3 = 0"],
    "volumes gone": ["DELETE FROM daily_volume WHERE day % 2 = 0"],
    "all volumes gone": ["DELETE FROM daily_volume"],
    "volumes of days to come": [
        "INSERT INTO daily_volume (meter_id, day, amount, quality) SELECT id, 20300101, 5, 'M' FROM meter"
    ],
    "qualities changed": ["UPDATE daily_volume SET quality = 'P' WHERE meter_id % 2 = 0"],
    "episodes changed": [
        "UPDATE leak_episode SET level_now = 3, level_max = 3, loss_litres = 1, counted_days = 1"
    ],
    "episodes ended": ["UPDATE leak_episode SET ended_on = '2026-11-20', close_reason = 'NO_FLOW'"],
    "segments gone": ["UPDATE leak_episode SET segments = '[]'"],
    "counts gone": ["UPDATE leak_episode SET counted_days = 0"],
    "leak alerts gone": ["DELETE FROM alert WHERE kind = 'LEAK'"],
    "leak alerts ended": ["UPDATE alert SET ended_on = '2026-11-20' WHERE kind = 'LEAK'"],
    "classifier states changed": [
        "UPDATE leak_classifier_state SET state = (SELECT state FROM leak_checkpoint ORDER BY id LIMIT 1)"
    ],
    "classifier states gone": ["DELETE FROM leak_classifier_state"],
    "classifier states of another time": [
        "UPDATE leak_classifier_state SET settled_s = settled_s - 86400 * 3"
    ],
    "checkpoints changed": [
        "UPDATE leak_checkpoint SET state = (SELECT state FROM leak_checkpoint ORDER BY id LIMIT 1)"
    ],
    "flows of days gone": ["DELETE FROM leak_day_flows"],
    "flows of days changed": ["UPDATE leak_day_flows SET flows_lph = '{}'"],
    "meter states gone": ["DELETE FROM meter_state"],
    "meter states changed": ["UPDATE meter_state SET last_at = last_at - 3600, day_index = day_index + 1"],
}


async def test_what_was_damaged_is_restored(fleet) -> None:
    """The tables are as before, and a second run finds nothing left to do. Nobody is notified twice."""
    before = known = await tables()
    for first in range(_ROUNDS):
        damages = list(DAMAGES)[first::_ROUNDS]  # each of another table
        for damage in damages:
            await run(*DAMAGES[damage])
            damaged = await tables()
            assert differences(damaged, known), damage
            known = damaged
        await recomputed(fleet)
        known = await tables()
        after = {name: rows for name, rows in known.items() if name != "judged"}
        assert differences(after, before) == {}, damages
    assert (await recomputed(fleet)).changed == NOTHING


async def test_checkpoints_that_are_gone_are_made_again(fleet) -> None:
    """One in each month, as many as before; they are where the next recomputation begins."""
    before = await tables()
    await run("DELETE FROM leak_checkpoint")
    await recomputed(fleet)
    after = await tables()
    assert len(after["leak_checkpoint"]) == len(before["leak_checkpoint"])
    assert differences(after | {"leak_checkpoint": before["leak_checkpoint"]}, before) == {}
    assert differences(await tables(), after) == {}


async def test_an_episode_that_is_gone_is_found_again_with_its_alert(fleet) -> None:
    """As another row, so its alert has another key; one that no reading shows is withdrawn."""
    columns = {
        name: COMPUTED[name].replace("a.alert_key, ", "").replace("a.alert_key", "2, 5, 6")
        for name in ("leak_episode", "alert")
    }
    before = await tables(columns)
    await run(
        "DELETE FROM leak_episode",
        "INSERT INTO leak_episode (meter_id, started_on, level_at_opening, level_now, level_max,"
        " over_range, q_min_at_opening_lph, counted_days, segments, detected_at, judged_at)"
        " SELECT id, '2026-11-10', 1, 1, 1, FALSE, 5, 0, '[]',"
        " '2026-11-11 00:00:00+00:00', '2026-11-11 00:00:00+00:00' FROM meter"
        " WHERE fluid <> 'HEAT' ORDER BY id LIMIT 2",
    )
    done = await recomputed(fleet)
    assert done.changed.alerts > 0
    assert differences(await tables(columns), before) == {}


async def test_only_what_follows_from_the_day_is_recomputed(fleet) -> None:
    """A volume of before remains as it is stored; what a reading on either side bears on is the day's."""
    before = await tables()
    await run("UPDATE daily_volume SET amount = amount + 7 WHERE day IN (20261110, 20261125)")
    done = await recomputed(fleet, date(2026, 11, 20))
    assert done.changed == Recomputed(days=METERS)
    wrong = differences({"daily_volume": (await tables())["daily_volume"]}, before)
    assert {row[1] for row in wrong["daily_volume"]} == {"20261110"}


class Killed(Exception):
    """The process ends."""


async def killed_after(fleet, batches: int, **options) -> None:
    calls = []

    def until(_progress) -> None:
        calls.append(_progress)
        if len(calls) == batches + 1:  # the first call is the beginning
            raise Killed

    with pytest.raises(Killed):
        await recomputed(fleet, progress=until, **options)


@pytest.mark.parametrize("batches", [0, 1, 2])
async def test_a_run_that_was_killed_goes_on_where_it_was(fleet, one_by_one, batches) -> None:
    """What was done is not done again, the rest is; the summary counts both."""
    before = await tables()
    await run("DELETE FROM daily_volume")
    await killed_after(fleet, batches)
    reached = batches
    assert (await Recomputation.get()).meters == reached
    marked = "UPDATE daily_volume SET amount = amount + 1"
    await run(marked)
    seen = []
    done = await recomputed(fleet, progress=seen.append)
    assert [one.meters for one in seen] == [*range(reached, METERS), METERS]
    assert (done.meters, done.changed.days) == (METERS, len(before["daily_volume"]))
    wrong = {row[0] for row in set((await tables())["daily_volume"]) - set(before["daily_volume"])}
    ids = sorted(await Meter.all().values_list("id", flat=True))
    assert wrong == {str(meter_id) for meter_id in ids[:reached]}


async def test_anew_begins_at_the_first_meter(fleet, one_by_one) -> None:
    """Though a run that was killed had done with it."""
    before = await tables()
    await run("DELETE FROM daily_volume")
    await killed_after(fleet, 1)
    await run("UPDATE daily_volume SET amount = amount + 1")
    assert (await recomputed(fleet, anew=True)).meters == METERS
    assert differences(await tables(), before) == {}


async def test_a_batch_that_fails_leaves_nothing_behind(fleet, one_by_one, monkeypatch) -> None:
    """It is one transaction with the note of how far the work is: both are as after the batch before."""
    await run("DELETE FROM daily_volume")
    await killed_after(fleet, 1)
    before, work = await tables(), recomputation.recompute_meters

    async def interrupted(*arguments, **options):
        await work(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(recomputation, "recompute_meters", interrupted)
        with pytest.raises(Killed):
            await recomputed(fleet)
    assert differences(await tables(), before) == {}
    assert (await Recomputation.get()).meters == 1


async def test_another_selection_is_another_run(fleet, one_by_one) -> None:
    """A run for some meters neither goes on with that for all, nor ends it."""
    await killed_after(fleet, 2)
    address = (await Meter.all().order_by("id").first()).radio_address
    assert (await recomputed(fleet, meters=[address])).meters == 1
    assert (await Recomputation.get()).meters == 2


async def test_meters_and_residences_are_chosen(fleet) -> None:
    """By any of their addresses, and by operator and code; the others are left as they are."""
    residence = await Residence.get()
    other = await Residence.create(
        operator_id=residence.operator_id, code="BB000", name="R", street="1", postcode="1", city="C"
    )
    moved = await Dwelling.create(id=1_000, residence_id=other.id, number="1")
    first, *_, last = await Meter.all().order_by("id")
    await Meter.filter(id=last.id).update(dwelling_id=moved.id)
    both = [first.radio_address, last.radio_address]
    for options, ids in (
        ({"meters": [last.radio_address.lower()]}, {last.id}),
        ({"meters": both}, {first.id, last.id}),
        ({"residence": ("ocea", "BB000")}, {last.id}),
        ({"residence": ("ocea", "AA000"), "meters": both}, {first.id}),
    ):
        before = await tables()
        await run("UPDATE daily_volume SET amount = amount + 1")
        done = await recomputed(fleet, **options)
        right = {row[0] for row in set((await tables())["daily_volume"]) & set(before["daily_volume"])}
        assert right == {str(meter_id) for meter_id in ids}
        assert done.meters == len(ids)
        for other in await Meter.exclude(id__in=ids):
            await run(f"UPDATE daily_volume SET amount = amount - 1 WHERE meter_id = {other.id}")
        assert differences({"daily_volume": (await tables())["daily_volume"]}, before) == {}


async def test_readings_may_arrive_meanwhile(fleet, one_by_one, application) -> None:
    """Between batches and beside them: the tables are those of the readings, as if nothing was
    recomputed.
    """
    more = lines_by_hour()[HOURS:]
    await run("DELETE FROM daily_volume WHERE day < 20261201")
    later = end_of(HOURS + 24)

    async def received() -> None:
        for texts in more:
            await take_in(application, SYSTEM, texts, source="test", now=later)

    await asyncio.gather(received(), recompute_fleet(fleet, SYSTEM, Selection(FIRST), clock=lambda: later))
    before = await tables(COMPUTED)
    done = await recompute_fleet(fleet, SYSTEM, Selection(FIRST), clock=lambda: later)
    assert done.changed == NOTHING
    assert differences(await tables(COMPUTED), before) == {}
    (row,) = await current_database().execute_query_dict("SELECT COUNT(*) AS readings FROM reading")
    assert row["readings"] == METERS * (HOURS + 24)


async def test_days_whose_readings_are_past_their_retention_remain(fleet, settings) -> None:
    """Their volumes and the leaks of that time cannot be made anew, and are left as they are; nobody gets a
    correction. What the readings that are left show is restored.
    """
    before = await tables()
    gone = await purge(
        replace(settings, retention=RetentionPeriods(reading_months=1)), now=datetime(2027, 1, 5, tzinfo=UTC)
    )
    assert gone[READINGS]
    left = await tables({"reading": ALL["reading"]})
    assert 0 < len(left["reading"]) < len(before["reading"])
    for since in (date(2020, 1, 1), date(2026, 12, 1), date(2026, 12, 2), date(2026, 12, 6)):
        done = await recomputed(fleet, since)
        assert done.changed == NOTHING, since
        after = await tables()
        for other in ("reading", "outbox_message"):
            after[other] = before[other]
        assert differences(after, before) == {}, since
        await run("UPDATE daily_volume SET amount = 0 WHERE day >= 20261207")
        assert (await recomputed(fleet, since)).changed.days
        assert (await tables(COMPUTED))["daily_volume"] == before["daily_volume"]


async def test_what_is_named_must_exist(application) -> None:
    """A meter that is not registered, an address that is none, a residence of another operator."""
    for options, error, field in (
        ({"meters": ["SAP-00000001-00-07"]}, NotFound, "meters"),
        ({"meters": ["SAP"]}, InvalidInput, "meters"),
        ({"residence": ("ocea", "none")}, NotFound, "residence"),
    ):
        with pytest.raises(error) as refused:
            await recomputed(application, **options)
        assert refused.value.field == field
    assert await Recomputation.all().count() == 0


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.GATEWAY, Role.MANAGER])
async def test_only_the_command_line_recomputes(application, role) -> None:
    """Nobody else may."""
    viewer = Viewer(role=role, account_id=1, operator_id=1)
    with pytest.raises(Forbidden):
        await recompute_fleet(application, viewer, Selection(FIRST), clock=lambda: NOW)

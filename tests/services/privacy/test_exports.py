"""A person's archive: everything that is kept of the person, of the own occupancy alone, fetched by its
owner.
"""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zipfile import ZipFile

import pytest

from core.access import NOBODY, SYSTEM, Act, Role, Viewer
from core.access.purposes import ExportState
from core.errors import Conflict, Forbidden, LinkInvalid, NotFound
from core.models import Account, DataExport, DataExportPart, Dwelling, Occupancy, Session
from core.services.auth.download_links import open_link
from core.services.operation.retention import purge
from core.services.privacy import archives, exports
from core.services.privacy.exports import (
    KEPT_FOR,
    StreamedFile,
    export_of_link,
    link_of_export,
    make_exports,
    my_exports,
    request_export,
)
from core.services.privacy.personal_tables import NOT_EXPORTED, OF_ACCOUNT, OF_HOME, SERIES
from core.services.shared.audit import acts_on
from core.services.shared.transaction import current_database
from tests.services.privacy.conftest import READ_SINCE_SEPTEMBER
from tests.support import factories
from tests.support.factories import NOW
from tests.support.servers.prepared import prepared_for

LEFT = date(2026, 11, 1)


prepared = prepared_for("claire", READ_SINCE_SEPTEMBER)


@pytest.fixture
async def claire(application) -> Viewer:
    """She has left on 1 November; Paul lives there since; the meter was read before, between and after."""
    account = await Account.get(email="claire.martin@example.org")
    await Occupancy.filter(account_id=account.id).update(move_out=LEFT)
    paul = await factories.account(email="paul@example.org", first_name="=Paul")
    await Occupancy.create(dwelling=await Dwelling.get(), account_id=paul, kind="TENANT", move_in=LEFT)
    session = await Session.create(
        account_id=account.id, token_hash="s", created_at=NOW, expires_at=NOW + timedelta(days=30)
    )
    return Viewer(
        role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id, session_id=session.id
    )


async def _fetched(application, viewer: Viewer, now: datetime = NOW) -> tuple[ZipFile, StreamedFile]:
    (view,) = [one for one in await my_exports(viewer, now=now) if one.state is ExportState.READY]
    link = await link_of_export(application, viewer, view.id, now=now)
    assert link is not None
    file = await export_of_link(await open_link(application, link, None, now=now), now=now)
    content = b"".join([part async for part in file.parts])
    assert len(content) == file.size_bytes == view.size_bytes
    return ZipFile(io.BytesIO(content)), file


async def _tables() -> set[str]:
    database = current_database()
    if database.capabilities.dialect == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    else:
        query = (
            "SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
            " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        )
    return {row["name"] for row in await database.execute_query_dict(query)} - {"tortoise_migrations"}


@pytest.mark.requirement("CN-09")
async def test_every_table_is_in_the_archive_or_has_its_reason(application) -> None:
    """Walks all tables of the database: a new one needs a decision, and what is left out says why."""
    exported = OF_ACCOUNT.keys() | OF_HOME.keys() | SERIES.keys()
    assert exported & NOT_EXPORTED.keys() == set()
    assert exported | NOT_EXPORTED.keys() == await _tables()
    assert all(len(reason) > 20 for reason in NOT_EXPORTED.values())


@pytest.mark.requirement("CN-09")
async def test_the_archive_has_every_table_twice_and_the_own_days_alone(
    application, claire, posted: Callable
) -> None:
    """JSON and CSV of each table with the same rows; readings of Claire's October alone, none of before she
    came or of Paul's; her account, and nothing of his; no hash and no key; an e-mail says that it is ready.
    """
    await request_export(claire, visitor=NOBODY, now=NOW)
    assert await make_exports(application, now=NOW) == 1
    archive, file = await _fetched(application, claire)
    assert archive.testzip() is None
    assert file.name == "submeter-2026-11-22.zip"
    tables = {*OF_ACCOUNT, *OF_HOME, *SERIES}
    assert set(archive.namelist()) == {
        "README.txt",
        *(f"json/{table}.json" for table in tables),
        *(f"csv/{table}.csv" for table in tables),
    }
    rows = {table: json.loads(archive.read(f"json/{table}.json")) for table in tables}
    for table in tables:
        listed = list(csv.DictReader(io.StringIO(archive.read(f"csv/{table}.csv").decode(), newline="")))
        assert len(listed) == len(rows[table]), table
        assert not rows[table] or list(listed[0]) == list(rows[table][0]), table
        assert not {"password_hash", "token_hash", "second_factor_encrypted"} & set().union(*rows[table])
    (account,) = rows["account"]
    assert (account["email"], account["first_name"]) == ("claire.martin@example.org", "Claire")
    days = [row["day"] for row in rows["daily_volume"]]
    assert (min(days), max(days)) == (20261001, 20261031)
    assert len(days) == 31
    read = [datetime.fromtimestamp(row["read_at"], UTC) for row in rows["reading"]]
    assert len(read) == 31 * 24 + 1, "an October of summer time's end, in Paris"
    assert min(read) == datetime(2026, 9, 30, 22, tzinfo=UTC)
    assert [row["move_in"] for row in rows["occupancy"]] == ["2026-10-01"]
    leaks = {(row["started_on"], row["ended_on"], row["loss_litres"]) for row in rows["leak_episode"]}
    assert leaks == {("2026-10-01", None, None)}, "it ran before she came, and after she had left"
    assert {row["started_on"] for row in rows["alert"]} == {"2026-10-01"}
    assert "paul@example.org" not in str(rows)
    readme = archive.read("README.txt").decode()
    assert "VOS DONNÉES" in readme
    assert "YOUR DATA" in readme
    assert all(reason in readme for reason in NOT_EXPORTED.values())
    (message,) = await posted("data_export_ready")
    assert (NOW + KEPT_FOR).date().isoformat() in str(message)


async def test_a_long_series_is_read_in_pages_and_kept_in_parts(application, claire, monkeypatch) -> None:
    """With pages of ten rows and parts of 2 KB the archive is the same, and no part is much larger."""
    monkeypatch.setattr(archives, "PAGE_ROWS", 10)
    monkeypatch.setattr(archives, "PART_BYTES", 2_048)
    await request_export(claire, visitor=NOBODY, now=NOW)
    await make_exports(application, now=NOW)
    sizes = [len(part.content) for part in await DataExportPart.all().order_by("number")]
    assert len(sizes) >= 3
    assert max(sizes) < 2 * 2_048 + 70_000, "zlib hands its output on in blocks"
    archive, _ = await _fetched(application, claire)
    readings = json.loads(archive.read("json/reading.json"))
    assert len({row["read_at"] for row in readings}) == len(readings) == 745


async def test_a_cell_is_no_formula(application, claire, monkeypatch) -> None:
    """What a spreadsheet would run is quoted in CSV, and as it is in JSON."""
    await Account.filter(id=claire.account_id).update(first_name="=1+1")
    await request_export(claire, visitor=NOBODY, now=NOW)
    await make_exports(application, now=NOW)
    archive, _ = await _fetched(application, claire)
    (row,) = csv.DictReader(io.StringIO(archive.read("csv/account.csv").decode()))
    assert row["first_name"] == "'=1+1"
    assert json.loads(archive.read("json/account.json"))[0]["first_name"] == "=1+1"


async def test_an_archive_expires_with_its_parts(application, settings, claire) -> None:
    """After a week there is no link and no part; a link of before opens nothing; one may ask again."""
    await request_export(claire, visitor=NOBODY, now=NOW)
    await make_exports(application, now=NOW)
    (view,) = await my_exports(claire, now=NOW)
    late = NOW + KEPT_FOR
    link = await link_of_export(application, claire, view.id, now=late - timedelta(minutes=1))
    opened = await open_link(application, link, None, now=late - timedelta(seconds=30))
    with pytest.raises(LinkInvalid):
        await export_of_link(opened, now=late)
    with pytest.raises(NotFound):
        await link_of_export(application, claire, view.id, now=late)
    assert await my_exports(claire, now=late) == []
    assert (await purge(settings, now=late))["archives"] == 1
    assert await DataExportPart.all().count() == 0
    await request_export(claire, visitor=NOBODY, now=late)


async def test_an_archive_is_its_owners(application, claire) -> None:
    """Paul finds no such archive, a manager may ask for none; and there is one at a time."""
    await request_export(claire, visitor=NOBODY, now=NOW)
    with pytest.raises(Conflict):
        await request_export(claire, visitor=NOBODY, now=NOW)
    await make_exports(application, now=NOW)
    (view,) = await my_exports(claire, now=NOW)
    paul = Viewer(role=Role.RESIDENT, account_id=(await Account.get(email="paul@example.org")).id)
    with pytest.raises(NotFound):
        await link_of_export(application, paul, view.id, now=NOW)
    with pytest.raises(Forbidden):
        await request_export(Viewer(role=Role.MANAGER, account_id=paul.account_id), visitor=NOBODY, now=NOW)
    await _fetched(application, claire)
    asked = await acts_on(SYSTEM, act=Act.DATA_EXPORT_REQUESTED)
    fetched = await acts_on(SYSTEM, act=Act.DATA_EXPORTED)
    assert [one.actor_id for one in (*asked, *fetched)] == [claire.account_id] * 2


async def test_a_worker_that_is_killed_leaves_the_archive_to_the_next(
    application, claire, monkeypatch
) -> None:
    """Half an archive is made anew once the claim has ended, and its first half is gone; after three tries
    it has failed, and says so.
    """
    await request_export(claire, visitor=NOBODY, now=NOW)
    whole = exports.archive_of

    async def killed(viewer, *, now):
        async for part in whole(viewer, now=now):
            yield part
            raise RuntimeError("killed")

    monkeypatch.setattr(exports, "archive_of", killed)
    with pytest.raises(RuntimeError, match="killed"):
        await make_exports(application, now=NOW)
    assert await DataExportPart.all().count() == 1
    monkeypatch.setattr(exports, "archive_of", whole)
    assert await make_exports(application, now=NOW + timedelta(minutes=29)) == 0, "still claimed"
    assert await make_exports(application, now=NOW + timedelta(minutes=30)) == 1
    archive, _ = await _fetched(application, claire, NOW + timedelta(hours=1))
    assert archive.testzip() is None
    await DataExport.all().delete()
    await request_export(claire, visitor=NOBODY, now=NOW)
    monkeypatch.setattr(exports, "archive_of", killed)
    for tries in range(3):
        with pytest.raises(RuntimeError, match="killed"):
            await make_exports(application, now=NOW + timedelta(hours=tries))
    assert await make_exports(application, now=NOW + timedelta(hours=4)) == 0
    assert (await DataExport.get()).state is ExportState.FAILED

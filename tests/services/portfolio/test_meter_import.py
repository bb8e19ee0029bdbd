"""Importing a list of meters: as if line by line, in a number of statements that does not grow."""

import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from tortoise.transactions import in_transaction

from core.access import SYSTEM, Act, Role, Viewer
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, SubmeterError
from core.models import AuditRecord, Dwelling, MessageCounter, Meter, MeterAlias, MeterKey
from core.services.places.meter_directory import meters_by_address
from core.services.portfolio import meter_import
from core.services.portfolio.descriptions import DwellingSpec, ResidenceSpec
from core.services.portfolio.meter_import import LineRefused, MeterLine, check_list, import_list
from core.services.portfolio.portfolio import upsert_meter, upsert_residence
from core.services.shared.transaction import current_database
from tests.support import factories
from tests.support.attack import watched

RESIDENCES = ("AA000", "AA001")
TABLES = (
    "SELECT residence_id, building, staircase, floor, number, lot FROM dwelling ORDER BY 1, 2, 3, 4, 5",
    (
        "SELECT d.residence_id, d.number, m.radio_address, m.fluid, m.printed_serial, m.serial_key,"
        " m.register_step, m.register_capacity, m.location, m.installed_at, m.removed_at"
        " FROM meter m JOIN dwelling d ON d.id = m.dwelling_id ORDER BY m.radio_address"
    ),
    (
        "SELECT m.radio_address, COUNT(*) AS keys FROM meter_key k JOIN meter m ON m.id = k.meter_id"
        " GROUP BY m.radio_address ORDER BY m.radio_address"
    ),
    (
        "SELECT m.radio_address AS meter, a.radio_address, a.serial_key, a.encrypted, a.added_at"
        " FROM meter_alias a JOIN meter m ON m.id = a.meter_id ORDER BY a.radio_address"
    ),
    "SELECT at, act, role, actor_id, subject, address FROM audit_record ORDER BY id",
)


def address(number: int) -> str:
    return f"SAP-{number:08d}-0C-04"


def line(place=2, *, residence="AA000", number="1", keep_removal=False, **changed):
    """A line of a list; `changed` of its meter."""
    meter = replace(factories.meter(), **changed)
    dwelling = DwellingSpec(number=number, building="A", meters=[meter])
    return MeterLine(place, factories.OPERATOR, residence, lambda _zone: dwelling, keep_removal)


def lines_of(meters: int, *, first: int = 0) -> list[MeterLine]:
    """Lines of a list whose meters each have a key and an alias, four in a dwelling."""
    return [
        line(
            at + 2,
            number=str(at // 4),
            radio_address=address(at),
            key=at.to_bytes(16, "big"),
            aliases=[address(at + 10_000_000)],
        )
        for at in range(first, first + meters)
    ]


async def imported(application, lines, *, now=factories.NOW) -> int:
    return await import_list(application, SYSTEM, await check_list(SYSTEM, lines), now=now)


async def tables():
    database = current_database()
    return [
        [tuple(map(str, dict(row).values())) for row in await database.execute_query_dict(one)]
        for one in TABLES
    ]


async def version() -> int:
    (row,) = await current_database().execute_query_dict(
        "SELECT version FROM directory_version WHERE topic = 'METERS'"
    )
    return int(row["version"])


@pytest.fixture
async def residences(application, key_encryption):
    """Two residences without dwellings."""
    spec = ResidenceSpec(factories.OPERATOR, "OCEA", "", "R", "1 rue", "1", "C")
    for code in RESIDENCES:
        described = replace(spec, code=code)
        await upsert_residence(SYSTEM, described, key_encryption=key_encryption, now=factories.NOW)
    return application


async def test_the_statements_do_not_grow_with_the_meters(residences, monkeypatch) -> None:
    """500 meters with their dwellings, keys and aliases take as many statements as 50: new ones and known."""
    copied = []
    copy = asyncpg.Connection.copy_records_to_table

    async def counting(self, *args, **kwargs):
        copied.append(args)
        return await copy(self, *args, **kwargs)

    monkeypatch.setattr(asyncpg.Connection, "copy_records_to_table", counting)
    counts = []
    for first, meters in ((0, 50), (1_000, 500)):
        for again in range(2):
            with watched(monkeypatch) as work:
                copied.clear()
                await imported(residences, lines_of(meters, first=first))
                counts.append((again, len(work.statements) + len(copied)))
    few, few_again, many, many_again = counts
    assert (many, many_again) == (few, few_again)
    assert few[1] <= 30
    assert few_again[1] <= 20
    assert await Meter.all().count() == await MeterKey.all().count() == await MeterAlias.all().count() == 550


async def test_a_list_again_changes_nothing(residences, key_encryption) -> None:
    """No row is written, so what workers hold in memory remains; a changed line is one change."""
    await imported(residences, lines_of(9))
    before, known = await version(), await tables()
    await imported(residences, lines_of(9), now=factories.NOW + timedelta(days=1))
    assert (await version(), await tables()) == (before, known)
    moved = [*lines_of(8), line(10, number="2", radio_address=address(8), location="cellar")]
    await imported(residences, moved)
    assert await version() > before
    assert (await Meter.get(radio_address=address(8))).location == "cellar"
    found = await meters_by_address(SYSTEM, [address(3)], key_encryption=key_encryption)
    assert found[address(3)].keys == (bytes(15) + b"\x03",)


def random_line(chance: random.Random, place: int) -> MeterLine:
    """A line from few dwellings, meters and aliases, so that they meet; some at fault."""
    return line(
        place,
        residence=chance.choice((*RESIDENCES, *RESIDENCES, *RESIDENCES, "none")),
        number=chance.choice(("1", "2", "2", "3" if chance.random() < 0.8 else "9" * 17)),
        keep_removal=chance.random() < 0.3,
        radio_address=chance.choice((address(chance.randrange(6)), address(1).lower(), "no address")),
        printed_serial=chance.choice(("H18CA029620", "12345678", "a\0b" if chance.random() < 0.1 else "1")),
        key=chance.choice((None, bytes(16), bytes(8), b"\1" * 16)),
        aliases=[address(chance.choice((4, 5, 20, 21))) for _ in range(chance.randrange(3))],
        removed_at=chance.choice((None, datetime(2026, 1, 1, tzinfo=UTC))),
        location=chance.choice(("", "kitchen")),
    )


class _Undo(Exception):
    """Rolls back what went line by line."""


@pytest.mark.parametrize("seed", range(12))
async def test_a_list_has_the_effect_of_its_lines_one_by_one(
    residences, key_encryption, monkeypatch, seed
) -> None:
    """The same rows; the first line at fault is the same, for the same reason. A list with a fault changes
    nothing; without its faults it is the same as the lines that one by one are accepted.
    """
    chance = random.Random(seed)
    monkeypatch.setattr(meter_import, "LINES_A_TRANSACTION", chance.choice((1, 3, 7, 1000)))
    lines = [random_line(chance, place) for place in range(2, 42)]
    accepted, faults, expected = [], [], []
    with suppress(_Undo):
        async with in_transaction():
            for one in lines:
                try:
                    spec = one.describe(None)
                    await upsert_meter(
                        SYSTEM,
                        residence_code=one.residence_code,
                        operator_code=one.operator_code,
                        dwelling=spec,
                        meter=spec.meters[0],
                        keep_removal=one.keep_removal,
                        key_encryption=key_encryption,
                        now=factories.NOW,
                    )
                    accepted.append(one)
                except SubmeterError as failure:
                    faults.append((one.place, failure.code, failure.field, failure.message))
            expected = await tables()
            raise _Undo
    empty = await tables()
    assert faults
    with pytest.raises(LineRefused) as refused:
        await imported(residences, lines)
    cause = refused.value.cause
    assert (refused.value.place, cause.code, cause.field, cause.message) == faults[0]
    assert await tables() == empty
    await imported(residences, accepted)
    assert await tables() == expected


@pytest.mark.parametrize(
    ("second", "error", "field"),
    [
        ({"radio_address": address(1), "number": "2"}, Conflict, "radio_address"),
        ({"radio_address": address(9)}, Conflict, "radio_address"),
        ({"radio_address": address(2), "aliases": [address(9)]}, Conflict, "alias"),
        ({"radio_address": address(2), "aliases": [address(1)]}, Conflict, "alias"),
        ({"radio_address": address(2), "aliases": [address(2)]}, Conflict, "alias"),
        ({"radio_address": address(2), "aliases": ["SAP"]}, InvalidInput, "radio_address"),
        ({"radio_address": address(2), "key": bytes(7)}, InvalidInput, "key"),
        ({"radio_address": address(2), "register_step": 0}, InvalidInput, "register_step"),
        ({"radio_address": address(2), "location": "a\0b"}, InvalidInput, "location"),
        ({"radio_address": address(2), "location": "9" * 81}, InvalidInput, None),
        ({"radio_address": address(2), "number": "9" * 17}, InvalidInput, None),
        ({"radio_address": address(2), "number": "9\0"}, InvalidInput, "number"),
        ({"radio_address": address(2), "residence": "ZZ999"}, NotFound, "residence"),
        ({"radio_address": address(2), "residence": "Z" * 17}, NotFound, "residence"),
        ({"radio_address": address(2), "residence": "Z\0"}, NotFound, "residence"),
    ],
)
@pytest.mark.parametrize("stored", [False, True], ids=["in the file", "stored"])
async def test_what_contradicts_an_earlier_line_or_what_is_stored_is_refused(
    residences, second, error, field, stored
) -> None:
    """The line is named, with the field, and nothing of the list is written."""
    first = line(2, radio_address=address(1), aliases=[address(9)])
    if stored:
        await imported(residences, [first])
    before = await tables()
    with pytest.raises(LineRefused) as refused:
        await imported(residences, [first, line(3, radio_address=address(5)), line(4, **second)])
    assert (refused.value.place, refused.value.field) == (4, field)
    assert isinstance(refused.value.cause, error)
    assert await tables() == before


async def test_a_line_beyond_one_transaction_is_checked_before_the_first_is_written(
    residences, monkeypatch
) -> None:
    """A fault in the last of many transactions leaves none of them behind."""
    monkeypatch.setattr(meter_import, "LINES_A_TRANSACTION", 2)
    good = lines_of(9)
    bad = line(11, number="77", radio_address=address(0))
    with pytest.raises(LineRefused) as refused:
        await imported(residences, [*good, bad])
    assert refused.value.place == 11
    assert await Meter.all().count() == await Dwelling.all().count() == 0


async def test_an_interrupted_import_goes_on_where_it_was(residences, monkeypatch) -> None:
    """What was committed before remains, and the same list adds the rest."""
    monkeypatch.setattr(meter_import, "LINES_A_TRANSACTION", 4)
    done = []

    class Killed(Exception):
        pass

    def until(lines: int) -> None:
        done.append(lines)
        if sum(done) == 8:
            raise Killed

    checked = await check_list(SYSTEM, lines_of(10))
    with pytest.raises(Killed):
        await import_list(residences, SYSTEM, checked, now=factories.NOW, progress=until)
    assert await Meter.all().count() == 8
    await imported(residences, lines_of(10))
    assert await Meter.all().count() == await MeterKey.all().count() == await MeterAlias.all().count() == 10
    assert await AuditRecord.filter(act=Act.METER_ALIAS_ADDED).count() == 10


async def test_a_new_key_resets_the_counter_of_its_meter_alone(residences) -> None:
    """Of two meters with counted messages, the one whose key is known keeps its newest message."""
    await imported(residences, lines_of(2))
    for row in await Meter.all():
        await MessageCounter.create(
            meter_id=row.id, radio_address=row.radio_address, counter=7, received_at=factories.NOW
        )
    again = lines_of(2)
    again[1] = line(3, number="0", radio_address=address(1), key=b"\xaa" * 16)
    await imported(residences, again)
    (left,) = await MessageCounter.all()
    assert left.radio_address == address(0)
    assert await MeterKey.all().count() == 3


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.GATEWAY, Role.MANAGER])
async def test_only_the_command_line_imports(application, role) -> None:
    """Neither check nor import is anybody else's."""
    viewer = Viewer(role=role, account_id=1, operator_id=1)
    with pytest.raises(Forbidden):
        await check_list(viewer, [])
    with pytest.raises(Forbidden):
        await import_list(application, viewer, [], now=factories.NOW)

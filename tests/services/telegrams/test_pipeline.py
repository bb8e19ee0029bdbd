"""The pipeline of telegrams: the outcome of gateway lines."""

import asyncio
import json
import logging
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.access import SYSTEM, Role, Viewer
from core.errors import Forbidden
from core.models import DeadLetter, TelegramState
from core.services.auth.sessions import viewer_of_token
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.gateways import issue_gateway_key
from core.services.portfolio.portfolio import upsert_operator
from core.services.telegrams import pipeline
from core.services.telegrams.pipeline import count_dead_letters, replay, take_in
from submeter.simulator.records import crc16
from tests.support import factories

AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
KEY_A = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
KEY_B = bytes.fromhex("FEDCBA9876543210FEDCBA9876543210")
EVERYTHING = (
    *("reading", "daily_volume"),
    *("outbox_message", "alert", "leak_episode", "dead_letter"),
)


def format_a(telegram):
    """With the link layer's checksums: after ten bytes, then after every sixteen (EN 13757-4)."""
    blocks = [telegram[:10]] + [telegram[at : at + 16] for at in range(10, len(telegram), 16)]
    return b"".join(block + crc16(block).to_bytes(2, "big") for block in blocks)


def amber(telegram):
    frame = bytes((0xFF, 0x03, len(telegram))) + telegram[1:] + b"\x60"
    check = 0
    for byte in frame:
        check ^= byte
    return frame + bytes((check,))


SHAPES = {
    "hexadecimal": lambda telegram: telegram.hex(),
    "upper case, spaced": lambda telegram: telegram.hex(" ").upper(),
    "simulation": lambda telegram: f"telegram=|{telegram.hex()}|",
    "simulation with a delay": lambda telegram: f"telegram=|{telegram.hex()}|+7",
    "rtl_wmbus": lambda telegram: f"T1;1;1;2026-11-20 06:00:00.000;97;148;0;0x{telegram.hex()}",
    "wmbusmeters": lambda telegram: json.dumps({"telegram": telegram.hex(), "timestamp": AT.isoformat()}),
    "rtl_433": lambda telegram: json.dumps(
        {"model": "Wireless-MBus", "data": telegram.hex(), "mic": "CRC", "time": "2026-11-20 06:00:00"}
    ),
    "culfw": lambda telegram: f"b{format_a(telegram).hex()}8A1B".upper().replace("B", "b", 1),
    "iM871A": lambda telegram: (bytes((0xA5, 0x02, 0x03, telegram[0])) + telegram[1:]).hex(),
    "AMB8465": lambda telegram: amber(telegram).hex(),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_every_shape_of_line_becomes_a_reading(
    application, key_encryption, now, izar, received, shape
) -> None:
    """In each format of a gateway, the same telegram is the same reading, at the line's time or else now."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    line = SHAPES[shape](izar.telegram(4711))
    summary = await take_in(application, SYSTEM, [line], source="test", now=now)
    assert (summary.lines, summary.stored, summary.unusable) == (1, 1, {})
    ((_, read_at, index, status, received_at),) = await received()
    own_moment = shape in {"rtl_wmbus", "wmbusmeters", "rtl_433"}
    assert read_at == int((AT if own_moment else now).timestamp())
    assert (index, status, received_at) == (4711, 0, int(now.timestamp()))


async def test_blank_lines_and_comments_are_not_counted(application, now) -> None:
    """An empty line and a comment are neither readings nor dead letters."""
    summary = await take_in(application, SYSTEM, ["", "  \n", "# a comment"], source="test", now=now)
    assert (summary.lines, await count_dead_letters(SYSTEM)) == (0, 0)


async def test_the_same_line_is_stored_once(application, key_encryption, now, izar, tables) -> None:
    """In one batch, across batches, in one file twice: a duplicate is counted and stored nowhere."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    line = izar.line(5, AT)
    first = await take_in(application, SYSTEM, [line, line], source="test", now=now)
    assert (first.stored, first.duplicates) == (1, 1)
    again = await take_in(application, SYSTEM, [line], source="test", now=now)
    assert (again.stored, again.duplicates, len((await tables())["reading"])) == (0, 1, 1)


@pytest.mark.parametrize("together", [True, False])
async def test_two_gateways_that_receive_one_transmission_store_one_reading(
    application, key_encryption, now, izar, tables, together
) -> None:
    """The same bytes seconds apart are one transmission; minutes later they are a reading of their own."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = [
        izar.line(5, AT),
        izar.line(5, AT + timedelta(seconds=9)),
        izar.line(5, AT + timedelta(minutes=6)),
    ]
    for batch in [lines] if together else [[line] for line in lines]:
        await take_in(application, SYSTEM, batch, source="test", now=now)
    assert len((await tables())["reading"]) == 2


async def test_a_line_without_a_time_is_stored_once_however_late_it_is_repeated(
    application, key_encryption, now, izar
) -> None:
    """A file of bare telegrams that is ingested again a week later adds nothing."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    line = izar.telegram(5).hex()
    assert (await take_in(application, SYSTEM, [line], source="test", now=now)).stored == 1
    later = await take_in(application, SYSTEM, [line], source="test", now=now + timedelta(days=7))
    assert (later.stored, later.duplicates) == (0, 1)


async def gateway_of(application, operator, name):
    await upsert_operator(SYSTEM, code=operator, name=operator)
    key = await issue_gateway_key(SYSTEM, operator_code=operator, name=name, now=factories.NOW)
    return await viewer_of_token(application, key, now=factories.NOW)


async def test_a_gateway_submits_for_the_meters_of_its_own_operator_alone(
    application, key_encryption, now, izar, tables
) -> None:
    """For another operator's gateway the meter is unknown; a replay does not store its lines either."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    stranger, own = (
        await gateway_of(application, "ista", "roof"),
        await gateway_of(application, "ocea", "roof"),
    )
    line = izar.line(5, AT)
    summary = await take_in(application, stranger, [line], source="test", now=now)
    assert summary.unusable == {"UNKNOWN_METER": 1}
    (row,) = await DeadLetter.all()
    assert row.gateway_id == stranger.gateway_id
    assert (await replay(application, SYSTEM, now=now)).unusable == {"UNKNOWN_METER": 1}
    assert (await tables())["reading"] == []
    assert (await take_in(application, own, [line], source="test", now=now)).stored == 1


async def test_a_line_that_two_operators_received_is_replayed_for_each(
    application, key_encryption, now, izar, tables
) -> None:
    """Another operator's gateway that received the line first does not block the owner's reading."""
    stranger, own = (
        await gateway_of(application, "ista", "roof"),
        await gateway_of(application, "ocea", "roof"),
    )
    for viewer in (stranger, own):
        await take_in(application, viewer, [izar.line(5, AT)], source="test", now=now)
    await factories.residence(key_encryption, factories.meter(izar.address))
    summary = await replay(application, SYSTEM, now=now)
    assert (summary.stored, summary.unusable) == (1, {"UNKNOWN_METER": 1})
    states = {row.gateway_id: row.state for row in await DeadLetter.all()}
    assert states == {stranger.gateway_id: TelegramState.WAITING, own.gateway_id: TelegramState.REPLAYED}


async def test_residents_may_not_submit_and_gateways_may_not_replay(application, now) -> None:
    """Each needs the permission."""
    with pytest.raises(Forbidden):
        await take_in(application, Viewer(role=Role.RESIDENT, account_id=1), ["00"], source="test", now=now)
    gateway = Viewer(role=Role.GATEWAY, gateway_id=1, operator_id=1)
    with pytest.raises(Forbidden):
        await replay(application, gateway, now=now)
    with pytest.raises(Forbidden):
        await count_dead_letters(gateway)


def wandering(meter, seed):
    """Five days of a meter that is read at irregular times, stands still for a while, and rolls over."""
    chance = random.Random(seed)
    moment, index, lines = AT - timedelta(days=5), 99_999_700, []
    while moment < AT:
        lines.append(meter.line(index % 100_000_000, moment))
        moment += timedelta(seconds=chance.choice([600, 3600, 5400, 9000, 40_000]))
        index += chance.choice([0, 0, 3, 40, 150])
    return lines


@pytest.mark.parametrize(
    ("database_url", "seed"), [("sqlite", 0), ("postgresql", 1)], indirect=["database_url"]
)
async def test_any_order_repetition_and_batch_size_give_the_same_series(
    application, key_encryption, now, izar, other_izar, tables, forget, seed
) -> None:
    """Readings, hours and days depend on what was received, not on how it was submitted."""
    await factories.residence(
        key_encryption,
        factories.meter(izar.address),
        factories.meter(other_izar.address, printed_serial="H18CA029621"),
    )
    lines = wandering(izar, seed) + wandering(other_izar, -seed - 1)
    await take_in(application, SYSTEM, lines, source="test", now=now)
    in_order = await tables()
    assert all(in_order.values())
    chance = random.Random(seed)
    for batch_lines in (1, 17):
        await forget()
        shuffled = lines + chance.sample(lines, 20)
        chance.shuffle(shuffled)
        other = replace(application, settings=replace(application.settings, intake_batch_lines=batch_lines))
        summary = await take_in(other, SYSTEM, shuffled, source="test", now=now)
        assert summary.duplicates >= 20
        assert await tables() == in_order


async def test_a_small_backflow_is_the_same_in_any_batch(
    application, key_encryption, now, izar, tables, forget
) -> None:
    """A register that ran back within the last two days is recomputed as a whole."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    indexes = [100, 120, 116, 117, 118, 119, 119, 121, 130, 125, 128, 140]
    lines = [izar.line(index, AT + timedelta(hours=4 * at)) for at, index in enumerate(indexes, start=-11)]
    await take_in(application, SYSTEM, lines, source="test", now=now)
    together = await tables()
    await forget()
    for line in lines:
        await take_in(application, SYSTEM, [line], source="test", now=now)
    assert await tables() == together


@pytest.mark.parametrize(
    "step",
    [
        *(
            "take_plainly",
            "store_plain",
            "save_states",
            "roll_up",
            "watch",
            "raise_leak_alerts",
            "update_condition_alerts",
            "update_over_consumption_alerts",
        ),
        *("update_limit_alerts", "store_dead_letters", "mark_replayed"),
    ],
)
async def test_a_batch_that_fails_leaves_nothing_behind(
    application, key_encryption, now, izar, tables, monkeypatch, step
) -> None:
    """A batch is one transaction, whichever step fails."""
    await factories.residence(key_encryption, factories.meter(izar.address))

    async def broken(*args, **kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(pipeline, step, broken)
    lines = [*izar.hourly(AT - timedelta(days=3), [20] * 72), "garbage"]
    with pytest.raises(RuntimeError, match="the disk is full"):
        await take_in(application, SYSTEM, lines, source="test", now=now)
    assert not any((await tables(*EVERYTHING)).values())
    monkeypatch.undo()
    assert (await take_in(application, SYSTEM, lines, source="test", now=now)).stored == 73


async def test_concurrent_batches_do_not_affect_each_other(
    application, key_encryption, now, izar, other_izar, tables, forget
) -> None:
    """Several gateways at once, with the same meters and unusable lines, give what one alone gives."""
    await factories.residence(
        key_encryption,
        factories.meter(izar.address),
        factories.meter(other_izar.address, printed_serial="H18CA029621"),
    )
    lines = izar.hourly(AT - timedelta(days=2), [6] * 48) + other_izar.hourly(
        AT - timedelta(days=2), [1] * 48
    )
    lines += ["garbage", "rubbish"]
    await take_in(application, SYSTEM, lines, source="test", now=now)
    alone = await tables()
    await forget()
    batches = [[*lines[start::3], "garbage"] for start in range(3)] + [lines]
    await asyncio.gather(*(take_in(application, SYSTEM, batch, source="test", now=now) for batch in batches))
    assert await tables() == alone
    seen = {row.line: row.times_seen for row in await DeadLetter.all()}
    assert seen == {"garbage": 5, "rubbish": 2}
    assert len((await tables("alert"))["alert"]) == 1


async def test_keys_are_never_logged_or_printed(application, key_encryption, now, itron, caplog) -> None:
    """Neither the log at DEBUG nor the repr of a value has a meter's key."""
    caplog.set_level(logging.DEBUG)
    for name in ("tortoise", "tortoise.db_client", "asyncpg", "aiosqlite"):
        caplog.set_level(logging.DEBUG, logger=name)
    spec = factories.meter(itron.address, vendor="itron", printed_serial="48349952", key=itron.key)
    await factories.residence(key_encryption, spec)
    lines = [itron.line(5, AT), itron.line(6, AT + timedelta(hours=1), key=KEY_A)]
    summary = await take_in(application, SYSTEM, lines, source="test", now=now)
    assert (summary.stored, summary.unusable) == (1, {"KEY_WRONG": 1})
    (row,) = await DeadLetter.all()
    assert "meter_key" in caplog.text
    shown = "\n".join(
        [
            caplog.text,
            repr(spec),
            repr(key_encryption),
            row.message,
            repr(application),
            repr(application.settings),
        ]
    )
    for secret in (itron.key, application.settings.secret_key.encode()):
        assert secret.hex() not in shown.lower()
        assert repr(secret)[2:-1] not in shown
        assert str(list(secret)) not in shown


async def test_with_a_wrong_secret_lines_become_dead_letters(application, key_encryption, now, itron) -> None:
    """A meter whose key was encrypted with another SUBMETER_SECRET_KEY loses no line and stops no other."""
    spec = factories.meter(itron.address, vendor="itron", printed_serial="48349952", key=itron.key)
    await factories.residence(key_encryption, spec)
    other = replace(
        application,
        settings=replace(application.settings, secret_key="another secret, long enough to be one"),
    )
    summary = await take_in(other, SYSTEM, [itron.line(5, AT)], source="test", now=now)
    assert (summary.stored, summary.unusable) == (0, {"SECRET_UNUSABLE": 1})
    (row,) = await DeadLetter.all()
    assert "SUBMETER_SECRET_KEY" in row.message
    await factories.residence(KeyEncryption.under(other.settings.secret_key), spec)
    assert (await replay(other, SYSTEM, now=now)).stored == 1, "the key was given again, under the new secret"
    assert (await take_in(application, SYSTEM, [itron.line(5, AT)], source="test", now=now)).duplicates == 1


async def test_progress_is_reported_batch_by_batch(application, now) -> None:
    """A command can show how much of a file is done."""
    small = replace(application, settings=replace(application.settings, intake_batch_lines=2))
    reported: list[int] = []
    await take_in(small, SYSTEM, ["a", "", "b", "c"], source="test", now=now, progress=reported.append)
    assert reported == [2, 1]
    await replay(small, SYSTEM, now=now, progress=reported.append)
    assert reported == [2, 1, 2, 1]


async def test_the_meters_flags_are_stored_with_the_reading(
    application, key_encryption, now, izar, tables
) -> None:
    """The meter's flags are part of the reading, in bits whose meaning never changes."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await take_in(application, SYSTEM, [izar.line(5, AT, leak=True)], source="test", now=now)
    assert [row[3] for row in (await tables())["reading"]] == [1]

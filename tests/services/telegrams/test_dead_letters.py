"""Dead letters: unusable lines are stored with their reason, and released once it is gone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.access import SYSTEM
from core.mbus.lines import LONGEST_LINE
from core.models import DeadLetter, TelegramState
from core.services.telegrams.pipeline import replay, take_in
from tests.support import factories

AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
KEY_A = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
KEY_B = bytes.fromhex("FEDCBA9876543210FEDCBA9876543210")


FAILURES = {
    "garbage": ("hello world", "LINE", "NOT_A_TELEGRAM", 0),
    "broken JSON": ('{"telegram": "1944', "LINE", "NOT_A_TELEGRAM", 0),
    "cut short": ("1944304C341C13210C04A2", "LINK", "TRUNCATED", None),
    "flagged by the gateway": (
        "T1;0;1;2026-11-20 06:00:00.000;97;148;0;0x1944304c341c13210c04a2",
        "LINE",
        "INTEGRITY_FLAG",
        None,
    ),
}


@pytest.mark.parametrize("case", FAILURES)
async def test_a_line_that_is_no_telegram_is_a_dead_letter_with_its_reason(application, now, case) -> None:
    """No line is lost at any stage: line, source, stage, reason and place are stored, and counted."""
    line, stage, reason, offset = FAILURES[case]
    summary = await take_in(application, SYSTEM, [f" {line}\n"], source="roof.log", now=now)
    assert (summary.lines, summary.stored, summary.unusable) == (1, 0, {reason: 1})
    (row,) = await DeadLetter.all()
    assert (row.line, row.source, row.stage, row.reason) == (line, "roof.log", stage, reason)
    assert offset is None or row.byte_offset == offset
    assert (row.state, row.times_seen, row.received_at) == (TelegramState.WAITING, 1, now)
    assert row.message


async def refused(application, now, line):
    """Ingest one line, which must be refused; answers its row."""
    summary = await take_in(application, SYSTEM, [line], source="test", now=now)
    row = await DeadLetter.filter(state=TelegramState.WAITING).order_by("-id").first()
    assert summary.unusable == {row.reason: 1}
    return row


async def test_an_encrypted_telegram_without_its_key_is_kept_until_the_key_is_known(
    application, key_encryption, now, itron, tables
) -> None:
    """KEY_MISSING, then KEY_WRONG, then a reading, as the right key is imported."""
    spec = factories.meter(itron.address, vendor="itron", printed_serial="48349952")
    await factories.residence(key_encryption, spec)
    line = itron.line(1234, AT)
    row = await refused(application, now, line)
    assert (row.stage, row.reason, row.radio_address) == ("SECURITY", "KEY_MISSING", itron.address)

    await factories.residence(key_encryption, replace(spec, key=KEY_A))
    assert (await replay(application, SYSTEM, now=now)).unusable == {"KEY_WRONG": 1}
    await row.refresh_from_db()
    assert (row.reason, row.state, row.times_seen) == ("KEY_WRONG", TelegramState.WAITING, 1)

    await factories.residence(key_encryption, replace(spec, key=itron.key))
    later = now + timedelta(hours=1)
    assert (await replay(application, SYSTEM, now=later)).stored == 1
    await row.refresh_from_db()
    assert (row.state, row.replayed_at) == (TelegramState.REPLAYED, later)
    assert [reading[2] for reading in (await tables())["reading"]] == [1234]
    assert (await replay(application, SYSTEM, now=later)).lines == 0


async def test_both_keys_decrypt_while_a_key_is_being_changed(
    application, key_encryption, now, itron
) -> None:
    """A meter has its old and its new key until every telegram uses the new one."""
    spec = factories.meter(itron.address, vendor="itron", printed_serial="48349952", key=KEY_A)
    await factories.residence(key_encryption, spec)
    await factories.residence(key_encryption, replace(spec, key=KEY_B))
    lines = [itron.line(10, AT, key=KEY_A), itron.line(20, AT + timedelta(hours=1), key=KEY_B)]
    assert (await take_in(application, SYSTEM, lines, source="test", now=now)).stored == 2


async def test_an_unencrypted_telegram_of_a_meter_with_a_key_is_refused(
    application, key_encryption, now, itron
) -> None:
    """Downgrade protection: a meter with a key does not send in the clear."""
    spec = factories.meter(itron.address, vendor="itron", printed_serial="48349952", key=itron.key)
    await factories.residence(key_encryption, spec)
    plain = bytes.fromhex("7A01000000") + bytes.fromhex("041301000000")
    telegram = bytes((9 + len(plain), 0x44)) + itron.demo.wire_address + plain
    assert (await refused(application, now, telegram.hex())).reason == "KEY_CONFIGURED_BUT_PLAIN"


async def test_a_total_beyond_any_register_is_a_dead_letter(application, key_encryption, now, itron) -> None:
    """A record can have a number beyond the column's: the telegram is stored, and its batch goes on."""
    spec = factories.meter(itron.address, vendor="itron", printed_serial="48349952")
    izar_like = factories.meter("SAP-21131C34-0C-04")
    await factories.residence(key_encryption, spec, izar_like)
    plain = bytes.fromhex("7A01000000") + bytes.fromhex("0717FFFFFFFFFFFFFF7F")
    telegram = bytes((9 + len(plain), 0x44)) + itron.demo.wire_address + plain
    lines = [telegram.hex(), "1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD"]
    summary = await take_in(application, SYSTEM, lines, source="test", now=now)
    assert (summary.stored, summary.unusable) == (1, {"INDEX_OUT_OF_RANGE": 1})


async def test_a_telegram_without_a_total_is_a_dead_letter(application, key_encryption, now, itron) -> None:
    """NO_INDEX: the meter is known, and the telegram has no index."""
    await factories.residence(
        key_encryption, factories.meter(itron.address, vendor="itron", printed_serial="48349952")
    )
    plain = bytes.fromhex("7A01000000") + bytes.fromhex("025A3200")
    telegram = bytes((9 + len(plain), 0x44)) + itron.demo.wire_address + plain
    assert (await refused(application, now, telegram.hex())).reason == "NO_INDEX"


async def test_a_line_of_an_unknown_meter_is_replayed_once_registered(
    application, key_encryption, now, izar
) -> None:
    """Until then it is a dead letter."""
    row = await refused(application, now, f"telegram=|{izar.telegram(5).hex()}|")
    assert (row.stage, row.reason, row.radio_address) == ("METER", "UNKNOWN_METER", izar.address)
    await factories.residence(key_encryption, factories.meter(izar.address))
    assert (await replay(application, SYSTEM, now=now)).stored == 1
    assert (await replay(application, SYSTEM, now=now)).lines == 0


async def test_a_dead_letter_that_is_ingested_again_and_usable_is_released(
    application, key_encryption, now, izar
) -> None:
    """Ingesting the file again does what a replay does."""
    line = izar.line(5, AT)
    row = await refused(application, now, line)
    await factories.residence(key_encryption, factories.meter(izar.address))
    assert (await take_in(application, SYSTEM, [line], source="test", now=now)).stored == 1
    await row.refresh_from_db()
    assert (row.state, row.replayed_at) == (TelegramState.REPLAYED, now)


async def test_a_water_telegram_does_not_count_for_a_heat_meter(
    application, key_encryption, now, izar
) -> None:
    """UNIT_MISMATCH: litres are no watt-hours."""
    from core.consumption.fluids import Fluid  # noqa: PLC0415 - the one test that needs it

    await factories.residence(key_encryption, factories.meter(izar.address, fluid=Fluid.HEAT))
    row = await refused(application, now, izar.line(5, AT))
    assert (row.stage, row.reason) == ("READING", "UNIT_MISMATCH")


async def test_a_time_in_the_future_is_a_dead_letter_until_then(
    application, key_encryption, now, izar
) -> None:
    """A gateway's clock may run an hour ahead, no more; replayed after that time, the line is stored."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    hour = timedelta(hours=1)
    assert (
        await take_in(application, SYSTEM, [izar.line(5, now + hour)], source="test", now=now)
    ).stored == 1
    row = await refused(application, now, izar.line(6, now + hour + timedelta(seconds=1)))
    assert (row.stage, row.reason) == ("READING", "TIME_IN_FUTURE")
    assert (await replay(application, SYSTEM, now=now + hour)).stored == 1


@pytest.mark.parametrize("moment", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "1969-12-31 23:59:59"])
async def test_an_impossible_time_is_a_dead_letter(application, key_encryption, now, izar, moment) -> None:
    """The ends of the calendar and times before 1970 are refused without an error."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    row = await refused(application, now, f"T1;1;1;{moment};97;148;0;0x{izar.telegram(5).hex()}")
    assert row.reason in {"TIME_IN_FUTURE", "TIME_PAST_RETENTION"}


async def test_a_reading_outside_the_meters_service_is_a_dead_letter(
    application, key_encryption, now, izar
) -> None:
    """Service is from installation to removal, both included; no other reading is stored."""
    first, last = AT, AT + timedelta(days=1)
    spec = factories.meter(izar.address, installed_at=first, removed_at=last)
    await factories.residence(key_encryption, spec)
    second = timedelta(seconds=1)
    for moment in (first - second, last + second):
        assert (await refused(application, now, izar.line(5, moment))).reason == "OUTSIDE_SERVICE"
    lines = [izar.line(5, first), izar.line(6, last)]
    assert (await take_in(application, SYSTEM, lines, source="test", now=now)).stored == 2


@pytest.mark.parametrize("together", [True, False])
async def test_a_dead_letter_counts_its_sightings(application, now, together) -> None:
    """The same line is one row however it arrives, and a replay is no sighting."""
    lines = ["garbage", "garbage ", "\tgarbage"]
    for batch in [lines] if together else [[line] for line in lines]:
        summary = await take_in(application, SYSTEM, batch, source="test", now=now)
        assert summary.unusable == {"NOT_A_TELEGRAM": len(batch)}
    await replay(application, SYSTEM, now=now)
    (row,) = await DeadLetter.all()
    assert (row.line, row.times_seen) == ("garbage", 3)


@pytest.mark.parametrize(
    "line",
    [
        "a\0b",
        "\0",
        "lone \ud800 surrogate",
        "é🚰" * 1000,
        "f" * 1_000_000,
        "x" * 3_000_000,
        '{"telegram": "\0"}',
    ],
    ids=["NUL", "only NUL", "surrogate", "not ASCII", "long hex", "long text", "NUL in JSON"],
)
async def test_any_text_can_be_kept_and_replayed(application, now, line) -> None:
    """Characters that a database cannot store are escaped; the line is one row and fails no batch."""
    for _ in range(2):
        summary = await take_in(application, SYSTEM, [line, "garbage"], source="a\0\ud800", now=now)
        assert sum(summary.unusable.values()) == 2
    assert (await replay(application, SYSTEM, now=now)).lines == 2
    assert [row.times_seen for row in await DeadLetter.all()] == [2, 2]


async def test_a_dead_letter_has_a_bound(application, now) -> None:
    """Through any door: the beginning of a line that is too long, its length, and the same when replayed."""
    for _ in range(2):
        summary = await take_in(application, SYSTEM, ["F" * 1_000_000], source="test", now=now)
        assert summary.unusable == {"NOT_A_TELEGRAM": 1}
    await replay(application, SYSTEM, now=now)
    (row,) = await DeadLetter.all()
    assert row.line == "F" * LONGEST_LINE + " [cut, 1000000 characters]"
    assert row.message == f"The line has 1000000 characters, of which {LONGEST_LINE} are kept."
    assert (row.times_seen, row.byte_offset) == (2, LONGEST_LINE)


async def test_a_usable_line_with_a_nul_is_released_when_replayed(
    application, key_encryption, now, izar
) -> None:
    """The stored text is the text that was read, so a replayed line matches its row."""
    line = izar.line(5, AT).replace("T1;", "T1\0;")
    row = await refused(application, now, line)
    await factories.residence(key_encryption, factories.meter(izar.address))
    assert (await replay(application, SYSTEM, now=now)).stored == 1
    await row.refresh_from_db()
    assert row.state is TelegramState.REPLAYED

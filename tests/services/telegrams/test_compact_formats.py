"""Compact formats that were learnt from full telegrams are kept beyond the batch and the process."""

from datetime import UTC, datetime, timedelta

import pytest

from core.access import SYSTEM
from core.models import CompactFormat, DeadLetter, TelegramState
from core.services.telegrams.compact_formats import MOST_OF_A_KIND
from core.services.telegrams.pipeline import replay, take_in
from submeter.simulator.encryption import CI_COMPACT, CI_FULL
from submeter.simulator.records import compact, full, integer
from tests.services.conftest import received_line
from tests.support import factories
from tests.support.telegrams import encryption

AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
KEY = bytes(range(16))
# A water meter of a maker without a driver, with a format that no table lists.
LINK = bytes.fromhex("4B6A") + bytes.fromhex("44332211") + b"\x05\x07"
ADDRESS = "ZRK-11223344-05-07"


def records(litres, second="7B"):
    return (integer("0413", litres), integer(f"02{second}", 7))


def whole(litres, at, *, key=KEY, second="7B", link=LINK):
    apl = bytes((CI_FULL,)) + full(records(litres, second))
    return received_line(encryption.counter_mode(link, key, apl, session=litres), at)


def short(litres, at, *, key=KEY, second="7B", link=LINK):
    apl = bytes((CI_COMPACT,)) + compact(records(litres, second))
    return received_line(encryption.counter_mode(link, key, apl, session=litres), at)


@pytest.fixture
async def meter(application, key_encryption):
    """The meter, registered with its key."""
    await factories.residence(key_encryption, factories.meter(ADDRESS, printed_serial="11223344", key=KEY))


async def taken(application, *lines, now):
    return await take_in(application, SYSTEM, lines, source="test", now=now)


@pytest.mark.parametrize("first", ["full", "compact"])
async def test_a_full_telegram_gives_its_batch_the_format(application, now, meter, first) -> None:
    """In either order, both telegrams are read."""
    lines = [whole(1000, AT), short(1001, AT + timedelta(hours=1))]
    summary = await taken(application, *(lines if first == "full" else lines[::-1]), now=now)
    assert (summary.stored, dict(summary.unusable)) == (2, {})


async def test_a_learnt_format_is_available_after_a_restart(application, registry, now, meter) -> None:
    """The first compact telegram of a new process is read; without the format it is a dead letter."""
    early = await taken(application, short(999, AT - timedelta(hours=1)), now=now)
    assert dict(early.unusable) == {"UNKNOWN_COMPACT_FORMAT": 1}
    await taken(application, whole(1000, AT), now=now)
    restarted = type(application)(application.settings, registry)
    later = await taken(restarted, short(1001, AT + timedelta(hours=1)), now=now)
    assert later.stored == 1
    again = await replay(restarted, SYSTEM, now=now)
    assert again.stored == 1
    assert await DeadLetter.filter(state=TelegramState.WAITING).count() == 0


async def test_no_format_is_learnt_from_an_unencrypted_telegram(application, key_encryption, now) -> None:
    """Anybody can send one, so its headers are not used for a meter's compact telegrams."""
    await factories.residence(key_encryption, factories.meter(ADDRESS, printed_serial="11223344"))
    lines = [whole(1000, AT, key=None), short(1001, AT + timedelta(hours=1), key=None)]
    summary = await taken(application, *lines, now=now)
    assert (summary.stored, dict(summary.unusable)) == (1, {"UNKNOWN_COMPACT_FORMAT": 1})
    assert await CompactFormat.all().count() == 0


async def test_each_kind_of_a_batch_learns_from_its_own_encrypted_telegram(
    application, key_encryption, now
) -> None:
    """For equal layouts of several kinds of meter, also with an unencrypted telegram among them."""
    plain, other = LINK[:2] + bytes.fromhex("55332211") + LINK[6:], LINK[:-2] + b"\x06\x07"
    await factories.residence(
        key_encryption,
        factories.meter("ZRK-11223355-05-07", printed_serial="11223355"),
        factories.meter(ADDRESS, printed_serial="11223344", key=KEY),
        factories.meter("ZRK-11223344-06-07", printed_serial="11223344", key=KEY),
    )
    later = AT + timedelta(hours=1)
    lines = [
        whole(1000, AT, key=None, link=plain),
        *(whole(1000, AT, link=link) for link in (LINK, other)),
        *(short(1001, later, link=link) for link in (LINK, other)),
    ]
    summary = await taken(application, *lines, now=now)
    assert (summary.stored, dict(summary.unusable)) == (5, {})


async def test_the_formats_of_a_kind_of_meter_are_limited(application, now, meter) -> None:
    """A meter that always sends new headers does not fill the table."""
    # Storage numbers of the second record give any number of formats.
    lines = []
    for number in range(MOST_OF_A_KIND + 8):
        dib = f"{0x82 | (number & 1) << 6:02X}{number >> 1:02X}"
        apl = bytes((CI_FULL,)) + full((integer("0413", 1000 + number), integer(f"{dib}7B", 7)))
        telegram = encryption.counter_mode(LINK, KEY, apl, session=number + 1)
        lines.append(received_line(telegram, AT + timedelta(minutes=number)))
    summary = await taken(application, *lines, now=now)
    assert summary.stored == MOST_OF_A_KIND + 8
    await taken(application, whole(5000, AT + timedelta(hours=2)), now=now)
    assert await CompactFormat.all().count() == MOST_OF_A_KIND


async def test_formats_are_stored_in_one_order(application, key_encryption, now, monkeypatch) -> None:
    """Two workers that learn the same formats in different orders must not wait for each other's rows."""
    stored = []
    bulk_create = CompactFormat.bulk_create

    async def noted(rows, **options):
        stored.append([row.medium for row in rows])
        return await bulk_create(rows, **options)

    monkeypatch.setattr(CompactFormat, "bulk_create", noted)
    lines = []
    for medium in (7, 6):
        link = LINK[:-1] + bytes((medium,))
        address = f"ZRK-11223344-05-0{medium}"
        await factories.residence(
            key_encryption, factories.meter(address, printed_serial=f"1122334{medium}", key=KEY)
        )
        apl = bytes((CI_FULL,)) + full(records(1000))
        lines.append(received_line(encryption.counter_mode(link, KEY, apl, session=1), AT))
    await taken(application, *lines, now=now)
    assert stored == [[6, 7]]

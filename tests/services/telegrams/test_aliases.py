"""One meter with two radio addresses: found by either, one series, and a message counter for each."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from core.access import SYSTEM, Act, Role, Viewer
from core.consumption.fluids import Fluid
from core.consumption.plausibility import Doubt
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.metering import Address, explain
from core.models import Alert, DeadLetter, DoubtfulReading, Meter, MeterAlias
from core.registration.answers import SerialAnswer
from core.services.places.meter_directory import meters_by_address
from core.services.portfolio.meter_aliases import add_alias, list_aliases, remove_alias
from core.services.registration.identification import dwelling_by_serial
from core.services.shared import time_series
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import replay, take_in
from core.services.telegrams.replay_protection import restart_counter
from submeter.simulator import encryption
from submeter.simulator.records import bcd, full, integer
from tests.services.conftest import received_line
from tests.support import factories

START = datetime(2026, 11, 1, 23, tzinfo=UTC)  # midnight in Paris, 2 November begins
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OMS, WALK_BY = "QDS-71234567-23-04", "QDS-71234567-23-37"
KEY = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
NOW = START + 30 * DAY


def oms(watt_hours, at, *, counter=None, address=OMS):
    """The OMS telegram: encrypted, hundreds of watt-hours; counted and authenticated with a counter."""
    wire, records = Address.parse(address).to_wire(), full([bcd("0C05", watt_hours // 100)])
    if counter is not None:
        return received_line(encryption.mode7(wire, KEY, records, access=1, counter=counter), at)
    return received_line(encryption.mode5(wire, KEY, records, access=watt_hours // 100 & 0xFF), at)


def walk_by(watt_hours, at):
    """The walk-by telegram: plain, whole kilowatt-hours, from another address."""
    body = b"\x78" + full([bcd("0C06", watt_hours // 1000)])
    return received_line(encryption.telegram(Address.parse(WALK_BY).to_wire(), body), at)


def heat_meter(**changes):
    spec = factories.meter(OMS, fluid=Fluid.HEAT, vendor="ista", printed_serial="542361524", key=KEY)
    return replace(spec, **changes)


async def days(meter_id=1):
    found = await time_series.days_within(
        current_database(), [meter_id], (date(2026, 1, 1), date(2027, 1, 1))
    )
    return {one.day: one.amount for one in found.get(meter_id, [])}


async def take(application, *lines):
    return await take_in(application, SYSTEM, lines, source="test", now=NOW)


async def test_telegrams_of_both_addresses_are_one_series(application, key_encryption) -> None:
    """Two telegrams an hour, of 100 Wh and of 1 kWh: the days are those of the finer telegrams alone.

    12,345.6 kWh and then 12,345 kWh is no fall of the register: taken for one, it would end the series each
    hour, and each hour's consumption would be lost.
    """
    draws = [Random(7).choice((0, 100, 300, 1200)) for _ in range(72)]
    indexes = [12_345_600 + sum(draws[:hour]) for hour in range(72)]
    finer = [oms(index, START + hour * HOUR) for hour, index in enumerate(indexes)]
    coarser = [
        walk_by(index, START + hour * HOUR + timedelta(minutes=20)) for hour, index in enumerate(indexes)
    ]
    await factories.residence(key_encryption, heat_meter())
    await take(application, *finer)
    alone = await days()
    assert sum(alone.values()) == indexes[-1] - indexes[0]
    await add_alias(SYSTEM, meter_address=OMS, alias=WALK_BY, now=NOW)
    shuffled = Random(3).sample(coarser, len(coarser))
    for at in range(0, 72, 10):
        assert (await take(application, *shuffled[at : at + 10])).unusable == {}
    assert {day: amount for day, amount in (await days()).items() if amount} == alone
    assert await Alert.all().count() == 0


@pytest.mark.parametrize("first", [0, 1])
async def test_equal_moments_with_equal_indexes_are_no_contradiction(
    application, key_encryption, first
) -> None:
    """12,345.6 kWh and 12,345 kWh in one second are one reading; 12,344 kWh contradicts it: both wait."""
    await factories.residence(key_encryption, heat_meter(aliases=[WALK_BY]))
    both = [oms(12_345_600, START), walk_by(12_345_000, START)]
    lines = [both[first], both[1 - first]]
    summary = await take(application, *lines)
    assert (summary.stored, summary.duplicates, summary.unusable) == (1, 1, {})
    assert (await take(application, walk_by(12_344_000, START))).doubtful == 1
    assert [row.doubt for row in await DoubtfulReading.all()] == [Doubt.CONFLICTING_READING] * 2


async def test_each_address_has_its_own_message_counter(application, key_encryption) -> None:
    """Two radios count apart: 5 after 900 of the other is new; 5 again of the same is a replay."""
    other = "QDS-71234599-23-04"
    await factories.residence(key_encryption, heat_meter(aliases=[other]))
    lines = [oms(1_000_000, START, counter=900), oms(1_000_100, START + 3 * HOUR, counter=5, address=other)]
    assert (await take(application, *lines)).stored == 2
    again = oms(1_000_100, START + 9 * HOUR, counter=5, address=other)
    assert (await take(application, again)).unusable == {"COUNTER_NOT_RISEN": 1}
    await restart_counter(SYSTEM, radio_address=other)
    assert (await replay(application, SYSTEM, now=NOW)).stored == 1
    old = oms(1_000_000, START + 9 * HOUR, counter=899)
    assert (await take(application, old)).unusable == {"COUNTER_NOT_RISEN": 1}, "the other radio's is kept"


async def test_dead_letters_of_an_alias_are_replayed_once_it_is_added(application, key_encryption) -> None:
    """UNKNOWN_METER until then; the meter's key opens them, and its duplicates remain duplicates."""
    other = "QDS-71234599-23-04"
    await factories.residence(key_encryption, heat_meter())
    line = oms(1_000_000, START, address=other)
    assert (await take(application, line, line)).unusable == {"UNKNOWN_METER": 2}
    assert await add_alias(SYSTEM, meter_address=OMS, alias=other.lower(), now=NOW)
    summary = await replay(application, SYSTEM, radio_addresses=[other], now=NOW)
    assert (summary.stored, await DeadLetter.filter(state="WAITING").count()) == (1, 0)
    assert (await take(application, line)).duplicates == 1


async def test_a_gateway_reaches_an_alias_of_its_own_operator_only(application, key_encryption) -> None:
    """To another operator's gateway the alias is as unknown as the meter."""
    await factories.residence(key_encryption, heat_meter(aliases=[WALK_BY]))
    operator_id = (await Meter.get().select_related("dwelling__residence")).dwelling.residence.operator_id
    for known, number in ((True, operator_id), (False, operator_id + 1)):
        viewer = Viewer(role=Role.GATEWAY, operator_id=number)
        found = await meters_by_address(viewer, [WALK_BY], key_encryption=key_encryption)
        assert (WALK_BY in found) is known


async def test_an_address_is_one_meters(application, key_encryption) -> None:
    """Another meter's address or alias is a conflict, both ways; so is the meter's own."""
    neighbour = heat_meter(radio_address="QDS-71234568-23-04", printed_serial="542361525")
    await factories.residence(key_encryption, heat_meter(aliases=[WALK_BY]), neighbour)
    for alias in (OMS, WALK_BY):
        with pytest.raises(Conflict) as refused:
            await add_alias(SYSTEM, meter_address=neighbour.radio_address, alias=alias, now=NOW)
        assert refused.value.field == "alias"
    with pytest.raises(Conflict):
        await add_alias(SYSTEM, meter_address=OMS, alias=OMS, now=NOW)
    with pytest.raises(Conflict):
        await factories.residence(key_encryption, heat_meter(radio_address=WALK_BY))
    with pytest.raises(Conflict):
        await factories.residence(key_encryption, replace(neighbour, aliases=[WALK_BY]))
    with pytest.raises(InvalidInput):
        await add_alias(SYSTEM, meter_address=OMS, alias="71234567", now=NOW)
    with pytest.raises(NotFound):
        await add_alias(SYSTEM, meter_address="QDS-00000000-23-04", alias=OMS, now=NOW)
    assert [row.radio_address for row in await MeterAlias.all()] == [WALK_BY]


async def test_aliases_are_added_listed_removed_and_audited(application, key_encryption, audited) -> None:
    """Twice added is once; a list keeps those it leaves out; removed, the address is unknown again."""
    await factories.residence(key_encryption, heat_meter(aliases=[WALK_BY]))
    assert not await add_alias(SYSTEM, meter_address=WALK_BY, alias=WALK_BY, now=NOW)
    await factories.residence(key_encryption, heat_meter())
    (found,) = await list_aliases(SYSTEM, meter_address=WALK_BY)
    assert (found.meter_address, found.radio_address, found.added_by) == (OMS, WALK_BY, None)
    await remove_alias(SYSTEM, meter_address=OMS, alias=WALK_BY, now=NOW)
    assert await list_aliases(SYSTEM) == []
    assert (await take(application, walk_by(1_000_000, START))).unusable == {"UNKNOWN_METER": 1}
    with pytest.raises(NotFound):
        await remove_alias(SYSTEM, meter_address=OMS, alias=WALK_BY, now=NOW)
    assert await audited() == [Act.METER_ALIAS_ADDED, Act.METER_ALIAS_REMOVED]


async def test_an_alias_may_send_in_the_clear_until_it_has_sent_an_encrypted_telegram(
    application, key_encryption
) -> None:
    """Walk-by telegrams are plain beside encrypted ones; the address that has the key is not."""
    other = "QDS-71234599-23-04"
    await factories.residence(key_encryption, heat_meter(aliases=[WALK_BY, other]))
    plain = b"\x78" + full([bcd("0C05", 10_000)])

    def sent(address, hour):
        return received_line(
            encryption.telegram(Address.parse(address).to_wire(), plain), START + hour * HOUR
        )

    assert (await take(application, sent(OMS, 0))).unusable == {"KEY_CONFIGURED_BUT_PLAIN": 1}
    assert (await take(application, sent(WALK_BY, 1), sent(other, 2))).stored == 2
    assert (await take(application, oms(1_000_100, START + 3 * HOUR, address=other))).stored == 1
    assert (await take(application, sent(other, 4))).unusable == {"KEY_CONFIGURED_BUT_PLAIN": 1}
    assert (await take(application, sent(WALK_BY, 5))).stored == 1


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.MANAGER, Role.GATEWAY])
async def test_only_the_operators_command_line_gives_aliases(application, key_encryption, role) -> None:
    """Nobody else adds, lists or removes one."""
    await factories.residence(key_encryption, heat_meter())
    viewer = Viewer(role=role, account_id=1, operator_id=1)
    for call in (
        add_alias(viewer, meter_address=OMS, alias=WALK_BY, now=NOW),
        remove_alias(viewer, meter_address=OMS, alias=WALK_BY, now=NOW),
        list_aliases(viewer),
    ):
        with pytest.raises(Forbidden):
            await call


@pytest.mark.parametrize("typed", ["542361524", "71234599", "7123 4599"])
@pytest.mark.parametrize("within", [True, False])
async def test_a_resident_finds_the_meter_by_either_number(
    application, key_encryption, typed, within
) -> None:
    """By the number printed on the meter, and by that on the radio module it sends with."""
    meter = heat_meter(aliases=["QDS-71234599-23-37"])
    residence_id = await factories.residence(key_encryption, meter)
    row = await Meter.get().select_related("dwelling__residence__operator")
    operator = row.dwelling.residence.operator
    profile = application.registry.profile(operator.code)
    assert profile is not None
    found = await dwelling_by_serial(
        application.registry,
        operator,
        profile,
        SerialAnswer(typed),
        residence_id=residence_id if within else None,
        now=NOW,
    )
    assert found.dwelling_id == row.dwelling_id


async def test_a_water_meter_of_two_resolutions_has_no_backflow_and_no_false_leak(
    application, key_encryption
) -> None:
    """1,239 L and then 1,230 L is no backflow, and the litres between them are no flow at night."""
    address, coarse = "QDS-30001111-33-07", "QDS-30001111-33-37"
    spec = factories.meter(address, vendor="ista", printed_serial="542361524", key=KEY)
    await factories.residence(key_encryption, replace(spec, aliases=[coarse]))
    lines, index = [], 1239
    for hour in range(96):
        index += 13 if 7 <= hour % 24 < 9 else 0
        at = START + hour * HOUR
        fine_body = full([integer("0413", index)])
        fine = encryption.mode5(Address.parse(address).to_wire(), KEY, fine_body, access=hour)
        body = b"\x78" + full([bcd("0C15", index // 100)])
        rough = encryption.telegram(Address.parse(coarse).to_wire(), body)
        lines += [received_line(fine, at), received_line(rough, at + HOUR / 3)]
    summary = await take(application, *lines)
    assert (summary.stored, summary.unusable) == (len(lines), {})
    assert await Alert.all().count() == 0
    assert sum((await days()).values()) == index - 1239


def test_decode_shows_the_other_numbers_that_a_telegram_names(registry) -> None:
    """A fabrication number, and a radio in front of the meter; not the address's own number again."""
    wire = Address.parse("QDS-71234567-23-04").to_wire()
    for number, named in ((30_001_111, {"fabrication_no": "30001111"}), (71_234_567, {})):
        body = b"\x78" + full([bcd("0C78", number), bcd("0C06", 12)])
        report = explain(encryption.telegram(wire, body).hex(), registry)
        assert (report.error, report.named, report.as_dict()["named"]) == (None, named, named)
    meter = Address.parse("QDS-30001111-23-04").to_wire()
    header = b"\x72" + meter[2:6] + meter[:2] + meter[6:] + bytes((1, 0, 0, 0))
    report = explain(encryption.telegram(wire, header + full([bcd("0C06", 12)])).hex(), registry)
    assert (report.address, report.named) == ("QDS-30001111-23-04", {"radio": "QDS-71234567-23-04"})

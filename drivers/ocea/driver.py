"""OCEA: the water and heat meters of Diehl (Sappel, Hydrometer) that OCEA Smart Building reads.

In: an opened frame, PRIOS or OMS. Out: a `Measurement`. The one rule: the alarm bits of PRIOS are sent
unencrypted before the encrypted part (bytes 11 to 13), so they count only if that part passes its check.
Storage 1 is the month's end in PRIOS; in OMS telegrams it depends on the version.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from drivers.ocea import prios, serials
from submeter.vendor import (
    Address,
    Field,
    FlagBits,
    Frame,
    IndexSource,
    Measurand,
    Measurement,
    MeterDriver,
    SerialFormat,
    Signature,
    StatusFlag,
    Table,
)

_WATER: Final = 0x07

# Bits of the bytes 11, 12 and 13 of a PRIOS frame, read as one number, lowest byte first: what holds now,
# and what held earlier.
PRIOS_ALARMS: Final = FlagBits(
    {
        8 + 7: StatusFlag.LEAK,
        8 + 5: StatusFlag.BLOCKED,
        16 + 7: StatusFlag.REVERSE,
        16 + 6: StatusFlag.UNDERFLOW,
        16 + 5: StatusFlag.OVERFLOW,
        16 + 4: StatusFlag.SUBMERGED,
        16 + 3: StatusFlag.TAMPER,
        16 + 1: StatusFlag.TAMPER,
    }
)
PRIOS_PAST_ALARMS: Final = FlagBits(
    {8 + 6: StatusFlag.LEAK, 16 + 2: StatusFlag.TAMPER, 16 + 0: StatusFlag.TAMPER}
)
_ALARMS: Final = (11, 14)
_GENERAL_ALARM_BIT: Final = 7
_GENERAL_ALARM: Final = frozenset({StatusFlag.ALARM})
_HALF_YEARS: Final = tuple(Decimal(number) / 2 for number in range(32))

_PRIOS: Final = Table(
    (
        Field("total_volume_m3", Measurand.VOLUME),
        Field("target_volume_m3", Measurand.VOLUME, storage=1),
        Field("target_date", Measurand.DATE, storage=1),
    ),
    storages=(1,),
    now=(),
)
# Version -> storage number of the month's end, if it is not 1: Hydrus 3, DME 63 8, Sharky 5. Older
# Hydrus that keep no month's end send the year's under 1.
_HYDRUS: Final = (3, 1)
_TARGET_STORAGES: Final = MappingProxyType(
    {0x24: _HYDRUS, 0x70: _HYDRUS, 0x76: _HYDRUS, 0x8B: _HYDRUS, 0x63: (8,), 0x40: (5,)}
)
_USUAL: Final = (1,)
_HEAT_AND_COOLING: Final = 0x0D
_COOLING: Final = (Field("total_cooling_energy_kwh", Measurand.ENERGY, tariff=1),)


@lru_cache(maxsize=16)
def _oms(storages: tuple[int, ...], *, cooling: bool) -> Table:
    return Table(_COOLING if cooling else (), target=storages, storages=storages)


def interpret(frame: Frame) -> Measurement:
    """What a Diehl meter sends."""
    if frame.envelope.ci in prios.PRIOS_CI:
        return _interpret_prios((frame,))[0]
    return _table(frame).interpret(frame)


def interpret_many(frames: Sequence[Frame]) -> list[Measurement]:
    """What Diehl meters of one kind send."""
    if frames[0].envelope.ci in prios.PRIOS_CI:  # then all are, since they are of one layout
        return _interpret_prios(frames)
    return _table(frames[0]).interpret_many(frames)


def index_many(frames: Sequence[Frame]) -> list[Measurement]:
    """Index and flags alone."""
    if frames[0].envelope.ci in prios.PRIOS_CI:
        return _PRIOS.index_many(frames, [_alarms(frame.envelope.raw[11:14]).flags for frame in frames])
    return _table(frames[0]).index_many(frames)


def index_source(frame: Frame) -> IndexSource | None:
    """The record of the index; the flags of PRIOS are in no record."""
    if frame.envelope.ci in prios.PRIOS_CI:
        return IndexSource(prios.total(frame), clear=_ALARMS)
    return _table(frame).index_source(frame)


def _table(frame: Frame) -> Table:
    meter = frame.envelope.meter_address
    storages = _TARGET_STORAGES.get(meter.version, _USUAL)
    return _oms(storages, cooling=meter.medium == _HEAT_AND_COOLING)


def _interpret_prios(frames: Sequence[Frame]) -> list[Measurement]:
    """What PRIOS frames of one layout mean, with what stands before their encrypted part."""
    alarms = [_alarms(frame.envelope.raw[11:14]) for frame in frames]
    printed = serials.with_years([frame.envelope.meter_address for frame in frames])
    read = _named_at_once(frames, alarms, printed) or _named(frames, alarms, printed)
    words, flags, past, _, _ = zip(*alarms, strict=True)
    return _PRIOS.interpret_many(frames, read, flags=flags, status_words=words, previous_flags=past)


_SerialAndYear = tuple[str, int]
_Value = Decimal | date | int | str


def _named(
    frames: Sequence[Frame], alarms: "Sequence[_Alarms]", printed: Sequence[_SerialAndYear | None]
) -> Sequence[Mapping[str, _Value]]:
    """The values of PRIOS frames of one layout."""
    read = _PRIOS.values_many(frames)
    for values, alarm, serial in zip(read, alarms, printed, strict=True):
        values["battery_years"], values["transmit_period_s"] = alarm.battery, alarm.period
        if serial is not None:
            values["printed_serial"], values["manufacture_year"] = serial
    return read


def _named_at_once(
    frames: Sequence[Frame], alarms: "Sequence[_Alarms]", printed: Sequence[_SerialAndYear | None]
) -> Sequence[Mapping[str, _Value]] | None:
    """The same in half the time, of many frames that have all that there is, as nearly always."""
    rows, known = prios.whole(frames), [one for one in printed if one is not None]
    if rows is None or len(known) < len(printed) or len(frames) == 1:
        return None
    return [
        {
            "total_volume_m3": total,
            "target_volume_m3": before,
            "target_date": day,
            "battery_years": alarm.battery,
            "transmit_period_s": alarm.period,
            "printed_serial": serial,
            "manufacture_year": year,
        }
        for (total, before, day), alarm, (serial, year) in zip(rows, alarms, known, strict=True)
    ]


class _Alarms(NamedTuple):
    """What the bytes 11 to 13 of a PRIOS frame say."""

    word: int
    flags: frozenset[StatusFlag]
    past: frozenset[StatusFlag]
    battery: Decimal
    period: int


@lru_cache(maxsize=4096)
def _alarms(sent: bytes) -> _Alarms:
    word = int.from_bytes(sent, "little")
    flags = PRIOS_ALARMS.flags(word)
    if not flags and word >> _GENERAL_ALARM_BIT & 1:
        flags = _GENERAL_ALARM
    battery, period = _HALF_YEARS[sent[1] & 0x1F], 1 << (sent[0] & 0x0F) + 2
    return _Alarms(word, flags, PRIOS_PAST_ALARMS.flags(word), battery, period)


def medium_of(address: Address) -> int:
    """Sappel's six address bytes hold the printed serial and no medium; all of them are water meters."""
    return _WATER if address.manufacturer == serials.MAKER else address.medium


DRIVER: Final = MeterDriver(
    name="ocea",
    title="Diehl, Sappel and Hydrometer water and heat meters (OCEA Smart Building)",
    signatures=(
        Signature("SAP"),
        *(Signature("DME", 0x78, medium) for medium in (0x06, 0x07)),
        *(Signature("HYD", version, 0x07) for version in (0x85, 0x86)),
        # Hydrus and IZAR OMS
        *(Signature("DME", 0x70, medium) for medium in (0x06, 0x07, 0x16)),
        *(Signature("DME", version, 0x07) for version in (0x76, 0x7B, 0x63)),
        *(
            Signature("HYD", version, medium)
            for version, medium in ((0x24, 0x07), (0x8B, 0x06), (0x8B, 0x07))
        ),
        # Sharky
        Signature("HYD", 0x20, 0x04),
        Signature("DME", 0x40, 0x04),
        *(Signature("DME", 0x41, medium) for medium in (0x04, 0x0C, 0x0D)),
    ),
    serial=SerialFormat(
        pattern=serials.PATTERN,
        example="H8CA029620",
        canonical=serials.canonical,
        to_address=serials.to_address,
        from_address=serials.from_address,
    ),
    interpret=interpret,
    interpret_many=interpret_many,
    index_many=index_many,
    index_source=index_source,
    medium_of=medium_of,
    default_keys=(bytes.fromhex("51728910E66D83F8") * 2,),
    proprietary=prios.PROPRIETARY,
)

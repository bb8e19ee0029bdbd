"""OCEA: the water and heat meters of Diehl (Sappel, Hydrometer) that OCEA Smart Building reads.

In: an opened frame, PRIOS or OMS. Out: a `Measurement`. The one rule: the alarm bits of PRIOS are sent
unencrypted before the encrypted part (bytes 11 to 13), so they count only if that part passes its check.
Storage 1 is the month's end in PRIOS; in OMS telegrams it depends on the version.
"""

from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from drivers.ocea import prios, serials
from submeter.vendor import (
    Address,
    Field,
    FlagBits,
    Frame,
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
_GENERAL_ALARM_BIT: Final = 7
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
        return _interpret_prios(frame)
    meter = frame.envelope.meter_address
    storages = _TARGET_STORAGES.get(meter.version, _USUAL)
    return _oms(storages, cooling=meter.medium == _HEAT_AND_COOLING).interpret(frame)


def _interpret_prios(frame: Frame) -> Measurement:
    raw = frame.envelope.raw
    values = _PRIOS.values(frame)
    values["battery_years"] = _HALF_YEARS[raw[12] & 0x1F]
    values["transmit_period_s"] = 1 << (raw[11] & 0x0F) + 2
    address = frame.envelope.meter_address
    serial = serials.from_address(address)
    if serial is not None and address.manufacturer == serials.MAKER:
        values["printed_serial"] = serial
        values["manufacture_year"] = serials.year_of(serial)
    word = int.from_bytes(raw[11:14], "little")
    flags = PRIOS_ALARMS.flags(word)
    if not flags and word >> _GENERAL_ALARM_BIT & 1:
        flags = frozenset({StatusFlag.ALARM})
    return _PRIOS.interpret(
        frame, values, flags=flags, status_word=word, previous_flags=PRIOS_PAST_ALARMS.flags(word)
    )


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
    medium_of=medium_of,
    default_keys=(bytes.fromhex("51728910E66D83F8") * 2,),
    proprietary=prios.PROPRIETARY,
)

"""Qundis (QDS, formerly LSE): the water, heat and heat cost allocator radios that ista resells.

In: an opened frame, in OMS form or as a walk-by record. Out: a `Measurement`. Two rules: a walk-by record is
converted to the records that the OMS form of the same meter sends, so that one table reads both; and which of
the two snapshots, end of year or end of month, is the billed one depends on the medium and the version; for
an unknown version, or a telegram whose length was corrected, neither is.

    0D FF5F 35   9 bytes (the last: B0 allocator, C0 heat, C1 water) · VIF · error day
                 now · year's day · year's value · month's day · month's value · 12 monthly differences

Values are BCD of eight digits, days of type G. The differences, oldest first, are rounded by the meter and do
not add up to the values, so they are not read.

Byte 4 of the 9 says how the rest is sent: 00 plain, 35 AES-128-CBC over the 48 bytes that follow it, under
the meter's key, the initial vector the sender's address as on air and eight times byte 2, the access number.
Nothing else is interpreted. Since nothing but their plausibility proves the 48 bytes, all of it is asked for:
the kind and its VIF, digits that are digits, days that are days, no year's end above the present total. Of
random bytes one in 2^30 is such a record.
"""

from collections.abc import Container, Iterator
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from Crypto.Cipher import AES

from submeter.vendor import Field, Frame, Measurand, Measurement, Table, snapshots
from submeter.vendor.proprietary import DecodeStage, EncryptedRecord, TelegramError, TelegramFault, date_g

MAKERS: Final = ("QDS", "LSE")

_YEAR, _MONTH_LSE, _MONTH = 1, 8, 17
_STORAGES: Final = (_YEAR, _MONTH_LSE, _MONTH)
_WALK_BY: Final = bytes.fromhex("0DFF5F")
# The kinds, and the VIFs under which each counts: allocator, heat (kWh or MJ), water.
_ALLOCATOR: Final = 0xB0
_VIFS: Final = MappingProxyType(
    {
        _ALLOCATOR: (0x6E,),
        0xC0: (0x04, 0x05, 0x06, 0x07, 0x0D, 0x0E, 0x0F),
        0xC1: (0x12, 0x13, 0x14, 0x15, 0x16),
    }
)
_LENGTH: Final = 28
_ACCESS_NUMBER, _MODE = 2, 4
_PLAIN, _AES = 0x00, 0x35
_END: Final = _MODE + 1 + 48
_KEY_LENGTH: Final = 16
_NO_DAYS: Final = (b"\0\0", b"\xff\xff")
_NO_VALUE: Final = b"\xff" * 4
_LAST_YEAR: Final = 2050
# The offsets of the parts of a walk-by record, and the record of the OMS form that each becomes.
_PARTS: Final = (
    (12, 4, "0C", ""),
    (16, 2, "42", "6C"),
    (18, 4, "4C", ""),
    (22, 2, "C208", "6C"),
    (24, 4, "CC08", ""),
)
_FLOW: Final = bytes.fromhex("02BB56")
_LITRES_AN_HOUR: Final = Decimal("0.001")

# Water meters, by version: those that bill the month's end, and those that bill the year's.
_BILLED_BY_MONTH: Final = frozenset({0x16, 0x18, 0x35})
_BILLED_BY_YEAR: Final = frozenset({0x17, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x33})
_CONVERTER: Final = 0x37

_YEARS: Final = (
    Field("last_year_date", Measurand.DATE, storage=_YEAR),
    Field("last_year_volume_m3", Measurand.VOLUME, storage=_YEAR),
    Field("last_year_energy_kwh", Measurand.ENERGY, storage=_YEAR),
)


@lru_cache(maxsize=256)
def _table(billed: int | None) -> Table:
    return Table(_YEARS, target=() if billed is None else (billed,), storages=_STORAGES)


def interpret(frame: Frame) -> Measurement:
    """What a Qundis meter sends."""
    frame = frame.unpacked(_WALK_BY, _walk_by)
    table = _table(_billed(frame))
    values = table.values(frame)
    flow = frame.header(_FLOW)
    if flow is not None:
        # Sent under VIFE 56, which has another meaning in the standard.
        values["volume_flow_m3h"] = int.from_bytes(flow.data, "little", signed=True) * _LITRES_AN_HOUR
    return table.interpret(frame, values)


def _billed(frame: Frame) -> int | None:
    """The storage number of the snapshot that is billed."""
    meter, held = frame.envelope.meter_address, snapshots(frame)
    if len(held) == 1 and _MONTH not in held:
        return next(iter(held))
    if frame.envelope.length_mended and len(set(held.values())) > 1:
        return None
    measured = {place.meaning.measurand for place in frame.layout.places}
    if Measurand.ENERGY in measured:
        return _first(held, _MONTH, _YEAR)
    if (
        Measurand.ALLOCATOR_UNITS in measured
        or meter.medium == _CONVERTER
        or meter.version in _BILLED_BY_YEAR
    ):
        return _first(held, _YEAR)
    return _first(held, _MONTH) if meter.version in _BILLED_BY_MONTH else None


def _first(held: Container[int], *candidates: int) -> int | None:
    return next((storage for storage in candidates if storage in held), None)


def _walk_by(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The records in a walk-by record; none if it is encrypted, or not one that a meter sends."""
    if len(data) < _LENGTH or data[_MODE] != _PLAIN or not _is_plausible(data):
        return
    for at, length, dib, vif in _PARTS:
        yield bytes.fromhex(dib) + (bytes.fromhex(vif) or data[9:10]), at, at + length


def _is_plausible(data: bytes) -> bool:
    """Whether the content of a plain record, from its sixth byte on, is one that a meter sends."""
    if data[9] not in _VIFS.get(data[8], ()):
        return False
    days = [data[at : at + 2] for at in (10, 16, 22)]
    if not all(day in _NO_DAYS or _is_of_this_half_century(day) for day in days):
        return False
    values = [data[at : at + 4] for at in (12, 18, 24)]
    if not all(value == _NO_VALUE or value.hex().isdecimal() for value in values):
        return False
    now, *earlier = [int(value[::-1].hex()) for value in values if value != _NO_VALUE] or [0]
    # An allocator begins anew each year. One that counts on has never shown more than now.
    return data[8] == _ALLOCATOR or values[0] == _NO_VALUE or all(value <= now for value in earlier)


def _is_of_this_half_century(sent: bytes) -> bool:
    day = date_g(sent)
    return day is not None and day.year < _LAST_YEAR


def _opened(frame: Frame, key: bytes | None) -> Frame:
    """The frame with its walk-by record opened; the frame itself where none is encrypted."""
    data = next(record.data for record in frame.records if record.header == _WALK_BY)
    if len(data) < _END or data[_MODE] != _AES:
        return frame
    head, encrypted, tail = data[:_MODE] + bytes((_PLAIN,)), data[_MODE + 1 : _END], data[_END:]
    if key is not None:
        if len(key) != _KEY_LENGTH:
            raise _fault(TelegramFault.KEY_UNUSABLE, "AES-128 asks for a key of 16 bytes.")
        vector = frame.envelope.raw[2:10] + data[_ACCESS_NUMBER : _ACCESS_NUMBER + 1] * 8
        opened = head + AES.new(key, AES.MODE_CBC, iv=vector).decrypt(encrypted) + tail
        if _is_plausible(opened):
            return frame.with_data(_WALK_BY, opened)
    in_clear = head + encrypted + tail
    if _is_plausible(in_clear):
        return frame.with_data(_WALK_BY, in_clear, in_clear=True)
    if key is None:
        raise _fault(TelegramFault.KEY_MISSING, "The walk-by record is encrypted and no key was given.")
    raise _fault(TelegramFault.KEY_WRONG, "The opened walk-by record is not one that a meter sends.")


def _fault(code: TelegramFault, message: str) -> TelegramError:
    return TelegramError(code, DecodeStage.SECURITY, message)


ENCRYPTED_RECORD: Final = EncryptedRecord(_WALK_BY, _opened)

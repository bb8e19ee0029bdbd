"""The record stream of the application layer: DIF, DIFEs, VIF, VIFEs, data; again and again.

In: an opened telegram and the offset where records begin. Out: `Content`: where each record stands and its
value, and where a maker's own data begin; `core.mbus.frame` makes a frame of it. The one rule: the stream
must end where the telegram ends; a stream that breaks the grammar yields no records at all, since after one
wrong length every value would be a guess. EN 13757-3 clause 6.

Headers repeat from telegram to telegram, so what a header means is worked out once and remembered.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import Struct

from core.mbus import units
from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.reader import Reader
from core.mbus.units import Correction, ValueUnit
from core.mbus.values import COUNTS, LENGTHS, Coding, decode_value, variable_length
from core.mbus.vocabulary import Function, Measurand, RecordValue

_FILLER: Final = 0x2F
_MANUFACTURER_DATA: Final = frozenset({0x0F, 0x1F})
_FUNCTIONS: Final = (Function.INSTANTANEOUS, Function.MAXIMUM, Function.MINIMUM, Function.ERROR_STATE)
_MOST_EXTENSIONS: Final = 10
_TEN: Final = Decimal(10)
# Of these the "unit" is what the meter calls it, or the maker's affair.
_TEXTS: Final = frozenset({Measurand.PLAIN_TEXT, Measurand.MANUFACTURER_SPECIFIC})
_OWN_CODES: Final = frozenset({Measurand.MANUFACTURER_SPECIFIC, Measurand.UNKNOWN})


class Record(Struct, frozen=True, gc=False):
    """One data record of EN 13757-3.

    Args:
        offset: the byte of the telegram where the DIF stands; for a compact frame, where the data stands.
        header: DIF, DIFEs, VIF and VIFEs as sent.
        data: the value as sent, without the LVAR byte of variable length fields.
        function, storage, tariff, subunit: the coordinates that DIF and DIFEs give.
        measurand: what is measured.
        unit: the unit of `value`: `"m3"`, `"kWh"`, `"C"` ...; empty when there is none.
        value: the scaled value; None when the meter says "no value", or sends what cannot be read.
        modifiers: the combinable VIFEs after the VIF, in order, extension bit removed; a correction of the
            scale (multiply by a power of ten) is applied to `value` and not listed.

    """

    offset: int
    header: bytes
    data: bytes
    function: Function
    storage: int
    tariff: int
    subunit: int
    measurand: Measurand
    unit: str
    value: RecordValue
    modifiers: tuple[int, ...] = ()


class Span(NamedTuple):
    """Where a record of a telegram stands.

    Args:
        offset: the byte of the telegram where the DIF stands; for a compact frame, where the data stands.
        header: DIF to last VIFE.
        start, stop: of its data, without the LVAR byte.
        lvar: the LVAR byte, where there is one.

    """

    offset: int
    header: bytes
    start: int
    stop: int
    lvar: int | None


@dataclass(frozen=True, slots=True)
class Content:
    """What the application layer held: the place and the value of each record, in the order sent.

    Args:
        spans, values: of the records.
        manufacturer_data_offset: the byte behind a DIF 0F or 1F, where a maker's own data begin.
        compact_signature: the format signature of a compact frame.

    """

    spans: tuple[Span, ...]
    values: tuple[RecordValue, ...]
    manufacturer_data_offset: int | None = None
    compact_signature: int | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a header says about the data that follow."""

    coding: int
    function: Function
    storage: int
    tariff: int
    subunit: int
    measurand: Measurand
    unit: str
    scale: Decimal | None
    addend: Decimal | None
    modifiers: tuple[int, ...]

    @property
    def coordinates(self) -> tuple[Measurand, int, int, int, Function, tuple[int, ...]]:
        """What distinguishes a record from the others of a telegram."""
        return self.measurand, self.storage, self.tariff, self.subunit, self.function, self.modifiers


def read_records(telegram: bytes, start: int) -> Content:
    """Reads records from `start` to the end.

    Raises:
        TelegramError: TRUNCATED or BAD_RECORD, stage APPLICATION.

    """
    reader = Reader(telegram, start, DecodeStage.APPLICATION)
    spans: list[Span] = []
    values: list[RecordValue] = []
    manufacturer_data: int | None = None
    while reader.left:
        offset = reader.position
        dif = telegram[offset]
        if dif == _FILLER:
            reader.position += 1
            continue
        if dif in _MANUFACTURER_DATA:
            manufacturer_data = offset + 1
            break
        read_data(reader, _read_header(reader), offset, spans, values)
    return Content(tuple(spans), tuple(values), manufacturer_data)


def split_headers(headers: bytes) -> tuple[bytes, ...]:
    """Cuts joined record headers apart.

    Raises:
        TelegramError: TRUNCATED or BAD_RECORD, stage APPLICATION.

    """
    reader = Reader(headers, 0, DecodeStage.APPLICATION)
    out: list[bytes] = []
    while reader.left:
        out.append(_read_header(reader))
    return tuple(out)


def _read_header(reader: Reader) -> bytes:
    start = reader.position
    dif = reader.byte()
    if dif & 0x0F == Coding.SPECIAL:
        raise _bad(f"DIF {dif:02X} is reserved.", start)
    _extensions(reader, dif)
    vif = reader.byte()
    if vif & 0x7F == units.PLAIN_TEXT:
        reader.take(reader.byte())
    _extensions(reader, vif)
    return reader.data[start : reader.position]


def _extensions(reader: Reader, byte: int) -> None:
    start = reader.position
    while byte & units.EXTENSION_BIT:
        byte = reader.byte()
        if reader.position - start > _MOST_EXTENSIONS:
            raise _bad("More than ten extension bytes follow one another.", start)


def read_data(
    reader: Reader, header: bytes, offset: int, spans: list[Span], values: list[RecordValue]
) -> None:
    """Reads the data that a header announces; adds their place and their value to the lists."""
    meaning = meaning_of(header)
    coding = meaning.coding
    lvar: int | None = None
    length: int | None = LENGTHS[coding]
    if coding == Coding.VARIABLE:
        lvar = reader.byte()
        length = variable_length(lvar)
        if length is None:
            raise _bad(f"LVAR {lvar:02X} is reserved.", offset)
    assert length is not None
    start = reader.position
    data = reader.take(length)
    spans.append(Span(offset, header, start, reader.position, lvar))
    values.append(value_of(meaning, data, lvar))


def value_of(meaning: Meaning, data: bytes, lvar: int | None) -> RecordValue:
    """The scaled value of a data field; `lvar` is the LVAR byte of a field of variable length."""
    if not units.COMPACT_PROFILES.isdisjoint(meaning.modifiers):
        return data  # a row of values: `core.mbus.profile` reads it
    if meaning.measurand is Measurand.UNKNOWN:
        return None
    value = decode_value(meaning.coding, data, meaning.measurand, lvar)
    if isinstance(value, str | bytes) and (meaning.measurand in COUNTS or _is_scaled(meaning)):
        return None  # text where a number is announced
    if meaning.scale is not None and isinstance(value, int | Decimal):
        value = value * meaning.scale
    if meaning.addend is not None and isinstance(value, int | Decimal):
        value = value + meaning.addend
    return value


def _is_scaled(meaning: Meaning) -> bool:
    return bool(meaning.unit) and meaning.measurand not in _TEXTS


@lru_cache(maxsize=4096)
def meaning_of(header: bytes) -> Meaning:
    """What a header (DIF to last VIFE) means; UNKNOWN as measurand when the tables do not hold its VIF."""
    dif = header[0]
    storage, tariff, subunit = dif >> 6 & 1, 0, 0
    position, extended = 1, dif & units.EXTENSION_BIT
    while extended:
        dife = header[position]
        step = position - 1
        storage |= (dife & 0x0F) << (1 + 4 * step)
        tariff |= (dife >> 4 & 0x03) << (2 * step)
        subunit |= (dife >> 6 & 0x01) << step
        position, extended = position + 1, dife & units.EXTENSION_BIT
    unit, rest = _unit_of(header[position:])
    exponent, addend, modifiers = _modifiers(unit, rest)
    for code in modifiers:
        if code in {units.MANUFACTURER, units.FURTHER_EXTENSION} or unit.measurand in _OWN_CODES:
            break
        if code in units.RESTATED:
            unit, exponent, addend = units.RESTATED[code], 0, None
            break
    return Meaning(
        coding=dif & 0x0F,
        function=_FUNCTIONS[dif >> 4 & 0x03],
        storage=storage,
        tariff=tariff,
        subunit=subunit,
        measurand=unit.measurand,
        unit=unit.unit,
        scale=_TEN**exponent if unit.unit or exponent else None,
        addend=addend,
        modifiers=modifiers,
    )


def _unit_of(vib: bytes) -> tuple[ValueUnit, bytes]:
    """The unit, and the VIFEs that qualify it."""
    vif = vib[0] & 0x7F
    if vif == units.PLAIN_TEXT:
        text = vib[2 : 2 + vib[1]]
        return ValueUnit(Measurand.PLAIN_TEXT, text[::-1].decode("latin-1")), vib[2 + vib[1] :]
    extended = bool(vib[0] & units.EXTENSION_BIT)
    if extended and vif in {units.FIRST_EXTENSION, units.SECOND_EXTENSION}:
        table = units.FIRST if vif == units.FIRST_EXTENSION else units.SECOND
        return table.get(vib[1] & 0x7F, units.UNKNOWN), vib[2:]
    return units.PRIMARY.get(vif, units.UNKNOWN), vib[1:]


def _modifiers(unit: ValueUnit, vifes: bytes) -> tuple[int, Decimal | None, tuple[int, ...]]:
    codes = [byte & 0x7F for byte in vifes]
    if unit.measurand is Measurand.MANUFACTURER_SPECIFIC:
        return 0, None, tuple(codes)
    exponent, addend = unit.exponent, None
    kept: list[int] = []
    for index, code in enumerate(codes):
        if code in {units.MANUFACTURER, units.FURTHER_EXTENSION}:
            # What follows is in the maker's table, or in one that is not read here: it may change the
            # meaning.
            return exponent, addend, (*kept, *codes[index:])
        correction: Correction | None = units.CORRECTIONS.get(code)
        if correction is None:
            kept.append(code)
        elif correction.addend_exponent is None:
            exponent += correction.exponent
        else:
            addend = _TEN ** (correction.addend_exponent + unit.exponent)
    return exponent, addend, tuple(kept)


def _bad(message: str, offset: int) -> TelegramError:
    return TelegramError(TelegramFault.BAD_RECORD, DecodeStage.APPLICATION, message, offset=offset)

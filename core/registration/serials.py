"""The possible readings of a serial that a resident typed, and the meters that match.

In: the text, the drivers' serial formats, and meters as described. Out: the meters it names. The one rule:
the readings of a text are tried one level after the other and the first level with a match decides;
look-alikes are exchanged only where the text as typed matches nothing, and no digit is ever dropped.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.consumption.fluids import Fluid
from core.metering import SerialFormat, normalise_serial
from core.registration.look_alikes import readings

NINE_DIGITS = re.compile(r"\d{9}", re.ASCII)
_DIN = re.compile(r"[0-9A-F][A-Z]{3}[0-9A-Z]{2}(\d{8})", re.ASCII)
_RADIO_DIGITS = 8
LONGEST_SERIAL = 64


@dataclass(frozen=True, slots=True)
class KnownMeter:
    """A meter as described; `key` is the normalised printed serial."""

    meter_id: int
    dwelling_id: int
    residence_id: int
    fluid: Fluid
    vendor: str
    key: str


def is_nine_digits(text: str) -> bool:
    """Whether an operator that accepts only nine digits accepts this (R-145), look-alikes forgiven."""
    typed = normalise_serial(text[:LONGEST_SERIAL])
    return any(NINE_DIGITS.fullmatch(read) for read in (typed, *readings(typed)))


def readings_of(text: str, formats: Iterable[SerialFormat]) -> tuple[frozenset[str], ...]:
    """The serials a text may stand for, level by level; empty for a text that is none."""
    normalised = normalise_serial(text[:LONGEST_SERIAL])
    if not normalised or len(text) > LONGEST_SERIAL:
        return ()
    known = tuple(formats)
    levels = [_forms(normalised, known)]
    din = _DIN.fullmatch(normalised)
    if din is not None:
        levels.append(_forms(din[1], known))
    levels.append(_lookalikes(normalised, known))
    return tuple(level for level in levels if level)


def named_by(text: str, meters: Sequence[KnownMeter], formats: dict[str, SerialFormat]) -> list[KnownMeter]:
    """The meters that a text names.

    Args:
        text: as typed.
        meters: among which.
        formats: driver name -> how that vendor prints serials.
    """
    for level in readings_of(text, formats.values()):
        found = [meter for meter in meters if level & _forms(meter.key, _own(meter, formats))]
        if found:
            return found
    return []


def _own(meter: KnownMeter, formats: dict[str, SerialFormat]) -> tuple[SerialFormat, ...]:
    return (formats[meter.vendor],) if meter.vendor in formats else ()


def _forms(normalised: str, formats: Iterable[SerialFormat]) -> frozenset[str]:
    """The text itself, its canonical form in each format it has, and numbers without their leading zeros."""
    forms = {normalised} | {
        format_.normalise(normalised) for format_ in formats if format_.matches(normalised)
    }
    numeric = {form for form in forms if form.isdecimal()}
    return frozenset(forms | {form.zfill(_RADIO_DIGITS) for form in numeric})


def _lookalikes(normalised: str, formats: Iterable[SerialFormat]) -> frozenset[str]:
    """What the text is with look-alikes exchanged, wherever that gives a number as some vendor prints it.

    All of them: where two meters are meant the caller has two, and picks neither.
    """
    known = tuple(formats)
    found: set[str] = set()
    for read in readings(normalised):
        din = _DIN.fullmatch(read)
        for number in (read, din[1]) if din is not None else (read,):
            for format_ in known:
                if re.fullmatch(format_.pattern, number, re.ASCII) is not None:
                    found |= _forms(number, (format_,))
    return frozenset(found)

"""The possible readings of a serial that a resident typed, and the meters that match.

In: the text, the drivers' serial formats, and meters as described. Out: the meters it names. The one rule:
the readings of a text are tried one level after the other and the first level with a match decides; letters
that look like digits are read so only where the text as typed matches nothing, and no digit is ever dropped.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.consumption.fluids import Fluid
from core.metering import SerialFormat, normalise_serial

NINE_DIGITS = re.compile(r"\d{9}", re.ASCII)
_DIN = re.compile(r"[0-9A-F][A-Z]{3}[0-9A-Z]{2}(\d{8})", re.ASCII)
_DIGIT_LOOKALIKES = str.maketrans("OILSB", "01158")
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
    """Whether an operator that accepts only nine digits accepts this (R-145)."""
    return NINE_DIGITS.fullmatch(normalise_serial(text[:LONGEST_SERIAL])) is not None


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
    # H8CAO2962O: the text matches afterwards only where a driver's pattern requires a digit in that place.
    levels.append(frozenset().union(*(_lookalikes(normalised, format_) for format_ in known)))
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


def _lookalikes(normalised: str, format_: SerialFormat) -> set[str]:
    """The text with letters read as digits at every place where the format's example has a digit."""
    example = normalise_serial(format_.example)
    if len(example) != len(normalised):
        return set()
    pairs = zip(normalised, example, strict=True)
    read = "".join(
        typed.translate(_DIGIT_LOOKALIKES) if shown.isdecimal() else typed for typed, shown in pairs
    )
    return {format_.normalise(read)} if read != normalised and format_.matches(read) else set()

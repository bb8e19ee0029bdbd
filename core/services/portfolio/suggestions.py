"""What a value of a list may have been meant to be: the nearest name, vendor or serial.

In: a value that nothing knows. Out: an end for a sentence, or the sentence. The one rule: a suggestion is
never taken by itself; people decide.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import product
from typing import Final

from core.metering import MeterDriver, Registry, normalise_serial

_LOOKALIKES: Final = {
    "O": "0",
    "0": "O",
    "I": "1",
    "L": "1",
    "1": "I",
    "S": "5",
    "5": "S",
    "B": "8",
    "8": "B",
}
_SAME: Final = str.maketrans("OILSB", "01158")
_MOST_LOOKALIKES: Final = 8
"""Signs of a serial that are tried both ways: 256 forms."""

GENERIC: Final = "generic"
"""The driver of meters that no vendor's driver claims."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing. What differs in look-alikes alone is nearest: AA00l is AA001."""
    by_name = {one.casefold(): one for one in known}
    typed = _alike(given)
    alike = sorted(one for one in by_name.values() if typed and _alike(one) == typed)
    if alike:
        return f"; did you mean {alike[0]!r}?"
    near = get_close_matches(given.casefold(), by_name, n=1, cutoff=0.6)
    return f"; did you mean {by_name[near[0]]!r}?" if near else ""


def _alike(text: str) -> str:
    """A text with each of its look-alikes as the same sign."""
    return normalise_serial(text).translate(_SAME)


def vendor_fault(registry: Registry, vendor: str) -> str:
    """Why this is no vendor, and which ones there are."""
    names = sorted({GENERIC} | {loaded.driver.name for loaded in registry.drivers})
    meant = did_you_mean(vendor, names)
    return (
        f"no driver is called {vendor!r}{meant}; there are {', '.join(names)}"
        f" ({GENERIC}: meters that follow the standard and have no driver of their own)"
    )


def serial_fault(registry: Registry, driver: MeterDriver, serial: str) -> str | None:
    """Why this is no serial of a vendor, and what may be meant; None if it is one."""
    if driver.serial.matches(serial):
        return None
    reason = f"a serial of {driver.name} looks like {driver.serial.example}"
    meant = next((form for form in _forms(normalise_serial(serial)) if driver.serial.matches(form)), None)
    if meant is not None:
        return f"{reason}; did you mean {meant!r}?"
    others = sorted(
        other.name
        for other in (loaded.driver for loaded in registry.drivers)
        if other.name not in {driver.name, GENERIC} and other.serial.matches(serial)
    )
    return f"{reason}; this one looks like a serial of {', '.join(others)}" if others else reason


def address_of(driver: MeterDriver, serial: str) -> str:
    """The radio address that a serial gives; nothing where the vendor's serials do not."""
    if driver.serial.to_address is None or not driver.serial.matches(serial):
        return ""
    found = driver.serial.to_address(driver.serial.normalise(serial))
    return "" if found is None else str(found)


def _forms(serial: str) -> Iterable[str]:
    """A serial with its look-alikes exchanged, those with few exchanges first."""
    at = [place for place, sign in enumerate(serial) if sign in _LOOKALIKES]
    if not at or len(at) > _MOST_LOOKALIKES:
        return
    for exchanged in sorted(product((False, True), repeat=len(at)), key=sum):
        signs = list(serial)
        for place, is_exchanged in zip(at, exchanged, strict=True):
            if is_exchanged:
                signs[place] = _LOOKALIKES[signs[place]]
        yield "".join(signs)

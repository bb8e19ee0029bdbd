"""How a vendor prints the number of a meter, and what that has to do with its radio address.

In: what a person typed from the device. Out: the canonical printed serial, or ValueError; and the radio
address, where the vendor has a rule. The one rule: no family of meters has a usable check digit, so nothing
here ever corrects a digit; a text either has the shape or it has not (R-052, R-145).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from core.mbus.address import Address
from core.sanitize import normalise_serial


@dataclass(frozen=True, slots=True)
class SerialFormat:
    """The printed serial of a family of meters.

    Args:
        pattern: regular expression that the normalised text matches in full.
        example: one serial as printed, for help texts.
        canonical: normalised text -> the one form that is stored (the Sappel year is padded, for instance).
        to_address: canonical serial -> radio address, where the vendor's numbers give it.
        from_address: radio address -> canonical serial, where the vendor's numbers give it.

    """

    pattern: str
    example: str
    canonical: Callable[[str], str] | None = None
    to_address: Callable[[str], Address | None] | None = None
    from_address: Callable[[Address], str | None] | None = None

    def matches(self, text: str) -> bool:
        """True when the text, once normalised, has this shape."""
        return re.fullmatch(self.pattern, normalise_serial(text), re.ASCII) is not None

    def normalise(self, text: str) -> str:
        """The canonical form; `ValueError` when the text has not this shape. Idempotent."""
        normalised = normalise_serial(text)
        if re.fullmatch(self.pattern, normalised, re.ASCII) is None:
            raise ValueError(f"A serial of this kind looks like {self.example}.")
        return self.canonical(normalised) if self.canonical is not None else normalised

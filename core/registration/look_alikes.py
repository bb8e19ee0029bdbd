"""Characters that people confuse on a label: O and 0, I or L and 1, S and 5, B and 8.

In: a text, normalised. Out: the texts that it may have been meant for. The one rule: nothing is added, left
out or changed into anything but its look-alike; whether a reading is a number at all is the caller's to say.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from types import MappingProxyType

_DIGITS: Mapping[str, str] = MappingProxyType({"O": "0", "I": "1", "L": "1", "S": "5", "B": "8"})
_BOTH: Mapping[str, str] = MappingProxyType({**_DIGITS, "0": "O", "1": "IL", "5": "S", "8": "B"})
MOST_READINGS = 1_024
"""More than any serial of a label has; of a longer text only letters are read as digits, or nothing is."""


def readings(text: str) -> Iterator[str]:
    """The other texts that one may stand for; none for a text with too many look-alikes to be a number."""
    for pairs in (_BOTH, _DIGITS):
        choices = [character + pairs.get(character, "") for character in text]
        if prod(len(choice) for choice in choices) <= MOST_READINGS:
            yield from ("".join(read) for read in product(*choices) if "".join(read) != text)
            return

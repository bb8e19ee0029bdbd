"""Addresses as people type them against addresses as they are stored.

In: postcode and street, both ways. Out: whether they match. The one rule: case, accents, apostrophes and
commas are ignored, since lists write RUE DE LA GARNISON,34300 LE CAP D AGDE (R-177); every word that was
typed must occur in the address.
"""

import re
import unicodedata

from core.registration.refusals import RefusalCode, refused

SHORTEST_STREET = 3
LONGEST_TYPED = 120
LONGEST_POSTCODE = 10
_POSTCODE = re.compile(rf"[0-9A-Z]{{3,{LONGEST_POSTCODE}}}", re.ASCII)
_WORD = re.compile(r"[0-9A-Z]+", re.ASCII)


def words_of(text: str) -> list[str]:
    """The words of an address without case, accents and marks."""
    plain = unicodedata.normalize("NFKD", text[:LONGEST_TYPED].upper())
    return _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))


def checked_search(postcode: str, street: str) -> tuple[frozenset[str], list[str]]:
    """The spellings of a postcode (`00950`, `00-950`, `00 950`) and the words of a street to be searched for.

    Raises:
        RegistrationRefused: VALUE_INVALID for a text that is no postcode, VALUE_REQUIRED for a street of
            fewer than three letters, which would list whole towns.
    """
    parts = words_of(postcode)
    if _POSTCODE.fullmatch("".join(parts)) is None:
        raise refused(RefusalCode.VALUE_INVALID, "postcode")
    words = words_of(street)
    if sum(len(word) for word in words) < SHORTEST_STREET:
        raise refused(RefusalCode.VALUE_REQUIRED, "street")
    spelled = (mark.join(parts) for mark in ("", " ", "-"))
    return frozenset(code for code in spelled if len(code) <= LONGEST_POSTCODE), words


def fits(words: list[str], address: str) -> bool:
    """Whether each word begins a word of the address."""
    there = words_of(address)
    return all(any(known.startswith(word) for known in there) for word in words)

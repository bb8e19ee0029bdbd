"""The code of an issued paper: what is printed on it, and what people type to have it verified.

In: randomness, or a text as it was typed. Out: sixteen signs, shown in four groups, or nothing. The one rule:
80 random bits, so that nobody finds a paper by trying; and what is read wrongly from paper is forgiven. The
alphabet is Crockford's Base32, which has no I, L, O and U: O is read as 0, I and L as 1, U as V.
"""

import re
import secrets
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 16
_GROUP: Final = 4
_FORGIVEN: Final = str.maketrans("OILU", "011V")
_SEPARATORS: Final = re.compile(r"[\s\-\u00ad\u2010-\u2015\u2212._]+")
"""Spaces and whatever a keyboard or a word processor makes of a hyphen."""


def new_code() -> str:
    """Five bits a sign."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def shown(code: str) -> str:
    """`4Q7H-0ZKD-9M2X-TB5E`, as it is printed."""
    return "-".join(code[place : place + _GROUP] for place in range(0, len(code), _GROUP))


def read(text: str) -> str | None:
    """The code that was typed; None for a text that is none."""
    if len(text) > 100:
        return None
    code = _SEPARATORS.sub("", text).upper().translate(_FORGIVEN)
    return code if len(code) == LENGTH and all(sign in ALPHABET for sign in code) else None

"""The language of a reader who is not signed in: `Accept-Language` (RFC 9110 §12.5.4).

In: the header. Out: a language of the portal. The one rule: the header is a wish and never an error; what
cannot be read of it is passed over, and where nothing fits the portal's first language is answered.

Ranges are compared as in the lookup of RFC 4647 §3.4: `en-GB` is answered in English. `*` stands for what
no other range names, and a weight of 0 excludes.
"""

import re
from typing import Final

from core.language import Language

FIRST: Final = Language.FR
"""The language of the operators' own guides, for readers who accept any."""

MOST_RANGES: Final = 20
LONGEST_HEADER: Final = 1_000

_ENTRY = re.compile(
    r"[ \t]*(?P<range>\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)"
    r"(?:[ \t]*;[ \t]*[qQ]=(?P<weight>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?[ \t]*",
    re.ASCII,
)


def preferred(header: str) -> Language:
    """The language that the reader likes best; of equal ones, the one that is named first."""
    weights: dict[str, float] = {}
    for entry in header[:LONGEST_HEADER].split(",")[:MOST_RANGES]:
        found = _ENTRY.fullmatch(entry)
        if found is not None:
            primary = found["range"].partition("-")[0].lower()
            weights.setdefault(primary, 0.0)
            weights[primary] = max(weights[primary], float(found["weight"] or 1))
    rest = weights.get("*", 0.0)
    order = {language: number for number, language in enumerate(_named(weights))}
    liked = [(weights.get(language, rest), language) for language in order]
    best, chosen = max(liked, key=lambda one: (one[0], -order[one[1]]))
    if best > 0:
        return chosen
    return next((language for language in (FIRST, *Language) if language not in weights), FIRST)


def _named(weights: dict[str, float]) -> list[Language]:
    """The portal's languages: those that the header names, in its order, then the others."""
    named = [Language(name) for name in weights if name in set(Language)]
    return list(dict.fromkeys([*named, FIRST, *Language]))

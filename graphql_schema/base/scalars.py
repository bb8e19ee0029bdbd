"""Scalars that GraphQL lacks: integers beyond 32 bits, and calendar months.

In and out: JSON numbers and texts. The one rule: what is read back is what was written, so an integer that
a JSON reader could round (beyond 2^53 - 1, RFC 8259 §6) is refused rather than sent.
"""

import re
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from core.consumption import Month

LARGEST_EXACT = 2**53 - 1
"""The largest integer that every JSON reader keeps exact. In watt-hours, 9,007 TWh."""

_MONTH = re.compile(r"(19|2\d)\d\d-(0[1-9]|1[0-2])", re.ASCII)

BigInt = NewType("BigInt", int)


def _exact(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_EXACT:
        raise GraphQLError(
            f"BigInt cannot represent {value!r}: a whole number of at most 53 bits is expected."
        )
    return value


def _month(value: object) -> Month:
    if not isinstance(value, str) or not _MONTH.fullmatch(value):
        raise GraphQLError(f"Month cannot represent {value!r}: a text like 2026-01 is expected.")
    return Month(int(value[:4]), int(value[5:]))


SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number that may exceed 32 bits, as a JSON number (at most 2^53 - 1). In code: "
        "`number` (TypeScript), `int` (Python), `Long` (Java, Kotlin).",
        serialize=_exact,
        parse_value=_exact,
    ),
    Month: strawberry.scalar(
        name="Month",
        description="A calendar month, ISO 8601: `2026-01`. In code: `string` (TypeScript), `str` (Python), "
        "`YearMonth` (Java, Kotlin).",
        serialize=str,
        parse_value=_month,
    ),
}

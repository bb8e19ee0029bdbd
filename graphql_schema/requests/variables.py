"""How many values the variables of an operation may hold, counted before they are coerced.

In: variables as JSON. Out: nothing, or a refusal. The one rule: the walk stops at the limit, so it costs no
more than what is allowed; graphql-core coerces each value at some 5 µs, and only those that are few enough.
"""

from collections.abc import Mapping
from typing import Any, Final

from graphql import GraphQLError

from graphql_schema.requests.introspection import TOO_LARGE

MOST_VALUES: Final = 1_000
"""Of all but gateways. The longest lists of the schema's arguments have a few dozen entries."""

MOST_GATEWAY_VALUES: Final = 4_000
"""2,000 lines, and as many again, which are refused as what they are: too many lines."""

DEEPEST: Final = 16


def excess_of(variables: Mapping[str, Any] | None, most: int) -> GraphQLError | None:
    """Why variables are too many values, or too deep; None if they are not."""
    count = 0
    pending: list[tuple[object, int]] = [(variables or {}, 0)]
    while pending:
        value, depth = pending.pop()
        if depth > DEEPEST:
            return _error(f"variables are at most {DEEPEST} levels deep", DEEPEST)
        if isinstance(value, dict | list):
            count += len(value)
            if count > most:
                return _error(f"variables hold at most {most} values", most)
            items = value.values() if isinstance(value, dict) else value
            pending.extend((item, depth + 1) for item in items if isinstance(item, dict | list))
    return None


def _error(limit: str, number: int) -> GraphQLError:
    return GraphQLError(
        f"The operation is too large: {limit}.", extensions={"code": TOO_LARGE, "limit": number}
    )

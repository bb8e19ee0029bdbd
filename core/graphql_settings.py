"""What the GraphQL API allows: points by role, the documents that it trusts, the sites that may call it.

In: the variables `SUBMETER_GRAPHQL_*`, without that prefix. Out: one frozen value. The one rule: a setting
names only what differs: roles that it does not name keep their default.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ANONYMOUS = "ANONYMOUS"
"""Whoever sends no token, or one that is unknown."""

ROLES = (ANONYMOUS, "RESIDENT", "MANAGER", "STAFF", "ANALYST", "GATEWAY")
"""Whose points are counted; a role that is not named here has a resident's."""

QUERY_POINTS: Mapping[str, int] = {
    ANONYMOUS: 6_000,
    "RESIDENT": 100_000,
    "MANAGER": 100_000,
    "STAFF": 100_000,
    "ANALYST": 100_000,
    "GATEWAY": 20_000,
}
"""Points of one operation. A point is a field of the answer, counted before anything is read."""

HOUR_POINTS: Mapping[str, int] = {
    ANONYMOUS: 2_000_000,
    "RESIDENT": 5_000_000,
    "MANAGER": 20_000_000,
    "STAFF": 20_000_000,
    "ANALYST": 20_000_000,
    "GATEWAY": 20_000_000,
}
"""Points of an hour, of an account, a gateway, or (ANONYMOUS) an address."""

ANY, PORTAL, TRUSTED = ALLOWED = ("ANY", "PORTAL", "TRUSTED")
"""Whose documents are run: any; of people only trusted ones; of everybody only trusted ones."""

BODY_BYTES = 65_536
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
MOST_QUERY_POINTS = 100_000
"""Of one operation, whoever asks: some 20 µs of CPU each."""

_MOST_POINTS = 10**9


class GraphQLSettingError(Exception):
    """A value that cannot be read; `name` is that of the variable, without the prefix."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class GraphQLSettings:
    """The settings of the GraphQL API.

    Attributes:
        query_points: what one operation may cost, by role.
        hour_points: what the operations of an hour may cost, by role.
        body_bytes: the largest body, but for a gateway's telegrams.
        documents: a folder of documents, or a file of them by their ids, that are trusted.
        allowed: whose documents need not be trusted (`ALLOWED`).
        origins: sites beside the API's own whose pages may call it.
        graphiql: whether browsers are given GraphiQL.
    """

    query_points: Mapping[str, int] = field(default_factory=lambda: QUERY_POINTS)
    hour_points: Mapping[str, int] = field(default_factory=lambda: HOUR_POINTS)
    body_bytes: int = BODY_BYTES
    documents: Path | None = None
    allowed: str = ANY
    origins: tuple[str, ...] = ()
    graphiql: bool = True

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "GraphQLSettings":
        """The settings that differ from the defaults as these texts say.

        Raises:
            GraphQLSettingError: a text cannot be read.
        """
        allowed = (given.get("ALLOWED") or ANY).strip().upper()
        if allowed not in ALLOWED:
            raise GraphQLSettingError("ALLOWED", f"must be one of {', '.join(ALLOWED)}")
        documents = given.get("DOCUMENTS", "").strip()
        if allowed != ANY and not documents:
            raise GraphQLSettingError("DOCUMENTS", f"must be set where ALLOWED is {allowed}")
        if documents and not Path(documents).exists():
            raise GraphQLSettingError("DOCUMENTS", "must name a folder or a file that exists")
        return cls(
            query_points=_by_role(given, "QUERY_POINTS", QUERY_POINTS, MOST_QUERY_POINTS),
            hour_points=_by_role(given, "HOUR_POINTS", HOUR_POINTS, _MOST_POINTS),
            body_bytes=_number("BODY_BYTES", given.get("BODY_BYTES", ""), BODY_BYTES, 1 << 14, 1 << 20),
            documents=Path(documents).absolute() if documents else None,
            allowed=allowed,
            origins=_origins(given.get("ORIGINS", "")),
            graphiql=_switch("GRAPHIQL", given.get("GRAPHIQL", "")),
        )

    def points_of(self, role: str) -> tuple[int, int]:
        """What one operation may cost, and those of an hour."""
        known = role if role in self.query_points else "RESIDENT"
        return self.query_points[known], self.hour_points[known]


def _by_role(
    given: Mapping[str, str], name: str, defaults: Mapping[str, int], most: int
) -> Mapping[str, int]:
    """`ROLE=points` with commas or spaces between them."""
    points = dict(defaults)
    for entry in given.get(name, "").replace(",", " ").split():
        role, _, number = entry.partition("=")
        if role.upper() not in ROLES:
            raise GraphQLSettingError(name, f"must be ROLE=points, of the roles {', '.join(ROLES)}")
        points[role.upper()] = _number(name, number, 0, 1, most)
    return points


def _number(name: str, text: str, default: int, at_least: int, at_most: int) -> int:
    text = text.strip()
    if not text and default:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 12 and at_least <= int(text) <= at_most):
        raise GraphQLSettingError(name, f"must be a whole number from {at_least} to {at_most}")
    return int(text)


def _switch(name: str, text: str) -> bool:
    """Whether something is on, which is the default."""
    if text.strip().upper() not in {"", "ON", "OFF"}:
        raise GraphQLSettingError(name, "must be ON or OFF")
    return text.strip().upper() != "OFF"


def _origins(text: str) -> tuple[str, ...]:
    """Origins as browsers send them; `*` is none, since a session's cookie may come with the request."""
    origins = tuple(text.replace(",", " ").lower().split())
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        message = "must name origins such as https://portal.example.org, without a path; * is none"
        raise GraphQLSettingError("ORIGINS", message)
    return origins

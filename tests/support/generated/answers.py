"""Sends generated operations and looks at each answer.

In: a seat, and queries. Out: how many were answered with data, with which codes the others were refused, and
what must not be: an internal error, something of another, an aggregate below the floor. The one rule: every
value of an answer is looked at, wherever it stands.
"""

import gc
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from core.access.floor import COUNTS_TO, FLOOR
from tests.support.generated.people import Seat

_COLLECTED_EVERY = 50
"""Operations. When a field fails, graphql-core cancels the coroutines beside it, some before they began; the
collector would report what these held wherever it happens to run.
"""
_COUNTED = ("dwellings", "leaks", "meters", "meterDays")
_NUMBER = re.compile(r"(?<=[a-zA-Z0-9])_[0-9]+$")
_SERVER_FAULT = 500


@dataclass(slots=True)
class Tally:
    """What became of a seat's operations.

    Attributes:
        fields: the names of those that had a value.
        sent: forbidden texts that the seat has sent itself, in a name for example.
    """

    operations: int = 0
    with_data: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    fields: set[str] = field(default_factory=set)
    aggregates: int = 0
    faults: list[str] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)


async def tally(client: Any, seat: Seat, operations: Iterable[str]) -> Tally:
    """Send these operations as this seat."""
    found = Tally()
    headers = {} if seat.token is None else {"Authorization": f"Bearer {seat.token}"}
    gc.disable()
    try:
        for query in operations:
            response = await client.post("/graphql", json={"query": query}, headers=headers)
            found.operations += 1
            if response.status_code >= _SERVER_FAULT:
                found.faults.append(f"{seat.name}: status {response.status_code} for {query}")
            else:
                _look(found, seat, query, response.json())
            if found.operations % _COLLECTED_EVERY == 0:
                gc.collect()
    finally:
        gc.enable()
        gc.collect()
    return found


def _look(found: Tally, seat: Seat, query: str, answer: dict[str, Any]) -> None:
    errors = answer.get("errors", [])
    for error in errors:
        code = error.get("extensions", {}).get("code", "none")
        found.refusals[code] += 1
        if code in {"INTERNAL", "none"}:
            found.faults.append(f"{seat.name}: {code} at {error.get('path')} for {query}")
    values = list(_values(answer.get("data"), ""))
    found.with_data += any(value is not None and name != "__typename" for name, value in values)
    found.fields.update(name for name, value in values if value is not None)
    found.sent.update(text for text in seat.texts if text in query)
    texts = {value for _, value in values if isinstance(value, str)}
    texts |= {str(error["message"]) for error in errors if str(error["message"]) not in query}
    strange = texts & seat.ids
    strange |= {text for text in seat.texts - found.sent if any(text in value for value in texts)}
    if strange:
        found.faults.append(f"{seat.name}: shows {sorted(strange)} for {query}")
    if seat.is_analyst:
        _look_at_counts(found, query, values)


def _look_at_counts(found: Tally, query: str, values: list[tuple[str, Any]]) -> None:
    counts = [value for name, value in values if name in _COUNTED and isinstance(value, int)]
    found.aggregates += len(counts)
    if any(count < FLOOR or count % COUNTS_TO for count in counts):
        found.faults.append(f"analyst: an aggregate of {sorted(counts)} for {query}")


def _values(answer: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Each value with the name of its field, whose alias is the name and a number."""
    if isinstance(answer, dict):
        for alias, value in answer.items():
            yield from _values(value, _NUMBER.sub("", alias))
    elif isinstance(answer, list):
        for one in answer:
            yield from _values(one, name)
    else:
        yield name, answer

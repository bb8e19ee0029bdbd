"""Fixtures of the simulator's tests: our own vectors, and anchors on difficult calendar days."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
_PLACES = (_ROOT / "tests/data/own_vectors.json", _ROOT.parent / "shared/wmbus/own_vectors.json")
ANCHORS = (
    datetime(2026, 11, 22, 9, tzinfo=UTC),
    datetime(2026, 3, 1, 5, tzinfo=UTC),  # the first of a month, after a short one
    datetime(2026, 10, 26, 0, tzinfo=UTC),  # an hour into the day after the clock went back
    datetime(2027, 1, 2, 23, tzinfo=UTC),  # already the 3rd in Paris
    datetime(2028, 2, 29, 12, tzinfo=UTC),  # a day that last year did not have
    datetime(2026, 4, 4, 6, tzinfo=UTC),  # three whole days in the month, the clock gone forward a week ago
)


@pytest.fixture(scope="session")
def own_vectors() -> Mapping[str, Mapping[str, Any]]:
    for place in _PLACES:
        if place.exists():
            return {record["id"]: record for record in json.loads(place.read_text())["records"]}
    return pytest.skip("own_vectors.json is not at hand")


@pytest.fixture(params=ANCHORS, ids=lambda anchor: f"{anchor:%Y-%m-%dT%H}")
def anchor(request: pytest.FixtureRequest) -> datetime:
    return request.param

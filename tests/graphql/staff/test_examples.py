"""The examples of GraphiQL for staff, asked by staff who are ready."""

from pathlib import Path
from typing import Any

import pytest

from tests.support import seats

FOLDER = Path(__file__).parents[3] / "graphiql/examples/staff"
EXAMPLES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.graphql"))}


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example_is_answered(estate: Any, portal: Any, name: str) -> None:
    """Without an error."""
    await seats.staff(portal, estate)
    assert await portal.ask(EXAMPLES[name])

"""An analyst, and an operator whose October is published."""

from typing import Any

import pytest

from core.access import Role
from core.services.analysis.publication import publish_due
from tests.support import factories
from tests.support.analyses import OCTOBER, Home, add_leak, add_residence, enter

ANALYST = "analyst@example.org"


@pytest.fixture
async def analyst(portal: Any, now: Any) -> Any:
    """An analyst who is signed in. Residence A has 13 homes of two sizes, residence =B() only four."""
    small, large = Home(100, 35), Home(300, 120)
    await factories.account(email=ANALYST, role=Role.ANALYST)
    meters = await add_residence("A", [small] * 6 + [large] * 7)
    await add_residence("=B()", [large] * 4)
    for place in range(6):
        await add_leak(meters[place], OCTOBER.first_day, OCTOBER.first_day.replace(day=5))
    await publish_due(now=now)
    await enter(portal, ANALYST)
    return portal

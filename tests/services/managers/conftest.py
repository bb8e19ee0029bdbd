"""A manager of Claire's residence, and one of nowhere."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest

from core.access import SYSTEM, Role, Viewer
from core.bootstrap import Application
from core.models import Dwelling, Occupancy, OccupancyKind, Residence
from core.services.places.key_encryption import KeyEncryption
from core.services.places.managed_residences import grant_residence
from tests.support import factories
from tests.support.factories import NOW

MANAGER = "gestion@example.org"


@pytest.fixture
async def manager(application: Application, key_encryption: KeyEncryption) -> Viewer:
    """The manager of AA000, where Claire has lived in dwelling 12 since February 2024."""
    await factories.residence(key_encryption, factories.meter())
    number = await factories.account(email=MANAGER, role=Role.MANAGER)
    await grant_residence(SYSTEM, email=MANAGER, operator_code="ocea", residence_code="AA000", now=NOW)
    return Viewer(role=Role.MANAGER, account_id=number)


@pytest.fixture
async def stranger(manager: Viewer) -> Viewer:
    """A manager who has no residence."""
    number = await factories.account(email="autre@example.org", role=Role.MANAGER)
    return Viewer(role=Role.MANAGER, account_id=number)


@pytest.fixture
def add_home(manager: Viewer) -> Callable[..., Awaitable[int]]:
    """Adds a dwelling to the residence, with an occupant without an account from a day on."""

    async def add(number: str, since: date | None = None, until: date | None = None, **more: Any) -> int:
        residence = await Residence.get()
        home = await Dwelling.create(residence_id=residence.id, number=number, **more)
        if since is not None:
            await Occupancy.create(
                dwelling_id=home.id, kind=OccupancyKind.TENANT, move_in=since, move_out=until
            )
        return int(home.id)

    return add

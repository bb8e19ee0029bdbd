"""Who may look at Claire's home, each with a session that is ready.

In: a seat's name. Out: the portal, signed in as its holder. The one rule: a seat is made through the
services and rows that its role has in production; nobody but the operator's own staff sees the operator's
places.
"""

from datetime import date
from typing import Any

from tortoise.transactions import in_transaction

from core.access import NOBODY, SYSTEM, Role, Viewer
from core.consumption.fluids import Fluid
from core.consumption.resolutions import Resolution
from core.models import Account, Dwelling, HouseholdMember, Occupancy, OccupancyKind, Operator
from core.services.auth.sessions import open_session
from core.services.places.managed_residences import grant_residence
from core.services.portfolio.portfolio import upsert_operator
from core.services.privacy.grants import GrantAsked, issue_grant
from tests.support import factories
from tests.support.factories import NOW

CLAIRE = "claire.martin@example.org"
OTHER_OPERATOR = "ista"


async def enter(portal: Any, application: Any, email: str) -> Any:
    """The portal with a session of this account that has done everything the sign-in asks for."""
    account = await Account.get(email=email).select_related("operator")
    if account.role is not Role.RESIDENT:
        await Account.filter(email=email).update(second_factor_since=NOW, second_factor_encrypted=b"x")
        account = await Account.get(email=email).select_related("operator")
    now = portal.clock.now
    async with in_transaction() as connection:
        opened = await open_session(
            connection, application, account, visitor=NOBODY, second_factor_at=now, now=now
        )
    portal.token = opened.token
    return portal


async def manager(portal: Any, application: Any, *, residence: str | None = "AA000") -> Any:
    """A manager of a residence, or of none."""
    email = f"manager.{residence}@example.org"
    await factories.account(email=email, role=Role.MANAGER)
    if residence is not None:
        operator = factories.OPERATOR
        await grant_residence(SYSTEM, email=email, operator_code=operator, residence_code=residence, now=NOW)
    return await enter(portal, application, email)


async def staff(portal: Any, application: Any, *, operator: str = factories.OPERATOR) -> Any:
    """A member of an operator's staff."""
    email = f"staff@{operator}.example.org"
    await factories.account(email=email, role=Role.STAFF)
    await upsert_operator(SYSTEM, code=operator, name=operator)
    await Account.filter(email=email).update(operator_id=(await Operator.get(code=operator)).id)
    return await enter(portal, application, email)


async def owner(portal: Any, application: Any) -> Any:
    """Luc, who owns Claire's home and lives elsewhere."""
    number = await factories.account(email="luc@example.org", first_name="Luc")
    await Occupancy.create(
        dwelling_id=(await Dwelling.first()).id,  # type: ignore[union-attr]
        account_id=number,
        kind=OccupancyKind.OWNER_NON_OCCUPANT,
        move_in=date(2020, 1, 1),
    )
    return await enter(portal, application, "luc@example.org")


async def household(portal: Any, application: Any) -> Any:
    """Camille, whom Claire lets look."""
    number = await factories.account(
        email="camille@example.org", first_name="Camille", role=Role.HOUSEHOLD_MEMBER
    )
    await HouseholdMember.create(
        dwelling_id=(await Dwelling.first()).id,  # type: ignore[union-attr]
        holder_id=(await Account.get(email=CLAIRE)).id,
        member_id=number,
        name="Camille",
        email="camille@example.org",
        email_key="camille@example.org",
        token_hash="invitation",
        invited_at=NOW,
        expires_at=NOW,
        accepted_at=NOW,
    )
    return await enter(portal, application, "camille@example.org")


async def provider(
    portal: Any, application: Any, resolution: Resolution = Resolution.HOURLY, **granted: Any
) -> Any:
    """A provider whom Claire lets read cold water until the end of the year."""
    account = await Account.get(email=CLAIRE)
    viewer = Viewer(role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id, asked_at=NOW)
    given = {"fluids": [Fluid.COLD_WATER], "last": date(2026, 12, 31), **granted}
    issued = await issue_grant(
        application,
        viewer,
        (await Dwelling.first()).id,  # type: ignore[union-attr]
        GrantAsked("Énergies & Cie", "hello@energies.example", resolution=resolution, **given),
        visitor=NOBODY,
        now=NOW,
    )
    portal.token = issued.token
    return portal


async def stranger(portal: Any, application: Any) -> Any:
    """A resident of nothing."""
    await factories.account(email="stranger@example.org")
    return await enter(portal, application, "stranger@example.org")

"""Which residences a manager manages.

The one rule: a manager sees what concerns the building, and of a dwelling's consumption nothing that the
resident has not consented to (CN-01). To a manager, a residence of somebody else's is an unknown one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import NOBODY, Act, Permission, Role, Viewer
from core.access.emails import email_key
from core.errors import NotFound
from core.models import Account, Dwelling, ManagedResidence, Residence
from core.services.shared.audit import Subject, record
from core.services.shared.transaction import transactional


@dataclass(frozen=True, slots=True)
class ManagedResidenceView:
    """A residence in its manager's list (R-042: the manager knows the site code)."""

    id: int
    code: str
    name: str
    street: str
    postcode: str
    city: str


def place_of(dwelling: Dwelling) -> str:
    """The place of a dwelling within its residence, for somebody who knows the building: `A · 1 · 2 ·
    12`.
    """
    parts = (dwelling.building, dwelling.staircase, dwelling.floor, dwelling.number)
    return " · ".join(part for part in parts if part)


async def managed_residences(viewer: Viewer) -> list[ManagedResidenceView]:
    """The manager's residences by code; none for anybody else."""
    viewer.require(Permission.ALERTS_READ)
    if viewer.role is not Role.MANAGER or viewer.account_id is None:
        return []
    rows = await ManagedResidence.filter(account_id=viewer.account_id).select_related("residence")
    places = sorted((row.residence for row in rows), key=lambda place: (place.code, place.id))
    return [
        ManagedResidenceView(
            id=place.id,
            code=place.code,
            name=place.name,
            street=place.street,
            postcode=place.postcode,
            city=place.city,
        )
        for place in places
    ]


async def manages(viewer: Viewer, residence_id: int) -> bool:
    """Whether the viewer is a manager of this residence."""
    if viewer.role is not Role.MANAGER or viewer.account_id is None:
        return False
    return await ManagedResidence.exists(account_id=viewer.account_id, residence_id=residence_id)


async def require_managed(viewer: Viewer, residence_id: int) -> None:
    """Refuse whoever does not look after this residence.

    Raises:
        NotFound: no such residence, or not the viewer's.
    """
    if not await manages(viewer, residence_id):
        raise NotFound("No such residence.", field="id")


async def managers_of(
    connection: BaseDBAsyncClient, residence_ids: Iterable[int]
) -> dict[int, list[Account]]:
    """The enabled manager accounts of these residences."""
    rows = ManagedResidence.filter(
        residence_id__in=list(set(residence_ids)), account__disabled_at=None, account__role=Role.MANAGER
    )
    found: dict[int, list[Account]] = {}
    for row in await rows.using_db(connection).select_related("account").order_by("id"):
        found.setdefault(row.residence_id, []).append(row.account)
    return found


@transactional
async def grant_residence(
    connection: TransactionalDBClient,
    viewer: Viewer,
    *,
    email: str,
    operator_code: str,
    residence_code: str,
    administrator: bool = False,
    now: datetime,
) -> None:
    """Grant a manager's account a residence; granted again, only `administrator` is updated.

    An administrator is notified by e-mail about the residence (R-134).

    Raises:
        NotFound: no manager has this address, or the operator has no such residence.
    """
    viewer.require(Permission.PLACES_WRITE)
    manager, residence = await _manager_and_residence(connection, email, operator_code, residence_code)
    row, _ = await ManagedResidence.get_or_create(
        account_id=manager.id, residence_id=residence.id, defaults={"granted_at": now}, using_db=connection
    )
    row.administrator = administrator
    await row.save(using_db=connection, update_fields=["administrator"])
    await record(
        Act.RESIDENCE_GRANTED,
        Subject("residence", residence.id),
        viewer,
        NOBODY,
        now,
        connection,
        account=manager.id,
        administrator=administrator,
    )


@transactional
async def revoke_residence(
    connection: TransactionalDBClient,
    viewer: Viewer,
    *,
    email: str,
    operator_code: str,
    residence_code: str,
    now: datetime,
) -> bool:
    """Withdraw a residence from a manager's account at once; False: the account did not have it.

    Raises:
        NotFound: no manager has this address, or the operator has no such residence.
    """
    viewer.require(Permission.PLACES_WRITE)
    manager, residence = await _manager_and_residence(connection, email, operator_code, residence_code)
    granted = ManagedResidence.filter(account_id=manager.id, residence_id=residence.id)
    if not await granted.using_db(connection).delete():
        return False
    await record(
        Act.RESIDENCE_REVOKED,
        Subject("residence", residence.id),
        viewer,
        NOBODY,
        now,
        connection,
        account=manager.id,
    )
    return True


async def _manager_and_residence(
    connection: TransactionalDBClient, email: str, operator_code: str, residence_code: str
) -> tuple[Account, Residence]:
    manager = await Account.get_or_none(email_key=email_key(email), role=Role.MANAGER, using_db=connection)
    if manager is None:
        raise NotFound("no manager has this e-mail address", field="email")
    residence = await Residence.get_or_none(
        code=residence_code, operator__code=operator_code, using_db=connection
    )
    if residence is None or residence.operator_id != manager.operator_id:
        raise NotFound(f"{operator_code} has no residence {residence_code}", field="residence")
    return manager, residence

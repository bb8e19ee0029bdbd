"""Which residences a manager looks after.

The one rule: a manager sees what concerns the building, and of a home's consumption nothing that the resident
has not consented to (CN-01). A residence that is not the manager's does not exist for the manager.
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
    """A residence as its manager finds it in the list (R-042: the manager knows the site code)."""

    id: int
    code: str
    name: str
    street: str
    postcode: str
    city: str


def place_of(dwelling: Dwelling) -> str:
    """Where a home is within its residence, for the one who knows the building: `A · 1 · 2 · 12`."""
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
    """Whether the viewer is a manager who looks after this residence."""
    if viewer.role is not Role.MANAGER or viewer.account_id is None:
        return False
    return await ManagedResidence.exists(account_id=viewer.account_id, residence_id=residence_id)


async def managers_of(
    connection: BaseDBAsyncClient, residence_ids: Iterable[int]
) -> dict[int, list[Account]]:
    """The enabled accounts that look after these residences."""
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
    """Let a manager's account look after a residence; granted again, only `administrator` is set anew.

    An administrator is told by e-mail what concerns the residence (R-134).

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
        now=now,
        visitor=NOBODY,
        viewer=viewer,
        connection=connection,
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
    """Let a manager's account look after a residence no longer, from this moment on; False: it did not.

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
        now=now,
        visitor=NOBODY,
        viewer=viewer,
        connection=connection,
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

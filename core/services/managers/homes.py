"""The dwelling or the residence that a manager acts on, with its residence and operator.

In: a viewer and a number. Out: the row. The one rule: to a manager, what somebody else manages is as what
does not exist; whether a residence is the manager's is decided in `managed_residences` alone. The
operator's own command line is in charge of all.
"""

from tortoise.backends.base.client import BaseDBAsyncClient

from core.access import Role, Viewer
from core.errors import NotFound
from core.models import Dwelling, Residence
from core.services.places.managed_residences import manages

_LARGEST_ID = 2**63 - 1


async def home_in_charge(
    viewer: Viewer, dwelling_id: int, *, connection: BaseDBAsyncClient | None = None
) -> Dwelling:
    """A dwelling, its residence and operator loaded.

    Raises:
        NotFound: no such dwelling, or not of a residence that the viewer manages.
    """
    rows = Dwelling.filter(id=dwelling_id).using_db(connection).select_related("residence__operator")
    row = await rows.first() if 0 < dwelling_id <= _LARGEST_ID else None
    if row is None or not await _in_charge(viewer, row.residence_id):
        raise NotFound("No such dwelling.", field="dwelling")
    return row


async def residence_in_charge(
    viewer: Viewer, residence_id: int, *, connection: BaseDBAsyncClient | None = None
) -> Residence:
    """A residence, its operator loaded.

    Raises:
        NotFound: no such residence, or not the viewer's.
    """
    rows = Residence.filter(id=residence_id).using_db(connection).select_related("operator")
    row = await rows.first() if 0 < residence_id <= _LARGEST_ID else None
    if row is None or not await _in_charge(viewer, row.id):
        raise NotFound("No such residence.", field="residence")
    return row


async def residence_number(viewer: Viewer, operator_code: str, residence_code: str) -> int:
    """The number of a residence by the codes of operator and site.

    Raises:
        NotFound: the operator has no such residence, or it is not the viewer's.
    """
    row = await Residence.get_or_none(code=residence_code, operator__code=operator_code)
    if row is None or not await _in_charge(viewer, row.id):
        raise NotFound(f"{operator_code} has no residence {residence_code}", field="residence")
    number: int = row.id
    return number


async def _in_charge(viewer: Viewer, residence_id: int) -> bool:
    return viewer.role is Role.SYSTEM or await manages(viewer, residence_id)

"""Lists the operators of the installation: those that have residences."""

from core.access import Permission, Viewer
from core.models import Operator


async def list_operators(viewer: Viewer) -> dict[str, str]:
    """The stored operators: code -> name."""
    viewer.require(Permission.PLACES_WRITE)
    return {row.code: row.name for row in await Operator.all().order_by("code")}

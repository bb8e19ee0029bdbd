"""Whose occupancies a viewer is shown: the own ones, or one that a resident lets a household or a provider
see.

In: a viewer. Out: accounts, each with the dwelling and the days that bound what is shown of its
occupancies. The one rule: this reads who was let in; which rows and days that gives is decided in `scope`,
which alone calls this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from core.access import Role, Viewer
from core.access.narrowing import Basis
from core.services.shared.time_series import run
from core.services.shared.transaction import current_database

BASIS_OF: Final[Mapping[Role, Basis]] = {
    Role.RESIDENT: Basis.OCCUPANT,
    Role.HOUSEHOLD_MEMBER: Basis.HOUSEHOLD,
    Role.THIRD_PARTY: Basis.THIRD_PARTY,
}
"""By what right those see a dwelling who see it by an occupancy: the own one, or somebody else's."""

_HOUSEHOLD: Final = (
    "SELECT h.holder_id, h.dwelling_id FROM household_member h JOIN account a ON a.id = h.holder_id"
    " WHERE h.member_id = $1 AND h.accepted_at IS NOT NULL AND h.revoked_at IS NULL"
    " AND a.disabled_at IS NULL ORDER BY h.id"
)


@dataclass(frozen=True, slots=True)
class OccupancyShown:
    """The occupancies of an account; of a guest only at one dwelling, while the occupancy lasts, and within
    days.
    """

    account_id: int
    dwelling_id: int | None = None
    first_day: date | None = None
    last_day: date | None = None

    def days_of(
        self, dwelling_id: int, first: date, last: date | None, *, today: date | None
    ) -> tuple[date, date | None] | None:
        """The first and last day that is shown of an occupancy at a dwelling; None for none.

        Of one that has ended by `today` (None: that has an end) a guest sees nothing.
        """
        if self.dwelling_id is None:
            return first, last
        if dwelling_id != self.dwelling_id or (last is not None and (today is None or last < today)):
            return None
        lasts = [day for day in (last, self.last_day) if day is not None]
        begin, end = max(first, self.first_day or first), min(lasts, default=None)
        return None if end is not None and end < begin else (begin, end)


async def occupancies_shown(viewer: Viewer) -> Sequence[OccupancyShown]:
    """Whose occupancies the viewer is shown; none for who sees no home by an occupancy."""
    if viewer.role is Role.RESIDENT and viewer.account_id is not None:
        return [OccupancyShown(viewer.account_id)]
    if viewer.role is Role.THIRD_PARTY and viewer.grant is not None:
        grant = viewer.grant
        return [OccupancyShown(grant.account_id, grant.dwelling_id, grant.first_day, grant.last_day)]
    if viewer.role is Role.HOUSEHOLD_MEMBER and viewer.account_id is not None:
        rows = await run(current_database(), _HOUSEHOLD, [viewer.account_id])
        return [OccupancyShown(row["holder_id"], row["dwelling_id"]) for row in rows]
    return []

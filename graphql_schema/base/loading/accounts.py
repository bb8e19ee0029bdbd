"""Loaders of what accounts reach: their homes and residences, as staff list them.

In: what the fields of an operation ask for. Out: the answers, all by one call each. The one rule is that of
`graphql_schema.base.loaders`, which gives them out.
"""

from collections.abc import Sequence
from datetime import datetime

from strawberry.dataloader import DataLoader

from core.errors import NotFound
from core.services.accounts.account_lists import Reach, reach_of
from core.services.places.dwellings import ResidenceView, residences_by_number
from graphql_schema.base.loading.papers import ViewerSource


class ReachByAccountLoader(DataLoader[int, Reach]):
    """The homes and residences that each account of an operator reaches, in one call."""

    def __init__(self, viewer: ViewerSource, now: datetime) -> None:
        self._viewer, self._now = viewer, now
        super().__init__(load_fn=self._reach)

    async def _reach(self, account_ids: list[int]) -> Sequence[Reach | BaseException]:
        found = await reach_of(await self._viewer(), account_ids, now=self._now)
        return [found[account_id] for account_id in account_ids]


class ResidenceLoader(DataLoader[int, ResidenceView]):
    """Residences that a manager or the operator's staff see, by number, in one call."""

    def __init__(self, viewer: ViewerSource) -> None:
        self._viewer = viewer
        super().__init__(load_fn=self._residences)

    async def _residences(self, residence_ids: list[int]) -> Sequence[ResidenceView | BaseException]:
        found = await residences_by_number(await self._viewer(), residence_ids)
        missing = NotFound("No such residence.", field="id")
        return [found.get(residence_id, missing) for residence_id in residence_ids]

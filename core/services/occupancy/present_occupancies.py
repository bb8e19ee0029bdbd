"""Who lives at the dwellings that a manager is in charge of: since when, and with which consent.

In: a manager and dwellings. Out: the present occupancy of each. The one rule: whether a manager sees days
depends on the present occupant alone; the consent of one occupant does not extend to the next, and where no
occupant is known nobody could consent (CN-01, CN-10).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from core.access import Permission, Viewer
from core.consumption.periods import civil_day
from core.errors import ConsentRequired, NoOccupant, NotFound
from core.models import ConsentAuthor, ConsentRecord, ConsentState
from core.services.occupancy.consents import last_answers
from core.services.shared.kept import kept_rows
from core.services.shared.place_rows import PlaceRow
from core.services.shared.scope import Home, OccupancyPeriod, present_periods


@dataclass(frozen=True, slots=True)
class PresentOccupancy:
    """A dwelling and its occupancy today; `period` is None where no occupant is known.

    Without a name, which managers get with a request alone.
    """

    place: PlaceRow
    period: OccupancyPeriod | None
    last_answer: ConsentRecord | None

    @property
    def occupied(self) -> bool:
        return self.period is not None

    @property
    def consented(self) -> bool:
        """Whether the last answer is a consent; unanswered is none (C-18)."""
        return self.last_answer is not None and self.last_answer.state is ConsentState.GRANTED

    @property
    def days(self) -> OccupancyPeriod | None:
        """The days that a consent opens; None without one.

        What a manager recorded on the occupant's behalf holds for the future alone (CN-07, CN-08): else a
        move that is recorded afterwards, and a paper, would open days of somebody who refused.
        """
        if self.period is None or not self.consented or self.last_answer is None:
            return None
        if self.last_answer.author is not ConsentAuthor.MANAGER:
            return self.period
        recorded = civil_day(self.last_answer.recorded_at, self.place["time_zone"])
        return replace(self.period, first_day=max(self.period.first_day, recorded))


async def present_occupancies(
    viewer: Viewer, dwelling_ids: Collection[int], *, now: datetime
) -> dict[int, PresentOccupancy]:
    """Of the manager's dwellings; what is not the manager's is left out. Three statements for all.

    A viewer that keeps what was read is answered from it.
    """
    viewer.require(Permission.MANAGED_DAYS_READ)
    return await kept_rows(viewer, "present occupancies", dwelling_ids, partial(_present, viewer, now))


async def _present(
    viewer: Viewer, now: datetime, dwelling_ids: Collection[int]
) -> dict[int, PresentOccupancy]:
    present = await present_periods(viewer, dwelling_ids, now=now)
    answers = await last_answers(present.values())
    return {
        number: PresentOccupancy(one.place, one.period, answers[number]) for number, one in present.items()
    }


def home_with_days(present: Mapping[int, PresentOccupancy], dwelling_id: int) -> Home:
    """The dwelling and the days of it that its manager may see.

    Raises:
        NotFound: no such dwelling, or none of the manager's.
        NoOccupant: no occupant is known.
        ConsentRequired: the occupant has not consented.
    """
    if dwelling_id not in present:
        raise NotFound("No such dwelling.", field="dwelling")
    one = present[dwelling_id]
    if one.period is None:
        raise NoOccupant("No occupant is known who could consent to daily data.", field="dwelling")
    if one.days is None:
        raise ConsentRequired("The occupant has not consented to daily data.", field="dwelling")
    return Home(one.days, one.place)

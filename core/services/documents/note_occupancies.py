"""Who gets a note on the consumption of a dwelling: the occupancies that hold a day of a period.

In: dwellings and days. Out: for each occupant the days of the own occupancy, leases that follow one another
taken together. The one rule: the days are those of `core.services.shared.scope`: nobody's note holds a day of
a predecessor or successor (EED-09). Who has left, and has no account, can be reached by nobody and gets none.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient

from core.models import Account, Occupancy
from core.services.shared.scope import OccupancyPeriod, occupants, with_periods

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NoteOccupancy:
    """An occupant of a dwelling, from `since` on, and the days in the period asked for.

    `occupancy_id` is the row that holds the last of the days, `rows` all that form the occupancy.
    """

    dwelling_id: int
    occupancy_id: int
    rows: frozenset[int]
    account: Account | None
    since: date
    first: date
    last: date

    @property
    def is_reached(self) -> bool:
        """Whether there is an account that an e-mail can go to."""
        return self.account is not None and self.account.disabled_at is None


async def note_occupancies(
    connection: BaseDBAsyncClient, dwelling_ids: Collection[int], first: date, last: date, *, today: date
) -> list[NoteOccupancy]:
    """The occupants of the dwellings in these days, by dwelling and time; two statements for all."""
    rows = occupants().filter(dwelling_id__in=list(dwelling_ids)).using_db(connection)
    known = await with_periods(await rows.select_related("account"), connection=connection)
    by_occupant: dict[tuple[int, int], list[tuple[Occupancy, OccupancyPeriod]]] = {}
    for row, period in sorted(known, key=lambda one: (one[1].first_day, one[0].id)):
        if period.last_day is None or period.first_day <= period.last_day:
            person = row.account_id if row.account_id is not None else -row.id
            by_occupant.setdefault((row.dwelling_id, person), []).append((row, period))
    found = []
    for held in by_occupant.values():
        for chain in _chains(held):
            one = _within(chain, first, last)
            if one is not None and (one.account is not None or _is_there(chain, today)):
                found.append(one)
    return sorted(found, key=lambda one: (one.dwelling_id, one.since))


def _chains(
    held: list[tuple[Occupancy, OccupancyPeriod]],
) -> list[list[tuple[Occupancy, OccupancyPeriod]]]:
    """Occupancies of one person, those that follow one another without a day between together."""
    chains: list[list[tuple[Occupancy, OccupancyPeriod]]] = []
    for row, period in held:
        end = _end(chains[-1]) if chains else None
        if chains and (end is None or period.first_day <= end + _ONE_DAY):
            chains[-1].append((row, period))
        else:
            chains.append([(row, period)])
    return chains


def _end(chain: list[tuple[Occupancy, OccupancyPeriod]]) -> date | None:
    ends = [period.last_day for _, period in chain]
    return None if None in ends else max(end for end in ends if end is not None)


def _is_there(chain: list[tuple[Occupancy, OccupancyPeriod]], today: date) -> bool:
    end = _end(chain)
    return end is None or end >= today


def _within(chain: list[tuple[Occupancy, OccupancyPeriod]], first: date, last: date) -> NoteOccupancy | None:
    since, end = chain[0][1].first_day, _end(chain)
    final = last if end is None else min(last, end)
    if since > last or final < first:
        return None
    row = max(
        (row for row, period in chain if period.first_day <= final), key=lambda one: (one.move_in, one.id)
    )
    return NoteOccupancy(
        dwelling_id=row.dwelling_id,
        occupancy_id=row.id,
        rows=frozenset(row.id for row, _ in chain),
        account=row.account,
        since=since,
        first=max(since, first),
        last=final,
    )

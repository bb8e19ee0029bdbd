"""What the monthly notes of dwellings would say: whose note is still to be made, and its figures.

In: a month and dwellings. Out: plans. The one rule: a fixed number of statements for a chunk, however many
dwellings are in it; and a dwelling is expected to have a note if its residence is published and read
remotely, somebody lives there, and a meter of what is noted was in service.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient

from core.bootstrap import Application
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.consumption.notes import ALWAYS_NOTED, NoteDays, fluid_note
from core.consumption.periods import day_start
from core.documents.note_values import MonthlyNote
from core.models import Document, DocumentType, Dwelling, Operator
from core.services.documents.note_occupancies import NoteOccupancy, note_occupancies
from core.services.places.dwelling_days import FluidSums, SumsAsked, sums_of
from core.services.shared.time_series import run

CHUNK: Final = 500
"""Dwellings in one transaction."""

FluidsByOperator: TypeAlias = Mapping[int, frozenset[Fluid]]
"""What is noted, by the operator's number."""


@dataclass(frozen=True, slots=True)
class PlannedNote:
    """A note that is to be made: whose, of which dwelling, and what it says."""

    occupancy: NoteOccupancy
    home: Dwelling
    note: MonthlyNote

    @property
    def is_read(self) -> bool:
        return any(one.has_figures for one in self.note.fluids)

    @property
    def is_complete(self) -> bool:
        return all(one.month.complete for one in self.note.fluids)


async def fluids_by_operator(application: Application) -> FluidsByOperator:
    return {row.id: noted_fluids(application, row.code) for row in await Operator.all()}


def noted_fluids(application: Application, operator_code: str) -> frozenset[Fluid]:
    """What the notes of an operator's residents state: what the decree names, and what the profile adds."""
    profile = application.registry.profile(operator_code)
    return ALWAYS_NOTED | (profile.notes.fluids if profile else frozenset())


async def candidates(
    database: BaseDBAsyncClient,
    month: Month,
    fluids: FluidsByOperator,
    *,
    after: int = 0,
    residence_id: int | None = None,
) -> list[int]:
    """The next dwellings, by number, where an occupancy of the month may lack its note."""
    rows = await run(
        database,
        f"SELECT d.id {_lacking(month, fluids, residence_id)} AND d.id > $1 ORDER BY d.id LIMIT {CHUNK}",
        [after],
    )
    return [row["id"] for row in rows]


async def count_of_candidates(database: BaseDBAsyncClient, month: Month, fluids: FluidsByOperator) -> int:
    (row,) = await run(database, f"SELECT COUNT(*) AS number {_lacking(month, fluids, None)}", [])
    number: int = row["number"]
    return number


def _lacking(month: Month, fluids: FluidsByOperator, residence_id: int | None) -> str:
    """FROM and WHERE; the values are our own dates, enums and numbers."""
    noted = " OR ".join(
        f"(r.operator_id = {number:d} AND m.fluid IN ({_quoted(some)}))" for number, some in fluids.items()
    )
    within = f"o.move_in <= '{month.last_day}' AND (o.move_out IS NULL OR o.move_out > '{month.first_day}')"
    note = f"n.type = '{DocumentType.MONTHLY_NOTE.value}' AND n.period_on = '{month.first_day}'"
    return (
        "FROM dwelling d JOIN residence r ON r.id = d.residence_id"  # noqa: S608 - see above
        " WHERE r.published_at IS NOT NULL AND r.remote_reading"
        f"{'' if residence_id is None else f' AND r.id = {residence_id:d}'}"
        f" AND EXISTS (SELECT 1 FROM meter m WHERE m.dwelling_id = d.id AND ({noted or '1 = 0'}))"
        f" AND EXISTS (SELECT 1 FROM occupancy o WHERE o.dwelling_id = d.id AND {within}"
        " AND o.kind <> 'OWNER_NON_OCCUPANT' AND NOT EXISTS"
        f" (SELECT 1 FROM document n WHERE n.occupancy_id = o.id AND {note}))"
    )


def _quoted(fluids: frozenset[Fluid]) -> str:
    return ", ".join(f"'{one.value}'" for one in sorted(fluids))


async def planned_notes(
    connection: BaseDBAsyncClient,
    month: Month,
    fluids: FluidsByOperator,
    numbers: Sequence[int],
    *,
    now: datetime,
) -> list[PlannedNote]:
    """What the notes of these dwellings would say that are not made yet; by a fixed number of statements."""
    rows = (
        await Dwelling.filter(id__in=list(numbers)).using_db(connection).select_related("residence__operator")
    )
    homes = {
        row.id: row
        for row in rows
        if row.residence.published_at is not None and row.residence.published_at <= now
    }
    if not homes:
        return []
    days = (month.first_day, month.last_day)
    found = await note_occupancies(connection, homes, *days, today=now.date())
    noted = Document.filter(
        occupancy_id__in=[number for one in found for number in one.rows],
        type=DocumentType.MONTHLY_NOTE,
        period_on=month.first_day,
    )
    have = set(await noted.using_db(connection).values_list("occupancy_id", flat=True))
    lacking = [one for one in found if not one.rows & have]
    sums = await _sums(connection, homes, lacking, month)
    planned = []
    for one, by_fluid in zip(lacking, sums, strict=True):
        home = homes[one.dwelling_id]
        note = _note(one, month, by_fluid, fluids[home.residence.operator_id], home.residence.time_zone)
        if note.fluids:
            planned.append(PlannedNote(one, home, note))
    return planned


async def _sums(
    connection: BaseDBAsyncClient,
    homes: Mapping[int, Dwelling],
    asked: Sequence[NoteOccupancy],
    month: Month,
) -> list[Mapping[Fluid, FluidSums]]:
    """The sums of each occupancy; two of one dwelling, whose days differ, are read one after the other."""
    found: dict[int, Mapping[Fluid, FluidSums]] = {}
    waiting = list(enumerate(asked))
    while waiting:
        turn: dict[int, tuple[int, NoteOccupancy]] = {}
        for place, one in waiting:
            turn.setdefault(one.dwelling_id, (place, one))
        wanted = []
        for _, one in turn.values():
            days = NoteDays(month, one.since, one.last)
            zone = homes[one.dwelling_id].residence.time_zone
            wanted.append(SumsAsked(one.dwelling_id, zone, days.earliest, one.last))
        sums = await sums_of(connection, wanted)
        for place, one in turn.values():
            found[place] = sums[one.dwelling_id]
        waiting = [(place, one) for place, one in waiting if place not in found]
    return [found[place] for place in range(len(asked))]


def _note(
    occupancy: NoteOccupancy,
    month: Month,
    sums: Mapping[Fluid, FluidSums],
    noted: frozenset[Fluid],
    time_zone: str,
) -> MonthlyNote:
    days, zone = NoteDays(month, occupancy.since, occupancy.last), ZoneInfo(time_zone)
    begin, end = day_start(days.first, zone), day_start(days.last + timedelta(days=1), zone)
    return MonthlyNote(
        month=month,
        first=days.first,
        last=days.last,
        year_first=days.year_first,
        fluids=tuple(
            fluid_note(fluid, sums[fluid].months, days)
            for fluid in Fluid
            if fluid in noted and fluid in sums and _in_service(sums[fluid], begin, end)
        ),
    )


def _in_service(sums: FluidSums, begin: float, end: float) -> bool:
    return any(
        meter.installed_s < end and (meter.removed_s is None or meter.removed_s > begin)
        for meter in sums.meters
    )

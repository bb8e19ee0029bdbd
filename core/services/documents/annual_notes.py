"""Makes the annual notes on consumption (EED-04; arrêté of 24 July 2020, FR-04).

In: a year that is over. Out: for every dwelling that was occupied at its end one document with its figures:
the year and the year before by month, and the average user of the building by surface; and an e-mail. The one
rule: the year before is compared where it was the same occupant's, and the average is that of the twelve
months as they were published (`core.services.consumption.average_publication`: five dwellings at least, none
with more than half, CN-11); otherwise a reason stands in its place.

A residence is one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.access.floor import rounded_count
from core.bootstrap import Application
from core.consumption import Month
from core.consumption.amounts import rounded
from core.consumption.dashboard import MonthSum
from core.consumption.fluids import Fluid
from core.consumption.notes import NotedFigure, WhyMissing, sum_of
from core.documents.note_values import AnnualFluid, AnnualNote, WhyNoAverage, json_of_year
from core.errors import InvalidInput
from core.language import Language, Text
from core.models import BuildingAverage, Document, DocumentType, Dwelling, Residence
from core.operators import NOTHING_ADDED
from core.services.consumption.average_publication import CM2_PER_M2
from core.services.documents.monthly_notes import NotesMade
from core.services.documents.note_occupancies import NoteOccupancy, note_occupancies
from core.services.documents.note_plans import noted_fluids
from core.services.documents.note_store import NewNote, language_of, store_notes
from core.services.places.dwelling_days import FluidSums, SumsAsked, sums_of
from core.services.shared.transaction import transactional
from core.texts.leaks import price_text

_MONTHS: Final = 12
_OLDEST_YEAR: Final = 2000


@dataclass(frozen=True, slots=True)
class _Average:
    """What a square centimetre of a building used in a year, and of how many homes, rounded."""

    per_cm2: Fraction
    dwellings: int


_Averages: TypeAlias = Mapping[tuple[Fluid, str | None], _Average]
"""By fluid and building; of None those of the residence together."""


async def make_annual_notes(
    application: Application,
    viewer: Viewer,
    year: int,
    *,
    now: datetime,
    progress: Callable[[NotesMade], None] | None = None,
) -> NotesMade:
    """Make the annual notes of a year that are not made yet, and queue their messages.

    Raises:
        InvalidInput: the year is not over.
    """
    viewer.require(Permission.NOTES_MAKE)
    if not _OLDEST_YEAR <= year < (now - timedelta(hours=12)).year:
        raise InvalidInput("The year is not over yet, or too long ago.", field="year")
    rows = Residence.filter(published_at__lte=now, remote_reading=True).order_by("id")
    numbers = [row.id for row in await rows.only("id")]
    done = NotesMade(of=await Dwelling.filter(residence_id__in=numbers).count())
    for number in numbers:
        made = await _make_residence(application, year, number, now=now)
        done = NotesMade(
            dwellings=done.dwellings + made.dwellings,
            of=done.of,
            made=done.made + made.made,
            unread=done.unread + made.unread,
        )
        if progress is not None:
            progress(done)
    return done


@transactional
async def _make_residence(
    connection: TransactionalDBClient,
    application: Application,
    year: int,
    residence_id: int,
    *,
    now: datetime,
) -> NotesMade:
    rows = Dwelling.filter(residence_id=residence_id).using_db(connection).order_by("id")
    homes = {row.id: row for row in await rows.select_related("residence__operator")}
    if not homes:
        return NotesMade()
    first, last = date(year, 1, 1), date(year, 12, 31)
    found = await note_occupancies(connection, homes, last, last, today=now.date())
    noted = Document.filter(
        residence_id=residence_id, type=DocumentType.ANNUAL_NOTE, period_on=first
    ).using_db(connection)
    have = set(await noted.values_list("occupancy_id", flat=True))
    lacking = [one for one in found if not one.rows & have]
    if not lacking:
        return NotesMade(dwellings=len(homes))
    home = next(iter(homes.values()))
    zone = home.residence.time_zone
    fluids = noted_fluids(application, home.residence.operator.code)
    averages = await _averages(connection, residence_id, year)
    by_occupancy = {one.dwelling_id: one for one in lacking}  # one occupant lives there on the last day
    begin = date(year - 1, 1, 1)
    own = await sums_of(
        connection,
        [SumsAsked(one.dwelling_id, zone, max(one.since, begin), one.last) for one in by_occupancy.values()],
    )
    notes = [
        (one, _note(application, one, homes[number], year, own[number], averages, fluids))
        for number, one in by_occupancy.items()
    ]
    metered = [(one, note) for one, note in notes if note.fluids]
    read = [
        NewNote(
            occupancy=one,
            home=homes[one.dwelling_id],
            type=DocumentType.ANNUAL_NOTE,
            period_on=first,
            figures=json_of_year(note),
            stem=Text(f"note-annuelle-{year}", f"annual-note-{year}"),
            template="annual_note",
            values={"year": str(year)},
        )
        for one, note in metered
        if any(fluid.year.amount is not None for fluid in note.fluids)
    ]
    made = await store_notes(connection, application, read, now=now)
    return NotesMade(dwellings=len(homes), made=made, unread=len(metered) - len(read))


async def _averages(connection: TransactionalDBClient, residence_id: int, year: int) -> _Averages:
    """The year's averages: sums of the months as they were published, so that no note, however late it is
    made, shows what two sums of different homes differ by (docs/consumption.md, FR-04).
    """
    rows = BuildingAverage.filter(
        publication__residence_id=residence_id,
        publication__month__gte=year * 100 + 1,
        publication__month__lte=year * 100 + _MONTHS,
    ).using_db(connection)
    columns = ("fluid", "building", "publication__month", "amount", "surface_cm2", "homes")
    months: dict[tuple[Fluid, str | None], dict[int, tuple[Fraction, int]]] = {}
    for fluid, building, month, amount, surface_cm2, homes in await rows.values_list(*columns):
        published = Fraction(amount, surface_cm2), homes
        months.setdefault((Fluid(fluid), building), {})[month] = published
    return {
        key: _Average(
            per_cm2=sum((part for part, _ in found.values()), Fraction(0)),
            dwellings=min(rounded_count(homes) for _, homes in found.values()),
        )
        for key, found in months.items()
        if len(found) == _MONTHS
    }


def _note(
    application: Application,
    one: NoteOccupancy,
    home: Dwelling,
    year: int,
    sums: Mapping[Fluid, FluidSums],
    averages: _Averages,
    fluids: frozenset[Fluid],
) -> AnnualNote:
    surface = home.surface_m2 or None
    return AnnualNote(
        year=year,
        first=max(one.since, date(year, 1, 1)),
        last=one.last,
        surface_m2=None if surface is None else f"{surface.normalize():f}",
        fluids=tuple(
            _fluid(
                fluid,
                sums[fluid].months,
                one,
                year,
                surface,
                averages.get((fluid, home.building)) or averages.get((fluid, None)),
            )
            for fluid in Fluid
            if fluid in fluids and fluid in sums
        ),
        stated=_stated(application, home.residence, language_of(one)),
    )


def _stated(application: Application, residence: Residence, language: Language) -> dict[str, str]:
    """What the operator states by now, as it will stand in the note from now on."""
    profile = application.registry.profile(residence.operator.code)
    notes = profile.notes if profile else NOTHING_ADDED
    texts = {field.name: getattr(notes, field.name) for field in fields(notes)}
    found = {name: text.in_language(language) for name, text in texts.items() if isinstance(text, Text)}
    if residence.water_price_eur_per_m3 is not None:
        found["water_price"] = price_text(residence.water_price_eur_per_m3, language)
    return found


def _fluid(
    fluid: Fluid,
    sums: Sequence[MonthSum],
    one: NoteOccupancy,
    year: int,
    surface: Decimal | None,
    average: _Average | None,
) -> AnnualFluid:
    def of(of_year: int) -> list[MonthSum]:
        return [part for part in sums if part.volume.month.year == of_year]

    before = date(year - 1, 1, 1)
    if before < one.since:
        year_before = NotedFigure(None, complete=False, why=WhyMissing.OTHER_OCCUPANCY)
    else:
        year_before = sum_of(of(year - 1), before, date(year - 1, 12, 31))
    why = of_surface = None
    if average is None:
        why = WhyNoAverage.TOO_FEW_DWELLINGS
    elif surface is None:
        why = WhyNoAverage.SURFACE_NOT_KNOWN
    else:
        of_surface = int(rounded(average.per_cm2 * int(surface * CM2_PER_M2), 0))
    return AnnualFluid(
        fluid=fluid,
        year=sum_of(of(year), max(one.since, date(year, 1, 1)), one.last),
        year_before=year_before,
        months=_months(of(year), year, one.since),
        months_before=_months(of(year - 1), year - 1, one.since),
        average=of_surface,
        average_of=average.dwellings if average is not None and why is None else 0,
        why_no_average=why,
    )


def _months(sums: Sequence[MonthSum], year: int, since: date) -> tuple[int | None, ...]:
    """January to December; a month that the occupancy does not hold whole is not compared."""
    known = {part.volume.month: part.volume.amount for part in sums}
    months = [Month(year, number) for number in range(1, 13)]
    return tuple(known.get(month) if month.first_day >= since else None for month in months)

"""Makes the annual notes on consumption (EED-04; arrêté of 24 July 2020, FR-04).

In: a year that is over. Out: for every dwelling that was occupied at its end one document with its figures:
the year and the year before by month, and the average user of the building by surface; and an e-mail. The one
rule: the year before is compared where it was the same occupant's, and an average is of five dwellings at
least (CN-11), each with its surface and its whole year known; otherwise a reason stands in its place.

A residence is one transaction: its average is made of its own dwellings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.bootstrap import Application
from core.consumption import Month
from core.consumption.amounts import rounded
from core.consumption.dashboard import MonthSum
from core.consumption.fluids import Fluid
from core.consumption.notes import NotedFigure, WhyMissing, sum_of
from core.documents.note_values import AnnualFluid, AnnualNote, WhyNoAverage, json_of_year
from core.errors import InvalidInput
from core.language import Language, Text
from core.models import Document, DocumentType, Dwelling, Residence
from core.operators import NOTHING_ADDED
from core.services.documents.monthly_notes import NotesMade
from core.services.documents.note_occupancies import NoteOccupancy, note_occupancies
from core.services.documents.note_plans import noted_fluids
from core.services.documents.note_store import NewNote, language_of, store_notes
from core.services.places.dwelling_days import FluidSums, SumsAsked, sums_of
from core.services.shared.transaction import transactional
from core.texts.leaks import price_text

FEWEST_DWELLINGS: Final = 5
"""That an average is made of (CN-11)."""

_OLDEST_YEAR: Final = 2000


@dataclass(frozen=True, slots=True)
class _Average:
    """A fluid of a building: what its dwellings consumed together, on how many square metres."""

    amount: int
    surface_m2: Decimal
    dwellings: int


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
    whole = await sums_of(connection, [SumsAsked(number, zone, first, last) for number in homes])
    averages = _averages(homes, whole, fluids, year)
    by_occupancy = {one.dwelling_id: one for one in lacking}  # one occupant lives there on the last day
    begin = date(year - 1, 1, 1)
    own = await sums_of(
        connection,
        [SumsAsked(one.dwelling_id, zone, max(one.since, begin), one.last) for one in by_occupancy.values()],
    )
    notes = [
        (one, _note(application, one, homes[number], year, own[number], averages))
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


def _averages(
    homes: Mapping[int, Dwelling],
    sums: Mapping[int, Mapping[Fluid, FluidSums]],
    fluids: frozenset[Fluid],
    year: int,
) -> dict[Fluid, _Average]:
    """Of the dwellings whose surface and whole year are known, whoever lived there (FR-04)."""
    found: dict[Fluid, _Average] = {}
    for fluid in fluids:
        amount, surface, count = 0, Decimal(0), 0
        for number, home in homes.items():
            by_fluid = sums.get(number, {})
            if not home.surface_m2 or fluid not in by_fluid:
                continue
            total = sum_of(by_fluid[fluid].months, date(year, 1, 1), date(year, 12, 31))
            if total.amount is not None and total.complete:
                amount, surface, count = amount + total.amount, surface + home.surface_m2, count + 1
        found[fluid] = _Average(amount, surface, count)
    return found


def _note(
    application: Application,
    one: NoteOccupancy,
    home: Dwelling,
    year: int,
    sums: Mapping[Fluid, FluidSums],
    averages: Mapping[Fluid, _Average],
) -> AnnualNote:
    surface = home.surface_m2 or None
    return AnnualNote(
        year=year,
        first=max(one.since, date(year, 1, 1)),
        last=one.last,
        surface_m2=None if surface is None else f"{surface.normalize():f}",
        fluids=tuple(
            _fluid(fluid, sums[fluid].months, one, year, surface, averages[fluid])
            for fluid in Fluid
            if fluid in averages and fluid in sums
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
    average: _Average,
) -> AnnualFluid:
    def of(of_year: int) -> list[MonthSum]:
        return [part for part in sums if part.volume.month.year == of_year]

    before = date(year - 1, 1, 1)
    if before < one.since:
        year_before = NotedFigure(None, complete=False, why=WhyMissing.OTHER_OCCUPANCY)
    else:
        year_before = sum_of(of(year - 1), before, date(year - 1, 12, 31))
    why = None
    if average.dwellings < FEWEST_DWELLINGS:
        why = WhyNoAverage.TOO_FEW_DWELLINGS
    elif surface is None:
        why = WhyNoAverage.SURFACE_NOT_KNOWN
    of_surface = None
    if why is None and surface is not None:
        by_m2 = Fraction(average.amount) / Fraction(average.surface_m2)
        of_surface = int(rounded(by_m2 * Fraction(surface), 0))
    return AnnualFluid(
        fluid=fluid,
        year=sum_of(of(year), max(one.since, date(year, 1, 1)), one.last),
        year_before=year_before,
        months=_months(of(year), year, one.since),
        months_before=_months(of(year - 1), year - 1, one.since),
        average=of_surface,
        average_of=average.dwellings if why is None else 0,
        why_no_average=why,
    )


def _months(sums: Sequence[MonthSum], year: int, since: date) -> tuple[int | None, ...]:
    """January to December; a month that the occupancy does not hold whole is not compared."""
    known = {part.volume.month: part.volume.amount for part in sums}
    months = [Month(year, number) for number in range(1, 13)]
    return tuple(known.get(month) if month.first_day >= since else None for month in months)

"""A note on consumption as values, and as the JSON that is stored of it.

In: the figures of a month or a year. Out: a value, its JSON, and from that the same value. The one rule: what
is stored is all that a note states of consumption, so that a note which was sent is printed again as it was,
whatever readings came in or were withdrawn since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from core.consumption import Month
from core.consumption.fluids import Fluid
from core.consumption.notes import FluidNote, NotedFigure, WhyMissing
from core.documents.sheets import Door, Sender, Site
from core.language import Language

LAYOUT: Final = 1
"""Of what is stored, so that a later layout can read it."""

_COMPARED: Final = ("month", "previous_month", "month_of_last_year", "year_to_date")


class WhyNoAverage(StrEnum):
    """Why the average of the building is missing from an annual note."""

    SURFACE_NOT_KNOWN = "SURFACE_NOT_KNOWN"
    TOO_FEW_DWELLINGS = "TOO_FEW_DWELLINGS"


@dataclass(frozen=True, slots=True)
class MonthlyNote:
    """A month: the days of the occupancy in it, the first one that counts for the year, and the figures."""

    month: Month
    first: date
    last: date
    year_first: date
    fluids: tuple[FluidNote, ...]


@dataclass(frozen=True, slots=True)
class AnnualFluid:
    """A fluid's year: months are January to December, None where there is no figure of this occupancy.

    `average`: what the average user of the building would have consumed in a dwelling of this surface.
    """

    fluid: Fluid
    year: NotedFigure
    year_before: NotedFigure
    months: tuple[int | None, ...]
    months_before: tuple[int | None, ...]
    average: int | None
    average_of: int
    why_no_average: WhyNoAverage | None


@dataclass(frozen=True, slots=True)
class AnnualNote:
    """A year: the days of the occupancy in it, and the figures."""

    year: int
    first: date
    last: date
    surface_m2: str | None
    fluids: tuple[AnnualFluid, ...]
    stated: Mapping[str, str]
    """What the operator stated, in the language of the note, by the names of `ConsumptionNotes`; and
    `water_price`, where the residence's is known.
    """


@dataclass(frozen=True, slots=True)
class Addressed:
    """To whom a note goes, and from whom; `invites`: with how to open an account, for who has none."""

    sender: Sender
    site: Site
    door: Door
    language: Language
    invites: bool = False


class NoteBlock(StrEnum):
    """The blocks of an annual note (EED-04: a to f; FR-04: the sharing of costs)."""

    PRICES = "PRICES"
    ENERGY_MIX = "ENERGY_MIX"
    COMPARISON = "COMPARISON"
    CLIMATE_CORRECTED_COMPARISON = "CLIMATE_CORRECTED_COMPARISON"
    ADVICE = "ADVICE"
    COMPLAINTS = "COMPLAINTS"
    AVERAGE_USER = "AVERAGE_USER"
    COST_ALLOCATION = "COST_ALLOCATION"


class WhyNotApplicable(StrEnum):
    """Why a block of an annual note is not filled."""

    NOT_STATED = "NOT_STATED"
    NO_YEAR_BEFORE = "NO_YEAR_BEFORE"
    NO_HEATING = "NO_HEATING"
    NO_DEGREE_DAYS = "NO_DEGREE_DAYS"
    SURFACE_NOT_KNOWN = "SURFACE_NOT_KNOWN"
    TOO_FEW_DWELLINGS = "TOO_FEW_DWELLINGS"


def blocks_of(note: AnnualNote) -> dict[NoteBlock, WhyNotApplicable | None]:
    """Each block, with the reason if it is not filled; one that is filled for one fluid is filled."""

    def stated(*names: str) -> WhyNotApplicable | None:
        return None if any(name in note.stated for name in names) else WhyNotApplicable.NOT_STATED

    compared = any(amount is not None for one in note.fluids for amount in one.months_before)
    heated = any(one.fluid in HEATING for one in note.fluids)
    averages = [one.why_no_average for one in note.fluids]
    return {
        NoteBlock.PRICES: stated("prices", "water_price"),
        NoteBlock.ENERGY_MIX: stated("energy_mix"),
        NoteBlock.COMPARISON: None if compared else WhyNotApplicable.NO_YEAR_BEFORE,
        NoteBlock.CLIMATE_CORRECTED_COMPARISON: WhyNotApplicable.NO_DEGREE_DAYS
        if heated
        else WhyNotApplicable.NO_HEATING,
        NoteBlock.ADVICE: stated("consumer_bodies"),
        NoteBlock.COMPLAINTS: None,  # the operator's contact is always there
        NoteBlock.AVERAGE_USER: None
        if None in averages
        else WhyNotApplicable(averages[0] or WhyNoAverage.TOO_FEW_DWELLINGS),
        NoteBlock.COST_ALLOCATION: stated("cost_allocation"),
    }


HEATING: Final = frozenset({Fluid.HEAT, Fluid.HEAT_ALLOCATOR})
"""What depends on the weather; hot and cold water are never corrected for it."""


def json_of_month(note: MonthlyNote) -> dict[str, Any]:
    return {
        "layout": LAYOUT,
        "month": str(note.month),
        **_days(note.first, note.last),
        "yearFirst": note.year_first.isoformat(),
        "fluids": [
            {"fluid": one.fluid.value, **{name: _json(getattr(one, name)) for name in _COMPARED}}
            for one in note.fluids
        ],
    }


def month_of_json(stored: Mapping[str, Any]) -> MonthlyNote:
    month = date.fromisoformat(f"{stored['month']}-01")
    return MonthlyNote(
        month=Month.of(month),
        first=date.fromisoformat(stored["first"]),
        last=date.fromisoformat(stored["last"]),
        year_first=date.fromisoformat(stored["yearFirst"]),
        fluids=tuple(
            FluidNote(Fluid(one["fluid"]), **{name: _figure(one[name]) for name in _COMPARED})
            for one in stored["fluids"]
        ),
    )


def json_of_year(note: AnnualNote) -> dict[str, Any]:
    return {
        "layout": LAYOUT,
        "year": note.year,
        **_days(note.first, note.last),
        "surface": note.surface_m2,
        "stated": dict(note.stated),
        "fluids": [
            {
                "fluid": one.fluid.value,
                "year": _json(one.year),
                "yearBefore": _json(one.year_before),
                "months": list(one.months),
                "monthsBefore": list(one.months_before),
                "average": one.average,
                "averageOf": one.average_of,
                "whyNoAverage": one.why_no_average and one.why_no_average.value,
            }
            for one in note.fluids
        ],
    }


def year_of_json(stored: Mapping[str, Any]) -> AnnualNote:
    return AnnualNote(
        year=stored["year"],
        first=date.fromisoformat(stored["first"]),
        last=date.fromisoformat(stored["last"]),
        surface_m2=stored["surface"],
        stated=stored["stated"],
        fluids=tuple(
            AnnualFluid(
                fluid=Fluid(one["fluid"]),
                year=_figure(one["year"]),
                year_before=_figure(one["yearBefore"]),
                months=tuple(one["months"]),
                months_before=tuple(one["monthsBefore"]),
                average=one["average"],
                average_of=one["averageOf"],
                why_no_average=one["whyNoAverage"] and WhyNoAverage(one["whyNoAverage"]),
            )
            for one in stored["fluids"]
        ),
    )


def _days(first: date, last: date) -> dict[str, str]:
    return {"first": first.isoformat(), "last": last.isoformat()}


def _json(figure: NotedFigure) -> dict[str, Any]:
    if figure.amount is None:
        return {"why": figure.why and figure.why.value}
    return {"amount": figure.amount, "complete": figure.complete, "estimatedDays": figure.estimated_days}


def _figure(stored: Mapping[str, Any]) -> NotedFigure:
    if "amount" not in stored:
        return NotedFigure(None, complete=False, why=stored["why"] and WhyMissing(stored["why"]))
    return NotedFigure(stored["amount"], complete=stored["complete"], estimated_days=stored["estimatedDays"])

"""Imports an operator's tariffs, emission factors, and degree days of weather stations: all, or nothing.

In: the lines of a list. Out: rows, in one transaction; or every fault, with line, column, value and reason.
The one rule: a line names what it replaces (whose, of which fluid, from which day on), so that the same list
twice changes nothing, and a figure that was wrong is entered again.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Generic, TypeAlias, TypeVar

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.consumption.fluids import Fluid
from core.consumption.prices import FixedCharge
from core.metering import normalise_serial
from core.models import DegreeDay, EmissionFactor, Operator, Residence, Tariff
from core.services.portfolio.portfolio_import import ListsRefused
from core.services.portfolio.portfolio_lists import Fault, Place, line_of
from core.services.portfolio.suggestions import did_you_mean
from core.services.portfolio.validation import can_be_stored, misfits
from core.services.shared.many_rows import insert_rows, slices, update_rows
from core.services.shared.transaction import transactional, tried_again

MOST_EUR_PER_UNIT: Final = 100
MOST_FIXED_EUR: Final = 100_000
MOST_GRAMS_PER_UNIT: Final = 100_000
MOST_DEGREE_DAYS: Final = 100
MOST_BASE_CELSIUS: Final = 30


@dataclass(frozen=True, slots=True)
class RateKey:
    """Whose rate, of which fluid, from which day on; `residence` empty: of all of the operator's.

    None is a cell that cannot be read, of this and of the lines; such a line is never stored.
    """

    operator: str
    residence: str
    fluid: Fluid | None
    valid_from: date | None


@dataclass(frozen=True, slots=True)
class ListedTariff:
    """A tariff. What is not given of one that is stored remains."""

    at: Place
    key: RateKey
    eur_per_unit: Decimal | None
    fixed_eur: Decimal | None
    fixed_per: FixedCharge | None
    vat_included: bool | None


@dataclass(frozen=True, slots=True)
class ListedFactor:
    """An emission factor."""

    at: Place
    key: RateKey
    grams_per_unit: Decimal | None
    source: str


@dataclass(frozen=True, slots=True)
class ListedDegreeDay:
    """A day of a weather station."""

    at: Place
    station: str
    day: date | None
    degree_days: Decimal | None
    base_celsius: Decimal | None
    source: str


_Rate: TypeAlias = ListedTariff | ListedFactor
LineT_co = TypeVar("LineT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class RateLines(Generic[LineT_co]):
    """The lines of a list, and the faults of its cells that cannot be read."""

    lines: Sequence[LineT_co]
    faults: Sequence[Fault] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def all_faults(self, found: Iterable[Fault]) -> list[Fault]:
        """These faults and those that are found.

        A cell that cannot be read is not at fault again, nor an empty one whose column may be there mistyped.
        """
        unread = {(fault.at, fault.column) for fault in self.faults}
        mistyped = {fault.at.table for fault in self.faults if fault.at.line == 1}
        return [
            *self.faults,
            *(
                one
                for one in found
                if (one.at, one.column) not in unread and (one.value or one.at.table not in mistyped)
            ),
        ]


async def import_tariffs(viewer: Viewer, lines: RateLines[ListedTariff], *, dry_run: bool = False) -> None:
    """Store tariffs, new or instead of those with the same key.

    Raises:
        ListsRefused: a line is at fault; nothing is written.
    """
    viewer.require(Permission.PLACES_WRITE)
    columns = ("eur_per_unit", "fixed_eur", "fixed_per", "vat_included")
    await tried_again(lambda: _import_rates(Tariff, columns, lines, _tariff_faults, dry_run=dry_run))


async def import_emission_factors(
    viewer: Viewer, lines: RateLines[ListedFactor], *, dry_run: bool = False
) -> None:
    """Store emission factors, new or instead of those with the same key.

    Raises:
        ListsRefused: a line is at fault; nothing is written.
    """
    viewer.require(Permission.PLACES_WRITE)
    columns = ("grams_per_unit", "source")
    await tried_again(lambda: _import_rates(EmissionFactor, columns, lines, _factor_faults, dry_run=dry_run))


async def import_degree_days(
    viewer: Viewer, lines: RateLines[ListedDegreeDay], *, dry_run: bool = False
) -> None:
    """Store the degree days of stations, new or instead of those of the same day.

    Raises:
        ListsRefused: a line is at fault; nothing is written.
    """
    viewer.require(Permission.PLACES_WRITE)
    await tried_again(lambda: _import_degree_days(lines, dry_run=dry_run))


@transactional
async def _import_rates(
    connection: TransactionalDBClient,
    model: type[Tariff | EmissionFactor],
    columns: Sequence[str],
    listed: RateLines[Any],
    faults_of: Callable[[Any], list[Fault]],
    *,
    dry_run: bool,
) -> None:
    lines = listed.lines
    codes = sorted(
        {line.key.operator for line in lines if can_be_stored(Operator, "code", line.key.operator)}
    )
    operators: dict[str, int] = {}
    for some in slices(codes):
        # Locked, since a database cannot hold two rates without a residence to be one.
        rows = Operator.filter(code__in=some).using_db(connection).select_for_update()
        operators |= {row.code: row.id for row in await rows}
    ids = list(operators.values())
    places = Residence.filter(operator_id__in=ids).using_db(connection)
    residences = {
        (row.operator_id, normalise_serial(row.code)): row
        for row in await places.only("id", "code", "operator_id")
    }
    known = {
        (row.operator_id, row.residence_id, row.fluid, row.valid_from): row
        for row in await model.filter(operator_id__in=ids).using_db(connection)
    }
    known_codes = {
        str(code) for code in await Operator.all().using_db(connection).values_list("code", flat=True)
    }
    found: list[Fault] = []
    new: list[Tariff | EmissionFactor] = []
    changed: list[Tariff | EmissionFactor] = []
    first: dict[tuple[Any, ...], Place] = {}
    for line in lines:
        wrong = [*_place_faults(line, operators, residences, known_codes), *faults_of(line)]
        found += wrong
        key = line.key
        operator_id = operators.get(key.operator)
        place = residences.get((operator_id or 0, normalise_serial(key.residence))) if key.residence else None
        if operator_id is None or (key.residence and place is None):
            continue
        if key.fluid is None or key.valid_from is None:
            continue
        whose = (operator_id, None if place is None else place.id, key.fluid, key.valid_from)
        if first.setdefault(whose, line.at) != line.at:
            reason = f"the same as in {line_of(first[whose], line.at)}"
            found.append(Fault(line.at, "valid_from", str(key.valid_from), reason))
            continue
        values = {name: getattr(line, name) for name in columns}
        row = known.get(whose)
        if row is None:
            names = ("operator_id", "residence_id", "fluid", "valid_from")
            new.append(model(**dict(zip(names, whose, strict=True)), **values))
            continue
        given = {name: value for name, value in values.items() if value is not None}
        if any(getattr(row, name) != value for name, value in given.items()):
            changed.append(row.update_from_dict(given))
    faults = listed.all_faults(found)
    if faults:
        raise ListsRefused(faults)
    if not dry_run:
        await insert_rows(connection, new)
        await update_rows(connection, changed, columns)


def _place_faults(
    line: _Rate,
    operators: Mapping[str, int],
    residences: Mapping[tuple[int, str], Residence],
    known_codes: Collection[str],
) -> list[Fault]:
    operator = operators.get(line.key.operator)
    if not line.key.operator:
        return []
    if operator is None:
        near = did_you_mean(line.key.operator, known_codes)
        return [Fault(line.at, "operator", line.key.operator, f"no operator has this code{near}")]
    if line.key.residence and (operator, normalise_serial(line.key.residence)) not in residences:
        codes = {row.code for (owner, _), row in residences.items() if owner == operator}
        near = did_you_mean(line.key.residence, codes)
        reason = f"operator {line.key.operator} has no such residence{near}"
        return [Fault(line.at, "residence", line.key.residence, reason)]
    return []


def _tariff_faults(line: ListedTariff) -> list[Fault]:
    faults = _between(line.at, "eur_per_unit", line.eur_per_unit, MOST_EUR_PER_UNIT, 5)
    faults += _between(line.at, "fixed_eur", line.fixed_eur, MOST_FIXED_EUR, 2)
    if (line.fixed_eur is None) != (line.fixed_per is None):
        column = "fixed_per" if line.fixed_per is None else "fixed_eur"
        faults.append(Fault(line.at, column, "", "a fixed part has an amount, and is of a MONTH or a YEAR"))
    return faults


def _factor_faults(line: ListedFactor) -> list[Fault]:
    faults = _between(line.at, "grams_per_unit", line.grams_per_unit, MOST_GRAMS_PER_UNIT, 3)
    return faults + _text_faults(line.at, EmissionFactor, {"source": line.source})


def _between(at: Place, column: str, value: Decimal | None, most: int, decimals: int) -> list[Fault]:
    if value is None:
        return []
    if not value.is_finite() or not 0 <= value <= most:
        return [Fault(at, column, str(value), f"must be 0 to {most:,}")]
    if value != round(value, decimals):
        return [Fault(at, column, str(value), f"has at most {decimals} decimals")]
    return []


def _text_faults(at: Place, model: type[EmissionFactor | DegreeDay], texts: Mapping[str, str]) -> list[Fault]:
    return [
        Fault(at, failure.field or "", texts[failure.field or ""], failure.message)
        for failure in misfits(model, texts)
    ]


@transactional
async def _import_degree_days(
    connection: TransactionalDBClient, listed: RateLines[ListedDegreeDay], *, dry_run: bool
) -> None:
    lines = listed.lines
    columns = ("degree_days", "base_celsius", "source")
    known: dict[tuple[str, date], DegreeDay] = {}
    stations = {line.station for line in lines if can_be_stored(DegreeDay, "station", line.station)}
    for some in slices(sorted(stations)):
        rows = await DegreeDay.filter(station__in=some).using_db(connection)
        known |= {(row.station, row.day): row for row in rows}
    faults = listed.all_faults(_degree_day_faults(lines, known))
    if faults:
        raise ListsRefused(faults)
    new, changed = [], []
    for line in lines:
        values = {name: getattr(line, name) for name in columns}
        assert line.day is not None  # else its cell was at fault
        row_of = known.get((line.station, line.day))
        if row_of is None:
            new.append(DegreeDay(station=line.station, day=line.day, **values))
        elif any(getattr(row_of, name) != value for name, value in values.items()):
            changed.append(row_of.update_from_dict(values))
    if not dry_run:
        await insert_rows(connection, new)
        await update_rows(connection, changed, columns)


def _degree_day_faults(
    lines: Sequence[ListedDegreeDay], known: Mapping[tuple[str, date], DegreeDay]
) -> list[Fault]:
    faults: list[Fault] = []
    first: dict[tuple[str, date], Place] = {}
    listed = {(line.station, line.day) for line in lines}
    bases = {
        station: row.base_celsius for (station, day), row in known.items() if (station, day) not in listed
    }
    for line in lines:
        faults += _between(line.at, "degree_days", line.degree_days, MOST_DEGREE_DAYS, 2)
        faults += _between(line.at, "base_celsius", line.base_celsius, MOST_BASE_CELSIUS, 1)
        faults += _text_faults(line.at, DegreeDay, {"station": line.station, "source": line.source})
        if line.day is not None and first.setdefault((line.station, line.day), line.at) != line.at:
            reason = f"the same day as in {line_of(first[line.station, line.day], line.at)}"
            faults.append(Fault(line.at, "day", str(line.day), reason))
        base = line.base_celsius
        if base is not None and bases.setdefault(line.station, base) != base:
            reason = f"other days of the station are counted below {bases[line.station]} °C"
            faults.append(Fault(line.at, "base_celsius", str(base), reason))
    return faults

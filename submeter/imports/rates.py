"""Makes the lines of tariffs, emission factors and degree days from a table.

In: a table, by the kind of list that it is. Out: its lines, or every cell that cannot be read. The one rule:
a column that is not known is a fault and never ignored, as in the other lists.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from core.consumption.prices import FixedCharge
from core.services.portfolio.portfolio_import import ListsRefused
from core.services.portfolio.portfolio_lists import Fault, Place
from core.services.portfolio.rate_lists import ListedDegreeDay, ListedFactor, ListedTariff, RateKey
from core.services.portfolio.suggestions import did_you_mean
from submeter.imports.cells import Cells
from submeter.imports.columns import normalised
from submeter.imports.tables import Table

LineT = TypeVar("LineT")

_KEY: Final = ("operator", "residence", "fluid", "valid_from")
TARIFF: Final = (*_KEY, "eur_per_unit", "fixed_eur", "fixed_per", "vat_included")
FACTOR: Final = (*_KEY, "grams_per_unit", "source")
DEGREE_DAY: Final = ("station", "day", "degree_days", "base_celsius", "source")
_OPTIONAL: Final = frozenset({"residence", "fixed_eur", "fixed_per", "vat_included"})

_FRENCH: Final[Mapping[str, Sequence[str]]] = {
    "operator": ("opérateur", "exploitant"),
    "residence": ("résidence", "code résidence", "code site"),
    "fluid": ("fluide", "énergie"),
    "valid_from": ("valable à partir du", "date d'effet", "à partir du"),
    "eur_per_unit": ("prix unitaire", "prix par unité", "prix"),
    "fixed_eur": ("abonnement", "part fixe"),
    "fixed_per": ("période de l'abonnement", "part fixe par"),
    "vat_included": ("ttc", "tva comprise"),
    "grams_per_unit": ("g co2 par unité", "grammes par unité"),
    "station": ("station météo",),
    "day": ("jour", "date"),
    "degree_days": ("dju", "degrés-jours"),
    "base_celsius": ("base", "température de base"),
}
_PERIODS: Final = {"month": FixedCharge.MONTH, "mois": FixedCharge.MONTH} | {
    "year": FixedCharge.YEAR,
    "an": FixedCharge.YEAR,
    "annee": FixedCharge.YEAR,
}


def tariffs_of(tables: Sequence[Table]) -> list[ListedTariff]:
    """The tariffs of tables.

    Raises:
        ListsRefused: a cell cannot be read.
    """
    return _lines(tables, TARIFF, _tariff)


def factors_of(tables: Sequence[Table]) -> list[ListedFactor]:
    """The emission factors of tables.

    Raises:
        ListsRefused: a cell cannot be read.
    """
    return _lines(tables, FACTOR, _factor)


def degree_days_of(tables: Sequence[Table]) -> list[ListedDegreeDay]:
    """The degree days of tables.

    Raises:
        ListsRefused: a cell cannot be read.
    """
    return _lines(tables, DEGREE_DAY, _degree_day)


def _lines(
    tables: Sequence[Table], columns: Sequence[str], read: Callable[[Cells], LineT | None]
) -> list[LineT]:
    required = frozenset(columns) - _OPTIONAL
    names = {normalised(text): name for name in columns for text in (name, *_FRENCH.get(name, ()))}
    faults: list[Fault] = []
    lines: list[LineT] = []
    for table in tables:
        places: dict[str, int] = {}
        for place, text in enumerate(table.header):
            name = names.get(normalised(text))
            if name is None and text:
                near = did_you_mean(text, columns)
                faults.append(Fault(Place(table.name, 1), text, text, f"there is no such column{near}"))
            elif name in places:
                faults.append(Fault(Place(table.name, 1), text, text, "the column is there twice"))
            elif name is not None:
                places[name] = place
        missing = sorted(required - places.keys())
        faults += [
            Fault(Place(table.name, 1), name, "", "the column is missing in the header") for name in missing
        ]
        if missing:
            continue
        for row in table.rows:
            cells = Cells(Place(table.name, row.line), places, row.cells, required, faults)
            line = read(cells)
            if line is not None:
                lines.append(line)
    if faults:
        raise ListsRefused(faults)
    return lines


def _key(cells: Cells) -> RateKey | None:
    operator, residence = cells.text("operator"), cells.text("residence")
    fluid, valid_from = cells.fluid("fluid"), cells.day("valid_from")
    if fluid is None or valid_from is None:
        return None
    return RateKey(operator, residence, fluid, valid_from)


def _tariff(cells: Cells) -> ListedTariff | None:
    key, price, fixed = _key(cells), cells.number("eur_per_unit"), cells.number("fixed_eur")
    text, vat_included = cells.text("fixed_per"), cells.flag("vat_included")
    fixed_per = _PERIODS.get(normalised(text)) if text else None
    if text and fixed_per is None:
        cells.fault("fixed_per", text, "must be one of MONTH, YEAR (mois, an)")
    if key is None or price is None:
        return None
    return ListedTariff(cells.at, key, price, fixed, fixed_per, vat_included)


def _factor(cells: Cells) -> ListedFactor | None:
    key, grams, source = _key(cells), cells.number("grams_per_unit"), cells.text("source")
    return None if key is None or grams is None else ListedFactor(cells.at, key, grams, source)


def _degree_day(cells: Cells) -> ListedDegreeDay | None:
    station, source = cells.text("station"), cells.text("source")
    day, degrees, base = cells.day("day"), cells.number("degree_days"), cells.number("base_celsius")
    if day is None or degrees is None or base is None:
        return None
    return ListedDegreeDay(cells.at, station, day, degrees, base, source)

"""Makes the lines of tariffs, emission factors and degree days from a table.

In: a table, by the kind of list that it is. Out: its lines, and every cell that cannot be read; what can is
checked where the lines are stored, so all is named at once. The one rule: a column that is not known is a
fault and never ignored, as in the other lists.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from core.consumption.prices import FixedCharge
from core.services.portfolio.portfolio_lists import Fault, Place
from core.services.portfolio.rate_lists import ListedDegreeDay, ListedFactor, ListedTariff, RateKey, RateLines
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


def tariffs_of(tables: Sequence[Table]) -> RateLines[ListedTariff]:
    """The tariffs of tables."""
    return _lines(tables, TARIFF, _tariff)


def factors_of(tables: Sequence[Table]) -> RateLines[ListedFactor]:
    """The emission factors of tables."""
    return _lines(tables, FACTOR, _factor)


def degree_days_of(tables: Sequence[Table]) -> RateLines[ListedDegreeDay]:
    """The degree days of tables."""
    return _lines(tables, DEGREE_DAY, _degree_day)


def _lines(
    tables: Sequence[Table], columns: Sequence[str], read: Callable[[Cells], LineT]
) -> RateLines[LineT]:
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
        faults += [
            Fault(Place(table.name, 1), name, "", "the column is missing in the header")
            for name in sorted(required - places.keys())
        ]
        for row in table.rows:
            cells = Cells(Place(table.name, row.line), places, row.cells, required, faults)
            lines.append(read(cells))
    return RateLines(lines, faults)


def _key(cells: Cells) -> RateKey:
    operator, residence = cells.text("operator"), cells.text("residence")
    return RateKey(operator, residence, cells.fluid("fluid"), cells.day("valid_from"))


def _tariff(cells: Cells) -> ListedTariff:
    key, price, fixed = _key(cells), cells.number("eur_per_unit"), cells.number("fixed_eur")
    text, vat_included = cells.text("fixed_per"), cells.flag("vat_included")
    fixed_per = _PERIODS.get(normalised(text)) if text else None
    if text and fixed_per is None:
        cells.fault("fixed_per", text, "must be one of MONTH, YEAR (mois, an)")
    return ListedTariff(cells.at, key, price, fixed, fixed_per, vat_included)


def _factor(cells: Cells) -> ListedFactor:
    return ListedFactor(cells.at, _key(cells), cells.number("grams_per_unit"), cells.text("source"))


def _degree_day(cells: Cells) -> ListedDegreeDay:
    return ListedDegreeDay(
        cells.at,
        cells.text("station"),
        cells.day("day"),
        cells.number("degree_days"),
        cells.number("base_celsius"),
        cells.text("source"),
    )

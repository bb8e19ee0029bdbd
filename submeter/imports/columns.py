"""The columns of each kind of list: their names, English and French, and which a list must have.

In: the header of a table. Out: its kind, and which column stands where. The one rule: a column that is not
known is a fault and never ignored: it may be a known one, mistyped.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.services.portfolio.portfolio_lists import (
    DWELLINGS,
    KEYS,
    METERS,
    OCCUPANCIES,
    RESIDENCES,
    Fault,
    Place,
)
from core.services.portfolio.suggestions import did_you_mean
from submeter.imports.tables import Table

_HOME: Final = ("operator", "residence", "building", "staircase", "floor", "number")

COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    RESIDENCES: (
        *("operator", "operator_name", "code", "name", "street", "postcode", "city", "time_zone"),
        *("remote_reading", "resident_portal_option", "water_price_eur_per_m3"),
        *("billing_starts", "weather_station"),
    ),
    DWELLINGS: (*_HOME, "lot", "manager_reference", "surface_m2"),
    METERS: (
        *_HOME,
        *("fluid", "vendor", "printed_serial", "radio_address", "installed_on", "removed_on"),
        *("register_step", "register_capacity", "nominal_flow_m3_per_h", "location", "key", "aliases"),
    ),
    KEYS: ("radio_address", "key"),
    OCCUPANCIES: (*_HOME, "move_in", "move_out", "kind", "email"),
}

REQUIRED: Final[Mapping[str, frozenset[str]]] = {
    RESIDENCES: frozenset({"operator", "code"}),
    DWELLINGS: frozenset({"operator", "residence", "number"}),
    METERS: frozenset(
        {"operator", "residence", "number", "fluid", "vendor", "printed_serial", "installed_on"}
    ),
    KEYS: frozenset({"radio_address", "key"}),
    OCCUPANCIES: frozenset({"operator", "residence", "number", "move_in", "kind"}),
}

_KEY: Final = re.compile(r"[0-9a-f\s]{16,}", re.IGNORECASE)
"""What may be a key, and is never repeated."""

_TITLES: Final = {
    RESIDENCES: ("residence", "residences", "site", "sites", "immeuble", "immeubles"),
    DWELLINGS: ("dwelling", "dwellings", "logement", "logements", "lots"),
    METERS: ("meter", "meters", "compteur", "compteurs", "appareils"),
    KEYS: ("key", "keys", "cle", "cles"),
    OCCUPANCIES: ("occupancy", "occupancies", "occupant", "occupants", "occupation", "occupations"),
}

_FRENCH: Final[Mapping[str, Sequence[str]]] = {
    "operator": ("opérateur", "code opérateur", "exploitant"),
    "operator_name": ("nom opérateur", "nom de l'opérateur", "nom exploitant"),
    "residence": ("résidence", "code résidence", "code site", "code immeuble", "residence_code"),
    "code": ("code résidence", "code site", "code immeuble"),
    "name": ("nom", "nom de la résidence", "libellé"),
    "street": ("adresse", "rue", "address"),
    "postcode": ("code postal", "cp", "postal code", "zip"),
    "city": ("ville", "commune", "town"),
    "time_zone": ("fuseau horaire", "timezone"),
    "remote_reading": ("télérelève", "relève à distance"),
    "resident_portal_option": ("option portail", "portail résident", "portail occupant"),
    "water_price_eur_per_m3": ("prix de l'eau", "prix eau", "prix m3", "water_price"),
    "billing_starts": ("début de l'exercice", "début d'exercice", "début de la période de facturation"),
    "weather_station": ("station météo", "station météorologique"),
    "building": ("bâtiment", "bat"),
    "staircase": ("escalier", "cage", "entrée"),
    "floor": ("étage", "niveau"),
    "number": ("numéro", "n°", "no", "porte", "numéro de logement", "numéro logement", "door"),
    "lot": ("numéro de lot", "n° de lot", "n° lot", "lot number"),
    "manager_reference": ("référence gestionnaire", "référence du gestionnaire", "référence syndic"),
    "surface_m2": ("surface", "surface (m²)", "superficie"),
    "fluid": ("fluide", "énergie"),
    "vendor": ("fabricant", "constructeur", "marque"),
    "printed_serial": ("numéro de série", "n° de série", "n° compteur", "serial", "serial number"),
    "radio_address": ("adresse radio", "address", "id radio"),
    "installed_on": ("date de pose", "posé le", "date d'installation"),
    "removed_on": ("date de dépose", "déposé le", "date de retrait"),
    "register_step": ("pas d'index", "pas", "résolution"),
    "register_capacity": ("capacité", "capacité du totalisateur"),
    "nominal_flow_m3_per_h": ("débit nominal", "q3", "qp"),
    "location": ("emplacement", "localisation"),
    "key": ("clé", "clé aes", "clé de chiffrement"),
    "aliases": ("alias", "autres adresses radio"),
    "move_in": ("entrée", "date d'entrée", "emménagement", "entré le"),
    "move_out": ("sortie", "date de sortie", "déménagement", "sorti le"),
    "kind": ("type", "statut", "statut d'occupation", "qualité"),
    "email": ("e-mail", "courriel", "adresse e-mail", "mail"),
}


@dataclass(frozen=True, slots=True)
class Header:
    """The kind of a table, and the place of each column that it has."""

    kind: str
    places: Mapping[str, int]


def header_of(table: Table) -> tuple[Header | None, list[Fault]]:
    """What a table lists, by its title or by its columns; None if it is none of the lists.

    Faults: columns that are missing, unknown, or there twice.
    """
    kind = _titled(table.title) or _likeliest(table.header)
    if kind is None:
        return None, []
    names = _names(kind)
    places: dict[str, int] = {}
    faults: list[Fault] = []
    at = Place(table.name, 1)
    for place, text in enumerate(table.header):
        if not text:
            continue
        column = names.get(normalised(text))
        if column is None:
            near = did_you_mean(text, (*COLUMNS[kind], *_french_of(kind)))
            shown = "" if _KEY.fullmatch(text) else text  # a list without its header
            faults.append(Fault(at, shown, shown, f"a list of {kind} has no such column{near}"))
        elif column in places:
            faults.append(Fault(at, column, text, "the column is there twice"))
        else:
            places[column] = place
    faults += [
        Fault(at, column, "", "the column is missing in the header")
        for column in sorted(REQUIRED[kind] - places.keys())
    ]
    return Header(kind, places), faults


def normalised(text: str) -> str:
    """A text for comparison: lower case, without accents, and without signs between its words."""
    plain = unicodedata.normalize("NFKD", text.replace("°", "o").casefold())
    return re.sub(
        r"[^a-z0-9]+", " ", "".join(sign for sign in plain if not unicodedata.combining(sign))
    ).strip()


def _titled(title: str) -> str | None:
    words = normalised(title).split()
    return next((kind for kind, titles in _TITLES.items() if any(word in titles for word in words)), None)


def _likeliest(header: Sequence[str]) -> str | None:
    """The kind of which a header has most columns, at least half of those it must have."""
    texts = {normalised(text) for text in header if text}

    def known(kind: str) -> int:
        return sum(text in _names(kind) for text in texts)

    def has_half(kind: str) -> bool:
        names = _names(kind)
        return 2 * len({names.get(text) for text in texts} & REQUIRED[kind]) >= len(REQUIRED[kind])

    kinds = [kind for kind in COLUMNS if has_half(kind)]
    return max(kinds, key=known) if kinds else None


def _names(kind: str) -> dict[str, str]:
    """The columns of a kind by each text that means them."""
    names: dict[str, str] = {}
    for column in COLUMNS[kind]:
        for text in (column, *_FRENCH.get(column, ())):
            names.setdefault(normalised(text), column)
    if kind == OCCUPANCIES:
        names[normalised("entrée")] = "move_in"  # of a person, not of a building
    if kind == RESIDENCES:
        names["residence"] = "code"
    return names


def _french_of(kind: str) -> list[str]:
    return [text for column in COLUMNS[kind] for text in _FRENCH.get(column, ())]

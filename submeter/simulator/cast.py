"""The demo's buildings and residents as tables, without dates and meters.

Every mailbox is at example.org (RFC 2606), every phone number in 06 39 98, the range that ARCEP reserves for
fiction. The sample codes are those of the two operators' resident guides.
"""

import unicodedata
from typing import NamedTuple


class Person(NamedTuple):
    """A resident; the e-mail address follows from the name."""

    civility: str
    first_name: str
    last_name: str
    email: str
    language: str
    phone: str | None


class Flat(NamedTuple):
    """A dwelling's place in the building, its size, and who lives there (None: no account yet)."""

    building: str
    staircase: str
    floor: str
    number: str
    lot: str
    manager_reference: str
    surface_m2: int
    persons: int
    resident: Person | None


def _person(civility: str, first: str, last: str, language: str, phone: str | None) -> Person:
    plain = unicodedata.normalize("NFKD", f"{first}.{last}".lower()).encode("ascii", "ignore").decode()
    return Person(civility, first, last, f"{plain}@example.org", language, phone)


PREDECESSOR = _person("M.", "Henri", "Lambert", "fr", "+33639980099")

TILLEULS: tuple[Flat, ...] = (
    Flat(
        "A", "1", "0", "01", "1", "LT-A-001", 62, 2, _person("Mme", "Claire", "Martin", "fr", "+33639980012")
    ),
    Flat(
        "A", "1", "0", "02", "2", "LT-A-002", 48, 1, _person("M.", "Thomas", "Nguyen", "fr", "+33639980013")
    ),
    Flat("A", "1", "1", "11", "3", "LT-A-011", 75, 3, None),
    Flat(
        "A", "1", "1", "12", "4", "LT-A-012", 48, 2, _person("Mme", "Emily", "Carter", "en", "+33639980014")
    ),
    Flat("A", "1", "2", "21", "5", "LT-A-021", 75, 4, _person("M.", "Karim", "Benali", "fr", None)),
    Flat(
        "A", "1", "2", "22", "6", "LT-A-022", 48, 1, _person("Mme", "Odile", "Fournier", "fr", "+33639980015")
    ),
    Flat("A", "1", "3", "31", "7", "LT-A-031", 75, 2, None),
    Flat(
        "B", "1", "0", "01", "8", "LT-B-001", 55, 2, _person("M.", "Julien", "Moreau", "fr", "+33639980016")
    ),
    Flat("B", "1", "0", "02", "9", "LT-B-002", 88, 5, None),
    Flat("B", "1", "1", "11", "10", "LT-B-011", 55, 3, _person("Mme", "Inès", "Garcia", "fr", None)),
    Flat("B", "2", "1", "12", "11", "LT-B-012", 66, 2, None),
    Flat("B", "2", "2", "21", "12", "LT-B-021", 66, 3, None),
    Flat("B", "2", "2", "22", "13", "LT-B-022", 41, 1, None),
)

PARC: tuple[Flat, ...] = (
    Flat(
        "01",
        "03",
        "00",
        "01",
        "8",
        "5151 0008",
        64,
        3,
        _person("Mme", "Sophie", "Durand", "fr", "+33639980021"),
    ),
    Flat("01", "03", "00", "02", "9", "5151 0009", 45, 1, None),
    Flat(
        "01",
        "03",
        "01",
        "01",
        "10",
        "5151 0010",
        64,
        2,
        _person("M.", "Peter", "Novak", "en", "+33639980022"),
    ),
    Flat("01", "03", "01", "02", "11", "5151 0011", 45, 2, None),
    Flat(
        "01",
        "03",
        "02",
        "01",
        "12",
        "5151 0012",
        64,
        4,
        _person("Mme", "Aminata", "Diallo", "fr", "+33639980023"),
    ),
    Flat("01", "03", "02", "02", "13", "5151 0013", 45, 1, None),
    Flat("01", "03", "03", "01", "14", "5151 0014", 64, 2, _person("M.", "Luc", "Bernard", "fr", None)),
    Flat(
        "01",
        "04",
        "00",
        "01",
        "15",
        "5151 0015",
        58,
        3,
        _person("Mme", "Hélène", "Petit", "fr", "+33639980024"),
    ),
    Flat("01", "04", "00", "02", "16", "5151 0016", 36, 1, None),
    Flat(
        "01",
        "04",
        "01",
        "01",
        "17",
        "5151 0017",
        58,
        2,
        _person("M.", "Oscar", "Rossi", "en", "+33639980025"),
    ),
    Flat("01", "04", "01", "02", "18", "5151 0018", 36, 1, None),
    Flat("02", "01", "00", "01", "19", "5151 0019", 80, 4, None),
    Flat("02", "01", "01", "01", "20", "5151 0020", 80, 5, None),
)

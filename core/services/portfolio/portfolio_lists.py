"""The lines of an operator's lists, as whatever reads the files makes them, and what is wrong with them.

In: cells that could be read. Out: plain values, one a line, each with its place in its file. The one rule:
None is a cell that is not given; of what is stored already it leaves the value as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from core.consumption.fluids import Fluid
from core.models import OccupancyKind

RESIDENCES: Final = "residences"
DWELLINGS: Final = "dwellings"
METERS: Final = "meters"
KEYS: Final = "keys"
OCCUPANCIES: Final = "occupancies"

KINDS: Final = (RESIDENCES, DWELLINGS, METERS, KEYS, OCCUPANCIES)
"""The kinds of lists, in the order in which one needs the other."""

NOT_REMOVED: Final = "-"
"""In a cell of removals: the meter is in service, whatever is stored. An empty cell leaves what is stored."""

SINGULAR: Final = {
    RESIDENCES: "residence",
    DWELLINGS: "dwelling",
    METERS: "meter",
    KEYS: "key",
    OCCUPANCIES: "occupancy",
}


class Place(NamedTuple):
    """Where something stands: the file (and the sheet), and the line as its program numbers them."""

    table: str
    line: int


def line_of(place: Place, seen_from: Place | None) -> str:
    """`line 3`; with its file where that is another one."""
    same = seen_from is None or seen_from.table == place.table
    return f"line {place.line}" if same else f"line {place.line} of {place.table}"


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell that cannot be imported, and why. `column` is empty where the whole line or table is at fault.

    `value` is what the cell holds; of a key nothing is repeated.
    """

    at: Place
    column: str
    value: str
    reason: str


class DwellingPlace(NamedTuple):
    """A dwelling as lists name it."""

    operator: str
    residence: str
    building: str
    staircase: str
    floor: str
    number: str

    def __str__(self) -> str:
        parts = (self.building, self.staircase, self.floor, self.number)
        return f"{self.residence} {'/'.join(part or '-' for part in parts)}"


@dataclass(frozen=True, slots=True)
class ListedResidence:
    """A residence. `operator_name` is needed for an operator that is new."""

    at: Place
    operator: str
    operator_name: str | None
    code: str
    name: str | None
    street: str | None
    postcode: str | None
    city: str | None
    time_zone: str | None
    remote_reading: bool | None
    resident_portal_option: bool | None
    water_price_eur_per_m3: Decimal | None
    billing_starts: str | None = None
    weather_station: str | None = None


@dataclass(frozen=True, slots=True)
class ListedDwelling:
    """A dwelling."""

    at: Place
    home: DwellingPlace
    lot: str | None
    manager_reference: str | None
    surface_m2: Decimal | None


@dataclass(frozen=True, slots=True)
class ListedMeter:
    """A meter; days are those of the residence. `in_service`: it says that the meter was not removed."""

    at: Place
    home: DwellingPlace
    fluid: Fluid | None
    vendor: str
    printed_serial: str
    radio_address: str
    installed_on: date | None
    removed_on: date | None
    in_service: bool
    register_step: int | None
    register_capacity: int | None
    nominal_flow_m3_per_h: Decimal | None
    location: str | None
    key: bytes | None = field(default=None, repr=False)
    aliases: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key of a meter that is listed elsewhere, by the meter's address."""

    at: Place
    radio_address: str
    key: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListedOccupancy:
    """Somebody's time in a dwelling. Without an e-mail a new one is a person's without an account."""

    at: Place
    home: DwellingPlace
    move_in: date | None
    move_out: date | None
    kind: OccupancyKind | None
    email: str | None


@dataclass(slots=True)
class Lists:
    """All lines of some lists, and the faults that were found when they were read."""

    residences: list[ListedResidence] = field(default_factory=list)
    dwellings: list[ListedDwelling] = field(default_factory=list)
    meters: list[ListedMeter] = field(default_factory=list)
    keys: list[ListedKey] = field(default_factory=list)
    occupancies: list[ListedOccupancy] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many lines there are of each kind."""
        return {kind: len(getattr(self, kind)) for kind in KINDS}

    @property
    def homes(self) -> set[DwellingPlace]:
        """All dwellings that any line names."""
        return {line.home for lines in (self.dwellings, self.meters, self.occupancies) for line in lines}

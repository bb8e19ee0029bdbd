"""What tells the dwellings and meters of lists apart, beside the place and the address they are known by.

In: what is stored in the lists' residences, and lines. Out: why a line cannot be meant as it is. The one
rule: what people take for the same is the same: a dwelling whose place differs in case, blanks or leading
zeros alone, or that has the lot or the manager's reference of another; a serial of one maker in two dwellings
at a time. It is a fault, and never taken for the other by itself.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from tortoise.backends.base.client import BaseDBAsyncClient

from core.metering import normalise_serial
from core.models import Dwelling, Meter
from core.services.portfolio.portfolio_lists import DwellingPlace, ListedDwelling, Place, line_of
from core.services.portfolio.suggestions import GENERIC
from core.services.portfolio.validation import can_be_stored
from core.services.shared.many_rows import slices

SMALLEST_SURFACE_M2: Final = 5
LARGEST_SURFACE_M2: Final = 2_000
"""Less than the smallest room that is let, or more than a dwelling has, was typed without its comma."""

_ZEROS: Final = re.compile(r"(?<!\d)0+(?=\d)")
_UNIQUE: Final = {"lot": "lot", "manager_reference": "reference"}
"""What no two dwellings of a residence have in common."""

_Parts = tuple[str, str, str, str]
"""Building, staircase, floor and number."""


class _Home(NamedTuple):
    """A dwelling; `at` where a list describes it."""

    place: _Parts
    at: Place | None


@dataclass(slots=True)
class KnownHomes:
    """The dwellings of the lists' residences, stored or listed."""

    _stored: dict[tuple[int, _Parts], dict[str, str | None]] = field(default_factory=dict)
    _alike: dict[tuple[int, _Parts], _Home] = field(default_factory=dict)
    _by_number: dict[tuple[int, str], list[_Parts]] = field(default_factory=dict)
    _holders: dict[tuple[int, str, str], list[_Home]] = field(default_factory=dict)
    """By residence, column and value: whose it will be."""

    async def load(
        self, connection: BaseDBAsyncClient, lines: Sequence[tuple[int, ListedDwelling]], named: Iterable[int]
    ) -> None:
        """Read the dwellings of the named residences; `lines`, each with its residence, change them."""
        columns = ("residence_id", "building", "staircase", "floor", "number", *_UNIQUE)
        for some in slices(sorted(number for number in named if number > 0)):
            rows = Dwelling.filter(residence_id__in=some).using_db(connection).order_by("id")
            for residence, building, staircase, floor, number, lot, reference in await rows.values_list(
                *columns
            ):
                place = (building, staircase, floor, number)
                self._stored[residence, place] = {"lot": lot, "manager_reference": reference}
                self._add(residence, _Home(place, None))
        listed = {(residence, _parts(line.home)): line for residence, line in reversed(lines)}
        for residence, place in listed.keys() | self._stored.keys():
            line = listed.get((residence, place))
            for column in _UNIQUE:
                given = getattr(line, column, None)
                value = given or self._stored.get((residence, place), {}).get(column)
                if value:
                    home = _Home(place, line.at if line is not None and given else None)
                    self._holders.setdefault((residence, column, _compared(value)), []).append(home)

    def place_fault(self, residence: int, line: ListedDwelling) -> str | None:
        """Why a new dwelling is no other one than one that is known, whose place looks the same."""
        place = _parts(line.home)
        if (residence, place) in self._stored:
            return None
        known = self._alike.get((residence, _look(place)))
        self._add(residence, _Home(place, line.at))
        if known is None or known.place == place:
            return None
        return (
            f"looks the same as {_shown(known, line.at)}: write building, staircase, floor and number alike"
        )

    def value_faults(self, residence: int, line: ListedDwelling) -> Iterator[tuple[str, str, str]]:
        """Column, value and reason of what another dwelling has, or a line before it describes."""
        own = _parts(line.home)
        for column, noun in _UNIQUE.items():
            given = getattr(line, column)
            if not given:
                continue
            before = self._stored.get((residence, own), {}).get(column)
            is_new = before is None or _compared(before) != _compared(given)
            for home in self._holders.get((residence, column, _compared(given)), ()):
                if home.place != own and (is_new if home.at is None else home.at < line.at):
                    where = f"in {line_of(home.at, line.at)}" if home.at else _shown(home, line.at)
                    yield column, given, f"the same {noun} as {where}"
                    break

    def near(self, residence: int, home: DwellingPlace) -> str:
        """What may have been meant by a place that is not known; nothing where nothing is near."""
        alike = self._alike.get((residence, _look(_parts(home))))
        if alike is not None:
            return f"; did you mean {_written(alike.place)!r}?"
        same = sorted(self._by_number.get((residence, home.number), []))[:3]
        if not same:
            return ""
        places = ", ".join(_written(one[:-1]) for one in same)
        return f"; number {home.number} is known in building/staircase/floor {places}"

    def _add(self, residence: int, home: _Home) -> None:
        self._alike.setdefault((residence, _look(home.place)), home)
        self._by_number.setdefault((residence, home.place[-1]), []).append(home.place)


def surface_fault(surface_m2: Decimal | None) -> str | None:
    """Why this is no surface of a dwelling."""
    if surface_m2 is None or SMALLEST_SURFACE_M2 <= surface_m2 <= LARGEST_SURFACE_M2:
        return None
    return f"must be {SMALLEST_SURFACE_M2} to {LARGEST_SURFACE_M2:,} m2"


class Installed(NamedTuple):
    """A meter with its serial in a dwelling, from one moment to another; `at` where a list describes it."""

    operator: str
    vendor: str
    serial: str
    address: str
    dwelling: DwellingPlace | int
    since: datetime
    until: datetime | None
    at: Place | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What one meter has: a serial of its vendor, or, without a driver, of the address's maker."""
        maker = self.address[:3] if self.vendor == GENERIC else ""
        return self.operator, self.vendor, maker, normalise_serial(self.serial)

    def is_beside(self, other: "Installed") -> bool:
        """Whether two of one serial are in two dwellings at a time."""
        first, second = sorted((self, other), key=lambda one: one.since)
        return (
            self.address != other.address
            and self.dwelling != other.dwelling
            and (first.until is None or first.until > second.since)
        )


@dataclass(slots=True)
class KnownSerials:
    """Where the serials of the lists are installed."""

    _by_key: dict[tuple[str, str, str, str], list[Installed]] = field(default_factory=dict)

    async def load(
        self, connection: BaseDBAsyncClient, serials: Iterable[str], *, listed: Collection[str]
    ) -> None:
        """Read the meters with these serials, but for those whose addresses are listed."""
        keys = {normalise_serial(serial) for serial in serials}
        columns = (
            *("dwelling__residence__operator__code", "vendor", "printed_serial", "radio_address"),
            *("dwelling_id", "installed_at", "removed_at"),
        )
        for some in slices(sorted(key for key in keys if can_be_stored(Meter, "serial_key", key))):
            rows = Meter.filter(serial_key__in=some).using_db(connection)
            for row in await rows.values_list(*columns):
                stored = Installed(*row)
                if stored.address not in listed:
                    self._by_key.setdefault(stored.key, []).append(stored)

    def fault(self, meter: Installed, dwelling_id: int | None) -> str | None:
        """Why a listed meter is not the only one of its serial; it is known to lines after it."""
        known = self._by_key.setdefault(meter.key, [])
        own = meter._replace(dwelling=dwelling_id) if dwelling_id is not None else meter
        for other in known:
            if (meter if other.at is not None else own).is_beside(other):
                where = (
                    f"in {line_of(other.at, meter.at)}"
                    if other.at
                    else f"of the stored meter {other.address}"
                )
                return f"the same serial as {where}, in another dwelling"
        known.append(meter)
        return None


def _parts(home: DwellingPlace) -> _Parts:
    return home.building, home.staircase, home.floor, home.number


def _look(place: _Parts) -> _Parts:
    """A place without what people leave out or write either way: case, blanks, leading zeros."""
    building, staircase, floor, number = (_ZEROS.sub("", _compared(part)) for part in place)
    return building, staircase, floor, number


def _compared(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _written(parts: Sequence[str]) -> str:
    return "/".join(part or "-" for part in parts)


def _shown(home: _Home, seen_from: Place) -> str:
    where = line_of(home.at, seen_from) if home.at else "stored"
    return f"dwelling {_written(home.place)} ({where})"

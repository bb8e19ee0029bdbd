"""Dwellings and meters as an operator lists them, compared with what is stored, and written all at once.

In: lines of a list, each a dwelling with its meters, one after the other. Out: rows of dwellings, meters,
keys and aliases, and the audit. The one rule: a line has the effect that it would have if all lines before
it were stored already, and the number of statements does not grow with the lines (a meter whose time in
service moves apart: what it counted is recomputed). What the tables would refuse is refused by `put`,
before anything is written.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import Viewer
from core.errors import Conflict, InvalidInput
from core.leak_thresholds import ThresholdsOf
from core.metering import normalise_serial
from core.models import Dwelling, Meter, MeterAlias
from core.models.base import Model
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import DwellingSpec, MeterSpec
from core.services.portfolio.meter_aliases import add_aliases
from core.services.portfolio.meter_keys import GivenKey, add_keys
from core.services.portfolio.validation import can_be_stored, canonical_address, check_value
from core.services.shared.many_rows import insert_rows, slices, update_rows
from core.services.telegrams.service_correction import correct_services

LARGEST_REGISTER = {"register_step": 1_000_000, "register_capacity": 10**15}
"""Litres, watt-hours or allocator units; no register holds more."""

LARGEST_FLOW_M3_PER_H = 6300
"""The largest Q3 that ISO 4064-1 has a number for in its series; no meter of a building is larger."""

SMALLEST_FLOW_M3_PER_H = Decimal("0.001")
"""The last decimal that the table keeps: less would be stored as 0."""

KEY_BYTES = {8, 16}
"""PRIOS, and AES-128."""

KEY_LENGTH_FAULT = "a meter key has 16 bytes (8 for PRIOS)"

_PLACE: Final = ("residence_id", "building", "staircase", "floor", "number")
_KEPT: Final = ("lot", "manager_reference", "surface_m2")
_KEPT_OF_METER: Final = ("register_step", "register_capacity", "nominal_flow_m3_per_h", "location")
_METER: Final = (
    "fluid",
    "vendor",
    "location",
    "printed_serial",
    "serial_key",
    "register_step",
    "register_capacity",
    "nominal_flow_m3_per_h",
    "installed_at",
    "removed_at",
)

_Place = tuple[int, str, str, str, str]


class Listed(NamedTuple):
    """A line of a list: a dwelling of a residence, with meters. `keep_removal`: known removals remain."""

    residence_id: int
    dwelling: DwellingSpec
    keep_removal: bool = False


class Figures(Protocol):
    """A meter's figures, of a description or of a line."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def register_step(self) -> int | None: ...
    @property
    def register_capacity(self) -> int | None: ...
    @property
    def nominal_flow_m3_per_h(self) -> Decimal | None: ...


@dataclass(slots=True)
class _Meter:
    """A meter; a new one with its dwelling, a stored one with its time in service as it is stored."""

    row: Meter
    dwelling: Dwelling | None = None
    service: tuple[datetime, datetime | None] | None = None

    def is_in(self, dwelling: Dwelling) -> bool:
        if self.dwelling is not None:
            return self.dwelling is dwelling
        return bool(self.row.dwelling_id == dwelling.id)

    @property
    def has_moved(self) -> bool:
        """Whether it is stored with another time in service."""
        return self.service not in {None, (self.row.installed_at, self.row.removed_at)}


@dataclass(slots=True)
class _Pending:
    """What is to be written."""

    dwellings: dict[_Place, Dwelling] = field(default_factory=dict)
    meters: dict[str, Meter] = field(default_factory=dict)
    keys: list[tuple[Meter, bytes]] = field(default_factory=list)
    aliases: list[tuple[Meter, str]] = field(default_factory=list)


class Inventory:
    """What is stored of the dwellings and meters of a list, and what its lines change."""

    def __init__(self) -> None:
        self._dwellings: dict[_Place, Dwelling] = {}
        self._meters: dict[str, _Meter] = {}
        self._aliases: dict[str, str] = {}
        """By alias, the address of its meter."""
        self._changes = _Pending()

    @classmethod
    async def of(cls, connection: BaseDBAsyncClient, lines: Sequence[Listed]) -> "Inventory":
        """What is stored of what these lines name."""
        inventory = cls()
        await inventory.load(connection, lines)
        return inventory

    async def load(self, connection: BaseDBAsyncClient, lines: Sequence[Listed]) -> None:
        """Read what is stored of what further lines name. What lines before them have put remains."""
        await self._load_dwellings(connection, lines)
        named = {address for line in lines for address in _addresses(line.dwelling)}
        await self.load_meters(connection, named)

    async def load_meters(self, connection: BaseDBAsyncClient, addresses: Collection[str]) -> None:
        """Read what is stored of the meters with these addresses or aliases."""
        for some in slices(sorted(addresses)):
            for row in await Meter.filter(radio_address__in=some).using_db(connection):
                service = (row.installed_at, row.removed_at)
                self._meters.setdefault(row.radio_address, _Meter(row, service=service))
            aliases = MeterAlias.filter(radio_address__in=some).using_db(connection)
            for alias, address in await aliases.values_list("radio_address", "meter__radio_address"):
                self._aliases.setdefault(alias, address)

    async def _load_dwellings(self, connection: BaseDBAsyncClient, lines: Sequence[Listed]) -> None:
        named = {(line.residence_id, line.dwelling.number) for line in lines}
        known = sorted(one for one in named if can_be_stored(Dwelling, "number", one[1]))
        for some in slices(known):
            residences, numbers = zip(*some, strict=True)
            rows = Dwelling.filter(residence_id__in=set(residences), number__in=set(numbers))
            for row in await rows.using_db(connection):
                self._dwellings.setdefault(_place_of(row), row)

    def put(self, line: Listed) -> tuple[Dwelling, list[Meter]]:
        """Take a line; the dwelling and the meters as they will be.

        Raises:
            InvalidInput: a value cannot be stored as it is.
            Conflict: an address is another meter's, or the meter is in another dwelling.
        """
        dwelling = self._put_dwelling(line.residence_id, line.dwelling)
        return dwelling, [
            self._put_meter(dwelling, meter, keep_removal=line.keep_removal) for meter in line.dwelling.meters
        ]

    def dwelling_of(self, residence_id: int, spec: DwellingSpec) -> Dwelling | None:
        """The dwelling at this place, stored or put; None where there is none."""
        return self._dwellings.get(_place(residence_id, spec))

    def add_key(self, radio_address: str, key: bytes) -> bool:
        """Take a further key of a meter that is stored or put; False where there is no such meter."""
        address = canonical_address(radio_address)
        known = self.meter_at(address)
        if known is not None:
            self._changes.keys.append((known, key))
        return known is not None

    def meter_at(self, address: str) -> Meter | None:
        """The meter with this address or alias, stored or put."""
        known = self._meters.get(self._aliases.get(address, address))
        return None if known is None else known.row

    def moves_service(self, line: Listed) -> bool:
        """Whether a line that was put has moved the time in service of a meter that is stored."""
        return any(
            one.has_moved
            for address in _addresses(line.dwelling)
            if (one := self._meters.get(address)) is not None
        )

    async def store(
        self,
        connection: TransactionalDBClient,
        viewer: Viewer,
        *,
        key_encryption: KeyEncryption,
        thresholds_of: ThresholdsOf,
        now: datetime,
    ) -> None:
        """Write what the lines have changed, and recompute the meters whose time in service has moved."""
        changes, self._changes = self._changes, _Pending()
        await self._store_dwellings(connection, changes)
        await self._store_meters(connection, changes)
        given = [GivenKey(row.id, row.radio_address, key) for row, key in changes.keys]
        await add_keys(connection, given, key_encryption=key_encryption, now=now)
        aliases = [(row.id, alias) for row, alias in changes.aliases]
        await add_aliases(connection, viewer, aliases, now=now)
        moved = [address for address in changes.meters if self._meters[address].has_moved]
        if moved:
            await correct_services(
                connection, moved, key_encryption=key_encryption, thresholds_of=thresholds_of, now=now
            )

    def _put_dwelling(self, residence_id: int, spec: DwellingSpec) -> Dwelling:
        place = _place(residence_id, spec)
        dwelling = self._dwellings.get(place)
        known = {name: getattr(spec, name) for name in _KEPT if getattr(spec, name) is not None}
        if dwelling is None:
            dwelling = Dwelling()
            known = dict(zip(_PLACE, place, strict=True)) | known
        if _changed(dwelling, known):
            self._changes.dwellings[place] = dwelling
        return self._dwellings.setdefault(place, dwelling)

    def _put_meter(self, dwelling: Dwelling, spec: MeterSpec, *, keep_removal: bool) -> Meter:
        address = canonical_address(spec.radio_address)
        known = self._meters.get(address)
        removed_at = spec.removed_at
        if keep_removal:
            removed_at = known.row.removed_at if known is not None else None
        for fault in meter_faults(spec, removed_at):
            raise fault
        aliases = [canonical_address(alias) for alias in spec.aliases]
        for _, conflict in self.conflicts(dwelling, address, aliases):
            raise conflict
        known = known or _Meter(Meter(radio_address=address), dwelling)
        values: dict[str, object] = {
            "fluid": spec.fluid,
            "vendor": spec.vendor,
            "printed_serial": spec.printed_serial,
            "serial_key": normalise_serial(spec.printed_serial),
            "installed_at": spec.installed_at,
            "removed_at": removed_at,
        }
        values |= {name: value for name in _KEPT_OF_METER if (value := getattr(spec, name)) is not None}
        if _changed(known.row, values):
            self._changes.meters[address] = known.row
        self._meters[address] = known
        if spec.key is not None:
            self._changes.keys.append((known.row, spec.key))
        for alias in aliases:
            if alias not in self._aliases:
                self._aliases[alias] = address
                self._changes.aliases.append((known.row, alias))
        return known.row

    def conflicts(
        self, dwelling: Dwelling | None, address: str, aliases: Sequence[str]
    ) -> Iterator[tuple[str, Conflict]]:
        """Each address that keeps a meter from this dwelling, and why.

        A dwelling that is not known yet is no other one.
        """
        known = self._meters.get(address)
        if known is None and address in self._aliases:
            yield address, Conflict(f"{address} is an alias of another meter.", field="radio_address")
        elif known is not None and dwelling is not None and not known.is_in(dwelling):
            reason = f"The meter {address} is installed in another dwelling."
            yield address, Conflict(reason, field="radio_address")
        for alias in aliases:
            if alias == address:
                yield alias, Conflict(f"{alias} is the meter's own address.", field="alias")
            elif alias in self._meters:
                yield alias, Conflict(f"{alias} is the address of another meter.", field="alias")
            elif self._aliases.get(alias, address) != address:
                yield alias, Conflict(f"{alias} is an alias of another meter.", field="alias")

    async def _store_dwellings(self, connection: TransactionalDBClient, changes: _Pending) -> None:
        await update_rows(connection, [row for row in changes.dwellings.values() if row.id], _KEPT)
        fresh = {place: row for place, row in changes.dwellings.items() if row.id is None}
        await insert_rows(connection, list(fresh.values()))
        for some in slices(sorted({(place[0], place[-1]) for place in fresh})):
            residences, numbers = zip(*some, strict=True)
            rows = Dwelling.filter(residence_id__in=set(residences), number__in=set(numbers))
            for number, *place in await rows.using_db(connection).values_list("id", *_PLACE):
                row = fresh.get(tuple(place))
                if row is not None:
                    row.id = number

    async def _store_meters(self, connection: TransactionalDBClient, changes: _Pending) -> None:
        await update_rows(connection, [row for row in changes.meters.values() if row.id], _METER)
        fresh = {address: row for address, row in changes.meters.items() if row.id is None}
        for address, row in fresh.items():
            home = self._meters[address].dwelling
            assert home is not None
            row.dwelling_id = home.id
        await insert_rows(connection, list(fresh.values()))
        for some in slices(sorted(fresh)):
            rows = Meter.filter(radio_address__in=some).using_db(connection)
            for number, address in await rows.values_list("id", "radio_address"):
                fresh[address].id = number


def _place(residence_id: int, spec: DwellingSpec) -> _Place:
    return (residence_id, spec.building, spec.staircase, spec.floor, spec.number)


def _place_of(row: Dwelling) -> _Place:
    return (row.residence_id, row.building, row.staircase, row.floor, row.number)


def _addresses(dwelling: DwellingSpec) -> Iterator[str]:
    """The addresses that a line names; one that cannot be read is refused when the line is put."""
    for meter in dwelling.meters:
        for written in (meter.radio_address, *meter.aliases):
            try:
                yield canonical_address(written)
            except InvalidInput:
                continue


def _changed(row: Model, values: dict[str, object]) -> bool:
    """Set columns of a row; returns whether any has another value now.

    Raises:
        InvalidInput: one does not fit its column.
    """
    changed = {name: value for name, value in values.items() if row.pk is None or getattr(row, name) != value}
    for name, value in changed.items():
        check_value(type(row), name, value)
        setattr(row, name, value)
    return bool(changed)


def meter_faults(spec: MeterSpec, removed_at: datetime | None) -> Iterator[InvalidInput]:
    """All that is wrong with a meter's figures and with its time in service."""
    yield from figure_faults(spec)
    if removed_at is not None and removed_at < spec.installed_at:
        yield InvalidInput("lies before installed_on", field="removed_on")


def figure_faults(spec: Figures) -> Iterator[InvalidInput]:
    """All that is wrong with a meter's figures: its key, its register, its size."""
    if spec.key is not None and len(spec.key) not in KEY_BYTES:
        yield InvalidInput(KEY_LENGTH_FAULT, field="key")
    for name, amount in (
        ("register_step", spec.register_step),
        ("register_capacity", spec.register_capacity),
    ):
        if amount is not None and not 1 <= amount <= LARGEST_REGISTER[name]:
            yield InvalidInput(f"must be a whole number from 1 to {LARGEST_REGISTER[name]}", field=name)
    flow = spec.nominal_flow_m3_per_h
    if flow is not None and not (
        flow.is_finite() and SMALLEST_FLOW_M3_PER_H <= flow <= LARGEST_FLOW_M3_PER_H
    ):
        yield InvalidInput(
            f"must be from {SMALLEST_FLOW_M3_PER_H} to {LARGEST_FLOW_M3_PER_H} m3/h",
            field="nominal_flow_m3_per_h",
        )

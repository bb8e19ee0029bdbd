"""Imports an operator's lists of residences, dwellings, meters, keys and occupancies: all of it, or
nothing.

In: the lines of the lists. Out: rows, in one transaction; or every fault, each with its line, column, value
and reason. The one rule: lists are checked against themselves and against what is stored before anything is
written, and the same lists twice change nothing. The number of statements does not grow with the lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.bootstrap import Application
from core.consumption.fluids import Fluid
from core.errors import InvalidInput, SubmeterError
from core.metering import Registry
from core.models import Dwelling, Meter
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_directory import lock_dwellings
from core.services.portfolio.descriptions import DwellingSpec, MeterSpec, midnight
from core.services.portfolio.home_lists import Installed, KnownHomes, KnownSerials, surface_fault
from core.services.portfolio.inventory import KEY_BYTES, KEY_LENGTH_FAULT, Inventory, Listed, figure_faults
from core.services.portfolio.meter_import import Progress, ignored, replay_returned
from core.services.portfolio.occupancy_lists import ListedPeriods
from core.services.portfolio.portfolio_lists import (
    DWELLINGS,
    DwellingPlace,
    Fault,
    ListedKey,
    ListedMeter,
    Lists,
    Place,
    line_of,
)
from core.services.portfolio.residence_lists import Residences
from core.services.portfolio.suggestions import address_of, serial_fault, vendor_fault
from core.services.portfolio.validation import canonical_address, day_fault, misfits
from core.services.shared.transaction import transactional, tried_again

_FIRST_METERS = date(1970, 1, 1)
"""No meter of a list is older; a radio was not on any."""

_DWELLING = ("building", "staircase", "floor", "number", "lot", "manager_reference", "surface_m2")


class ListsRefused(SubmeterError):
    """The lists have faults; nothing was written."""

    code = "INVALID_INPUT"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} cells cannot be imported.")
        self.faults = sorted(faults, key=lambda fault: (fault.at, fault.column))


async def import_lists(
    application: Application,
    viewer: Viewer,
    lists: Lists,
    *,
    now: datetime,
    dry_run: bool = False,
    progress: Progress = ignored,
) -> int:
    """Check the lists, and store what they describe unless it is a dry run.

    Telegrams that were refused as outside a meter's time in service are processed again; returns how many
    of them are readings now. `progress` is called for each line as it is checked, and again before it is
    stored.

    Raises:
        ListsRefused: a cell is at fault; all faults are named, and nothing is written.
    """
    viewer.require(Permission.PLACES_WRITE)
    viewer.require(Permission.METERS_WRITE)
    await tried_again(
        lambda: _import(application, viewer, lists, now=now, dry_run=dry_run, progress=progress)
    )
    if dry_run:
        return 0
    addresses = {canonical_address(line.radio_address) for line in lists.meters if line.radio_address}
    return await replay_returned(application, addresses, now=now)


@transactional
async def _import(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    lists: Lists,
    *,
    now: datetime,
    dry_run: bool,
    progress: Progress,
) -> None:
    registry = application.registry
    residences = await Residences.of(connection, lists, registry)
    lists = residences.placed(lists)
    check = _ListCheck(registry, residences, now, [*lists.faults])
    await check.run(connection, lists, progress)
    if check.faults:
        raise ListsRefused(check.faults)
    if dry_run:
        return
    await residences.store(connection)
    await lock_dwellings(connection, [move.dwelling.id for move in check.periods.moves if move.dwelling.id])
    stored = _ListCheck(registry, residences, now, [])
    await stored.run(connection, lists, progress)  # again, by the numbers that new residences have now
    if stored.faults:
        raise ListsRefused(stored.faults)
    await stored.inventory.store(
        connection,
        viewer,
        key_encryption=KeyEncryption.under(application.settings.secret_key),
        thresholds_of=registry.leak_thresholds,
        now=now,
    )
    await stored.periods.store(connection, application, viewer, now=now)


@dataclass(slots=True)
class _ListCheck:
    """The lists against themselves and against what is stored."""

    registry: Registry
    residences: Residences
    now: datetime
    faults: list[Fault]
    inventory: Inventory = field(default_factory=Inventory)
    periods: ListedPeriods = field(default_factory=ListedPeriods)
    _homes: KnownHomes = field(default_factory=KnownHomes)
    _serials: KnownSerials = field(default_factory=KnownSerials)
    _first: dict[tuple[str, object], Place] = field(default_factory=dict)
    _listed: set[DwellingPlace] = field(default_factory=set)
    _addresses: set[str] = field(default_factory=set)
    """What lists describe, be it at fault: what needs it is not at fault as well."""
    _keys: dict[str, tuple[bytes, Place]] = field(default_factory=dict)

    async def run(self, connection: TransactionalDBClient, lists: Lists, progress: Progress) -> None:
        unread = {(fault.at, fault.column) for fault in self.faults}
        self.faults += self.residences.faults
        progress(len(lists.residences))
        await self._load(connection, lists)
        self._dwellings(lists)
        progress(len(lists.dwellings))
        for line in lists.meters:
            self._meter(line)
        progress(len(lists.meters))
        for key in lists.keys:
            self._key(key)
        progress(len(lists.keys))
        homes = {line.home: self._found(line.at, line.home) for line in lists.occupancies}
        self.faults += await self.periods.check(
            connection, lists.occupancies, homes, self.residences, unread=unread, now=self.now
        )
        progress(len(lists.occupancies))

    async def _load(self, connection: TransactionalDBClient, lists: Lists) -> None:
        """Read what is stored of what the lists name."""
        known = {home: found[0] for home in lists.homes if (found := self.residences.get(home))}
        await self.inventory.load(connection, [Listed(known[home], _spec(home)) for home in known])
        dwellings = [(known[line.home], line) for line in lists.dwellings if line.home in known]
        await self._homes.load(connection, dwellings, set(known.values()))
        self._listed = {line.home for line in lists.dwellings}
        self._addresses = {_known_address(self._address_of(line)) for line in lists.meters}
        of_keys = {_known_address(line.radio_address) for line in lists.keys}
        aliases = {_known_address(alias) for line in lists.meters for alias in line.aliases}
        await self.inventory.load_meters(connection, (self._addresses | of_keys | aliases) - {""})
        serials = {line.printed_serial for line in lists.meters}
        await self._serials.load(connection, serials, listed=self._addresses)

    def _fault(self, at: Place, column: str, value: object, reason: str) -> None:
        self.faults.append(Fault(at, column, "" if value is None else str(value), reason))

    def _before(self, at: Place, what: str, key: object) -> str | None:
        """The line before that has the same; None of the first."""
        first = self._first.setdefault((what, key), at)
        return None if first == at else line_of(first, at)

    def _dwellings(self, lists: Lists) -> None:
        for line in lists.dwellings:
            home = line.home
            known = self._residence(line.at, home)
            spec = replace(
                _spec(home),
                lot=line.lot,
                manager_reference=line.manager_reference,
                surface_m2=None if line.surface_m2 is None else round(line.surface_m2, 2),
            )
            before = len(self.faults)
            if reason := surface_fault(spec.surface_m2):
                self._fault(line.at, "surface_m2", line.surface_m2, reason)
            self._fits(line.at, Dwelling, {name: getattr(spec, name) for name in _DWELLING})
            if not home.number or known is None:
                continue
            if first := self._before(line.at, "dwelling", home):
                self._fault(line.at, "number", home.number, f"the same dwelling as in {first}")
                continue
            if reason := self._homes.place_fault(known[0], line):
                self._fault(line.at, "number", home.number, reason)
            for column, value, why in self._homes.value_faults(known[0], line):
                self._fault(line.at, column, value, why)
            if len(self.faults) == before:
                self._put(line.at, Listed(known[0], spec))

    def _fits(self, at: Place, model: type[Dwelling | Meter], values: Mapping[str, object]) -> None:
        for failure in misfits(model, values):
            self._fault(at, failure.field or "", values[failure.field or ""], failure.message)

    def _put(self, at: Place, listed: Listed) -> None:
        try:
            self.inventory.put(listed)
        except SubmeterError as failure:
            (meter,) = listed.dwelling.meters or (None,)
            value = getattr(meter, failure.field or "", getattr(listed.dwelling, failure.field or "", ""))
            self._fault(at, failure.field or "", value, failure.message)

    def _residence(self, at: Place, home: DwellingPlace) -> tuple[int, ZoneInfo] | None:
        known = self.residences.get(home)
        if known is None and home.operator and home.residence:
            self._fault(at, *self.residences.unknown(home))
        return known

    def _found(self, at: Place, home: DwellingPlace) -> Dwelling | None:
        """The dwelling that a line names; None, and reported, where there is none."""
        known = self._residence(at, home)
        if known is None or not home.number:
            return None
        dwelling = self.inventory.dwelling_of(known[0], _spec(home))
        if dwelling is None and home not in self._listed:
            near = self._homes.near(known[0], home)
            reason = f"no such dwelling ({home}): neither stored nor in a list of {DWELLINGS}{near}"
            self._fault(at, "number", home.number, reason)
        return dwelling

    def _address_of(self, line: ListedMeter) -> str:
        """The address of a meter, which its serial may give."""
        driver = self.registry.named(line.vendor)
        return line.radio_address or (address_of(driver, line.printed_serial) if driver is not None else "")

    def _meter(self, line: ListedMeter) -> None:
        before = len(self.faults)
        dwelling = self._found(line.at, line.home)
        self._named(line)
        for fault in figure_faults(line):
            value = "" if fault.field == "key" else getattr(line, fault.field or "", "")
            self._fault(line.at, fault.field or "", value, fault.message)
        self._days(line)
        canonical = self._addressed(line, dwelling)
        known = self.residences.get(line.home)
        if known is None or line.fluid is None or line.installed_on is None or not canonical:
            return
        spec = _meter_spec(line, line.fluid, line.installed_on, canonical, known[1])
        self._one_serial(line, spec, dwelling)
        if line.key is not None:
            self._one_key(line.at, canonical, line.key)
        if dwelling is not None and len(self.faults) == before:
            keep = line.removed_on is None and not line.in_service
            self._put(line.at, Listed(known[0], _spec(line.home, spec), keep))

    def _addressed(self, line: ListedMeter, dwelling: Dwelling | None) -> str:
        """The meter's address; nothing where there is none. Whatever is in its way is reported."""
        address = self._address_of(line)
        if not address:
            reason = "is empty, and a serial of this vendor does not give it"
            self._fault(line.at, "radio_address", line.radio_address, reason)
        canonical = self._address(line.at, "radio_address", address) if address else ""
        aliases = [read for alias in line.aliases if (read := self._address(line.at, "aliases", alias))]
        if canonical and (first := self._before(line.at, "meter", canonical)):
            self._fault(line.at, "radio_address", address, f"the same meter as in {first}")
        elif canonical:
            for value, conflict in self.inventory.conflicts(dwelling, canonical, aliases):
                column = "aliases" if conflict.field == "alias" else "radio_address"
                self._fault(line.at, column, value, conflict.message)
        return canonical

    def _one_serial(self, line: ListedMeter, spec: MeterSpec, dwelling: Dwelling | None) -> None:
        """No other dwelling has a meter of this maker and serial at the time."""
        if not line.printed_serial:
            return
        address, until = spec.radio_address, spec.removed_at
        if until is None and not line.in_service and (stored := self.inventory.meter_at(address)):
            until = stored.removed_at
        installed = Installed(
            line.home.operator,
            line.vendor,
            line.printed_serial,
            address,
            line.home,
            spec.installed_at,
            until,
            line.at,
        )
        reason = self._serials.fault(installed, dwelling.id if dwelling is not None else None)
        if reason:
            self._fault(line.at, "printed_serial", line.printed_serial, reason)

    def _named(self, line: ListedMeter) -> None:
        """The vendor, and the serial as this vendor prints it."""
        driver = self.registry.named(line.vendor)
        if line.vendor and driver is None:
            self._fault(line.at, "vendor", line.vendor, vendor_fault(self.registry, line.vendor))
        elif driver is not None and line.printed_serial:
            reason = serial_fault(self.registry, driver, line.printed_serial)
            if reason:
                self._fault(line.at, "printed_serial", line.printed_serial, reason)
        self._fits(line.at, Meter, {"location": line.location, "printed_serial": line.printed_serial})

    def _days(self, line: ListedMeter) -> None:
        for column, day in (("installed_on", line.installed_on), ("removed_on", line.removed_on)):
            if day is None:
                continue
            reason = day_fault(day, earliest=_FIRST_METERS, today=self.now.date())
            if not reason and column == "removed_on" and line.installed_on and day < line.installed_on:
                reason = "lies before installed_on"
            if reason:
                self._fault(line.at, column, day, reason)

    def _address(self, at: Place, column: str, written: str) -> str:
        """The address in the form in which it is stored; nothing, and reported, where it cannot be read."""
        try:
            return canonical_address(written)
        except InvalidInput as failure:
            self._fault(at, column, written, failure.message)
            return ""

    def _key(self, line: ListedKey) -> None:
        if line.key is not None and len(line.key) not in KEY_BYTES:
            self._fault(line.at, "key", "", KEY_LENGTH_FAULT)
        address = self._address(line.at, "radio_address", line.radio_address) if line.radio_address else ""
        if not address:
            return
        meter = self.inventory.meter_at(address)
        if meter is None and address not in self._addresses:
            reason = "no such meter: neither stored nor in a list of meters"
            same = [one for one in self._addresses if one[3:13] == address[3:13]]
            near = f"; did you mean {same[0]!r}?" if same else ""
            self._fault(line.at, "radio_address", line.radio_address, reason + near)
        elif line.key is not None and self._one_key(
            line.at, meter.radio_address if meter is not None else address, line.key
        ):
            self.inventory.add_key(address, line.key)

    def _one_key(self, at: Place, address: str, key: bytes) -> bool:
        """Whether lists give a meter no other key; keys that are stored remain beside it."""
        first, where = self._keys.setdefault(address, (key, at))
        if first != key:
            self._fault(at, "key", "", f"another key of the same meter than in {line_of(where, at)}")
        return first == key


def _spec(home: DwellingPlace, *meters: MeterSpec) -> DwellingSpec:
    return DwellingSpec(home.number, home.building, home.staircase, home.floor, meters=meters)


def _known_address(written: str) -> str:
    """The address in the form in which it is stored; nothing where it cannot be read."""
    try:
        return canonical_address(written)
    except InvalidInput:
        return ""


def _meter_spec(
    line: ListedMeter, fluid: Fluid, installed_on: date, address: str, zone: ZoneInfo
) -> MeterSpec:
    return MeterSpec(
        fluid=fluid,
        vendor=line.vendor,
        printed_serial=line.printed_serial,
        radio_address=address,
        installed_at=midnight(installed_on, zone),
        removed_at=midnight(line.removed_on, zone) if line.removed_on else None,
        register_step=line.register_step,
        register_capacity=line.register_capacity,
        nominal_flow_m3_per_h=line.nominal_flow_m3_per_h,
        location=line.location,
        key=line.key,
        aliases=line.aliases,
    )

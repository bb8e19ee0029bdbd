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
from core.services.portfolio.descriptions import DwellingSpec, MeterSpec, midnight
from core.services.portfolio.inventory import KEY_BYTES, KEY_LENGTH_FAULT, Inventory, Listed, meter_faults
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
)
from core.services.portfolio.residence_lists import Residences
from core.services.portfolio.suggestions import address_of, serial_fault, vendor_fault
from core.services.portfolio.validation import canonical_address, misfits
from core.services.shared.transaction import transactional, tried_again

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
    residences = await Residences.of(connection, lists)
    check = _ListCheck(application.registry, residences, [*lists.faults])
    await check.run(connection, lists, progress)
    if check.faults:
        raise ListsRefused(check.faults)
    if dry_run:
        return
    await residences.store(connection)
    stored = _ListCheck(application.registry, residences, [])
    await stored.run(connection, lists, progress)  # again, by the numbers that new residences have now
    if stored.faults:
        raise ListsRefused(stored.faults)
    await stored.inventory.store(
        connection,
        viewer,
        key_encryption=KeyEncryption.under(application.settings.secret_key),
        thresholds_of=application.registry.leak_thresholds,
        now=now,
    )
    await stored.periods.store(connection)


@dataclass(slots=True)
class _ListCheck:
    """The lists against themselves and against what is stored."""

    registry: Registry
    residences: Residences
    faults: list[Fault]
    inventory: Inventory = field(default_factory=Inventory)
    periods: ListedPeriods = field(default_factory=ListedPeriods)
    _first: dict[tuple[str, object], int] = field(default_factory=dict)
    _listed: set[DwellingPlace] = field(default_factory=set)
    _addresses: set[str] = field(default_factory=set)
    """What lists describe, be it at fault: what needs it is not at fault as well."""
    _by_number: dict[tuple[int, str], list[tuple[str, str, str]]] | None = None

    async def run(self, connection: TransactionalDBClient, lists: Lists, progress: Progress) -> None:
        self.faults += self.residences.faults
        progress(len(lists.residences))
        named = [
            Listed(known[0], _spec(home)) for home in lists.homes if (known := self.residences.get(home))
        ]
        await self.inventory.load(connection, named)
        self._listed = {line.home for line in lists.dwellings}
        self._addresses = {_known_address(line.radio_address) for line in lists.meters}
        of_keys = {_known_address(line.radio_address) for line in lists.keys}
        aliases = {_known_address(alias) for line in lists.meters for alias in line.aliases}
        await self.inventory.load_meters(connection, (self._addresses | of_keys | aliases) - {""})
        self._dwellings(lists)
        progress(len(lists.dwellings))
        for line in lists.meters:
            self._meter(line)
        progress(len(lists.meters))
        for key in lists.keys:
            self._key(key)
        progress(len(lists.keys))
        homes = {line.home: self._found(line.at, line.home) for line in lists.occupancies}
        self.faults += await self.periods.check(connection, lists.occupancies, homes)
        progress(len(lists.occupancies))

    def _fault(self, at: Place, column: str, value: object, reason: str) -> None:
        self.faults.append(Fault(at, column, "" if value is None else str(value), reason))

    def _is_second(self, at: Place, what: str, key: object) -> bool:
        """Whether a line before has the same; reported unless it is the first."""
        first = self._first.setdefault((what, key), at.line)
        return first != at.line

    def _dwellings(self, lists: Lists) -> None:
        for line in lists.dwellings:
            home = line.home
            known = self._residence(line.at, home)
            if not home.number or known is None:
                continue
            if self._is_second(line.at, "dwelling", home):
                first = self._first["dwelling", home]
                self._fault(line.at, "number", home.number, f"the same dwelling as in line {first}")
                continue
            spec = replace(
                _spec(home),
                lot=line.lot,
                manager_reference=line.manager_reference,
                surface_m2=line.surface_m2,
            )
            fits = self._fits(line.at, Dwelling, {name: getattr(spec, name) for name in _DWELLING})
            lot = (known[0], line.lot)
            if line.lot and self._is_second(line.at, "lot", lot):
                self._fault(line.at, "lot", line.lot, f"the same lot as in line {self._first['lot', lot]}")
            if fits:
                self._put(line.at, Listed(known[0], spec))

    def _fits(self, at: Place, model: type[Dwelling | Meter], values: Mapping[str, object]) -> bool:
        failures = list(misfits(model, values))
        for failure in failures:
            self._fault(at, failure.field or "", values[failure.field or ""], failure.message)
        return not failures

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
            reason = f"no such dwelling ({home}): neither stored nor in a list of {DWELLINGS}"
            same = self._with_number().get((known[0], home.number), [])
            if same:
                places = ", ".join("/".join(part or "-" for part in one) for one in sorted(same)[:3])
                reason += f"; number {home.number} is known in building/staircase/floor {places}"
            self._fault(at, "number", home.number, reason)
        return dwelling

    def _with_number(self) -> dict[tuple[int, str], list[tuple[str, str, str]]]:
        """Building, staircase and floor of the dwellings of each residence and number."""
        if self._by_number is None:
            self._by_number = {}
            for residence, *place, number in self.inventory.places:
                building, staircase, floor = place
                self._by_number.setdefault((residence, number), []).append((building, staircase, floor))
        return self._by_number

    def _meter(self, line: ListedMeter) -> None:
        before = len(self.faults)
        dwelling = self._found(line.at, line.home)
        driver = self.registry.named(line.vendor)
        address = line.radio_address
        if line.vendor and driver is None:
            self._fault(line.at, "vendor", line.vendor, vendor_fault(self.registry, line.vendor))
        elif driver is not None and line.printed_serial:
            reason = serial_fault(self.registry, driver, line.printed_serial)
            if reason:
                self._fault(line.at, "printed_serial", line.printed_serial, reason)
            address = address or address_of(driver, line.printed_serial)
        self._fits(line.at, Meter, {"location": line.location, "printed_serial": line.printed_serial})
        if not address:
            reason = "is empty, and a serial of this vendor does not give it"
            self._fault(line.at, "radio_address", line.radio_address, reason)
        known = self.residences.get(line.home)
        if known is None or line.fluid is None or line.installed_on is None or not address:
            return
        spec = _meter_spec(line, line.fluid, line.installed_on, address, known[1])
        for fault in meter_faults(spec, spec.removed_at):
            value = "" if fault.field == "key" else getattr(line, fault.field or "", "")
            self._fault(line.at, fault.field or "", value, fault.message)
        canonical = self._address(line.at, "radio_address", address)
        for alias in line.aliases:
            self._address(line.at, "aliases", alias)
        if canonical and self._is_second(line.at, "meter", canonical):
            first = self._first["meter", canonical]
            self._fault(line.at, "radio_address", address, f"the same meter as in line {first}")
        elif dwelling is not None and len(self.faults) == before:
            self._put(line.at, Listed(known[0], _spec(line.home, spec), line.keep_removal))

    def _address(self, at: Place, column: str, written: str) -> str:
        """The address in the form in which it is stored; nothing, and reported, where it cannot be read."""
        try:
            return canonical_address(written)
        except InvalidInput as failure:
            self._fault(at, column, written, failure.message)
            return ""

    def _key(self, line: ListedKey) -> None:
        if line.key is None or not line.radio_address:
            return
        if len(line.key) not in KEY_BYTES:
            self._fault(line.at, "key", "", KEY_LENGTH_FAULT)
            return
        address = self._address(line.at, "radio_address", line.radio_address)
        if address and not self.inventory.add_key(address, line.key) and address not in self._addresses:
            reason = "no such meter: neither stored nor in a list of meters"
            same = [one for one in self._addresses if one[3:13] == address[3:13]]
            near = f"; did you mean {same[0]!r}?" if same else ""
            self._fault(line.at, "radio_address", line.radio_address, reason + near)


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

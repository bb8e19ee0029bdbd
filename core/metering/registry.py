"""The drivers of this house, found once at start, asked by table ever after.

In: the entry points of the group `submeter.drivers`. Out: a frozen `Registry`. Two rules hold here. A plugin
that breaks is reported by name and the others work. Two drivers that claim the same meters are no accident to
be settled by luck: `DriverConflict` names both, and the house does not start.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Final, TypeVar

import pluggy

from core.mbus.address import Address
from core.metering import hookspecs
from core.metering.driver import MeterDriver, Signature
from core.metering.generic import GENERIC

GROUP: Final = "submeter.drivers"

Key = TypeVar("Key")


class DriverConflict(Exception):
    """Two drivers claim one name, one signature or one proprietary frame."""

    def __init__(self, claim: str, first: str, second: str) -> None:
        super().__init__(f"Two drivers claim {claim}: {first} and {second}. Remove one of the packages.")
        self.claim = claim
        self.drivers = (first, second)


@dataclass(frozen=True, slots=True)
class LoadedDriver:
    """A driver and where it came from; the distribution is `"unknown"` for a plugin that no package
    declares.
    """

    driver: MeterDriver
    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.driver.name} (plugin {self.plugin} of {self.distribution} {self.version})"


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plugin that is left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Registry:
    """The table `(manufacturer, version, medium) -> driver`.

    Args:
        drivers: what was loaded, in the order of the plugin names.
        broken: what was left out.

    Raises:
        DriverConflict: two of `drivers` claim the same.

    """

    drivers: tuple[LoadedDriver, ...]
    broken: tuple[BrokenPlugin, ...] = ()
    _by_signature: Mapping[Signature, MeterDriver] = field(init=False, repr=False)
    _by_claim: Mapping[tuple[str, int], MeterDriver] = field(init=False, repr=False)
    _by_name: Mapping[str, MeterDriver] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        signatures: dict[Signature, LoadedDriver] = {}
        claims: dict[tuple[str, int], LoadedDriver] = {}
        names: dict[str, LoadedDriver] = {}
        for loaded in self.drivers:
            driver = loaded.driver
            _claim(names, driver.name, loaded, f"the name {driver.name!r}")
            for signature in driver.signatures:
                _claim(signatures, signature, loaded, f"the meters {signature}")
            for maker, ci in driver.proprietary.claims if driver.proprietary is not None else ():
                _claim(claims, (maker, ci), loaded, f"the proprietary frames {maker}/CI {ci:02X}")
        object.__setattr__(self, "_by_signature", _table(signatures))
        object.__setattr__(self, "_by_claim", _table(claims))
        object.__setattr__(self, "_by_name", _table(names))

    def driver_for(self, address: Address) -> MeterDriver:
        """The driver of a meter: its most specific claimant, else `GENERIC`."""
        maker, version, medium = address.manufacturer, address.version, address.medium
        for wanted in (
            Signature(maker, version, medium),
            Signature(maker, version),
            Signature(maker, None, medium),
            Signature(maker),
        ):
            driver = self._by_signature.get(wanted)
            if driver is not None:
                return driver
        return GENERIC

    def proprietary_driver(self, manufacturer: str, ci: int) -> MeterDriver | None:
        """The driver that opens a vendor's own sealed frames of this CI."""
        return self._by_claim.get((manufacturer, ci))

    def named(self, name: str) -> MeterDriver | None:
        """The driver of this name; `"generic"` is known too."""
        return GENERIC if name == GENERIC.name else self._by_name.get(name)


def load_registry(plugins: Iterable[EntryPoint] | None = None) -> Registry:
    """Loads the drivers of all installed packages.

    Args:
        plugins: the entry points to use in place of the installed ones (tests pass their own).

    Raises:
        DriverConflict: two drivers claim one name, signature or proprietary frame.

    """
    found = entry_points(group=GROUP) if plugins is None else plugins
    loaded: list[LoadedDriver] = []
    broken: list[BrokenPlugin] = []
    for plugin in sorted(found, key=lambda plugin: plugin.name):
        try:
            drivers = _drivers_of(plugin)
        except Exception as error:  # noqa: BLE001 - a stranger's package may raise anything; it is named, others work
            broken.append(BrokenPlugin(plugin.name, f"{type(error).__name__}: {error}"))
            continue
        distribution = plugin.dist.name if plugin.dist is not None else "unknown"
        version = plugin.dist.version if plugin.dist is not None else "unknown"
        loaded.extend(LoadedDriver(driver, plugin.name, distribution, version) for driver in drivers)
    return Registry(tuple(loaded), tuple(broken))


def _drivers_of(plugin: EntryPoint) -> tuple[MeterDriver, ...]:
    # A manager of its own for each plugin: one raising hook would abort the call for all of them.
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin.load(), name=plugin.name)
    manager.check_pending()
    answers = manager.hook.submeter_drivers()
    if not answers:
        raise TypeError("the plugin has no hook implementation submeter_drivers()")
    drivers = tuple(driver for answer in answers for driver in answer)
    for driver in drivers:
        if not isinstance(driver, MeterDriver):
            raise TypeError(f"submeter_drivers() answered {type(driver).__name__}, not MeterDriver")
    return drivers


def _claim(table: dict[Key, LoadedDriver], key: Key, loaded: LoadedDriver, claim: str) -> None:
    if key in table:
        raise DriverConflict(claim, str(table[key]), str(loaded))
    table[key] = loaded


def _table(claimed: Mapping[Key, LoadedDriver]) -> Mapping[Key, MeterDriver]:
    return MappingProxyType({key: loaded.driver for key, loaded in claimed.items()})

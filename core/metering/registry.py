"""The installed drivers and operators, found once at start, asked by table ever after.

In: the entry points of the group `submeter.drivers`. Out: a frozen `Registry`. Two rules hold here. A plugin
that breaks is reported by name and the others work. Two drivers that claim the same meters are no accident to
be settled by luck: `DriverConflict` names both, and the application does not start.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, entry_points
from types import MappingProxyType
from typing import Final, TypeVar

import pluggy

from core.leak_thresholds import DEFAULT_THRESHOLDS, Thresholds
from core.mbus.address import Address
from core.metering import hookspecs
from core.metering.driver import MeterDriver, Signature
from core.metering.generic import GENERIC
from core.operators import OperatorProfile

GROUP: Final = "submeter.drivers"

Key = TypeVar("Key")
Loaded = TypeVar("Loaded", "LoadedDriver", "LoadedOperator")


class DriverConflict(Exception):
    """Two drivers claim one name, one signature or one proprietary frame; or two profiles one operator."""

    def __init__(self, claim: str, first: str, second: str) -> None:
        super().__init__(f"Two plugins claim {claim}: {first} and {second}. Remove one of the packages.")
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
class LoadedOperator:
    """An operator's profile and where it came from."""

    profile: OperatorProfile
    plugin: str

    def __str__(self) -> str:
        return f"{self.profile.code} (plugin {self.plugin})"


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
        operators: the sign-up profiles that came with them.

    Raises:
        DriverConflict: two of `drivers` or of `operators` claim the same.

    """

    drivers: tuple[LoadedDriver, ...]
    broken: tuple[BrokenPlugin, ...] = ()
    operators: tuple[LoadedOperator, ...] = ()
    _by_signature: Mapping[Signature, MeterDriver] = field(init=False, repr=False)
    _by_claim: Mapping[tuple[str, int], MeterDriver] = field(init=False, repr=False)
    _by_name: Mapping[str, MeterDriver] = field(init=False, repr=False)
    _profiles: Mapping[str, OperatorProfile] = field(init=False, repr=False)

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
        codes: dict[str, LoadedOperator] = {}
        for operator in self.operators:
            _claim(codes, operator.profile.code, operator, f"the operator {operator.profile.code!r}")
        profiles = MappingProxyType({code: loaded.profile for code, loaded in codes.items()})
        object.__setattr__(self, "_profiles", profiles)
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
        """The driver that opens a vendor's own encrypted frames of this CI."""
        return self._by_claim.get((manufacturer, ci))

    def profile(self, operator_code: str) -> OperatorProfile | None:
        """How this operator signs residents up; None where no plugin says so."""
        return self._profiles.get(operator_code)

    def leak_thresholds(self, operator_code: str) -> Thresholds:
        """By which this operator's meters are judged; the product's where no plugin says so."""
        profile = self.profile(operator_code)
        return DEFAULT_THRESHOLDS if profile is None else profile.leak_thresholds

    @property
    def profiles(self) -> tuple[OperatorProfile, ...]:
        """Every operator's profile, by code."""
        return tuple(self._profiles[code] for code in sorted(self._profiles))

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
    operators: list[LoadedOperator] = []
    broken: list[BrokenPlugin] = []
    packages: dict[Distribution | None, tuple[str, str]] = {None: ("unknown", "unknown")}
    for plugin in sorted(found, key=lambda plugin: plugin.name):
        try:
            drivers, profiles = _brought_by(plugin)
        except Exception as error:  # noqa: BLE001 - another's package may raise anything; it is named, others work
            broken.append(BrokenPlugin(plugin.name, f"{type(error).__name__}: {error}"))
            continue
        if plugin.dist is not None and plugin.dist not in packages:
            # Read once for all plugins of a package: each look at its name parses its whole description.
            metadata = plugin.dist.metadata
            packages[plugin.dist] = metadata["Name"], metadata["Version"]
        distribution, version = packages[plugin.dist]
        loaded.extend(LoadedDriver(driver, plugin.name, distribution, version) for driver in drivers)
        operators.extend(LoadedOperator(profile, plugin.name) for profile in profiles)
    return Registry(tuple(loaded), tuple(broken), tuple(operators))


def _brought_by(plugin: EntryPoint) -> tuple[tuple[MeterDriver, ...], tuple[OperatorProfile, ...]]:
    # A manager of its own for each plugin: one raising hook would abort the call for all of them.
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin.load(), name=plugin.name)
    manager.check_pending()
    hooks = ("submeter_drivers", "submeter_operators")
    drivers, profiles = (
        [each for answer in getattr(manager.hook, hook)() for each in answer] for hook in hooks
    )
    if not any(getattr(manager.hook, hook).get_hookimpls() for hook in hooks):
        raise TypeError("the plugin has no hook implementation submeter_drivers() or submeter_operators()")
    for hook, brought, kind in zip(hooks, (drivers, profiles), (MeterDriver, OperatorProfile), strict=True):
        for value in brought:
            if not isinstance(value, kind):
                raise TypeError(f"{hook}() answered {type(value).__name__}, not {kind.__name__}")
    return tuple(drivers), tuple(profiles)


def _claim(table: dict[Key, Loaded], key: Key, loaded: Loaded, claim: str) -> None:
    if key in table:
        raise DriverConflict(claim, str(table[key]), str(loaded))
    table[key] = loaded


def _table(claimed: Mapping[Key, LoadedDriver]) -> Mapping[Key, MeterDriver]:
    return MappingProxyType({key: loaded.driver for key, loaded in claimed.items()})

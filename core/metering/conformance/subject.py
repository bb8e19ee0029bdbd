"""What is checked: a driver, where it comes from, its telegrams and which other drivers there are.

In: entry points, of installed packages or of a folder's `pyproject.toml`. Out: a `Subject` for each driver
they bring. The one rule: a plugin is loaded just as at the start of the application, one at a time, so that
neither a broken neighbour nor a conflict keeps a driver from being checked.
"""

import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import invalidate_caches
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from core.metering.conformance.random_contents import A_FEW
from core.metering.conformance.vectors import Vector, load_vectors
from core.metering.driver import MeterDriver
from core.metering.registry import (
    GROUP,
    BrokenPlugin,
    DriverConflict,
    LoadedDriver,
    Registry,
    load_registry,
)


class NotAPlugin(Exception):
    """A folder that holds no package with an entry point for drivers; the text names what it lacks."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A driver under test.

    Args:
        loaded: the driver and the package it came from.
        package: the import name of the plugin's package: `"submeter_acme"`.
        sources: the Python files of that package.
        vectors: the telegrams of this driver; empty when `vectors_fault` says why.
        vectors_fault: what is wrong with `vectors.toml`; None when it was read.
        others: every other driver.
        registry: this driver and those others that are in no conflict with it.
        random_contents: how many are tried.

    """

    loaded: LoadedDriver
    package: str
    sources: tuple[Path, ...]
    vectors: tuple[Vector, ...]
    vectors_fault: str | None
    others: tuple[LoadedDriver, ...]
    registry: Registry
    random_contents: int = A_FEW

    @property
    def driver(self) -> MeterDriver:
        """The driver itself."""
        return self.loaded.driver


def installed_plugins() -> tuple[EntryPoint, ...]:
    """The entry points of all installed packages, by name."""
    return tuple(sorted(entry_points(group=GROUP), key=lambda plugin: plugin.name))


def plugins_in(folder: Path) -> tuple[EntryPoint, ...]:
    """The entry points that the `pyproject.toml` of a folder declares; nothing needs to be installed.

    Raises:
        NotAPlugin: there is no such file, it cannot be read, or it declares none.

    """
    project = folder / "pyproject.toml"
    try:
        declared = tomllib.loads(project.read_text("utf-8"))["project"]["entry-points"][GROUP]
    except OSError:
        raise NotAPlugin(f"{project} cannot be read") from None
    except tomllib.TOMLDecodeError as error:
        raise NotAPlugin(f"{project} is no TOML: {error}") from None
    except KeyError:
        raise NotAPlugin(f'{project} declares nothing under [project.entry-points."{GROUP}"]') from None
    return tuple(EntryPoint(name, value, GROUP) for name, value in sorted(declared.items()))


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Lets the packages of a folder (or of its `src`) be imported for the time of the block."""
    source = folder / "src"
    path = str((source if source.is_dir() else folder).resolve())
    sys.path.insert(0, path)
    invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(path)


def subjects_of(
    plugins: Iterable[EntryPoint], installed: Iterable[EntryPoint] | None = None
) -> tuple[tuple[Subject, ...], tuple[BrokenPlugin, ...]]:
    """The drivers of some plugins, ready to be checked, and the plugins that do not load.

    Args:
        plugins: the plugins to check.
        installed: the plugins to check them against; all that are installed when None. Those that name the
            same module as one of `plugins` are the same plugin.

    """
    wanted = tuple(plugins)
    modules = {plugin.module for plugin in wanted}
    around = installed_plugins() if installed is None else tuple(installed)
    found: list[tuple[EntryPoint, LoadedDriver]] = []
    broken: list[BrokenPlugin] = []
    others: list[LoadedDriver] = []
    for plugin in wanted:
        loaded, fault = _load(plugin)
        found += [(plugin, driver) for driver in loaded]
        broken += [fault] if fault is not None else []
    for plugin in around:
        if plugin.module not in modules:
            others += _load(plugin)[0]
    everyone = [driver for _, driver in found] + others
    subjects = tuple(
        _subject(plugin, driver, [other for other in everyone if other is not driver])
        for plugin, driver in found
    )
    return subjects, tuple(broken)


def _load(plugin: EntryPoint) -> tuple[tuple[LoadedDriver, ...], BrokenPlugin | None]:
    try:
        alone = load_registry([plugin])
    except DriverConflict as conflict:
        return (), BrokenPlugin(plugin.name, str(conflict))
    return alone.drivers, alone.broken[0] if alone.broken else None


def _subject(plugin: EntryPoint, loaded: LoadedDriver, others: list[LoadedDriver]) -> Subject:
    registry = Registry((loaded,))
    for other in others:
        try:
            registry = Registry((*registry.drivers, other))
        except DriverConflict:
            continue
    package, folder, sources = _sources(plugin.module)
    vectors: tuple[Vector, ...] = ()
    fault: str | None = None
    try:
        vectors = load_vectors((folder / "vectors.toml").read_text("utf-8"))
    except OSError:
        fault = f"there is no vectors.toml in {folder}"
    except KeyError as error:
        fault = f"vectors.toml: {error.args[0]}"
    except ValueError as error:
        fault = f"vectors.toml: {error}"
    mine = tuple(vector for vector in vectors if vector.driver in {None, loaded.driver.name})
    return Subject(loaded, package, sources, mine, fault, tuple(others), registry)


def _sources(module: str) -> tuple[str, Path, tuple[Path, ...]]:
    """The package that a plugin's module belongs to, its folder and its Python files."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    if spec.submodule_search_locations is None and "." not in module:
        origin = Path(spec.origin)
        return module, origin.parent, (origin,)
    package = module if spec.submodule_search_locations is not None else module.rpartition(".")[0]
    folder = Path(spec.origin).parent
    return package, folder, tuple(sorted(folder.rglob("*.py")))

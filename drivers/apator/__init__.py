"""The plugin `apator`: found through the entry-point group `submeter.drivers`, like any vendor's package."""

from drivers.apator.driver import DRIVER
from submeter.vendor import MeterDriver, hookimpl


@hookimpl
def submeter_drivers() -> list[MeterDriver]:
    """The drivers of this package."""
    return [DRIVER]

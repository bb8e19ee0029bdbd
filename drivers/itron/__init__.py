"""The plugin `itron`: found through the entry-point group `submeter.drivers`, like any vendor's package."""

from core.metering import MeterDriver, hookimpl
from drivers.itron.driver import DRIVER


@hookimpl
def submeter_drivers() -> list[MeterDriver]:
    """The drivers of this package."""
    return [DRIVER]

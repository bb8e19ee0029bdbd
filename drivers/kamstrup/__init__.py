"""The plugin `kamstrup`: found through the entry-point group `submeter.drivers`, like any vendor's."""

from core.metering import MeterDriver, hookimpl
from drivers.kamstrup.driver import DRIVER


@hookimpl
def submeter_drivers() -> list[MeterDriver]:
    """The drivers of this package."""
    return [DRIVER]

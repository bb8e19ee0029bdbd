"""The plugin `ocea`: found through the entry-point group `submeter.drivers`, like any vendor's package."""

from drivers.ocea.driver import DRIVER
from drivers.ocea.profile import PROFILE
from submeter.vendor import MeterDriver, hookimpl
from submeter.vendor.operators import OperatorProfile


@hookimpl
def submeter_drivers() -> list[MeterDriver]:
    """The drivers of this package."""
    return [DRIVER]


@hookimpl
def submeter_operators() -> list[OperatorProfile]:
    """The operators whose sign-up this package describes."""
    return [PROFILE]

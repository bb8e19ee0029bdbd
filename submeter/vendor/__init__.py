"""What a driver imports, and all that is promised to it: names here change in a release that says so.

A driver's package reads meters with these names; `submeter.vendor.proprietary` adds what a maker's own
encryption or framing needs, `submeter.vendor.operators` what the plugin of a metering company needs, and
`submeter.vendor.conformance` the checks for the package's own tests. docs/writing-a-driver.md begins with a
package that works.
"""

from core.mbus.address import Address
from core.mbus.frame import Frame
from core.mbus.vocabulary import Function, Measurand
from core.metering.driver import MeterDriver, Signature
from core.metering.fields import Field, snapshots
from core.metering.generic import standard
from core.metering.hookspecs import hookimpl
from core.metering.index_source import IndexSource
from core.metering.measurement import FlagDuration, Measurement, StatusFlag
from core.metering.serials import SerialFormat
from core.metering.status import FlagBits
from core.metering.table import Table

__all__ = [
    "Address",
    "Field",
    "FlagBits",
    "FlagDuration",
    "Frame",
    "Function",
    "IndexSource",
    "Measurand",
    "Measurement",
    "MeterDriver",
    "SerialFormat",
    "Signature",
    "StatusFlag",
    "Table",
    "hookimpl",
    "snapshots",
    "standard",
]

"""What intake and the tools ask of decoding: whose telegram it is, what it means, and the drivers that know.

A driver imports `submeter.vendor` and nothing of this package.
"""

from core.mbus.address import Address
from core.mbus.envelope import Envelope
from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.frame import Frame, Layout, fixed_place, read_frame
from core.mbus.lines import GatewayLine, is_blank, parse_line, simulation_seconds
from core.mbus.records import Record
from core.mbus.values import date_g
from core.mbus.vocabulary import Function, Integrity, Measurand, SecurityKind
from core.metering.decode import NO_BATCH, Identified, Opened, clear_part, identify, open_telegram
from core.metering.driver import MeterDriver, Proprietary, Signature
from core.metering.fields import Field, snapshots
from core.metering.formats import NO_FORMATS, CompactFormats, FormatEntry
from core.metering.generic import GENERIC, standard
from core.metering.hookspecs import hookimpl
from core.metering.measurement import (
    FlagDuration,
    HistoryEntry,
    HistorySource,
    Index,
    MeasuredValue,
    Measurement,
    Quantity,
    StatusFlag,
    bits_to_flags,
    flags_to_bits,
)
from core.metering.reception import as_received
from core.metering.registry import (
    BrokenPlugin,
    DriverConflict,
    LoadedDriver,
    LoadedOperator,
    Registry,
    load_registry,
)
from core.metering.report import DecodeReport, explain, why_no_values
from core.metering.serials import SerialFormat
from core.metering.status import FlagBits
from core.metering.table import Table
from core.sanitize import normalise_serial

__all__ = [
    "GENERIC",
    "NO_BATCH",
    "NO_FORMATS",
    "Address",
    "BrokenPlugin",
    "CompactFormats",
    "DecodeReport",
    "DecodeStage",
    "DriverConflict",
    "Envelope",
    "Field",
    "FlagBits",
    "FlagDuration",
    "FormatEntry",
    "Frame",
    "Function",
    "GatewayLine",
    "HistoryEntry",
    "HistorySource",
    "Identified",
    "Index",
    "Integrity",
    "Layout",
    "LoadedDriver",
    "LoadedOperator",
    "Measurand",
    "MeasuredValue",
    "Measurement",
    "MeterDriver",
    "Opened",
    "Proprietary",
    "Quantity",
    "Record",
    "Registry",
    "SecurityKind",
    "SerialFormat",
    "Signature",
    "StatusFlag",
    "Table",
    "TelegramError",
    "TelegramFault",
    "as_received",
    "bits_to_flags",
    "clear_part",
    "date_g",
    "explain",
    "fixed_place",
    "flags_to_bits",
    "hookimpl",
    "identify",
    "is_blank",
    "load_registry",
    "normalise_serial",
    "open_telegram",
    "parse_line",
    "read_frame",
    "simulation_seconds",
    "snapshots",
    "standard",
    "why_no_values",
]

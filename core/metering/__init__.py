"""The vendor surface: all that a driver needs, and what intake asks. A driver imports from here and nowhere
else.
"""

from core.mbus.address import Address
from core.mbus.compact import compact_formats
from core.mbus.errors import Stage, TelegramError, TelegramFault
from core.mbus.frame import Envelope, Frame, Function, Measurand, Record, SecurityKind
from core.mbus.layout import Layout, Place, fixed_place
from core.mbus.lines import GatewayLine, is_blank, parse_line
from core.mbus.records import read_records
from core.mbus.values import date_g
from core.metering.batch import BatchDecoder
from core.metering.decode import Opened, Sealed, identify, open_sealed
from core.metering.driver import MeterDriver, Proprietary, Signature
from core.metering.fields import (
    NOW,
    STANDARD,
    Field,
    first_snapshot,
    read_fields,
    snapshot_day,
    snapshots,
    target_fields,
)
from core.metering.formats import NO_BOOK, FormatBook, FormatEntry
from core.metering.generic import GENERIC
from core.metering.history import read_history
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
from core.metering.registry import (
    BrokenPlugin,
    DriverConflict,
    LoadedDriver,
    LoadedOperator,
    Registry,
    load_registry,
)
from core.metering.report import DecodeReport, explain
from core.metering.serials import SerialFormat, fold
from core.metering.status import FlagBits, flags_of, read_status
from core.metering.table import Table

__all__ = [
    "GENERIC",
    "NOW",
    "NO_BOOK",
    "STANDARD",
    "Address",
    "BatchDecoder",
    "BrokenPlugin",
    "DecodeReport",
    "DriverConflict",
    "Envelope",
    "Field",
    "FlagBits",
    "FlagDuration",
    "FormatBook",
    "FormatEntry",
    "Frame",
    "Function",
    "GatewayLine",
    "HistoryEntry",
    "HistorySource",
    "Index",
    "Layout",
    "LoadedDriver",
    "LoadedOperator",
    "Measurand",
    "MeasuredValue",
    "Measurement",
    "MeterDriver",
    "Opened",
    "Place",
    "Proprietary",
    "Quantity",
    "Record",
    "Registry",
    "Sealed",
    "SecurityKind",
    "SerialFormat",
    "Signature",
    "Stage",
    "StatusFlag",
    "Table",
    "TelegramError",
    "TelegramFault",
    "bits_to_flags",
    "compact_formats",
    "date_g",
    "explain",
    "first_snapshot",
    "fixed_place",
    "flags_of",
    "flags_to_bits",
    "fold",
    "hookimpl",
    "identify",
    "is_blank",
    "load_registry",
    "open_sealed",
    "parse_line",
    "read_fields",
    "read_history",
    "read_records",
    "read_status",
    "snapshot_day",
    "snapshots",
    "target_fields",
]

"""The closed sets of the schema, as the floors below know them, with what they mean to a client.

A set of the tables (`AlertKind`) is told again here, since this floor does not know the
tables; a test holds the two against each other.
"""

from enum import StrEnum

import strawberry

from core.alerting.over_consumption import LimitPeriod
from core.alerting.workflow import Deed, KnownUse, Party, Standing
from core.consumption import Quality
from core.consumption.fluids import Fluid, Unit
from core.language import Language
from core.metering import StatusFlag
from core.operators import OccupancyKind
from core.services.consumption.statements import StatementFormat, StatementReason

__all__ = [
    "AlertKind",
    "Deed",
    "DisplayUnit",
    "Fluid",
    "KnownUse",
    "Language",
    "LimitPeriod",
    "OccupancyKind",
    "Party",
    "Quality",
    "Standing",
    "StatementFormat",
    "StatementReason",
    "StatusFlag",
    "Unit",
]

strawberry.enum(Fluid, description="What a meter counts; the dashboard has a tab for each.")
strawberry.enum(Unit, description="The smallest unit of an index; amounts are exact in it.")
strawberry.enum(
    Quality,
    description="How far an amount can be trusted. ESTIMATED: part of a gap whose total is known. "
    "PARTIAL: the true amount is this or more.",
)
strawberry.enum(
    Standing,
    name="AlertStanding",
    description="The status of an alert, the same for resident and manager. REPAIRED holds for "
    "48 hours; then the meter's readings make it VERIFIED or RELAPSED.",
)
strawberry.enum(Deed, name="AlertDeedKind", description="The kind of an action on an alert.")
strawberry.enum(Party, name="AlertParty", description="Who took the action; METER: it follows from readings.")
strawberry.enum(KnownUse, description="A use of water that is not a leak.")
strawberry.enum(LimitPeriod, description="The period of a resident's own limit.")
strawberry.enum(
    StatementReason,
    description="What an index statement is for. INVENTORY: the inventory of fixtures (état des lieux).",
)
strawberry.enum(
    StatementFormat, description="CSV: UTF-8 with byte order mark and semicolons, as spreadsheets open it."
)
strawberry.enum(Language, description="The languages residents read; not given, the account's own.")
strawberry.enum(OccupancyKind, description="Tenure: how somebody holds a dwelling.")
strawberry.enum(
    StatusFlag, name="MeterFlag", description="A condition that a meter reports, whatever its vendor."
)


@strawberry.enum(description="The unit in which amounts are shown.")
class DisplayUnit(StrEnum):
    """The unit in which amounts are shown; water by the cubic metre (R-085), heat by the kilowatt-hour."""

    CUBIC_METRE = "CUBIC_METRE"
    KILOWATT_HOUR = "KILOWATT_HOUR"
    ALLOCATOR_UNIT = "ALLOCATOR_UNIT"

    @property
    def decimals(self) -> int:
        """How many digits of the smallest unit stand after the point."""
        return 0 if self is DisplayUnit.ALLOCATOR_UNIT else 3

    @classmethod
    def of(cls, fluid: Fluid) -> "DisplayUnit":
        return _SHOWN_IN[fluid.unit]


_SHOWN_IN = {
    Unit.LITRE: DisplayUnit.CUBIC_METRE,
    Unit.WATT_HOUR: DisplayUnit.KILOWATT_HOUR,
    Unit.ALLOCATOR_UNIT: DisplayUnit.ALLOCATOR_UNIT,
}


@strawberry.enum(
    description="What an alert is about. BURST: a very high flow for two hours, or the meter's "
    "own flag. BACKFLOW: the register ran backwards. DRY, TAMPER: the meter's own "
    "flags. SILENT: no data from a meter that used to be received. METER_LEAK: the "
    "meter's own leak flag, where its register is too coarse to show a leak."
)
class AlertKind(StrEnum):
    """What an alert warns of."""

    LEAK = "LEAK"
    OVER_CONSUMPTION = "OVER_CONSUMPTION"
    BURST = "BURST"
    BACKFLOW = "BACKFLOW"
    DRY = "DRY"
    TAMPER = "TAMPER"
    SILENT = "SILENT"
    METER_LEAK = "METER_LEAK"

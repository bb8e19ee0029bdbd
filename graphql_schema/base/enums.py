"""The closed sets of the schema, as the layers below know them, with what they mean to a client."""

import strawberry

from core.alerting.kinds import AlertKind
from core.alerting.over_consumption import LimitPeriod
from core.alerting.workflow import AlertActionKind, AlertStatus, KnownUse, Party
from core.consumption import Quality
from core.consumption.amounts import DisplayUnit
from core.consumption.fluids import Fluid, Unit
from core.documents.statement import StatementFormat, StatementReason
from core.language import Language
from core.metering import StatusFlag
from core.operators import OccupancyKind

__all__ = [
    "AlertActionKind",
    "AlertKind",
    "AlertStatus",
    "DisplayUnit",
    "Fluid",
    "KnownUse",
    "Language",
    "LimitPeriod",
    "OccupancyKind",
    "Party",
    "Quality",
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
    AlertStatus,
    name="AlertStatus",
    description="The status of an alert, the same for resident and manager. REPAIRED holds for "
    "48 hours; then the meter's readings make it VERIFIED or RELAPSED.",
)
strawberry.enum(AlertActionKind, name="AlertActionKind", description="The kind of an action on an alert.")
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
strawberry.enum(DisplayUnit, description="The unit in which amounts are shown.")
strawberry.enum(
    AlertKind,
    description="What an alert is about. BURST: a very high flow for two hours, or the meter's own flag. "
    "BACKFLOW: the register ran backwards. DRY, TAMPER: the meter's own flags. NO_DATA: nothing received "
    "from a meter that used to send. METER_LEAK: the meter's own leak flag, where its register is too "
    "coarse to show a leak.",
)

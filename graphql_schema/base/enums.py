"""The closed sets of the schema, as the layers below know them, with what they mean to a client."""

import strawberry

from core.alerting.kinds import AlertKind
from core.alerting.over_consumption import LimitPeriod
from core.alerting.workflow import Deed, KnownUse, Party, Standing
from core.consumption import Quality
from core.consumption.amounts import DisplayUnit
from core.consumption.fluids import Fluid, Unit
from core.documents.statement import StatementFormat, StatementReason
from core.language import Language
from core.metering import StatusFlag
from core.operators import OccupancyKind

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

strawberry.enum(Fluid, description="What a meter counts; the dashboard has a tab for each (R-067 to R-069).")
strawberry.enum(Unit, description="The smallest unit of an index; amounts are exact in it.")
strawberry.enum(
    Quality,
    description="How far an amount can be trusted. ESTIMATED: part of a gap whose total is known. "
    "PARTIAL: the true amount is this or more.",
)
strawberry.enum(
    Standing,
    name="AlertStanding",
    description="How an alert stands, the same for resident and manager. REPAIRED is believed for 48 hours, "
    "then the meter says VERIFIED or RELAPSED.",
)
strawberry.enum(Deed, name="AlertDeedKind", description="What was done about an alert.")
strawberry.enum(Party, name="AlertParty", description="Who did it; the meter speaks for itself.")
strawberry.enum(KnownUse, description="What runs without being a leak.")
strawberry.enum(LimitPeriod, description="What a resident's own limit is counted over.")
strawberry.enum(
    StatementReason,
    description="What an index statement is for. INVENTORY: the inventory of fixtures (état des lieux).",
)
strawberry.enum(
    StatementFormat, description="CSV: UTF-8 with byte order mark and semicolons, as spreadsheets open it."
)
strawberry.enum(Language, description="The languages residents read; not given, the account's own.")
strawberry.enum(OccupancyKind, description="In which quality somebody holds a dwelling (C-02).")
strawberry.enum(
    StatusFlag, name="MeterFlag", description="What a meter complains about, whatever its vendor."
)
strawberry.enum(DisplayUnit, description="The unit in which amounts are shown.")
strawberry.enum(
    AlertKind,
    description="What an alert warns of. BURST: a very high flow for two hours, or the meter says so. "
    "BACKFLOW: the register ran back. DRY, TAMPER: the meter says so. SILENT: no news from a meter that used "
    "to be heard. METER_LEAK: the meter's own leak flag, where its register is too coarse to show a leak.",
)

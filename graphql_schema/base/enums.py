"""The enums of the schema: those of the layers below, with a description for clients."""

import strawberry

from core.alerting.kinds import AlertKind
from core.alerting.over_consumption import LimitPeriod
from core.alerting.workflow import AlertActionKind, AlertStatus, KnownUse, Party
from core.consumption import Quality
from core.consumption.amounts import DisplayUnit
from core.consumption.climate import NotCorrected
from core.consumption.fluids import Fluid, Unit
from core.consumption.plausibility import Doubt, Evidence
from core.documents.issued import IssuedPaperKind, PaperSide
from core.documents.statement import StatementFormat, StatementReason
from core.language import Language
from core.metering import StatusFlag
from core.operators import OccupancyKind
from core.registration.draft import Civility
from core.services.telegrams.corrections import ReadingStatus

__all__ = [
    "AlertActionKind",
    "AlertKind",
    "AlertStatus",
    "Civility",
    "DisplayUnit",
    "Doubt",
    "Evidence",
    "Fluid",
    "IssuedPaperKind",
    "KnownUse",
    "Language",
    "LimitPeriod",
    "NotCorrected",
    "OccupancyKind",
    "PaperSide",
    "Party",
    "Quality",
    "ReadingStatus",
    "StatementFormat",
    "StatementReason",
    "StatusFlag",
    "Unit",
]

strawberry.enum(Civility, description="A form of address, as people choose it.")
strawberry.enum(Fluid, description="What a meter measures; the dashboard has a tab for each.")
strawberry.enum(Unit, description="The smallest unit of an index, in which amounts are whole numbers.")
strawberry.enum(
    Quality,
    description="The quality of an amount. MEASURED: from readings. CORRECTED: measured, and another amount "
    "was shown before (`corrections`). ESTIMATED: a share of a gap between readings, whose total is known. "
    "PARTIAL: readings cover only part of the period, so the true amount is this or more. MISSING: there is "
    "no data.",
)
strawberry.enum(
    NotCorrected,
    name="NotCorrectedReason",
    description="Why a value is not corrected. NOT_HEATING: water does not depend on the weather. "
    "NOT_FOR_RESOLUTION: months and longer are corrected. INCOMPLETE: not every day is known, or not all are "
    "over. NO_STATION: the residence has no weather station. NO_DEGREE_DAYS: the station's list lacks a day. "
    "NO_REFERENCE: the list has no whole year. NO_HEATING_WEATHER: no day was, or usually is, cold enough.",
)
strawberry.enum(
    AlertStatus,
    name="AlertStatus",
    description="The status of an alert, the same for resident and manager. OPEN: no action yet, or the "
    "snooze is over. REPAIRED lasts for 48 hours; then the meter's readings decide between VERIFIED and "
    "RELAPSED. NOT_A_LEAK: dismissed and snoozed.",
)
strawberry.enum(AlertActionKind, name="AlertActionKind", description="The kind of an action on an alert.")
strawberry.enum(
    Party, name="AlertParty", description="Who took an action. METER: it follows from the meter's readings."
)
strawberry.enum(KnownUse, description="A reason why continuous flow is not a leak.")
strawberry.enum(
    LimitPeriod,
    description="The period of a resident's own consumption limit. GOAL: a goal for the calendar month, of "
    "which the resident gets a hint at 80 % and at 100 %, once a month each, and no alert.",
)
strawberry.enum(
    StatementReason,
    description="What an index statement is for. INVENTORY: the inventory of fixtures (état des lieux).",
)
strawberry.enum(
    StatementFormat,
    description="The file format of an index statement. CSV: UTF-8 with byte order mark, separated by "
    "semicolons.",
)
strawberry.enum(
    IssuedPaperKind,
    description="The kind of a paper with a verification code. INDEX_CERTIFICATE: of all meters of a "
    "dwelling at a day, for an inventory of fixtures (état des lieux). LEAK_DOSSIER: of one leak.",
)
strawberry.enum(
    PaperSide, description="Whose copy of the certificate of a move: of who moved out, or of who moved in."
)
strawberry.enum(
    Language,
    description="A language of the portal. If an argument is left out, the account's language is used.",
)
strawberry.enum(
    OccupancyKind, description="Tenure: whether an account holder rents or owns a dwelling, and lives in it."
)
strawberry.enum(
    StatusFlag,
    name="MeterFlag",
    description="A condition that a meter reports, named the same for all vendors.",
)
strawberry.enum(DisplayUnit, description="The unit in which amounts are displayed.")
strawberry.enum(
    AlertKind,
    description="The kind of an alert. LEAK: continuous flow, by the meter's readings. OVER_CONSUMPTION: a "
    "day or month above its threshold. BURST: a very high flow for two hours, or the meter's own flag; one "
    "that recurs at its hour raises no further alert. BACKFLOW: the register ran backwards. DRY, "
    "TAMPER: the meter's own flags. NO_DATA: no data from a meter that used to send. METER_LEAK: the "
    "meter's own leak flag, if its register is too coarse to show a leak.",
)
strawberry.enum(
    Doubt,
    name="ReadingDoubt",
    description="Why a reading does not count. RISE_TOO_FAST: faster than the meter can run. "
    "FALL_UNEXPLAINED: neither a backflow nor a rollover. CONTRADICTED: readings around it cannot be true "
    "with it. CONFLICTING_READING: another index was reported for the same moment. NOT_CONFIRMED: nothing "
    "proves the telegram whole, and no other reading agrees. WITHDRAWN: by the operator.",
)
strawberry.enum(
    ReadingStatus,
    name="ReadingStatus",
    description="What became of a reading that does not count. WAITING: later readings may confirm it. "
    "OUTLIER: they did not. WITHDRAWN: by the operator.",
)
strawberry.enum(
    Evidence,
    name="ReadingEvidence",
    description="What proved the telegram of a reading whole, the weakest first. DECRYPTION_CHECK: its first "
    "block only. GATEWAY_CHECK: the gateway says that it checked it. ACCEPTED: the operator.",
)

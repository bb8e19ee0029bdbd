"""The application's tables, as Tortoise models. Imported by `core.services` alone (a contract checks it).

Readings and hourly and daily volumes have composite keys, which Tortoise 1.x cannot model; their tables are
made by the initial migration and written by `core.services.shared.time_series`.

A model's docstring becomes its table's comment, and Tortoise cuts SQLite statements at every semicolon: so
these docstrings and descriptions hold none.
"""

from core.alerting.kinds import AlertKind
from core.documents.issued import IssuedPaperKind, PaperSide
from core.models.access import (
    AccessToken,
    AuditRecord,
    Challenge,
    ChallengePurpose,
    Device,
    RecoveryCode,
)
from core.models.alerts import (
    Alert,
    AlertAction,
    ConsumptionLimit,
    LeakCheckpoint,
    LeakClassifierState,
    LeakDayFlows,
    LeakEpisode,
)
from core.models.analysis import AnalysisPublication, AnalysisRow
from core.models.certificates import IssuedPaper
from core.models.consumption import (
    AveragePublication,
    BuildingAverage,
    ConsumptionCorrection,
    DegreeDay,
    EmissionFactor,
    Tariff,
)
from core.models.documents import Document, DocumentType
from core.models.hints import BurstDraw, RecurringDraw, RecurringDrawAnswer, SlowLeakHint
from core.models.meters import (
    CompactFormat,
    DeadLetter,
    DoubtfulReading,
    MessageCounter,
    Meter,
    MeterAlias,
    MeterKey,
    TelegramState,
)
from core.models.operation import PeriodicJob, Recomputation
from core.models.outbox import Channel, MessageState, OutboxMessage
from core.models.people import (
    Account,
    ConsentAuthor,
    ConsentPurpose,
    ConsentRecord,
    ConsentState,
    Gateway,
    ManagedResidence,
    Occupancy,
    Session,
)
from core.models.places import DocumentKind, Dwelling, Operator, Residence, ResidenceDocument
from core.models.privacy import (
    AccountConsent,
    DataExport,
    DataExportPart,
    FineDataPurge,
    HouseholdMember,
    RetentionMark,
    RetentionRun,
    ThirdPartyGrant,
)
from core.models.registration import DwellingRequest, DwellingRequestKind, DwellingRequestState, Registration
from core.operators import OccupancyKind

__all__ = [
    "AccessToken",
    "Account",
    "AccountConsent",
    "Alert",
    "AlertAction",
    "AlertKind",
    "AnalysisPublication",
    "AnalysisRow",
    "AuditRecord",
    "AveragePublication",
    "BuildingAverage",
    "BurstDraw",
    "Challenge",
    "ChallengePurpose",
    "Channel",
    "CompactFormat",
    "ConsentAuthor",
    "ConsentPurpose",
    "ConsentRecord",
    "ConsentState",
    "ConsumptionCorrection",
    "ConsumptionLimit",
    "DataExport",
    "DataExportPart",
    "DeadLetter",
    "DegreeDay",
    "Device",
    "Document",
    "DocumentKind",
    "DocumentType",
    "DoubtfulReading",
    "Dwelling",
    "DwellingRequest",
    "DwellingRequestKind",
    "DwellingRequestState",
    "EmissionFactor",
    "FineDataPurge",
    "Gateway",
    "HouseholdMember",
    "IssuedPaper",
    "IssuedPaperKind",
    "LeakCheckpoint",
    "LeakClassifierState",
    "LeakDayFlows",
    "LeakEpisode",
    "ManagedResidence",
    "MessageCounter",
    "MessageState",
    "Meter",
    "MeterAlias",
    "MeterKey",
    "Occupancy",
    "OccupancyKind",
    "Operator",
    "OutboxMessage",
    "PaperSide",
    "PeriodicJob",
    "Recomputation",
    "RecoveryCode",
    "RecurringDraw",
    "RecurringDrawAnswer",
    "Registration",
    "Residence",
    "ResidenceDocument",
    "RetentionMark",
    "RetentionRun",
    "Session",
    "SlowLeakHint",
    "Tariff",
    "TelegramState",
    "ThirdPartyGrant",
]

"""Who sees what of whom, and of which days: a row for every field that returns personal or consumption
data.

In: the schema, its permissions (`access`) and its audiences (`base.narrowing`). Out: for each field and
role the permission, the consent and the period; printed as docs/who-sees-what.md (`make who-sees-what`).
The one rule: permission and consent are read from what is enforced and written here nowhere; what is
written here is of what kind the data of a type or field are, and from the kind follows the period, which
`core.services.shared.scope` enforces. A type or field without an entry is an error of a test, so a new one
cannot be published without a decision.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_object_type,
)

from core.access import Permission, Role
from core.access.narrowing import Audience, Basis, WithheldReason, reason_withheld
from core.access.permissions import PERMISSIONS_OF
from graphql_schema.base.narrowing import narrowed_audiences
from graphql_schema.contract.access import BY_ARGUMENT, PERMISSIONS


class Period(StrEnum):
    """Of which days a role sees a kind of data."""

    NEVER = "—"
    OWN_OCCUPANCY = "own occupancy"
    PRESENT_OCCUPANCY = "the occupancy, while it lasts"
    GRANTED_DAYS = "granted days of the occupancy"
    OCCUPANTS = "present occupant's occupancy"
    WHOLE_TIME = "any day"
    NOW = "yes"


class Kind(StrEnum):
    """What a field says, and about whom."""

    PUBLIC = "nothing of a person"
    ACCOUNT = "the own account"
    PLACE = "a place"
    DEVICE = "a meter"
    GRANT = "what a provider was granted"
    DAYS = "the days of a household"
    MONTHS = "the months of a home"
    OWN = "what the holder set or is notified of"
    TENURE = "who lives there, since when, with which consent"
    ALERTS = "alerts of a home"
    BUILDING = "a building"
    REQUEST = "somebody who asks for a home"
    CORRECTION = "readings that do not count"
    RETENTION = "how much was deleted"
    STATISTICS = "five homes at least"
    PAPERS = "papers about a home"
    LISTS = "what the operator's staff list"
    ANSWER = "what was just done"


_ROLES: Final = (
    *(Role.RESIDENT, Role.HOUSEHOLD_MEMBER, Role.THIRD_PARTY, Role.MANAGER, Role.STAFF, Role.ANALYST),
)
_BASIS: Final = {
    Role.RESIDENT: Basis.OCCUPANT,
    Role.HOUSEHOLD_MEMBER: Basis.HOUSEHOLD,
    Role.THIRD_PARTY: Basis.THIRD_PARTY,
    Role.MANAGER: Basis.MANAGER,
    Role.STAFF: Basis.STAFF,
}
_OF_HOME: Final = {
    Role.RESIDENT: Period.OWN_OCCUPANCY,
    Role.HOUSEHOLD_MEMBER: Period.PRESENT_OCCUPANCY,
    Role.THIRD_PARTY: Period.GRANTED_DAYS,
}
_WHOLE: Final = {Role.MANAGER: Period.WHOLE_TIME, Role.STAFF: Period.WHOLE_TIME}
PERIODS: Final[Mapping[Kind, Mapping[Role, Period]]] = {
    Kind.PUBLIC: dict.fromkeys(_ROLES, Period.NOW),
    Kind.ANSWER: dict.fromkeys(_ROLES, Period.NOW),
    Kind.ACCOUNT: dict.fromkeys(set(_ROLES) - {Role.THIRD_PARTY}, Period.NOW),
    Kind.PLACE: dict.fromkeys(_ROLES, Period.NOW),
    Kind.DEVICE: {**_OF_HOME, **_WHOLE},
    Kind.GRANT: {Role.THIRD_PARTY: Period.GRANTED_DAYS},
    Kind.DAYS: {**_OF_HOME, Role.MANAGER: Period.OCCUPANTS},
    Kind.MONTHS: {**_OF_HOME, Role.MANAGER: Period.WHOLE_TIME},
    Kind.OWN: {Role.RESIDENT: Period.OWN_OCCUPANCY},
    Kind.TENURE: {Role.RESIDENT: Period.OWN_OCCUPANCY, Role.MANAGER: Period.OCCUPANTS},
    Kind.ALERTS: {**_OF_HOME, Role.MANAGER: Period.WHOLE_TIME},
    Kind.BUILDING: {Role.MANAGER: Period.WHOLE_TIME},
    Kind.REQUEST: {Role.RESIDENT: Period.NOW, Role.MANAGER: Period.NOW},
    Kind.RETENTION: {Role.STAFF: Period.NOW},
    Kind.CORRECTION: {Role.STAFF: Period.WHOLE_TIME},
    Kind.STATISTICS: {Role.ANALYST: Period.WHOLE_TIME},
    Kind.PAPERS: {Role.RESIDENT: Period.OWN_OCCUPANCY, **_WHOLE},
    Kind.LISTS: {Role.STAFF: Period.NOW},
}
"""By kind and role; a role that is not named sees none of it, on any day."""


def _entries(**named: str) -> dict[str, Kind]:
    return {name: Kind[kind] for kind, names in named.items() for name in names.split()}


TYPES: Final[Mapping[str, Kind]] = _entries(
    PUBLIC="AlertCount Amount Contact HelpPage Label LeakLevel Operator PageInfo PasswordCheck "
    "PasswordCriterion PasswordTooWeak PrivacyNotice RateLimited RequestRefused TermsOfUse WithheldField "
    "CodeInvalid AccountLocked SignInRefused SerialRefused UnusableCount UnusableLine TelegramsSubmitted"
    " PaperFile",
    ACCOUNT="AccessToken NotificationChoice Session DataExport ThirdPartyGrant HouseholdMember PurposeConsent"
    " ConsentLogEntry ConsentLogEntryConnection ConsentLogEntryEdge",
    PLACE="ResidenceConnection ResidenceEdge DwellingConnection DwellingEdge",
    DEVICE="MeterConnection MeterEdge",
    DAYS="ConsumptionPoint ConsumptionSeries DailySeries DayConsumption FluidDashboard Reading "
    "ReadingConnection ReadingEdge BuildingAverage ClimateCorrection ComparedConsumption"
    " ComparedInOwnWeather ConsumptionComparison ConsumptionCorrection ConsumptionCorrectionConnection"
    " ConsumptionCorrectionEdge ConsumptionCost ConsumptionEmissions EmissionFactor Tariff",
    PAPERS="AnnualNoteBlock Document DocumentConnection DocumentEdge DocumentFile IssuedPaper",
    LISTS="Account AccountConnection AccountEdge DeadLetter DeadLetterConnection DeadLetterCount"
    " DeadLetterEdge OutboxMessage OutboxMessageConnection OutboxMessageEdge",
    GRANT="ThirdPartyAccess",
    MONTHS="MonthConsumption",
    OWN="ConsumptionLimit IndexLine IndexStatement SlowLeakHint AccessLogEntry AccessLogEntryConnection"
    " AccessLogEntryEdge RecurringDraw",
    TENURE="Consent",
    ALERTS="AlertAction AlertConnection AlertEdge AlertEvidence AlertWorkflow LeakEvidence LeakProjection",
    BUILDING="ConsumptionOutlier ConsumptionOutlierConnection ConsumptionOutlierEdge DwellingCounts"
    " FluidCompleteness LeakCount ResidenceDocument ResidenceOverview DwellingWithoutNote"
    " DwellingWithoutNoteConnection DwellingWithoutNoteEdge MonthlyNotes NoteCount NoteStatus"
    " NoteStatusConnection NoteStatusEdge",
    REQUEST="DwellingRequest DwellingRequestConnection DwellingRequestEdge",
    RETENTION="DeletedRows RetentionRun RetentionRunConnection RetentionRunEdge",
    CORRECTION="DoubtfulReading DoubtfulReadingConnection DoubtfulReadingEdge",
    STATISTICS="AnalysedResidence Analysis CompletenessStatistic CompletenessStatisticConnection"
    " CompletenessStatisticEdge ConsumptionStatistic ConsumptionStatisticConnection ConsumptionStatisticEdge"
    " LeakStatistic LeakStatisticConnection LeakStatisticEdge MeterStatistic MeterStatisticConnection"
    " MeterStatisticEdge",
    ANSWER="AccessTokenIssued AccessTokenRevoked AccountChanged AccountErased AlertEnded AlertUpdated "
    "CodeSent Confirmation ConfirmationLine DocumentUpload DocumentWithdrawn IssuedPaperFile"
    " ResidenceNotReady ResidencePublished ResidenceUnpublished ConsentAnswered ConsumptionLimits"
    " DataExportRequested "
    "DwellingLeft DwellingRequestDecided FineDataPurged HouseholdInvitationAccepted HouseholdMemberInvited"
    " HouseholdMemberRemoved IndexStatementFile MoveRecorded Mutation PaperConsentRecorded PasswordReset"
    " PasswordResetRequested ReadingCorrected RecurringDrawAnswered Registration RegistrationCancelled"
    " RegistrationChoice RegistrationField RegistrationForm RegistrationScreen RegistrationStage"
    " ResidenceCandidate ResidentsInvited SecondFactorEnrolled SecondFactorRemoved SecondFactorStarted"
    " SessionsEnded SignedIn SignedOut SupportRequested ThirdPartyAccessGranted ThirdPartyAccessRevoked",
)
"""The kind of every field of a type. What a mutation answers is of whoever did it, and its types are here "
"too."""

FIELDS: Final[Mapping[str, Mapping[str, Kind]]] = {
    "Query": _entries(
        PUBLIC="operators",
        ACCOUNT="viewer",
        PLACE="residences residence dwelling node",
        GRANT="thirdPartyAccess",
        REQUEST="dwellingRequests",
        CORRECTION="doubtfulReadings",
        RETENTION="retentionRuns",
        STATISTICS="analysis",
        DEVICE="meters",
        LISTS="accounts deadLetterCounts deadLetters outbox",
    ),
    "Viewer": _entries(
        PUBLIC="terms operator termsVersion",
        ACCOUNT="id state email civility firstName lastName phone phoneConfirmed language role secondFactor"
        " notifications newsletter slowLeakHints sessions accessTokens dataExports thirdPartyGrants household"
        " consents consentHistory",
        PLACE="dwellings ownedDwellings",
        REQUEST="dwellingRequests",
    ),
    "Dwelling": _entries(
        PUBLIC="id seenAs withheld",
        PLACE="building staircase floor number place lot managerReference surfaceM2 residence",
        TENURE="occupancy occupiedSince consent",
        DAYS="visibleFrom visibleUntil consumption corrections dashboard dailyConsumption dailySeries",
        PAPERS="documents issuedPapers",
        MONTHS="monthlyConsumption",
        DEVICE="meters",
        OWN="consumptionLimits indexStatement recurringDraws slowLeakHints accessLog",
        ALERTS="activeAlertCount activeAlerts pastAlerts",
    ),
    "Meter": _entries(
        PUBLIC="id seenAs withheld",
        DEVICE="fluid vendor serial radioAddress location installedOn removedOn lastReadAt label",
        DAYS="consumption lastReading readings",
        PLACE="dwelling",
    ),
    "Alert": _entries(
        PUBLIC="id seenAs withheld",
        ALERTS="kind fluid level levelMax overRange startedOn endedOn durationDays lossLitres lossM3 lossCost"
        " projection meanFlowLph minimumFlowAtOpeningLph stale meterSerial amount threshold ownLimit "
        "recurringDraw workflow evidence title period equivalent meterLabel",
        PLACE="dwelling",
        DEVICE="meter",
    ),
    "Residence": _entries(
        PUBLIC="id seenAs withheld",
        PLACE="name street postcode city code timeZone operatorName publishedAt waterPrice leakLevels"
        " dwellings",
        BUILDING="documents activeAlerts pastAlerts overview notes",
        PAPERS="residentDocuments",
    ),
}
"""The kind of each field of the nouns that hold several."""


NODES: Final[Mapping[str, Permission]] = {
    "AccessToken": Permission.TOKENS_WRITE,
    "Account": Permission.ACCOUNTS_READ,
    "Alert": Permission.ALERTS_READ,
    "DataExport": Permission.EXPORTS_WRITE,
    "DeadLetter": Permission.DEAD_LETTERS_READ,
    "Document": Permission.DOCUMENTS_READ,
    "DoubtfulReading": Permission.READINGS_CORRECT,
    "Dwelling": Permission.DWELLINGS_READ,
    "DwellingRequest": Permission.DWELLING_REQUESTS_DECIDE,
    "HouseholdMember": Permission.HOUSEHOLD_WRITE,
    "Meter": Permission.METERS_READ,
    "OutboxMessage": Permission.OUTBOX_LIST,
    "RecurringDraw": Permission.ALERTS_READ,
    "Residence": Permission.PLACES_READ,
    "ResidenceDocument": Permission.ALERTS_READ,
    "Session": Permission.SESSIONS_WRITE,
    "ThirdPartyGrant": Permission.GRANTS_WRITE,
    "Viewer": Permission.ACCOUNT_READ,
}
"""What `node` needs for a noun, as its service checks (`BY_ARGUMENT`)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a role sees of a field: of which days, and whether the occupant must have consented."""

    period: Period
    consent: bool = False

    def __str__(self) -> str:
        return f"{self.period.value}, with consent" if self.consent else self.period.value


_NEVER: Final = Cell(Period.NEVER)


def kind_of(type_name: str, field: str) -> Kind | None:
    """Of what kind a field's data are; None for one without an entry."""
    if type_name in FIELDS:
        return FIELDS[type_name].get(field)
    return TYPES.get(type_name)


def cell(role: Role, type_name: str, field: str) -> Cell:
    """What a role sees of a field, by the kind of its data, its permission and its audience."""
    kind = kind_of(type_name, field)
    if kind is None or role not in PERIODS[kind]:
        return _NEVER
    if not _may(role, f"{type_name}.{field}"):
        return _NEVER
    audience = narrowed_audiences(type_name).get(field)
    if audience is None:
        return Cell(PERIODS[kind][role])
    return _narrowed(role, audience, PERIODS[kind][role])


def _may(role: Role, key: str) -> bool:
    """Whether a role has what a field needs; a manager reads days by a permission of its own."""
    own = PERMISSIONS_OF[role]
    instead = Permission.MANAGED_DAYS_READ
    return own.issuperset(PERMISSIONS.get(key, ())) or (
        instead in own and instead in BY_ARGUMENT.get(key, ())
    )


def _narrowed(role: Role, audience: Audience, period: Period) -> Cell:
    if role not in _BASIS:
        return _NEVER
    reason = reason_withheld(_BASIS[role], audience, occupied=True, consented=False)
    if reason is WithheldReason.CONSENT_REQUIRED:
        return Cell(period, consent=True)
    return _NEVER if reason is not None else Cell(period)


def objects(schema: GraphQLSchema) -> Iterator[GraphQLObjectType]:
    """Every type that has fields to read."""
    for name, kind in sorted(schema.type_map.items()):
        if is_object_type(kind) and not name.startswith("__"):
            yield kind


def table(schema: GraphQLSchema) -> list[tuple[str, Kind, Mapping[Role, Cell]]]:
    """Every field that is not PUBLIC or an ANSWER, with a cell for each role."""
    rows: list[tuple[str, Kind, Mapping[Role, Cell]]] = []
    ways = {role: _ways(role, schema) for role in _ROLES}
    for kind in objects(schema):
        for field in kind.fields:
            of_kind = kind_of(kind.name, field)
            if of_kind is not None and of_kind not in {Kind.PUBLIC, Kind.ANSWER}:
                cells = {role: _reached(role, kind.name, field, ways[role]) for role in _ROLES}
                rows.append((f"{kind.name}.{field}", of_kind, cells))
    return rows


def _reached(role: Role, type_name: str, field: str, ways: Mapping[str, bool]) -> Cell:
    """The cell of a field, if the role gets at its type; with consent, if that is how."""
    found = cell(role, type_name, field)
    if type_name not in ways or found == _NEVER:
        return _NEVER
    return Cell(found.period, found.consent or ways[type_name])


def _ways(role: Role, schema: GraphQLSchema) -> dict[str, bool]:
    """The types that a role gets at by some query, and whether only with the occupant's consent."""
    found = {"Query": False}
    queue = ["Query"]
    while queue:
        kind = schema.type_map[queue.pop(0)]
        assert is_object_type(kind)
        for name, field in kind.fields.items():
            own = cell(role, kind.name, name)
            of_kind = kind_of(kind.name, name)
            if own == _NEVER and of_kind is not Kind.PUBLIC:
                continue
            asks = own.consent or found[kind.name]
            for reached in _objects_of(get_named_type(field.type), schema):
                if (kind.name, name) == ("Query", "node") and NODES[reached] not in PERMISSIONS_OF[role]:
                    continue
                if reached not in found or (found[reached] and not asks):
                    found[reached] = asks
                    queue.append(reached)
    return found


def _objects_of(kind: GraphQLNamedType, schema: GraphQLSchema) -> list[str]:
    """The object types that a field may answer."""
    if is_abstract_type(kind):
        return [one.name for one in schema.get_possible_types(kind)]
    return [kind.name] if is_object_type(kind) else []


def page(schema: GraphQLSchema) -> str:
    """The table as a page of the documentation."""
    lines = [
        "# Who sees what, of which days",
        "",
        "Made by `make who-sees-what` from what is enforced; a test holds it. What it means is in",
        "[privacy.md](privacy.md). `—`: never, on any day; `yes`: it is of no day. A former occupant keeps",
        "the own occupancy for the operator's access time; household and provider see nothing once it ends.",
        "",
        f"| field | is about | permission | {' | '.join(role.value for role in _ROLES)} |",
        f"|---|---|---|{'---|' * len(_ROLES)}",
    ]
    for key, kind, cells in table(schema):
        needed = ", ".join(permission.value for permission in PERMISSIONS.get(key, ()))
        shown = " | ".join(str(cells[role]) for role in _ROLES)
        lines.append(f"| `{key}` | {kind.value} | {needed} | {shown} |")
    return "\n".join(lines) + "\n"

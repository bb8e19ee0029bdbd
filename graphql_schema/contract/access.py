"""Which permission each field needs: checked before its resolver runs, and written into its description.

In: the schema, and the permissions by field. Out: the same schema, guarded and described. The one rule: one
table is what is enforced and what clients read; the services check again, row by row, and
`tests/graphql/conftest.py` holds that no service requires more than the table says.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from graphql import (
    GraphQLField,
    GraphQLFieldResolver,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_object_type,
)

from core.access import Permission, Role, Viewer
from core.access.permissions import PERMISSIONS_OF
from graphql_schema.base import narrowing
from graphql_schema.base.context import Context
from graphql_schema.base.fields import Guard, set_guard
from graphql_schema.base.query_limits import charge_of_items

_ACCOUNT_FIELDS = (
    *("email", "civility", "firstName", "lastName", "phone", "phoneConfirmed", "language", "role"),
    *("secondFactor", "termsVersion", "newsletter", "notifications", "slowLeakHints"),
)

_PLACE_FIELDS = (
    *(
        "residence",
        "place",
        "building",
        "staircase",
        "floor",
        "number",
        "lot",
        "managerReference",
        "surfaceM2",
    ),
)

PERMISSIONS: Final[Mapping[str, tuple[Permission, ...]]] = {
    "Query.analysis": (Permission.ANALYSES_READ,),
    "Query.dwelling": (Permission.DWELLINGS_READ,),
    "Query.residence": (Permission.PLACES_READ,),
    "Query.residences": (Permission.PLACES_READ,),
    "Query.dwellingRequests": (Permission.DWELLING_REQUESTS_DECIDE,),
    "Query.doubtfulReadings": (Permission.READINGS_CORRECT,),
    "Query.retentionRuns": (Permission.RETENTION_READ,),
    "Query.accounts": (Permission.ACCOUNTS_READ,),
    "Query.deadLetters": (Permission.DEAD_LETTERS_READ,),
    "Query.deadLetterCounts": (Permission.DEAD_LETTERS_READ,),
    "Query.meters": (Permission.METERS_LIST,),
    "Query.outbox": (Permission.OUTBOX_LIST,),
    "Account.dwellings": (Permission.ACCOUNTS_READ, Permission.DWELLINGS_READ),
    "Account.residences": (Permission.ACCOUNTS_READ, Permission.DWELLINGS_READ),
    **{f"Viewer.{name}": (Permission.ACCOUNT_READ,) for name in _ACCOUNT_FIELDS},
    "Viewer.dwellings": (Permission.DWELLINGS_READ,),
    "Viewer.ownedDwellings": (Permission.DWELLINGS_READ,),
    "Viewer.dwellingRequests": (Permission.ACCOUNT_READ, Permission.DWELLINGS_READ),
    "Viewer.sessions": (Permission.SESSIONS_WRITE,),
    "Viewer.accessTokens": (Permission.TOKENS_WRITE,),
    **{f"Dwelling.{name}": (Permission.PLACES_READ,) for name in _PLACE_FIELDS},
    "Viewer.dataExports": (Permission.EXPORTS_WRITE,),
    "Viewer.thirdPartyGrants": (Permission.GRANTS_WRITE,),
    "Viewer.household": (Permission.HOUSEHOLD_WRITE,),
    "Viewer.consents": (Permission.CONSENT_WRITE,),
    "Viewer.consentHistory": (Permission.CONSENT_WRITE,),
    "DataExport.url": (Permission.EXPORTS_WRITE,),
    "Dwelling.accessLog": (Permission.ACCESS_LOG_READ,),
    "Mutation.exportMyData": (Permission.EXPORTS_WRITE,),
    "Mutation.deleteMyAccount": (Permission.ACCOUNT_ERASE,),
    "Mutation.purgeFineData": (Permission.FINE_DATA_PURGE,),
    "Mutation.grantThirdPartyAccess": (Permission.GRANTS_WRITE,),
    "Mutation.revokeThirdPartyAccess": (Permission.GRANTS_WRITE,),
    "Mutation.inviteHouseholdMember": (Permission.HOUSEHOLD_WRITE,),
    "Mutation.removeHouseholdMember": (Permission.HOUSEHOLD_WRITE,),
    "Dwelling.meters": (Permission.METERS_READ,),
    "Dwelling.consent": (Permission.CONSENT_WRITE,),
    "Dwelling.dashboard": (Permission.CONSUMPTION_READ_DAILY, Permission.METERS_READ),
    "Dwelling.consumptionLimits": (Permission.CONSUMPTION_READ,),
    "Dwelling.dailyConsumption": (Permission.CONSUMPTION_READ_DAILY,),
    "Dwelling.dailySeries": (Permission.CONSUMPTION_READ_DAILY,),
    "Dwelling.monthlyConsumption": (Permission.CONSUMPTION_READ,),
    "Dwelling.consumption": (Permission.CONSUMPTION_READ,),
    "Dwelling.corrections": (Permission.CONSUMPTION_READ_DAILY,),
    "Dwelling.indexStatement": (Permission.READINGS_READ, Permission.METERS_READ),
    "Dwelling.issuedPapers": (Permission.PAPERS_ISSUE,),
    "Dwelling.activeAlertCount": (Permission.ALERTS_READ,),
    "Dwelling.activeAlerts": (Permission.ALERTS_READ,),
    "Dwelling.pastAlerts": (Permission.ALERTS_READ,),
    "Dwelling.documents": (Permission.DOCUMENTS_READ,),
    "Dwelling.recurringDraws": (Permission.ALERTS_READ,),
    "Dwelling.slowLeakHints": (Permission.ALERTS_READ,),
    "Meter.readings": (Permission.READINGS_READ,),
    "Meter.consumption": (Permission.CONSUMPTION_READ, Permission.METERS_READ),
    "Meter.dwelling": (Permission.DWELLINGS_READ,),
    "Alert.dwelling": (Permission.DWELLINGS_READ,),
    "Alert.meter": (Permission.METERS_READ,),
    "Residence.activeAlerts": (Permission.ALERTS_READ,),
    "Residence.pastAlerts": (Permission.ALERTS_READ,),
    "Residence.documents": (Permission.ALERTS_READ,),
    "Residence.residentDocuments": (Permission.DOCUMENTS_READ,),
    "Residence.notes": (Permission.NOTES_PRINT,),
    "MonthlyNotes.missing": (Permission.NOTES_PRINT,),
    "Residence.dwellings": (Permission.DWELLINGS_READ,),
    "Residence.overview": (Permission.MANAGED_RESIDENCES_READ,),
    "ResidenceOverview.unreadMeters": (Permission.METERS_READ,),
    "ResidenceOverview.silentMeters": (Permission.METERS_READ,),
    "ResidenceOverview.dwellingsWithoutAccount": (Permission.DWELLINGS_READ,),
    "ConsumptionOutlier.dwelling": (Permission.DWELLINGS_READ,),
    "Mutation.renewSession": (Permission.SESSIONS_WRITE,),
    "Mutation.revokeSession": (Permission.SESSIONS_WRITE,),
    "Mutation.revokeOtherSessions": (Permission.SESSIONS_WRITE,),
    "Mutation.changePassword": (Permission.PASSWORD_WRITE,),
    "Mutation.updateContact": (Permission.ACCOUNT_WRITE,),
    "Mutation.chooseNotification": (Permission.ACCOUNT_WRITE,),
    "Mutation.chooseNewsletter": (Permission.ACCOUNT_WRITE,),
    "Mutation.chooseSlowLeakHints": (Permission.ACCOUNT_WRITE,),
    "Mutation.acceptTerms": (Permission.TERMS_ACCEPT,),
    "Mutation.requestEmailChange": (Permission.ACCOUNT_WRITE,),
    "Mutation.confirmEmailChange": (Permission.ACCOUNT_WRITE,),
    "Mutation.requestPhoneCode": (Permission.ACCOUNT_WRITE,),
    "Mutation.confirmPhone": (Permission.ACCOUNT_WRITE,),
    "Mutation.startSecondFactor": (Permission.SECOND_FACTOR_WRITE,),
    "Mutation.confirmSecondFactor": (Permission.SECOND_FACTOR_WRITE,),
    "Mutation.removeSecondFactor": (Permission.SECOND_FACTOR_WRITE,),
    "Mutation.verifySecondFactor": (Permission.SECOND_FACTOR_VERIFY,),
    "Mutation.createAccessToken": (Permission.TOKENS_WRITE,),
    "Mutation.revokeAccessToken": (Permission.TOKENS_WRITE,),
    "Mutation.answerConsent": (Permission.CONSENT_WRITE,),
    "Mutation.leaveDwelling": (Permission.DWELLINGS_LEAVE,),
    "Mutation.acknowledgeAlert": (Permission.ALERTS_HANDLE,),
    "Mutation.reportRepair": (Permission.ALERTS_HANDLE,),
    "Mutation.dismissAlert": (Permission.ALERTS_HANDLE,),
    "Mutation.answerRecurringDraw": (Permission.ALERTS_HANDLE,),
    "Mutation.setConsumptionLimit": (Permission.LIMITS_WRITE, Permission.CONSUMPTION_READ),
    "Mutation.issueIndexStatement": (Permission.READINGS_READ, Permission.METERS_READ),
    "Mutation.issueIndexCertificate": (Permission.PAPERS_ISSUE,),
    "Mutation.issueLeakDossier": (Permission.PAPERS_ISSUE, Permission.ALERTS_READ),
    "Mutation.openIssuedPaper": (Permission.PAPERS_ISSUE,),
    "Mutation.decideDwellingRequest": (Permission.DWELLING_REQUESTS_DECIDE,),
    "Mutation.recordMoveIn": (Permission.OCCUPANCIES_RECORD,),
    "Mutation.recordMoveOut": (Permission.OCCUPANCIES_RECORD,),
    "Mutation.recordPaperConsent": (Permission.CONSENT_RECORD,),
    "Mutation.inviteResidents": (Permission.RESIDENTS_INVITE,),
    "Mutation.makeFlyer": (Permission.MANAGED_RESIDENCES_READ,),
    "Mutation.makeCertificates": (Permission.MANAGED_RESIDENCES_READ,),
    "Mutation.makeDocument": (Permission.MANAGED_RESIDENCES_READ,),
    "Mutation.requestDocumentUpload": (Permission.DOCUMENTS_DEPOSIT,),
    "Mutation.printMonthlyNotes": (Permission.NOTES_PRINT,),
    "Mutation.withdrawDocument": (Permission.DOCUMENTS_DEPOSIT, Permission.DOCUMENTS_READ),
    "Mutation.acceptReading": (Permission.READINGS_CORRECT,),
    "Mutation.withdrawReading": (Permission.READINGS_CORRECT,),
    "Mutation.publishResidence": (Permission.RESIDENCES_PUBLISH, Permission.PLACES_READ),
    "Mutation.unpublishResidence": (Permission.RESIDENCES_PUBLISH, Permission.PLACES_READ),
    "Mutation.submitTelegrams": (Permission.TELEGRAMS_SUBMIT,),
}
"""By type and field. Whoever lacks one gets FORBIDDEN, or the state of the session that is in the way."""

NARROWED: Final = "Narrowed"
"""The interface of nouns whose fields are null for whom they are not for."""

_BY_RESOLUTION = {
    Permission.CONSUMPTION_READ_DAILY: "for hours, days and weeks",
    Permission.READINGS_READ: "for hours",
}
BY_ARGUMENT: Final[Mapping[str, Mapping[Permission, str]]] = {
    "Query.node": {
        Permission.PLACES_READ: "for a residence",
        Permission.DWELLINGS_READ: "for a dwelling",
        Permission.METERS_READ: "for a meter",
        Permission.ALERTS_READ: "for an alert, recurring draw or document of a residence",
        Permission.DOCUMENTS_READ: "for a document",
        Permission.DWELLING_REQUESTS_DECIDE: "for a dwelling request",
        Permission.READINGS_CORRECT: "for a doubtful reading",
        Permission.ACCOUNTS_READ: "for an account",
        Permission.DEAD_LETTERS_READ: "for a dead letter",
        Permission.OUTBOX_LIST: "for a message",
        Permission.SESSIONS_WRITE: "for a session",
        Permission.TOKENS_WRITE: "for an access token",
        Permission.EXPORTS_WRITE: "for an archive",
        Permission.GRANTS_WRITE: "for a third party's grant",
        Permission.HOUSEHOLD_WRITE: "for a member of the household",
    },
    **{
        f"Dwelling.{name}": {Permission.MANAGED_DAYS_READ: "for a manager"}
        for name in (
            *("consent", "corrections", "dashboard", "dailyConsumption", "dailySeries"),
            "monthlyConsumption",
        )
    },
    "Meter.readings": {Permission.MANAGED_DAYS_READ: "for a manager"},
    **{
        f"Mutation.{name}": {Permission.MANAGED_DAYS_READ: "for a manager, of days by consent"}
        for name in ("issueIndexCertificate", "issueLeakDossier", "openIssuedPaper")
    },
    "Dwelling.consumption": _BY_RESOLUTION,
    "Meter.consumption": _BY_RESOLUTION,
}
"""What a field needs as well for some arguments, or of a role; the services alone check it."""

FOR_ALL: Final = frozenset(
    {
        *("Query.viewer", "Query.operators", "Query.node", "Query.thirdPartyAccess"),
        *("Mutation.signIn", "Mutation.signOut", "Mutation.requestPasswordReset", "Mutation.resetPassword"),
        "Mutation.acceptHouseholdInvitation",
        *("Mutation.startRegistration", "Mutation.resumeRegistration", "Mutation.answerRegistration"),
        *("Mutation.rejectRegistrationDwelling", "Mutation.goBackInRegistration"),
        *("Mutation.resendRegistrationSecret", "Mutation.correctRegistrationEmail"),
        *("Mutation.cancelRegistration", "Mutation.checkPassword", "Mutation.contactSupport"),
    }
)
"""The fields of the roots that need no permission of their own; `viewer` needs a token."""

_OWN_ERRORS: Final[Mapping[str, tuple[str, ...]]] = {
    "Dwelling.indexStatement": ("FORBIDDEN_PERIOD",),
    **{
        f"Mutation.{name}": ("CONSENT_REQUIRED",)
        for name in ("issueIndexCertificate", "issueLeakDossier", "openIssuedPaper")
    },
    **{f"Analysis.{name}": ("NOT_FOUND",) for name in ("completeness", "consumption", "leaks", "meters")},
}
_HARMLESS: Final = frozenset({"fluid", "language", "order", "resolution", "status", "radioAddress"})
"""Arguments of which no value is refused by a resolver."""


def guard(schema: GraphQLSchema) -> None:
    """Make each field of the table check its permissions, and say so in its description.

    Raises:
        ValueError: the table names a field that the schema does not have.
    """
    unknown = set(PERMISSIONS)
    for kind in schema.type_map.values():
        if not is_object_type(kind) or kind.name.startswith("__"):
            continue
        for name, field in kind.fields.items():
            key = f"{kind.name}.{name}"
            needed = PERMISSIONS.get(key, ())
            if needed:
                unknown.discard(key)
                assert field.resolve is not None
                is_narrowed = NARROWED in {interface.name for interface in kind.interfaces}
                guard = _guard(needed, narrowed=is_narrowed)
                field.resolve = _guarded(field.resolve, guard)
                set_guard(field, guard)
                narrowing.PERMISSIONS[key] = needed
            notes = _notes(kind, name, field)
            if notes:
                field.description = " ".join([field.description or "", *notes]).strip()
    if unknown:
        raise ValueError(f"The schema has no {', '.join(sorted(unknown))}.")


def errors_of(kind: GraphQLObjectType, name: str, field: GraphQLField) -> list[str]:
    """The codes that the field itself may answer as errors, beside those of its permission."""
    found = list(_OWN_ERRORS.get(f"{kind.name}.{name}", ()))
    if kind.name != "Mutation":  # whose refusals are data, by their types
        if set(field.args) - _HARMLESS:
            found.append("INVALID_INPUT")
        if any(str(get_named_type(argument.type)) == "ID" for argument in field.args.values()):
            found.append("NOT_FOUND")
    return sorted(found)


def _notes(kind: GraphQLObjectType, name: str, field: GraphQLField) -> list[str]:
    """What the description says of permission, cost and errors."""
    notes = []
    key = f"{kind.name}.{name}"
    always = ", ".join(f"`{permission}`" for permission in PERMISSIONS.get(key, ()))
    further = [f"{when} `{permission}`" for permission, when in BY_ARGUMENT.get(key, {}).items()]
    if always or further:
        notes.append(f"Permission: {'; '.join(part for part in (always, *further) if part)}.")
    charge = charge_of_items(kind, name, field)
    if charge:
        notes.append(f"Cost: what is selected, times {charge}.")
    errors = errors_of(kind, name, field)
    if errors:
        notes.append(f"Errors: {', '.join(f'`{code}`' for code in errors)}.")
    return notes


def _guard(needed: tuple[Permission, ...], *, narrowed: bool) -> Guard:
    """Checks permissions; of a narrowed noun those that a role lacks make the field null instead."""

    def require(viewer: Viewer) -> None:
        for permission in needed:
            lacks = permission not in PERMISSIONS_OF[viewer.role]
            if not narrowed or not lacks or viewer.role is Role.THIRD_PARTY:
                viewer.require(permission)

    return require


def _guarded(resolve: GraphQLFieldResolver, guard: Guard) -> GraphQLFieldResolver:
    """Ask the guard first."""

    def checked(source: Any, info: Any, /, **arguments: Any) -> Any:
        context: Context = info.context
        viewer = context.known_viewer
        if viewer is None:
            return later(context, lambda: resolve(source, info, **arguments))
        guard(viewer)
        return resolve(source, info, **arguments)

    async def later(context: Context, resolved: Callable[[], Any]) -> Any:
        """The same where the viewer has to be looked up first."""
        guard(await context.viewer())
        answer = resolved()
        return await answer if hasattr(answer, "__await__") else answer

    return checked

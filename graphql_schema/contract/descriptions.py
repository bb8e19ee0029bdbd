"""The descriptions of what means the same wherever it occurs: written once, by its name.

In: the schema. Out: the same, with a description for each type, field, argument and input field that has
none of its own. The one rule: a name means one thing; if it does not, the type says so itself, or
`Type.name` is here. `tests/graphql/test_style.py` holds that nothing is left without one.
"""

from collections.abc import Mapping
from typing import Any, Final

from graphql import GraphQLSchema, GraphQLUnionType, get_named_type, is_non_null_type, is_union_type

TYPES: Final[Mapping[str, str]] = {
    "Query": "What can be read. A field that needs a permission names it; whoever lacks it gets FORBIDDEN.",
    "Mutation": "What can be changed, one after the other. Each answers a union of its result and its "
    "refusals; null only with an error of its own, which leaves the answers of the others.",
    "Date": "A civil day, ISO 8601: `2026-11-22`. In code: `string` (TypeScript), `datetime.date` (Python), "
    "`LocalDate` (Java, Kotlin).",
    "DateTime": "A moment with its UTC offset, ISO 8601: `2026-11-22T09:30:00+01:00`. In code: `string` "
    "(TypeScript), `datetime.datetime` (Python), `OffsetDateTime` (Java, Kotlin).",
    "Decimal": "An exact number, as a text with a decimal point: `13.280`. In code: `string` (TypeScript, "
    "whose `number` would round), `decimal.Decimal` (Python), `BigDecimal` (Java, Kotlin).",
    "Base64": "Bytes as text (RFC 4648 §4). In code: `string` (TypeScript), `bytes` (Python), `ByteArray` "
    "(Kotlin).",
    "SignInInput": "The credentials of an account.",
    "NewPasswordInput": "A new password, twice.",
    "GrantThirdPartyAccessInput": "A provider, and what it may read until when.",
    "AcceptHouseholdInvitationInput": "The token of an invitation, and a password.",
    "OccupancyInput": "The form `occupancy`.",
    "SiteCodeInput": "The form `siteCode`.",
    "AddressInput": "The form `address`.",
    "ResidenceInput": "The form `residence`.",
    "BuildingCodeInput": "The form `buildingCode`.",
    "SerialInput": "The form `serial`.",
    "LotNumberInput": "The form `lotNumber`.",
    "DwellingReferenceInput": "The form `dwellingReference`.",
    "AttestationInput": "The form `attestation`.",
    "ProfileInput": "The form `profile`.",
    "OptionsInput": "The form `options`.",
    "PersonalDataInput": "The form `personalData`.",
    "VerificationInput": "The form `verification`.",
    "AcknowledgeAlertInput": "An alert that somebody is dealing with.",
    "ReportRepairInput": "A leak that was repaired.",
    "DismissAlertInput": "An alert that is none, and why.",
    "AnswerRecurringDrawInput": "A recurring draw, and whose it is.",
    "DecideDwellingRequestInput": "A dwelling request, and the decision.",
    "AcceptReadingInput": "A doubtful reading that counts from now on.",
    "WithdrawReadingInput": "A reading that is false.",
}

NAMES: Final[Mapping[str, str]] = {
    "id": "The global id: opaque, and unique across all types.",
    # pages
    "edges": "The items of the page, each with its cursor.",
    "pageInfo": "Where the page ends, and whether more follow.",
    "totalCount": "How many items all pages have together.",
    "cursor": "The item's place, to be sent as `after`.",
    "node": "The item.",
    "first": "How many items at most, 1 to 200.",
    "after": "The cursor of the last item of the page before; null for the first page.",
    # arguments
    "input": "What to do, as one object.",
    "language": "The language of the texts; by default the reader's.",
    "from": "The first one, included.",
    "to": "The last one, included.",
    "until": "A day of the last value, which is a whole one; by default today.",
    "comparedWith": "The other period.",
    "last": "How many values, counted back from the end.",
    "order": "The order of time.",
    "filter": "Which ones; by default all.",
    "orderBy": "The order; by default by code.",
    "token": "The token that the link, or the first answer, has.",
    # people
    "email": "The e-mail address.",
    "phone": "The phone number, as people write it or in E.164 format.",
    "firstName": "The first name.",
    "lastName": "The last name.",
    "civility": "The form of address; null if it is not known.",
    "password": "The password of the account.",
    "newPassword": "The new password.",
    "passwordConfirmation": "The password again.",
    "code": "The code, as it was received or is printed.",
    # places
    "residence": "The building, or the buildings under one site code.",
    "residenceCode": "The site code of the residence: `AA000`.",
    "dwelling": "The dwelling.",
    "dwellingNumber": "The number of the dwelling within the residence.",
    "place": "The dwelling: building, staircase, floor and number, `A · 1 · 2 · 12`.",
    "building": "The building; blank if the residence has one.",
    "staircase": "The staircase; blank if there is one.",
    "floor": "The floor, as the operator writes it.",
    "number": "The number or name of the dwelling on its floor.",
    "lot": "The lot number of the co-ownership; null if it is not known.",
    "managerReference": "The manager's own reference; null if there is none.",
    "street": "The street, with the number.",
    "postcode": "The postcode.",
    "city": "The city.",
    "operatorName": "The name of the metering company.",
    "occupancy": "Tenure: as what somebody has the dwelling.",
    "moveIn": "The first day in the dwelling.",
    "lastDay": "The last day in the dwelling.",
    # meters
    "fluid": "What is metered.",
    "serial": "The serial number as printed on the meter.",
    "meterSerial": "The serial number as printed on the meter; null if it is not about a single meter.",
    "printedSerial": "The serial number as printed on the meter.",
    "radioAddress": "The meter's radio address: MMM-IIIIIIII-VV-TT.",
    "location": "Where the meter hangs; blank if it is not known.",
    "installedOn": "The day on which the meter was installed.",
    "index": "What the register shows.",
    "readAt": "The time of the reading.",
    "receivedAt": "When the reading was received and stored.",
    "evidence": "What proved the telegram whole.",
    "doubt": "Why it does not count.",
    # consumption
    "unit": "The unit of the amounts.",
    "smallestUnit": "The unit of `smallest`.",
    "amount": "The amount; null if there is no data.",
    "quality": "The quality of the amount; null if there is no data.",
    "day": "The civil day, in the residence's time zone.",
    "month": "The calendar month, in the residence's time zone.",
    "daysWithData": "How many days of the month have data.",
    "period": "A day, a month, or a month's goal.",
    "resolution": "How long one value lasts.",
    # alerts
    "kind": "Which kind it is.",
    "status": "Its status now.",
    "workflow": "The status, and what was done.",
    "startedOn": "The first day.",
    "endedOn": "The first day after it; null while it lasts.",
    "party": "Who did it.",
    "doneAt": "When it was done.",
    "note": "What the person wrote about it; blank if nothing.",
    "reason": "Why.",
    "draws": "How often it was seen.",
    "firstOn": "The first day on which it was seen.",
    "lastOn": "The last day on which it was seen.",
    "answer": "The answer; null until there is one.",
    "answeredBy": "Who answered; null until somebody has.",
    "answeredAt": "When it was answered; null until it is.",
    "contested": "Whether somebody else has the dwelling.",
    "approved": "Whether the request was approved.",
    # records
    "state": "What must be done before data can be read; READY if nothing.",
    "createdAt": "When it was made.",
    "verificationCode": "The code of the file: whoever gets it can have it verified.",
    "verificationUrl": "The page that confirms the code, and compares the hash of a file.",
    "openedAt": "When it was made.",
    "expiresAt": "When it becomes invalid.",
    "name": "The name.",
    "scopes": "What the token may read.",
    "count": "How many.",
    "operator": "The code of the metering company.",
    "version": "The version.",
    "url": "The address of the page.",
    "topic": "What it is about.",
    "byEmail": "Whether by e-mail.",
    "bySms": "Whether by SMS.",
    "wished": "Whether it is wished.",
    "granted": "Whether the consent is given.",
    "step": "The current step.",
    "steps": "The steps that belong to it.",
    "done": "Whether it is behind.",
    "current": "Whether it is the one in progress.",
    "required": "Whether it must be filled in.",
    "value": "The value to send.",
    "example": "How a value looks; null if that is clear.",
    "pattern": "A regular expression that a value matches; null if there is none.",
    "known": "Whether the value is known; false for «Non renseigné».",
    "key": "The key of the text.",
    "contact": "Whom to turn to.",
    "format": "The file format.",
    # statistics
    "grouping": "What the classes are of.",
    "measuredPercent": "The share of days that were read, in percent.",
    "estimatedPercent": "The share of days that were estimated between readings, in percent.",
    "partialPercent": "The share of days that were read in part, in percent.",
    "missingPercent": "The share of days without any reading, in percent.",
}

NULL_IF: Final[Mapping[str, str]] = {
    "Alert": "Null if it is not known, or does not apply.",
    "DoubtfulReading": "Null if there is none.",
    "FluidDashboard": "Null if there is no data.",
    "PageInfo": "Null on an empty page.",
}
"""What the fields of a type have in common that may be null and do not say when."""

FIELDS: Final[Mapping[str, str]] = {
    "Consent.answer": "The answer; UNANSWERED until there is one.",
    "ConsumptionLimit.amount": "The day or month is notified if it exceeds this.",
    "IndexLine.index": "What the register showed last; null if there was no reading by then.",
    "RecurringDraw.meterSerial": "The serial number as printed on the meter.",
    "SlowLeakHint.meterSerial": "The serial number as printed on the meter.",
    "RecurringDrawAnswered.answer": "The answer that was recorded.",
    "AnswerRecurringDrawInput.answer": "Whose the draw is.",
    "LotNumberInput.lot": "The lot number of the co-ownership.",
    "Viewer.id": "The global id of the account.",
    "Account.role": "The role, which decides what the account may do.",
    "Query.deadLetters.filter": "Which ones; by default all, those used since included.",
    "Mutation.publishResidence.residence": "The id of the residence.",
    "Mutation.publishResidence.withoutData": "Publish it although residents would find no data.",
    "Mutation.unpublishResidence.residence": "The id of the residence.",
    "ResidencePublished.residence": "The residence as it is now.",
    "ResidenceUnpublished.residence": "The residence as it is now.",
    "Query.meters.orderBy": "The order; by default by place.",
    "Residence.code": "The site code that residents register with: `AA000`.",
    "Operator.code": "The code of the metering company, for `operator` arguments.",
    "Operator.portalName": "The name of its portal, in messages and titles.",
    "Operator.portalUrl": "The address of its portal.",
    "Operator.registrationUrl": "The address of its registration page.",
    "Operator.activation": "How applicants prove control of the mailbox.",
    "Operator.allowNonOccupantOwner": "Whether owners who live elsewhere may register.",
    "AccessLogEntry.looker": "Who looked.",
    "AccessLogEntry.lookedAt": "What was looked at.",
    "DataExport.requestedAt": "When it was asked for.",
    "HouseholdMember.invitedAt": "When the invitation was sent.",
    "PurposeConsent.consentPurpose": "What is agreed to.",
    "PurposeConsent.answer": "The present answer.",
    "ConsentLogEntry.consentPurpose": "What was answered.",
    "ConsentLogEntry.recordedAt": "When it was answered.",
    "DataExportRequested.dataExport": "The archive.",
    "ThirdPartyAccessGranted.grant": "What was granted.",
    "ThirdPartyAccessRevoked.grant": "What was ended.",
    "GrantThirdPartyAccessInput.fluids": "The fluids that may be read; at least one.",
    "HouseholdMemberInvited.member": "Who was invited.",
    "Operator.privacyNotice": "The notice on personal data.",
    "Contact.phone": "The phone number, as people dial it.",
    "Contact.address": "The postal address.",
    "Contact.website": "The address of the website.",
    "IndexStatementFile.name": "The name to save the file under.",
    "IndexStatementFile.mediaType": "The media type: `text/csv`.",
    "IndexStatementFile.content": "The bytes of the file.",
    "IndexStatementFile.statement": "The same statement as data.",
    "IndexLine.readAt": "The time of that reading; null if there is none.",
    "DwellingRequest.name": "First and last name of the applicant.",
    "DwellingRequest.dwelling": "The dwelling asked for: building, staircase, floor and number.",
    "SecondFactorEnrolled.signedIn": "The session, with its new token.",
    "SecondFactorRemoved.removed": "Always true.",
    "RegistrationCancelled.cancelled": "Always true.",
    "AccessTokenIssued.accessToken": "The token's record, as `viewer.accessTokens` lists it.",
    "ConsentAnswered.consent": "The consent as it is now.",
    "PaperConsentRecorded.consent": "The consent as it is now.",
    "Residence.notes.month": "The month; by default the last one that is over.",
    "MonthlyNotes.notes.delivery": "What became of the notes; by default all are listed.",
    "Mutation.withdrawDocument.document": "The document, one that was deposited.",
    "Mutation.makeDocument.document": "The document, one of `Residence.documents`.",
    "PasswordCheck.accepted": "Whether every criterion is met.",
    "Registration.screen": "The text to show at this step; null if its forms are all.",
    "RegistrationForm.name": "The form's key in `RegistrationAnswer`.",
    "RegistrationField.name": "The field's key in the form.",
    "RegistrationField.kind": "The input control.",
    "TelegramsSubmitted.stored": "How many readings were stored.",
    "TelegramsSubmitted.duplicates": "How many lines were stored before.",
    "DoubtfulReading.status": "What became of it.",
    "SessionsEnded.count": "How many sessions were ended.",
    "PasswordResetRequested.email": "The address, as it was sent.",
    "Mutation.createAccessToken.days": "Its lifetime in days, 1 to 730; null: valid until it is revoked.",
    "Mutation.createAccessToken.name": "What the owner calls it.",
    "Mutation.contactSupport.question": "The question, up to 2,000 characters.",
    "Mutation.submitTelegrams.lines": "The lines, as the gateway writes them.",
    "Mutation.submitTelegrams.source": "Where they come from, up to 200 characters; by default the gateway.",
    "Mutation.answerRegistration.answer": "The form that was filled in.",
    "Mutation.requestEmailChange.email": "The new e-mail address.",
    "SerialInput.device": "Which of the devices offered it is printed on; null if any.",
    "AttestationInput.attested": "«J'atteste que ce logement est le mien.»",
    "VerificationInput.verificationCode": "The six digits of the e-mail.",
    "DwellingReferenceInput.reference": "The reference of the dwelling on the operator's letters.",
    "LotNumberInput.serial": "The serial number of a device; null if it was not asked for.",
    "DwellingReferenceInput.serial": "The serial number of a device; null if it was not asked for.",
    "ProfileInput.councilMember": "Whether the applicant is a member of the owners' council.",
    "OptionsInput.leakByEmail": "Whether to be notified of leaks by e-mail.",
    "OptionsInput.leakBySms": "Whether to be notified of leaks by SMS.",
    "OptionsInput.overConsumptionByEmail": "Whether to be notified of over-consumption by e-mail.",
    "PersonalDataInput.privacyAcknowledged": "Whether the privacy notice was read.",
    "PersonalDataInput.newsletter": "Whether the operator's newsletter is wished.",
    **{
        f"RegistrationAnswer.{form}": "Filled in, if it is this form."
        for form in (
            *("occupancy", "siteCode", "address", "residence", "buildingCode", "serial", "lotNumber"),
            *("dwellingReference", "attestation", "profile", "options", "personalData", "verification"),
        )
    },
}


def describe(schema: GraphQLSchema) -> None:
    """Give a description to everything that has none, if there is one for its name."""
    for union, names in _mutations_by_result(schema).items():
        answered = ", ".join(f"`{name}`" for name in names)
        union.description = f"The result of {answered}, or why it was refused."
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        kind.description = TYPES.get(kind.name, kind.description)
        for name, field in getattr(kind, "fields", {}).items():
            path = f"{kind.name}.{name}"
            _describe(field, path, name)
            if kind.name in NULL_IF and not is_non_null_type(field.type) and "ull" not in field.description:
                field.description = f"{field.description} {NULL_IF[kind.name]}"
            for argument_name, argument in getattr(field, "args", {}).items():
                _describe(argument, f"{path}.{argument_name}", argument_name)


def _mutations_by_result(schema: GraphQLSchema) -> dict[GraphQLUnionType, list[str]]:
    found: dict[GraphQLUnionType, list[str]] = {}
    mutation = schema.mutation_type
    for name, field in mutation.fields.items() if mutation else ():
        union = get_named_type(field.type)
        if is_union_type(union):
            found.setdefault(union, []).append(name)
    return found


def _describe(element: Any, path: str, name: str) -> None:
    if not element.description:
        element.description = FIELDS.get(path) or NAMES.get(name)

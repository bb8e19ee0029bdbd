"""Registration, from the first question to the account: looks up what an answer names, and lets the pure
machine decide.

In: an opaque token and an answer. Out: the registration's step and what has to be sent next. The one rule:
an answer is accepted as a whole or not at all; after a refusal the registration is unchanged.
"""

from dataclasses import replace
from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Visitor
from core.access.codes import make_token, token_hash
from core.bootstrap import Application
from core.errors import NotFound
from core.language import Language
from core.models import Operator, Registration
from core.operators import OperatorProfile, Path, Step
from core.registration import machine
from core.registration.answers import (
    AddressAnswer,
    Answer,
    CodeAnswer,
    OccupancyAnswer,
    ReferenceAnswer,
    ResidenceAnswer,
    SerialAnswer,
    VerificationAnswer,
    form_of,
)
from core.registration.draft import Draft
from core.registration.forms import FormName
from core.registration.machine import Attestation, Options, PersonalData, ProfileAnswer
from core.registration.refusals import RefusalCode, RegistrationRefused, refused
from core.services.occupancy.occupancies import is_taken
from core.services.registration import identification as find
from core.services.registration.activation import take_personal_data, verify
from core.services.registration.messages import forget_account_messages
from core.services.registration.rate_limits import (
    count_answer,
    count_home,
    count_residence,
    count_start,
    only_misses_count,
)
from core.services.registration.storage import (
    RegistrationView,
    draft_of,
    dwelling_of,
    open_registration,
    store,
    today_of,
    view_of,
)
from core.services.shared.audit import Subject, record
from core.services.shared.transaction import transactional

TOKEN_PREFIX = "smr_"  # noqa: S105 - what a token begins with
_REFERENCE_PATHS = {
    FormName.LOT_NUMBER: Path.LOT_NUMBER,
    FormName.DWELLING_REFERENCE: Path.DWELLING_REFERENCE,
}


async def start(
    application: Application, operator_code: str, *, language: Language, visitor: Visitor, now: datetime
) -> RegistrationView:
    """Begin a registration with an operator.

    Raises:
        NotFound: there is no such operator, or it has no sign-up.
        RateLimited: too many from this address.
    """
    await count_start(application, visitor, now=now)
    profile = application.registry.profile(operator_code)
    operator = await Operator.get_or_none(code=operator_code) if profile is not None else None
    if profile is None or operator is None:
        raise NotFound("No such operator.", field="operator")
    token = make_token(TOKEN_PREFIX)
    row = await Registration.create(
        operator_id=operator.id,
        token_hash=token_hash(token),
        language=language.value,
        created_at=now,
        expires_at=now + profile.registration_lifetime,
        step=machine.begin(profile).step,
    )
    await record(
        Act.REGISTRATION_STARTED, Subject("registration", row.id), None, visitor, now, operator=operator_code
    )
    return replace(await view_of(profile, row), token=token)


async def resume(application: Application, token: str, *, now: datetime) -> RegistrationView:
    """The present step of a registration.

    Raises:
        RegistrationRefused: REGISTRATION_EXPIRED.
    """
    row, profile = await open_registration(application, token, now)
    return await view_of(profile, row)


async def answer(
    application: Application, token: str, given: Answer, *, visitor: Visitor, now: datetime
) -> RegistrationView:
    """Answer the step.

    Raises:
        RegistrationRefused: the answer is not accepted; nothing has changed.
        RateLimited: too many guesses.
    """
    row, profile = await open_registration(application, token, now)
    try:
        return await _answered(application, profile, row, given, visitor=visitor, now=now)
    except RegistrationRefused as failure:
        failure.profile = profile
        raise


async def _answered(
    application: Application,
    profile: OperatorProfile,
    row: Registration,
    given: Answer,
    *,
    visitor: Visitor,
    now: datetime,
) -> RegistrationView:
    before = draft_of(row)
    machine.check_offered(profile, before, form_of(given))
    await count_answer(application, row, given, visitor, now=now)
    match given:
        case AddressAnswer():
            async with only_misses_count(application, row, given, visitor, now=now):
                found = await find.residences_at(row.operator, given.postcode, given.street, now=now)
            await count_residence(application, visitor, now=now)
            return replace(await view_of(profile, row), candidates=tuple(found))
        case PersonalData():
            return await take_personal_data(application, profile, row, given, visitor=visitor, now=now)
        case VerificationAnswer():
            return await verify(application, profile, row, given, visitor=visitor, now=now)
        case _:
            after = await _step(application, profile, row, before, given, visitor=visitor, now=now)
            return await _changed(profile, row, before, after)


async def reject_dwelling(application: Application, token: str, *, now: datetime) -> RegistrationView:
    """«Ce n'est pas mon logement»: back to the search.

    Raises:
        RegistrationRefused: there is no dwelling to confirm, or REGISTRATION_EXPIRED.
    """
    row, profile = await open_registration(application, token, now)
    before = draft_of(row)
    return await _changed(profile, row, before, machine.reject_dwelling(profile, before))


async def go_back(application: Application, token: str, *, now: datetime) -> RegistrationView:
    """The step before.

    Raises:
        RegistrationRefused: the account is being made, or REGISTRATION_EXPIRED.
    """
    row, profile = await open_registration(application, token, now)
    before = draft_of(row)
    return await _changed(profile, row, before, machine.go_back(profile, before))


@transactional
async def cancel(connection: TransactionalDBClient, token: str, *, visitor: Visitor, now: datetime) -> None:
    """«ANNULER MA DEMANDE» (R-029): everything that was entered is deleted, with the messages to the
    address given, sent or not (C-37). Repeating it changes nothing.
    """
    mine = Registration.filter(token_hash=token_hash(token)).using_db(connection)
    row = await mine.select_for_update().get_or_none()
    if row is None:
        return
    await forget_account_messages(connection, [row])
    await row.delete(using_db=connection)
    subject = Subject("registration", row.id)
    await record(Act.REGISTRATION_CANCELLED, subject, None, visitor, now, connection)


async def _step(
    application: Application,
    profile: OperatorProfile,
    row: Registration,
    draft: Draft,
    given: Answer,
    *,
    visitor: Visitor,
    now: datetime,
) -> Draft:
    """The draft after an answer that sends no message."""
    operator, registry = row.operator, application.registry
    match given:
        case OccupancyAnswer(kind=kind):
            return machine.choose_occupancy(profile, draft, kind)
        case CodeAnswer() | ResidenceAnswer():
            async with only_misses_count(application, row, given, visitor, now=now):
                residence_id = await _residence(operator, profile, given, now=now)
            await count_residence(application, visitor, now=now)
            return machine.found_residence(profile, draft, residence_id)
        case SerialAnswer():
            within = draft.residence_id if draft.step is Step.DWELLING else None
            async with only_misses_count(application, row, given, visitor, now=now):
                found = await find.dwelling_by_serial(
                    registry, operator, profile, given, residence_id=within, now=now
                )
            await count_home(application, row, given, found.dwelling_id, visitor, now=now)
            return _found(profile, draft, found, Path.SERIAL)
        case ReferenceAnswer(form=form):
            assert draft.residence_id is not None
            async with only_misses_count(application, row, given, visitor, now=now):
                found = await find.dwelling_by_reference(
                    registry,
                    operator,
                    profile,
                    residence_id=draft.residence_id,
                    reference=given.reference,
                    path=_REFERENCE_PATHS[form],
                    serial=given.serial,
                    now=now,
                )
            await count_home(application, row, given, found.dwelling_id, visitor, now=now)
            return _found(profile, draft, found, _REFERENCE_PATHS[form])
        case Attestation():
            today = await today_of(draft, now)
            taken = profile.one_account_per_dwelling and await is_taken(
                dwelling_of(draft), draft.kind, today=today
            )
            return machine.attest(profile, draft, given, taken=taken, now=now, today=today)
        case ProfileAnswer():
            return machine.report_profile(profile, draft, given, today=await today_of(draft, now))
        case Options():
            return machine.choose_options(profile, draft, given)
        case _:
            raise refused(RefusalCode.FORM_NOT_OFFERED)


async def _residence(
    operator: Operator, profile: OperatorProfile, given: CodeAnswer | ResidenceAnswer, *, now: datetime
) -> int:
    if isinstance(given, CodeAnswer):
        return await find.residence_by_code(operator, profile, given.code, now=now)
    return await find.residence_by_choice(operator, given.residence_id, now=now)


def _found(profile: OperatorProfile, draft: Draft, found: find.Identified, path: Path) -> Draft:
    return machine.found_dwelling(
        profile,
        draft,
        residence_id=found.residence_id,
        dwelling_id=found.dwelling_id,
        path=path,
        proven=found.proven,
    )


async def _changed(
    profile: OperatorProfile, row: Registration, before: Draft, after: Draft
) -> RegistrationView:
    await store(row, before, after)
    return await view_of(profile, row)

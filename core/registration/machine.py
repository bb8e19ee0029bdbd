"""The steps of a registration: a draft, an answer, the next draft. Both operators' journeys are this one
machine.

In: the operator's profile, the draft, an answer that the services have looked up where it names something.
Out: the next draft, or `RegistrationRefused`, which leaves the draft as it was. The one rule: a step is
answered by a form it offers and by nothing else, so no check is skipped by sending answers in another order
(R-021, R-046, R-048, R-049).
"""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from core.access.passwords import OwnData, check_password, failed
from core.operators import ActivationMode, Asking, OccupancyKind, OperatorProfile, Path, Step
from core.registration.draft import Civility, CouncilMember, Draft
from core.registration.forms import FormName, form_names
from core.registration.phones import is_mobile, to_e164
from core.registration.refusals import Refusal, RefusalCode, RegistrationRefused, refused

LONGEST_NAME = 80
LONGEST_EMAIL = 254
"""Characters (RFC 5321 §4.5.3.1.3, less the brackets)."""

LONGEST_OCCUPANCY_YEARS = 110
"""Nobody has lived anywhere for longer: an earlier day is a form's default or a slip."""
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@.\x00-\x1f\x7f]+(?:\.[^\s@.\x00-\x1f\x7f]+)+")


@dataclass(frozen=True, slots=True)
class Attestation:
    """What somebody declares about the dwelling that was found."""

    attested: bool = False
    contested: bool = False
    move_in: date | None = None


@dataclass(frozen=True, slots=True)
class ProfileAnswer:
    """Who somebody is in the building (R-189 to R-191)."""

    kind: OccupancyKind | None = None
    move_in: date | None = None
    council_member: CouncilMember | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What was ticked; `manager_daily_data` None: the question was not answered (C-16)."""

    leak_by_email: bool = False
    leak_by_sms: bool = False
    over_consumption_by_email: bool = False
    manager_daily_data: bool | None = None


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Name, address and secret, as they were typed."""

    last_name: str = field(default="", repr=False)
    first_name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    civility: Civility | None = None
    phone: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    password_confirmation: str | None = field(default=None, repr=False)
    privacy_acknowledged: bool = False
    newsletter: bool = False


def begin(profile: OperatorProfile) -> Draft:
    """An empty registration."""
    return Draft(step=profile.steps[0])


def check_offered(profile: OperatorProfile, draft: Draft, form: FormName) -> None:
    """Refuse a form that the step does not offer.

    Raises:
        RegistrationRefused: FORM_NOT_OFFERED.
    """
    if form not in form_names(profile, draft):
        raise refused(RefusalCode.FORM_NOT_OFFERED)


def choose_occupancy(profile: OperatorProfile, draft: Draft, kind: OccupancyKind | None) -> Draft:
    """R-030: the tenure of the dwelling is the first question, where the operator asks it first."""
    return _on(profile, replace(draft, kind=_allowed(profile, kind)))


def found_residence(profile: OperatorProfile, draft: Draft, residence_id: int) -> Draft:
    """The residence is identified; its dwellings may be asked for (R-037, R-046)."""
    return _on(
        profile,
        replace(
            draft, residence_id=residence_id, dwelling_id=None, path=None, proven=False, asked_within=True
        ),
    )


def found_dwelling(
    profile: OperatorProfile,
    draft: Draft,
    *,
    residence_id: int,
    dwelling_id: int,
    path: Path,
    proven: bool,
) -> Draft:
    """The dwelling is identified, and with it the residence (R-047, R-148).

    Args:
        profile: whose journey.
        draft: before.
        residence_id: of the dwelling.
        dwelling_id: what was found.
        path: by which form.
        proven: whether a serial of one of its meters was known.
    """
    found = replace(draft, residence_id=residence_id, dwelling_id=dwelling_id, path=path, proven=proven)
    return _on(profile, replace(found, asked_within=draft.step is Step.DWELLING))


def attest(
    profile: OperatorProfile, draft: Draft, answer: Attestation, *, taken: bool, now: datetime, today: date
) -> Draft:
    """The person confirms on their honour that the dwelling is theirs (R-048, R-185).

    Args:
        profile: whose journey.
        draft: before.
        answer: what was declared.
        taken: whether the dwelling has its one account already (R-140).
        now: the moment.
        today: the civil day at the residence.

    Raises:
        RegistrationRefused: not confirmed, or taken and not contested.
    """
    if not answer.attested:
        raise refused(RefusalCode.ATTESTATION_REQUIRED, "attested")
    if taken and not answer.contested:
        raise refused(RefusalCode.DWELLING_ALREADY_REGISTERED, "contested")
    move_in = draft.move_in
    if Step.PROFILE not in profile.steps and draft.kind is not OccupancyKind.OWNER_NON_OCCUPANT:
        move_in = _checked_move_in(profile, answer.move_in, today)
    contested = taken and answer.contested
    return _on(profile, replace(draft, attested_at=now, contested=contested, move_in=move_in))


def report_profile(profile: OperatorProfile, draft: Draft, answer: ProfileAnswer, *, today: date) -> Draft:
    """Status, day of moving in, owners' council.

    Raises:
        RegistrationRefused: NON_OCCUPANT_NOT_ALLOWED, MOVE_IN_IN_FUTURE, VALUE_REQUIRED, VALUE_INVALID.
    """
    kind = draft.kind if profile.asks_occupancy_first else _allowed(profile, answer.kind)
    move_in = _checked_move_in(profile, answer.move_in, today)
    return _on(profile, replace(draft, kind=kind, move_in=move_in, council_member=answer.council_member))


def choose_options(profile: OperatorProfile, draft: Draft, options: Options) -> Draft:
    """What is ticked becomes a preference; what is not ticked is off."""
    return _on(
        profile,
        replace(
            draft,
            leak_by_email=options.leak_by_email,
            leak_by_sms=options.leak_by_sms,
            over_consumption_by_email=options.over_consumption_by_email,
            manager_daily_data=options.manager_daily_data,
        ),
    )


def give_personal_data(
    profile: OperatorProfile, draft: Draft, answer: PersonalData, *, own_data: OwnData
) -> Draft:
    """Name, contact and, where it is chosen now, the password, which the caller hashes.

    Args:
        profile: whose journey.
        draft: before.
        answer: as typed.
        own_data: of the dwelling: serials and codes, which no password may hold.

    Raises:
        RegistrationRefused: the first thing that is wrong, in the order of the form.
    """
    last_name, first_name = _name(answer.last_name, "last_name"), _name(answer.first_name, "first_name")
    phone = _phone(answer.phone, sms=draft.leak_by_sms)
    email = checked_email(answer.email)
    if profile.activation is ActivationMode.EMAIL_CODE:
        own = OwnData.of(*own_data.texts, last_name, first_name, email, answer.phone)
        _check_password(profile, answer, own)
    if not answer.privacy_acknowledged:
        raise refused(RefusalCode.PRIVACY_ACK_REQUIRED, "privacy_acknowledged")
    return _on(
        profile,
        replace(
            draft,
            civility=answer.civility,
            last_name=last_name,
            first_name=first_name,
            email=email,
            phone_e164=phone,
            privacy_version=profile.privacy.version,
            newsletter=profile.newsletter and answer.newsletter,
        ),
    )


def correct_email(draft: Draft, email: str) -> Draft:
    """Another address, before the first is proved (R-222).

    Raises:
        RegistrationRefused: FORM_NOT_OFFERED at any other step, EMAIL_INVALID.
    """
    if draft.step not in {Step.VERIFICATION, Step.FIRST_SIGN_IN}:
        raise refused(RefusalCode.FORM_NOT_OFFERED)
    return replace(draft, email=checked_email(email))


def reject_dwelling(profile: OperatorProfile, draft: Draft) -> Draft:
    """«Ce n'est pas mon logement» (R-186): what was found is forgotten, and the search begins again.

    Raises:
        RegistrationRefused: FORM_NOT_OFFERED unless a dwelling is there to be confirmed.
    """
    if draft.step is not Step.ATTESTATION:
        raise refused(RefusalCode.FORM_NOT_OFFERED)
    kept = draft.kind if profile.asks_occupancy_first else None
    return Draft(step=Step.RESIDENCE, kind=kept)


def go_back(profile: OperatorProfile, draft: Draft) -> Draft:
    """The step before (R-153); the first step has none and is unchanged.

    The residence that was found remains: the dwelling is asked for again within it, where it was before.

    Raises:
        RegistrationRefused: FORM_NOT_OFFERED once the account is being made.
    """
    if not form_names(profile, draft) or draft.step is Step.VERIFICATION:
        raise refused(RefusalCode.FORM_NOT_OFFERED)
    steps = profile.steps
    before = steps[max(steps.index(draft.step) - 1, 0)]
    if draft.dwelling_id is not None and draft.step is Step.ATTESTATION:
        if not draft.asked_within:
            return reject_dwelling(profile, draft)
        draft = replace(draft, dwelling_id=None, path=None, proven=False)
    return replace(draft, step=before)


def needs_review(profile: OperatorProfile, draft: Draft) -> bool:
    """Whether a manager decides first: the dwelling is contested, or was found by what can be guessed
    (C-40).
    """
    return draft.contested or (draft.path in profile.review_paths and not draft.proven)


def finished(profile: OperatorProfile, draft: Draft) -> Draft:
    """The account exists: all data that were entered are deleted here."""
    return Draft(step=Step.UNDER_REVIEW if needs_review(profile, draft) else Step.COMPLETE)


def checked_email(text: str) -> str:
    """An e-mail address, trimmed and otherwise as typed: dots and tags count (C-12).

    Raises:
        RegistrationRefused: EMAIL_INVALID.
    """
    email = text.strip()
    compared = unicodedata.normalize("NFC", email).casefold()  # as addresses are compared: ß has become ss
    too_long = max(len(email), len(compared)) > LONGEST_EMAIL
    if too_long or _EMAIL.fullmatch(email) is None or not email.isprintable():
        raise refused(RefusalCode.EMAIL_INVALID, "email")
    return email


def _on(profile: OperatorProfile, draft: Draft) -> Draft:
    """The same draft at the next step of the journey; a dwelling that is known is not asked for again."""
    steps = profile.steps
    following = steps[steps.index(draft.step) + 1]
    if following is Step.DWELLING and draft.dwelling_id is not None:
        following = steps[steps.index(following) + 1]
    return replace(draft, step=following)


def _allowed(profile: OperatorProfile, kind: OccupancyKind | None) -> OccupancyKind:
    if kind is None:
        raise refused(RefusalCode.VALUE_REQUIRED, "kind")
    if kind is OccupancyKind.OWNER_NON_OCCUPANT and not profile.allow_non_occupant_owner:
        raise refused(RefusalCode.NON_OCCUPANT_NOT_ALLOWED, "kind")
    return kind


def _checked_move_in(profile: OperatorProfile, day: date | None, today: date) -> date | None:
    if profile.move_in is Asking.NO:
        return None
    if day is None:
        if profile.move_in is Asking.REQUIRED:
            raise refused(RefusalCode.VALUE_REQUIRED, "move_in")
        return None
    if day > today:
        raise refused(RefusalCode.MOVE_IN_IN_FUTURE, "move_in")
    if today.year - day.year > LONGEST_OCCUPANCY_YEARS:
        raise refused(RefusalCode.VALUE_INVALID, "move_in", hint=profile.text("hint.year"))
    return day


def _name(text: str, name: str) -> str:
    trimmed = " ".join(text.split())
    if not trimmed:
        raise refused(RefusalCode.VALUE_REQUIRED, name)
    if len(trimmed) > LONGEST_NAME or not trimmed.isprintable():
        raise refused(RefusalCode.VALUE_INVALID, name)
    return trimmed


def _phone(text: str | None, *, sms: bool) -> str | None:
    if text is None or not text.strip():
        if sms:
            raise refused(RefusalCode.PHONE_REQUIRED_FOR_SMS, "phone")
        return None
    number = to_e164(text)
    if number is None or (sms and not is_mobile(number)):
        raise refused(RefusalCode.PHONE_INVALID, "phone")
    return number


def _check_password(profile: OperatorProfile, answer: PersonalData, own_data: OwnData) -> None:
    password = answer.password or ""
    criteria = check_password(profile.password_policy, password, own_data)
    if failed(criteria):
        raise RegistrationRefused(Refusal(RefusalCode.PASSWORD_TOO_WEAK, "password", criteria=criteria))
    if answer.password_confirmation is not None and answer.password_confirmation != password:
        raise refused(RefusalCode.PASSWORD_MISMATCH, "password_confirmation")

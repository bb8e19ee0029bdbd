"""core.registration.machine: the steps of both operators' journeys, and what each refuses."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from core.access.passwords import OwnData
from core.operators import Asking, OccupancyKind, OperatorProfile, Path, Step
from core.registration import machine
from core.registration.draft import Draft
from core.registration.forms import FormName, form_names
from core.registration.machine import Attestation, Options, PersonalData, ProfileAnswer
from core.registration.refusals import RefusalCode, RegistrationRefused
from drivers.ista.profile import PROFILE as ISTA
from drivers.ocea.profile import PROFILE as OCEA

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TODAY = NOW.date()
PERSON = PersonalData(
    last_name="Marciale",
    first_name="Marseille",
    email="marcialemars@example.org",
    phone="+33 06 11 54 65 87",
    password="Vierzon&Quimper&Lot7",
    privacy_acknowledged=True,
)
ATTESTED = Attestation(attested=True)
MOVED_IN = ProfileAnswer(kind=OccupancyKind.TENANT, move_in=date(2024, 5, 12))


def _found(profile: OperatorProfile, draft: Draft, path: Path = Path.SERIAL, *, proven: bool = True) -> Draft:
    return machine.found_dwelling(profile, draft, residence_id=1, dwelling_id=2, path=path, proven=proven)


def _attest(
    profile: OperatorProfile, draft: Draft, answer: Attestation = ATTESTED, *, taken: bool = False
) -> Draft:
    return machine.attest(profile, draft, answer, taken=taken, now=NOW, today=TODAY)


def _person(profile: OperatorProfile, draft: Draft, answer: PersonalData = PERSON, *own: str) -> Draft:
    return machine.give_personal_data(profile, draft, answer, own_data=OwnData.of(*own))


def _ocea_at(step: Step) -> Draft:
    draft = machine.begin(OCEA)
    if step is Step.OCCUPANCY:
        return draft
    draft = machine.choose_occupancy(OCEA, draft, OccupancyKind.TENANT)
    if step is Step.RESIDENCE:
        return draft
    draft = machine.found_residence(OCEA, draft, 1)
    if step is Step.DWELLING:
        return draft
    draft = _found(OCEA, draft)
    if step is Step.ATTESTATION:
        return draft
    draft = _attest(OCEA, draft)
    return draft if step is Step.PERSONAL_DATA else _person(OCEA, draft)


def _ista_at(step: Step) -> Draft:
    draft = machine.begin(ISTA)
    if step is Step.RESIDENCE:
        return draft
    if step is Step.DWELLING:
        return machine.found_residence(ISTA, draft, 1)
    draft = _found(ISTA, draft)
    if step is Step.ATTESTATION:
        return draft
    draft = _attest(ISTA, draft)
    if step is Step.PROFILE:
        return draft
    draft = machine.report_profile(ISTA, draft, MOVED_IN, today=TODAY)
    if step is Step.OPTIONS:
        return draft
    draft = machine.choose_options(ISTA, draft, Options())
    return draft if step is Step.PERSONAL_DATA else _person(ISTA, draft)


def _code(refused: pytest.ExceptionInfo[RegistrationRefused]) -> tuple[RefusalCode, str | None]:
    return refused.value.refusal.code, refused.value.refusal.field


@pytest.mark.requirement("R-021", "R-023", "R-046", "R-048", "R-049")
def test_oceas_journey_has_four_stages_in_order() -> None:
    """Occupancy, residence, dwelling, then attestation and personal data; each step opens the next alone."""
    assert len(OCEA.stages) == 4
    walked = [_ocea_at(step).step for step in OCEA.steps]
    assert walked == list(OCEA.steps)
    assert OCEA.steps[-1] is Step.FIRST_SIGN_IN


@pytest.mark.requirement("R-171", "R-173", "R-188", "R-194", "R-200", "R-223")
def test_istas_journey_asks_a_serial_first() -> None:
    """A serial finds residence and dwelling at once; attestation, profile, options, data and code follow."""
    steps = [step for step in ISTA.steps if step is not Step.DWELLING]
    assert [_ista_at(step).step for step in steps] == steps


@pytest.mark.requirement("R-146", "R-162")
def test_istas_fallback_takes_two_steps() -> None:
    """After a building code the dwelling is asked for, by its reference."""
    draft = machine.found_residence(ISTA, machine.begin(ISTA), 1)
    assert draft.step is Step.DWELLING
    assert FormName.DWELLING_REFERENCE in form_names(ISTA, draft)
    assert _found(ISTA, draft, Path.DWELLING_REFERENCE, proven=False).step is Step.ATTESTATION


@pytest.mark.parametrize("profile", [OCEA, ISTA])
@pytest.mark.requirement("R-037", "R-046")
def test_only_the_forms_of_the_step_are_taken(profile: OperatorProfile) -> None:
    """At every step each form that is not offered is refused, so nothing is left out by another order."""
    at = _ocea_at if profile is OCEA else _ista_at
    for step in profile.steps:
        draft = at(step)
        offered = set(form_names(profile, draft))
        for form in FormName:
            if form in offered:
                machine.check_offered(profile, draft, form)
                continue
            with pytest.raises(RegistrationRefused) as refused:
                machine.check_offered(profile, draft, form)
            assert _code(refused) == (RefusalCode.FORM_NOT_OFFERED, None)


@pytest.mark.requirement("C-01", "C-02", "R-030", "R-031", "R-032", "R-130")
def test_who_may_register() -> None:
    """OCEA accepts an owner who lives elsewhere, ista does not; the tenure is required to proceed."""
    owner = machine.choose_occupancy(OCEA, machine.begin(OCEA), OccupancyKind.OWNER_NON_OCCUPANT)
    assert owner.kind is OccupancyKind.OWNER_NON_OCCUPANT
    answer = ProfileAnswer(OccupancyKind.OWNER_NON_OCCUPANT, date(2024, 5, 12))
    with pytest.raises(RegistrationRefused) as refused:
        machine.report_profile(ISTA, _ista_at(Step.PROFILE), answer, today=TODAY)
    assert _code(refused) == (RefusalCode.NON_OCCUPANT_NOT_ALLOWED, "kind")
    with pytest.raises(RegistrationRefused) as refused:
        machine.choose_occupancy(OCEA, machine.begin(OCEA), None)
    assert _code(refused) == (RefusalCode.VALUE_REQUIRED, "kind")
    for kind in (OccupancyKind.TENANT, OccupancyKind.OWNER_OCCUPIER):
        reported = machine.report_profile(
            ISTA, _ista_at(Step.PROFILE), replace(MOVED_IN, kind=kind), today=TODAY
        )
        assert reported.kind is kind


@pytest.mark.parametrize("profile", [OCEA, ISTA])
@pytest.mark.requirement("R-048", "R-185", "R-187")
def test_the_attestation_is_required_to_proceed(profile: OperatorProfile) -> None:
    """Without it the step does not change; with it the moment is recorded."""
    draft = (_ocea_at if profile is OCEA else _ista_at)(Step.ATTESTATION)
    with pytest.raises(RegistrationRefused) as refused:
        _attest(profile, draft, Attestation(attested=False))
    assert _code(refused) == (RefusalCode.ATTESTATION_REQUIRED, "attested")
    assert _attest(profile, draft).attested_at == NOW


@pytest.mark.requirement("R-140", "C-12")
def test_a_taken_dwelling_is_refused_unless_contested() -> None:
    """A dwelling that has an account is refused, unless it is contested; then a manager decides."""
    draft = _ista_at(Step.ATTESTATION)
    with pytest.raises(RegistrationRefused) as refused:
        _attest(ISTA, draft, taken=True)
    assert _code(refused) == (RefusalCode.DWELLING_ALREADY_REGISTERED, "contested")
    contested = _attest(ISTA, draft, Attestation(attested=True, contested=True), taken=True)
    assert machine.needs_review(ISTA, contested)
    free = _attest(ISTA, draft, Attestation(attested=True, contested=True), taken=False)
    assert not machine.needs_review(ISTA, free)


@pytest.mark.requirement("C-40")
def test_a_reference_that_can_be_guessed_is_reviewed() -> None:
    """A lot number or dwelling reference alone leads to a review; together with a serial it does not."""
    for path in (Path.LOT_NUMBER, Path.DWELLING_REFERENCE):
        guessed = _found(OCEA, _ocea_at(Step.DWELLING), path, proven=False)
        assert machine.needs_review(OCEA, guessed)
        assert machine.finished(OCEA, guessed) == Draft(step=Step.UNDER_REVIEW)
        assert not machine.needs_review(OCEA, replace(guessed, proven=True))
    assert machine.finished(OCEA, _ocea_at(Step.PERSONAL_DATA)) == Draft(step=Step.COMPLETE)


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (TODAY, None),
        (date(2024, 5, 12), None),
        (TODAY + timedelta(days=1), RefusalCode.MOVE_IN_IN_FUTURE),
        (None, RefusalCode.VALUE_REQUIRED),
        (date(1024, 5, 12), RefusalCode.VALUE_INVALID),
        (date(1900, 1, 1), RefusalCode.VALUE_INVALID),
        (date(26, 5, 12), RefusalCode.VALUE_INVALID),
        (date(1931, 5, 12), None),
    ],
)
@pytest.mark.requirement("C-14", "R-190")
def test_the_day_of_moving_in(day: date | None, code: RefusalCode | None) -> None:
    """Today and earlier days are accepted, tomorrow is not; ista requires the day."""
    answer = ProfileAnswer(OccupancyKind.TENANT, day)
    if code is None:
        assert machine.report_profile(ISTA, _ista_at(Step.PROFILE), answer, today=TODAY).move_in == day
        return
    with pytest.raises(RegistrationRefused) as refused:
        machine.report_profile(ISTA, _ista_at(Step.PROFILE), answer, today=TODAY)
    assert _code(refused) == (code, "move_in")


def test_the_day_may_be_left_out_where_the_operator_does_not_require_it() -> None:
    """OCEA's guide asks for no day: it may be given with the attestation; an operator may not ask at all."""
    draft = _ocea_at(Step.ATTESTATION)
    assert _attest(OCEA, draft).move_in is None
    reported = replace(ATTESTED, move_in=date(2026, 3, 1))
    assert _attest(OCEA, draft, reported).move_in == date(2026, 3, 1)
    without_day = replace(OCEA, move_in=Asking.NO)
    assert _attest(without_day, draft, reported).move_in is None


@pytest.mark.requirement("C-16", "C-18", "R-195", "R-197", "R-198")
def test_nothing_is_ticked_in_advance() -> None:
    """Options that were not sent are off, and the consent is unanswered."""
    chosen = machine.choose_options(ISTA, _ista_at(Step.OPTIONS), Options())
    assert (chosen.leak_by_email, chosen.leak_by_sms, chosen.over_consumption_by_email) == (False,) * 3
    assert chosen.manager_daily_data is None
    reported = machine.choose_options(ISTA, _ista_at(Step.OPTIONS), Options(manager_daily_data=False))
    assert reported.manager_daily_data is False


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"last_name": "  "}, RefusalCode.VALUE_REQUIRED, "last_name"),
        ({"first_name": "x" * 81}, RefusalCode.VALUE_INVALID, "first_name"),
        ({"first_name": "Jean\0"}, RefusalCode.VALUE_INVALID, "first_name"),
        ({"phone": "12"}, RefusalCode.PHONE_INVALID, "phone"),
        ({"email": "nobody"}, RefusalCode.EMAIL_INVALID, "email"),
        ({"email": "a b@example.org"}, RefusalCode.EMAIL_INVALID, "email"),
        ({"email": "a@example.org\nBcc: b@example.org"}, RefusalCode.EMAIL_INVALID, "email"),
        ({"email": "a@" + "b" * 250 + ".org"}, RefusalCode.EMAIL_INVALID, "email"),
        ({"password": "short"}, RefusalCode.PASSWORD_TOO_WEAK, "password"),
        ({"password": None}, RefusalCode.PASSWORD_TOO_WEAK, "password"),
        ({"password_confirmation": "other"}, RefusalCode.PASSWORD_MISMATCH, "password_confirmation"),
        ({"privacy_acknowledged": False}, RefusalCode.PRIVACY_ACK_REQUIRED, "privacy_acknowledged"),
    ],
)
@pytest.mark.requirement("R-116", "R-202", "R-203", "R-205", "R-206", "R-211")
def test_personal_data_are_refused_by_field(changes: dict[str, str], code: RefusalCode, field: str) -> None:
    """Each error is returned with its field and its code."""
    with pytest.raises(RegistrationRefused) as refused:
        _person(ISTA, _ista_at(Step.PERSONAL_DATA), replace(PERSON, **changes))
    assert _code(refused) == (code, field)


@pytest.mark.requirement("C-34", "R-101", "R-204", "C-19")
def test_sms_requires_a_mobile() -> None:
    """With SMS ticked a mobile number is required; without, no number is."""
    draft = replace(_ista_at(Step.PERSONAL_DATA), leak_by_sms=True)
    for phone, code in (
        (None, RefusalCode.PHONE_REQUIRED_FOR_SMS),
        (" ", RefusalCode.PHONE_REQUIRED_FOR_SMS),
        ("01 42 68 53 00", RefusalCode.PHONE_INVALID),
    ):
        with pytest.raises(RegistrationRefused) as refused:
            _person(ISTA, draft, replace(PERSON, phone=phone))
        assert _code(refused) == (code, "phone")
    assert _person(ISTA, draft).phone_e164 == "+33611546587"
    assert _person(ISTA, replace(draft, leak_by_sms=False), replace(PERSON, phone=None)).phone_e164 is None


@pytest.mark.requirement("PW-07")
def test_the_dwellings_numbers_are_no_password() -> None:
    """A serial, the e-mail or the name in a password is refused by its criterion (PW-07)."""
    for password in ("Xy!7-542361524-Qv", "Xy!7-marciale-Qv", "Xy!7-marcialemars-Qv"):
        with pytest.raises(RegistrationRefused) as refused:
            _person(ISTA, _ista_at(Step.PERSONAL_DATA), replace(PERSON, password=password), "542 361 524")
        failed = [one.name for one in refused.value.refusal.criteria if not one.passed]
        assert failed == ["NOT_OWN_DATA"]


@pytest.mark.requirement("C-03", "R-058", "R-206")
def test_oceas_personal_data_have_no_password() -> None:
    """Where the password is sent by e-mail none is asked for, and one that is submitted is ignored."""
    sent = _person(OCEA, _ocea_at(Step.PERSONAL_DATA), replace(PERSON, password=None))
    assert sent.step is Step.FIRST_SIGN_IN
    assert sent.password_hash is None


@pytest.mark.requirement("R-212", "NL-01")
def test_the_newsletter_is_a_choice_of_its_own() -> None:
    """It is off unless ticked, and off where the operator has none."""
    assert not _person(ISTA, _ista_at(Step.PERSONAL_DATA)).newsletter
    assert _person(ISTA, _ista_at(Step.PERSONAL_DATA), replace(PERSON, newsletter=True)).newsletter
    assert not _person(OCEA, _ocea_at(Step.PERSONAL_DATA), replace(PERSON, newsletter=True)).newsletter


@pytest.mark.requirement("R-186")
def test_not_my_dwelling() -> None:
    """What was found is discarded and the search begins again; the stated tenure is kept."""
    back = machine.reject_dwelling(OCEA, _ocea_at(Step.ATTESTATION))
    assert back == Draft(step=Step.RESIDENCE, kind=OccupancyKind.TENANT)
    assert machine.reject_dwelling(ISTA, _ista_at(Step.ATTESTATION)) == machine.begin(ISTA)
    with pytest.raises(RegistrationRefused):
        machine.reject_dwelling(ISTA, _ista_at(Step.PROFILE))


@pytest.mark.requirement("R-153")
def test_one_step_back() -> None:
    """Every step but the last leads back to the one before, and the first to itself."""
    assert machine.go_back(ISTA, _ista_at(Step.RESIDENCE)).step is Step.RESIDENCE
    assert machine.go_back(ISTA, _ista_at(Step.OPTIONS)).step is Step.PROFILE
    assert machine.go_back(OCEA, _ocea_at(Step.DWELLING)).step is Step.RESIDENCE
    within = machine.go_back(OCEA, _ocea_at(Step.ATTESTATION))
    assert (within.step, within.dwelling_id) == (Step.DWELLING, None)
    assert within.residence_id is not None
    assert machine.go_back(ISTA, _ista_at(Step.ATTESTATION)) == machine.begin(ISTA)
    for done in (_ista_at(Step.VERIFICATION), _ocea_at(Step.FIRST_SIGN_IN), Draft(step=Step.COMPLETE)):
        with pytest.raises(RegistrationRefused):
            machine.go_back(ISTA if done.step is Step.VERIFICATION else OCEA, done)


@pytest.mark.requirement("R-222")
def test_the_address_can_be_corrected_before_it_is_verified() -> None:
    """At the last step another address may be given; before it there is none to correct."""
    corrected = machine.correct_email(_ista_at(Step.VERIFICATION), " other@example.org ")
    assert (corrected.email, corrected.step) == ("other@example.org", Step.VERIFICATION)
    with pytest.raises(RegistrationRefused):
        machine.correct_email(_ista_at(Step.PERSONAL_DATA), "other@example.org")


@pytest.mark.requirement("C-12", "R-100")
def test_dots_and_tags_of_an_address_are_kept() -> None:
    """im.a.g.otestq.a@gmail.com is an address of its own."""
    assert machine.checked_email("im.a.g.otestq.a+x@gmail.com") == "im.a.g.otestq.a+x@gmail.com"


def test_a_draft_prints_no_personal_data() -> None:
    """The repr of a draft or an answer, which may reach a log, has no name, address or secret."""
    shown = repr(_ista_at(Step.VERIFICATION)) + repr(PERSON)
    for secret in ("Marciale", "Marseille", "marcialemars", "33611546587", "Vierzon"):
        assert secret not in shown

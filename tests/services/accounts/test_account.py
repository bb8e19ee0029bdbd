"""The own account: contact data, notifications, verified addresses, terms, consent."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from core.access import SYSTEM, Act, SessionState, Viewer
from core.access.refusals import (
    CodeExpired,
    CodeInvalid,
    CodeResendTooSoon,
    ConsentNotTheManagers,
    EmailInvalid,
    PasswordWrong,
    PhoneInvalid,
    PhoneRequiredForSms,
)
from core.errors import Forbidden, InvalidInput, NotFound, RateLimited, SignInRefused
from core.language import Language
from core.models import Account, ConsentRecord, Dwelling
from core.services.accounts.account import (
    Contact,
    NotificationChoice,
    NotificationTopic,
    accept_terms,
    change_contact,
    choose_notification,
    notification_choices,
)
from core.services.accounts.contact_verification import (
    confirm_email_change,
    confirm_phone,
    request_email_change,
    request_phone_code,
)
from core.services.auth.sessions import my_account
from core.services.occupancy.consents import ConsentAnswer, answer_consent, my_consent, record_consent
from core.texts.consents import consent_trace
from tests.support import factories
from tests.support.factories import NOW, PASSWORD

ME = "claire.martin@example.org"
OTHER = "other@example.org"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def claire(application, enter) -> Viewer:
    await factories.account()
    return await enter()


@pytest.fixture
def contact(claire, visitor):
    async def change(**more) -> None:
        await change_contact(claire, Contact(**more), visitor=visitor, now=NOW)

    return change


@pytest.fixture
def sent(posted):
    """The last code that was sent with a template; None where none was."""

    async def code(template: str) -> str | None:
        messages = await posted(template)
        return str(messages[-1][1]["code"]) if messages else None

    return code


@pytest.mark.requirement("R-098", "R-099", "R-102", "R-109", "R-111")
async def test_saved_contact_data_are_changed(application, claire, contact, audited) -> None:
    """A field that is left out is unchanged; the audit names the fields, not their values."""
    await contact(first_name="  Clara  Maria ", language=Language.EN, civility="")
    account = await my_account(application, claire)
    assert (account.first_name, account.last_name, account.civility, account.language) == (
        "Clara Maria",
        "Martin",
        "",
        "en",
    )
    await contact(first_name="Clara Maria")
    (entry,) = await audited(Act.CONTACT_CHANGED)
    assert entry.details == {"fields": "civility, first_name, language"}


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
async def test_a_name_is_neither_blank_nor_too_long(contact, name) -> None:
    """The refusal names the field."""
    with pytest.raises(InvalidInput) as refused:
        await contact(last_name=name)
    assert refused.value.field == "lastName"


@pytest.mark.requirement("R-204", "C-34", "R-101")
async def test_a_phone_number_is_stored_in_one_form(application, claire, contact) -> None:
    """However it is written; an invalid one is refused, and a blank one clears it."""
    await _no_sms()
    for typed in ("+33 06 11 54 65 87", "06 11 54 65 87", "0033611546587"):
        await contact(phone=typed)
        assert (await my_account(application, claire)).phone_e164 == "+33611546587"
    for typed in ("12", "+33 6 11", "claire", "9" * 400):
        with pytest.raises(PhoneInvalid):
            await contact(phone=typed)
    await contact(phone=" ")
    assert (await my_account(application, claire)).phone_e164 is None


@pytest.mark.requirement("C-19", "R-101", "R-105")
async def test_sms_pause_until_a_changed_number_is_confirmed(
    application, claire, contact, visitor, sent
) -> None:
    """While SMS are on the number is not cleared, nor replaced by a landline; one that is changed is first
    confirmed by a code, and none is switched on before.
    """
    for phone in ("", "01 42 68 53 00"):
        with pytest.raises(PhoneRequiredForSms):
            await contact(phone=phone)
    await contact(phone="06 11 54 65 87")
    assert (await notification_choices(claire))[0] == _choice(NotificationTopic.LEAK, "EMAIL SMS paused")
    other = NotificationTopic.OVER_CONSUMPTION
    with pytest.raises(PhoneRequiredForSms):
        await choose_notification(claire, other, by_sms=True, visitor=visitor, now=NOW)
    await request_phone_code(application, claire, visitor=visitor, now=NOW)
    await confirm_phone(application, claire, await sent("phone_code"), visitor=visitor, now=NOW)
    assert (await notification_choices(claire))[0] == _choice(NotificationTopic.LEAK, "EMAIL SMS")
    await choose_notification(claire, other, by_sms=True, visitor=visitor, now=NOW)


@pytest.mark.requirement("C-34")
async def test_a_code_is_sent_to_a_mobile_alone(application, claire, contact, visitor) -> None:
    """A landline is refused, and so is an account without a number."""
    await _no_sms()
    await contact(phone="01 42 68 53 00")
    with pytest.raises(PhoneInvalid):
        await request_phone_code(application, claire, visitor=visitor, now=NOW)
    await contact(phone="")
    with pytest.raises(PhoneRequiredForSms):
        await request_phone_code(application, claire, visitor=visitor, now=NOW)


async def test_a_code_verifies_the_number_it_was_sent_to(application, claire, contact, visitor, sent) -> None:
    """It does not verify a number that replaced it."""
    await _no_sms()
    await request_phone_code(application, claire, visitor=visitor, now=NOW)
    await contact(phone="06 11 54 65 87")
    with pytest.raises(CodeExpired):
        await confirm_phone(application, claire, await sent("phone_code"), visitor=visitor, now=NOW)


@pytest.mark.requirement(
    "R-104", "R-105", "R-118", "R-119", "R-197", "C-32", "R-034", "R-015", "C-16", "CN-02"
)
async def test_each_topic_is_switched_by_channel_at_any_time(application, enter, visitor) -> None:
    """Everything is off at first; a change affects that topic and channel alone."""
    await factories.account(notified=False)
    claire = await enter()
    assert await notification_choices(claire) == [_choice(topic) for topic in NotificationTopic]
    document = NotificationTopic.NEW_DOCUMENT
    await choose_notification(claire, document, by_email=True, visitor=visitor, now=NOW)
    await choose_notification(claire, NotificationTopic.LEAK, by_sms=True, visitor=visitor, now=NOW)
    assert await notification_choices(claire) == [
        _choice(NotificationTopic.LEAK, "SMS"),
        _choice(NotificationTopic.OVER_CONSUMPTION),
        _choice(document, "EMAIL"),
    ]
    await choose_notification(claire, document, by_email=False, visitor=visitor, now=NOW)
    assert not (await notification_choices(claire))[2].by_email


@pytest.mark.requirement("R-100")
async def test_a_new_address_is_used_once_it_is_verified(
    application, claire, enter, visitor, sent, posted
) -> None:
    """The code is sent to the new one; the old one signs in until then, and is notified afterwards."""
    await request_email_change(
        application, claire, " Claire@New.example ", PASSWORD, visitor=visitor, now=NOW
    )
    ((recipient, _),) = await posted("email_code")
    assert recipient == "Claire@New.example"
    assert await enter(ME)
    await confirm_email_change(application, claire, await sent("email_code"), visitor=visitor, now=NOW)
    assert await enter("claire@new.example")
    with pytest.raises(SignInRefused):
        await enter(ME)
    ((former, values),) = await posted("email_changed")
    assert (former, values) == (ME, {"new_email": "Claire@New.example"})


async def test_an_address_change_requires_the_password_and_a_valid_address(
    application, claire, visitor
) -> None:
    """An open session alone cannot change the mailbox."""
    with pytest.raises(PasswordWrong):
        await request_email_change(application, claire, "a@b.example", "wrong", visitor=visitor, now=NOW)
    for email in (
        "",
        "a",
        "a@b",
        "a@@b.example",
        "a b@c.example",
        "a@b.example\r\nBcc: c@d.example",
        "\0@b.c",
    ):
        with pytest.raises(EmailInvalid):
            await request_email_change(application, claire, email, PASSWORD, visitor=visitor, now=NOW)


@pytest.mark.requirement("C-13")
async def test_an_address_change_does_not_disclose_anothers_account(
    application, claire, visitor, sent
) -> None:
    """The answer is the same, and that mailbox gets no code."""
    await factories.account(email=OTHER)
    await request_email_change(application, claire, OTHER, PASSWORD, visitor=visitor, now=NOW)
    assert await sent("email_code") is None
    with pytest.raises(CodeInvalid):
        await confirm_email_change(application, claire, "000000", visitor=visitor, now=NOW)


async def test_an_address_taken_meanwhile_is_refused(application, claire, visitor, sent) -> None:
    """The first to verify it keeps it."""
    await request_email_change(application, claire, OTHER, PASSWORD, visitor=visitor, now=NOW)
    await factories.account(email=OTHER)
    with pytest.raises(CodeExpired):
        await confirm_email_change(application, claire, await sent("email_code"), visitor=visitor, now=NOW)


async def test_a_code_has_five_tries_fifteen_minutes_and_one_use(
    application, claire, visitor, sent, audited
) -> None:
    """Each wrong try states how many are left; a new code replaces it after a minute."""
    await _no_sms()

    async def ask(at):
        await request_phone_code(application, claire, visitor=visitor, now=at)
        return await sent("phone_code")

    async def confirm(code, at=NOW):
        await confirm_phone(application, claire, code, visitor=visitor, now=at)

    code = await ask(NOW)
    wrong = "000000" if code != "000000" else "111111"
    left = []
    for _ in range(5):
        with pytest.raises(CodeInvalid) as refused:
            await confirm(wrong)
        left.append(refused.value.attempts_left)
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(CodeExpired):
        await confirm(code)
    with pytest.raises(CodeResendTooSoon) as soon:
        await ask(NOW + MINUTE / 2)
    assert soon.value.retry_after_s == 30
    later = NOW + MINUTE
    old, code = code, await ask(later)
    if old != code:
        with pytest.raises(CodeInvalid):
            await confirm(old, later)
    with pytest.raises(CodeExpired):
        await confirm(code, later + 15 * MINUTE)
    await confirm(code, later + 14 * MINUTE)
    with pytest.raises(CodeExpired):
        await confirm(code, later + 14 * MINUTE)
    assert code not in repr(await audited(Act.CODE_REFUSED))


async def test_concurrent_tries_of_a_code_are_five(application, claire, visitor, sent) -> None:
    """Of a hundred wrong codes at one instant, five are checked."""
    await _no_sms()
    await request_phone_code(application, claire, visitor=visitor, now=NOW)
    right = await sent("phone_code")
    tries = [
        confirm_phone(application, claire, f"{number:06}", visitor=visitor, now=NOW)
        for number in range(100)
        if f"{number:06}" != right
    ]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, CodeInvalid) for one in answers) == 5
    assert all(isinstance(one, CodeInvalid | CodeExpired | RateLimited) for one in answers)


@pytest.mark.requirement("R-062", "C-38")
async def test_terms_are_accepted_in_the_version_that_was_read(application, enter, visitor, audited) -> None:
    """With the moment; a version that is not in force is refused."""
    await factories.account()
    await Account.all().update(terms_version="2025-01")
    claire = await enter()
    assert claire.state is SessionState.MUST_ACCEPT_TERMS
    with pytest.raises(InvalidInput):
        await accept_terms(application, claire, "2025-01", visitor=visitor, now=NOW)
    await accept_terms(application, claire, factories.TERMS, visitor=visitor, now=NOW)
    assert (await enter()).state is SessionState.READY
    assert (await Account.get()).terms_accepted_at == NOW
    (entry,) = await audited(Act.TERMS_ACCEPTED)
    assert entry.details == {"version": factories.TERMS}


@pytest.fixture
async def home(key_encryption, enter) -> tuple[Viewer, int]:
    """Claire, and the number of her dwelling."""
    await factories.residence(key_encryption)
    return await enter(), (await Dwelling.get()).id


@pytest.mark.requirement("R-063", "R-064", "R-065", "R-106", "R-120", "C-16", "C-18", "CN-07")
async def test_a_consent_is_given_and_withdrawn_at_any_time(application, home, visitor, audited) -> None:
    """Unanswered at first; every answer adds a row, with author and moment."""
    claire, dwelling = home
    assert (await my_consent(application, claire, dwelling)).answer is ConsentAnswer.UNANSWERED
    for granted in (True, False, True):
        view = await answer_consent(application, claire, dwelling, granted=granted, visitor=visitor, now=NOW)
        assert view.answer is (ConsentAnswer.GRANTED if granted else ConsentAnswer.REFUSED)
        assert (view.by_manager, view.recorded_at) == (False, NOW)
    assert view.question.fr.startswith(
        "J'autorise mon gestionnaire ou bailleur à accéder à mes données de consommations quotidiennes"
    )
    assert [row.text_version for row in await ConsentRecord.all()] == ["2026-11"] * 3
    assert len(await audited(Act.CONSENT_CHANGED)) == 3


@pytest.mark.requirement("C-17", "R-121", "CN-08")
async def test_a_manager_never_turns_a_refusal_into_a_consent(application, home, visitor, posted) -> None:
    """A paper consent is recorded where nobody has answered; a refusal remains one in every order of acts."""
    claire, dwelling = home

    async def note(*, granted, paper="dossier 12"):
        return await record_consent(
            application,
            SYSTEM,
            ME,
            granted=granted,
            evidence_reference=paper,
            visitor=visitor,
            now=NOW,
        )

    for paper in (None, " "):
        with pytest.raises(InvalidInput):
            await note(granted=True, paper=paper)
    view = await note(granted=True)
    assert (view.answer, view.by_manager) == (ConsentAnswer.GRANTED, True)
    assert [recipient for recipient, _ in await posted("consent_changed")] == [ME]
    await answer_consent(application, claire, dwelling, granted=False, visitor=visitor, now=NOW)
    with pytest.raises(ConsentNotTheManagers):
        await note(granted=True)
    await note(granted=False)
    with pytest.raises(ConsentNotTheManagers):
        await note(granted=True)
    assert (await my_consent(application, claire, dwelling)).answer is ConsentAnswer.REFUSED
    assert not (
        await answer_consent(application, claire, dwelling, granted=True, visitor=visitor, now=NOW)
    ).by_manager


async def test_only_the_occupant_answers_for_a_dwelling(application, home, enter, visitor) -> None:
    """Another's dwelling is not found; only the operator records answers of others."""
    claire, dwelling = home
    await factories.account(email=OTHER)
    other = await enter(OTHER)
    with pytest.raises(NotFound):
        await answer_consent(application, other, dwelling, granted=True, visitor=visitor, now=NOW)
    with pytest.raises(NotFound):
        await my_consent(application, other, dwelling)
    with pytest.raises(Forbidden):
        await record_consent(application, claire, ME, granted=False, visitor=visitor, now=NOW)
    with pytest.raises(NotFound):
        await record_consent(application, SYSTEM, OTHER, granted=False, visitor=visitor, now=NOW)


@pytest.mark.requirement("R-107", "R-121", "R-122")
def test_the_trace_is_the_guides_own_sentence() -> None:
    """With author and day."""
    day = date(2022, 9, 7)
    assert consent_trace(day, Language.FR, by_manager=False) == (
        "Information renseignée par l'occupant le 07/09/2022 conformément au règlement général sur la"
        " protection des données (RGPD)"
    )
    assert "par le gestionnaire le" in consent_trace(day, Language.FR, by_manager=True)
    assert consent_trace(day, Language.EN, by_manager=True).startswith(
        "Information given by the manager on 2022-09-07"
    )


async def test_a_consents_day_is_one_of_the_residence(application, home, visitor) -> None:
    """At half past eleven in the evening UTC, it is the next day in Paris."""
    claire, dwelling = home
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    view = await answer_consent(application, claire, dwelling, granted=True, visitor=visitor, now=late)
    assert view.recorded_on == date(2026, 11, 23)


async def _no_sms() -> None:
    await Account.all().update(leak_by_sms=False, phone_e164="+33612345678", phone_confirmed_at=None)


def _choice(topic: NotificationTopic, on: str = "") -> NotificationChoice:
    return NotificationChoice(topic, by_email="EMAIL" in on, by_sms="SMS" in on, sms_paused="paused" in on)

"""core.services.registration.flow: what happens at once, what is kept, and what is left of it."""

import asyncio
import re
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest

from core.access import SYSTEM, Act, Role, Viewer, Visitor
from core.bootstrap import House
from core.errors import Conflict, Forbidden, NotFound, RateLimited
from core.language import Language
from core.metering import Registry
from core.models import (
    Account,
    AuditRecord,
    Dwelling,
    DwellingCase,
    ManagedResidence,
    Occupancy,
    Operator,
    OutboxMessage,
    Registration,
    Residence,
)
from core.operators import OccupancyKind, Path
from core.registration.answers import (
    CodeAnswer,
    OccupancyAnswer,
    ReferenceAnswer,
    SerialAnswer,
    VerificationAnswer,
)
from core.registration.forms import FormName
from core.registration.machine import Attestation, Options, PersonalData, ProfileAnswer
from core.registration.refusals import RefusalCode, RegistrationRefused
from core.services.auth import passwords
from core.services.auth.rate_limits import Limiter
from core.services.occupancy.dwelling_requests import decide, list_cases
from core.services.occupancy.occupancies import leave_dwelling
from core.services.places.key_vault import Vault
from core.services.registration import flow
from core.services.registration.activation import correct_email, redeem_temporary_password, send_again
from core.services.registration.rate_limits import MISSED_SERIALS_OF_OPERATOR
from core.services.registration.storage import RegistrationView
from core.services.shared.scope import stays
from tests.support.sign_up import NOW, describe, letters_to

DOOR = Visitor("203.0.113.7")
EMAIL = "marcialemars@example.org"
SECRETS = ("542361524", "542 361 524", "Marciale", EMAIL, "Vierzon&Quimper&Lot7", "33611546587")


async def _begin(house: House, operator: str = "ista") -> str:
    view = await flow.start(house, operator, language=Language.FR, visitor=DOOR, now=NOW)
    assert view.token
    return view.token


async def _answer(house: House, token: str, *answers: Any) -> RegistrationView:
    view = None
    for one in answers:
        view = await flow.answer(house, token, one, visitor=DOOR, now=NOW)
    assert view is not None
    return view


def _ista(email: str = EMAIL, serial: str = "542 361 524") -> tuple[Any, ...]:
    return (
        SerialAnswer(serial),
        Attestation(attested=True),
        ProfileAnswer(OccupancyKind.TENANT, date(2026, 5, 12)),
        Options(leak_by_sms=True),
        PersonalData(
            last_name="Marciale",
            first_name="Marseille",
            email=email,
            phone="+33 06 11 54 65 87",
            password="Vierzon&Quimper&Lot7",
            privacy_acknowledged=True,
        ),
    )


async def _code(house: House, email: str = EMAIL) -> VerificationAnswer:
    *_, (_, letter) = await letters_to(email, house.settings)
    found = re.search(r"\b\d{6}\b", letter.text)
    assert found
    return VerificationAnswer(found[0])


async def test_a_serial_that_is_found_is_no_miss(house: House, vault: Vault) -> None:
    """Neither is one of a format that is never looked up: the operator's count is of misses alone."""
    await describe(vault, "ista")
    misses = []
    for serial in ("H8CA029620", "700000000", "700000001", "542361524"):
        token = await _begin(house)
        with suppress(RegistrationRefused):
            await _answer(house, token, SerialAnswer(serial))
        operator_id = (await Registration.all().order_by("-id").first()).operator_id
        count = await Limiter.of(house).standing(MISSED_SERIALS_OF_OPERATOR, str(operator_id), now=NOW)
        misses.append(count.events)
    assert misses == [0, 1, 2, 2]


async def test_two_answers_at_once_are_one(house: House, vault: Vault) -> None:
    """Of two answers to one step the second is refused, and the registration moves one step."""
    await describe(vault, "ista")
    token = await _begin(house)
    await _answer(house, token, SerialAnswer("542361524"))
    both = await asyncio.gather(
        *(_answer(house, token, Attestation(attested=True)) for _ in range(2)), return_exceptions=True
    )
    refused = [one for one in both if isinstance(one, RegistrationRefused)]
    assert len(refused) <= 1
    assert all(one.refusal.code is RefusalCode.FORM_NOT_OFFERED for one in refused)
    assert (await Registration.get()).step == "PROFILE"


@pytest.mark.requirement("R-140", "C-12")
async def test_of_two_who_finish_at_once_one_has_the_dwelling(house: House, vault: Vault) -> None:
    """Both proved their mailbox at the same instant: one account, one occupancy, one refusal."""
    await describe(vault, "ista")
    emails = ("one@example.org", "two@example.org")
    tokens = [await _begin(house) for _ in emails]
    for token, email in zip(tokens, emails, strict=True):
        await _answer(house, token, *_ista(email))
    codes = [await _code(house, email) for email in emails]
    done = await asyncio.gather(
        *(_answer(house, token, code) for token, code in zip(tokens, codes, strict=True)),
        return_exceptions=True,
    )
    (refused,) = [one for one in done if isinstance(one, RegistrationRefused)]
    assert refused.refusal.code is RefusalCode.DWELLING_ALREADY_REGISTERED
    assert (await Account.all().count(), await Occupancy.all().count()) == (1, 1)


async def test_five_tries_are_five_however_many_come_at_once(house: House, vault: Vault) -> None:
    """Ten wrong codes at one instant are five that were looked at."""
    await describe(vault, "ista")
    token = await _begin(house)
    await _answer(house, token, *_ista())
    right = await _code(house)
    wrong = VerificationAnswer("000000" if right.code != "000000" else "111111")
    done = await asyncio.gather(*(_answer(house, token, wrong) for _ in range(10)), return_exceptions=True)
    codes = [one.refusal.code for one in done if isinstance(one, RegistrationRefused)]
    assert codes.count(RefusalCode.CODE_INVALID) == 5
    assert codes.count(RefusalCode.CODE_EXPIRED) == 5
    with pytest.raises(RegistrationRefused):
        await _answer(house, token, right)


async def test_nothing_personal_is_audited_or_logged(
    house: House, vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    """Acts are recorded with numbers; no name, address, serial, code or token is in them or in our log."""
    caplog.set_level("DEBUG", "core")
    await describe(vault, "ista")
    token = await _begin(house)
    await _answer(house, token, *_ista())
    code = await _code(house)
    with pytest.raises(RegistrationRefused) as refused:
        await _answer(house, token, VerificationAnswer("12345x"))
    await _answer(house, token, code)
    acts = await AuditRecord.all().order_by("id")
    assert [one.act.value for one in acts] == [
        "REGISTRATION_STARTED",
        "CODE_REFUSED",
        "ACCOUNT_CREATED",
        "OCCUPANCY_STARTED",
    ]
    told = " ".join(str(vars(one)) for one in acts) + caplog.text + str(refused.value)
    assert "203.0.113.7" in told
    for secret in (*SECRETS, code.code, token):
        assert secret not in told


@pytest.mark.requirement("C-37")
async def test_cancelling_is_audited_and_leaves_nothing(house: House, vault: Vault) -> None:
    await describe(vault, "ista")
    token = await _begin(house)
    await _answer(house, token, *_ista())
    await correct_email(house, token, "right@example.org", visitor=DOOR, now=NOW)
    other = await _begin(house)
    await _answer(house, other, *_ista("other@example.org"))
    await flow.cancel(token, visitor=DOOR, now=NOW)
    await flow.cancel(token, visitor=DOOR, now=NOW)
    assert await Registration.all().count() == 1
    assert [one.recipient for one in await OutboxMessage.all()] == ["other@example.org"]
    acts = [one.act.value for one in await AuditRecord.all()]
    assert acts.count("REGISTRATION_CANCELLED") == 1


async def test_a_cancelled_registrations_code_opens_nothing(house: House, vault: Vault) -> None:
    """A temporary password that is on its way dies with its registration."""
    await describe(vault, "ocea")
    token = await _begin(house, "ocea")
    await _answer(
        house,
        token,
        OccupancyAnswer(OccupancyKind.TENANT),
        CodeAnswer("AA000", FormName.SITE_CODE),
        SerialAnswer("H8CA029620"),
        Attestation(attested=True),
        PersonalData("Martin", "Claire", EMAIL, privacy_acknowledged=True),
    )
    ((_, letter),) = await letters_to(EMAIL, house.settings)
    found = re.search(r"[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}", letter.text)
    assert found
    for email, password in (("other@example.org", found[0]), (EMAIL, found[0].lower()), (EMAIL, "x" * 2_000)):
        assert not await redeem_temporary_password(house, email, password, visitor=DOOR, now=NOW)
    await flow.cancel(token, visitor=DOOR, now=NOW)
    assert not await redeem_temporary_password(house, EMAIL, found[0], visitor=DOOR, now=NOW)


async def test_a_dwelling_lost_on_the_way_to_the_letter_box_is_a_case(house: House, vault: Vault) -> None:
    """Two with temporary passwords for one dwelling: the second to sign in is reviewed by a manager."""
    await describe(vault, "ocea")
    for email in ("one@example.org", "two@example.org"):
        token = await _begin(house, "ocea")
        await _answer(
            house,
            token,
            OccupancyAnswer(OccupancyKind.TENANT),
            CodeAnswer("AA000", FormName.SITE_CODE),
            SerialAnswer("H8CA029620"),
            Attestation(attested=True),
            PersonalData("Martin", "Claire", email, privacy_acknowledged=True),
        )
    for email in ("one@example.org", "two@example.org"):
        ((_, letter),) = await letters_to(email, house.settings)
        found = re.search(r"[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}", letter.text)
        assert found
        assert await redeem_temporary_password(house, email, found[0], visitor=DOOR, now=NOW)
    assert await Account.all().count() == 2
    assert await Occupancy.all().count() == 1
    assert [one.kind.value for one in await DwellingCase.all()] == ["CONTESTED"]


@pytest.mark.requirement("C-40")
async def test_cases_are_decided_once_by_who_may(house: House, vault: Vault) -> None:
    """A reference alone opens a case; residents see no cases, and a case has one decision."""
    await describe(vault, "ista")
    token = await _begin(house)
    await _answer(
        house,
        token,
        CodeAnswer("50001369", FormName.BUILDING_CODE),
        ReferenceAnswer("5151 0008", FormName.DWELLING_REFERENCE),
        *_ista()[1:],
    )
    assert (await Registration.get()).path is Path.DWELLING_REFERENCE
    assert (await _answer(house, token, await _code(house))).draft.step == "UNDER_REVIEW"
    resident = Viewer(role=Role.RESIDENT, account_id=(await Account.get()).id)
    with pytest.raises(Forbidden):
        await list_cases(resident, now=NOW)
    (case,) = await list_cases(SYSTEM, now=NOW)
    assert (case.kind.value, case.occupancy) == ("REVIEW", OccupancyKind.TENANT)
    assert case.dwelling == "01 · 03 · 00 · 01"
    with pytest.raises(Forbidden):
        await decide(house, resident, case.id, approved=True, now=NOW)
    with pytest.raises(NotFound):
        await decide(house, SYSTEM, case.id + 1, approved=True, now=NOW)
    await decide(house, SYSTEM, case.id, approved=True, now=NOW)
    with pytest.raises(Conflict):
        await decide(house, SYSTEM, case.id, approved=False, now=NOW)
    assert (await Occupancy.get()).move_in == date(2026, 5, 12)
    assert await list_cases(SYSTEM, now=NOW) == []


async def test_letters_are_not_sent_without_end(
    house: House, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six letters a day to one address, taken or not, whoever asks; the seventh costs no hash."""
    await describe(vault, "ista")
    token, hashed = await _begin(house), []
    monkeypatch.setattr(passwords, "hash_password", lambda text: hashed.append(text) or "a hash")
    await _answer(house, token, *_ista())
    for _ in range(5):
        await correct_email(house, token, EMAIL, visitor=DOOR, now=NOW)
    with pytest.raises(RateLimited):
        await correct_email(house, token, EMAIL.upper(), visitor=Visitor("198.51.100.9"), now=NOW)
    later = NOW + timedelta(hours=23)
    with pytest.raises(RateLimited):
        await correct_email(house, token, EMAIL, visitor=DOOR, now=later)
    other = await _begin(house)
    with pytest.raises(RateLimited):
        await _answer(house, other, *_ista(serial="542361599"))
    assert len(hashed) == 1


@pytest.mark.requirement("R-221")
async def test_the_code_asked_for_twice_at_once_is_sent_once(house: House, vault: Vault) -> None:
    """A double click on «Renvoyer le code»: one letter more, and one is told to wait."""
    await describe(vault, "ista")
    token = await _begin(house)
    await _answer(house, token, *_ista())
    later = NOW + timedelta(minutes=2)
    both = await asyncio.gather(
        *(send_again(house, token, visitor=DOOR, now=later) for _ in range(2)), return_exceptions=True
    )
    (refused,) = [one for one in both if isinstance(one, BaseException)]
    assert isinstance(refused, RegistrationRefused)
    assert refused.refusal.code is RefusalCode.CODE_RESEND_TOO_SOON
    assert len(await letters_to(EMAIL, house.settings)) == 2


@pytest.mark.requirement("R-222")
async def test_an_address_corrected_twice_at_once_is_one_of_them(house: House, vault: Vault) -> None:
    """Each letter goes out, and the code of the address that stands is the one that counts."""
    await describe(vault, "ista")
    token = await _begin(house)
    await _answer(house, token, *_ista())
    emails = ("one@example.org", "two@example.org")
    await asyncio.gather(*(correct_email(house, token, one, visitor=DOOR, now=NOW) for one in emails))
    standing = (await Registration.get()).email
    assert standing in emails
    assert (await _answer(house, token, await _code(house, standing))).draft.step == "COMPLETE"


@pytest.mark.requirement("R-139", "C-12")
async def test_an_address_that_is_proved_for_two_dwellings_at_once_has_one(
    house: House, vault: Vault, registry: Registry
) -> None:
    """Somebody who left signs up for two homes with the same address, and finishes at one instant."""
    await describe(vault, "ista")
    token = await _begin(house)
    await _answer(house, token, *_ista())
    await _answer(house, token, await _code(house))
    me = Viewer(role=Role.RESIDENT, account_id=(await Account.get()).id, asked_at=NOW)
    (stay,) = await Occupancy.all()
    await leave_dwelling(registry, me, stay.dwelling_id, last_day=date(2026, 11, 20), visitor=DOOR, now=NOW)
    tokens, codes = [], []
    for serial in ("542361524", "542361599"):
        tokens.append(await _begin(house))
        await _answer(house, tokens[-1], *_ista(serial=serial))
        codes.append(await _code(house))
    done = await asyncio.gather(
        *(_answer(house, one, code) for one, code in zip(tokens, codes, strict=True)), return_exceptions=True
    )
    (refused,) = [one for one in done if isinstance(one, BaseException)]
    assert isinstance(refused, RegistrationRefused)
    assert await Occupancy.filter(account_id=me.account_id, move_out=None).count() == 1


async def test_serials_are_tried_slowly(house: House, vault: Vault) -> None:
    """Fifteen serials an hour from one address, and one serial twenty times a day from wherever."""
    await describe(vault, "ista")
    token = await _begin(house)
    for number in range(15):
        with pytest.raises(RegistrationRefused):
            await _answer(house, token, SerialAnswer(f"10000000{number % 10}"))
    with pytest.raises(RateLimited):
        await _answer(house, token, SerialAnswer("542361524"))
    for number in range(20):
        visitor = Visitor(f"198.51.100.{number}")
        with pytest.raises(RegistrationRefused):
            await flow.answer(house, token, SerialAnswer("999999999"), visitor=visitor, now=NOW)
    with pytest.raises(RateLimited):
        await flow.answer(
            house, token, SerialAnswer("999 999 999"), visitor=Visitor("198.51.100.99"), now=NOW
        )


_BY_REFERENCE = (
    CodeAnswer("50001369", FormName.BUILDING_CODE),
    ReferenceAnswer("5151 0008", FormName.DWELLING_REFERENCE),
)


@pytest.mark.requirement("C-40")
async def test_the_managers_are_told_of_a_case(house: House, vault: Vault) -> None:
    """Each manager of the residence, once a case, in the own language, which home it is and nobody's name."""
    await describe(vault, "ista")
    operator = await Operator.get(code="ista")
    residence = await Residence.get()
    for email, language in (("odile@example.org", "fr"), ("olive@example.org", "en")):
        manager = await Account.create(
            operator_id=operator.id,
            email=email,
            email_key=email,
            password_hash="",
            role=Role.MANAGER,
            first_name="",
            last_name="",
            language=language,
            created_at=NOW,
        )
        await ManagedResidence.create(account_id=manager.id, residence_id=residence.id, granted_at=NOW)
    token = await _begin(house)
    await _answer(house, token, *_BY_REFERENCE, *_ista()[1:])
    assert await letters_to("odile@example.org", house.settings) == []
    await _answer(house, token, await _code(house))
    ((_, french),) = await letters_to("odile@example.org", house.settings)
    ((_, english),) = await letters_to("olive@example.org", house.settings)
    assert "attend votre décision" in french.subject
    assert "waits for your decision" in english.subject
    for letter in (french, english):
        assert "01 · 03 · 00 · 01" in letter.text
        assert "Marciale" not in letter.text


@pytest.mark.requirement("R-139", "C-12", "C-40")
async def test_who_waits_for_a_manager_may_prove_it_meanwhile(house: House, vault: Vault) -> None:
    """The serial is found under the sink: its code is sent, the request is taken back, the dwelling is open.
    Another guess stays what it is.
    """
    await describe(vault, "ista")
    token = await _begin(house)
    await _answer(house, token, *_BY_REFERENCE, *_ista()[1:])
    await _answer(house, token, await _code(house))
    assert await DwellingCase.all().count() == 1
    again = await _begin(house)
    await _answer(house, again, *_BY_REFERENCE, *_ista()[1:])
    *_, (row, _) = await letters_to(EMAIL, house.settings)
    assert row.template == "registration_address_taken"
    proven = await _begin(house)
    await _answer(house, proven, *_ista())
    assert (await _answer(house, proven, await _code(house))).draft.step == "COMPLETE"
    assert await DwellingCase.all().count() == 0
    assert await AuditRecord.filter(act=Act.CASE_WITHDRAWN).count() == 1
    assert (await Occupancy.get()).account_id == (await Account.get()).id


@pytest.mark.requirement("C-14", "R-190")
async def test_a_described_tenant_with_the_end_of_a_lease_is_the_same_person(
    house: House, vault: Vault
) -> None:
    """A list names no e-mail, and the lease's end in 2029: whoever registers sees the days from the first."""
    await describe(vault, "ista")
    await Occupancy.create(
        dwelling_id=(await Dwelling.get(manager_reference="5151 0008")).id,
        kind=OccupancyKind.TENANT,
        move_in=date(2026, 5, 12),
        move_out=date(2029, 5, 12),
    )
    token = await _begin(house)
    await _answer(house, token, *_ista())
    await _answer(house, token, await _code(house))
    me = Viewer(role=Role.RESIDENT, account_id=(await Account.get()).id, asked_at=NOW)
    ((first_day, last_day),) = [(stay.first_day, stay.last_day) for stay in await stays(me)]
    assert (first_day, last_day) == (date(2026, 5, 12), date(2029, 5, 11))

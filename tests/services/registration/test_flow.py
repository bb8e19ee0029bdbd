"""core.services.registration.flow: what happens at once, what is kept, and what is left of it."""

import asyncio
import re
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest

from core.access import Role, Viewer, Visitor
from core.bootstrap import Application
from core.errors import RateLimited
from core.language import Language
from core.metering import Registry
from core.models import (
    Account,
    AuditRecord,
    Dwelling,
    Occupancy,
    OutboxMessage,
    Registration,
)
from core.operators import OccupancyKind
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
from core.services.auth.rate_limits import RateLimiter
from core.services.occupancy.occupancies import leave_dwelling
from core.services.places.key_encryption import KeyEncryption
from core.services.registration import flow
from core.services.registration.activation import correct_email, redeem_temporary_password, send_again
from core.services.registration.rate_limits import MISSED_SERIALS_OF_OPERATOR
from core.services.registration.storage import RegistrationView
from core.services.shared.scope import occupancy_periods
from tests.support.sign_up import NOW, describe, messages_to

DOOR = Visitor("203.0.113.7")
EMAIL = "marcialemars@example.org"
SECRETS = ("542361524", "542 361 524", "Marciale", EMAIL, "Vierzon&Quimper&Lot7", "33611546587")


async def _begin(application: Application, operator: str = "ista") -> str:
    view = await flow.start(application, operator, language=Language.FR, visitor=DOOR, now=NOW)
    assert view.token
    return view.token


async def _answer(application: Application, token: str, *answers: Any) -> RegistrationView:
    view = None
    for one in answers:
        view = await flow.answer(application, token, one, visitor=DOOR, now=NOW)
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


async def _code(application: Application, email: str = EMAIL) -> VerificationAnswer:
    *_, (_, mail) = await messages_to(email, application.settings)
    found = re.search(r"\b\d{6}\b", mail.text)
    assert found
    return VerificationAnswer(found[0])


async def test_a_serial_that_is_found_is_no_miss(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Neither is one of a format that is never looked up: the operator's count is of misses alone."""
    await describe(key_encryption, "ista")
    misses = []
    for serial in ("H8CA029620", "700000000", "700000001", "542361524"):
        token = await _begin(application)
        with suppress(RegistrationRefused):
            await _answer(application, token, SerialAnswer(serial))
        operator_id = (await Registration.all().order_by("-id").first()).operator_id
        count = await RateLimiter.of(application).standing(
            MISSED_SERIALS_OF_OPERATOR, str(operator_id), now=NOW
        )
        misses.append(count.events)
    assert misses == [0, 1, 2, 2]


async def test_two_answers_at_once_are_one(application: Application, key_encryption: KeyEncryption) -> None:
    """Of two answers to one step the second is refused, and the registration moves one step."""
    await describe(key_encryption, "ista")
    token = await _begin(application)
    await _answer(application, token, SerialAnswer("542361524"))
    both = await asyncio.gather(
        *(_answer(application, token, Attestation(attested=True)) for _ in range(2)), return_exceptions=True
    )
    refused = [one for one in both if isinstance(one, RegistrationRefused)]
    assert len(refused) <= 1
    assert all(one.refusal.code is RefusalCode.FORM_NOT_OFFERED for one in refused)
    assert (await Registration.get()).step == "PROFILE"


@pytest.mark.requirement("R-140", "C-12")
async def test_of_two_who_finish_at_once_one_has_the_dwelling(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Both proved their mailbox at the same instant: one account, one occupancy, one refusal."""
    await describe(key_encryption, "ista")
    emails = ("one@example.org", "two@example.org")
    tokens = [await _begin(application) for _ in emails]
    for token, email in zip(tokens, emails, strict=True):
        await _answer(application, token, *_ista(email))
    codes = [await _code(application, email) for email in emails]
    done = await asyncio.gather(
        *(_answer(application, token, code) for token, code in zip(tokens, codes, strict=True)),
        return_exceptions=True,
    )
    (refused,) = [one for one in done if isinstance(one, RegistrationRefused)]
    assert refused.refusal.code is RefusalCode.DWELLING_ALREADY_REGISTERED
    assert (await Account.all().count(), await Occupancy.all().count()) == (1, 1)


async def test_five_tries_are_five_however_many_come_at_once(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Ten wrong codes at one instant are five that were looked at."""
    await describe(key_encryption, "ista")
    token = await _begin(application)
    await _answer(application, token, *_ista())
    right = await _code(application)
    wrong = VerificationAnswer("000000" if right.code != "000000" else "111111")
    done = await asyncio.gather(
        *(_answer(application, token, wrong) for _ in range(10)), return_exceptions=True
    )
    codes = [one.refusal.code for one in done if isinstance(one, RegistrationRefused)]
    assert codes.count(RefusalCode.CODE_INVALID) == 5
    assert codes.count(RefusalCode.CODE_EXPIRED) == 5
    with pytest.raises(RegistrationRefused):
        await _answer(application, token, right)


async def test_nothing_personal_is_audited_or_logged(
    application: Application, key_encryption: KeyEncryption, caplog: pytest.LogCaptureFixture
) -> None:
    """Acts are recorded with numbers; no name, address, serial, code or token is in them or in our log."""
    caplog.set_level("DEBUG", "core")
    await describe(key_encryption, "ista")
    token = await _begin(application)
    await _answer(application, token, *_ista())
    code = await _code(application)
    with pytest.raises(RegistrationRefused) as refused:
        await _answer(application, token, VerificationAnswer("12345x"))
    await _answer(application, token, code)
    acts = await AuditRecord.all().order_by("id")
    assert [one.act.value for one in acts] == [
        "REGISTRATION_STARTED",
        "CODE_REFUSED",
        "ACCOUNT_CREATED",
        "OCCUPANCY_STARTED",
    ]
    reported = " ".join(str(vars(one)) for one in acts) + caplog.text + str(refused.value)
    assert "203.0.113.7" in reported
    for secret in (*SECRETS, code.code, token):
        assert secret not in reported


@pytest.mark.requirement("C-37")
async def test_cancelling_is_audited_and_leaves_nothing(
    application: Application, key_encryption: KeyEncryption
) -> None:
    await describe(key_encryption, "ista")
    token = await _begin(application)
    await _answer(application, token, *_ista())
    await correct_email(application, token, "right@example.org", visitor=DOOR, now=NOW)
    other = await _begin(application)
    await _answer(application, other, *_ista("other@example.org"))
    await flow.cancel(token, visitor=DOOR, now=NOW)
    await flow.cancel(token, visitor=DOOR, now=NOW)
    assert await Registration.all().count() == 1
    assert [one.recipient for one in await OutboxMessage.all()] == ["other@example.org"]
    acts = [one.act.value for one in await AuditRecord.all()]
    assert acts.count("REGISTRATION_CANCELLED") == 1


async def test_a_cancelled_registrations_code_opens_nothing(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """A temporary password that is on its way dies with its registration."""
    await describe(key_encryption, "ocea")
    token = await _begin(application, "ocea")
    await _answer(
        application,
        token,
        OccupancyAnswer(OccupancyKind.TENANT),
        CodeAnswer("AA000", FormName.SITE_CODE),
        SerialAnswer("H8CA029620"),
        Attestation(attested=True),
        PersonalData("Martin", "Claire", EMAIL, privacy_acknowledged=True),
    )
    ((_, mail),) = await messages_to(EMAIL, application.settings)
    found = re.search(r"[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}", mail.text)
    assert found
    for email, password in (("other@example.org", found[0]), (EMAIL, found[0].lower()), (EMAIL, "x" * 2_000)):
        assert not await redeem_temporary_password(application, email, password, visitor=DOOR, now=NOW)
    await flow.cancel(token, visitor=DOOR, now=NOW)
    assert not await redeem_temporary_password(application, EMAIL, found[0], visitor=DOOR, now=NOW)


async def test_letters_are_not_sent_without_end(
    application: Application, key_encryption: KeyEncryption, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six letters a day to one address, taken or not, whoever asks; the seventh costs no hash."""
    await describe(key_encryption, "ista")
    token, hashed = await _begin(application), []
    monkeypatch.setattr(passwords, "hash_password", lambda text: hashed.append(text) or "a hash")
    await _answer(application, token, *_ista())
    for _ in range(5):
        await correct_email(application, token, EMAIL, visitor=DOOR, now=NOW)
    with pytest.raises(RateLimited):
        await correct_email(application, token, EMAIL.upper(), visitor=Visitor("198.51.100.9"), now=NOW)
    later = NOW + timedelta(hours=23)
    with pytest.raises(RateLimited):
        await correct_email(application, token, EMAIL, visitor=DOOR, now=later)
    other = await _begin(application)
    with pytest.raises(RateLimited):
        await _answer(application, other, *_ista(serial="542361599"))
    assert len(hashed) == 1


@pytest.mark.requirement("R-221")
async def test_the_code_asked_for_twice_at_once_is_sent_once(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """A double click on «Renvoyer le code»: one letter more, and one is told to wait."""
    await describe(key_encryption, "ista")
    token = await _begin(application)
    await _answer(application, token, *_ista())
    later = NOW + timedelta(minutes=2)
    both = await asyncio.gather(
        *(send_again(application, token, visitor=DOOR, now=later) for _ in range(2)), return_exceptions=True
    )
    (refused,) = [one for one in both if isinstance(one, BaseException)]
    assert isinstance(refused, RegistrationRefused)
    assert refused.refusal.code is RefusalCode.CODE_RESEND_TOO_SOON
    assert len(await messages_to(EMAIL, application.settings)) == 2


@pytest.mark.requirement("R-222")
async def test_an_address_corrected_twice_at_once_is_one_of_them(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Each letter goes out, and the code of the address that stands is the one that counts."""
    await describe(key_encryption, "ista")
    token = await _begin(application)
    await _answer(application, token, *_ista())
    emails = ("one@example.org", "two@example.org")
    await asyncio.gather(*(correct_email(application, token, one, visitor=DOOR, now=NOW) for one in emails))
    standing = (await Registration.get()).email
    assert standing in emails
    assert (await _answer(application, token, await _code(application, standing))).draft.step == "COMPLETE"


@pytest.mark.requirement("R-139", "C-12")
async def test_an_address_that_is_proved_for_two_dwellings_at_once_has_one(
    application: Application, key_encryption: KeyEncryption, registry: Registry
) -> None:
    """Somebody who left signs up for two homes with the same address, and finishes at one instant."""
    await describe(key_encryption, "ista")
    token = await _begin(application)
    await _answer(application, token, *_ista())
    await _answer(application, token, await _code(application))
    me = Viewer(role=Role.RESIDENT, account_id=(await Account.get()).id, asked_at=NOW)
    (period,) = await Occupancy.all()
    await leave_dwelling(registry, me, period.dwelling_id, last_day=date(2026, 11, 20), visitor=DOOR, now=NOW)
    tokens, codes = [], []
    for serial in ("542361524", "542361599"):
        tokens.append(await _begin(application))
        await _answer(application, tokens[-1], *_ista(serial=serial))
        codes.append(await _code(application))
    done = await asyncio.gather(
        *(_answer(application, one, code) for one, code in zip(tokens, codes, strict=True)),
        return_exceptions=True,
    )
    (refused,) = [one for one in done if isinstance(one, BaseException)]
    assert isinstance(refused, RegistrationRefused)
    assert await Occupancy.filter(account_id=me.account_id, move_out=None).count() == 1


async def test_serials_are_tried_slowly(application: Application, key_encryption: KeyEncryption) -> None:
    """Fifteen serials an hour from one address, and one serial twenty times a day from wherever."""
    await describe(key_encryption, "ista")
    token = await _begin(application)
    for number in range(15):
        with pytest.raises(RegistrationRefused):
            await _answer(application, token, SerialAnswer(f"10000000{number % 10}"))
    with pytest.raises(RateLimited):
        await _answer(application, token, SerialAnswer("542361524"))
    for number in range(20):
        visitor = Visitor(f"198.51.100.{number}")
        with pytest.raises(RegistrationRefused):
            await flow.answer(application, token, SerialAnswer("999999999"), visitor=visitor, now=NOW)
    with pytest.raises(RateLimited):
        await flow.answer(
            application, token, SerialAnswer("999 999 999"), visitor=Visitor("198.51.100.99"), now=NOW
        )


_BY_REFERENCE = (
    CodeAnswer("50001369", FormName.BUILDING_CODE),
    ReferenceAnswer("5151 0008", FormName.DWELLING_REFERENCE),
)


@pytest.mark.requirement("C-14", "R-190")
async def test_a_described_tenant_with_the_end_of_a_lease_is_the_same_person(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """A list names no e-mail, and the lease's end in 2029: whoever registers sees the days from the first."""
    await describe(key_encryption, "ista")
    await Occupancy.create(
        dwelling_id=(await Dwelling.get(manager_reference="5151 0008")).id,
        kind=OccupancyKind.TENANT,
        move_in=date(2026, 5, 12),
        move_out=date(2029, 5, 12),
    )
    token = await _begin(application)
    await _answer(application, token, *_ista())
    await _answer(application, token, await _code(application))
    me = Viewer(role=Role.RESIDENT, account_id=(await Account.get()).id, asked_at=NOW)
    ((first_day, last_day),) = [(period.first_day, period.last_day) for period in await occupancy_periods(me)]
    assert (first_day, last_day) == (date(2026, 5, 12), date(2029, 5, 11))

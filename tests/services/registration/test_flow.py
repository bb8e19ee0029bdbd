"""core.services.registration.flow: concurrent answers, what is stored, and rate limits."""

import asyncio
import re
from contextlib import suppress
from datetime import date, timedelta

import pytest

from core.access import Role, Viewer, Visitor
from core.bootstrap import Application
from core.errors import RateLimited
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
from core.registration.machine import Attestation, PersonalData
from core.registration.refusals import RefusalCode, RegistrationRefused
from core.services.auth import passwords
from core.services.auth.rate_limits import RateLimiter
from core.services.occupancy.occupancies import leave_dwelling
from core.services.places.key_encryption import KeyEncryption
from core.services.registration import flow
from core.services.registration.activation import correct_email, redeem_temporary_password, send_again
from core.services.registration.rate_limits import MISSED_SERIALS_OF_OPERATOR
from core.services.shared.scope import occupancy_periods
from tests.support.registration import EMAIL, VISITOR, answer, begin, ista_answers, mailed_code
from tests.support.sign_up import NOW, describe, messages_to

SECRETS = ("542361524", "542 361 524", "Marciale", EMAIL, "Vierzon&Quimper&Lot7", "33611546587")


async def test_a_serial_that_is_found_is_no_miss(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Nor is one of a format that is never looked up: the operator's count is of misses alone."""
    await describe(key_encryption, "ista")
    misses = []
    for serial in ("H8CA029620", "700000000", "700000001", "542361524"):
        token = await begin(application)
        with suppress(RegistrationRefused):
            await answer(application, token, SerialAnswer(serial))
        operator_id = (await Registration.all().order_by("-id").first()).operator_id
        count = await RateLimiter.of(application).peek(MISSED_SERIALS_OF_OPERATOR, str(operator_id), now=NOW)
        misses.append(count.events)
    assert misses == [0, 1, 2, 2]


async def test_two_concurrent_answers_are_one(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Of two answers to one step the second is refused, and the registration moves one step."""
    await describe(key_encryption, "ista")
    token = await begin(application)
    await answer(application, token, SerialAnswer("542361524"))
    both = await asyncio.gather(
        *(answer(application, token, Attestation(attested=True)) for _ in range(2)), return_exceptions=True
    )
    refused = [one for one in both if isinstance(one, RegistrationRefused)]
    assert len(refused) <= 1
    assert all(one.refusal.code is RefusalCode.FORM_NOT_OFFERED for one in refused)
    assert (await Registration.get()).step == "PROFILE"


@pytest.mark.requirement("R-140", "C-12")
async def test_of_two_who_finish_at_once_one_gets_the_dwelling(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Both verify their mailbox at the same instant: one account, one occupancy, one refusal."""
    await describe(key_encryption, "ista")
    emails = ("one@example.org", "two@example.org")
    tokens = [await begin(application) for _ in emails]
    for token, email in zip(tokens, emails, strict=True):
        await answer(application, token, *ista_answers(email))
    codes = [await mailed_code(application, email) for email in emails]
    done = await asyncio.gather(
        *(answer(application, token, code) for token, code in zip(tokens, codes, strict=True)),
        return_exceptions=True,
    )
    (refused,) = [one for one in done if isinstance(one, RegistrationRefused)]
    assert refused.refusal.code is RefusalCode.DWELLING_ALREADY_REGISTERED
    assert (await Account.all().count(), await Occupancy.all().count()) == (1, 1)


async def test_five_tries_are_five_however_many_are_concurrent(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Of ten wrong codes at one instant five are checked."""
    await describe(key_encryption, "ista")
    token = await begin(application)
    await answer(application, token, *ista_answers())
    right = await mailed_code(application)
    wrong = VerificationAnswer("000000" if right.code != "000000" else "111111")
    done = await asyncio.gather(
        *(answer(application, token, wrong) for _ in range(10)), return_exceptions=True
    )
    codes = [one.refusal.code for one in done if isinstance(one, RegistrationRefused)]
    assert codes.count(RefusalCode.CODE_INVALID) == 5
    assert codes.count(RefusalCode.CODE_EXPIRED) == 5
    with pytest.raises(RegistrationRefused):
        await answer(application, token, right)


async def test_nothing_personal_is_audited_or_logged(
    application: Application, key_encryption: KeyEncryption, caplog: pytest.LogCaptureFixture
) -> None:
    """Acts are recorded with numbers; no name, address, serial, code or token is in them or in our log."""
    caplog.set_level("DEBUG", "core")
    await describe(key_encryption, "ista")
    token = await begin(application)
    await answer(application, token, *ista_answers())
    code = await mailed_code(application)
    with pytest.raises(RegistrationRefused) as refused:
        await answer(application, token, VerificationAnswer("12345x"))
    await answer(application, token, code)
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
    token = await begin(application)
    await answer(application, token, *ista_answers())
    await correct_email(application, token, "right@example.org", visitor=VISITOR, now=NOW)
    other = await begin(application)
    await answer(application, other, *ista_answers("other@example.org"))
    await flow.cancel(token, visitor=VISITOR, now=NOW)
    await flow.cancel(token, visitor=VISITOR, now=NOW)
    assert await Registration.all().count() == 1
    assert [one.recipient for one in await OutboxMessage.all()] == ["other@example.org"]
    acts = [one.act.value for one in await AuditRecord.all()]
    assert acts.count("REGISTRATION_CANCELLED") == 1


async def test_a_cancelled_registrations_password_is_refused(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """A temporary password that has been sent ends with its registration."""
    await describe(key_encryption, "ocea")
    token = await begin(application, "ocea")
    await answer(
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
        assert not await redeem_temporary_password(application, email, password, visitor=VISITOR, now=NOW)
    await flow.cancel(token, visitor=VISITOR, now=NOW)
    assert not await redeem_temporary_password(application, EMAIL, found[0], visitor=VISITOR, now=NOW)


async def test_e_mails_to_an_address_are_limited(
    application: Application, key_encryption: KeyEncryption, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six e-mails a day to one address, taken or not, whoever asks; the seventh costs no hash."""
    await describe(key_encryption, "ista")
    token, hashed = await begin(application), []
    monkeypatch.setattr(passwords, "hash_password", lambda text: hashed.append(text) or "a hash")
    await answer(application, token, *ista_answers())
    for _ in range(5):
        await correct_email(application, token, EMAIL, visitor=VISITOR, now=NOW)
    with pytest.raises(RateLimited):
        await correct_email(application, token, EMAIL.upper(), visitor=Visitor("198.51.100.9"), now=NOW)
    later = NOW + timedelta(hours=23)
    with pytest.raises(RateLimited):
        await correct_email(application, token, EMAIL, visitor=VISITOR, now=later)
    other = await begin(application)
    with pytest.raises(RateLimited):
        await answer(application, other, *ista_answers(serial="542361599"))
    assert len(hashed) == 1


@pytest.mark.requirement("R-221")
async def test_the_code_asked_for_twice_at_once_is_sent_once(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """A double click on «Renvoyer le code»: one further e-mail, and one refusal with the time to wait."""
    await describe(key_encryption, "ista")
    token = await begin(application)
    await answer(application, token, *ista_answers())
    later = NOW + timedelta(minutes=2)
    both = await asyncio.gather(
        *(send_again(application, token, visitor=VISITOR, now=later) for _ in range(2)),
        return_exceptions=True,
    )
    (refused,) = [one for one in both if isinstance(one, BaseException)]
    assert isinstance(refused, RegistrationRefused)
    assert refused.refusal.code is RefusalCode.CODE_RESEND_TOO_SOON
    assert len(await messages_to(EMAIL, application.settings)) == 2


@pytest.mark.requirement("R-222")
async def test_of_two_concurrent_corrections_of_the_address_one_is_kept(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Both e-mails are sent, and the code of the address that is kept is the valid one."""
    await describe(key_encryption, "ista")
    token = await begin(application)
    await answer(application, token, *ista_answers())
    emails = ("one@example.org", "two@example.org")
    await asyncio.gather(
        *(correct_email(application, token, one, visitor=VISITOR, now=NOW) for one in emails)
    )
    kept = (await Registration.get()).email
    assert kept in emails
    assert (await answer(application, token, await mailed_code(application, kept))).draft.step == "COMPLETE"


@pytest.mark.requirement("R-139", "C-12")
async def test_an_address_verified_for_two_dwellings_at_once_gets_one(
    application: Application, key_encryption: KeyEncryption, registry: Registry
) -> None:
    """A former occupant signs up for two homes with the same address, and finishes both at one instant."""
    await describe(key_encryption, "ista")
    token = await begin(application)
    await answer(application, token, *ista_answers())
    await answer(application, token, await mailed_code(application))
    me = Viewer(role=Role.RESIDENT, account_id=(await Account.get()).id, asked_at=NOW)
    (period,) = await Occupancy.all()
    last_day = date(2026, 11, 20)
    await leave_dwelling(application, me, period.dwelling_id, last_day=last_day, visitor=VISITOR, now=NOW)
    tokens, codes = [], []
    for serial in ("542361524", "542361599"):
        tokens.append(await begin(application))
        await answer(application, tokens[-1], *ista_answers(serial=serial))
        codes.append(await mailed_code(application))
    done = await asyncio.gather(
        *(answer(application, one, code) for one, code in zip(tokens, codes, strict=True)),
        return_exceptions=True,
    )
    (refused,) = [one for one in done if isinstance(one, BaseException)]
    assert isinstance(refused, RegistrationRefused)
    assert await Occupancy.filter(account_id=me.account_id, move_out=None).count() == 1


async def test_tries_of_serials_are_rate_limited(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Fifteen serials an hour from one address, and one serial twenty times a day from any address."""
    await describe(key_encryption, "ista")
    token = await begin(application)
    for number in range(15):
        with pytest.raises(RegistrationRefused):
            await answer(application, token, SerialAnswer(f"10000000{number % 10}"))
    with pytest.raises(RateLimited):
        await answer(application, token, SerialAnswer("542361524"))
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
    """A list has no e-mail, and the lease's end in 2029: whoever registers sees the days from the first."""
    await describe(key_encryption, "ista")
    await Occupancy.create(
        dwelling_id=(await Dwelling.get(manager_reference="5151 0008")).id,
        kind=OccupancyKind.TENANT,
        move_in=date(2026, 5, 12),
        move_out=date(2029, 5, 12),
    )
    token = await begin(application)
    await answer(application, token, *ista_answers())
    await answer(application, token, await mailed_code(application))
    me = Viewer(role=Role.RESIDENT, account_id=(await Account.get()).id, asked_at=NOW)
    ((first_day, last_day),) = [(period.first_day, period.last_day) for period in await occupancy_periods(me)]
    assert (first_day, last_day) == (date(2026, 5, 12), date(2029, 5, 11))

"""Registrations that a manager decides: by a reference alone, or for a dwelling that is taken."""

import re
from datetime import date

import pytest

from core.access import SYSTEM, Act, Role, Viewer
from core.bootstrap import Application
from core.errors import Conflict, Forbidden, NotFound
from core.models import (
    Account,
    AuditRecord,
    DwellingRequest,
    ManagedResidence,
    Occupancy,
    Operator,
    Registration,
    Residence,
)
from core.operators import OccupancyKind, Path
from core.registration.answers import (
    CodeAnswer,
    OccupancyAnswer,
    ReferenceAnswer,
    SerialAnswer,
)
from core.registration.forms import FormName
from core.registration.machine import Attestation, PersonalData
from core.services.occupancy.dwelling_request_views import list_dwelling_requests
from core.services.occupancy.dwelling_requests import decide
from core.services.places.key_encryption import KeyEncryption
from core.services.registration.activation import redeem_temporary_password
from tests.support.registration import EMAIL, VISITOR, answer, begin, ista_answers, mailed_code
from tests.support.sign_up import NOW, describe, messages_to

_BY_REFERENCE = (
    CodeAnswer("50001369", FormName.BUILDING_CODE),
    ReferenceAnswer("5151 0008", FormName.DWELLING_REFERENCE),
)


async def test_a_dwelling_taken_before_the_first_sign_in_makes_a_request(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Two with temporary passwords for one dwelling: the second to sign in is reviewed by a manager."""
    await describe(key_encryption, "ocea")
    for email in ("one@example.org", "two@example.org"):
        token = await begin(application, "ocea")
        await answer(
            application,
            token,
            OccupancyAnswer(OccupancyKind.TENANT),
            CodeAnswer("AA000", FormName.SITE_CODE),
            SerialAnswer("H8CA029620"),
            Attestation(attested=True),
            PersonalData("Martin", "Claire", email, privacy_acknowledged=True),
        )
    for email in ("one@example.org", "two@example.org"):
        ((_, mail),) = await messages_to(email, application.settings)
        found = re.search(r"[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}", mail.text)
        assert found
        assert await redeem_temporary_password(application, email, found[0], visitor=VISITOR, now=NOW)
    assert await Account.all().count() == 2
    assert await Occupancy.all().count() == 1
    assert [one.kind.value for one in await DwellingRequest.all()] == ["CONTESTED"]


@pytest.mark.requirement("C-40")
async def test_a_request_is_decided_once_by_a_manager(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """A reference alone makes a request; residents see no requests, and a request has one decision."""
    await describe(key_encryption, "ista")
    token = await begin(application)
    await answer(
        application,
        token,
        CodeAnswer("50001369", FormName.BUILDING_CODE),
        ReferenceAnswer("5151 0008", FormName.DWELLING_REFERENCE),
        *ista_answers()[1:],
    )
    assert (await Registration.get()).path is Path.DWELLING_REFERENCE
    assert (await answer(application, token, await mailed_code(application))).draft.step == "UNDER_REVIEW"
    resident = Viewer(role=Role.RESIDENT, account_id=(await Account.get()).id)
    with pytest.raises(Forbidden):
        await list_dwelling_requests(resident, now=NOW)
    (dwelling_request,) = await list_dwelling_requests(SYSTEM, now=NOW)
    assert (dwelling_request.kind.value, dwelling_request.occupancy) == ("REVIEW", OccupancyKind.TENANT)
    assert dwelling_request.dwelling == "01 · 03 · 00 · 01"
    with pytest.raises(Forbidden):
        await decide(application, resident, dwelling_request.id, approved=True, now=NOW)
    with pytest.raises(NotFound):
        await decide(application, SYSTEM, dwelling_request.id + 1, approved=True, now=NOW)
    await decide(application, SYSTEM, dwelling_request.id, approved=True, now=NOW)
    with pytest.raises(Conflict):
        await decide(application, SYSTEM, dwelling_request.id, approved=False, now=NOW)
    assert (await Occupancy.get()).move_in == date(2026, 5, 12)
    assert await list_dwelling_requests(SYSTEM, now=NOW) == []


@pytest.mark.requirement("C-40")
async def test_the_managers_are_notified_of_a_request(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Each manager of the residence, once a request, in the own language, with the home and no name."""
    await describe(key_encryption, "ista")
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
    token = await begin(application)
    await answer(application, token, *_BY_REFERENCE, *ista_answers()[1:])
    assert await messages_to("odile@example.org", application.settings) == []
    await answer(application, token, await mailed_code(application))
    ((_, french),) = await messages_to("odile@example.org", application.settings)
    ((_, english),) = await messages_to("olive@example.org", application.settings)
    assert "attend votre décision" in french.subject
    assert "waits for your decision" in english.subject
    for mail in (french, english):
        assert "01 · 03 · 00 · 01" in mail.text
        assert "Marciale" not in mail.text


@pytest.mark.requirement("R-139", "C-12", "C-40")
async def test_a_serial_replaces_a_request_that_waits(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """A second reference changes nothing; a serial withdraws the request and gives the dwelling."""
    await describe(key_encryption, "ista")
    token = await begin(application)
    await answer(application, token, *_BY_REFERENCE, *ista_answers()[1:])
    await answer(application, token, await mailed_code(application))
    assert await DwellingRequest.all().count() == 1
    again = await begin(application)
    await answer(application, again, *_BY_REFERENCE, *ista_answers()[1:])
    *_, (row, _) = await messages_to(EMAIL, application.settings)
    assert row.template == "registration_address_taken"
    proven = await begin(application)
    await answer(application, proven, *ista_answers())
    assert (await answer(application, proven, await mailed_code(application))).draft.step == "COMPLETE"
    assert await DwellingRequest.all().count() == 0
    assert await AuditRecord.filter(act=Act.DWELLING_REQUEST_WITHDRAWN).count() == 1
    assert (await Occupancy.get()).account_id == (await Account.get()).id

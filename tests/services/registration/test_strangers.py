"""Registration without an account: rate limits, what answers disclose, and what is found."""

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.access import Visitor, passwords
from core.bootstrap import Application
from core.consumption.fluids import Fluid
from core.errors import RateLimited
from core.language import Language
from core.models import Residence
from core.operators import OccupancyKind
from core.registration.answers import AddressAnswer, CodeAnswer, OccupancyAnswer, ReferenceAnswer
from core.registration.forms import FormName
from core.registration.machine import PersonalData
from core.registration.refusals import RefusalCode, RegistrationRefused
from core.services.places.key_encryption import KeyEncryption
from core.services.registration import flow
from core.services.registration.storage import RegistrationView
from tests.support.registration import answer, begin, ista_answers
from tests.support.sign_up import ISTA_DWELLING, NOW, OCEA_DWELLING, describe, meter


async def test_submissions_of_personal_data_are_limited(
    application: Application, key_encryption: KeyEncryption, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty times an hour in a registration: each has a password, whose check is expensive."""
    await describe(key_encryption, "ista")
    token, judged = await begin(application), []
    *steps, person = ista_answers()
    await answer(application, token, *steps)
    monkeypatch.setattr(passwords, "is_common", lambda _: judged.append(threading.current_thread()) or True)
    for number in range(40):
        with pytest.raises(RegistrationRefused if number < 30 else RateLimited):
            await answer(application, token, person)
    assert len(judged) == 30
    assert threading.main_thread() not in judged


async def _holds_own_data(application: Application, token: str, *numbers: str) -> list[bool]:
    """For each number, whether a password that contains it is refused for that reason."""
    reported = []
    for number in numbers:
        with pytest.raises(RegistrationRefused) as refused:
            await answer(
                application,
                token,
                PersonalData("Doe", "Jo", "x@example.org", phone="06 11 54 65 87", password=number),
            )
        criteria = {one.name: one.passed for one in refused.value.refusal.criteria}
        reported.append(not criteria["NOT_OWN_DATA"])
    return reported


@pytest.mark.requirement("C-40")
async def test_password_checks_do_not_disclose_serials(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """After a reference, which can be guessed, no password is refused for a serial; after a serial, one with
    any number of the dwelling is refused.
    """
    await describe(key_encryption, "ista")
    guessed, known = await begin(application), await begin(application)
    steps = ista_answers()[1:4]
    await answer(
        application,
        guessed,
        CodeAnswer("50001369", FormName.BUILDING_CODE),
        ReferenceAnswer("5151 0008", FormName.DWELLING_REFERENCE),
        *steps,
    )
    await answer(application, known, ista_answers()[0], *steps)
    numbers = ("542361524", "542361525", "48349952", "542361599", "50001369", "51510008")
    assert await _holds_own_data(application, guessed, *numbers) == [False] * 4 + [True] * 2
    assert await _holds_own_data(application, known, *numbers) == [True] * 3 + [False] + [True] * 2


async def test_password_checks_do_not_disclose_a_lot(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """A lot is checked against the password only where it was typed."""
    await describe(key_encryption, "ista", replace(ISTA_DWELLING, lot="10406"))
    token = await begin(application)
    await answer(
        application,
        token,
        CodeAnswer("50001369", FormName.BUILDING_CODE),
        ReferenceAnswer("5151 0008", FormName.DWELLING_REFERENCE),
        *ista_answers()[1:4],
    )
    assert await _holds_own_data(application, token, "10406") == [False]


@pytest.mark.requirement("R-146")
async def test_a_whole_building_signs_up_by_reference_in_a_day(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Forty homes without serials of nine digits: an existing home does not count as a miss."""
    homes = [replace(ISTA_DWELLING, number=f"{n:02}", manager_reference=f"5151 {n:04}") for n in range(40)]
    await describe(key_encryption, "ista", *(replace(one, meters=()) for one in homes))
    for number, one in enumerate(homes):
        await _refer(application, str(one.manager_reference), f"198.51.100.{number}")


async def test_misses_of_one_address_do_not_lock_a_building(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """Ten misses a day are allowed to one address and thirty to all: one address alone cannot use them up."""
    await describe(key_encryption, "ista")
    misses = 0
    for hour in range(24):
        for _ in range(6):
            with suppress(RateLimited):
                with pytest.raises(RegistrationRefused):
                    await _refer(application, "5151 9999", "203.0.113.66", NOW + timedelta(minutes=15 * hour))
                misses += 1
    assert misses == 10
    await _refer(application, "5151 0008", "198.51.100.1", NOW + timedelta(hours=6))


async def _refer(application: Application, reference: str, address: str, at: datetime = NOW) -> None:
    """Give a home's code and reference, from an address."""
    visitor = Visitor(address)
    view = await flow.start(application, "ista", language=Language.FR, visitor=visitor, now=at)
    assert view.token
    for one in (
        CodeAnswer("50001369", FormName.BUILDING_CODE),
        ReferenceAnswer(reference, FormName.DWELLING_REFERENCE),
    ):
        await flow.answer(application, view.token, one, visitor=visitor, now=at)


@pytest.mark.requirement("C-39")
async def test_every_residence_of_a_town_is_found_by_its_address(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """However many have the same postcode, and however the street is written in the list."""
    await describe(key_encryption, "ocea")
    operator_id = (await Residence.get()).operator_id
    streets = [f"{number} rue Haute" for number in range(1_199)] + ["7 allée de l'Étang"]
    await Residence.bulk_create(
        [
            Residence(
                operator_id=operator_id,
                code=f"ZZ{number:04}",
                name="",
                street=street,
                postcode="92400",
                city="Courbevoie",
                published_at=NOW,
            )
            for number, street in enumerate(streets)
        ]
    )
    token = await begin(application, "ocea")
    await answer(application, token, OccupancyAnswer(OccupancyKind.TENANT))
    view = await answer(application, token, AddressAnswer("92400", "allee etang"))
    assert [one.street for one in view.candidates] == ["7 allée de l'Étang"]
    view = await answer(application, token, AddressAnswer("92 400", "rue haute"))
    assert [one.street for one in view.candidates] == streets[:10]
    with pytest.raises(RegistrationRefused) as refused:
        await answer(application, token, AddressAnswer("92400", "rue basse"))
    assert refused.value.refusal.code is RefusalCode.RESIDENCE_NOT_FOUND


@pytest.mark.requirement("R-043")
async def test_the_kinds_of_device_are_those_of_the_residence(
    application: Application, key_encryption: KeyEncryption
) -> None:
    """With cold water meters alone, only that and «I do not know» are offered; before the residence is known,
    all kinds are.
    """
    gone = meter("71234567", "QDS-71234567-31-04", vendor="ista", fluid=Fluid.HEAT, removed_at=NOW)
    await describe(key_encryption, "ocea", replace(OCEA_DWELLING, meters=(*OCEA_DWELLING.meters, gone)))
    await describe(key_encryption, "ista")
    view = await flow.resume(application, await begin(application), now=NOW)
    assert _devices(view) == ["HOT_WATER", "COLD_WATER", "HEATING", "UNKNOWN"]
    view = await answer(
        application,
        await begin(application, "ocea"),
        OccupancyAnswer(OccupancyKind.TENANT),
        CodeAnswer("AA000", FormName.SITE_CODE),
    )
    assert _devices(view) == ["COLD_WATER", "UNKNOWN"]


def _devices(view: RegistrationView) -> list[str]:
    (field,) = [one for form in view.forms for one in form.fields if one.name == "device"]
    return [choice.value for choice in field.choices]

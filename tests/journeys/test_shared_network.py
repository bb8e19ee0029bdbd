"""A residents' evening behind one address, and guessers behind a hundred.

The counters are in memory: a database only finds serials, so PostgreSQL is given a short evening.
"""

import random

import httpx
import pytest
from starlette.types import ASGIApp

from core.bootstrap import Application
from core.models import Account, Registration
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import DwellingSpec
from graphql_schema.asgi import build_app
from tests.support.sign_up import NOW, Applicant, code_for, describe, meter

RESIDENTS = 60
RANGES = 3
"""So many times ten thousand numbers, from 542000000 on, hold all serials of the building."""
HALL = "203.0.113.7"


def serial_of(number: int) -> str:
    """Serials as they are in a building: near each other, and not without gaps."""
    return f"{542_000_000 + 457 * number:09d}"


async def building(key_encryption: KeyEncryption, operator: str) -> None:
    homes = [
        DwellingSpec(
            number=f"{number:02d}",
            lot=str(100 + number),
            manager_reference=f"5151 {number:04d}",
            meters=(meter(serial_of(number), f"IST-{22_000_000 + number}-31-07"),),
        )
        for number in range(RESIDENTS)
    ]
    await describe(key_encryption, operator, *homes)


@pytest.fixture
def app(application: Application) -> ASGIApp:
    return build_app(application, clock=lambda: NOW)


def from_address(app: ASGIApp, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://portal.test")


@pytest.mark.parametrize(
    ("database_url", "residents"), [("sqlite", RESIDENTS), ("postgresql", 10)], indirect=["database_url"]
)
async def test_sixty_residents_behind_one_address_sign_up_within_an_hour(
    application: Application, app: ASGIApp, key_encryption: KeyEncryption, residents: int
) -> None:
    """Nobody is asked to wait, though one in five mistypes the serial, and nobody's clock goes on; on
    PostgreSQL, where the same is counted, ten of them.
    """
    await building(key_encryption, "ista")
    async with from_address(app, HALL) as client:
        for number in range(residents):
            applicant = Applicant(client, "ista")
            await applicant.start()
            if number < residents // 5:
                wrong = await applicant.send("serial", serial=f"{int(serial_of(number)) + 1:09d}")
                assert wrong["code"] == "DEVICE_NOT_FOUND"
            await applicant.fill("serial", serial=serial_of(number))
            await applicant.fill("attestation", attested=True)
            await applicant.fill("profile", kind="TENANT", moveIn="2026-05-12")
            await applicant.fill("options")
            email = f"resident.{number}@example.org"
            await applicant.fill(
                "personalData",
                lastName="Martin",
                firstName="Claire",
                email=email,
                password="Vierzon&Quimper&Lot7",
                privacyAcknowledged=True,
            )
            code = await code_for(email, application)
            await applicant.fill("verification", verificationCode=code)
    assert await Account.all().count() == residents


@pytest.mark.parametrize(
    ("database_url", "seed"),
    [("sqlite", 4), ("postgresql", 11)],
    indirect=["database_url"],
)
@pytest.mark.parametrize("operator", ["ista", "ocea"])
async def test_a_guesser_from_a_hundred_addresses_finds_at_most_one_home(
    app: ASGIApp, key_encryption: KeyEncryption, operator: str, seed: int
) -> None:
    """In the whole stock and within a residence: six from each, twenty of ten thousand numbers.

    The serials of a building lie near each other, with gaps.
    """
    await building(key_encryption, operator)
    guesses = random.Random(seed).sample(range(542_000_000, 542_000_000 + 457 * RESIDENTS), 600)
    found = looked_up = 0
    for host in range(100):
        async with from_address(app, f"198.51.100.{host}") as client:
            applicant = Applicant(client, operator)
            await applicant.start()
            if operator == "ocea":
                await applicant.fill("occupancy", kind="TENANT")
                await applicant.fill("siteCode", code="AA000")
            for guess in guesses[host * 6 : host * 6 + 6]:
                answer = await applicant.send("serial", serial=f"{guess:09d}")
                looked_up += answer.get("code") != "RATE_LIMITED"
                if answer["__typename"] == "Registration":
                    found += 1
                    await applicant.act("goBackInRegistration")
    assert found <= 1
    assert looked_up <= 20 * RANGES + found


async def test_one_home_is_not_found_from_ever_new_addresses(
    app: ASGIApp, key_encryption: KeyEncryption
) -> None:
    """Twenty addresses a day find one home; whoever found it before still does."""
    await building(key_encryption, "ista")
    for host in range(21):
        async with from_address(app, f"198.51.100.{host}") as client:
            applicant = Applicant(client, "ista")
            await applicant.start()
            answer = await applicant.send("serial", serial=serial_of(0))
            assert answer.get("code") == ("RATE_LIMITED" if host == 20 else None)
    async with from_address(app, "198.51.100.0") as client:
        applicant = Applicant(client, "ista")
        await applicant.start()
        assert (await applicant.fill("serial", serial=serial_of(0)))["step"] == "ATTESTATION"


async def test_a_registration_finds_a_few_homes(app: ASGIApp, key_encryption: KeyEncryption) -> None:
    """One's own and a neighbour's by a slip; the sixth is not looked up, and the same again costs nothing."""
    await building(key_encryption, "ista")
    async with from_address(app, HALL) as client:
        applicant = Applicant(client, "ista")
        await applicant.start()
        for number in (0, 1, 2, 3, 0, 1, 2, 3, 4):
            await applicant.fill("serial", serial=serial_of(number))
            await applicant.act("rejectRegistrationDwelling")
        refused = await applicant.send("serial", serial=serial_of(5))
        assert refused["code"] == "RATE_LIMITED"
        assert (await Registration.get()).dwelling_id is None

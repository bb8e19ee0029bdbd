"""An attacker with thousands of guesses against one process: what gets through, and what is disclosed.

Counted, not timed: the guesses that are checked, and for each its answer, statements and hashes. The clock
stands still, so no limit runs out meanwhile. Each attack has more guesses than the limits that it meets.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from core.access.codes import make_token
from core.bootstrap import Application
from core.models import Account
from core.services.places.key_encryption import KeyEncryption
from graphql_schema.asgi import build_app
from tests.support import factories
from tests.support.attack import Guess, Work, watched
from tests.support.factories import NOW, PASSWORD
from tests.support.sign_up import OCEA_DWELLING, OCEA_NEIGHBOUR, Applicant, describe

ME = "claire.martin@example.org"
NOBODY = "claire.martin@example.com"
SIGN_IN = """mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) {
    ... on SignedIn { token } ... on Refusal { code }
  }
}"""
ASK_RESET = "mutation ($email: String!) { requestPasswordReset(email: $email) { ... on Refusal { code } } }"
RESET = """mutation ($token: String!) {
  resetPassword(token: $token, input: {newPassword: "Fleuve-77-Nord", confirmation: "Fleuve-77-Nord"}) {
    ... on Refusal { code }
  }
}"""
CONFIRM = "mutation ($code: String!) { confirmPhone(code: $code) { ... on Refusal { code } } }"
ASK_CODE = "mutation { requestPhoneCode { ... on Refusal { code } } }"
GIVE = "mutation ($code: String!) { verifySecondFactor(code: $code) { ... on Refusal { code } } }"

ANSWER = """mutation ($token: String!, $answer: RegistrationAnswer!) {
  answerRegistration(token: $token, answer: $answer) { ... on Refusal { code } }
}"""

LOOKED_AT = {"SIGN_IN_REFUSED", "CODE_INVALID", "DEVICE_NOT_FOUND"}
"""Answers to a guess that was checked and wrong; any other answer means that it was not checked."""


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    with watched(monkeypatch) as work:
        yield work


@pytest.fixture
def attack(application: Application, work: Work) -> Callable[..., Any]:
    """Sends one guess after the other, each from the address that is named; answers what came of them."""

    async def guesses(
        query: str, variables: list[dict[str, Any]], *, address: Callable[[int], str], **more: Any
    ) -> list[Guess]:
        app = build_app(application, clock=lambda: more.get("at", NOW))
        headers = {"Authorization": f"Bearer {more['token']}"} if "token" in more else {}
        found = []
        for number, values in enumerate(variables):
            transport = httpx.ASGITransport(app, client=(address(number), 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
                work.taken("")
                body = {"query": query, "variables": values}
                answer = (await client.post("/graphql", json=body, headers=headers)).json()
            assert "errors" not in answer, answer
            ((_, reported),) = answer["data"].items()
            found.append(work.taken(reported.get("code", "DONE")))
        return found

    return guesses


def botnet(number: int) -> str:
    """A thousand addresses, each used in turn."""
    return f"198.51.{number % 1000 // 250}.{number % 250}"


def one_host(_number: int) -> str:
    return "203.0.113.7"


def through(guesses: list[Guess]) -> int:
    return sum(guess.answer in LOOKED_AT for guess in guesses)


async def test_two_thousand_passwords_from_a_thousand_addresses(
    application: Application, attack: Any
) -> None:
    """Ten are checked for each e-mail address; the answers do not show which of the two has an account."""
    await factories.account()
    reported = {
        email: await attack(
            SIGN_IN,
            [{"email": email, "password": f"Guess-{number}"} for number in range(1_000)],
            address=botnet,
        )
        for email in (ME, NOBODY)
    }
    assert [through(guesses) for guesses in reported.values()] == [10, 10]
    assert sum(guess.hashes for guess in reported[ME]) == 10
    assert {guess.answer for guess in reported[ME][10:]} == {"ACCOUNT_LOCKED"}
    assert reported[ME] == reported[NOBODY]


async def test_the_right_password_among_the_guesses_is_not_found(
    application: Application, attack: Any
) -> None:
    """Once unknown devices are locked out, it gets the answer of wrong ones, at the same cost."""
    await factories.account()
    passwords = [f"Guess-{number}" for number in range(10)] + [PASSWORD, "Guess-11"]
    guesses = await attack(
        SIGN_IN, [{"email": ME, "password": password} for password in passwords], address=botnet
    )
    assert guesses[10] == guesses[11]
    assert guesses[10].hashes == 0


async def test_two_hundred_accounts_from_one_address(application: Application, attack: Any) -> None:
    """Thirty passwords are checked, whichever accounts they were for."""
    await factories.account()
    variables = [
        {"email": ME if number % 2 else f"x{number}@example.org", "password": "Water-2026"}
        for number in range(200)
    ]
    guesses = await attack(SIGN_IN, variables, address=one_host)
    assert through(guesses) <= 30
    assert sum(guess.hashes for guess in guesses) <= 30
    costs = {(guess.answer, guess.hashes, guess.statements) for guess in guesses[:10]}
    assert len(costs) == 1


async def test_a_hundred_and_twenty_codes(application: Application, attack: Any, sign_in: Any) -> None:
    """Five are checked for each code, twenty an hour over all codes: 1 in 50,000 an hour."""
    await factories.account()
    await Account.all().update(leak_by_sms=False, phone_e164="+33612345678", phone_confirmed_at=None)
    token, looked_at = await sign_in(), 0
    for minutes in range(6):
        at = NOW + timedelta(minutes=minutes)
        await attack(ASK_CODE, [{}], address=botnet, token=token, at=at)
        codes = [{"code": f"{number:06}"} for number in range(20)]
        guesses = await attack(CONFIRM, codes, address=botnet, token=token, at=at)
        looked_at += through(guesses)
        assert through(guesses) <= 5
        assert {guess.answer for guess in guesses} <= {"CODE_INVALID", "CODE_EXPIRED", "RATE_LIMITED", "DONE"}
    assert looked_at <= 20


async def test_a_hundred_second_factors(application: Application, attack: Any, sign_in: Any) -> None:
    """Ten are checked in a quarter of an hour, though the password is known."""
    await factories.account()
    await Account.all().update(
        second_factor_since=NOW, second_factor_encrypted=await _encrypted_secret(application)
    )
    token = await sign_in()
    codes = [{"code": f"{number:06}"} for number in range(100)]
    assert through(await attack(GIVE, codes, address=botnet, token=token)) <= 10


async def test_three_hundred_links_of_forgotten_passwords(application: Application, attack: Any) -> None:
    """Requested or guessed: the same answers and the same work, whether the account exists or not."""
    await factories.account()
    asked = {
        email: await attack(ASK_RESET, [{"email": email}] * 100, address=botnet) for email in (ME, NOBODY)
    }
    assert asked[ME] == asked[NOBODY]
    assert [guess.answer for guess in asked[ME]].count("DONE") == 3
    guesses = await attack(RESET, [{"token": make_token("smf_")} for _ in range(100)], address=one_host)
    assert [guess.answer for guess in guesses].count("CODE_EXPIRED") <= 20
    assert {guess.answer for guess in guesses} == {"CODE_EXPIRED", "RATE_LIMITED"}


async def test_three_hundred_serials_at_a_residence(
    application: Application, key_encryption: KeyEncryption, attack: Any
) -> None:
    """Sixty are checked an hour, from any number of addresses; another residence's serial is a wrong one."""
    elsewhere = "H8CA029621"
    await describe(key_encryption, "ocea", OCEA_DWELLING)
    await describe(key_encryption, "ocea", OCEA_NEIGHBOUR, code="BB111")
    token = await _at_residence(application, "AA000")
    guesses = await attack(
        ANSWER,
        [_serial(token, elsewhere if number % 2 else f"H8CA9{number:05}") for number in range(30)]
        + [_serial(token, f"H8CA8{number:05}") for number in range(270)],
        address=botnet,
    )
    assert len({(guess.answer, guess.statements) for guess in guesses[:20]}) == 1
    assert through(guesses) <= 60
    assert {guess.answer for guess in guesses} == {"DEVICE_NOT_FOUND", "RATE_LIMITED"}


async def test_a_hundred_serials_from_one_address(
    application: Application, key_encryption: KeyEncryption, attack: Any
) -> None:
    """Fifteen are checked an hour where the whole stock is searched."""
    await describe(key_encryption, "ista")
    token = await _started(application, "ista")
    serials = [_serial(token, f"{700_000_000 + number}") for number in range(100)]
    assert through(await attack(ANSWER, serials, address=one_host)) <= 15


async def test_two_hundred_near_serials_from_as_many_addresses(
    application: Application, key_encryption: KeyEncryption, attack: Any
) -> None:
    """Twenty of ten thousand consecutive numbers are checked an hour; whoever has another is not affected."""
    await describe(key_encryption, "ista")
    token = await _started(application, "ista")
    serials = [_serial(token, f"{700_000_000 + number}") for number in range(200)]
    guesses = await attack(ANSWER, serials, address=botnet)
    assert [guess.answer for guess in guesses[:20]] == ["DEVICE_NOT_FOUND"] * 20
    assert {guess.answer for guess in guesses[20:]} == {"RATE_LIMITED"}
    (found,) = await attack(ANSWER, [_serial(token, "542361524")], address=botnet)
    assert found.answer == "DONE"


async def test_a_thousand_serials_from_a_thousand_addresses(
    application: Application, key_encryption: KeyEncryption, attack: Any
) -> None:
    """Three hundred misses an hour are checked in an operator's whole stock, however many addresses guess;
    then a right one is answered as a wrong one. An hour later it is found, and another operator's residents
    are not affected.
    """
    await describe(key_encryption, "ista")
    await describe(key_encryption, "ocea", OCEA_DWELLING)
    token, elsewhere = await _started(application, "ista"), await _at_residence(application, "AA000")
    serials = [_serial(token, f"{600_000_000 + 10_000 * number}") for number in range(1_000)]
    guesses = await attack(ANSWER, serials, address=botnet)
    assert [guess.answer for guess in guesses[:300]] == ["DEVICE_NOT_FOUND"] * 300
    assert {guess.answer for guess in guesses[300:]} == {"RATE_LIMITED"}
    right, wrong = await attack(
        ANSWER, [_serial(token, "542361524"), _serial(token, "799999999")], address=botnet
    )
    assert right == wrong
    (neighbour,) = await attack(ANSWER, [_serial(elsewhere, "H8CA900001")], address=botnet)
    assert neighbour.answer == "DEVICE_NOT_FOUND"
    later = NOW + timedelta(minutes=76)  # an hour, and the quarter that a window may hold beside it
    (found,) = await attack(ANSWER, [_serial(token, "542361524")], address=botnet, at=later)
    assert found.answer == "DONE"


def _serial(token: str, serial: str) -> dict[str, Any]:
    return {"token": token, "answer": {"serial": {"serial": serial, "device": "UNKNOWN"}}}


async def _started(application: Application, operator: str) -> str:
    transport = httpx.ASGITransport(build_app(application, clock=lambda: NOW), client=("192.0.2.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
        applicant = Applicant(client, operator)
        await applicant.start()
    return applicant.token


async def _at_residence(application: Application, code: str) -> str:
    transport = httpx.ASGITransport(build_app(application, clock=lambda: NOW), client=("192.0.2.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
        applicant = Applicant(client, "ocea")
        await applicant.start()
        await applicant.fill("occupancy", kind="TENANT")
        await applicant.fill("siteCode", code=code)
    return applicant.token


@pytest.fixture
def sign_in(application: Application) -> Callable[..., Any]:
    """The token of a session of Claire's."""

    async def token(at: datetime = NOW) -> str:
        app = build_app(application, clock=lambda: at)
        transport = httpx.ASGITransport(app, client=("192.0.2.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
            body = {"query": SIGN_IN, "variables": {"email": ME, "password": PASSWORD}}
            answer = (await client.post("/graphql", json=body)).json()
        return str(answer["data"]["signIn"]["token"])

    return token


async def _encrypted_secret(application: Application) -> bytes:
    from core.services.accounts import second_factor  # noqa: PLC0415 - a secret whose codes nobody here knows

    account = await Account.get()
    secret = b"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    return second_factor._encryption(application.settings).encrypt(
        secret, bound_to=second_factor.second_factor_bound_to(account.id)
    )

"""People at the portal: sign up or are invited, read e-mails from a real server, ask for data."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx
import pyotp

from core.access import SYSTEM
from core.bootstrap import Application
from core.services.portfolio.invitations import invite_staff
from notifications.worker import OutboxWorker, ways_of
from tests.support.servers.post import Mailbox
from tests.support.sign_up import Applicant

PASSWORD = "Vierzon&Quimper&Lot7"
ENTRY = """
  __typename
  ... on SignedIn { token state viewer { email } }
  ... on Refusal { code message }
"""
SIGN_IN = f"""mutation ($email: String!, $password: String!) {{
  it: signIn(input: {{email: $email, password: $password}}) {{ {ENTRY} }}
}}"""
CHANGE = f"""mutation ($old: String!, $new: String!) {{
  it: changePassword(password: $old, input: {{newPassword: $new, confirmation: $new}}) {{ {ENTRY} }}
}}"""
TERMS = "{ viewer { termsVersion } }"
ACCEPT_TERMS = """mutation ($version: String!) { acceptTerms(version: $version) {
    ... on AccountChanged { viewer { state } }
    ... on Refusal { code field } } }"""
START_FACTOR = """mutation ($password: String!) {
  it: startSecondFactor(password: $password) { ... on SecondFactorStarted { secret } }
}"""
CONFIRM_FACTOR = """mutation ($code: String!) { it: confirmSecondFactor(code: $code) {
  __typename ... on SecondFactorEnrolled { signedIn { token state } } ... on Refusal { code message }
} }"""
DASHBOARD = """{ viewer { firstName dwellings {
  id number occupancy visibleFrom visibleUntil consent { answer }
  meters { serial }
  dashboard { fluid lastReadingAt }
} } }"""
DAYS = """query ($id: ID!, $from: Date, $to: Date, $first: Month, $last: Month) { dwelling(id: $id) {
  days: dailyConsumption(fluid: COLD_WATER, from: $from, to: $to) { day amount { smallest } }
  months: monthlyConsumption(fluid: COLD_WATER, from: $first, to: $last) {
    month amount { smallest } daysWithData complete
  }
} }"""


@dataclass
class PostBox:
    """An SMTP server, and the outbox worker that sends to it."""

    box: Mailbox
    application: Application
    clock: Callable[[], datetime]

    @classmethod
    def at(
        cls, port: int, box: Mailbox, application: Application, clock: Callable[[], datetime]
    ) -> "PostBox":
        mine = replace(
            application.settings,
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_security="PLAIN",
            mail_from="Portail <portail@example.org>",
        )
        return cls(box, replace(application, settings=mine), clock)

    async def mails_to(self, email: str) -> list[str]:
        """Send what is due; answers all e-mails that somebody has received."""
        await OutboxWorker(self.application, ways_of(self.application.settings), clock=self.clock).send_due()
        return self.box.texts_to(email)

    async def code_for(self, email: str) -> str:
        return _last(r"\b\d{6}\b", await self.mails_to(email))

    async def temporary_password_for(self, email: str) -> str:
        return _last(r"\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}\b", await self.mails_to(email))


@dataclass
class Resident:
    """Somebody with an address and the token of a session."""

    client: httpx.AsyncClient
    email: str
    token: str = field(default="", repr=False)

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = await self.body(query, **variables)
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    async def body(self, query: str, **variables: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        response = await self.client.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers
        )
        self.client.cookies.clear()
        body: dict[str, Any] = response.json()
        return body

    async def refusal(self, query: str, **variables: Any) -> str:
        code: str = (await self.body(query, **variables))["errors"][0]["extensions"]["code"]
        return code

    async def enter(self, password: str = PASSWORD) -> dict[str, Any]:
        """Sign in; whatever the answer is."""
        self.token = ""
        return self._entered((await self.ask(SIGN_IN, email=self.email, password=password))["it"])

    async def change_password(self, old: str, new: str) -> dict[str, Any]:
        return self._entered((await self.ask(CHANGE, old=old, new=new))["it"])

    async def accept_terms(self) -> str:
        """Accept the terms in force; answers the state of the session."""
        version = (await self.ask(TERMS))["viewer"]["termsVersion"]
        state: str = (await self.ask(ACCEPT_TERMS, version=version))["acceptTerms"]["viewer"]["state"]
        return state

    async def enrol_second_factor(self, now: datetime, password: str = PASSWORD) -> str:
        """Set up an authenticator app; answers the state of the session."""
        secret = (await self.ask(START_FACTOR, password=password))["it"]["secret"]
        done = (await self.ask(CONFIRM_FACTOR, code=pyotp.TOTP(secret).at(now)))["it"]
        state: str = self._entered(done["signedIn"])["state"]
        return state

    async def home(self) -> dict[str, Any]:
        (dwelling,) = (await self.ask(DASHBOARD))["viewer"]["dwellings"]
        return dict(dwelling)

    def _entered(self, answer: dict[str, Any]) -> dict[str, Any]:
        self.token = answer.get("token", self.token)
        return answer


async def sign_up_with_ista(
    client: httpx.AsyncClient, post: PostBox, email: str, *, move_in: str, serial: str = "542 361 524"
) -> Resident:
    """The whole journey, up to a session that is ready."""
    applicant = Applicant(client, "ista")
    await applicant.start()
    await applicant.fill("serial", serial=serial)
    await applicant.fill("attestation", attested=True)
    await applicant.fill("profile", kind="TENANT", moveIn=move_in)
    await applicant.fill("options")
    await applicant.fill(
        "personalData",
        lastName="Durand",
        firstName="Dominique",
        email=email,
        password=PASSWORD,
        privacyAcknowledged=True,
    )
    done = await applicant.fill("verification", verificationCode=await post.code_for(email))
    assert done["step"] == "COMPLETE", done
    resident = Resident(client, email)
    assert (await resident.enter())["state"] == "READY"
    return resident


async def sign_up_with_ocea(
    client: httpx.AsyncClient, post: PostBox, email: str, *, move_in: str, serial: str = "H8CA029620"
) -> Resident:
    """The whole journey of a tenant of AA000, up to a session that is ready."""
    applicant = Applicant(client, "ocea")
    await applicant.start()
    await applicant.fill("occupancy", kind="TENANT")
    await applicant.fill("siteCode", code="AA000")
    await applicant.fill("serial", serial=serial)
    await applicant.fill("attestation", attested=True, moveIn=move_in)
    await applicant.fill(
        "personalData", lastName="Martin", firstName="Claire", email=email, privacyAcknowledged=True
    )
    resident = Resident(client, email)
    await _own_password(resident, await post.temporary_password_for(email))
    assert await resident.accept_terms() == "READY"
    return resident


async def invited_staff(
    client: httpx.AsyncClient,
    post: PostBox,
    email: str,
    *,
    operator: str = "ocea",
    factor: bool = True,
) -> Resident:
    """Staff of an operator, invited by its command line, up to a session that is ready.

    Without `factor`, up to the question for a second one.
    """
    now = post.clock()
    await invite_staff(
        post.application.settings,
        SYSTEM,
        email=email,
        operator_code=operator,
        first_name="Nadia",
        last_name="Petit",
        now=now,
    )
    staff = Resident(client, email)
    state = await _own_password(staff, await post.temporary_password_for(email))
    assert state == "MUST_ENROL_SECOND_FACTOR"
    if factor:
        state = await staff.enrol_second_factor(now)
        assert state in {"MUST_ACCEPT_TERMS", "READY"}
        assert state == "READY" or await staff.accept_terms() == "READY"
    return staff


async def _own_password(person: Resident, temporary: str) -> str:
    assert (await person.enter(temporary))["state"] == "MUST_CHANGE_PASSWORD"
    state: str = (await person.change_password(temporary, PASSWORD))["state"]
    return state


def _last(pattern: str, mails: list[str]) -> str:
    found = re.findall(pattern, mails[-1])
    assert found, mails[-1]
    return str(found[0])

"""A resident at the registration form, who knows only what the answers and the flyer contain.

The one rule: forms are filled by the names that the last answer gave, so a journey that passes shows that a
frontend needs no knowledge of its own.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from core.access import SYSTEM
from core.bootstrap import Application
from core.consumption.fluids import Fluid
from core.models import OutboxMessage
from core.services.messaging.account_messages import opened_values
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import DwellingSpec, MeterSpec, ResidenceSpec
from core.services.portfolio.portfolio import upsert_residence
from core.settings import Settings
from notifications.texts.render import Message, render

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

EMAIL = "marcialemars@example.org"
PASSWORD = "Vierzon&Quimper&Lot7"
PERSON = {
    "lastName": "Marciale",
    "firstName": "Marseille",
    "email": EMAIL,
    "password": PASSWORD,
    "privacyAcknowledged": True,
}
SERIAL = "542 361 524"

STATE = """
  __typename
  ... on Registration {
    token operator step expiresAt
    stages { title done current }
    forms {
      name title hint
      fields {
        name kind required example pattern label help
        choices { value label explanation }
      }
    }
    confirmation { title lines { label value known } }
    candidates { id name street postcode city }
    screen { title text }
  }
  ... on Refusal { code fr: message(language: FR) en: message(language: EN) field retryAfter }
  ... on SerialRefused { fallback }
  ... on PasswordTooWeak { criteria { name passed label } }
  ... on CodeInvalid { attemptsLeft }
"""
START = f"mutation ($operator: String!) {{ it: startRegistration(operator: $operator) {{ {STATE} }} }}"
ANSWER = (
    "mutation ($token: String!, $answer: RegistrationAnswer!)"
    f" {{ it: answerRegistration(token: $token, answer: $answer) {{ {STATE} }} }}"
)


@dataclass
class Applicant:
    """Somebody who registers with an operator over HTTP."""

    client: httpx.AsyncClient
    operator: str
    token: str = field(default="", repr=False)
    last: dict[str, Any] = field(default_factory=dict)

    async def post(self, query: str, **variables: Any) -> dict[str, Any]:
        response = await self.client.post("/graphql", json={"query": query, "variables": variables})
        body: dict[str, Any] = response.json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def start(self) -> dict[str, Any]:
        self.last = (await self.post(START, operator=self.operator))["it"]
        assert self.last["__typename"] == "Registration", self.last
        self.token = self.last["token"]
        return self.last

    async def send(self, form: str, **values: Any) -> dict[str, Any]:
        """Answer with a form, whatever the result."""
        answer = (await self.post(ANSWER, token=self.token, answer={form: values}))["it"]
        if answer["__typename"] == "Registration":
            self.last = answer
        return answer

    async def fill(self, form: str, **values: Any) -> dict[str, Any]:
        """Answer with a form that was offered, by fields that it has; it must be taken."""
        offered = {one["name"]: one for one in self.last["forms"]}
        assert form in offered, f"{form} is not among {sorted(offered)}"
        fields = {one["name"]: one for one in offered[form]["fields"]}
        assert set(values) <= set(fields), f"{form} has {sorted(fields)}"
        assert {name for name, one in fields.items() if one["required"]} <= set(values), fields
        answer = await self.send(form, **values)
        assert answer["__typename"] == "Registration", answer
        return answer

    async def act(self, mutation: str, **arguments: str) -> dict[str, Any]:
        """One of the mutations that take the token and answer a registration."""
        declared = "".join(f", ${name}: String!" for name in arguments)
        passed = "".join(f", {name}: ${name}" for name in arguments)
        query = (
            f"mutation ($token: String!{declared}) {{ it: {mutation}(token: $token{passed}) {{ {STATE} }} }}"
        )
        answer = (await self.post(query, token=self.token, **arguments))["it"]
        if answer["__typename"] == "Registration":
            self.last = answer
        return answer


async def messages_to(email: str, settings: Settings) -> list[tuple[OutboxMessage, Message]]:
    """The messages of an address in the outbox, decrypted as the worker does."""
    rows = await OutboxMessage.filter(recipient=email).order_by("id")
    return [(row, render(row.template, row.language, opened_values(row, settings))) for row in rows]


def meter(
    serial: str,
    address: str,
    *,
    vendor: str = "ista",
    fluid: Fluid = Fluid.COLD_WATER,
    removed_at: datetime | None = None,
) -> MeterSpec:
    return MeterSpec(
        fluid=fluid,
        vendor=vendor,
        printed_serial=serial,
        radio_address=address,
        installed_at=datetime(2024, 1, 1, tzinfo=UTC),
        removed_at=removed_at,
        register_capacity=None if fluid is Fluid.HEAT else 100_000_000,
    )


ISTA_DWELLING = DwellingSpec(
    building="01",
    staircase="03",
    floor="00",
    number="01",
    manager_reference="5151 0008",
    meters=(
        meter("542 361 524", "IST-22705729-A9-04", fluid=Fluid.HEAT),
        meter("542361525", "IST-22705730-31-07"),
        meter("48349952", "ITW-48349952-00-07", vendor="itron"),
    ),
)
ISTA_NEIGHBOUR = DwellingSpec(
    building="01",
    staircase="03",
    floor="00",
    number="02",
    manager_reference="5151 0009",
    meters=(meter("542361599", "IST-22705799-31-07"),),
)
OCEA_DWELLING = DwellingSpec(
    building="A",
    staircase="1",
    floor="2",
    number="12",
    lot="104",
    meters=(meter("H8CA029620", "SAP-21131C34-0C-04", vendor="ocea"),),
)
OCEA_NEIGHBOUR = DwellingSpec(
    building="A",
    staircase="1",
    floor="2",
    number="13",
    lot="105",
    meters=(meter("H8CA029621", "SAP-21131C35-0C-04", vendor="ocea"),),
)


async def describe(
    key_encryption: KeyEncryption,
    operator: str,
    *dwellings: DwellingSpec,
    code: str = "",
    name: str | None = None,
    published: bool = True,
    remote: bool = True,
    option: bool = True,
) -> int:
    """A residence of an operator, as the guides show one; answers its number."""
    ocea = operator == "ocea"
    return await upsert_residence(
        SYSTEM,
        ResidenceSpec(
            operator_code=operator,
            operator_name=operator,
            code=code or ("AA000" if ocea else "50001369"),
            name=name if name is not None else ("Résidence Les Tilleuls" if ocea else ""),
            street="1 place Victor Hugo" if ocea else "RUE DE LA GARNISON BATIMENT D",
            postcode="92400" if ocea else "34300",
            city="Courbevoie" if ocea else "LE CAP D AGDE",
            published_at=NOW if published else None,
            remote_reading=remote,
            resident_portal_option=option,
            dwellings=dwellings
            or ((OCEA_DWELLING, OCEA_NEIGHBOUR) if ocea else (ISTA_DWELLING, ISTA_NEIGHBOUR)),
        ),
        key_encryption=key_encryption,
        now=NOW,
    )


async def to_options(applicant: Applicant) -> None:
    """Fill ista's forms up to the options."""
    await applicant.fill("serial", serial=SERIAL)
    await applicant.fill("attestation", attested=True)
    await applicant.fill("profile", kind="TENANT", moveIn="2024-05-12")


async def to_verification(applicant: Applicant, **changes: Any) -> None:
    """Fill ista's forms up to the six digits; `changes` are to the personal data."""
    await to_options(applicant)
    await applicant.fill("options")
    await applicant.fill("personalData", **{**PERSON, **changes})


async def code_for(email: str, application: Application) -> str:
    """The six digits of the last e-mail to an address."""
    *_, (_, mail) = await messages_to(email, application.settings)
    found = re.search(r"\b\d{6}\b", mail.text)
    assert found
    return found[0]


def refused(
    answer: dict[str, Any], code: str, field: str | None = None, kind: str = "RequestRefused"
) -> None:
    """The answer is this refusal, and says so in French and in English."""
    assert (answer["__typename"], answer["code"], answer["field"]) == (kind, code, field), answer
    assert answer["fr"]
    assert answer["en"]
    assert answer["fr"] != answer["en"]

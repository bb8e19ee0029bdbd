"""Claire's home with readings, an operator that can sign, and papers as a client gets them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from asn1crypto import x509

from core.bootstrap import Application
from core.documents.signing import make_identity, path_of
from core.models import Dwelling
from graphql_schema.base.relay import global_id
from tests.graphql.conftest import WATER
from tests.support import factories
from tests.support.factories import NOW
from tests.support.signatures import certificate_at

PAPER = "kind code verificationUrl side firstDay lastDay issuedAt keptUntil name mediaType size sha256"
FILE = f"""... on IssuedPaperFile {{ paper {{ {PAPER} }} url urlExpiresAt }}
  ... on Refusal {{ code field detail retryAfter }}"""
CERTIFY = f"""mutation ($dwelling: ID!, $day: Date!, $language: Language) {{
  issueIndexCertificate(input: {{dwelling: $dwelling, day: $day, language: $language}}) {{ {FILE} }} }}"""
OPEN = f"mutation ($code: String!) {{ openIssuedPaper(code: $code) {{ {FILE} }} }}"
PAPERS = "query ($dwelling: ID!) { dwelling(id: $dwelling) { issuedPapers { code side lastDay kind } } }"


@pytest.fixture
def trusted(application: Application) -> x509.Certificate:
    """The certificate of Claire's operator, which can sign."""
    path = path_of(application.settings, factories.OPERATOR)
    make_identity(path, "OCEA Smart Building", now=NOW)
    return certificate_at(path, now=NOW)


@pytest.fixture
async def signing_home(home: Any, trusted: x509.Certificate) -> Any:
    """Claire's home: its water meter was read on each of the last days, its heat meter never."""
    await home.read(WATER, [(NOW - timedelta(days=days), 12_345 - 100 * days) for days in range(3, -1, -1)])
    return home


@pytest.fixture
def dwelling_id(application: Application) -> Callable[[], Awaitable[str]]:
    async def found() -> str:
        return global_id("Dwelling", (await Dwelling.get()).id)

    return found


async def fetched(portal: Any, file: dict[str, Any]) -> bytes:
    """What the link of a paper gives, as a browser follows it."""
    response = await portal.client.get(file["url"])
    assert response.status_code == 200, response.text
    content: bytes = response.content
    return content

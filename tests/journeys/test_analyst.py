"""An analyst from the invitation to statistics."""

from typing import Any

import pytest

from core.access import SYSTEM, Role
from core.models import Operator
from core.services.analysis.publication import publish_due
from core.services.portfolio.invitations import invite
from core.services.portfolio.portfolio import upsert_operator
from tests.support.analyses import Home, add_residence
from tests.support.journey import PASSWORD, Resident

ADA = "ada@example.org"
ROWS = """query ($by: Boolean!) { analysis { consumption(first: 200, filter: {byResidence: $by}) {
  edges { node { residence { code } classes dwellings mean median } } } } }"""
ISSUE = """mutation { createAccessToken(name: "script", scopes: [ANALYSES]) {
  ... on AccessTokenIssued { token } } }"""


@pytest.fixture
async def ada(client: Any, post: Any, clock: Any) -> Resident:
    """Invited by the operator's command line; a password of her own, the terms, and no second factor."""
    await upsert_operator(SYSTEM, code="ocea", name="OCEA Smart Building")
    await invite(
        post.application.settings,
        SYSTEM,
        role=Role.ANALYST,
        email=ADA,
        operator_code="ocea",
        first_name="Ada",
        last_name="Lovelace",
        now=clock(),
    )
    ada = Resident(client, ADA)
    temporary = await post.temporary_password_for(ADA)
    assert (await ada.enter(temporary))["state"] == "MUST_CHANGE_PASSWORD"
    assert await ada.refusal("{ analysis { months } }") == "MUST_CHANGE_PASSWORD"
    assert (await ada.change_password(temporary, PASSWORD))["state"] == "MUST_ACCEPT_TERMS"
    assert await ada.accept_terms() == "READY"
    return ada


async def rows(ada: Resident, *, by_residence: bool) -> list[dict[str, Any]]:
    answer = await ada.ask(ROWS, by=by_residence)
    return [edge["node"] for edge in answer["analysis"]["consumption"]["edges"]]


async def test_an_invited_analyst_reads_statistics(ada: Resident, post: Any, clock: Any) -> None:
    """In a session and by a token for programs; the mail names the operator and asks for no second factor."""
    await add_residence("A", [Home(100)] * 8)
    await publish_due(now=clock())
    found = await rows(ada, by_residence=True)
    assert {row["residence"]["code"] for row in found} == {"A"}
    ada.token = (await ada.ask(ISSUE))["createAccessToken"]["token"]
    assert await rows(ada, by_residence=True) == found
    (mail, *_) = await post.mails_to(ADA)
    assert "OCEA Smart Building" in mail
    assert await Operator.all().count() == 1

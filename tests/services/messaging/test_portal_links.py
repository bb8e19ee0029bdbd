"""Links in e-mails lead to the portal of the operator."""

from dataclasses import replace

import pytest

from core.access import SYSTEM, Role, Viewer
from core.access.sessions import TokenScope
from core.bootstrap import Application
from core.models import Account, Channel
from core.services.accounts.access_tokens import issue_token
from core.services.accounts.password_change import NewPassword, ask_for_reset, reset_password
from core.services.messaging.delivery import claim_next
from core.services.portfolio.descriptions import AccountSpec
from core.services.portfolio.portfolio import upsert_account, upsert_operator
from tests.support.factories import NOW, PASSWORD

NEW = "Another-Horse-43"


@pytest.fixture
def portals(application) -> Application:
    """An application of three operators, one whose profile names no portal and one that the setting moves."""
    ista = next(one for one in application.registry.operators if one.profile.code == "ista")
    quiet = replace(ista, profile=replace(ista.profile, code="quiet", portal_url=""))
    registry = replace(application.registry, operators=(*application.registry.operators, quiet))
    settings = replace(application.settings, portal_url="ista=https://ista.example.org/")
    return Application(settings, registry)


async def links_of(application, visitor, operator: str) -> dict[str, str]:
    """The links in a resident's e-mails: after issuing a token, requesting a reset, changing the password."""
    email = f"resident@{operator}.example.org"
    await upsert_operator(SYSTEM, code=operator, name=operator)
    spec = AccountSpec(operator, email, PASSWORD, first_name="Claire", last_name="Martin")
    account_id = await upsert_account(SYSTEM, spec, now=NOW)
    account = await Account.get(id=account_id)
    viewer = Viewer(role=Role.RESIDENT, account_id=account_id, operator_id=account.operator_id)
    scopes = [TokenScope.ALERTS]
    await issue_token(application, viewer, name="Home", scopes=scopes, visitor=visitor, now=NOW)
    await ask_for_reset(application, email, visitor=visitor, now=NOW)
    links = {}
    while message := await claim_next(application, "tests", [Channel.EMAIL], now=NOW):
        links[message.template] = str(message.values["link"])
        if message.template == "password_reset":
            token = links["password_reset"].partition("#")[2]
            await reset_password(application, token, NewPassword(NEW, NEW), visitor=visitor, now=NOW)
    return links


@pytest.mark.parametrize(
    ("operator", "portal"),
    [
        ("ocea", "https://espace-resident.ocea-sb.com/"),
        ("ista", "https://ista.example.org"),
        ("quiet", "http://127.0.0.1:8000"),
        ("unknown", "http://127.0.0.1:8000"),
    ],
)
async def test_links_lead_to_the_operators_own_portal(portals, visitor, operator, portal) -> None:
    """To the one of SUBMETER_PORTAL_URL, else of the profile; without either, to the server itself."""
    links = await links_of(portals, visitor, operator)
    pages = portal.rstrip("/")
    assert links.pop("password_reset").startswith(f"{pages}/reset-password#smf_")
    assert links == {"token_issued": portal, "password_changed": f"{pages}/forgotten-password"}


async def test_one_portal_may_be_set_for_all_operators(portals) -> None:
    """SUBMETER_PORTAL_URL wins over every profile, and one of an operator over that for all."""
    moved = replace(portals.settings, portal_url="https://all.example.org ista=https://ista.example.org")
    application = Application(moved, portals.registry)
    assert application.portal_link("ocea", "/a") == "https://all.example.org/a"
    assert application.portal_link("ista", "/a") == "https://ista.example.org/a"
    assert application.portal_link("unknown") == "https://all.example.org"

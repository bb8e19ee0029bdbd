"""Sessions: signing in and out over HTTP, and every way in which it is refused."""

from datetime import timedelta
from typing import Any

import pytest

from core.access import SYSTEM
from core.bootstrap import Application
from core.models import Account
from core.services.portfolio.gateways import issue_gateway_key
from tests.support.factories import NOW, OPERATOR, PASSWORD

WHO = "{ viewer { email firstName lastName civility phone language } }"
SIGN_IN = """mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) {
    __typename
    ... on SignedIn { token viewer { email } }
    ... on SignInRefused { code message }
  }
}"""
SIGN_OUT = "mutation { signOut { ... on SignedOut { sessionEnded } ... on Refusal { code field } } }"
EMAIL = "claire.martin@example.org"


@pytest.mark.requirement("R-066", "R-079")
async def test_signing_in_gives_a_token_that_shows_the_account(portal: Any, home: Any) -> None:
    """Sign-in answers a token and the viewer, and the token gives access to the account."""
    result = await portal.sign_in()
    assert result["__typename"] == "SignedIn"
    assert result["expiresAt"] == (NOW + timedelta(days=30)).isoformat()
    assert len(result["viewer"]["dwellings"]) == 1
    assert (await portal.ask(WHO))["viewer"] == {
        "email": EMAIL,
        "firstName": "Claire",
        "lastName": "Martin",
        "civility": "MADAME",
        "phone": "+33639980012",
        "language": "FR",
    }


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "wrong"),
        ("nobody@example.org", PASSWORD),
        ("", ""),
        ("a" * 5_000, "b" * 5_000),
        ("ß" * 250, "b"),
        (EMAIL, "\0"),
    ],
)
async def test_a_wrong_sign_in_is_part_of_the_answer(
    portal: Any, home: Any, email: str, password: str
) -> None:
    """Wrong password and unknown account are one refusal, part of the answer, without a cookie."""
    response = await portal.post(SIGN_IN, {"email": email, "password": password})
    answer = response.json()
    assert answer.keys() == {"data", "extensions"}
    assert answer["data"] == {
        "signIn": {
            "__typename": "SignInRefused",
            "code": "SIGN_IN_REFUSED",
            "message": "L'adresse e-mail et le mot de passe ne correspondent pas.",
        }
    }
    assert answer["extensions"].keys() == {"cost"}
    assert "set-cookie" not in response.headers


async def test_a_nul_character_is_a_wrong_email(portal: Any, home: Any) -> None:
    """A text that no database stores belongs to no account."""
    result = await portal.ask(SIGN_IN, email="claire\0@example.org", password=PASSWORD)
    assert result["signIn"]["code"] == "SIGN_IN_REFUSED"


@pytest.mark.parametrize("token", [None, "sms_unknown", "smg_unknown", "é"])
async def test_without_a_valid_token_the_refusal_is_typed(portal: Any, home: Any, token: str | None) -> None:
    """No token and a wrong one are UNAUTHENTICATED, not a server error."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
    response = await portal.client.post("/graphql", json={"query": WHO}, headers=headers)
    assert response.status_code == 200
    body = response.json()
    assert body["data"] is None
    assert body["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert body["errors"][0]["path"] == ["viewer"]


async def test_an_expired_session_is_refused(claire: Any) -> None:
    """A session ends by itself at the end of its lifetime."""
    claire.clock.now = NOW + timedelta(days=30) - timedelta(seconds=1)
    await claire.ask(WHO)
    claire.clock.now = NOW + timedelta(days=30)
    assert await claire.refusal(WHO) == {"code": "UNAUTHENTICATED"}


@pytest.mark.requirement("R-079")
async def test_signing_out_revokes_the_token(claire: Any) -> None:
    """After sign-out the same token is refused, and signing out again is no error."""
    assert await claire.ask(SIGN_OUT) == {"signOut": {"sessionEnded": True}}
    assert await claire.refusal(WHO) == {"code": "UNAUTHENTICATED"}
    assert await claire.ask(SIGN_OUT) == {"signOut": {"sessionEnded": False}}


async def test_signing_out_ends_the_operation_too(claire: Any) -> None:
    """Fields after a sign-out in one operation have no viewer."""
    both = """mutation { signOut {
        ... on SignedOut { sessionEnded }
        ... on Refusal { code field } } again: signOut {
        ... on SignedOut { sessionEnded }
        ... on Refusal { code field } } }"""
    assert await claire.ask(both) == {"signOut": {"sessionEnded": True}, "again": {"sessionEnded": False}}


async def test_the_cookie_signs_in_a_browser(portal: Any, home: Any) -> None:
    """Sign-in sets a cookie that scripts and other sites cannot use, and sign-out takes it away."""
    response = await portal.post(SIGN_IN, {"email": EMAIL, "password": PASSWORD})
    cookies = response.headers.get_list("set-cookie")
    token = response.json()["data"]["signIn"]["token"]
    assert f"submeter_session={token}; HttpOnly; Max-Age=2592000; Path=/; SameSite=strict" in cookies
    device = next(cookie for cookie in cookies if cookie.startswith("submeter_device=smd_"))
    assert device.endswith("; HttpOnly; Max-Age=34560000; Path=/; SameSite=strict")
    assert (await portal.ask(WHO))["viewer"]["email"] == EMAIL
    response = await portal.post(SIGN_OUT)
    assert 'submeter_session=""' in response.headers["set-cookie"]
    assert await portal.refusal(WHO) == {"code": "UNAUTHENTICATED"}


async def test_a_stale_cookie_does_not_lock_out(portal: Any, home: Any) -> None:
    """Whoever holds an old cookie can sign in again."""
    portal.client.cookies.set("submeter_session", "sms_old")
    assert await portal.refusal(WHO) == {"code": "UNAUTHENTICATED"}
    result = await portal.ask(SIGN_IN, email=EMAIL, password=PASSWORD)
    assert result["signIn"]["viewer"]["email"] == EMAIL


async def test_the_bearer_token_wins_over_the_cookie(claire: Any) -> None:
    """A token that is sent explicitly is used, whatever cookie is sent with it."""
    claire.client.cookies.set("submeter_session", "sms_old")
    assert (await claire.ask(WHO))["viewer"]["email"] == EMAIL


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://portal.test", 200),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://portal.test:81", 403),
    ],
)
async def test_a_cookie_is_not_accepted_from_another_site(
    portal: Any, home: Any, origin: str, status: int
) -> None:
    """A POST with the cookie whose Origin is another host is refused."""
    await portal.ask(SIGN_IN, email=EMAIL, password=PASSWORD)
    response = await portal.post(WHO, None, Origin=origin)
    assert response.status_code == status
    assert ("errors" in response.json()) == (status == 403)


async def test_a_bearer_token_may_come_from_another_site(claire: Any) -> None:
    """A bearer token is never sent by itself, so its Origin does not matter."""
    assert (await claire.post(WHO, None, Origin="https://app.example")).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/jsonx", "application/x-www-form-urlencoded", ""]
)
async def test_a_form_of_another_site_cannot_post(portal: Any, home: Any, content_type: str) -> None:
    """A body must say application/json, which needs a preflight that is never granted."""
    await portal.ask(SIGN_IN, email=EMAIL, password=PASSWORD)
    response = await portal.client.post(
        "/graphql",
        content=b'{"query": "mutation { signOut { ... on SignedOut { sessionEnded } } }"}',
        headers={"Content-Type": content_type},
    )
    assert response.status_code == 415
    await portal.ask(WHO)


async def test_a_gateway_is_no_resident(portal: Any, home: Any, application: Application) -> None:
    """A gateway's key gives access to no account and no dwelling."""
    portal.token = await issue_gateway_key(SYSTEM, operator_code=OPERATOR, name="roof", now=NOW)
    assert await portal.refusal(WHO) == {"code": "UNAUTHENTICATED"}
    assert await portal.refusal('{ dwelling(id: "RHdlbGxpbmc6MQ==") { id } }') == {"code": "FORBIDDEN"}


@pytest.mark.parametrize(
    ("changed", "state", "fields"),
    [
        ({"terms_version": None}, "MUST_ACCEPT_TERMS", "email dwellings { id }"),
        ({"temporary_password_until": NOW + timedelta(hours=1)}, "MUST_CHANGE_PASSWORD", "dwellings { id }"),
        ({"second_factor_since": NOW, "second_factor_encrypted": b"x"}, "MUST_VERIFY_SECOND_FACTOR", "email"),
    ],
)
async def test_a_token_is_answered_where_the_viewer_is_still_barred(
    portal: Any, home: Any, changed: dict[str, Any], state: str, fields: str
) -> None:
    """A one-time password is not burnt by one's own query: the viewer is null, and the error says why."""
    await Account.all().update(**changed)
    sign_in = f"""mutation ($email: String!, $password: String!) {{
      signIn(input: {{email: $email, password: $password}}) {{
        ... on SignedIn {{ token state viewer {{ {fields} }} }} }} }}"""
    answer = (await portal.post(sign_in, {"email": EMAIL, "password": PASSWORD})).json()
    signed_in = answer["data"]["signIn"]
    assert (signed_in["state"], signed_in["viewer"]) == (state, None)
    assert [error["extensions"]["code"] for error in answer["errors"]] == [state]
    portal.client.cookies.clear()
    portal.token = signed_in["token"]
    assert (await portal.ask("{ viewer { state } }"))["viewer"] == {"state": state}


async def test_the_viewer_knows_its_operator(claire: Any) -> None:
    """Contact, help and notice of the company behind the portal, without the list of all of them."""
    asked = (
        "{ viewer { operator { code name contact { email } } } operators { code name contact { email } } }"
    )
    answer = await claire.ask(asked)
    assert answer["viewer"]["operator"] == next(one for one in answer["operators"] if one["code"] == "ocea")


async def test_an_operation_tries_one_password(portal: Any) -> None:
    """Aliases cannot try many passwords in one request: the second is refused unchecked."""
    field = 'signIn(input: {email: "claire.martin@example.org", password: "no"}) { ... on Refusal { code } }'
    response = await portal.client.post("/graphql", json={"query": f"mutation {{ a: {field} b: {field} }}"})
    assert response.json()["data"] == {"a": {"code": "SIGN_IN_REFUSED"}, "b": {"code": "INVALID_INPUT"}}

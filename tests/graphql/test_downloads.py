"""Downloads: a file by a short-lived link, for the account that it was made for."""

import base64
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.access import SYSTEM, Act
from core.models import Account, Occupancy
from core.services.auth.download_links import LIFETIME
from core.services.consumption.statement_links import FILES_BY_LINK
from core.services.shared.audit import acts_on
from graphql_schema.base.credentials import COOKIE
from tests.graphql.conftest import WATER
from tests.support.factories import NOW

ISSUE = """mutation ($dwelling: ID!, $format: StatementFormat!) {
  issueIndexStatement(input: {dwelling: $dwelling, format: $format, reason: MOVE, language: EN}) {
    ... on IndexStatementFile { name mediaType content url urlExpiresAt }
  }
}"""


@pytest.fixture
async def issue(claire: Any, home: Any) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Issues Claire's statement; its water meter was read this morning."""
    await home.read(WATER, [(NOW - timedelta(hours=3), 12_345)])

    async def issued(file_format: str = "CSV") -> dict[str, Any]:
        (dwelling,) = (await claire.ask("{ viewer { dwellings { id } } }"))["viewer"]["dwellings"]
        answer = await claire.ask(ISSUE, dwelling=dwelling["id"], format=file_format)
        return {"dwelling": dwelling["id"], **answer["issueIndexStatement"]}

    return issued


async def followed(portal: Any, url: str, **headers: str) -> httpx.Response:
    return await portal.client.get(url, headers=headers)


@pytest.mark.parametrize("file_format", ["CSV", "JSON"])
async def test_a_link_is_the_file(claire: Any, issue: Any, file_format: str) -> None:
    """The bytes, name and type of the Base64, without a header; no cache keeps it, and issuing is one act."""
    file = await issue(file_format)
    response = await followed(claire, file["url"])
    assert response.status_code == 200
    assert response.content == base64.b64decode(file["content"])
    assert response.headers["content-type"].partition(";")[0] == file["mediaType"].partition(";")[0]
    assert response.headers["content-disposition"] == f"attachment; filename*=UTF-8''{file['name']}"
    assert response.headers["cache-control"] == "no-store"
    assert file["urlExpiresAt"] == (claire.clock.now + LIFETIME).isoformat()
    assert len(await acts_on(SYSTEM, act=Act.STATEMENT_ISSUED)) == 1


async def test_a_link_expires(claire: Any, issue: Any) -> None:
    """After ten minutes it is 410."""
    file = await issue()
    claire.clock.now += LIFETIME - timedelta(seconds=1)
    assert (await followed(claire, file["url"])).status_code == 200
    claire.clock.now += timedelta(seconds=1)
    response = await followed(claire, file["url"])
    assert (response.status_code, response.json()["code"]) == (410, "LINK_EXPIRED")


async def test_a_link_ends_with_its_session(claire: Any, issue: Any) -> None:
    """Signing out, or a disabled account, ends it as well."""
    file = await issue()
    await Account.all().update(disabled_at=claire.clock.now)
    assert (await followed(claire, file["url"])).status_code == 403
    await Account.all().update(disabled_at=None)
    assert (await followed(claire, file["url"])).status_code == 200
    await claire.ask("""mutation { signOut {
        ... on SignedOut { sessionEnded }
        ... on Refusal { code field } } }""")
    response = await followed(claire, file["url"])
    assert (response.status_code, response.json()["code"]) == (403, "LINK_INVALID")


async def test_a_link_shows_no_more_than_its_account_may_see(claire: Any, issue: Any) -> None:
    """Who has lost the dwelling since does not get the file."""
    file = await issue()
    await Occupancy.all().delete()
    response = await followed(claire, file["url"])
    assert (response.status_code, response.json()["code"]) == (403, "NOT_FOUND")


async def test_another_account_cannot_use_it(claire: Any, issue: Any) -> None:
    """A token of somebody else that comes with the request, by header or by cookie, refuses the link."""
    file = await issue()
    mine = claire.token
    stranger = await Account.get()
    stranger.id, stranger.email, stranger.email_key = None, "eve@example.org", "eve@example.org"
    stranger._saved_in_db = False
    await stranger.save()
    claire.token = None
    await claire.sign_in("eve@example.org")
    for headers in ({"Authorization": f"Bearer {claire.token}"}, {"Cookie": f"{COOKIE}={claire.token}"}):
        response = await followed(claire, file["url"], **headers)
        assert (response.status_code, response.json()["code"]) == (403, "LINK_INVALID")
    assert (await followed(claire, file["url"], Authorization=f"Bearer {mine}")).status_code == 200


async def test_a_program_sends_its_token_with_the_link(claire: Any, issue: Any) -> None:
    """A link of an access token, which has no session, opens nothing without it, nor once it is revoked."""
    created = await claire.ask(
        """mutation { createAccessToken(name: "x", scopes: [READ_DAILY]) {
            ... on AccessTokenIssued { token accessToken { id } }
            ... on Refusal { code field } } }"""
    )
    session, claire.token = claire.token, created["createAccessToken"]["token"]
    file = await issue()
    assert (await followed(claire, file["url"])).status_code == 403
    bearer = {"Authorization": f"Bearer {claire.token}"}
    assert (await followed(claire, file["url"], **bearer)).status_code == 200
    claire.token = session
    revoked = created["createAccessToken"]["accessToken"]["id"]
    await claire.ask("mutation ($id: ID!) { revokeAccessToken(id: $id) { __typename } }", id=revoked)
    assert (await followed(claire, file["url"], **bearer)).status_code == 403


async def test_a_link_that_was_changed_is_none(claire: Any, issue: Any) -> None:
    """Any other text, however close, is refused; nothing of it is read."""
    url = (await issue())["url"]
    link = url.partition("?link=")[2]
    body, signature = link.split(".")
    changed = [
        *(link[:at] + ("A" if link[at] != "A" else "B") + link[at + 1 :] for at in range(0, len(body), 7)),
        *(f"{body}.{signature[:-2]}", f"{body}.", body, "", ".", "..", link + ".", "é", "%00", "x" * 5_000),
        f"{body}=.{signature}",
    ]
    for text in changed:
        response = await claire.client.get("/downloads", params={"link": text})
        assert (response.status_code, response.json()["code"]) == (403, "LINK_INVALID"), text
    assert (await claire.client.get("/downloads")).status_code == 403
    assert (await claire.client.post(url)).status_code == 405


async def test_files_by_links_are_limited(claire: Any, issue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a file takes time: so many within an hour and no more."""
    monkeypatch.setattr(
        "core.services.consumption.statement_links.FILES_BY_LINK",
        type(FILES_BY_LINK)(FILES_BY_LINK.event, 2, FILES_BY_LINK.window),
    )
    url = (await issue())["url"]
    statuses = [(await followed(claire, url)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]

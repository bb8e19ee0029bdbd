"""`/demo/letters`: the demo's messages in a browser, and `submeter outbox read` for an operator."""

import httpx
import pytest

from core.access import NOBODY, SYSTEM, Act, Role, Viewer
from core.bootstrap import Application
from core.errors import Forbidden, NotFound
from core.models import AuditRecord, Channel, OutboxMessage
from core.services.accounts.password_change import ask_for_reset
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.messaging.delivery import read_message
from core.services.shared.transaction import current_database
from graphql_schema.asgi import build_app
from submeter.demo.letters import LETTER_ROUTES
from tests.support import factories
from tests.support.factories import NOW

EMAIL = "claire<b>@example.org"


async def queue_code(application: Application, code: str = "123456") -> None:
    message = AccountMessage(
        key=f"a code {code}",
        channel=Channel.EMAIL,
        template="email_code",
        language="en",
        recipient=EMAIL,
        secrets={"code": code},
    )
    await queue_account_message(current_database(), application.settings, message, now=NOW)


def client_of(application: Application, *, demo: bool) -> httpx.AsyncClient:
    app = build_app(application, clock=lambda: NOW)
    if demo:
        app.router.routes.extend(LETTER_ROUTES)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://application.test")


async def test_no_other_server_has_the_page(application: Application) -> None:
    """Its routes are 404, also with a letter in the outbox."""
    await queue_code(application)
    async with client_of(application, demo=False) as client:
        for path in ("/demo/letters", "/demo/letters.txt", "/demo/letters/1"):
            assert (await client.get(path)).status_code == 404


async def test_the_demo_shows_a_letter_with_its_code(application: Application) -> None:
    """The list leads to each letter, the newest to somebody is plain text, and no text is read as markup."""
    await queue_code(application)
    async with client_of(application, demo=True) as client:
        listed = (await client.get("/demo/letters")).text
        number = (await OutboxMessage.get()).id
        assert f"/demo/letters/{number}" in listed
        assert "123456" not in listed
        whole = (await client.get(f"/demo/letters/{number}")).text
        assert "123456" in whole
        assert "<b>@" not in listed + whole
        plain = await client.get("/demo/letters.txt", params={"to": EMAIL})
        assert (plain.headers["content-type"], "123456" in plain.text) == ("text/plain; charset=utf-8", True)
        for path in ("/demo/letters/999", f"/demo/letters/{10**30}", "/demo/letters.txt?to=nobody"):
            assert (await client.get(path)).status_code == 404


async def test_that_secrets_were_shown_is_recorded(application: Application) -> None:
    """Reading settles nothing: the message waits as before; the audit log says that it was read."""
    await queue_code(application)
    message = await read_message(application, SYSTEM, to=EMAIL, now=NOW)
    assert message.values["code"] == "123456"
    assert (await OutboxMessage.get()).state.value == "PENDING"
    (entry,) = await AuditRecord.filter(act=Act.MESSAGE_READ)
    assert (entry.role, entry.subject_id) == ("SYSTEM", message.number)


async def test_a_reset_link_that_was_read_works(application: Application) -> None:
    """The link is made when the letter is read, as when it is sent."""
    await factories.account(email=EMAIL)
    await ask_for_reset(application, EMAIL, visitor=NOBODY, now=NOW)
    message = await read_message(application, SYSTEM, to=EMAIL, now=NOW)
    assert "/reset-password#smf_" in str(message.values["link"])


async def test_only_an_operator_reads_letters(application: Application) -> None:
    """Neither residents nor managers nor staff have the permission; what does not exist is not found."""
    await queue_code(application)
    for role in (Role.RESIDENT, Role.MANAGER, Role.STAFF):
        with pytest.raises(Forbidden):
            await read_message(application, Viewer(role=role, account_id=1), now=NOW)
    with pytest.raises(NotFound):
        await read_message(application, SYSTEM, to="x" * 1_000, now=NOW)

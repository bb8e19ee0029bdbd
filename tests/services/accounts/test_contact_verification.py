"""Codes that verify an address: how many are sent to one, concurrent requests, and what does not change."""

import asyncio
import contextvars
from contextlib import suppress
from datetime import timedelta

import pytest

from core.access import Viewer
from core.access.refusals import CodeResendTooSoon
from core.errors import RateLimited
from core.models import Account
from core.services.accounts.contact_verification import (
    confirm_email_change,
    request_email_change,
    request_phone_code,
)
from core.services.accounts.password_change import NewPassword, change_password
from tests.support import factories
from tests.support.factories import NOW, PASSWORD

OTHER = "other@example.org"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def claire(application, enter) -> Viewer:
    await factories.account()
    return await enter()


async def test_codes_to_a_mobile_are_limited(application, claire, enter, visitor) -> None:
    """Five a day over all accounts that name the number: it may be a stranger's."""
    await factories.account(email=OTHER)
    other = await enter(OTHER)
    await _one_mobile()
    sent = 0
    for number in range(0, 23 * 60, 10):
        for viewer in (claire, other):
            with suppress(RateLimited):
                await request_phone_code(application, viewer, visitor=visitor, now=NOW + number * MINUTE)
                sent += 1
    assert sent == 5


async def test_codes_to_a_mailbox_are_limited(application, claire, visitor, posted) -> None:
    """Five a day to one new address, however it is written."""
    sent = 0
    for number in range(0, 23 * 60, 10):
        email = "New@Example.org" if number % 20 else "new@example.ORG"
        with suppress(RateLimited):
            await request_email_change(
                application, claire, email, PASSWORD, visitor=visitor, now=NOW + number * MINUTE
            )
            sent += 1
    assert (sent, len(await posted("email_code"))) == (5, 5)


async def test_concurrent_requests_for_a_code_send_one(application, claire, visitor) -> None:
    """The minute between two codes is enforced for concurrent requests too."""
    await _one_mobile()
    asked = [request_phone_code(application, claire, visitor=visitor, now=NOW) for _ in range(3)]
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in done if one is not None] == [CodeResendTooSoon] * 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_verified_address_does_not_undo_a_new_password(
    application, claire, enter, visitor, posted, monkeypatch
) -> None:
    """The password is changed while the address is being changed: both are as chosen. (SQLite writes one
    after the other.)
    """
    other, outside, save = await enter(), contextvars.copy_context(), Account.save
    new = NewPassword("Nouveau-Mot-77-Fleuve", "Nouveau-Mot-77-Fleuve")

    async def between(account, **more) -> None:
        monkeypatch.undo()
        change = change_password(application, other, PASSWORD, new, visitor=visitor, now=NOW)
        await asyncio.create_task(change, context=outside)
        await save(account, **more)

    await request_email_change(application, claire, "new@example.org", PASSWORD, visitor=visitor, now=NOW)
    ((_, values),) = await posted("email_code")
    monkeypatch.setattr(Account, "save", between)
    await confirm_email_change(application, claire, values["code"], visitor=visitor, now=NOW)
    assert await enter("new@example.org", new.password)


async def _one_mobile() -> None:
    await Account.all().update(leak_by_sms=False, phone_e164="+33611546587", phone_confirmed_at=None)

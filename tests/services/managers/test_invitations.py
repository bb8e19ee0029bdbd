"""Invitations: an e-mail with a link, which proves nothing."""

from datetime import timedelta
from typing import Any

import pytest

from core.access import NOBODY, SYSTEM, Act, Viewer
from core.bootstrap import Application
from core.errors import Conflict, InvalidInput, NotFound, RateLimited
from core.language import Language
from core.models import Channel, Dwelling, OutboxMessage, Residence
from core.services.managers.invitations import MOST_AT_ONCE, Invitation, invite_residents
from core.services.messaging.delivery import claim_next
from core.services.portfolio.publication import unpublish_residence
from notifications.texts.render import render
from tests.support.factories import NOW

LINK = "https://espace-resident-inscription.ocea-sb.com/?code=AA000"


async def invite(application: Application, viewer: Viewer, *emails: str, at: Any = NOW, **more: Any) -> int:
    home = (await Dwelling.filter(number="12").get()).id
    invitations = [Invitation(home, email, **more) for email in emails]
    return await invite_residents(application, viewer, invitations, visitor=NOBODY, now=at)


@pytest.mark.requirement("R-018", "R-040")
async def test_an_invitation_has_link_and_code_and_no_serial(
    application: Application, manager: Viewer, posted: Any, audited: Any
) -> None:
    """It names home, residence, code and address to register at, in the language asked for."""
    assert await invite(application, manager, " Luc@example.org ", language=Language.EN) == 1
    ((recipient, values),) = await posted("resident_invited")
    assert recipient == "Luc@example.org"
    message = render("resident_invited", "en", values)
    assert message.subject == "ISI HABITAT: follow the consumption of your home"
    for part in (LINK, "AA000", "Résidence Les Tilleuls", "A · 1 · 2 · 12"):
        assert part in message.text
    assert "H18CA029620" not in message.text
    assert len(await audited(Act.RESIDENT_INVITED)) == 1
    claimed = await claim_next(application, "tests", [Channel.EMAIL], now=NOW)
    assert claimed
    assert (claimed.recipient, claimed.language, claimed.addressed_to) == ("Luc@example.org", "en", "")


@pytest.mark.requirement("C-13")
async def test_an_address_with_an_account_is_treated_alike(
    application: Application, manager: Viewer, posted: Any
) -> None:
    """The manager learns nothing, and the same e-mail is sent."""
    assert await invite(application, manager, "claire.martin@example.org", "nobody@example.org") == 2
    assert len(await posted("resident_invited")) == 2


async def test_all_are_sent_or_none(application: Application, manager: Viewer, posted: Any) -> None:
    """A wrong address is named by its place; an empty list, and one that is too long, are refused."""
    with pytest.raises(InvalidInput) as refused:
        await invite(application, manager, "luc@example.org", "luc@")
    assert refused.value.field == "invitations.1.email"
    for emails in ((), tuple(f"r{number}@example.org" for number in range(MOST_AT_ONCE + 1))):
        with pytest.raises(InvalidInput):
            await invite(application, manager, *emails)
    assert await posted("resident_invited") == []


async def test_nobody_is_invited_to_a_closed_residence(
    application: Application, manager: Viewer, stranger: Viewer, posted: Any
) -> None:
    """Unpublished, without the option, without remote reading: no invitation; another's: not found."""
    with pytest.raises(NotFound):
        await invite(application, stranger, "luc@example.org")
    await unpublish_residence(application, SYSTEM, operator_code="ocea", residence_code="AA000", now=NOW)
    for state in (
        {"published_at": None},
        {"published_at": NOW, "resident_portal_option": False},
        {"resident_portal_option": True, "remote_reading": False},
    ):
        await Residence.all().update(**state)
        with pytest.raises(Conflict):
            await invite(application, manager, "luc@example.org")
    assert await posted("resident_invited") == []


async def test_a_mailbox_is_not_flooded(application: Application, manager: Viewer) -> None:
    """Three a day to one address, whoever sends them."""
    for _ in range(3):
        await invite(application, manager, "luc@example.org")
    with pytest.raises(RateLimited):
        await invite(application, manager, "LUC@example.org")
    assert await OutboxMessage.filter(template="resident_invited").count() == 3
    await invite(application, manager, "luc@example.org", at=NOW + timedelta(days=2))

"""Publishing and unpublishing: each once, each with one e-mail to an administrator and one document."""

from datetime import timedelta
from typing import Any

import pytest

from core.access import SYSTEM, Viewer
from core.bootstrap import Application
from core.errors import Forbidden, NotFound
from core.models import DocumentKind, ManagedResidence, Residence
from core.services.portfolio.publication import publish_residence, residence_documents, unpublish_residence
from notifications.texts.render import render
from tests.support.factories import NOW

HOUR = timedelta(hours=1)
OF = {"operator_code": "ocea", "residence_code": "AA000"}


@pytest.mark.requirement("C-09", "C-10", "R-134")
async def test_each_publication_and_each_end_is_notified_once(
    application: Application, manager: Viewer, posted: Any
) -> None:
    """Published, unpublished, published again: whoever repeats an act notifies nobody."""
    await ManagedResidence.all().update(administrator=True)
    residence = await Residence.get()
    acts = (publish_residence, unpublish_residence, publish_residence, unpublish_residence)
    for number, act in enumerate(acts):
        at = NOW + number * HOUR
        assert await act(application, SYSTEM, **OF, now=at)
        assert not await act(application, SYSTEM, **OF, now=at + HOUR / 2)
        published_at = (await Residence.get()).published_at
        assert (published_at is None) is (act is unpublish_residence)
    documents = await residence_documents(application, manager, residence.id)
    ready, closed = DocumentKind.PORTAL_READY, DocumentKind.PORTAL_CLOSED
    assert [view.kind for view in documents] == [closed, ready, closed, ready]
    assert len(await posted("portal_ready")) == 2
    (recipient, values), _ = await posted("portal_closed")
    assert recipient == "gestion@example.org"
    message = render("portal_closed", "fr", values)
    assert message.subject == "Votre portail ISI HABITAT est fermé aux inscriptions"
    assert "depuis le 22/11/2026" in message.text
    assert "22 November 2026" in render("portal_closed", "en", values).text


async def test_only_the_operator_unpublishes(application: Application, manager: Viewer) -> None:
    """A manager may not; and what does not exist is not found."""
    with pytest.raises(Forbidden):
        await unpublish_residence(application, manager, **OF, now=NOW)
    with pytest.raises(NotFound):
        await unpublish_residence(application, SYSTEM, **{**OF, "residence_code": "ZZ999"}, now=NOW)

"""Publishing by staff: their residences alone, asked twice where residents would find nothing."""

from typing import Any

import pytest

from core.access import Act, Role
from core.models import Account, AuditRecord, ManagedResidence, OutboxMessage, Residence, ResidenceDocument
from graphql_schema.base.relay import global_id
from tests.support import seats

PUBLISH = """mutation ($id: ID!, $sure: Boolean! = false) {
  publishResidence(residence: $id, withoutData: $sure) {
    ... on ResidencePublished { changed residence { code publishedAt } }
    ... on ResidenceNotReady { dwellings meters metersRead message(language: EN) }
    ... on Refusal { code field detail } } }"""
UNPUBLISH = """mutation ($id: ID!) { unpublishResidence(residence: $id) {
    ... on ResidenceUnpublished { changed residence { code publishedAt } }
    ... on Refusal { code field } } }"""


@pytest.fixture
async def closed(estate: Any) -> str:
    """The id of AA000, which is not published; its manager is to be notified."""
    await ManagedResidence.all().update(administrator=True)
    await Residence.all().update(published_at=None)
    return global_id("Residence", (await Residence.get(name="Résidence Les Tilleuls")).id)


async def test_staff_publish_and_unpublish(estate: Any, portal: Any, closed: str) -> None:
    """Each once, with one e-mail to the administrator, and recorded with who did it."""
    await seats.staff(portal, estate)
    for changed in (True, False):
        found = (await portal.ask(PUBLISH, id=closed))["publishResidence"]
        assert found["changed"] is changed
        assert found["residence"]["publishedAt"] is not None
    for changed in (True, False):
        found = (await portal.ask(UNPUBLISH, id=closed))["unpublishResidence"]
        assert found == {"changed": changed, "residence": {"code": "AA000", "publishedAt": None}}
    sent = [row.template for row in await OutboxMessage.all().order_by("id")]
    assert sent == ["portal_ready", "portal_closed"]
    staff = await Account.get(role=Role.STAFF)
    acts = [Act.RESIDENCE_PUBLISHED, Act.RESIDENCE_UNPUBLISHED]
    rows = await AuditRecord.filter(act__in=acts).order_by("id")
    assert [(row.act, row.role, row.actor_id, row.subject) for row in rows] == [
        (act, "STAFF", staff.id, "residence") for act in acts
    ]


async def test_a_residence_without_data_is_published_only_if_that_is_confirmed(
    estate: Any, portal: Any
) -> None:
    """The refusal says what is there; nothing is changed until it is confirmed."""
    aa = await Residence.get(name="Résidence Les Tilleuls")
    empty = await Residence.create(
        operator_id=aa.operator_id, code="BB001", name="Vide", street="1 rue", postcode="1", city="Lyon"
    )
    number = global_id("Residence", empty.id)
    await seats.staff(portal, estate)
    refused = (await portal.ask(PUBLISH, id=number))["publishResidence"]
    assert refused == {
        "dwellings": 0,
        "meters": 0,
        "metersRead": 0,
        "code": "RESIDENCE_NOT_READY",
        "field": "withoutData",
        "message": "Residents would find no data there yet: confirm the publication.",
        "detail": "The residence is not published: it has no dwelling, so no resident can register.",
    }
    assert (await Residence.get(id=empty.id)).published_at is None
    assert await ResidenceDocument.all().count() == 0
    published = (await portal.ask(PUBLISH, id=number, sure=True))["publishResidence"]
    assert published["changed"] is True
    assert (await Residence.get(id=empty.id)).published_at is not None


async def test_another_operators_residence_does_not_exist(estate: Any, portal: Any, closed: str) -> None:
    """NOT_FOUND as for a number that nobody has; another noun's id is refused as input."""
    await seats.staff(portal, estate, operator=seats.OTHER_OPERATOR)
    for mutation in (PUBLISH, UNPUBLISH):
        for number in (closed, global_id("Residence", 2**62)):
            refused = await portal.refused(mutation, id=number)
            assert (refused["code"], refused["field"]) == ("NOT_FOUND", "residence")
        refused = await portal.refused(mutation, id=global_id("Dwelling", 1))
        assert (refused["code"], refused["field"]) == ("INVALID_INPUT", "residence")
    assert await Residence.exclude(published_at=None).count() == 0

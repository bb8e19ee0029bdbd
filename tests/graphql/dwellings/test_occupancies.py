"""Occupancies over HTTP: a departure is postponed; an owner who lives elsewhere finds and sells the home."""

from datetime import date
from typing import Any

import pytest

from core.models import (
    Dwelling,
    DwellingRequest,
    DwellingRequestKind,
    DwellingRequestState,
    Occupancy,
    OccupancyKind,
)
from core.services.places.key_encryption import KeyEncryption
from tests.support import factories
from tests.support.factories import NOW

OWNED = """{ viewer { dwellings { id } ownedDwellings {
  id building staircase floor number lot residence { code city } } } }"""
ONE = """query ($id: ID!) { dwelling(id: $id) { number seenAs meters { id } withheld { field reason }
  dailyConsumption(fluid: COLD_WATER) { day } } }"""
LEAVE = """mutation ($id: ID!, $day: Date!) { leaveDwelling(dwelling: $id, lastDay: $day) {
    ... on DwellingLeft { lastDay }
    ... on Refusal { code field } } }"""


@pytest.fixture
async def owner(portal: Any, key_encryption: KeyEncryption) -> Any:
    """Luc, who owns Claire's home since the first of November, signed in."""
    await factories.residence(key_encryption, factories.meter())
    number = await factories.account(email="luc@example.org", first_name="Luc")
    await Occupancy.create(
        dwelling_id=(await Dwelling.get()).id,
        account_id=number,
        kind=OccupancyKind.OWNER_NON_OCCUPANT,
        move_in=date(2026, 11, 1),
    )
    await portal.sign_in("luc@example.org")
    return portal


@pytest.mark.requirement("C-01", "C-12")
async def test_an_owner_finds_the_home_and_sells_it(owner: Any) -> None:
    """Its place, and none of its tenant's data; once sold it is no longer the owner's."""
    viewer = (await owner.ask(OWNED))["viewer"]
    (home,) = viewer["ownedDwellings"]
    number = home.pop("id")
    assert viewer["dwellings"] == []
    assert home == {
        "building": "A",
        "staircase": "1",
        "floor": "2",
        "number": "12",
        "lot": "104",
        "residence": {"code": "AA000", "city": "Courbevoie"},
    }
    alone = (await owner.ask(ONE, id=number))["dwelling"]
    assert (alone["number"], alone["seenAs"], alone["meters"], alone["dailyConsumption"]) == (
        *("12", "OWNER"),
        *(None, None),
    )
    assert {one["reason"] for one in alone["withheld"]} == {"NOT_OCCUPANT"}
    assert (await owner.ask(LEAVE, id=number, day="2026-11-21"))["leaveDwelling"] == {"lastDay": "2026-11-21"}
    assert (await owner.ask(OWNED))["viewer"] == {"dwellings": [], "ownedDwellings": []}
    assert (await owner.refused(LEAVE, id=number, day="2026-11-21"))["code"] == "NOT_FOUND"
    assert (await Occupancy.get(account__email="claire.martin@example.org")).move_out is None


async def test_a_tenant_owns_nothing_by_living_there(claire: Any) -> None:
    """An owner-occupier's home is among the dwellings, not among those owned elsewhere."""
    for kind in (OccupancyKind.TENANT, OccupancyKind.OWNER_OCCUPIER):
        await Occupancy.all().update(kind=kind)
        viewer = (await claire.ask(OWNED))["viewer"]
        assert (len(viewer["dwellings"]), viewer["ownedDwellings"]) == (1, [])


async def test_the_departure_confirmed_last_is_valid(claire: Any) -> None:
    """A postponed departure answers the later day, and the occupancy ends on it."""
    home = "{ viewer { dwellings { id visibleUntil } } }"
    ((number, _),) = [tuple(one.values()) for one in (await claire.ask(home))["viewer"]["dwellings"]]
    for day in ("2026-12-10", "2026-12-31"):
        assert (await claire.ask(LEAVE, id=number, day=day))["leaveDwelling"] == {"lastDay": day}
        ((_, until),) = [tuple(one.values()) for one in (await claire.ask(home))["viewer"]["dwellings"]]
        assert until == day


async def test_who_waits_for_a_decision_sees_the_own_requests(
    portal: Any, key_encryption: KeyEncryption
) -> None:
    """As they were made, and nobody else's; none any more once it is decided."""
    await factories.residence(key_encryption, factories.meter())
    for email in ("luc@example.org", "eve@example.org"):
        await DwellingRequest.create(
            dwelling_id=(await Dwelling.get()).id,
            account_id=await factories.account(email=email),
            kind=DwellingRequestKind.REVIEW,
            occupancy_kind=OccupancyKind.TENANT,
            move_in=date(2026, 11, 21),
            attested_at=NOW,
            opened_at=NOW,
        )
    await portal.sign_in("luc@example.org")
    asked = "{ viewer { dwellingRequests { contested residenceCode dwelling occupancy moveIn openedAt } } }"
    assert (await portal.ask(asked))["viewer"]["dwellingRequests"] == [
        {
            "contested": False,
            "residenceCode": "AA000",
            "dwelling": "A · 1 · 2 · 12",
            "occupancy": "TENANT",
            "moveIn": "2026-11-21",
            "openedAt": NOW.isoformat(),
        }
    ]
    token = """mutation { createAccessToken(name: "x", scopes: [READ_DAILY]) {
        ... on AccessTokenIssued { token } } }"""
    session, portal.token = portal.token, (await portal.ask(token))["createAccessToken"]["token"]
    assert await portal.refusal(asked) == {"code": "FORBIDDEN"}
    portal.token = session
    await DwellingRequest.all().update(state=DwellingRequestState.REFUSED)
    assert (await portal.ask(asked))["viewer"]["dwellingRequests"] == []

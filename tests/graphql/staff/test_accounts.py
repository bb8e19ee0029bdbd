"""The operator's accounts for its staff: whom each is, what it reaches; every look is recorded."""

from datetime import date, timedelta
from typing import Any

import pytest

from core.access import Act, Role
from core.models import Account, AuditRecord, Dwelling, ManagedResidence, Occupancy, OccupancyKind, Residence
from graphql_schema.base.relay import global_id
from tests.support import factories, seats
from tests.support.attack import watched
from tests.support.factories import NOW

LIST = """query ($filter: AccountFilterInput, $first: Int! = 50, $after: String) {
  accounts(filter: $filter, first: $first, after: $after) {
    totalCount edges { node { id email role firstName disabledAt invited secondFactor } }
    pageInfo { hasNextPage endCursor } } }"""
REACH = """{ accounts { edges { node { email
  dwellings { place seenAs residence { code name } }
  residences(first: 1) { totalCount edges { node { name } } pageInfo { hasNextPage endCursor } } } } } }"""
NODE = "query ($id: ID!) { node(id: $id) { ... on Account { email } } }"
CLAIRE, ODILE, STAFF = "claire.martin@example.org", "gestion@example.org", "staff@ocea.example.org"


async def emails(portal: Any, **chosen: Any) -> list[str]:
    found = (await portal.ask(LIST, filter=chosen))["accounts"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"]["email"] for edge in found["edges"]]


async def looks() -> list[tuple[str | None, int | None, str, int | None]]:
    rows = await AuditRecord.filter(act=Act.DATA_ACCESSED).order_by("id")
    return [(row.role, row.actor_id, row.subject, row.subject_id) for row in rows]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, [CLAIRE, ODILE, STAFF]),
        ({"role": "RESIDENT"}, [CLAIRE]),
        ({"role": "MANAGER"}, [ODILE]),
        ({"role": "STAFF"}, [STAFF]),
        ({"role": "GATEWAY"}, []),
        ({"search": "ODILE"}, [ODILE]),
        ({"search": "odile MARTIN"}, [ODILE]),
        ({"search": "martin", "role": "RESIDENT"}, [CLAIRE]),
        ({"search": "autre"}, []),
        ({"search": "%"}, []),
        ({"search": "x\0"}, []),
    ],
)
async def test_accounts_are_filtered(
    estate: Any, portal: Any, chosen: dict[str, Any], expected: list[str]
) -> None:
    """Of the own operator alone, by e-mail address."""
    await seats.staff(portal, estate)
    assert await emails(portal, **chosen) == expected


async def test_the_accounts_of_a_residence(estate: Any, portal: Any) -> None:
    """Who has a home in it or manages it; of another operator's there are none."""
    await seats.staff(portal, estate)
    own, others = await Residence.get(name="Résidence Les Tilleuls"), await Residence.get(name="Autre")
    assert await emails(portal, residence=global_id("Residence", own.id)) == [CLAIRE, ODILE]
    assert await emails(portal, residence=global_id("Residence", others.id)) == []
    claire = await Account.get(email=CLAIRE)
    flat = await Dwelling.get(residence_id=others.id)
    await Occupancy.create(
        dwelling_id=flat.id, account_id=claire.id, kind=OccupancyKind.TENANT, move_in=NOW.date()
    )
    assert await emails(portal, residence=global_id("Residence", others.id)) == []


async def test_the_state_of_an_account(estate: Any, portal: Any) -> None:
    """Disabled, invited, and whether a second factor is set up."""
    await Account.filter(email=CLAIRE).update(disabled_at=NOW)
    await Account.filter(email=ODILE).update(temporary_password_until=NOW)
    await seats.staff(portal, estate)
    edges = (await portal.ask(LIST))["accounts"]["edges"]
    found = {
        edge["node"]["email"]: tuple(edge["node"][name] for name in ("disabledAt", "invited", "secondFactor"))
        for edge in edges
    }
    assert found == {
        CLAIRE: (NOW.isoformat(), False, False),
        ODILE: (None, True, False),
        STAFF: (None, False, True),
    }


async def test_what_an_account_reaches(estate: Any, portal: Any) -> None:
    """A resident homes, while their own time is open to them; a manager residences, in pages; of another
    operator's places nothing.
    """
    claire, odile = await Account.get(email=CLAIRE), await Account.get(email=ODILE)
    aa, theirs = await Residence.get(name="Résidence Les Tilleuls"), await Residence.get(name="Autre")
    bb = await Residence.create(
        operator_id=aa.operator_id, code="BB001", name="Été", street="1 rue", postcode="1", city="Lyon"
    )
    for residence in (bb, theirs):
        await ManagedResidence.create(account_id=odile.id, residence_id=residence.id, granted_at=NOW)
    beside = await Dwelling.get(number="13")
    left = await Dwelling.create(residence_id=bb.id, number="7")
    flat = await Dwelling.get(residence_id=theirs.id)
    owner = OccupancyKind.OWNER_NON_OCCUPANT
    for home, kind, until in (
        (beside, owner, None),
        (left, OccupancyKind.TENANT, NOW.date()),
        (flat, owner, None),
    ):
        await Occupancy.create(
            dwelling_id=home.id,
            account_id=claire.id,
            kind=kind,
            move_in=date(2020, 1, 1),
            move_out=until,
            access_until=until,
        )
    await seats.staff(portal, estate)
    found = {edge["node"]["email"]: edge["node"] for edge in (await portal.ask(REACH))["accounts"]["edges"]}
    name = "Résidence Les Tilleuls"
    assert found[CLAIRE]["dwellings"] == [
        {"place": "A · 1 · 2 · 12", "seenAs": "STAFF", "residence": {"code": "AA000", "name": name}},
        {"place": "A · 3 · 13", "seenAs": "STAFF", "residence": {"code": "AA000", "name": name}},
    ]
    assert found[CLAIRE]["residences"]["totalCount"] == 0
    managed = found[ODILE]["residences"]
    assert (managed["totalCount"], managed["edges"]) == (2, [{"node": {"name": name}}])
    assert managed["pageInfo"]["hasNextPage"]
    assert found[ODILE]["dwellings"] == found[STAFF]["dwellings"] == []
    rest = await portal.ask(
        "query ($after: String) { accounts(filter: {role: MANAGER}) { edges { node {"
        " residences(after: $after) { edges { node { name } } } } } } }",
        after=managed["pageInfo"]["endCursor"],
    )
    assert rest["accounts"]["edges"][0]["node"]["residences"]["edges"] == [{"node": {"name": "Été"}}]
    await Occupancy.filter(dwelling_id=left.id).update(access_until=NOW.date() + timedelta(days=1))
    (node,) = (
        edge["node"]
        for edge in (await portal.ask(REACH))["accounts"]["edges"]
        if edge["node"]["email"] == CLAIRE
    )
    assert len(node["dwellings"]) == 3


@pytest.mark.requirement("CN-13")
async def test_each_look_is_recorded(estate: Any, portal: Any) -> None:
    """Whose accounts were shown, by whom; not the own one, and nothing where nothing was shown."""
    await seats.staff(portal, estate)
    staff = await Account.get(email=STAFF)
    shown = [(await Account.get(email=email)).id for email in (CLAIRE, ODILE)]
    await emails(portal, search="nobody")
    assert await looks() == []
    await emails(portal)
    assert await looks() == [("STAFF", staff.id, "account", number) for number in shown]
    assert await portal.ask(NODE, id=global_id("Account", shown[0])) == {"node": {"email": CLAIRE}}
    assert (await looks())[2:] == [("STAFF", staff.id, "account", shown[0])]


async def test_the_pages_hold_each_account_once(estate: Any, portal: Any) -> None:
    """Two have the same name; an account of another operator is no place to go on from."""
    await factories.account(email="claire.martin@example.com")
    await seats.staff(portal, estate)
    whole, seen, after = await emails(portal), list[str](), None
    while len(seen) < len(whole):
        page = (await portal.ask(LIST, first=1, after=after))["accounts"]
        seen += [edge["node"]["email"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == whole
    assert len(seen) == 4
    await seats.staff(portal, estate, operator=seats.OTHER_OPERATOR)
    theirs = (await portal.ask(LIST, first=1))["accounts"]["pageInfo"]["endCursor"]
    await seats.staff(portal, estate)
    assert (await portal.ask(LIST, after=theirs))["accounts"]["edges"] == []


async def test_an_account_of_another_operator_is_not_found(estate: Any, portal: Any) -> None:
    """By its id neither, and no look at it is recorded."""
    other = await Account.get(email="autre@example.org")
    await seats.staff(portal, estate)
    assert (await portal.refusal(NODE, id=global_id("Account", other.id)))["code"] == "NOT_FOUND"
    assert await looks() == []


async def test_a_page_takes_so_many_statements(
    estate: Any, portal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for the session, one for the page; what the accounts reach, three more, however many they are."""
    for number in range(5):
        account = await factories.account(email=f"r{number}@example.org", role=Role.RESIDENT)
        await Occupancy.create(
            dwelling_id=(await Dwelling.get(number="12")).id,
            account_id=account,
            kind=OccupancyKind.OWNER_NON_OCCUPANT,
            move_in=date(2020, 1, 1),
        )
    await seats.staff(portal, estate)
    for document, statements in ((LIST, 2), (REACH, 5)):
        await portal.ask(document)
        with watched(monkeypatch) as work:
            found = (await portal.ask(document))["accounts"]["edges"]
        reads = [one for one in work.statements if one.startswith(("SELECT", "WITH"))]
        assert (len(found), len(reads)) == (8, statements), work.statements

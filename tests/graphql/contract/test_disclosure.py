"""The table of who sees what, of which days: complete, printed, and true on real data."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.access import NOBODY, Role, Viewer
from core.consumption.resolutions import Resolution
from core.models import Account, Dwelling, Occupancy
from core.services.occupancy.consents import answer_consent
from graphql_schema.base.relay import global_id
from graphql_schema.contract.access import BY_ARGUMENT
from graphql_schema.contract.disclosure import (
    FIELDS,
    NODES,
    TYPES,
    Kind,
    Period,
    cell,
    kind_of,
    objects,
    page,
)
from graphql_schema.nodes import FINDERS
from graphql_schema.schema import schema
from tests.graphql.conftest import WATER
from tests.support import seats
from tests.support.factories import NOW

TODAY = NOW.date()
PAGE = Path(__file__).resolve().parents[3] / "docs/who-sees-what.md"
CAME, LEFT = date(2026, 9, 10), date(2026, 11, 1)
"""Claire's occupancy: before her somebody else, after her Paul."""


def test_every_field_has_an_entry() -> None:
    """Walks the schema: a type or a field of a noun without one fails here, and so does an entry of
    neither.
    """
    types = {kind.name: set(kind.fields) for kind in objects(schema.core)}
    missing = [
        f"{name}.{field}"
        for name, fields in types.items()
        for field in fields
        if kind_of(name, field) is None
    ]
    assert missing == []
    assert TYPES.keys() & FIELDS.keys() == set()
    assert TYPES.keys() | FIELDS.keys() == types.keys()
    assert {name: set(fields) for name, fields in FIELDS.items()} == {name: types[name] for name in FIELDS}


def test_what_says_something_of_a_person_is_not_public() -> None:
    """No type with an amount, a name, an address or a day of somebody is of the kinds that are not looked
    at, but for what a mutation answers to whoever did it, and the operator's own contact.
    """
    telling = {
        "amount",
        "email",
        "firstName",
        "lastName",
        "phone",
        "index",
        "lossLitres",
        "amounts",
        "address",
    }
    public = [
        f"{kind.name}.{field}"
        for kind in objects(schema.core)
        for field in kind.fields
        if field in telling and kind_of(kind.name, field) is Kind.PUBLIC
    ]
    assert set(public) == {"Contact.address", "Contact.email", "Contact.phone", "UnusableLine.index"}, (
        "a place in a delivery"
    )


def test_nodes_need_what_the_field_says() -> None:
    """Each noun that `node` finds has its permission, and the field's description names it."""
    assert NODES.keys() == FINDERS.keys()
    assert set(NODES.values()) - {NODES["Viewer"]} == set(BY_ARGUMENT["Query.node"])


def test_the_page_is_what_is_enforced() -> None:
    """docs/who-sees-what.md; `make who-sees-what` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page(schema.core)


@pytest.fixture
async def occupancies(application: Any, home: Any, portal: Any) -> Any:
    """Somebody until 9 September, Claire until 31 October, Paul since; 100 litres on each of these days."""
    await home.consume(WATER, date(2026, 8, 1), TODAY - timedelta(days=1), daily=100)
    await home.read(WATER, [(NOW - timedelta(hours=2), 0), (NOW - timedelta(hours=1), 12)])
    claire = await Account.get(email=seats.CLAIRE)
    await Occupancy.filter(account_id=claire.id).update(move_in=CAME)
    return application


async def _paul(application: Any) -> None:
    """Paul takes over from Claire."""
    from tests.support import factories  # noqa: PLC0415 - where it is used

    dwelling = (await Dwelling.get()).id
    await Occupancy.all().update(move_out=LEFT)
    paul = await factories.account(email="paul@example.org", first_name="Paul")
    await Occupancy.create(dwelling_id=dwelling, account_id=paul, kind="TENANT", move_in=LEFT)


async def _consent(application: Any, email: str, *, granted: bool) -> None:
    account = await Account.get(email=email)
    viewer = Viewer(role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id)
    home = (await Dwelling.get()).id
    await answer_consent(application, viewer, home, granted=granted, visitor=NOBODY, now=NOW)


DAYS = """query ($id: ID!, $from: Date!) { dwelling(id: $id) {
  dailyConsumption(fluid: COLD_WATER, from: $from) { day amount { value } } withheld { field reason } } }"""
SERIES = """query ($id: ID!, $by: Resolution!) { dwelling(id: $id) {
  consumption(fluid: COLD_WATER, resolution: $by, last: 120) { starts amounts } } }"""
MONTHS = """query ($id: ID!) { dwelling(id: $id) {
  monthlyConsumption(fluid: COLD_WATER, from: "2026-08", to: "2026-11") { month amount { value } } } }"""


async def _days(portal: Any, first: date = date(2026, 8, 1)) -> list[date] | None:
    """The days with an amount that the viewer is shown, from a day before everything; None: withheld."""
    given = {"id": global_id("Dwelling", (await Dwelling.get()).id), "from": first.isoformat()}
    found = (await portal.ask(DAYS, **given))["dwelling"]["dailyConsumption"]
    if found is None:
        return None
    return [date.fromisoformat(one["day"]) for one in found if one["amount"] is not None]


async def _series(portal: Any, resolution: str = "DAILY") -> list[date]:
    given = {"id": global_id("Dwelling", (await Dwelling.get()).id), "by": resolution}
    found = (await portal.ask(SERIES, **given))["dwelling"]["consumption"]
    return [
        date.fromisoformat(starts[:10])
        for starts, amount in zip(found["starts"], found["amounts"], strict=True)
        if amount is not None
    ]


async def _months(portal: Any) -> dict[str, str | None] | None:
    given = {"id": global_id("Dwelling", (await Dwelling.get()).id)}
    found = (await portal.ask(MONTHS, **given))["dwelling"]["monthlyConsumption"]
    return (
        None if found is None else {one["month"]: one["amount"] and one["amount"]["value"] for one in found}
    )


def _bounds(days: list[date] | None) -> tuple[date, date] | None:
    return (days[0], days[-1]) if days else None


YESTERDAY = TODAY - timedelta(days=1)


async def test_own_occupancy(occupancies: Any, portal: Any) -> None:
    """An occupant, present or former, sees the own occupancy and no day before or after it: by days and
    months.
    """
    assert cell(Role.RESIDENT, "Dwelling", "dailyConsumption").period is Period.OWN_OCCUPANCY
    await seats.enter(portal, occupancies, seats.CLAIRE)
    assert _bounds(await _days(portal)) == (CAME, YESTERDAY)
    await _paul(occupancies)
    assert _bounds(await _days(portal)) == (CAME, LEFT - timedelta(days=1))
    assert await _months(portal) == {"2026-09": "2.100", "2026-10": "3.100"}
    await seats.enter(portal, occupancies, "paul@example.org")
    assert _bounds(await _days(portal)) == (LEFT, YESTERDAY)
    assert _bounds(await _series(portal)) == (LEFT, YESTERDAY)


async def test_the_occupancy_while_it_lasts(occupancies: Any, portal: Any) -> None:
    """The household sees what Claire sees until she leaves, and then no home at all."""
    assert cell(Role.HOUSEHOLD_MEMBER, "Dwelling", "dailyConsumption").period is Period.PRESENT_OCCUPANCY
    await seats.household(portal, occupancies)
    assert _bounds(await _days(portal)) == (CAME, YESTERDAY)
    assert _bounds(await _series(portal)) == (CAME, YESTERDAY)
    await _paul(occupancies)
    given = {"id": global_id("Dwelling", (await Dwelling.get()).id), "from": CAME.isoformat()}
    assert (await portal.refusal(DAYS, **given))["code"] == "NOT_FOUND"
    assert (await portal.ask("{ viewer { dwellings { id } } }"))["viewer"]["dwellings"] == []


async def test_granted_days(occupancies: Any, portal: Any) -> None:
    """A provider sees the granted days of Claire's occupancy as finely as granted, nothing else of the
    home, and nothing once she has left.
    """
    assert cell(Role.THIRD_PARTY, "Dwelling", "consumption").period is Period.GRANTED_DAYS
    assert cell(Role.THIRD_PARTY, "Dwelling", "dailyConsumption").period is Period.NEVER
    first = date(2026, 10, 5)
    await seats.provider(portal, occupancies, Resolution.DAILY, first=first)
    assert _bounds(await _series(portal)) == (first, YESTERDAY)
    access = (await portal.ask("{ thirdPartyAccess { dwelling finest firstDay fluids } }"))[
        "thirdPartyAccess"
    ]
    home = global_id("Dwelling", (await Dwelling.get()).id)
    assert access == {
        "dwelling": home,
        "finest": "DAILY",
        "firstDay": "2026-10-05",
        "fluids": ["COLD_WATER"],
    }
    refused = await portal.refusal(SERIES, id=home, by="HOURLY")
    assert refused["code"] == "FORBIDDEN"
    for field in ("place", "residence { name }", "meters { id }", "activeAlertCount", "dashboard { fluid }"):
        answer = (await portal.post(f'{{ dwelling(id: "{home}") {{ {field} }} }}')).json()
        assert "errors" in answer or list(answer["data"]["dwelling"].values()) == [None], field
    for query in ("{ viewer { email } }", "{ residences { totalCount } }"):
        assert (await portal.post(query)).json().get("errors"), query
    await _paul(occupancies)
    assert (await portal.refusal(SERIES, id=home, by="DAILY"))["code"] == "NOT_FOUND"


async def test_the_present_occupants_days_with_consent(occupancies: Any, portal: Any) -> None:
    """A manager sees days with the present occupant's consent alone, and of that occupancy alone; a
    withdrawal counts at once, and Claire's consent says nothing of Paul's days.
    """
    days = cell(Role.MANAGER, "Dwelling", "dailyConsumption")
    assert (days.period, days.consent) == (Period.OCCUPANTS, True)
    await seats.manager(portal, occupancies)
    assert await _days(portal) is None
    await _consent(occupancies, seats.CLAIRE, granted=True)
    assert _bounds(await _days(portal)) == (CAME, YESTERDAY)
    await _consent(occupancies, seats.CLAIRE, granted=False)
    assert await _days(portal) is None
    await _consent(occupancies, seats.CLAIRE, granted=True)
    await _paul(occupancies)
    assert await _days(portal) is None
    await _consent(occupancies, "paul@example.org", granted=True)
    assert _bounds(await _days(portal)) == (LEFT, YESTERDAY)


async def test_any_day_by_the_month(occupancies: Any, portal: Any) -> None:
    """A manager sees whole months of the home, whoever lived there, without any consent; not the one in
    progress, which would tell the days.
    """
    months = cell(Role.MANAGER, "Dwelling", "monthlyConsumption")
    assert (months.period, months.consent) == (Period.WHOLE_TIME, False)
    await seats.manager(portal, occupancies)
    await _paul(occupancies)
    assert await _months(portal) == {
        "2026-08": "3.100",
        "2026-09": "3.000",
        "2026-10": "3.100",
        "2026-11": None,
    }


async def test_never(occupancies: Any, portal: Any) -> None:
    """Staff see no day and no month of a home; an owner who lives elsewhere neither."""
    for field in ("dailyConsumption", "monthlyConsumption", "consumption", "dashboard", "accessLog"):
        assert cell(Role.STAFF, "Dwelling", field).period is Period.NEVER
    await seats.staff(portal, occupancies)
    assert await _days(portal) is None
    assert await _months(portal) is None
    await seats.owner(portal, occupancies)
    assert await _days(portal) is None
    assert await _months(portal) is None


async def test_what_a_household_may_not(occupancies: Any, portal: Any) -> None:
    """Settings, consents, tokens, exports, invitations and logs are the holder's: FORBIDDEN."""
    await seats.household(portal, occupancies)
    home = global_id("Dwelling", (await Dwelling.get()).id)
    for mutation in (
        "exportMyData { __typename }",
        f'purgeFineData(dwelling: "{home}") {{ __typename }}',
        f'inviteHouseholdMember(dwelling: "{home}", email: "x@example.org", name: "X") {{ __typename }}',
        f'answerConsent(dwelling: "{home}", granted: true) {{ __typename }}',
        'createAccessToken(name: "x", scopes: [READ_MONTHLY]) { __typename }',
        "chooseNotification(topic: LEAK, byEmail: true) { __typename }",
        f'leaveDwelling(dwelling: "{home}", lastDay: "2026-11-22") {{ __typename }}',
    ):
        refused = await portal.refusal(f"mutation {{ {mutation} }}")
        assert refused["code"] == "FORBIDDEN", mutation
    assert (await portal.refusal("{ viewer { household { name } } }"))["code"] == "FORBIDDEN"
    dwelling = await portal.ask(f'{{ dwelling(id: "{home}") {{ accessLog {{ edges {{ cursor }} }} }} }}')
    assert dwelling["dwelling"]["accessLog"] is None

"""A manager's view of one home: months always, days and readings by consent, and each look recorded."""

from datetime import date, timedelta
from typing import Any

import pytest

from core.access import NOBODY, Act, Role, Viewer
from core.models import Account, Alert, AuditRecord, Dwelling, Occupancy, OccupancyKind
from core.services.occupancy.consents import answer_consent
from graphql_schema.base.relay import global_id
from tests.graphql.alerts.test_alerts import leak
from tests.graphql.conftest import WATER
from tests.support import seats
from tests.support.factories import NOW

TODAY = NOW.date()
HOME = "query ($id: ID!) { dwelling(id: $id) { %s } }"
MONTHS = """monthlyConsumption(fluid: COLD_WATER, from: "2026-09", to: "2026-11") {
  month amount { smallest } complete daysWithData }"""


@pytest.fixture
async def manager(application: Any, home: Any, portal: Any) -> Any:
    """The manager of Claire's residence; the water meter shows 300 litres a day since August."""
    await home.consume(WATER, date(2026, 8, 1), TODAY - timedelta(days=1), daily=300)
    return await seats.manager(portal, application)


async def seen(portal: Any, fields: str) -> dict[str, Any]:
    dwelling = await Dwelling.get()
    found: dict[str, Any] = (await portal.ask(HOME % fields, id=global_id("Dwelling", dwelling.id)))[
        "dwelling"
    ]
    return found


async def consent(application: Any, *, granted: bool) -> None:
    row = await Account.get(email=seats.CLAIRE)
    claire = Viewer(role=Role.RESIDENT, account_id=row.id, operator_id=row.operator_id)
    number = (await Dwelling.get()).id
    await answer_consent(application, claire, number, granted=granted, visitor=NOBODY, now=NOW)


async def amounts(portal: Any) -> list[tuple[int | None, bool]]:
    months = (await seen(portal, MONTHS))["monthlyConsumption"]
    return [(one["amount"] and one["amount"]["smallest"], one["complete"]) for one in months]


@pytest.mark.requirement("CN-01")
async def test_months_are_shown_without_a_consent(manager: Any, application: Any) -> None:
    """Whole months; the one in progress, asked for every day, would tell the days, and needs the consent."""
    assert await amounts(manager) == [(9_000, True), (9_300, True), (None, False)]
    await consent(application, granted=True)
    assert await amounts(manager) == [(9_000, True), (9_300, True), (6_300, False)]
    await consent(application, granted=False)
    assert await amounts(manager) == [(9_000, True), (9_300, True), (None, False)]
    assert await AuditRecord.filter(act=Act.DATA_ACCESSED).count() == 0


@pytest.mark.requirement("CN-10")
async def test_a_month_tells_no_days_of_the_occupant_before(manager: Any, application: Any) -> None:
    """Beside the days of whoever has consented, the month of the move-in counts from then on."""
    await Occupancy.all().update(move_in=date(2026, 10, 3))
    assert await amounts(manager) == [(9_000, True), (9_300, True), (None, False)]
    await consent(application, granted=True)
    assert await amounts(manager) == [(9_000, True), (29 * 300, False), (6_300, False)]
    days = await seen(manager, 'dailyConsumption(fluid: COLD_WATER, from: "2026-10-01") { day }')
    assert days["dailyConsumption"][0] == {"day": "2026-10-03"}


async def test_a_vacant_home_has_months_alerts_and_meters(manager: Any, home: Any) -> None:
    """And no days: there is nobody who could consent, which is another reason than a consent that lacks."""
    await leak(home.meters[WATER], TODAY - timedelta(days=3))
    await Occupancy.all().update(move_out=date(2026, 9, 10))
    found = await seen(
        manager,
        """occupancy occupiedSince visibleFrom activeAlertCount consent { answer } meters { serial }
        dailySeries(fluid: COLD_WATER) { days } dashboard { fluid } withheld { field reason }""",
    )
    assert {found[name] for name in ("occupancy", "occupiedSince", "visibleFrom", "consent")} == {None}
    assert (found["activeAlertCount"], len(found["meters"]), found["dailySeries"]) == (1, 2, None)
    reasons = {one["field"]: one["reason"] for one in found["withheld"]}
    assert reasons["dailySeries"] == reasons["dashboard"] == reasons["consent"] == "NO_OCCUPANT"
    assert await amounts(manager) == [(9_000, True), (9_300, True), (None, False)]


async def test_an_occupant_without_an_account_has_not_consented(manager: Any) -> None:
    """The home is not vacant: somebody lives there, whom nobody could ask yet."""
    await Occupancy.all().update(account_id=None, kind=OccupancyKind.OWNER_OCCUPIER)
    found = await seen(manager, "occupancy occupiedSince consent { answer trace } withheld { field reason }")
    assert (found["occupancy"], found["occupiedSince"]) == ("OWNER_OCCUPIER", "2024-02-01")
    assert found["consent"] == {"answer": "UNANSWERED", "trace": None}
    assert {"field": "dashboard", "reason": "CONSENT_REQUIRED"} in found["withheld"]


@pytest.mark.requirement("CN-13", "R-064")
async def test_each_look_at_days_is_recorded(manager: Any, home: Any, application: Any) -> None:
    """Days, dashboard and readings, each as what it was; what is withheld is not looked at."""
    await home.read(WATER, [(NOW - timedelta(hours=2), 0), (NOW - timedelta(hours=1), 12)])
    fields = """visibleFrom dashboard(fluid: COLD_WATER) { monthToDate { smallest } }
      meters { serial readings(first: 1) { edges { node { index { smallest } } } } }
      dailyConsumption(fluid: COLD_WATER, from: "2026-11-20") { amount { smallest } }"""
    await seen(manager, fields)
    assert await AuditRecord.filter(act=Act.DATA_ACCESSED).count() == 0
    await consent(application, granted=True)
    found = await seen(manager, fields)
    (tab,), days = found["dashboard"], found["dailyConsumption"]
    assert (found["visibleFrom"], tab["monthToDate"]["smallest"]) == ("2024-02-01", 6_300)
    assert [day["amount"] and day["amount"]["smallest"] for day in days] == [300, 300, None]
    (read,) = [one["readings"]["edges"] for one in found["meters"] if one["serial"] == WATER]
    assert [edge["node"]["index"]["smallest"] for edge in read] == [12]
    rows = await AuditRecord.filter(act=Act.DATA_ACCESSED)
    assert {(row.role, row.subject, row.subject_id) for row in rows} == {("MANAGER", "dwelling", 1)}
    looks = sorted(tuple(sorted(row.details.items())) for row in rows)
    assert looks == [
        (("first", "2026-11-01"), ("last", "2026-11-22"), ("what", "DASHBOARD")),
        (("first", "2026-11-20"), ("fluid", "COLD_WATER"), ("last", "2026-11-22"), ("what", "DAYS")),
        (("first", "2026-11-22"), ("fluid", "COLD_WATER"), ("last", "2026-11-22"), ("what", "READINGS")),
        (("fluid", "HEAT"), ("what", "READINGS")),
    ]


async def test_an_alert_leads_to_its_meter_dwelling_and_residence(
    manager: Any, home: Any, application: Any
) -> None:
    """The same way for manager and resident, each with what it may see of it."""
    await leak(home.meters[WATER], TODAY - timedelta(days=3), loss="400.00", mean="5.9000")
    fields = """activeAlerts { seenAs lossLitres
      meter { serial dwelling { place residence { code activeAlerts { totalCount } } } } }"""
    (alert,) = (await seen(manager, fields))["activeAlerts"]
    way = alert.pop("meter")
    assert alert == {"seenAs": "MANAGER", "lossLitres": None}
    assert way == {
        "serial": WATER,
        "dwelling": {
            "place": "A · 1 · 2 · 12",
            "residence": {"code": "AA000", "activeAlerts": {"totalCount": 1}},
        },
    }
    await seats.enter(manager, application, seats.CLAIRE)
    (alert,) = (await seen(manager, fields))["activeAlerts"]
    assert (alert["seenAs"], alert["lossLitres"], alert["meter"]["serial"]) == ("OCCUPANT", "400.00", WATER)
    assert alert["meter"]["dwelling"]["residence"] == {"code": "AA000", "activeAlerts": None}


async def test_an_own_limit_is_nobody_elses(manager: Any, home: Any) -> None:
    """An alert of the resident's own limit is in no list and no count of a manager, and is no node."""
    await leak(home.meters[WATER], TODAY - timedelta(days=3))
    account = await Account.get(email=seats.CLAIRE)
    await Alert.all().update(account_id=account.id)
    number = global_id("Alert", (await Alert.get()).id)
    assert (await seen(manager, "activeAlertCount activeAlerts { id }")) == {
        "activeAlertCount": 0,
        "activeAlerts": [],
    }
    refused = await manager.refusal("query ($id: ID!) { node(id: $id) { id } }", id=number)
    assert refused["code"] == "NOT_FOUND"

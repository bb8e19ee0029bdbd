"""`corrections` of a dwelling, and the quality that follows from them."""

from datetime import date, timedelta
from typing import Any

import pytest

from core.access import NOBODY, Act, Role, Viewer
from core.consumption.corrections import CorrectionReason
from core.models import Account, AuditRecord, ConsumptionCorrection, Dwelling, Meter
from core.services.occupancy.consents import answer_consent
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import OccupancySpec
from graphql_schema.base.relay import global_id
from tests.graphql.conftest import HEAT, WATER
from tests.support import factories, seats
from tests.support.attack import watched
from tests.support.factories import NOW

ASK = """{ viewer { dwellings { corrections(first: %d, after: %s) {
    totalCount pageInfo { hasNextPage endCursor }
    edges { node { day fluid meterSerial unit before { value } after { value } difference reason
    correctedAt } } } } } }"""


async def correct(serial: str, day: date, before: int | None, after: int | None) -> None:
    meter = await Meter.get(printed_serial=serial)
    await ConsumptionCorrection.create(
        meter_id=meter.id,
        day=int(f"{day:%Y%m%d}"),
        amount_before=before,
        amount_after=after,
        reason=CorrectionReason.LATE_READING,
        corrected_at=NOW,
    )


async def corrections(portal: Any, first: int = 50, after: str = "null") -> dict[str, Any]:
    (dwelling,) = (await portal.ask(ASK % (first, after)))["viewer"]["dwellings"]
    return dwelling["corrections"]


async def test_the_log_says_what_changed_when_and_why(claire: Any, home: Any) -> None:
    """The latest first, in pages, each with the meter and the amounts of before and after."""
    await correct(WATER, date(2026, 11, 3), 100, 250)
    await correct(WATER, date(2026, 11, 4), None, 25)
    await correct(HEAT, date(2026, 11, 5), 2_500, None)
    page = await corrections(claire, 2)
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (3, True)
    assert [edge["node"]["difference"] for edge in page["edges"]] == ["-2.500", "0.025"]
    assert (page["edges"][0]["node"]["after"], page["edges"][1]["node"]["before"]) == (None, None)
    last = await corrections(claire, 2, f'"{page["pageInfo"]["endCursor"]}"')
    assert [edge["node"] for edge in last["edges"]] == [
        {
            "day": "2026-11-03",
            "fluid": "COLD_WATER",
            "meterSerial": WATER,
            "unit": "CUBIC_METRE",
            "before": {"value": "0.100"},
            "after": {"value": "0.250"},
            "difference": "0.150",
            "reason": "LATE_READING",
            "correctedAt": "2026-11-22T09:30:00+00:00",
        }
    ]
    assert last["pageInfo"]["hasNextPage"] is False


async def test_a_corrected_day_is_corrected_in_every_series(claire: Any, home: Any) -> None:
    """So is its month, unless it has a worse fault; a day whose first amount came late is measured."""
    await home.consume(WATER, date(2026, 10, 1), date(2026, 11, 21), daily=100)
    await correct(WATER, date(2026, 10, 3), 150, 100)
    await correct(WATER, date(2026, 10, 4), None, 100)
    fields = """
        days: consumption(fluid: COLD_WATER, resolution: DAILY, last: 3, until: "2026-10-04") { qualities }
        months: consumption(fluid: COLD_WATER, last: 3) { qualities }
        dailyConsumption(fluid: COLD_WATER, from: "2026-10-03", to: "2026-10-03") { quality }
        monthlyConsumption(fluid: COLD_WATER, from: "2026-10", to: "2026-11") { quality complete }"""
    (dwelling,) = (await claire.ask(f"{{ viewer {{ dwellings {{ {fields} }} }} }}"))["viewer"]["dwellings"]
    assert dwelling["days"]["qualities"] == ["MEASURED", "CORRECTED", "MEASURED"]
    assert dwelling["months"]["qualities"] == ["MISSING", "CORRECTED", "PARTIAL"]
    assert dwelling["dailyConsumption"] == [{"quality": "CORRECTED"}]
    assert dwelling["monthlyConsumption"] == [
        {"quality": "CORRECTED", "complete": True},
        {"quality": "PARTIAL", "complete": False},
    ]


@pytest.mark.requirement("EED-09")
async def test_no_correction_of_another_occupancy(
    portal: Any, key_encryption: KeyEncryption, data_of: Any
) -> None:
    """A predecessor's day is the predecessor's, though it is corrected today."""
    predecessor = OccupancySpec(move_in=date(2020, 1, 1), move_out=date(2026, 11, 10))
    spec = factories.meter(printed_serial=WATER)
    await factories.residence(key_encryption, spec, move_in=date(2026, 11, 10), predecessor=predecessor)
    for day in (9, 10, 11):
        await correct(WATER, date(2026, 11, day), 100, 250)
    await portal.sign_in()
    found = await corrections(portal)
    assert [edge["node"]["day"] for edge in found["edges"]] == ["2026-11-11", "2026-11-10"]
    assert found["totalCount"] == 2


async def test_a_token_for_months_reads_no_days(claire: Any, home: Any) -> None:
    """The log is one of days."""
    await correct(WATER, NOW.date() - timedelta(days=3), 100, 250)
    token = """mutation { createAccessToken(name: "x", scopes: [READ_MONTHLY]) {
        ... on AccessTokenIssued { token } } }"""
    claire.token = (await claire.ask(token))["createAccessToken"]["token"]
    assert await claire.refusal(ASK % (5, "null")) == {"code": "FORBIDDEN"}


async def test_one_statement_for_the_logs_of_all_dwellings(
    claire: Any, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Session, homes, and the pages of all fields that ask."""
    for day in range(1, 8):
        await correct(WATER, date(2026, 11, day), 100, 250)
    query = """{ viewer { dwellings { a: corrections(first: 2) { totalCount edges { node { day } } }
        b: corrections { edges { node { day } } } } } }"""
    await claire.ask(query)
    with watched(monkeypatch) as work:
        (dwelling,) = (await claire.ask(query))["viewer"]["dwellings"]
    assert len(work.statements) == 2, work.statements
    assert [edge["node"]["day"] for edge in dwelling["a"]["edges"]] == ["2026-11-07", "2026-11-06"]
    assert (dwelling["a"]["totalCount"], len(dwelling["b"]["edges"])) == (7, 7)


@pytest.mark.requirement("CN-01", "CN-13")
async def test_a_manager_sees_the_log_where_the_occupant_has_consented(
    portal: Any, home: Any, application: Any
) -> None:
    """As the days themselves: null with its reason until then; afterwards each look is recorded."""
    await correct(WATER, date(2026, 11, 3), 100, 250)
    manager = await seats.manager(portal, application)
    number = (await Dwelling.get()).id
    dwelling = global_id("Dwelling", number)
    query = """query ($id: ID!) { dwelling(id: $id) { withheld { field reason }
        corrections { totalCount edges { node { day } } } } }"""
    found = (await manager.ask(query, id=dwelling))["dwelling"]
    assert found["corrections"] is None
    assert {"field": "corrections", "reason": "CONSENT_REQUIRED"} in found["withheld"]
    account = await Account.get(email=seats.CLAIRE)
    claire = Viewer(role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id)
    await answer_consent(application, claire, number, granted=True, visitor=NOBODY, now=NOW)
    found = (await manager.ask(query, id=dwelling))["dwelling"]
    assert found["corrections"] == {"totalCount": 1, "edges": [{"node": {"day": "2026-11-03"}}]}
    looks = await AuditRecord.filter(act=Act.DATA_ACCESSED)
    assert [look.details for look in looks] == [{"what": "DAYS", "first": "2026-11-03", "last": "2026-11-03"}]

"""How many SQL statements each of the main operations takes: a number, whatever a home holds.

The number is that of a signed-in request whose document was read before; an operation that reads more in the
same statements may lower it, and none may raise it.
"""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.graphql.alerts.test_alerts import leak
from tests.graphql.conftest import HEAT, WATER
from tests.support.attack import watched
from tests.support.factories import NOW

TODAY = NOW.date()
HOME = "{ viewer { dwellings { %s } } }"
PAGE = "totalCount edges { node { title level lossM3 } } pageInfo { hasNextPage endCursor }"

OPERATIONS = {
    "the viewer's name": ("{ viewer { firstName lastName language } }", 1),
    "the dwellings with their residences": (HOME % "id floor number residence { name timeZone }", 1),
    "the dashboard": (
        HOME % "id dashboard { label monthToDate { value } previousMonth { value } lastReadingAt }",
        2,
    ),
    "the dashboard with the count of alerts": (
        HOME % "activeAlertCount dashboard { label unit yearToDate { value } monthsCounted }",
        2,
    ),
    "the alerts, active and past": (
        HOME % f"activeAlerts {{ title lossM3 meterLabel }} pastAlerts(first: 10) {{ {PAGE} }}",
        2,
    ),
    "two fluids by day": (
        HOME
        % """a: dailyConsumption(fluid: COLD_WATER) { day amount { value } quality }
        b: dailyConsumption(fluid: HEAT) { day amount { value } quality }""",
        2,
    ),
    "two fluids by day, as columns": (
        HOME
        % """a: dailySeries(fluid: COLD_WATER) { days amounts qualities }
        b: dailySeries(fluid: HEAT) { days amounts qualities }""",
        2,
    ),
    "thirteen months": (
        HOME % "monthlyConsumption(fluid: COLD_WATER) { month amount { value } complete }",
        2,
    ),
    "the meters with their last readings": (HOME % "meters { label lastReading { readAt } }", 3),
    "the index statement": (HOME % "indexStatement { day }", 4),
    "the papers with a code": (HOME % "issuedPapers { code kind }", 2),
    "the consent": (HOME % "consent { question answer }", 5),
    "the consumption limits": (HOME % "consumptionLimits { fluid amount { value } }", 2),
    "the recurring draws": (HOME % "recurringDraws { id }", 2),
    "the documents": (HOME % "documents(first: 10) { totalCount edges { node { title file { url } } } }", 2),
    "the sessions": ("{ viewer { sessions { userAgent current } } }", 2),
    "the account page": (
        "{ viewer { email phone notifications { topic byEmail } newsletter accessTokens { name } } }",
        3,
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_takes_so_many_statements(
    claire: Any, home: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a leak, three ended leaks and a year of days for each of two meters."""
    for serial in (WATER, HEAT):
        await home.consume(serial, TODAY - timedelta(days=365), TODAY - timedelta(days=1), daily=310)
        await home.read(serial, [(NOW - timedelta(hours=2), 0), (NOW - timedelta(hours=1), 12)])
    await leak(home.meters[WATER], TODAY - timedelta(days=3), loss="400.00", mean="5.9000")
    for month in (3, 5, 7):
        await leak(home.meters[WATER], date(2026, month, 1), date(2026, month, 9), loss="120.00")
    document, statements = OPERATIONS[name]
    await claire.ask(document)
    with watched(monkeypatch) as work:
        await claire.ask(document)
    assert len(work.statements) == statements, work.statements

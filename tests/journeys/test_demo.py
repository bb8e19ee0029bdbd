"""The demo, end to end: telegrams that a generator encrypted, and the figures that a resident reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from core.access import SYSTEM
from core.bootstrap import Application
from core.services.messaging.outbox import list_messages
from core.services.places.key_encryption import KeyEncryption
from core.services.telegrams.pipeline import IntakeSummary, take_in
from graphql_schema.asgi import build_app
from submeter.demo.world import PASSWORD, describe
from submeter.simulator.plan import demo_plan
from submeter.simulator.telegrams import DemoLine, fresh_lines, history_lines
from submeter.simulator.values import DemoPlan, Scenario
from tests.support.demo import Truth, dwelling_with, only

ZONE = ZoneInfo("Europe/Paris")
ANCHOR = datetime(2026, 11, 22, 6, tzinfo=UTC)
NOW = ANCHOR + timedelta(hours=3, minutes=10)
SHOWN = (
    Scenario.LEAK_LEVEL_1,
    Scenario.LEAK_LEVEL_3,
    Scenario.LEAK_ENDED,
    Scenario.OVER_CONSUMPTION,
    Scenario.METER_REPLACED,
    Scenario.WEEK_WITHOUT_DATA,
    Scenario.NEW_RESIDENT,
)
QUERY = """
mutation Enter($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) {
    ... on SignedIn {
      viewer {
        dwellings {
          visibleFrom
          dashboard {
            fluid
            monthToDate { smallest }
            previousMonth { smallest }
            yearToDate { smallest }
            meanOfLast12Months { smallest value }
            monthsCounted
            estimatedDays
            lastReadingAt
          }
          activeAlerts {
            kind level startedOn title(language: FR) meterSerial lossCost projection { cost }
          }
          pastAlerts(first: 10) { totalCount edges { node { level startedOn endedOn } } }
        }
      }
    }
  }
}
"""


@pytest.fixture(scope="module")
def plan() -> DemoPlan:
    """The dwellings with something to show, over the whole fourteen months."""
    return only(demo_plan(ANCHOR), *SHOWN)


@pytest.fixture(scope="module")
def lines(plan: DemoPlan) -> list[DemoLine]:
    return list(history_lines(plan))


@dataclass
class Months:
    """First days of the months around the anchor, and the day after today."""

    today: date

    @property
    def tomorrow(self) -> date:
        return self.today + timedelta(days=1)

    def back(self, months: int) -> date:
        years, month = divmod(self.today.year * 12 + self.today.month - 1 - months, 12)
        return date(years, month + 1, 1)


@pytest.fixture
async def made(
    application: Application, key_encryption: KeyEncryption, plan: DemoPlan, lines: list[DemoLine]
) -> IntakeSummary:
    """The demo's database, each delivery ingested at its own time."""
    await describe(plan, key_encryption, now=ANCHOR)
    summary = IntakeSummary()
    for _, group in groupby(lines, key=lambda line: _delivery(plan, line)):
        delivery = list(group)
        summary += await take_in(
            application, SYSTEM, [line.text for line in delivery], source="demo", now=delivery[-1].sent_at
        )
    return summary


def _delivery(plan: DemoPlan, line: DemoLine) -> date:
    """Telegrams are ingested once a week while they are sent daily, and every day while they are hourly."""
    day = line.sent_at.date()
    return day if line.sent_at >= plan.hourly_start else day - timedelta(days=day.weekday())


def _reader(application: Application) -> httpx.AsyncClient:
    app = build_app(application, clock=lambda: NOW)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://application.test")


async def _dwelling(application: Application, email: str) -> dict[str, Any]:
    """What a resident sees after signing in, over HTTP."""
    async with _reader(application) as reader:
        asked = {"query": QUERY, "variables": {"email": email, "password": PASSWORD}}
        answer = (await reader.post("/graphql", json=asked)).json()
    assert "errors" not in answer, answer
    return answer["data"]["signIn"]["viewer"]["dwellings"][0]


def _present_residents(plan: DemoPlan) -> Iterator[tuple[str, date, dict[str, list[str]]]]:
    """Each present resident with the visible days and the addresses of the meters by fluid."""
    for scenario in SHOWN:
        dwelling = dwelling_with(plan, scenario)
        resident = dwelling.residents[-1]
        by_fluid: dict[str, list[str]] = {}
        for meter in dwelling.meters:
            by_fluid.setdefault(meter.fluid.value, []).append(meter.address)
        yield resident.email, resident.move_in, by_fluid


@pytest.mark.requirement("R-067", "R-068", "R-071", "R-072", "R-074", "R-075", "R-076", "C-15", "C-20")
@pytest.mark.requirement("R-080", "R-083", "R-084", "R-086", "R-088", "R-094", "R-096")
async def test_the_demo(
    application: Application, made: IntakeSummary, plan: DemoPlan, lines: list[DemoLine]
) -> None:
    """Residents read what the registers counted; leaks are notified; fresh lines change the next answer."""
    assert (made.stored, made.duplicates, made.unusable) == (len(lines), 0, {})
    await _dashboards_show_what_the_registers_counted(application, plan, lines)
    await _scenarios_raise_their_alerts(application, plan)
    await _fresh_lines_change_the_next_answer(application, plan)


async def _dashboards_show_what_the_registers_counted(
    application: Application, plan: DemoPlan, lines: list[DemoLine]
) -> None:
    """Every indicator of every fluid equals the amount recomputed from the generated index values."""
    truth, months = Truth(lines, ZONE), Months(NOW.astimezone(ZONE).date())
    for email, move_in, by_fluid in _present_residents(plan):
        seen = await _dwelling(application, email)
        assert {tab["fluid"] for tab in seen["dashboard"]} == set(by_fluid)
        for tab in seen["dashboard"]:
            addresses = by_fluid[tab["fluid"]]
            where = (email, tab["fluid"])

            def amount(first: date, end: date) -> int | None:
                since = max(first, move_in)  # noqa: B023 - called within this iteration
                return truth.amount(addresses, since, end) if end > since else None  # noqa: B023 - called before the loop goes on

            assert _smallest(tab["monthToDate"]) == amount(months.back(0), months.tomorrow), where
            assert _smallest(tab["previousMonth"]) == amount(months.back(1), months.back(0)), where
            assert _smallest(tab["yearToDate"]) == amount(date(months.today.year, 1, 1), months.tomorrow), (
                where
            )
            complete = [back for back in range(1, 13) if months.back(back) >= move_in]
            if len(addresses) > 1:
                # Two meters are summed, never subtracted; only the month of the swap is not complete.
                assert tab["monthsCounted"] == len(complete) - 1, where
                continue
            assert tab["monthsCounted"] == len(complete), where
            total = sum(amount(months.back(back), months.back(back - 1)) or 0 for back in complete)
            shown = Decimal(tab["meanOfLast12Months"]["value"]) * 1000
            assert abs(shown - Decimal(total) / len(complete)) <= Decimal("0.5"), where


async def _scenarios_raise_their_alerts(application: Application, plan: DemoPlan) -> None:
    """Leaks are shown with their level, the ended one in the history; each alert has its messages."""

    async def seen(scenario: Scenario) -> dict[str, Any]:
        return await _dwelling(application, dwelling_with(plan, scenario).residents[-1].email)

    (leak,) = (await seen(Scenario.LEAK_LEVEL_1))["activeAlerts"]
    assert (leak["level"], leak["meterSerial"], leak["startedOn"]) == (1, "H8CA029620", "2026-11-16")
    assert leak["title"] == "Alerte fuite niveau 1 depuis le 16/11/2026 (6 jours)"
    assert (float(leak["lossCost"]) > 0, float(leak["projection"]["cost"]) > 100) == (True, True)
    assert [alert["level"] for alert in (await seen(Scenario.LEAK_LEVEL_3))["activeAlerts"]] == [3]
    ended = await seen(Scenario.LEAK_ENDED)
    assert (ended["activeAlerts"], ended["pastAlerts"]["totalCount"]) == ([], 1)
    over = await seen(Scenario.OVER_CONSUMPTION)
    assert [alert["kind"] for alert in over["activeAlerts"]] == ["OVER_CONSUMPTION"]
    for scenario in (Scenario.NEW_RESIDENT, Scenario.WEEK_WITHOUT_DATA, Scenario.METER_REPLACED):
        quiet = await seen(scenario)
        assert (quiet["activeAlerts"], quiet["pastAlerts"]["totalCount"]) == ([], 0)
    templates = [message.template for message in await list_messages(SYSTEM)]
    assert templates.count("over_consumption") == 1
    assert {"leak_opened", "leak_closed"} < set(templates)


async def _fresh_lines_change_the_next_answer(application: Application, plan: DemoPlan) -> None:
    """The hours after the demo's anchor are new readings; ingested again, they are duplicates."""
    email = dwelling_with(plan, Scenario.LEAK_LEVEL_1).residents[-1].email
    before = (await _dwelling(application, email))["dashboard"][0]
    fresh = [line.text for line in fresh_lines(plan, 3)]
    summary = await take_in(application, SYSTEM, fresh, source="fresh", now=NOW)
    assert (summary.stored, summary.duplicates) == (len(fresh), 0)
    after = (await _dwelling(application, email))["dashboard"][0]
    assert after["lastReadingAt"] > before["lastReadingAt"]
    assert int(after["monthToDate"]["smallest"]) > int(before["monthToDate"]["smallest"])
    again = await take_in(application, SYSTEM, fresh, source="fresh", now=NOW)
    assert (again.stored, again.duplicates) == (0, len(fresh))


def _smallest(amount: dict[str, Any] | None) -> int | None:
    return None if amount is None else int(amount["smallest"])

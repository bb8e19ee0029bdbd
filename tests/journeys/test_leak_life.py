"""A leak from the first telegrams to the closing message, through the API that people use."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import httpx
import pytest

from core.access import SYSTEM, Role, Viewer
from core.models import Account, Alert, Channel, OutboxMessage, Residence
from core.services.alerts.manager_alerts import managed_alerts
from core.services.places.managed_residences import grant_residence
from core.services.telegrams.pipeline import take_in
from graphql_schema.asgi import build_app
from notifications.texts.render import render
from tests.graphql.conftest import Portal, SettableClock, cheap_passwords  # noqa: F401 - a fixture
from tests.services.conftest import Izar
from tests.support import factories

PARIS = ZoneInfo("Europe/Paris")
FIRST = date(2026, 11, 2)
MANAGER = "gestion@example.org"

ACTIVE = """{ viewer { dwellings { activeAlertCount activeAlerts {
  id level levelMax startedOn lossM3 meanFlowLph stale
  evidence { opening { at rule level flowLph boundLph observedHours windows } latest { level } }
  workflow { status possible actions { kind party note repairedAt } }
} } } }"""
PAST = """{ viewer { dwellings { pastAlerts { totalCount edges { node {
  title lossM3 lossCost workflow { status possible } } } } } } }"""
REPORT = """mutation ($id: ID!, $note: String!) { reportRepair(input: {id: $id, note: $note}) {
  __typename ... on AlertUpdated { workflow { status } } ... on AlertEnded { code } } }"""
ACKNOWLEDGE = """mutation ($id: ID!) { acknowledgeAlert(input: {id: $id}) {
  __typename ... on AlertUpdated { workflow { status } } ... on AlertEnded { code } } }"""


class Life:
    """Lets days pass: the meter sends every hour, and a day's telegrams are ingested the morning after."""

    def __init__(self, application, portal, meter) -> None:
        self.application, self.portal, self.meter = application, portal, meter
        self.day, self.index = FIRST, 10_000

    async def passes(self, *litres_an_hour: float, shuffled: bool = False) -> None:
        """One day for each flow in litres an hour; a fraction is an average."""
        for flow in litres_an_hour:
            start = datetime.combine(self.day, datetime.min.time(), tzinfo=PARIS).astimezone(UTC)
            amounts = [int(flow * (hour + 1)) - int(flow * hour) for hour in range(24)]
            lines = self.meter.hourly(start, amounts, index=self.index)
            self.index += sum(amounts)
            self.day += timedelta(days=1)
            self.portal.clock.now = start + timedelta(hours=26)
            for batch in (lines[::-1] if shuffled else lines, lines):  # and all of them again
                await take_in(self.application, SYSTEM, batch, source="roof", now=self.portal.clock.now)

    async def active(self):
        (home,) = (await self.portal.ask(ACTIVE))["viewer"]["dwellings"]
        assert home["activeAlertCount"] == len(home["activeAlerts"])
        return home["activeAlerts"]

    async def reported(self, email="claire.martin@example.org", channel=Channel.EMAIL):
        """The subjects of all messages to this address so far, and the last text."""
        rows = await OutboxMessage.filter(account__email=email, channel=channel).order_by("id")
        written = [render(row.template, row.language, row.values) for row in rows]
        return [message.subject for message in written], written[-1].text if written else ""


@pytest.fixture
async def life(application, key_encryption):
    """Claire's home with one meter, signed in; and a manager of the residence."""
    meter = Izar()
    await factories.residence(key_encryption, factories.meter(meter.address))
    await Residence.all().update(water_price_eur_per_m3=Decimal("4.52"))
    await factories.account(email=MANAGER)
    await Account.filter(email=MANAGER).update(role=Role.MANAGER)
    await grant_residence(
        SYSTEM, email=MANAGER, operator_code="ocea", residence_code="AA000", now=factories.NOW
    )
    clock = SettableClock(datetime(2026, 11, 2, 5, tzinfo=UTC))
    transport = httpx.ASGITransport(app=build_app(application, clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        portal = Portal(client, clock)
        await portal.sign_in()
        yield Life(application, portal, meter)


async def seen_by_manager(life):
    row = await Account.get(email=MANAGER).prefetch_related("managed_residences")
    viewer = Viewer(role=Role.MANAGER, account_id=row.id, operator_id=row.operator_id)
    (place,) = row.managed_residences
    page = await managed_alerts(viewer, place.residence_id, active=True, first=10, now=life.portal.clock.now)
    return page.items


OPENED, SECOND, THIRD = "Alerte fuite niveau 1", "passage au niveau 2", "passage au niveau 3"
AGAIN, END = "Alerte fuite : la réparation n'a pas tenu", "Fin de l'alerte fuite"


@pytest.mark.requirement("R-008", "R-016", "R-080", "R-092", "R-093", "C-24")
@pytest.mark.parametrize("shuffled", [False, True])
async def test_a_leak_grows_is_repaired_comes_back_and_ends(life, shuffled) -> None:
    """Level 1, 2, 3 with one message each, a repair that fails, and an end that states the loss."""
    await life.passes(0, 5, shuffled=shuffled)
    (alert,) = await life.active()
    assert (alert["level"], alert["startedOn"]) == (1, "2026-11-03")
    opening = alert["evidence"]["opening"]
    assert (opening["rule"], opening["level"]) == ("BOUNDS", 1)
    assert 4 <= Decimal(opening["flowLph"]) <= Decimal(opening["boundLph"]) < 8
    assert (opening["windows"] >= 4, Decimal(opening["observedHours"]) >= 24) == (True, True)
    await life.passes(9, 13, shuffled=shuffled)
    subjects, _ = await life.reported()
    assert [OPENED in subjects[0], SECOND in subjects[1], THIRD in subjects[2]] == [True] * 3
    assert len(subjects) == 3
    (alert,) = await life.active()
    assert (alert["level"], alert["levelMax"], alert["workflow"]["status"]) == (3, 3, "OPEN")

    answer = (await life.portal.ask(ACKNOWLEDGE, id=alert["id"]))["acknowledgeAlert"]
    assert answer["workflow"]["status"] == "ACKNOWLEDGED"
    answer = (await life.portal.ask(REPORT, id=alert["id"], note="Joint changé"))["reportRepair"]
    assert answer == {"__typename": "AlertUpdated", "workflow": {"status": "REPAIRED"}}
    (seen,) = await seen_by_manager(life)
    assert seen.workflow.status == "REPAIRED"
    assert [action.note for action in seen.workflow.actions] == ["", "Joint changé"]
    assert (seen.dwelling_id, seen.level, seen.loss_litres) == (1, 3, None)

    # It still runs, at a lower flow: the first whole day after 48 hours shows it.
    await life.passes(5, 5, 5, shuffled=shuffled)
    assert len((await life.reported())[0]) == 3
    (alert,) = await life.active()
    assert alert["workflow"]["status"] == "REPAIRED"
    await life.passes(5, shuffled=shuffled)
    (alert,) = await life.active()
    assert alert["workflow"]["status"] == "RELAPSED"
    assert [action["party"] for action in alert["workflow"]["actions"]] == ["RESIDENT", "RESIDENT", "METER"]
    for address in ("claire.martin@example.org", MANAGER):
        subjects, text = await life.reported(address)
        assert subjects[-1] == AGAIN
        assert ("A · 1 · 2 · 12" in text) == (address == MANAGER)
        assert ("L/h" in text) == (address != MANAGER)
    assert len((await life.reported(MANAGER))[0]) == 1

    await life.portal.ask(REPORT, id=alert["id"], note="Chasse d'eau changée")
    await life.passes(0, 0, 0, 0, shuffled=shuffled)
    subjects, text = await life.reported()
    assert (subjects[-1], len(subjects)) == (END, 5)
    # 24 hours of each day's minimum: 5 + 9 + 13 + 4 x 5 litres an hour.
    assert "Perte totale 1.13 m3, soit environ 5.10 €." in text
    assert await life.active() == []
    (home,) = (await life.portal.ask(PAST))["viewer"]["dwellings"]
    (past,) = [edge["node"] for edge in home["pastAlerts"]["edges"]]
    assert (past["lossM3"], past["lossCost"]) == ("1.13", "5.10")
    assert past["workflow"] == {"status": "VERIFIED", "possible": []}
    over = await life.portal.ask(REPORT, id=alert["id"], note="")
    assert over["reportRepair"] == {"__typename": "AlertEnded", "code": "ALERT_ENDED"}


async def test_a_closed_leak_that_returns_is_notified_to_both_sides(life) -> None:
    """The alert was closed, and within a week water runs again: the repair failed."""
    await life.passes(0, 5)
    (alert,) = await life.active()
    await life.portal.ask(REPORT, id=alert["id"], note="")
    await life.passes(0, 0, 0, 0)
    assert (await life.reported())[0][-1] == END
    await life.passes(6)
    for address in ("claire.martin@example.org", MANAGER):
        assert (await life.reported(address))[0][-1] == AGAIN
    (alert,) = await life.active()
    assert alert["workflow"]["status"] == "RELAPSED"
    assert await Alert.all().count() == 1

"""A leak's whole life, from the first telegrams to the closing message, over the doors that people use."""

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
  handling { standing possible deeds { kind party note repairedAt } }
} } } }"""
PAST = """{ viewer { dwellings { pastAlerts { totalCount edges { node {
  title lossM3 lossCost handling { standing possible } } } } } } }"""
REPORT = """mutation ($id: ID!, $note: String!) { reportRepair(input: {id: $id, note: $note}) {
  __typename ... on AlertHandled { handling { standing } } ... on AlertOver { code } } }"""
ACKNOWLEDGE = """mutation ($id: ID!) { acknowledgeAlert(input: {id: $id}) {
  __typename ... on AlertHandled { handling { standing } } ... on AlertOver { code } } }"""


class Life:
    """Lets days pass: the meter speaks every hour, and intake takes a day's telegrams the morning after."""

    def __init__(self, house, portal, meter) -> None:
        self.house, self.portal, self.meter = house, portal, meter
        self.day, self.index = FIRST, 10_000

    async def passes(self, *litres_an_hour: float, shuffled: bool = False) -> None:
        """One day for each flow; a fraction is what an hour has on average."""
        for flow in litres_an_hour:
            start = datetime.combine(self.day, datetime.min.time(), tzinfo=PARIS).astimezone(UTC)
            amounts = [int(flow * (hour + 1)) - int(flow * hour) for hour in range(24)]
            lines = self.meter.hourly(start, amounts, index=self.index)
            self.index += sum(amounts)
            self.day += timedelta(days=1)
            self.portal.clock.now = start + timedelta(hours=26)
            for batch in (lines[::-1] if shuffled else lines, lines):  # and all of it once more
                await take_in(self.house, SYSTEM, batch, source="roof", now=self.portal.clock.now)

    async def active(self):
        (home,) = (await self.portal.ask(ACTIVE))["viewer"]["dwellings"]
        assert home["activeAlertCount"] == len(home["activeAlerts"])
        return home["activeAlerts"]

    async def told(self, email="claire.martin@example.org", channel=Channel.EMAIL):
        """The subjects of all messages to this address so far, and the last text."""
        rows = await OutboxMessage.filter(account__email=email, channel=channel).order_by("id")
        written = [render(row.template, row.language, row.values) for row in rows]
        return [message.subject for message in written], written[-1].text if written else ""


@pytest.fixture
async def life(house, vault):
    """Claire's home with one meter, signed in; and a manager of the residence."""
    meter = Izar()
    await factories.residence(vault, factories.meter(meter.address))
    await Residence.all().update(water_price_eur_per_m3=Decimal("4.52"))
    await factories.account(email=MANAGER)
    await Account.filter(email=MANAGER).update(role=Role.MANAGER)
    await grant_residence(
        SYSTEM, email=MANAGER, operator_code="ocea", residence_code="AA000", now=factories.NOW
    )
    clock = SettableClock(datetime(2026, 11, 2, 5, tzinfo=UTC))
    transport = httpx.ASGITransport(app=build_app(house, clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        portal = Portal(client, clock)
        await portal.sign_in()
        yield Life(house, portal, meter)


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
    """Level 1, 2, 3 with one message each, a repair that does not hold, and an end that tells the loss."""
    await life.passes(0, 5, shuffled=shuffled)
    (alert,) = await life.active()
    assert (alert["level"], alert["startedOn"]) == (1, "2026-11-03")
    await life.passes(9, 13, shuffled=shuffled)
    subjects, _ = await life.told()
    assert [OPENED in subjects[0], SECOND in subjects[1], THIRD in subjects[2]] == [True] * 3
    assert len(subjects) == 3
    (alert,) = await life.active()
    assert (alert["level"], alert["levelMax"], alert["handling"]["standing"]) == (3, 3, "OPEN")

    answer = (await life.portal.ask(ACKNOWLEDGE, id=alert["id"]))["acknowledgeAlert"]
    assert answer["handling"]["standing"] == "ACKNOWLEDGED"
    answer = (await life.portal.ask(REPORT, id=alert["id"], note="Joint changé"))["reportRepair"]
    assert answer == {"__typename": "AlertHandled", "handling": {"standing": "REPAIRED"}}
    (seen,) = await seen_by_manager(life)
    assert seen.handling.standing == "REPAIRED"
    assert [deed.note for deed in seen.handling.deeds] == ["", "Joint changé"]
    assert (seen.place, seen.level) == ("A · 1 · 2 · 12", 3)

    # It runs on, only less: the first whole day after 48 hours says so.
    await life.passes(5, 5, 5, shuffled=shuffled)
    assert len((await life.told())[0]) == 3
    (alert,) = await life.active()
    assert alert["handling"]["standing"] == "REPAIRED"
    await life.passes(5, shuffled=shuffled)
    (alert,) = await life.active()
    assert alert["handling"]["standing"] == "RELAPSED"
    assert [deed["party"] for deed in alert["handling"]["deeds"]] == ["RESIDENT", "RESIDENT", "METER"]
    for address in ("claire.martin@example.org", MANAGER):
        subjects, text = await life.told(address)
        assert subjects[-1] == AGAIN
        assert ("A · 1 · 2 · 12" in text) == (address == MANAGER)
        assert ("L/h" in text) == (address != MANAGER)
    assert len((await life.told(MANAGER))[0]) == 1

    await life.portal.ask(REPORT, id=alert["id"], note="Chasse d'eau changée")
    await life.passes(0, 0, 0, 0, shuffled=shuffled)
    subjects, text = await life.told()
    assert (subjects[-1], len(subjects)) == (END, 5)
    # 24 hours of each day's minimum: 5 + 9 + 13 + 4 x 5 litres an hour.
    assert "Perte totale 1.13 m3, soit environ 5.10 €." in text
    assert await life.active() == []
    (home,) = (await life.portal.ask(PAST))["viewer"]["dwellings"]
    (past,) = [edge["node"] for edge in home["pastAlerts"]["edges"]]
    assert (past["lossM3"], past["lossCost"]) == ("1.13", "5.10")
    assert past["handling"] == {"standing": "VERIFIED", "possible": []}
    over = await life.portal.ask(REPORT, id=alert["id"], note="")
    assert over["reportRepair"] == {"__typename": "AlertOver", "code": "ALERT_OVER"}


async def test_a_closed_leak_that_comes_back_tells_both_sides(life) -> None:
    """The alert was closed, and within a week water runs again: the repair has not held."""
    await life.passes(0, 5)
    (alert,) = await life.active()
    await life.portal.ask(REPORT, id=alert["id"], note="")
    await life.passes(0, 0, 0, 0)
    assert (await life.told())[0][-1] == END
    await life.passes(6)
    for address in ("claire.martin@example.org", MANAGER):
        assert (await life.told(address))[0][-1] == AGAIN
    (alert,) = await life.active()
    assert alert["handling"]["standing"] == "RELAPSED"
    assert await Alert.all().count() == 1

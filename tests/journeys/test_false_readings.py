"""False readings over HTTP: nobody is notified of one, and the operator's staff take back what one did."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.access import SYSTEM, Act
from core.models import AuditRecord, Dwelling
from core.services.portfolio.gateways import issue_gateway_key
from tests.services.conftest import Izar
from tests.support.journey import Resident, invited_staff, sign_up_with_ocea
from tests.support.sign_up import OCEA_DWELLING, describe

CLAIRE, STAFF = "claire.martin@example.org", "exploitation@example.org"
METER = Izar()
HOUR = timedelta(hours=1)
FIRST = datetime(2026, 11, 19, 23, tzinfo=UTC)  # midnight in Paris, 20 November begins

SUBMIT = """mutation ($lines: [String!]!) { it: submitTelegrams(lines: $lines) { ... on TelegramsSubmitted {
  lines stored duplicates alerts messages unusable { reason count } } ... on Refusal { code field } } }"""
FIGURES = """{ viewer { dwellings {
  activeAlertCount activeAlerts { kind ownLimit startedOn title }
  pastAlerts { totalCount }
  recurringDraws { id } slowLeakHints { meterSerial }
  dashboard { fluid unit monthToDate { smallest } monthToDateDays lastReadingAt lastReceivedAt
    previousMonth { smallest } previousMonthDays yearToDate { smallest } meanOfLast12Months { smallest }
    monthsCounted estimatedDays }
  dailyConsumption(fluid: COLD_WATER) { day quality amount { smallest } }
  monthlyConsumption(fluid: COLD_WATER) { month quality daysWithData complete amount { smallest } }
  indexStatement { lines { index { smallest } readAt } }
  meters { serial readings(first: 100) { edges { node { readAt index { smallest } } } } }
} } }"""
LIST = """query ($status: ReadingStatus) { doubtfulReadings(status: $status) { edges { node {
  id radioAddress residenceCode dwellingNumber readAt doubt evidence status
  index { smallest } indexBefore { smallest } indexAfter { smallest }
} } } }"""
WITHDRAW = """mutation ($meter: String!, $at: DateTime!) {
  it: withdrawReading(input: {radioAddress: $meter, readAt: $at, reason: "faux relevé"}) {
  ... on ReadingCorrected {
    counts alerts messages } ... on Refusal { code field } } }"""
ACCEPT = """mutation ($id: ID!) {
  it: acceptReading(input: {id: $id, reason: "vu sur place"}) {
  ... on ReadingCorrected { counts alerts messages } ... on Refusal { code field } } }"""
CHOOSE = """mutation ($topic: NotificationTopic!) {
  chooseNotification(topic: $topic, byEmail: true) { __typename } }"""
LIMIT = """mutation ($home: ID!) {
  setConsumptionLimit(input: {dwelling: $home, fluid: COLD_WATER, period: DAY, amount: 500}) {
    __typename } }"""


@dataclass
class Building:
    """Claire at home, the gateway on the roof, and the clock."""

    claire: Resident
    gateway: Resident
    post: Any
    clock: Any

    async def receives(self, *lines: str, at: datetime) -> dict[str, Any]:
        """The gateway's answer, when it submits lines at a moment."""
        self.clock.now = at
        answer: dict[str, Any] = (await self.gateway.ask(SUBMIT, lines=list(lines)))["it"]
        assert answer["unusable"] == []
        return answer

    async def figures(self) -> dict[str, Any]:
        """All that Claire sees of her home."""
        (home,) = (await self.claire.ask(FIGURES))["viewer"]["dwellings"]
        return dict(home)

    async def litres(self) -> dict[str, int]:
        """Her days that have an amount."""
        days = (await self.figures())["dailyConsumption"]
        return {one["day"]: int(one["amount"]["smallest"]) for one in days if one["amount"]}

    async def mails(self) -> list[str]:
        return await self.post.mails_to(CLAIRE)


@pytest.fixture
async def building(client, post, clock, key_encryption, application) -> Building:
    """Claire signs up, wants e-mails of all alerts, and 30 hours of her meter are received."""
    await describe(key_encryption, "ocea", OCEA_DWELLING)
    claire = await sign_up_with_ocea(client, post, CLAIRE, move_in="2026-03-01")
    for topic in ("LEAK", "OVER_CONSUMPTION"):
        await claire.ask(CHOOSE, topic=topic)
    key = await issue_gateway_key(SYSTEM, operator_code="ocea", name="roof", now=clock.now)
    built = Building(claire, Resident(client, "", token=key), post, clock)
    ordinary = [0, 0, 0, 0, 0, 0, 20, 60, 10, 0, 0, 0] * 3
    lines = METER.hourly(FIRST, ordinary[:30], index=300_000)
    assert (await built.receives(*lines, at=FIRST + 31 * HOUR))["stored"] == 31
    return built


def bare(litres: int, at: datetime, *, flipped: int | None = None) -> str:
    """A line that no gateway vouches for; with a bit of its index flipped on the way."""
    telegram = bytearray(METER.telegram(litres))
    if flipped is not None:
        telegram[16 + flipped // 8] ^= 1 << flipped % 8
    return json.dumps({"telegram": telegram.hex(), "timestamp": at.isoformat()})


def nodes(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in answer["doubtfulReadings"]["edges"]]


SMALLEST = {"index": 4_494_504, "indexBefore": 300_180, "indexAfter": 300_210}


async def test_a_false_reading_is_no_consumption_and_staff_withdraw_it(building, client, post) -> None:
    """4,194 m3 too much: nobody is notified and no figure changes; three true readings follow; staff see an
    outlier between 300,180 and 300,210 litres, and withdraw it without any effect on residents.
    """
    before, letters = await building.figures(), len(await building.mails())
    at = FIRST + 31 * HOUR
    answer = await building.receives(bare(300_200, at, flipped=22), at=at + HOUR / 2)
    assert (answer["stored"], answer["alerts"], answer["messages"]) == (1, 0, 0)
    assert await building.figures() == before
    assert len(await building.mails()) == letters

    true = [bare(300_200 + 10 * hour, at + hour * HOUR) for hour in (1, 2, 3)]
    for number, line in enumerate(true, start=1):
        answer = await building.receives(line, at=at + number * HOUR + HOUR / 2)
        assert (answer["stored"], answer["alerts"], answer["messages"]) == (1, 0, 0)
    assert await building.litres() == {"2026-11-20": 180, "2026-11-21": 50}
    assert len(await building.mails()) == letters
    (tab,) = (figures := await building.figures())["dashboard"]
    assert (tab["monthToDate"], tab["estimatedDays"]) == ({"smallest": 230}, 0)
    assert figures["activeAlertCount"] == 0

    staff = await invited_staff(client, post, STAFF)
    (found,) = nodes(await staff.ask(LIST))
    assert {name: found[name]["smallest"] for name in SMALLEST} == SMALLEST
    assert (found["doubt"], found["evidence"], found["status"]) == ("RISE_TOO_FAST", "NOTHING", "OUTLIER")
    where = (found["radioAddress"], found["residenceCode"], found["dwellingNumber"])
    assert where == (METER.address, "AA000", "12")
    withdrawn = (await staff.ask(WITHDRAW, meter=METER.address, at=found["readAt"]))["it"]
    assert withdrawn == {"counts": False, "alerts": 0, "messages": 0}
    assert [one["id"] for one in nodes(await staff.ask(LIST, status="WITHDRAWN"))] == [found["id"]]
    assert nodes(await staff.ask(LIST, status="OUTLIER")) == []
    assert await building.figures() == figures
    assert len(await building.mails()) == letters
    assert await AuditRecord.filter(act=Act.ALERT_WITHDRAWN).count() == 0
    record = await AuditRecord.get(act=Act.READING_WITHDRAWN)
    assert (record.role, record.details["index"], record.details["reason"]) == (
        "STAFF",
        4_494_504,
        "faux relevé",
    )


BURST = "Eau froide n°H8CA029620 : un débit très élevé coule sans interruption depuis le 21/11/2026."
LIMIT_PASSED = "Eau froide : 2.13 m3 le 21/11/2026, plus que votre limite de 0.50 m3 par jour."
TAKEN_BACK = (
    "est annulée : ses relevés sont écartés. La consommation affichée est corrigée. Avec nos excuses."
)
WITHDRAWN = {
    f"Eau froide n°H8CA029620 : l'alerte de débit anormalement élevé du 21/11/2026 {TAKEN_BACK}",
    f"Eau froide : l'alerte de dépassement de votre limite le 21/11/2026 {TAKEN_BACK}",
}


async def test_a_wrong_alert_is_taken_back_and_the_resident_gets_a_correction(building, client, post) -> None:
    """A gateway-checked rise of 2,100 litres in two hours is a burst and passes Claire's limit. Staff
    withdraw it: no alert, no volume, an e-mail for each alert of which she was notified; accepted, all is
    back.
    """
    (home,) = (await building.claire.ask("{ viewer { dwellings { id } } }"))["viewer"]["dwellings"]
    limited = await building.claire.ask(LIMIT, home=home["id"])
    assert limited["setConsumptionLimit"]["__typename"] == "ConsumptionLimits"
    before, letters = await building.figures(), len(await building.mails())
    at = FIRST + 32 * HOUR
    answer = await building.receives(METER.line(302_310, at), at=at + HOUR / 2)
    assert (answer["alerts"], answer["messages"]) == (2, 2)
    wrong = await building.figures()
    assert {(one["kind"], one["ownLimit"]) for one in wrong["activeAlerts"]} == {
        ("BURST", None),
        ("OVER_CONSUMPTION", "DAY"),
    }
    sent = (await building.mails())[letters:]
    assert [any(text in mail for mail in sent) for text in (BURST, LIMIT_PASSED)] == [True, True], sent

    staff = await invited_staff(client, post, STAFF)
    withdrawn = (await staff.ask(WITHDRAW, meter=METER.address, at=at.isoformat()))["it"]
    assert withdrawn == {"counts": False, "alerts": 2, "messages": 2}
    assert await building.figures() == before
    corrections = (await building.mails())[letters + 2 :]
    assert len(corrections) == len(WITHDRAWN)
    assert {
        mail.removeprefix("Bonjour Claire Martin,\n\n").partition("\n")[0] for mail in corrections
    } == WITHDRAWN
    mine = [mail["Subject"] for mail in post.box.mails if mail["To"] == CLAIRE]
    assert mine[-2:] == ["Correction : alerte annulée"] * 2
    gone = await AuditRecord.filter(act=Act.ALERT_WITHDRAWN)
    assert sorted(one.details["kind"] for one in gone) == ["BURST", "OVER_CONSUMPTION"]
    assert {one.details["dwelling"] for one in gone} == {(await Dwelling.get(number="12")).id}

    (found,) = nodes(await staff.ask(LIST, status="WITHDRAWN"))
    back = (await staff.ask(ACCEPT, id=found["id"]))["it"]
    assert back == {"counts": True, "alerts": 2, "messages": 2}
    assert await building.figures() == wrong
    again = (await building.mails())[letters + 4 :]
    assert [any(text in mail for mail in again) for text in (BURST, LIMIT_PASSED)] == [True, True], again
    assert nodes(await staff.ask(LIST)) == []
    records = await AuditRecord.filter(subject="meter").order_by("id")
    assert [(one.act, one.role, one.details["reason"]) for one in records] == [
        (Act.READING_WITHDRAWN, "STAFF", "faux relevé"),
        (Act.READING_ACCEPTED, "STAFF", "vu sur place"),
    ]

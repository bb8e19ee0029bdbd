"""Watering at night: the first is an alert, then a question; the answer decides what comes after it."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from core.access import NOBODY, SYSTEM, Act, Role, Viewer
from core.alerting.recurring_draws import DrawAnswer
from core.errors import NotFound
from core.models import (
    Account,
    Alert,
    AlertKind,
    AuditRecord,
    Channel,
    Occupancy,
    OutboxMessage,
    RecurringDraw,
    RecurringDrawAnswer,
)
from core.services.alerts.draw_questions import answer_recurring_draw, recurring_draws
from core.services.places.managed_residences import grant_residence
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import take_in
from graphql_schema.asgi import build_app
from graphql_schema.base.relay import global_id
from notifications.texts.render import render
from tests.graphql.conftest import Portal, SettableClock, cheap_passwords  # noqa: F401 - a fixture
from tests.services.conftest import Izar
from tests.support import factories

PARIS = ZoneInfo("Europe/Paris")
FIRST = date(2026, 6, 1)
CLAIRE, MANAGER = "claire.martin@example.org", "gestion@example.org"
USUAL = [5] * 6 + [40] * 2 + [10] * 10 + [30] * 4 + [0] * 2
OPENED, CLOSED = "Alerte débit anormalement élevé", "Fin de l'alerte débit anormalement élevé"
QUESTION = "Débit élevé récurrent : est-ce le vôtre ?"

HOME = """{ viewer { dwellings {
  activeAlerts { kind }
  recurringDraws { id startsAt litres draws firstOn lastOn
    answer answeredBy title meterSerial }
  pastAlerts { totalCount edges { node { kind startedOn recurringDraw { id answer } } } }
} } }"""
ANSWER = """mutation ($id: ID!, $answer: RecurringDrawAnswer!) {
  answerRecurringDraw(input: {id: $id, answer: $answer}) {
  ... on RecurringDrawAnswered { id answer } ... on Refusal { code field } } }"""


def watering(litres=700, *, at=22, hours=1):
    """A day's litres by the hour, with so many an hour from that hour on."""
    return [litres if at <= hour < at + hours else usual for hour, usual in enumerate(USUAL)]


class Garden:
    """Lets days pass: the meter sends every hour, and a day's telegrams are ingested the morning after."""

    def __init__(self, application, portal, meter, mixed) -> None:
        self.application, self.portal, self.meter, self.mixed = application, portal, meter, mixed
        self.day, self.index = FIRST, 10_000

    async def passes(self, *days: list[int]) -> None:
        for amounts in days:
            start = datetime.combine(self.day, datetime.min.time(), tzinfo=PARIS).astimezone(UTC)
            lines = self.meter.hourly(start, amounts, index=self.index)
            self.index += sum(amounts)
            self.day += timedelta(days=1)
            self.portal.clock.now = start + timedelta(hours=26)
            if self.mixed:
                lines = random.Random(self.index).sample(lines * 2, len(lines) * 2)
            await take_in(self.application, SYSTEM, lines, source="roof", now=self.portal.clock.now)

    async def home(self):
        (home,) = (await self.portal.ask(HOME))["viewer"]["dwellings"]
        return home

    async def subjects(self, email=CLAIRE, channel=Channel.EMAIL):
        """The subjects of all messages to this address so far."""
        rows = await OutboxMessage.filter(account__email=email, channel=channel).order_by("id")
        return [render(row.template, row.language, row.values).subject for row in rows]

    async def manager(self):
        account = await Account.get(email=MANAGER)
        return Viewer(role=Role.MANAGER, account_id=account.id, operator_id=account.operator_id)


@pytest.fixture(params=["in order", "late, doubled and disordered"])
async def garden(request, application, key_encryption):
    """Claire's home with one meter, signed in; and a manager of the residence."""
    meter = Izar()
    await factories.residence(key_encryption, factories.meter(meter.address))
    await factories.account(email=MANAGER, role=Role.MANAGER)
    await grant_residence(
        SYSTEM, email=MANAGER, operator_code="ocea", residence_code="AA000", now=factories.NOW
    )
    clock = SettableClock(datetime(2026, 6, 1, 5, tzinfo=UTC))
    transport = httpx.ASGITransport(app=build_app(application, clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        portal = Portal(client, clock)
        await portal.sign_in()
        yield Garden(application, portal, meter, mixed=request.param != "in order")


async def test_eight_nights_of_watering_are_one_alert_and_one_question(garden) -> None:
    """The first night is notified by e-mail and SMS; the second asks by e-mail; six more send nothing."""
    await garden.passes(watering())
    assert await garden.subjects() == [OPENED]
    await garden.passes(*[watering()] * 2)
    assert await garden.subjects() == [OPENED, CLOSED, QUESTION]
    await garden.passes(*[watering()] * 5, USUAL)
    assert await garden.subjects() == [OPENED, CLOSED, QUESTION]
    assert await garden.subjects(channel=Channel.SMS) == [OPENED, CLOSED]
    home = await garden.home()
    (draw,) = home["recurringDraws"]
    title = "Débit élevé récurrent vers 22 h 00 (environ 700 litres)"
    assert draw == {
        "id": global_id("RecurringDraw", 1),
        "startsAt": "22:00",
        "litres": 700,
        "draws": 8,
        "firstOn": "2026-06-01",
        "lastOn": "2026-06-08",
        "title": title,
        "answer": None,
        "answeredBy": None,
        "meterSerial": "H18CA029620",
    }
    assert home["activeAlerts"] == []
    (past,) = [edge["node"] for edge in home["pastAlerts"]["edges"]]
    assert past["recurringDraw"] == {"id": draw["id"], "answer": None}
    assert await RecurringDraw.all().count() == 1


async def test_the_manager_is_asked_too_and_reads_neither_hour_nor_litres(garden) -> None:
    """Which dwelling, since when; figures are the occupant's."""
    await garden.passes(*[watering()] * 4)
    (row,) = await OutboxMessage.filter(account__email=MANAGER)
    text = render(row.template, row.language, row.values).text
    assert text.startswith(
        "A · 1 · 2 · 12 : Eau froide n°H18CA029620 : un débit élevé revient à la même heure"
    )
    assert "litres" not in text
    assert "22" not in text.replace("029620", "")
    (mine,) = await OutboxMessage.filter(account__email=CLAIRE, template="recurring_draw")
    text = render("recurring_draw", "en", mine.values).text
    assert "a high flow of about 700 litres has come back at about 22:00 since 1 June 2026" in text


async def test_what_is_mine_says_nothing_until_it_clearly_grows(garden) -> None:
    """Half as much again is the same draw; more, longer or at another hour is notified at once."""
    await garden.passes(*[watering()] * 3)
    (draw,) = (await garden.home())["recurringDraws"]
    answer = await garden.portal.ask(ANSWER, id=draw["id"], answer="MINE")
    assert answer["answerRecurringDraw"] == {"id": draw["id"], "answer": "MINE"}
    await garden.passes(*[watering()] * 3, watering(1000), watering(650, at=21), USUAL)
    assert await garden.subjects() == [OPENED, CLOSED, QUESTION]
    (draw,) = (await garden.home())["recurringDraws"]
    assert (draw["answer"], draw["answeredBy"], draw["draws"]) == ("MINE", "RESIDENT", 8)
    for number, larger in enumerate((watering(1300), watering(at=3)), start=2):
        await garden.passes(larger, USUAL)
        assert (await garden.subjects()).count(OPENED) == number, larger
    record = await AuditRecord.get(act=Act.RECURRING_DRAW_ANSWERED)
    assert (record.subject, record.details["answer"]) == ("recurring_draw", "MINE")


async def test_what_is_not_mine_is_an_alert_again_at_each_new_draw(garden) -> None:
    """Every night from the answer on, once a day; and a change of mind ends that."""
    await garden.passes(*[watering()] * 4)
    (draw,) = (await garden.home())["recurringDraws"]
    await garden.portal.ask(ANSWER, id=draw["id"], answer="NOT_MINE")
    await garden.passes(*[watering()] * 3, USUAL)
    assert (await garden.subjects()).count(OPENED) == 1 + 3
    assert await Alert.filter(kind=AlertKind.BURST).count() == 1 + 3
    await garden.portal.ask(ANSWER, id=draw["id"], answer="MINE")
    await garden.portal.ask(ANSWER, id=draw["id"], answer="MINE")
    await garden.passes(*[watering()] * 3, USUAL)
    assert (await garden.subjects()).count(OPENED) == 1 + 3
    assert await Alert.filter(kind=AlertKind.BURST).count() == 1 + 3
    assert await RecurringDrawAnswer.all().count() == 2
    assert (await garden.subjects()).count(QUESTION) == 1


async def test_a_new_occupant_starts_without_the_answers_of_the_one_before(garden) -> None:
    """The same watering is notified again and asked again; neither sees the other's."""
    await garden.passes(*[watering()] * 3)
    (draw,) = (await garden.home())["recurringDraws"]
    await garden.portal.ask(ANSWER, id=draw["id"], answer="MINE")
    claire = await Account.get(email=CLAIRE)
    former = Viewer(role=Role.RESIDENT, account_id=claire.id, operator_id=claire.operator_id)
    paul = await factories.account(email="paul.durand@example.org")
    (row,) = await Occupancy.all()
    await Occupancy.all().update(move_out=garden.day)
    await Occupancy.create(dwelling_id=row.dwelling_id, account_id=paul, kind=row.kind, move_in=garden.day)
    await garden.passes(*[watering()] * 3, USUAL)
    assert await garden.subjects("paul.durand@example.org") == [OPENED, CLOSED, QUESTION]
    assert await garden.subjects() == [OPENED, CLOSED, QUESTION]
    viewer = Viewer(role=Role.RESIDENT, account_id=paul, operator_id=claire.operator_id)
    (seen,) = await recurring_draws(viewer, row.dwelling_id)
    assert (seen.draws, seen.answer, seen.first_on) == (3, None, date(2026, 6, 4))
    (own,) = await recurring_draws(former, row.dwelling_id)
    assert (own.draws, own.answer) == (3, DrawAnswer.MINE)
    options = {"visitor": NOBODY, "now": garden.portal.clock.now}
    for who, number in (
        (former, own.id),
        (former, seen.id),
        (viewer, own.id),
        (await garden.manager(), own.id),
    ):
        with pytest.raises(NotFound):
            await answer_recurring_draw(who, number, DrawAnswer.NOT_MINE, **options)
    answered = await answer_recurring_draw(await garden.manager(), seen.id, DrawAnswer.MINE, **options)
    assert (answered.answer, answered.answered_by) == (DrawAnswer.MINE, "MANAGER")


async def test_another_resident_finds_no_draw_to_answer(garden) -> None:
    """Another's draw does not exist."""
    await garden.passes(*[watering()] * 3)
    (draw,) = (await garden.home())["recurringDraws"]
    await factories.account(email="paul.durand@example.org")
    await garden.portal.sign_in("paul.durand@example.org")
    refusal = await garden.portal.refused(ANSWER, id=draw["id"], answer="MINE")
    assert refusal["code"] == "NOT_FOUND"


TABLES = (
    "SELECT shown_from_s, shown_until_s, ended_s, litres, flow_lph, expected FROM burst_draw ORDER BY 1",
    "SELECT first_on, last_on, draws, minute_of_day, litres FROM recurring_draw ORDER BY 1, 4",
    "SELECT kind, started_on, ended_on FROM alert ORDER BY 2, 3",
)


def in_pieces(lines, chance):
    """The lines as they are, one to five at a time."""
    left = list(lines)
    while left:
        size = chance.randint(1, 5)
        yield left[:size]
        left = left[size:]


async def test_nights_that_arrive_in_any_order_give_the_same_tables(application, key_encryption) -> None:
    """At once, some hours at a time in order, night by night backwards, and a few lines at a time in any
    order: watering, and one true burst.
    """
    meter = Izar()
    await factories.residence(key_encryption, factories.meter(meter.address))
    start = datetime(2026, 6, 1, tzinfo=PARIS).astimezone(UTC)
    days = [watering(), watering(), watering(720), watering(at=9), watering(), watering(1500), USUAL]
    lines = meter.hourly(start, [hour for day in days for hour in day])
    now = start + timedelta(days=len(days))
    backwards = [lines[day * 24 : day * 24 + 25] for day in reversed(range(len(days)))]
    chance = random.Random(7)
    some_hours = in_pieces(lines, chance)
    mixed = in_pieces(chance.sample(lines, len(lines)), chance)
    seen = []
    for batches in ([lines], some_hours, backwards, mixed):
        for name in ("outbox_message", "alert", "recurring_draw", "burst_draw", "meter_state", "reading"):
            await current_database().execute_script(f"DELETE FROM {name}")
        for batch in batches:
            await take_in(application, SYSTEM, batch, source="test", now=now)
        rows = [await current_database().execute_query_dict(query) for query in TABLES]
        seen.append([[tuple(row.values()) for row in table] for table in rows])
    assert seen[0] == seen[1]
    assert seen[0] == seen[2]
    assert seen[0] == seen[3]
    draws, recurring, alerts = seen[0]
    assert [bool(row[-1]) for row in draws] == [False, True, True, False, True, False]
    assert [row[2:4] for row in recurring] == [(4, 22 * 60)]
    assert len(alerts) == 3

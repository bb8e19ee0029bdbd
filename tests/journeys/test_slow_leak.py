"""A toilet that runs at 2 L/h: nothing by default; for who asked, one hint after ten days, until it stops."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from core.access import SYSTEM, Act
from core.models import Account, Alert, AuditRecord, Channel, Meter, Occupancy, OutboxMessage, SlowLeakHint
from core.services.alerts import slow_leak_hints as hints
from core.services.telegrams.pipeline import take_in
from graphql_schema.asgi import build_app
from notifications.texts.render import render
from tests.graphql.conftest import Portal, SettableClock, cheap_passwords  # noqa: F401 - a fixture
from tests.services.conftest import Izar
from tests.support import factories

PARIS = ZoneInfo("Europe/Paris")
FIRST = date(2026, 6, 1)
USUAL = [0] * 6 + [40] * 2 + [10] * 10 + [30] * 4 + [0] * 2
RUNNING = [litres + 2 for litres in USUAL]

SETTING = "{ viewer { slowLeakHints notifications { topic byEmail bySms } } }"
CHOOSE = """mutation ($on: Boolean!) { chooseSlowLeakHints(wished: $on) {
    ... on AccountChanged { viewer { slowLeakHints } }
    ... on Refusal { code field } } }"""
HINTS = """{ viewer { dwellings { activeAlertCount slowLeakHints {
  fluid meterSerial startedOn flowLph fr: title en: title(language: EN) } } } }"""


class Toilet:
    """Lets days pass: the meter sends every hour, and a day's telegrams are ingested the morning after."""

    def __init__(self, application, portal, meter) -> None:
        self.application, self.portal, self.meter = application, portal, meter
        self.day, self.index = FIRST, 10_000

    async def passes(self, *days: list[int]) -> None:
        for amounts in days:
            start = datetime.combine(self.day, datetime.min.time(), tzinfo=PARIS).astimezone(UTC)
            lines = self.meter.hourly(start, amounts, index=self.index)
            self.index += sum(amounts)
            self.day += timedelta(days=1)
            self.portal.clock.now = start + timedelta(hours=26)
            for batch in (
                random.Random(self.index).sample(lines, len(lines)),
                lines,
            ):  # and again
                await take_in(self.application, SYSTEM, batch, source="roof", now=self.portal.clock.now)

    async def choose(self, *, on: bool) -> None:
        answer = await self.portal.ask(CHOOSE, on=on)
        assert answer["chooseSlowLeakHints"]["viewer"]["slowLeakHints"] is on

    async def hints(self):
        (home,) = (await self.portal.ask(HINTS))["viewer"]["dwellings"]
        assert home["activeAlertCount"] == 0
        return home["slowLeakHints"]

    async def mails(self):
        rows = await OutboxMessage.all().order_by("id")
        assert {row.channel for row in rows} <= {Channel.EMAIL}
        return [render(row.template, row.language, row.values) for row in rows]


@pytest.fixture
async def toilet(application, key_encryption):
    """Claire's home with one meter, signed in."""
    meter = Izar()
    await factories.residence(key_encryption, factories.meter(meter.address))
    clock = SettableClock(datetime(2026, 6, 1, 5, tzinfo=UTC))
    transport = httpx.ASGITransport(app=build_app(application, clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        portal = Portal(client, clock)
        await portal.sign_in()
        yield Toilet(application, portal, meter)


async def test_a_slow_leak_is_hinted_at_once_until_it_stops(toilet) -> None:
    """Asked for: nothing for nine days, one e-mail on the tenth, none after it; a dry night ends the hint."""
    assert (await toilet.portal.ask(SETTING))["viewer"]["slowLeakHints"] is False
    await toilet.choose(on=True)
    await toilet.passes(*[RUNNING] * 9)
    assert (await toilet.mails(), await toilet.hints()) == ([], [])
    await toilet.passes(*[RUNNING] * 4)
    (mail,) = await toilet.mails()
    assert mail.subject == "Un peu d'eau coule sans interruption"
    assert "depuis au moins dix jours, environ 2.1 L/h" in mail.text
    assert "pas une alerte" in mail.text
    assert await toilet.hints() == [
        {
            "fluid": "COLD_WATER",
            "meterSerial": "H18CA029620",
            "startedOn": "2026-06-01",
            "flowLph": "2.11",
            "fr": "Écoulement sans pause depuis le 01/06/2026 (environ 2.1 L/h)",
            "en": "Flow without a pause since 1 June 2026 (about 2.1 L/h)",
        }
    ]
    await toilet.passes(USUAL)
    assert (len(await toilet.mails()), await toilet.hints()) == (1, [])
    (row,) = await SlowLeakHint.all()
    assert (row.started_on, row.ended_on) == (FIRST, FIRST + timedelta(days=13))
    await toilet.passes(*[RUNNING] * 11)
    assert len(await toilet.mails()) == 2
    assert await Alert.all().count() == 0
    assert [row.details async for row in AuditRecord.filter(act=Act.NOTIFICATIONS_CHANGED)] == [
        {"topic": "SLOW_LEAK", "by_email": True}
    ]


async def test_nobody_is_hinted_who_did_not_ask(toilet, monkeypatch) -> None:
    """Off by default; no reading is looked at. Who asks while it runs is hinted with the next day."""
    looked: list[object] = []
    days = hints._days
    monkeypatch.setattr(hints, "_days", lambda *args, **more: looked.append(args) or days(*args, **more))
    await toilet.passes(*[RUNNING] * 12)
    assert (looked, await SlowLeakHint.all().count(), await toilet.mails()) == ([], 0, [])
    await Account.all().update(leak_by_email=False, leak_by_sms=False)
    await toilet.choose(on=True)
    await toilet.passes(RUNNING)
    assert len(await toilet.mails()) == 1
    await toilet.choose(on=False)
    assert await toilet.hints() == []
    await toilet.passes(*[RUNNING] * 3)
    await toilet.choose(on=True)
    await toilet.passes(RUNNING)
    assert len(await toilet.mails()) == 1
    assert len(await toilet.hints()) == 1


async def test_a_home_without_a_leak_is_not_hinted_at(toilet) -> None:
    """Twelve days with ordinary nights."""
    await toilet.choose(on=True)
    await toilet.passes(*[USUAL] * 12)
    assert await SlowLeakHint.all().count() == 0


async def test_the_days_before_a_move_in_do_not_count(toilet) -> None:
    """Ten days of the own occupancy: the hint comes on the tenth day after the move-in."""
    await toilet.choose(on=True)
    await Occupancy.all().update(move_in=FIRST + timedelta(days=5))
    await toilet.passes(*[RUNNING] * 14)
    assert await toilet.mails() == []
    await toilet.passes(RUNNING)
    assert len(await toilet.mails()) == 1
    (row,) = await SlowLeakHint.all()
    assert row.started_on == FIRST + timedelta(days=5)


async def test_a_coarse_register_hints_at_nothing(toilet) -> None:
    """A register of 100 L shows no flow below level 1."""
    await toilet.choose(on=True)
    await Meter.all().update(register_step=100)
    await toilet.passes(*[RUNNING] * 11)
    assert (await SlowLeakHint.all().count(), await toilet.mails()) == (0, [])


async def test_a_hint_ends_when_the_flow_becomes_an_alert(toilet) -> None:
    """From 4 L/h on the leak alert tells; a hint beside it would be noise."""
    await toilet.choose(on=True)
    await toilet.passes(*[RUNNING] * 11)
    assert len(await toilet.hints()) == 1
    await toilet.passes(*[[litres + 9 for litres in USUAL]] * 4)
    assert await Alert.all().count() == 1
    assert (await SlowLeakHint.get()).ended_on is not None

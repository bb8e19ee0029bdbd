"""The outbox worker: every due message is sent once, by whichever worker, or fails with its reason."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from tortoise.transactions import in_transaction

from core.access import SYSTEM
from core.models import Account, Channel, MessageState, OutboxMessage
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.messaging.delivery import CLAIM_FOR, WAITS, claim_next, note_failed, note_sent
from core.services.messaging.outbox import list_messages
from notifications.channels.base import NotAccepted
from notifications.worker import OutboxWorker, Tally, ways_of
from tests.support import factories
from tests.support.factories import NOW
from tests.support.servers.post import sms_centre, smtp_server

ME = "claire.martin@example.org"
BOTH = (Channel.EMAIL, Channel.SMS)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self):
        return self.now


class Wayward:
    """A channel whose next answers are given: a refusal, or None for acceptance."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.posts = []

    async def send(self, post) -> None:
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.posts.append(post)

    async def close(self) -> None: ...


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mails(settings):
    """Queues so many code mails; each expires after fifteen minutes by default."""

    async def queue(count=1, **more) -> None:
        for number in range(count):
            mail = AccountMessage(
                key=f"letter:{number}",
                channel=Channel.EMAIL,
                template="email_code",
                language="fr",
                recipient=f"someone{number}@example.org",
                secrets={"code": f"{number:06}"},
                expires_at=NOW + timedelta(minutes=15),
            )
            async with in_transaction() as connection:
                await queue_account_message(connection, settings, replace(mail, **more), now=NOW)

    return queue


async def states() -> list[tuple[MessageState, str | None]]:
    return [(row.state, row.failure) for row in await OutboxMessage.all().order_by("id")]


async def test_a_code_is_mailed_and_erased(application, settings, clock, mails) -> None:
    """The real server has received it; the table had it only encrypted, and no longer has it."""
    await mails()
    stored = await OutboxMessage.get()
    assert "000000" not in repr(dict(stored))
    with smtp_server() as (box, port):
        mine = replace(
            settings, smtp_host="127.0.0.1", smtp_port=port, smtp_security="PLAIN", mail_from="p@x.org"
        )
        assert await OutboxWorker(
            replace(application, settings=mine), ways_of(mine), clock=clock
        ).send_due() == Tally(sent=1)
    assert "000000" in box.texts_to("someone0@example.org")[0]
    await stored.refresh_from_db()
    assert (stored.state, stored.sent_at, stored.encrypted_values) == (MessageState.SENT, NOW, None)


@pytest.mark.requirement("R-015", "R-110", "R-104", "R-105")
async def test_an_alert_is_sent_by_each_channel_to_the_current_address(
    application, settings, clock, monkeypatch
) -> None:
    """The mail has the account's name; the SMS is sent to the confirmed mobile."""
    account_id = await factories.account()
    for channel in Channel:
        await _alert(account_id, channel)
    await Account.all().update(email="new@example.org")
    with sms_centre(monkeypatch) as centre, smtp_server() as (box, port):
        mine = replace(
            settings,
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_security="PLAIN",
            mail_from="p@x.org",
            vonage_api_key="k",
            vonage_api_secret="word",
        )
        assert await OutboxWorker(
            replace(application, settings=mine), ways_of(mine), clock=clock
        ).send_due() == Tally(sent=2)
    (mail,) = box.texts_to("new@example.org")
    assert mail.startswith(
        "Bonjour Mme Martin,\n\nEau froide n°H8CA029620 : débit moyen de la fuite 3.95 L/h"
    )
    (sms,) = centre.texts_to("+33639980012")
    assert sms.startswith("Alerte fuite niveau 1\nEau froide")


@pytest.mark.parametrize(
    ("language", "civility", "greeted"),
    [
        ("fr", "Mme", "Mme Martin"),
        ("en", "Mme", "Ms Martin"),
        ("en", "M.", "Mr Martin"),
        ("fr", "MADAME", "Mme Martin"),
        ("en", "Monsieur", "Mr Martin"),
        ("fr", "mr", "M. Martin"),
        ("en", "Dr", "Dr Martin"),
        ("fr", "", "Claire Martin"),
        ("en", " ", "Claire Martin"),
    ],
)
async def test_the_title_is_in_the_language_of_the_message(application, language, civility, greeted) -> None:
    """An English e-mail has no French title; without a title the first name takes its place."""
    await _alert(await factories.account(), Channel.EMAIL)
    await Account.all().update(civility=civility)
    await OutboxMessage.all().update(language=language)
    claimed = await claim_next(application, "w", [Channel.EMAIL], now=NOW)
    assert claimed is not None
    assert claimed.addressed_to == greeted


async def test_a_temporary_refusal_is_retried_at_growing_intervals(
    application, settings, clock, mails
) -> None:
    """The message is given up after the eighth try, with the reason, and its secret is erased."""
    await mails(expires_at=None)
    way = Wayward(*[NotAccepted("SMTP_450", permanent=False)] * 20)
    room = OutboxWorker(application, {Channel.EMAIL: way}, clock=clock)
    tried_after = []
    while (await OutboxMessage.get()).state is MessageState.PENDING:
        if (await room.send_due()).failed:
            tried_after.append(clock.now - NOW)
        clock.now += timedelta(minutes=1)
    assert [later - sooner for sooner, later in pairwise(tried_after)] == list(WAITS)
    row = await OutboxMessage.get()
    assert (row.state, row.failure, row.attempts, row.encrypted_values) == (
        MessageState.FAILED,
        "SMTP_450",
        8,
        None,
    )


async def test_a_permanent_refusal_fails_its_message_and_the_rest_is_sent(
    application, settings, clock, mails
) -> None:
    """One invalid address delays no other message, nor does one invalid template."""
    await mails(4)
    await OutboxMessage.filter(idempotency_key="letter:2").update(template="nonsense")
    way = Wayward(NotAccepted("SMTP_550", permanent=True))
    assert await OutboxWorker(application, {Channel.EMAIL: way}, clock=clock).send_due() == Tally(
        sent=2, failed=2
    )
    assert await states() == [
        (MessageState.FAILED, "SMTP_550"),
        (MessageState.SENT, None),
        (MessageState.FAILED, "WORDS_UNUSABLE"),
        (MessageState.SENT, None),
    ]


async def test_several_workers_send_each_message_once(application, settings, clock, mails) -> None:
    """Five in parallel: thirty messages, each sent once."""
    await mails(30)
    ways = [Wayward() for _ in range(5)]
    rooms = [OutboxWorker(application, {Channel.EMAIL: way}, clock=clock) for way in ways]
    tallies = await asyncio.gather(*(room.send_due() for room in rooms))
    sent = sorted(post.recipient for way in ways for post in way.posts)
    assert sent == sorted(f"someone{number}@example.org" for number in range(30))
    assert sum(tally.sent for tally in tallies) == 30


async def test_what_a_dead_worker_had_claimed_is_sent_by_the_next(application, settings, mails, now) -> None:
    """Once its claim has expired, and not before; a late result of the dead one is ignored."""
    await mails()
    dead = await claim_next(application, "dead", BOTH, now=now)
    assert dead is not None
    assert await claim_next(application, "next", BOTH, now=now + CLAIM_FOR - timedelta(seconds=1)) is None
    taken = await claim_next(application, "next", BOTH, now=now + CLAIM_FOR)
    assert taken == dead
    await note_failed(dead, "dead", "SMTP_550", permanent=True, now=now)
    assert (await OutboxMessage.get()).state is MessageState.PENDING
    await note_sent(taken, "next", now=now + CLAIM_FOR)
    await note_failed(dead, "dead", "SMTP_550", permanent=True, now=now)
    assert await states() == [(MessageState.SENT, None)]


@pytest.mark.requirement("C-19")
async def test_what_may_not_be_sent_fails_with_its_reason(application, settings, clock, mails) -> None:
    """An SMS to a number that nobody confirmed, an old code, a closed account, a secret of another key."""
    account_id = await factories.account()
    await _alert(account_id, Channel.SMS)
    await Account.all().update(phone_confirmed_at=None)
    await mails(key="old", expires_at=NOW)
    await mails(key="foreign", channel=Channel.EMAIL)
    await OutboxMessage.filter(idempotency_key="foreign").update(idempotency_key="another")
    await mails(key="closed", account_id=await factories.account(email="gone@example.org"))
    await Account.filter(email="gone@example.org").update(disabled_at=NOW)
    way = Wayward()
    await OutboxWorker(application, dict.fromkeys(Channel, way), clock=clock).send_due()
    assert way.posts == []
    assert await states() == [
        (MessageState.FAILED, "PHONE_NOT_CONFIRMED"),
        (MessageState.FAILED, "EXPIRED"),
        (MessageState.FAILED, "SECRET_UNUSABLE"),
        (MessageState.FAILED, "ACCOUNT_DISABLED"),
    ]


async def test_messages_wait_for_a_channel_that_is_not_configured(
    application, settings, clock, mails
) -> None:
    """They are sent once it is; without settings there is no channel at all."""
    await mails()
    assert ways_of(settings) == {}
    assert await OutboxWorker(application, {Channel.SMS: Wayward()}, clock=clock).send_due() == Tally()
    assert await states() == [(MessageState.PENDING, None)]


async def test_the_worker_finishes_what_it_has_claimed_before_it_stops(
    application, settings, clock, mails
) -> None:
    """Asked to stop while it waits, it ends; messages queued meanwhile were sent."""
    await mails(2)
    stop = asyncio.Event()

    class Last(Wayward):
        async def send(self, post) -> None:
            stop.set()
            await super().send(post)

    way = Last()
    await OutboxWorker(application, {Channel.EMAIL: way}, clock=clock).run(stop, every_s=3_600)
    assert len(way.posts) == 2


async def test_neither_log_nor_list_shows_a_code(application, settings, clock, mails, caplog) -> None:
    """Nor the address: a message is identified by its number."""
    caplog.set_level(logging.DEBUG)
    await mails(2)
    listed = await list_messages(SYSTEM)
    way = Wayward(NotAccepted("SMTP_450", permanent=False))
    await OutboxWorker(application, {Channel.EMAIL: way}, clock=clock).send_due()
    assert "was not sent by EMAIL (SMTP_450, attempt 1): PENDING" in caplog.text
    assert "000001" not in repr(listed)
    assert "000001" in way.posts[0].text
    for secret in ("000000", "000001", "someone0@"):
        assert secret not in caplog.text
        assert secret not in repr(way.posts)


async def _alert(account_id: int, channel: Channel) -> None:
    await OutboxMessage.create(
        idempotency_key=f"leak:1:opened:{account_id}:{channel.value}",
        account_id=account_id,
        channel=channel,
        template="leak_opened",
        language="fr",
        values={
            "fluid": "COLD_WATER",
            "meter": "H8CA029620",
            "level": 1,
            "started_on": "2022-03-11",
            "ended_on": None,
            "loss_litres": "13280.00",
            "mean_flow_lph": "3.9500",
        },
        created_at=NOW,
    )

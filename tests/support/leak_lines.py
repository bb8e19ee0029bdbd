"""A leak as a meter's hourly lines, and the messages about it.

In: a meter that makes lines. Out: lines that intake takes, and the templates of the outbox. The one rule:
leaks begin at a midnight of the residence, so that a test can name its days.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.access import SYSTEM
from core.consumption import day_start
from core.models import Channel, OutboxMessage
from core.services.telegrams.pipeline import take_in

PARIS = ZoneInfo("Europe/Paris")
DAY = timedelta(days=1)
FIRST = date(2026, 11, 16)
"""A Monday; the tests' leaks begin on it at midnight."""


def midnight(day):
    return datetime.fromtimestamp(day_start(day, PARIS), UTC)


def leak(meter, *, per_hour=(0, 6, 6), first=FIRST, index=1000):
    """Hourly lines from the midnight before `first`, each of the days with its own litres an hour."""
    amounts = [amount for amount in per_hour for _ in range(24)]
    return meter.hourly(midnight(first - DAY), amounts, index=index)


async def take(application, lines, now):
    return await take_in(application, SYSTEM, lines, source="test", now=now)


async def templates():
    return [row.template for row in await OutboxMessage.filter(channel=Channel.EMAIL).order_by("id")]

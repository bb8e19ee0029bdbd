"""Metrics that are asked for rather than counted: the outbox's depth, and the database's connections.

In: the moment. Out: gauges with their present values. The one rule: they are taken when somebody asks for
the metrics, or now and then in one of several processes, and a database that does not answer leaves them as
they are.
"""

import asyncio
import logging
from datetime import datetime
from typing import Any

from tortoise.expressions import Q

from core.models import MessageState, OutboxMessage
from core.services.shared.transaction import current_database
from core.telemetry import metrics

PATIENCE_S = 2.0

_log = logging.getLogger(__name__)


async def take_samples(*, now: datetime) -> None:
    """Set the gauges."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await _outbox(now)
    except Exception as failure:  # noqa: BLE001 - drivers raise many types, and metrics never fail for it
        _log.debug("The outbox could not be counted: %s", type(failure).__qualname__)
    _connections()


def _connections() -> None:
    pool: Any = getattr(current_database(), "_pool", None)
    if pool is None:  # SQLite has one connection, or nothing was asked yet
        return
    idle = pool.get_idle_size()
    metrics.CONNECTIONS.labels("idle").set(idle)
    metrics.CONNECTIONS.labels("in_use").set(pool.get_size() - idle)
    metrics.CONNECTIONS.labels("most").set(pool.get_max_size())


async def _outbox(now: datetime) -> None:
    waiting = OutboxMessage.filter(state=MessageState.PENDING)
    metrics.OUTBOX_MESSAGES.set(await waiting.count())
    due = waiting.filter(Q(due_at=None) | Q(due_at__lte=now))
    oldest = await due.order_by("id").first()
    since = now if oldest is None else oldest.due_at or oldest.created_at
    metrics.OUTBOX_OLDEST.set(max((now - since).total_seconds(), 0))

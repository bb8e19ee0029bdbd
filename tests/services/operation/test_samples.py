"""Sampled metrics: the outbox and the connections, as they are when somebody asks."""

from datetime import timedelta

from core.models import Channel, MessageState, OutboxMessage
from core.services.operation.samples import take_samples
from core.telemetry import metrics


def value(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


async def message(key: str, now, **values) -> None:
    await OutboxMessage.create(
        idempotency_key=key,
        recipient="claire@example.org",
        channel=Channel.EMAIL,
        template="x",
        language="fr",
        values={},
        created_at=now,
        **values,
    )


async def test_the_outbox_is_counted_and_its_oldest_is_timed(application, now) -> None:
    """What waits counts; what was sent or given up does not, and what waits for another try is not late."""
    await message("sent", now - timedelta(days=1), state=MessageState.SENT)
    await message("later", now - timedelta(hours=5), due_at=now + timedelta(minutes=5))
    await message("old", now - timedelta(minutes=10))
    await message("new", now - timedelta(minutes=1))
    await take_samples(now=now)
    assert value("submeter_outbox_messages") == 3
    assert value("submeter_outbox_oldest_seconds") == 600
    await OutboxMessage.all().delete()
    await take_samples(now=now)
    assert (value("submeter_outbox_messages"), value("submeter_outbox_oldest_seconds")) == (0, 0)


async def test_a_pools_connections_are_counted(application, settings, now) -> None:
    """On PostgreSQL: those in use, those that are idle, and the most there may be."""
    if settings.is_sqlite:
        return
    await take_samples(now=now)
    assert value("submeter_database_connections", state="in_use") == 0
    assert value("submeter_database_connections", state="idle") >= 1
    assert value("submeter_database_connections", state="most") == 5

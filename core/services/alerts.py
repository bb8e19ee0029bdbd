"""Raises the alerts of leaks, in the transaction that found them.

In: the findings of the leak watch. Out: one alert row per episode, and the news for the outbox. The one rule:
an alert's dates are its episode's, and what is new about it is told by the episode's events alone.
"""

from collections.abc import Iterable
from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.models import Alert, AlertKind
from core.services.leakwatch import Finding
from core.services.outbox import News, Topic


async def raise_leak_alerts(
    connection: TransactionalDBClient, findings: Iterable[Finding], *, now: datetime
) -> list[News]:
    """Store the alerts of the episodes found; answers what their residents should be told."""
    news: list[News] = []
    for finding in findings:
        episode, meter = finding.episode, finding.meter
        key = f"leak:{episode.id}"
        alert = await Alert.get_or_none(alert_key=key, using_db=connection) or Alert(
            alert_key=key,
            kind=AlertKind.LEAK,
            dwelling_id=meter.dwelling_id,
            fluid=meter.fluid,
            episode_id=episode.id,
            raised_at=now,
        )
        alert.started_on, alert.ended_on = episode.started_on, episode.ended_on
        await alert.save(using_db=connection)
        values = {
            "fluid": meter.fluid.value,
            "meter": meter.printed_serial,
            "ended_on": episode.ended_on.isoformat() if episode.ended_on else None,
        }
        figures = {
            "loss_litres": None if episode.loss_litres is None else str(episode.loss_litres),
            "mean_flow_lph": None if episode.mean_flow_lph is None else str(episode.mean_flow_lph),
        }
        news += [
            News(
                dwelling_id=meter.dwelling_id,
                topic=Topic.LEAK,
                template=f"leak_{event.kind.value.lower()}",
                key=f"meter:{meter.id}:{event.key}",
                started_on=episode.started_on,
                happened_on=event.day,
                alert_id=alert.id,
                values={**values, "level": event.level},
                figures=figures,
            )
            for event in finding.events
        ]
    return news

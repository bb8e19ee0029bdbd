"""Raises the alerts of leaks, in the transaction that found them.

In: the findings of the leak watch. Out: one alert row per episode, and the news for the outbox. The one
rule: a leak that runs is news until it has been told, at the level it has; so a leak first seen in late
telegrams is told, and who asks for alerts while it runs is told too. A leak that is over is news for days.
"""

from collections.abc import Iterable
from datetime import date, datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.leaks.events import Event
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
        today = now.astimezone(meter.zone).date()
        if finding.going_on is not None:
            news.append(_news(finding, alert, finding.going_on, happened_on=today))
        if finding.ended is not None:
            news.append(_news(finding, alert, finding.ended, happened_on=finding.ended.day))
    return news


def _news(finding: Finding, alert: Alert, event: Event, *, happened_on: date) -> News:
    episode, meter = finding.episode, finding.meter
    return News(
        dwelling_id=meter.dwelling_id,
        topic=Topic.LEAK,
        template=f"leak_{event.kind.value.lower()}",
        key=f"leak:{episode.id}:{event.key.partition(':')[2]}",
        started_on=episode.started_on,
        happened_on=happened_on,
        alert_id=alert.id,
        values={
            "fluid": meter.fluid.value,
            "meter": meter.printed_serial,
            "level": event.level,
            "ended_on": episode.ended_on.isoformat() if episode.ended_on else None,
        },
        figures={
            "loss_litres": None if episode.loss_litres is None else str(episode.loss_litres),
            "mean_flow_lph": None if episode.mean_flow_lph is None else str(episode.mean_flow_lph),
        },
    )

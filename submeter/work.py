"""The kinds of work that a process does beside serving: the one list of them.

In: the settings. Out: the work that `submeter worker` supervises. The one rule: a kind of work is a `Work`
(`core.services.operation.supervisor`): a name of `core.settings.WORK` and a function that works until it is
to stop. It is begun again when it raises, so it may raise whatever it cannot go on after, but only with
nothing half done. A new kind is an entry of `works_of`.
"""

import asyncio
from datetime import UTC, datetime
from importlib.util import find_spec

from core.bootstrap import Application
from core.services.operation.jobs import jobs_work
from core.services.operation.supervisor import Work
from core.settings import INGEST, OUTBOX, Settings, SettingsError
from notifications.worker import OutboxWorker, ways_of


def utc_now() -> datetime:
    return datetime.now(UTC)


def works_of(settings: Settings, *, poll_s: float) -> list[Work]:
    """What this process does: everything that is configured and that `without` does not name.

    Args:
        settings: say what is configured, and what is left to other processes.
        poll_s: seconds between two polls of the outbox.
    """
    works = [jobs_work(utc_now)]
    if ways_of(settings):
        works.append(outbox_work(settings, poll_s=poll_s))
    if settings.mqtt_url and INGEST not in settings.without:
        works.append(mqtt_work(settings))
    return [work for work in works if work.name not in settings.without]


def outbox_work(settings: Settings, *, poll_s: float) -> Work:
    """The sending of queued messages."""

    async def run(application: Application, stop: asyncio.Event) -> None:
        await OutboxWorker(application, ways_of(settings), clock=utc_now).run(stop, every_s=poll_s)

    return Work(OUTBOX, run)


def mqtt_work(settings: Settings) -> Work:
    """The intake of telegrams from the broker.

    Raises:
        SettingsError: the broker's URL cannot be read, or the library for MQTT is not installed.
    """
    if find_spec("aiomqtt") is None:
        raise SettingsError('requires pip install "submeter[mqtt]"', field="SUBMETER_MQTT_URL")
    from submeter.mqtt.address import Broker  # noqa: PLC0415 - of the extra
    from submeter.mqtt.source import MqttSource  # noqa: PLC0415 - of the extra

    Broker.of(settings.mqtt_url)

    async def run(application: Application, stop: asyncio.Event) -> None:
        await MqttSource(application, stop, clock=utc_now).run()

    return Work(INGEST, run)

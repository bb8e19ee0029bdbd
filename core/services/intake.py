"""The radio river on one page: gateway lines in; readings, volumes, leak episodes, alerts and messages out.

It works on batches, and a batch of one is the same code. A batch is one transaction: what it stored stays
when the process is killed, and a file that is taken in again adds what was missing and nothing twice. A line
that cannot be used is counted, kept with its reason, and replayed once its cause is gone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby, islice
from typing import Self

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.bootstrap import House
from core.metering import CompactFormats, is_blank
from core.models import TelegramState, UnusableTelegram
from core.services import outbox
from core.services.alerts import raise_leak_alerts, tell_relapses
from core.services.conditionwatch import watch_conditions
from core.services.format_book import remember, stored_book
from core.services.ingest import ingest
from core.services.leakwatch import watch
from core.services.limitwatch import watch_limits
from core.services.meter_book import lock_dwellings, meters_by_address
from core.services.overuse import watch_over_consumption
from core.services.rollups import roll_up
from core.services.telegrams import (
    Heard,
    Line,
    Reported,
    Unusable,
    hear,
    keep,
    open_telegrams,
    release,
    with_removals,
)
from core.services.transaction import transactional
from core.services.vault import Vault


@dataclass(slots=True)
class IntakeSummary:
    """What became of the lines: `lines` = `stored` + `duplicates` + all of `unusable`.

    Blank lines count nowhere. `alerts` were raised, or moved on.
    """

    lines: int = 0
    stored: int = 0
    duplicates: int = 0
    unusable: Counter[str] = field(default_factory=Counter)
    alerts: int = 0
    messages: int = 0

    def __iadd__(self, other: "IntakeSummary") -> Self:
        self.lines += other.lines
        self.stored += other.stored
        self.duplicates += other.duplicates
        self.unusable += other.unusable
        self.alerts += other.alerts
        self.messages += other.messages
        return self


async def take_in(
    house: House,
    viewer: Viewer,
    texts: Iterable[str],
    *,
    source: str,
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> IntakeSummary:
    """Take in gateway lines of any known shape.

    Args:
        house: the settings and drivers.
        viewer: the gateway, or the operator's command line.
        texts: the lines; one without a moment of its own counts as received `now`.
        source: a file's or gateway's name, kept with lines that cannot be used.
        now: the moment of reception, aware UTC.
        progress: called with the number of lines of each batch once it is stored.
    """
    viewer.require(Permission.TELEGRAMS_SUBMIT)
    lines = (Line.of(text, now, operator_id=viewer.operator_id) for text in texts if not is_blank(text))
    return await _in_batches(house, viewer, lines, source=source, now=now, progress=progress)


async def replay(
    house: House, viewer: Viewer, *, now: datetime, progress: Callable[[int], None] | None = None
) -> IntakeSummary:
    """Take in again every line that is kept; those whose cause is gone become readings.

    A line still counts as its gateway's: it reaches the meters of that gateway's operator alone.
    """
    viewer.require(Permission.TELEGRAMS_REPLAY)
    summary = IntakeSummary()
    after = 0
    while True:
        query = UnusableTelegram.filter(state=TelegramState.KEPT, id__gt=after).order_by("id")
        kept = await query.limit(house.settings.intake_batch_lines).select_related("gateway")
        if not kept:
            return summary
        after = kept[-1].id
        for operator_id, rows in groupby(kept, key=_operator_of):
            lines = (Line(row.line, row.received_at, operator_id, sightings=0) for row in rows)
            hearer = replace(viewer, operator_id=operator_id)
            summary += await _in_batches(house, hearer, lines, source="replay", now=now, progress=progress)


def _operator_of(row: UnusableTelegram) -> int | None:
    return row.gateway.operator_id if row.gateway is not None else None


async def count_kept(viewer: Viewer) -> int:
    """How many lines are kept and wait for their cause to go."""
    viewer.require(Permission.TELEGRAMS_REPLAY)
    return await UnusableTelegram.filter(state=TelegramState.KEPT).count()


async def _in_batches(
    house: House,
    viewer: Viewer,
    lines: Iterator[Line],
    *,
    source: str,
    now: datetime,
    progress: Callable[[int], None] | None,
) -> IntakeSummary:
    summary = IntakeSummary()
    vault = Vault.under(house.settings.secret_key)
    while batch := list(islice(lines, house.settings.intake_batch_lines)):
        summary += await _take_in_batch(house, viewer, batch, vault=vault, source=source, now=now)
        if progress is not None:
            progress(len(batch))
    return summary


async def _take_in_batch(
    house: House, viewer: Viewer, batch: Sequence[Line], *, vault: Vault, source: str, now: datetime
) -> IntakeSummary:
    heard = hear(batch, house.decoder)
    telegrams = [item for item in heard if isinstance(item, Heard)]
    meters = await meters_by_address(viewer, [item.radio_address for item in telegrams], vault=vault)
    book = await stored_book(item.sealed.address.manufacturer for item in telegrams)
    opened, wiser = open_telegrams(telegrams, meters, house.decoder, book)
    reported = [item for item in opened if isinstance(item, Reported)]
    unusable = [item for item in (*heard, *opened) if isinstance(item, Unusable)]
    return await _store(house, viewer, reported, unusable, learned=(book, wiser), source=source, now=now)


@transactional
async def _store(
    connection: TransactionalDBClient,
    house: House,
    viewer: Viewer,
    reported: Sequence[Reported],
    unusable: Sequence[Unusable],
    *,
    learned: tuple[CompactFormats, CompactFormats],
    source: str,
    now: datetime,
) -> IntakeSummary:
    await remember(connection, *learned, now=now)
    await lock_dwellings(connection, [report.meter.dwelling_id for report in reported])
    reported = await with_removals(connection, reported)
    readings = await ingest(connection, reported, now=now)
    touched = await roll_up(connection, readings.stored)
    findings = await watch(connection, touched, thresholds_of=house.registry.leak_thresholds, now=now)
    leaks = await raise_leak_alerts(connection, findings, now=now)
    relapses = await tell_relapses(connection, list(touched), now=now)
    conditions = await watch_conditions(
        connection, readings.stored, thresholds_of=house.registry.leak_thresholds, now=now
    )
    months = await watch_over_consumption(connection, touched, now=now)
    limits = await watch_limits(connection, touched, now=now)
    news = [*leaks, *relapses, *conditions.news, *months, *limits]
    messages = await outbox.queue(connection, news, now=now)
    failures = [*unusable, *readings.unusable]
    await keep(connection, viewer, failures, source=source)
    used = [report.heard.line for report in (*readings.accepted, *readings.duplicates)]
    await release(connection, used, now=now)
    return IntakeSummary(
        lines=len(used) + len(failures),
        stored=len(readings.stored),
        duplicates=len(readings.duplicates),
        unusable=Counter(str(failure.reason) for failure in failures),
        alerts=len(findings) + conditions.changed + len(months) + len(limits),
        messages=messages,
    )

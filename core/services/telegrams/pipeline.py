"""The telegram pipeline: gateway lines in; readings, volumes, leak episodes, alerts and messages out.

It works on batches, and a batch of one is the same code. A batch is one transaction: what it stored is safe
when the process is killed, and a file that is ingested again adds what was missing and nothing twice. A
line that cannot be used is counted, stored as a dead letter with its reason, and replayed once its cause is
fixed.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Self

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.bootstrap import Application
from core.consumption.corrections import CorrectionReason
from core.leak_thresholds import ThresholdsOf
from core.metering import CompactFormats
from core.metering.batch import collector_at_rest
from core.models import DeadLetter, TelegramState
from core.services.alerts.leak_alerts import notify_relapses, raise_leak_alerts
from core.services.alerts.leak_detection import watch
from core.services.alerts.limit_alerts import update_limit_alerts
from core.services.alerts.meter_conditions import update_condition_alerts
from core.services.alerts.over_consumption import update_over_consumption_alerts
from core.services.alerts.slow_leak_hints import update_slow_leak_hints
from core.services.alerts.workflow import meters_under_repair
from core.services.messaging import outbox
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_cache import directory_of
from core.services.places.meter_directory import lock_dwelling_rows
from core.services.places.meter_states import (
    MeterFlag,
    MeterState,
    MeterStates,
    lock_states,
    refresh,
    refresh_flags,
    save_states,
)
from core.services.shared.time_series import newest_readings
from core.services.shared.transaction import begins_again, transactional
from core.services.telegrams.compact_formats import remember, stored_formats
from core.services.telegrams.courses import Plain
from core.services.telegrams.dead_letters import KnownLine, known_lines, mark_replayed, store_dead_letters
from core.services.telegrams.decoding import (
    Reason,
    ReceivedLine,
    ReceivedTelegram,
    Reported,
    Unusable,
    identify_lines,
)
from core.services.telegrams.judgement import Judged
from core.services.telegrams.line_times import (
    Dating,
    latest_of_deliveries,
    replayed_line,
    with_old_ones_refused,
)
from core.services.telegrams.moments import Span, in_batches, settle
from core.services.telegrams.opening import open_telegrams, with_addresses_learned, with_removals
from core.services.telegrams.plain import (
    MetMeanwhile,
    lock_first_ones,
    meter_ids_of,
    store_plain,
    take_plainly,
)
from core.services.telegrams.readings import Ingested, ingest, prepare_partitions
from core.services.telegrams.recompute import recompute_meter
from core.services.telegrams.rollups import roll_up
from core.telemetry.intake import Source, Stage, note_batch, received_by, stage

_MOST_TRIES = 5


@dataclass(slots=True)
class IntakeSummary:
    """The outcome of an intake: `lines` = `stored` + `duplicates` + all of `unusable`.

    Blank lines are not counted. `doubtful` is how many of the stored readings do not count, or not yet.
    `alerts` were raised or updated. `newest_at` is the moment of the newest stored reading.
    """

    lines: int = 0
    stored: int = 0
    doubtful: int = 0
    duplicates: int = 0
    unusable: Counter[str] = field(default_factory=Counter)
    alerts: int = 0
    messages: int = 0
    newest_at: datetime | None = field(default=None, compare=False)

    def __iadd__(self, other: "IntakeSummary") -> Self:
        self.lines += other.lines
        self.stored += other.stored
        self.doubtful += other.doubtful
        self.duplicates += other.duplicates
        self.unusable += other.unusable
        self.alerts += other.alerts
        self.messages += other.messages
        moments = [moment for moment in (self.newest_at, other.newest_at) if moment is not None]
        self.newest_at = max(moments, default=None)
        return self


async def take_in(
    application: Application,
    viewer: Viewer,
    texts: Iterable[str],
    *,
    source: str,
    now: datetime,
    span: Span | None = None,
    ends_at: datetime | None = None,
    progress: Callable[[int], None] | None = None,
) -> IntakeSummary:
    """Ingest gateway lines of any known format.

    Args:
        application: the settings and drivers.
        viewer: the gateway, or the operator's command line.
        texts: the lines; those without a moment of their own get increasing ones that end `now`.
        source: a file's or gateway's name, stored with dead letters.
        now: the moment of reception, aware UTC.
        span: the room that lines without a moment need; counted if `texts` is a list.
        ends_at: the moment of the last such line, where others follow that were received later.
        progress: called with the number of lines of each batch once it is stored.
    """
    viewer.require(Permission.TELEGRAMS_SUBMIT)
    batches = in_batches(
        texts,
        size=application.settings.intake_batch_lines,
        now=now,
        ends_at=ends_at or now,
        operator_id=viewer.operator_id,
        span=span,
    )
    return await _in_batches(application, viewer, batches, source=source, now=now, progress=progress)


async def replay(
    application: Application,
    viewer: Viewer,
    *,
    radio_addresses: Collection[str] | None = None,
    reason: str | None = None,
    dating: Dating = Dating.UNCHANGED,
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> IntakeSummary:
    """Ingest every dead letter again, or those of some senders or one reason; what is fixed becomes
    readings.

    A line still counts as its gateway's: it reaches the meters of that gateway's operator only. They are
    taken in the order of their reception, which is not that of their rows. With another `dating`, only the
    lines that were refused for their time are ingested.
    """
    viewer.require(Permission.TELEGRAMS_REPLAY)
    summary = IntakeSummary()
    if dating is not Dating.UNCHANGED:
        reason = Reason.TIME_IN_FUTURE
    latest = await latest_of_deliveries() if dating is Dating.RECEPTION else {}
    wanted = DeadLetter.filter(state=TelegramState.WAITING)
    if radio_addresses is not None:
        wanted = wanted.filter(radio_address__in=list(radio_addresses))
    if reason is not None:
        wanted = wanted.filter(reason=reason)
    ids = await wanted.order_by("received_at", "id").values_list("id", flat=True)
    size = application.settings.intake_batch_lines
    for first in range(0, len(ids), size):
        page = DeadLetter.filter(id__in=ids[first : first + size], state=TelegramState.WAITING)
        waiting = await page.order_by("received_at", "id").select_related("gateway")
        for operator_id, rows in groupby(waiting, key=_operator_of):
            lines = [replayed_line(row, operator_id, dating, latest) for row in rows]
            receiver = replace(viewer, operator_id=operator_id)
            with received_by(Source.REPLAY):
                summary += await _in_batches(
                    application, receiver, [lines], source="replay", now=now, progress=progress
                )
    return summary


def _operator_of(row: DeadLetter) -> int | None:
    return row.gateway.operator_id if row.gateway is not None else None


async def count_dead_letters(viewer: Viewer) -> int:
    """How many dead letters have not been used since."""
    viewer.require(Permission.TELEGRAMS_REPLAY)
    return await DeadLetter.filter(state=TelegramState.WAITING).count()


async def _in_batches(
    application: Application,
    viewer: Viewer,
    batches: Iterable[Sequence[ReceivedLine]],
    *,
    source: str,
    now: datetime,
    progress: Callable[[int], None] | None,
) -> IntakeSummary:
    summary = IntakeSummary()
    key_encryption = KeyEncryption.under(application.settings.secret_key)
    remaining = iter(batches)
    while True:
        with collector_at_rest():  # the values of a batch have no cycles, and are many
            batch = next(remaining, None)
            if batch is None:
                return summary
            with stage(Stage.BATCH):
                taken = await _take_in_batch(
                    application, viewer, batch, key_encryption=key_encryption, source=source, now=now
                )
            lines = len(batch)
            del batch  # before the collector wakes: it would walk over what is still there
        note_batch(taken, now=now)
        summary += taken
        if progress is not None:
            progress(lines)


async def _take_in_batch(
    application: Application,
    viewer: Viewer,
    batch: Sequence[ReceivedLine],
    *,
    key_encryption: KeyEncryption,
    source: str,
    now: datetime,
) -> IntakeSummary:
    received, identified = identify_lines(batch, application.decoder)
    telegrams = [item for item in received if isinstance(item, ReceivedTelegram)]
    meters = await directory_of(application).find(
        viewer, [item.radio_address for item in telegrams], key_encryption=key_encryption
    )
    formats = await stored_formats(one.address.manufacturer for one in identified)
    opened, updated_formats = open_telegrams(telegrams, identified, meters, application.decoder, formats)
    opened = with_old_ones_refused(opened, application.settings.retention.reading_months, now=now)
    reported = [item for item in opened if isinstance(item, Reported)]
    unusable = [item for item in (*received, *opened) if isinstance(item, Unusable)]
    await prepare_partitions(reported, now)
    for tries_left in reversed(range(_MOST_TRIES)):
        try:
            return await _store(
                application,
                viewer,
                reported,
                unusable,
                learned=(formats, updated_formats),
                source=source,
                now=now,
            )
        except Exception as error:
            if not tries_left or not (isinstance(error, MetMeanwhile) or begins_again(error)):
                raise
    raise AssertionError


@transactional
async def _store(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    reported: Sequence[Reported],
    unusable: Sequence[Unusable],
    *,
    learned: tuple[CompactFormats, CompactFormats],
    source: str,
    now: datetime,
) -> IntakeSummary:
    thresholds_of = application.registry.leak_thresholds
    directory = directory_of(application)
    await remember(connection, *learned, now=now)
    states = await lock_states(connection, meter_ids_of(reported).tolist())
    await lock_first_ones(connection, reported, states)
    is_current, limited = await directory.check(connection)
    if not is_current:
        reported = await with_removals(connection, reported)
    plain, rest = await take_plainly(
        connection,
        reported,
        unusable,
        states,
        thresholds_of=thresholds_of,
        compared=limited,
        now=now,
    )
    compared = plain.touched_in(limited)
    await lock_dwelling_rows(
        connection,
        [report.meter.dwelling_id for report in rest]
        + [meter.dwelling_id for meter in (*plain.whole_days, *plain.unquiet, *compared)]
        + [meter.dwelling_id for meter, _ in plain.conditions],
    )
    letters = await known_lines(connection, [report.received.line for report in rest])
    readings, failures, judged, corrected = await _take_closely(
        connection, rest, unusable, states=states, letters=letters, thresholds_of=thresholds_of, now=now
    )
    await store_plain(connection, plain)
    touched = await roll_up(connection, judged.counted, states=states, now=now)
    closely = {report.meter for report in rest}
    last = await newest_readings(connection, {meter.id for meter in (*closely, *plain.unquiet)})
    findings = await watch(
        connection, touched | plain.unquiet, last=last, thresholds_of=thresholds_of, now=now
    )
    leaks = await raise_leak_alerts(connection, findings, now=now)
    repaired = await meters_under_repair(connection)
    received = {*touched, *(one.meter for one in plain.stored)} if repaired else ()
    checked = [meter for meter in received if meter.id in repaired]
    relapses = await notify_relapses(connection, checked, now=now)
    conditions = await update_condition_alerts(
        connection, [*judged.counted, *plain.conditions], thresholds_of=thresholds_of, now=now
    )
    whole_days = touched | plain.whole_days
    months = await update_over_consumption_alerts(connection, whole_days, now=now)
    limits = await update_limit_alerts(connection, touched | compared, now=now)
    alerted = sum(one.alert_id is not None for one in limits)  # the others are hints
    hints = await update_slow_leak_hints(connection, whole_days, thresholds_of=thresholds_of, now=now)
    notifications = [*leaks, *relapses, *conditions.notifications, *months, *limits, *hints]
    messages = await outbox.queue(connection, notifications, now=now)
    stored = await store_dead_letters(connection, viewer, failures, source=source)
    used = [report.received.line for report in (*readings.stored, *readings.duplicates)]
    await mark_replayed(connection, used, letters, stored, now=now)
    await save_states(connection, await _states_after(connection, plain), *plain.quiet)
    await refresh(connection, closely, last=last, thresholds_of=thresholds_of)
    return IntakeSummary(
        lines=len(used) + len(plain.stored) + len(plain.duplicates) + len(failures),
        stored=len(readings.stored) + len(plain.stored),
        doubtful=readings.doubtful,
        duplicates=len(readings.duplicates) + len(plain.duplicates),
        unusable=Counter(str(failure.reason) for failure in failures),
        alerts=len(findings) + conditions.changed + len(months) + alerted + corrected.alerts,
        messages=messages + corrected.messages,
        newest_at=max((report.received.moment for report in (*readings.stored, *plain.stored)), default=None),
    )


async def _take_closely(
    connection: TransactionalDBClient,
    reported: Sequence[Reported],
    unusable: Sequence[Unusable],
    *,
    states: MeterStates,
    letters: Mapping[str, KnownLine],
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> tuple[Ingested, list[Unusable], Judged, IntakeSummary]:
    """The long way: every reading is compared with what is stored around it."""
    reported, unusable, known = await settle(connection, reported, unusable, states=states, letters=letters)
    if not reported:
        return Ingested(), list(unusable), Judged(), IntakeSummary()
    reported = await with_addresses_learned(connection, reported)
    readings = await ingest(connection, reported, letters=letters, known=known, now=now)
    corrected, judged = await _correct(connection, readings.judged, thresholds_of=thresholds_of, now=now)
    return readings, [*unusable, *readings.unusable], judged, corrected


async def _states_after(connection: TransactionalDBClient, plain: Plain) -> list[MeterState]:
    """The states of the short way; of meters that were looked at more closely with what that found."""
    asked = plain.unquiet.keys() | {meter for meter, _ in plain.conditions}
    reporting = {row.meter_id: row.status_bits for _, row in plain.conditions}  # the last one's state counts
    found = [
        state._replace(flags=state.flags | (int(MeterFlag.CONDITION) if reporting.get(state.meter_id) else 0))
        for state in await refresh_flags(connection, {meter: plain.states[meter] for meter in asked})
    ]
    return [*found, *(state for meter, state in plain.states.items() if meter not in asked)]


async def _correct(
    connection: TransactionalDBClient, judged: Judged, *, thresholds_of: ThresholdsOf, now: datetime
) -> tuple[IntakeSummary, Judged]:
    """Recompute the meters of which a reading that had counted turned out wrong; the rest is left to do."""
    summary = IntakeSummary()
    since: dict[int, int] = {}
    for meter, row in judged.removed:
        since[meter.id] = min(row.read_at_s, since.get(meter.id, row.read_at_s))
    for meter, row in judged.counted:
        if meter.id in since:
            since[meter.id] = min(row.read_at_s, since[meter.id])
    for meter in {meter.id: meter for meter, _ in judged.removed}.values():
        changed = await recompute_meter(
            connection,
            meter,
            since=datetime.fromtimestamp(since[meter.id], UTC),
            reason=CorrectionReason.DOUBTFUL_READING,
            thresholds_of=thresholds_of,
            now=now,
        )
        summary.alerts += changed.alerts
        summary.messages += changed.messages
    return summary, Judged(counted=[item for item in judged.counted if item[0].id not in since])

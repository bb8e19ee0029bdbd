"""Judges the water meters of a batch for leaks and stores what it finds.

In: the meters whose volumes changed, and from which day on. Out: the episodes as they are now, each with
the events that are new. The one rule: the classifier is the batch's own (`core.leaks.classifier.classify`),
run over the stored readings, and its findings are compared with the stored episodes; so judging the same
readings twice changes nothing and notifies nobody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption import day_of, day_start
from core.leak_thresholds import ThresholdsOf
from core.leaks.episodes.episode import CloseReason, Episode, Segment, SegmentReason
from core.leaks.episodes.events import Event, EventKind, events, paired
from core.leaks.episodes.from_runs import Judged, judged_episodes
from core.models import Alert, LeakCheckpoint, LeakClassifierState, LeakDayFlows, LeakEpisode
from core.services.alerts.classifier_state import follow_meters
from core.services.alerts.leak_days import flows_since
from core.services.alerts.withdrawals import withdraw_alerts
from core.services.places.meter_directory import MeterEntry
from core.services.shared import time_series
from core.services.shared.columns import select_models
from core.services.shared.time_series import ReadingRow

_FOUR_PLACES = Decimal("0.0001")
_TWO_PLACES = Decimal("0.01")
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DetectedLeak:
    """One episode of one meter, as it is now.

    Attributes:
        meter: whose episode.
        episode: the stored row.
        ended: the closing that is new, if there is one.
        going_on: while the leak runs and the meter is received, the event that brought it to its present
            level, however long ago that was.
    """

    meter: MeterEntry
    episode: LeakEpisode
    ended: Event | None
    going_on: Event | None


async def watch(
    connection: TransactionalDBClient,
    touched: Mapping[MeterEntry, tuple[date, date]],
    *,
    last: Mapping[int, ReadingRow] | None = None,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> list[DetectedLeak]:
    """Bring the leak episodes of the touched water meters up to date, by their operators' thresholds.

    `last` are their newest readings, and maybe others', where they are known.
    """
    water = {meter: days[0] for meter, days in touched.items() if meter.fluid.is_water}
    if not water:
        return []
    end_s = int(now.timestamp())
    followed = await follow_meters(connection, water, thresholds_of=thresholds_of)
    if last is None:
        last = await time_series.newest_readings(connection, [meter.id for meter in followed])
    speaking = {meter: one for meter, one in followed.items() if meter.id in last}
    stored = await _stored_episodes(connection, speaking)
    since = {meter: one.runs[0].since_s for meter, one in speaking.items() if one.runs}
    flows = await flows_since(connection, since, water, {meter: last[meter.id].read_at_s for meter in since})
    findings: list[DetectedLeak] = []
    for meter, one in speaking.items():
        read_at_s = last[meter.id].read_at_s
        after = judged_episodes(
            one.runs,
            flows.get(meter.id, ()),
            zone=meter.zone,
            last_reading_s=read_at_s,
            today=day_of(end_s, meter.zone),
            replaced_on=meter.day(meter.removed_at) if meter.removed_at else None,
            thresholds=thresholds_of(meter.operator_code),
        )
        before = [row for row in stored[meter.id] if _detected_s(row, meter.zone) > one.from_s]
        findings += await _replace(connection, meter, before, after, now=now)
    return findings


async def stored_leaks(
    connection: TransactionalDBClient,
    episode_ids: Iterable[int],
    meters: Iterable[MeterEntry],
    *,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> list[DetectedLeak]:
    """Stored episodes of these meters as if they were new."""
    by_id = {meter.id: meter for meter in meters}
    rows = (
        await LeakEpisode.filter(id__in=list(episode_ids)).using_db(connection).order_by("started_on", "id")
    )
    last = await time_series.newest_readings(connection, {row.meter_id for row in rows})
    found: list[DetectedLeak] = []
    for row in rows:
        meter, episode = by_id[row.meter_id], _episode(row)
        days = (meter.day(now) - day_of(last[meter.id].read_at_s, meter.zone)).days
        is_stale = days > thresholds_of(meter.operator_code).stale_after_days
        ended = _ended(episode, events([], [episode]))
        found.append(DetectedLeak(meter, row, ended, _going_on(replace(episode, stale=is_stale))))
    return found


async def forget_leaks(connection: TransactionalDBClient, meter: MeterEntry, *, now: datetime) -> int:
    """Withdraw every leak of a meter of which no reading is left; returns how many."""
    for model in (LeakClassifierState, LeakCheckpoint, LeakDayFlows):
        await model.filter(meter_id=meter.id).using_db(connection).delete()
    rows = await LeakEpisode.filter(meter_id=meter.id).using_db(connection)
    await withdraw_alerts(connection, await _alerts_of(connection, [row.id for row in rows]), now=now)
    for row in rows:
        await row.delete(using_db=connection)
    return len(rows)


async def _alerts_of(connection: TransactionalDBClient, episode_ids: Sequence[int]) -> list[Alert]:
    return await Alert.filter(episode_id__in=list(episode_ids)).using_db(connection).order_by("id")


def _detected_s(row: LeakEpisode, zone: ZoneInfo) -> float:
    """When the leak was detected; of an episode of an older release the end of its first day."""
    if row.detected_at is None:
        return float(day_start(row.started_on + _ONE_DAY, zone))
    return row.detected_at.timestamp()


async def _stored_episodes(
    connection: TransactionalDBClient, meters: Iterable[MeterEntry]
) -> dict[int, list[LeakEpisode]]:
    """The stored episodes of each meter, the latest first."""
    by_meter: dict[int, list[LeakEpisode]] = {meter.id: [] for meter in meters}
    for row in await select_models(connection, LeakEpisode, _EPISODES, ((number,) for number in by_meter)):
        by_meter[row.meter_id].append(row)
    return by_meter


_EPISODES: Final = "SELECT e.* FROM k JOIN leak_episode e ON e.meter_id = k.a ORDER BY e.started_on DESC"


async def _replace(
    connection: TransactionalDBClient,
    meter: MeterEntry,
    before: Sequence[LeakEpisode],
    after: Sequence[Judged],
    *,
    now: datetime,
) -> list[DetectedLeak]:
    rows = {row.started_on: row for row in before}
    stored = [_episode(row) for row in before if _is_whole(row)]
    if len(stored) == len(before) and _are_known(before, stored, after):
        return []
    judged = {one.episode.started_on: one for one in after}
    found = [one.episode for one in after]
    new_events = events(stored, found)
    findings: list[DetectedLeak] = []
    pairs = paired(stored, found)
    damaged = {row.started_on: row for row in before if not _is_whole(row)}
    for day in damaged.keys() - {new.started_on for old, new in pairs if new is not None and old is None}:
        await _withdraw(connection, damaged[day], now=now)
    for old, new in pairs:
        if new is None:
            assert old is not None
            await _withdraw(connection, rows[old.started_on], now=now)
            continue
        row = rows[old.started_on] if old else damaged.get(new.started_on, LeakEpisode(meter_id=meter.id))
        one = judged[new.started_on]
        is_known = old == replace(new, stale=False)  # staleness depends on the moment and is not stored
        if is_known and row.detected_at == datetime.fromtimestamp(one.detected_s, UTC):
            continue
        _write(row, one, now)
        await row.save(using_db=connection)
        if is_known:  # a late reading shows that it could have been detected earlier: nothing to notify
            continue
        findings.append(DetectedLeak(meter, row, _ended(new, new_events), _going_on(new)))
    return findings


def _are_known(rows: Sequence[LeakEpisode], stored: Sequence[Episode], judged: Sequence[Judged]) -> bool:
    """Whether all that was judged is stored, and nothing else, as it is while a leak only goes on."""
    return len(stored) == len(judged) and all(
        old == replace(new.episode, stale=False)
        and row.detected_at == datetime.fromtimestamp(new.detected_s, UTC)
        for row, old, new in zip(rows, stored, reversed(judged), strict=True)
    )


async def _withdraw(connection: TransactionalDBClient, row: LeakEpisode, *, now: datetime) -> None:
    await withdraw_alerts(connection, await _alerts_of(connection, [row.id]), now=now)
    await row.delete(using_db=connection)


def _is_whole(row: LeakEpisode) -> bool:
    """Whether a row can be read as an episode; what damaged it is none of ours."""
    begun = bool(row.segments) and row.segments[0].get("reason") == SegmentReason.OPENED.value
    return begun and (row.loss_litres is None or row.counted_days > 0)


def _ended(episode: Episode, new_events: Sequence[Event]) -> Event | None:
    closings = [
        event
        for event in new_events
        if event.kind is EventKind.CLOSED and event.started_on == episode.started_on
    ]
    return closings[-1] if closings else None


def _going_on(episode: Episode) -> Event | None:
    if not episode.active or episode.stale:
        return None
    return [event for event in events([], [episode]) if event.kind is not EventKind.CLOSED][-1]


def _write(row: LeakEpisode, judged: Judged, now: datetime) -> None:
    episode = judged.episode
    row.detected_at = datetime.fromtimestamp(judged.detected_s, UTC)
    row.evidence = {"opening": asdict(judged.opening), "latest": asdict(judged.latest)}
    row.started_on, row.ended_on = episode.started_on, episode.ended_on
    row.level_at_opening, row.level_now, row.level_max = (
        episode.level_at_opening,
        episode.level_now,
        episode.level_max,
    )
    row.over_range = episode.over_range
    row.q_min_at_opening_lph = _decimal(episode.q_min_at_opening_lph, _FOUR_PLACES)
    row.loss_litres = (
        None if episode.loss_litres is None else Decimal(episode.loss_litres).quantize(_TWO_PLACES)
    )
    row.mean_flow_lph = (
        None if episode.mean_flow_lph is None else _decimal(episode.mean_flow_lph, _FOUR_PLACES)
    )
    row.counted_days = episode.counted_days
    row.close_reason = episode.close_reason.value if episode.close_reason else None
    row.segments = [
        {
            "started_on": segment.started_on.isoformat(),
            "ended_on": segment.ended_on.isoformat() if segment.ended_on else None,
            "level": segment.level,
            "reason": segment.reason.value,
        }
        for segment in episode.segments
    ]
    row.judged_at = now


def _episode(row: LeakEpisode) -> Episode:
    """The stored episode as a value; its mean flow comes from loss and days, which are exact."""
    loss = None if row.loss_litres is None else Fraction(row.loss_litres)
    return Episode(
        started_on=row.started_on,
        ended_on=row.ended_on,
        level_at_opening=row.level_at_opening,
        level_now=row.level_now,
        level_max=row.level_max,
        over_range=row.over_range,
        q_min_at_opening_lph=Fraction(row.q_min_at_opening_lph),
        loss_litres=None if loss is None else int(loss) if loss.denominator == 1 else row.loss_litres,
        counted_days=row.counted_days,
        mean_flow_lph=None if loss is None else loss / (24 * row.counted_days),
        stale=False,
        segments=tuple(
            Segment(
                started_on=date.fromisoformat(segment["started_on"]),
                ended_on=date.fromisoformat(segment["ended_on"]) if segment["ended_on"] else None,
                level=segment["level"],
                reason=SegmentReason(segment["reason"]),
            )
            for segment in row.segments
        ),
        close_reason=CloseReason(row.close_reason) if row.close_reason else None,
    )


def _decimal(value: Fraction, places: Decimal) -> Decimal:
    return (Decimal(value.numerator) / value.denominator).quantize(places)

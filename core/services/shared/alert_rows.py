"""Reads the alerts of dwellings, or of residences, that an answer shows, running and past, by one
statement.

In: places with the days and the account that they are narrowed to, which must come from `scope`. Out: rows
with the columns of their leak and meter. The one rule: an alert belongs to whoever held the dwelling while
it lasted; over-consumption to whoever held it when it began; and the alert of an own limit to its account.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient

from core.alerting.kinds import AlertKind
from core.alerting.over_consumption import LimitPeriod
from core.alerting.workflow import AlertActionKind
from core.consumption.fluids import Fluid
from core.services.shared.columns import (
    day,
    day_or_none,
    decimal_or_none,
    document,
    joined,
    select_by,
)

_COLUMNS = {
    "n": "bigint",
    "dwelling_id": "bigint",
    "residence_id": "bigint",
    "only_id": "bigint",
    "account_id": "bigint",
    "first_day": "date",
    "last_day": "date",
    "running_on": "date",
    "ended_by": "date",
    "after_day": "date",
    "after_id": "bigint",
    "most": "bigint",
}
_RUNNING = (
    "(a.account_id IS NULL OR a.account_id = k.account_id)"
    " AND (a.ended_on IS NULL OR a.ended_on > k.first_day OR a.started_on >= k.first_day)"
    " AND (a.kind <> 'OVER_CONSUMPTION' OR a.started_on >= k.first_day)"
    " AND (k.last_day IS NULL OR a.started_on <= k.last_day)"
    " AND (k.running_on IS NULL OR a.ended_on IS NULL OR a.ended_on > k.running_on)"
)
_NARROWED = (
    f"{_RUNNING} AND (k.ended_by IS NULL OR a.ended_on <= k.ended_by)"
    " AND (k.only_id IS NULL OR a.id = k.only_id)"
)
_OF_DWELLING = f"FROM k JOIN alert a ON a.dwelling_id = k.dwelling_id AND {_NARROWED}"
_OF_RESIDENCE = (
    "FROM k JOIN dwelling d ON d.residence_id = k.residence_id"
    f' JOIN "alert" a ON a.dwelling_id = d.id AND {_NARROWED}'
)
_STATEMENT = (
    "SELECT q.* FROM (SELECT p.*, COUNT(*) OVER (PARTITION BY p.n) AS total,"
    " ROW_NUMBER() OVER (PARTITION BY p.n, p.follows ORDER BY p.started_on DESC, p.id DESC) AS place"
    " FROM (SELECT k.n, k.most, CASE WHEN k.after_day IS NULL OR a.started_on < k.after_day"
    " OR (a.started_on = k.after_day AND a.id < k.after_id) THEN 1 ELSE 0 END AS follows,"
    " a.id, a.dwelling_id, a.alert_key, a.kind, a.fluid, a.meter_id, a.own_limit, a.started_on, a.ended_on,"
    " a.amount, a.threshold, a.last_action, a.snoozed_until, a.snoozed_level, a.episode_id,"
    " e.meter_id AS leak_meter_id, e.level_now, e.over_range, e.loss_litres, e.mean_flow_lph,"
    " e.q_min_at_opening_lph, e.segments, e.evidence, m.printed_serial, s.last_at"
    " {0}"
    " LEFT JOIN leak_episode e ON e.id = a.episode_id"
    " LEFT JOIN meter m ON m.id = COALESCE(e.meter_id, a.meter_id)"
    " LEFT JOIN meter_state s ON s.meter_id = e.meter_id) p) q"
    " WHERE (q.follows = 1 AND q.place <= q.most) OR (q.follows = 0 AND q.place = 1)"
    " ORDER BY q.n, q.place"
)
"""Of the alerts before the page one is read as well, for their total."""

_BESIDE = ("account_id", "first_day", "last_day", "running_on")
COLUMNS_BESIDE = {f"alerts_{name}": _COLUMNS[name] for name in _BESIDE}
"""Columns of `k` by which another statement reads how running alerts stand, as `statuses_beside` has it."""


@dataclass(frozen=True, slots=True)
class AlertsAsked:
    """Alerts of a dwelling or a residence; a bound that is None does not narrow.

    Attributes:
        dwelling_id: where; None for those of a residence.
        account_id: whose own limits are shown.
        first_day: the first of the occupancy period.
        last_day: the last one.
        running_on: those that run on this day.
        ended_by: those that have ended by this day.
        after: start day and id of the last alert of the page before.
        most: how many.
        residence_id: where; None for those of a dwelling.
        only_id: this one alone.
    """

    dwelling_id: int | None
    account_id: int | None
    first_day: date
    last_day: date | None
    running_on: date | None = None
    ended_by: date | None = None
    after: tuple[date | None, int] | None = None
    most: int = 1_000_000
    residence_id: int | None = None
    only_id: int | None = None


class EpisodeRow(Struct, frozen=True):
    """The leak of an alert; `last_s` is its meter's last reading, epoch seconds; `evidence` is a
    document.
    """

    meter_id: int
    level_now: int
    over_range: bool
    loss_litres: Decimal | None
    mean_flow_lph: Decimal | None
    q_min_at_opening_lph: Decimal | None
    segments: Sequence[dict[str, Any]]
    evidence: object
    last_s: int | None


class AlertRow(Struct, frozen=True):
    """An alert as stored, with its leak and the serial of its meter."""

    id: int
    dwelling_id: int
    alert_key: str
    kind: AlertKind
    fluid: Fluid
    meter_id: int | None
    printed_serial: str | None
    own_limit: LimitPeriod | None
    started_on: date
    ended_on: date | None
    amount: int | None
    threshold: int | None
    last_action: AlertActionKind | None
    snoozed_until: date | None
    snoozed_level: int | None
    episode: EpisodeRow | None

    @property
    def level_now(self) -> int | None:
        """The level of its leak; None of what is no leak."""
        return None if self.episode is None else self.episode.level_now


class AlertStatusRow(Struct, frozen=True):
    """What decides how an alert stands."""

    last_action: AlertActionKind | None
    snoozed_until: date | None
    snoozed_level: int | None
    level_now: int | None


class AlertsFound(Struct, frozen=True):
    """The alerts of a page, newest first, and how many there are on all pages."""

    rows: Sequence[AlertRow]
    total: int


async def alerts_of(connection: BaseDBAsyncClient, asked: Sequence[AlertsAsked]) -> list[AlertsFound]:
    """The alerts of each that was asked for."""
    found: list[list[dict[str, Any]]] = [[] for _ in asked]
    numbered = list(enumerate(asked))
    for source, keys in (
        (_OF_DWELLING, [_key(number, one) for number, one in numbered if one.residence_id is None]),
        (_OF_RESIDENCE, [_key(number, one) for number, one in numbered if one.residence_id is not None]),
    ):
        for row in await select_by(connection, _COLUMNS, _STATEMENT.format(source), keys) if keys else ():
            found[row["n"]].append(row)
    return [
        AlertsFound([_row(row) for row in rows if row["follows"]], rows[0]["total"] if rows else 0)
        for rows in found
    ]


def _key(number: int, asked: AlertsAsked) -> tuple[object, ...]:
    return (
        *(number, asked.dwelling_id, asked.residence_id, asked.only_id, asked.account_id),
        *(asked.first_day, asked.last_day, asked.running_on, asked.ended_by),
        *(asked.after or (None, None)),
        asked.most,
    )


def key_beside(asked: AlertsAsked | None) -> tuple[object, ...]:
    """What a row of `k` has in these columns; None if no alerts are asked for."""
    return (None,) * len(_BESIDE) if asked is None else tuple(getattr(asked, name) for name in _BESIDE)


def statuses_beside(connection: BaseDBAsyncClient, dwelling: str) -> str:
    """An expression for the running alerts of a dwelling, one text for all: a part for each, which
    `statuses_of` reads.
    """
    parts = ("a.last_action", "a.snoozed_until", "a.snoozed_level", "e.level_now")
    text = " || ':' || ".join(f"COALESCE(CAST({part} AS TEXT), '')" for part in parts)
    narrowed = _RUNNING.replace("k.", "k.alerts_")
    return (
        f"(SELECT {joined(connection, text)}"  # noqa: S608 - our own words
        " FROM alert a LEFT JOIN leak_episode e ON e.id = a.episode_id"
        f" WHERE a.dwelling_id = {dwelling} AND k.alerts_first_day IS NOT NULL AND {narrowed})"
    )


def statuses_of(text: str | None) -> list[AlertStatusRow]:
    """How the alerts of such a text stand."""
    found = []
    for part in (text or "").split(",") if text else ():
        action, until, snoozed_level, level_now = part.split(":")
        found.append(
            AlertStatusRow(
                last_action=AlertActionKind(action) if action else None,
                snoozed_until=day_or_none(until or None),
                snoozed_level=int(snoozed_level) if snoozed_level else None,
                level_now=int(level_now) if level_now else None,
            )
        )
    return found


async def true_start(connection: BaseDBAsyncClient, asked: AlertsAsked) -> date | None:
    """When the alert began that the page before ended with: earlier than shown, if before the move-in."""
    assert asked.after is not None
    key = _key(0, replace(asked, after=(None, asked.after[1]), most=1))
    rows = await select_by(
        connection,
        _COLUMNS,
        "SELECT a.started_on FROM k JOIN alert a ON a.id = k.after_id"  # noqa: S608 - our own words
        f" AND a.dwelling_id = k.dwelling_id AND {_NARROWED}",
        [key],
    )
    return day(rows[0]["started_on"]) if rows else None


def _row(row: dict[str, Any]) -> AlertRow:
    return AlertRow(
        id=row["id"],
        dwelling_id=row["dwelling_id"],
        alert_key=row["alert_key"],
        kind=AlertKind(row["kind"]),
        fluid=Fluid(row["fluid"]),
        meter_id=row["meter_id"],
        printed_serial=row["printed_serial"],
        own_limit=LimitPeriod(row["own_limit"]) if row["own_limit"] else None,
        started_on=day(row["started_on"]),
        ended_on=day_or_none(row["ended_on"]),
        amount=row["amount"],
        threshold=row["threshold"],
        last_action=AlertActionKind(row["last_action"]) if row["last_action"] else None,
        snoozed_until=day_or_none(row["snoozed_until"]),
        snoozed_level=row["snoozed_level"],
        episode=None if row["episode_id"] is None else _episode(row),
    )


def _episode(row: dict[str, Any]) -> EpisodeRow:
    return EpisodeRow(
        meter_id=row["leak_meter_id"],
        level_now=row["level_now"],
        over_range=bool(row["over_range"]),
        loss_litres=decimal_or_none(row["loss_litres"]),
        mean_flow_lph=decimal_or_none(row["mean_flow_lph"]),
        q_min_at_opening_lph=decimal_or_none(row["q_min_at_opening_lph"]),
        segments=document(row["segments"]),
        evidence=row["evidence"],
        last_s=row["last_at"],
    )

"""Publishes the statistics of each operator's months, once each.

In: the moment. Out: rows of `analysis_row`. The one rule: what is published is not changed. A month is
published when it has been over for ten days; readings that come later change nothing, since whoever has
both versions of a figure could tell what the dwelling in between has used.

The first time, the thirteen months before are published, those that have any figures. The meter park is
that of the moment, and published with the newest month alone.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.exceptions import IntegrityError

from core.consumption import Month
from core.models import AnalysisPublication, AnalysisRow, Operator
from core.services.analysis.facts import PAGE, leaks_of, meter_months, meters_now
from core.services.analysis.figures import (
    Row,
    completeness_rows,
    consumption_rows,
    leak_rows,
    meter_rows,
)
from core.services.shared.many_rows import insert_rows
from core.services.shared.time_series import run
from core.services.shared.transaction import current_database, transactional

SETTLED_AFTER: Final = timedelta(days=10)
"""Late readings of a month come within days; what comes later is in no statistic."""

MONTHS_AT_FIRST: Final = 13
"""A year and the same month of the year before."""


STORED_AT_ONCE: Final = 500
"""Rows that are stored by one statement, between which others are answered."""


async def publish_due(*, now: datetime) -> int:
    """Publish every month that is due and has figures; returns how many publications were made."""
    newest, made = _newest(now), 0
    for operator in await Operator.all().order_by("id").only("id"):
        for month in await _due(operator.id, newest):
            made += await _publish(operator.id, month, is_newest=month == newest, now=now)
    return made


def month_number(month: Month) -> int:
    """October 2026 as 202610, the form in which months are stored."""
    return month.year * 100 + month.month


def month_of_number(number: int) -> Month:
    return Month(number // 100, number % 100)


def _newest(now: datetime) -> Month:
    return Month.of((now - SETTLED_AFTER).date()).previous()


async def _due(operator_id: int, newest: Month) -> list[Month]:
    last = await AnalysisPublication.filter(operator_id=operator_id).order_by("-month").first()
    first = newest.plus(1 - MONTHS_AT_FIRST)
    if last is not None:
        first = max(first, month_of_number(last.month).next())
    months = []
    while first <= newest:
        months.append(first)
        first = first.next()
    return months


async def _publish(operator_id: int, month: Month, *, is_newest: bool, now: datetime) -> bool:
    """Whether there was anything to publish, and nobody else has meanwhile."""
    rows = await _rows(operator_id, month, is_newest=is_newest, now=now)
    if not rows:
        return False
    try:
        await _store(operator_id, month, rows, now=now)
    except IntegrityError:  # another process was faster
        return False
    return True


async def _rows(operator_id: int, month: Month, *, is_newest: bool, now: datetime) -> list[Row]:
    connection = current_database()
    months, leaks, meters = [], [], []
    async for page in _pages(operator_id):
        months += await meter_months(connection, page, month)
        leaks += await leaks_of(connection, page, month)
        if is_newest:
            meters += await meters_now(connection, page)

    if not any(one.measured or one.estimated or one.partial for one in months):
        return []

    def computed() -> list[Row]:
        return [
            *consumption_rows(months, month),
            *leak_rows(leaks, month),
            *meter_rows(meters, now),
            *completeness_rows(months),
        ]

    return await asyncio.to_thread(computed)


async def _pages(operator_id: int) -> AsyncIterator[list[int]]:
    after = 0
    while True:
        rows: list[dict[str, Any]] = await run(
            current_database(),
            "SELECT id FROM residence WHERE operator_id = $1 AND id > $2 ORDER BY id LIMIT $3",
            [operator_id, after, PAGE],
        )
        if not rows:
            return
        page = [row["id"] for row in rows]
        yield page
        after = page[-1]


@transactional
async def _store(
    connection: TransactionalDBClient, operator_id: int, month: Month, rows: list[Row], *, now: datetime
) -> None:
    publication = await AnalysisPublication.create(
        operator_id=operator_id, month=month_number(month), published_at=now, using_db=connection
    )
    for begin in range(0, len(rows), STORED_AT_ONCE):
        some = rows[begin : begin + STORED_AT_ONCE]
        await insert_rows(connection, [_stored(publication.id, row) for row in some])


def _stored(publication_id: int, row: Row) -> AnalysisRow:
    return AnalysisRow(
        publication_id=publication_id,
        topic=row.topic.value,
        residence_id=row.residence_id,
        fluid=row.fluid.value if row.fluid else None,
        grouping=row.grouping.value,
        classes="+".join(row.classes),
        dwellings=row.dwellings,
        figures=list(row.figures),
    )

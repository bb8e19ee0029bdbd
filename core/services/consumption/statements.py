"""«Obtenir un relevé» (R-077): the index of each device of a dwelling at the end of a chosen day.

In: the viewer, the dwelling, the day; for a file also its purpose. Out: a line per device. The one rule:
the last reading up to that day counts, with its own date beside it; a device that was not read in the
occupancy period has no index, and never 0 (C-22, C-25). Each file is recorded with its purpose.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.access import Act, Permission, Viewer, Visitor
from core.bootstrap import Application
from core.consumption import day_start
from core.documents.statement import StatementContent, StatementEntry, StatementFormat, StatementReason
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.services.places.dwellings import DwellingView, my_dwelling
from core.services.places.meters import (
    MeterView,
    ReadingView,
    meters_by_dwelling,
    newest_within,
    seconds_of,
)
from core.services.shared.audit import Subject, record
from core.services.shared.scope import occupancy_period_at

FILES_BY_ACCOUNT = RateLimit("index statements by account", 30, timedelta(hours=1))
"""Making a file takes time, and every one is recorded."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A device that was in service on the day, and its last reading up to then."""

    meter: MeterView
    reading: ReadingView | None


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines of a dwelling on a day, by fluid."""

    dwelling: DwellingView
    day: date
    lines: tuple[StatementLine, ...]


def printable(statement: Statement) -> StatementContent:
    """The content of a statement's files."""
    view = statement.dwelling
    residence = view.residence
    return StatementContent(
        operator_name=residence.operator_name,
        residence_code=residence.code,
        residence_name=residence.name,
        address=f"{residence.street}, {residence.postcode} {residence.city}",
        time_zone=residence.time_zone,
        dwelling_place=(residence.code, view.building, view.staircase, view.floor, view.number),
        dwelling_number=view.number,
        day=statement.day,
        entries=tuple(
            StatementEntry(
                fluid=line.meter.fluid,
                serial=line.meter.printed_serial,
                location=line.meter.location,
                index=line.reading.index if line.reading else None,
                read_at=line.reading.read_at if line.reading else None,
            )
            for line in statement.lines
        ),
    )


async def index_statement(
    viewer: Viewer, dwelling_id: int, *, day: date | None = None, now: datetime
) -> Statement:
    """The statement of a day; by default of today, or of the last day of an occupancy that has ended.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
        ForbiddenPeriod: the day lies outside the viewer's occupancy period.
    """
    viewer.require(Permission.READINGS_READ)
    period, dwelling = await occupancy_period_at(viewer, dwelling_id), await my_dwelling(viewer, dwelling_id)
    zone = ZoneInfo(dwelling.residence.time_zone)
    _, chosen = period.clip(day, day, today=now.astimezone(zone).date())
    end_s = day_start(chosen + timedelta(days=1), zone) - 1
    meters = [
        meter
        for meter in (await meters_by_dwelling(viewer, [dwelling_id]))[dwelling_id]
        if meter.installed_on <= chosen and (meter.removed_on is None or meter.removed_on >= chosen)
    ]
    windows = [seconds_of(period, meter.id, zone) for meter in meters]
    readings = await newest_within(window._replace(last=min(window.last, end_s)) for window in windows)
    return Statement(
        dwelling, chosen, tuple(StatementLine(meter, readings.get(meter.id)) for meter in meters)
    )


async def issue_statement(
    application: Application,
    viewer: Viewer,
    dwelling_id: int,
    reason: StatementReason,
    file_format: StatementFormat,
    *,
    day: date | None = None,
    visitor: Visitor,
    now: datetime,
) -> Statement:
    """The statement that a file is made of; the access and its purpose are recorded.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
        ForbiddenPeriod: the day lies outside the viewer's occupancy period.
        RateLimited: the account asked for too many files within the hour.
    """
    statement = await index_statement(viewer, dwelling_id, day=day, now=now)
    await RateLimiter.of(application).hit((FILES_BY_ACCOUNT, str(viewer.account_id)), now=now)
    await record(
        Act.STATEMENT_ISSUED,
        Subject("dwelling", dwelling_id),
        viewer,
        visitor,
        now,
        day=statement.day.isoformat(),
        reason=reason.value,
        format=file_format.value,
    )
    return statement

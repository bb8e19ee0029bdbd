"""A manager records who moves into a dwelling and who moves out of it (C-12, C-14, CN-10).

In: the dwelling and a civil day. Out: an occupancy begun or ended. The one rule: nobody loses a dwelling
unnoticed. A move-in is refused while somebody else lives there, until that person's last day is recorded;
whoever has an account is written to when the own occupancy is ended; and a day is no further away, on
either side, than a departure may be announced.

Somebody who moves in has no account yet: who registers for these days is the same person
(`core.services.occupancy.occupancies.admit`).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.errors import Conflict, InvalidInput, NotFound
from core.models import Account, Dwelling, Occupancy, OccupancyKind
from core.registration.machine import LONGEST_OCCUPANCY_YEARS
from core.services.managers.homes import home_in_charge
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.occupancy.occupancies import NOTICE_FOR, end
from core.services.places.managed_residences import place_of
from core.services.places.meter_directory import lock_dwellings
from core.services.places.occupant_periods import rows_of_period
from core.services.shared.audit import Subject, record
from core.services.shared.scope import OccupancyPeriod, occupants, with_periods
from core.services.shared.transaction import transactional

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RecordedOccupancy:
    """What is stored after a move was recorded; `last_day` is None while no end is known."""

    dwelling_id: int
    first_day: date
    last_day: date | None


@transactional
async def record_move_in(
    connection: TransactionalDBClient,
    viewer: Viewer,
    dwelling_id: int,
    *,
    first_day: date,
    kind: OccupancyKind = OccupancyKind.TENANT,
    visitor: Visitor,
    now: datetime,
) -> RecordedOccupancy:
    """Somebody lives, or will live, in the dwelling from this day on.

    Raises:
        NotFound: no such dwelling, or not one that the viewer manages.
        InvalidInput: a day that is too far ahead or too long ago, or an owner who does not live there.
        Conflict: somebody lives there then, or moves in later; that occupancy is ended first.
    """
    viewer.require(Permission.OCCUPANCIES_RECORD)
    dwelling = await home_in_charge(viewer, dwelling_id, connection=connection)
    today = civil_day(now, dwelling.residence.time_zone)
    if kind is OccupancyKind.OWNER_NON_OCCUPANT:
        raise InvalidInput("Somebody who lives elsewhere does not move in.", field="occupancy")
    if today.year - first_day.year > LONGEST_OCCUPANCY_YEARS:
        raise InvalidInput(f"Nobody lives anywhere for {LONGEST_OCCUPANCY_YEARS} years.", field="firstDay")
    if first_day > today + NOTICE_FOR:
        message = f"A move-in is recorded at most {NOTICE_FOR.days} days ahead."
        raise InvalidInput(message, field="firstDay")
    await lock_dwellings(connection, [dwelling_id])
    for _, period in await _known(connection, dwelling_id):
        if not period.over_on(first_day):
            raise Conflict(
                "Somebody else lives there by then: record that person's last day first.", field="firstDay"
            )
    await Occupancy.create(dwelling_id=dwelling_id, kind=kind, move_in=first_day, using_db=connection)
    await record(
        Act.OCCUPANCY_STARTED,
        Subject("dwelling", dwelling_id),
        viewer,
        visitor,
        now,
        connection,
        account=None,
    )
    return RecordedOccupancy(dwelling_id, first_day, None)


@transactional
async def record_move_out(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    dwelling_id: int,
    *,
    last_day: date,
    visitor: Visitor,
    now: datetime,
) -> RecordedOccupancy:
    """Whoever lives there, or has announced to leave, does so until this day; it can be changed until then.

    Raises:
        NotFound: no such dwelling, or not one that the viewer manages; or nobody lives there.
        InvalidInput: a day before the occupancy began, on which the next occupant lives there, or too far
            away.
    """
    viewer.require(Permission.OCCUPANCIES_RECORD)
    dwelling = await home_in_charge(viewer, dwelling_id, connection=connection)
    today = civil_day(now, dwelling.residence.time_zone)
    if abs(last_day - today) > NOTICE_FOR:
        message = f"A departure is recorded at most {NOTICE_FOR.days} days before or after it."
        raise InvalidInput(message, field="lastDay")
    await lock_dwellings(connection, [dwelling_id])
    known = await _known(connection, dwelling_id)
    leaving = _who_leaves(known, today)
    if leaving is None:
        raise NotFound("Nobody is known to live there.", field="dwelling")
    row, period = leaving
    if last_day < period.first_day:
        raise InvalidInput("The occupancy began later.", field="lastDay")
    parts = set(await rows_of_period(row, connection=connection))
    if any(
        other.id not in parts and period.first_day < other.move_in <= last_day
        for other, at in known
        if at.last_day is None or at.last_day >= at.first_day
    ):
        raise InvalidInput("The next occupant lives there by then.", field="lastDay")
    for part, _ in known:
        if part.id in parts and (part.move_out is None or part.move_out > last_day or part.id == row.id):
            await end(connection, part, application.registry, last_day=last_day, today=today)
    await record(Act.OCCUPANCY_ENDED, Subject("dwelling", dwelling_id), viewer, visitor, now, connection)
    account = await _account_of(row, connection)
    if account is not None:
        until = (await Occupancy.get(id=row.id, using_db=connection)).access_until
        notice = _notice(application, dwelling, account, last_day=last_day, until=until)
        await queue_account_message(connection, application.settings, notice, now=now)
    return RecordedOccupancy(dwelling_id, period.first_day, last_day)


async def _known(
    connection: TransactionalDBClient, dwelling_id: int
) -> list[tuple[Occupancy, OccupancyPeriod]]:
    """The occupancies of the dwelling that hold a day, in the order of time."""
    rows = await occupants().filter(dwelling_id=dwelling_id).using_db(connection)
    known = await with_periods(rows, connection=connection)
    held = [one for one in known if one[1].last_day is None or one[1].first_day <= one[1].last_day]
    return sorted(held, key=lambda one: (one[1].first_day, one[0].id))


def _who_leaves(
    known: list[tuple[Occupancy, OccupancyPeriod]], today: date
) -> tuple[Occupancy, OccupancyPeriod] | None:
    """The present occupant, by the latest part of that occupancy; else whoever moves in next."""
    present = [one for one in known if one[1].holds(today)]
    to_come = [one for one in known if one[1].first_day > today]
    return present[-1] if present else to_come[0] if to_come else None


async def _account_of(row: Occupancy, connection: BaseDBAsyncClient) -> Account | None:
    if row.account_id is None:
        return None
    return await Account.get_or_none(id=row.account_id, disabled_at=None, using_db=connection)


def _notice(
    application: Application, dwelling: Dwelling, account: Account, *, last_day: date, until: date | None
) -> AccountMessage:
    operator = dwelling.residence.operator
    profile = application.registry.profile(operator.code)
    return AccountMessage.to(
        account,
        "occupancy_end_recorded",
        values={
            "portal": profile.portal_name if profile else operator.name,
            "place": f"{dwelling.residence.name}, {place_of(dwelling)}",
            "last_day": last_day.isoformat(),
            "until": until.isoformat() if until else "",
            "operator": operator.name,
            "link": application.portal_link(operator.code),
        },
    )

"""Who holds a dwelling: begins and ends occupancies, and checks whether a dwelling has its account already.

In: the dwelling, the account, civil days of the residence. Out: rows. The one rule: a dwelling has one
occupant with an account at a time (R-140), an owner who lives elsewhere does not count (C-01), and an
occupancy never begins before the known end of the one before (C-14). Whether it has ended is derived as for
the viewer (`core.services.shared.scope`): a successor's first day ends it, though nobody entered an end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.errors import InvalidInput, NotFound
from core.metering import Registry
from core.models import (
    ConsentAuthor,
    ConsentPurpose,
    ConsentRecord,
    ConsentState,
    Dwelling,
    DwellingRequest,
    DwellingRequestKind,
    DwellingRequestState,
    Occupancy,
    OccupancyKind,
)
from core.operators import OperatorProfile
from core.registration.draft import CouncilMember
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.places.managed_residences import place_of
from core.services.places.meter_directory import lock_dwellings
from core.services.places.ownerships import ownerships
from core.services.shared.audit import Subject, record
from core.services.shared.dismissals import end_dismissals
from core.services.shared.scope import (
    OccupancyPeriod,
    occupancy_periods,
    occupants,
    with_periods,
)
from core.services.shared.transaction import transactional

_ONE_DAY = timedelta(days=1)

NOTICE_FOR = timedelta(days=92)
"""How far ahead a departure may be announced."""

PREDECESSOR_ACCESS = timedelta(days=365)
"""Where the operator has no profile."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody's right to a dwelling, as it was declared."""

    dwelling_id: int
    account_id: int
    kind: OccupancyKind
    move_in: date
    attested_at: datetime
    council_member: CouncilMember | None = None
    manager_daily_data: bool | None = None


async def today_at(dwelling_id: int, *, now: datetime) -> date:
    """The civil day at a dwelling's residence."""
    dwelling = await Dwelling.get(id=dwelling_id).select_related("residence")
    return civil_day(now, dwelling.residence.time_zone)


async def is_taken(
    dwelling_id: int,
    kind: OccupancyKind | None,
    *,
    today: date,
    account_id: int | None = None,
    connection: BaseDBAsyncClient | None = None,
) -> bool:
    """Whether somebody else has the one account of the dwelling today; never for an owner elsewhere
    (C-01).
    """
    if kind is OccupancyKind.OWNER_NON_OCCUPANT:
        return False
    held = await holders([dwelling_id], connection=connection)
    return any(row.account_id != account_id and not period.over_on(today) for row, period in held)


async def holders(
    dwelling_ids: Iterable[int], *, connection: BaseDBAsyncClient | None = None
) -> list[tuple[Occupancy, OccupancyPeriod]]:
    """Who has or had an account at the dwellings, with the account loaded, and from when to when; without
    disabled accounts.
    """
    here = occupants().filter(dwelling_id__in=list(dwelling_ids), account__disabled_at=None)
    rows = await here.exclude(account_id=None).using_db(connection).select_related("account")
    return await with_periods(rows, connection=connection)


async def admit(
    connection: TransactionalDBClient,
    claim: Claim,
    *,
    consent_version: str,
    visitor: Visitor,
    now: datetime,
) -> int:
    """Begin an occupancy, with the consent that was answered for it; returns its number.

    An occupant in the operator's data who has no account is the same person where the days fit, to the end
    given there; where the declared day is later, that occupancy ends on it. So does that of a disabled
    account.
    """
    living = claim.kind is not OccupancyKind.OWNER_NON_OCCUPANT
    move_in, occupancy = claim.move_in, None
    if living:
        move_in, occupancy = await _place(connection, claim, today=await today_at(claim.dwelling_id, now=now))
    if occupancy is None:
        occupancy = Occupancy(dwelling_id=claim.dwelling_id, move_in=move_in)
    occupancy.account_id, occupancy.kind = claim.account_id, claim.kind
    occupancy.update_from_dict({"attested_at": claim.attested_at, "council_member": claim.council_member})
    await occupancy.save(using_db=connection)
    if living:
        await end_dismissals(connection, claim.dwelling_id, on=move_in, kept_of=claim.account_id)
    if living and claim.manager_daily_data is not None:
        state = ConsentState.GRANTED if claim.manager_daily_data else ConsentState.REFUSED
        await ConsentRecord.create(
            occupancy_id=occupancy.id,
            purpose=ConsentPurpose.MANAGER_DAILY_DATA,
            state=state,
            author=ConsentAuthor.OCCUPANT,
            author_account_id=claim.account_id,
            text_version=consent_version,
            recorded_at=now,
            using_db=connection,
        )
    occupancy_id: int = occupancy.id
    await record(
        Act.OCCUPANCY_STARTED,
        Subject("dwelling", claim.dwelling_id),
        None,
        visitor,
        now,
        connection,
        account=claim.account_id,
    )
    return occupancy_id


@transactional
async def leave_dwelling(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    dwelling_id: int,
    *,
    last_day: date,
    visitor: Visitor,
    now: datetime,
) -> None:
    """The viewer moves out: the dwelling and the e-mail address are free from the day after on (C-12),
    which an e-mail confirms.

    Until it has ended, the day may be changed to an earlier or a later one. An owner who lives elsewhere
    gives the dwelling up the same way; nobody is asked for the first day of an ownership.

    Raises:
        NotFound: no such dwelling, or the viewer does not live there, or owns it, any more.
        InvalidInput: a day before the occupancy began, one on which the next occupant lives there, or one
            too far ahead.
    """
    viewer.require(Permission.DWELLINGS_LEAVE)
    period, today = await _period_to_leave(viewer, dwelling_id, now=now)
    lives_there = period.kind is not OccupancyKind.OWNER_NON_OCCUPANT
    if lives_there and last_day < period.first_day:
        raise InvalidInput("The occupancy began later.", field="lastDay")
    if last_day > today + NOTICE_FOR:
        message = f"A departure is announced at most {NOTICE_FOR.days} days ahead."
        raise InvalidInput(message, field="lastDay")
    await lock_dwellings(connection, [dwelling_id])
    mine = Occupancy.filter(dwelling_id=dwelling_id, account_id=viewer.account_id).using_db(connection)
    others = occupants().filter(dwelling_id=dwelling_id).using_db(connection)
    next_in = [row for row in await others if period.first_day < row.move_in <= last_day]
    if lives_there and any(
        row.account_id != viewer.account_id and row.move_out != row.move_in for row in next_in
    ):
        raise InvalidInput("The next occupant lives there by then.", field="lastDay")
    rows = await mine.order_by("move_in", "id")
    present = [row for row in rows if _held_on(row, today) and row.move_in <= last_day][-1:]
    for row in rows:
        if row in present or _held_on(row, last_day):
            await end(connection, row, application.registry, last_day=last_day, today=today)
    await _confirm_departure(connection, application, viewer, dwelling_id, last_day=last_day, now=now)
    await record(Act.OCCUPANCY_ENDED, Subject("dwelling", dwelling_id), viewer, visitor, now, connection)


async def _confirm_departure(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    dwelling_id: int,
    *,
    last_day: date,
    now: datetime,
) -> None:
    """Write to whoever leaves: until when the own period can be seen, and whom to ask if it was a
    mistake.
    """
    row = (
        await Occupancy.filter(dwelling_id=dwelling_id, account_id=viewer.account_id)
        .using_db(connection)
        .exclude(access_until=None)
        .order_by("-move_in", "-id")
        .select_related("account", "dwelling__residence__operator")
        .first()
    )
    if row is None or row.account is None or row.access_until is None:
        return
    profile = application.registry.profile(row.dwelling.residence.operator.code)
    departure = AccountMessage.to(
        row.account,
        "departure_confirmed",
        values={
            "portal": profile.portal_name if profile else "Submeter",
            "operator": profile.name if profile else row.dwelling.residence.operator.name,
            "place": place_of(row.dwelling),
            "last_day": last_day.isoformat(),
            "until": row.access_until.isoformat(),
            "link": application.portal_link(row.dwelling.residence.operator.code),
        },
    )
    await queue_account_message(connection, application.settings, departure, now=now)


async def end(
    connection: TransactionalDBClient,
    occupancy: Occupancy,
    registry: Registry,
    *,
    last_day: date,
    today: date,
) -> None:
    """End an occupancy after a day; its holder sees the own period for the operator's access time, which
    begins when the end is announced, if that is later (CN-10).
    """
    await _write_ends(connection, occupancy.dwelling_id, today)
    move_out = max(last_day + _ONE_DAY, occupancy.move_in)
    dwelling = await Dwelling.get(id=occupancy.dwelling_id, using_db=connection).select_related(
        "residence__operator"
    )
    profile = registry.profile(dwelling.residence.operator.code)
    occupancy.move_out = move_out
    occupancy.access_until = access_end(move_out, today=today, profile=profile)
    await occupancy.save(using_db=connection, update_fields=["move_out", "access_until"])
    if occupancy.kind is not OccupancyKind.OWNER_NON_OCCUPANT:
        await end_dismissals(connection, occupancy.dwelling_id, on=move_out)


def access_end(move_out: date, *, today: date, profile: OperatorProfile | None) -> date:
    """Until when the own period is seen by somebody whose end is announced today (CN-10)."""
    return max(move_out, today) + _access(profile)


async def _write_ends(connection: TransactionalDBClient, dwelling_id: int, today: date) -> None:
    """Store the ends that nobody entered: of occupancies that a successor's first day has ended (R-140)."""
    rows = await occupants().filter(dwelling_id=dwelling_id).using_db(connection)
    for row, period in await with_periods(rows, connection=connection):
        if row.move_out is None and period.last_day is not None and period.over_on(today):
            row.move_out = period.last_day + _ONE_DAY
            await row.save(using_db=connection, update_fields=["move_out"])


async def _place(
    connection: TransactionalDBClient, claim: Claim, *, today: date
) -> tuple[date, Occupancy | None]:
    """The first day of whoever moves in, and the row that describes the same person already, if one
    does.
    """
    await _write_ends(connection, claim.dwelling_id, today)
    rows = occupants().filter(dwelling_id=claim.dwelling_id).using_db(connection)
    others = [row for row in await rows.select_related("account") if row.account_id != claim.account_id]
    held = [row for row in others if _held_on(row, max(today, claim.move_in))]
    move_in = max([claim.move_in, *(row.move_out for row in others if row.move_out and row not in held)])
    same = [row for row in held if row.account_id is None and row.move_in >= move_in]
    disabled = [row for row in held if row.account is not None and row.account.disabled_at is not None]
    if any(row.move_in >= move_in for row in disabled):
        move_in = max(move_in, today)  # days of one occupant are never given to another
    for row in held:
        if row in disabled or (row.account_id is None and row not in same):
            row.move_out = max(move_in, row.move_in)
            await row.save(using_db=connection, update_fields=["move_out"])
    return move_in, min(same, key=lambda row: (row.move_in, row.id), default=None)


def _held_on(row: Occupancy, day: date) -> bool:
    """Whether an occupancy had not ended by that day."""
    return row.move_out is None or row.move_out > day


async def _period_to_leave(
    viewer: Viewer, dwelling_id: int, *, now: datetime
) -> tuple[OccupancyPeriod, date]:
    """The occupancy or ownership that the viewer can end at a dwelling, and today's date there.

    Raises:
        NotFound: there is none, or it has ended.
    """
    mine = [*await occupancy_periods(viewer), *await ownerships(viewer)]
    found = [period for period in mine if period.dwelling_id == dwelling_id]
    if found:
        today = await today_at(dwelling_id, now=now)
        for period in found:
            if not period.over_on(today):
                return period, today
    raise NotFound("No such dwelling.", field="id")


async def holds_a_dwelling(
    account_id: int, *, proven: bool = False, now: datetime, connection: BaseDBAsyncClient | None = None
) -> bool:
    """Whether an account has its one dwelling, or awaits a manager's decision on one (R-139).

    Everything is looked up, whatever the first finds: the time taken discloses nothing (C-13). `proven`:
    the person has proved the dwelling by a serial, and no longer awaits a decision on a guess.
    """
    mine = Occupancy.filter(account_id=account_id).using_db(connection)
    rows = await mine.select_related("dwelling__residence")
    waits_for = DwellingRequest.filter(account_id=account_id, state=DwellingRequestState.OPEN)
    if proven:
        waits_for = waits_for.exclude(kind=DwellingRequestKind.REVIEW)
    waits = await waits_for.using_db(connection).exists()
    known = await with_periods(rows, connection=connection)
    return waits or any(_goes_on(row, period, now) for row, period in known)


def _goes_on(row: Occupancy, period: OccupancyPeriod, now: datetime) -> bool:
    """Whether an occupancy, its residence loaded, has not ended; that of an owner elsewhere has no
    successor.
    """
    today = civil_day(now, row.dwelling.residence.time_zone)
    if row.kind is OccupancyKind.OWNER_NON_OCCUPANT:
        return _held_on(row, today)
    return not period.over_on(today)


def _access(profile: OperatorProfile | None) -> timedelta:
    return profile.predecessor_access if profile is not None else PREDECESSOR_ACCESS

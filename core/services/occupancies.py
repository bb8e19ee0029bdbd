"""Who holds a dwelling: begins and ends occupancies, and says whether a dwelling has its account already.

In: the dwelling, the account, civil days of the residence. Out: rows. The one rule: a dwelling has one
occupant with an account at a time (R-140), an owner who lives elsewhere takes no place (C-01), and a stay
never begins before the known end of the one before (C-14).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.errors import InvalidInput, NotFound
from core.metering import Registry
from core.models import (
    CaseState,
    ConsentAuthor,
    ConsentPurpose,
    ConsentRecord,
    ConsentState,
    Dwelling,
    DwellingCase,
    Occupancy,
    OccupancyKind,
)
from core.operators import OperatorProfile
from core.registration.draft import CouncilMember
from core.services.audit import Subject, record
from core.services.meter_book import lock_dwellings
from core.services.scope import occupants, stay_at
from core.services.transaction import transactional

NOTICE_FOR = timedelta(days=92)
"""How far ahead a departure may be told."""

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
    return now.astimezone(ZoneInfo(dwelling.residence.time_zone)).date()


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
    others = occupants().filter(dwelling_id=dwelling_id, account__disabled_at=None).using_db(connection)
    rows = await others.exclude(account_id=None)
    return any(
        row.account_id != account_id and (row.move_out is None or row.move_out > today) for row in rows
    )


async def admit(
    connection: TransactionalDBClient,
    claim: Claim,
    *,
    consent_version: str,
    visitor: Visitor,
    now: datetime,
) -> int:
    """Begin an occupancy, with the consent that was answered for it; answers its number.

    Somebody who is described as living there and has no account is the same person where the days fit; where
    the declared day is later, that stay ends on it.
    """
    living = claim.kind is not OccupancyKind.OWNER_NON_OCCUPANT
    move_in, occupancy = claim.move_in, None
    if living:
        rows = await occupants().filter(dwelling_id=claim.dwelling_id).using_db(connection)
        move_in = max([move_in, *(row.move_out for row in rows if row.move_out is not None)])
        for row in rows:
            if row.account_id is None and row.move_out is None and row.move_in >= move_in:
                occupancy = row
            elif row.account_id is None and row.move_out is None:
                row.move_out = move_in
                await row.save(using_db=connection)
    if occupancy is None:
        occupancy = Occupancy(dwelling_id=claim.dwelling_id, move_in=move_in)
    occupancy.account_id, occupancy.kind = claim.account_id, claim.kind
    occupancy.update_from_dict({"attested_at": claim.attested_at, "council_member": claim.council_member})
    await occupancy.save(using_db=connection)
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
        now=now,
        visitor=visitor,
        connection=connection,
        account=claim.account_id,
    )
    return occupancy_id


@transactional
async def leave_dwelling(
    connection: TransactionalDBClient,
    registry: Registry,
    viewer: Viewer,
    dwelling_id: int,
    *,
    last_day: date,
    visitor: Visitor,
    now: datetime,
) -> None:
    """The viewer moves out: the dwelling and the e-mail address are free from the day after on (C-12).

    Raises:
        NotFound: no such dwelling, or the viewer does not live there.
        InvalidInput: a day before the stay began, or too far ahead.
    """
    viewer.require(Permission.DWELLINGS_LEAVE)
    stay = await stay_at(viewer, dwelling_id)
    today = await today_at(dwelling_id, now=now)
    if stay.over_on(today):
        raise NotFound("No such dwelling.", field="id")
    if last_day < stay.first_day:
        raise InvalidInput("The stay began later.", field="lastDay")
    if last_day > today + NOTICE_FOR:
        raise InvalidInput(f"A departure is told at most {NOTICE_FOR.days} days ahead.", field="lastDay")
    await lock_dwellings(connection, [dwelling_id])
    rows = Occupancy.filter(dwelling_id=dwelling_id, account_id=viewer.account_id).using_db(connection)
    for row in await rows:
        if row.move_out is None or row.move_out > last_day:
            await end(connection, row, registry, last_day=last_day)
    await record(
        Act.OCCUPANCY_ENDED,
        Subject("dwelling", dwelling_id),
        now=now,
        visitor=visitor,
        viewer=viewer,
        connection=connection,
    )


async def end(
    connection: TransactionalDBClient, occupancy: Occupancy, registry: Registry, *, last_day: date
) -> None:
    """End an occupancy after a day; its holder sees the own period for the operator's time (CN-10)."""
    move_out = max(last_day + timedelta(days=1), occupancy.move_in)
    dwelling = await Dwelling.get(id=occupancy.dwelling_id, using_db=connection).select_related(
        "residence__operator"
    )
    profile = registry.profile(dwelling.residence.operator.code)
    occupancy.move_out = move_out
    occupancy.access_until = move_out + _access(profile)
    await occupancy.save(using_db=connection)


async def holds_a_dwelling(
    account_id: int, *, now: datetime, connection: BaseDBAsyncClient | None = None
) -> bool:
    """Whether an account has its one dwelling, or waits for a manager to give it one (R-139).

    Both are looked up, whatever the first says: a stranger is not told by the work (C-13).
    """
    stays = await Occupancy.filter(account_id=account_id).using_db(connection)
    waiting = DwellingCase.filter(account_id=account_id, state=CaseState.OPEN).using_db(connection)
    waits = await waiting.exists()
    return waits or any(row.move_out is None or row.move_out > now.date() for row in stays)


def _access(profile: OperatorProfile | None) -> timedelta:
    return profile.predecessor_access if profile is not None else PREDECESSOR_ACCESS

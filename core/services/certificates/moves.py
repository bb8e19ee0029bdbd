"""After a move: an index certificate for each of its sides, and an e-mail to whoever has an account.

In: the moment. Out: how many papers were made. The one rule: a copy is made once for each side of each move
(`move_key` is unique), once the day is over and every meter has been read since, or three days later without;
so a job that was killed, or runs twice, makes what is missing and nothing twice. Each side sees the indexes
at the move, which belong to both, and of the other neither a name nor what was used.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q

from core.access.acts import NOBODY, Act
from core.bootstrap import Application
from core.consumption import day_start
from core.consumption.periods import civil_day
from core.errors import SignatureUnavailable
from core.language import Language
from core.models import Account, Dwelling, IssuedPaper, IssuedPaperKind, Meter, Occupancy, PaperSide
from core.services.auth.issued_papers import PaperSubject, keep_paper
from core.services.certificates.index_certificates import MadePaper, in_service_on, made_certificate
from core.services.certificates.signatures import identity_of
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.places.managed_residences import place_of
from core.services.shared.audit import Subject, record
from core.services.shared.scope import OccupancyPeriod, occupants, with_periods
from core.services.shared.time_series import last_readings
from core.services.shared.transaction import current_database, transactional

LOOK_BACK: Final = timedelta(days=31)
"""A move that is entered later than this is certified when somebody asks."""

WAIT: Final = timedelta(days=3)
"""For the meters to send a reading from after the move."""

MOST_AT_ONCE: Final = 300
"""Papers of one run: a tenth of a second each; the next run goes on."""

DWELLINGS_AT_ONCE: Final = 500
"""Looked at together; a statement has a limited number of parameters."""

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Copy:
    """One side of a move: whose copy, and the day whose end it is of."""

    occupancy: Occupancy
    side: PaperSide
    day: date

    @property
    def key(self) -> str:
        return f"{self.occupancy.id}:{self.side}:{self.day.isoformat()}"


async def certify_moves(application: Application, *, now: datetime) -> int:
    """Make the copies that are due."""
    made = 0
    can_sign: dict[str, bool] = {}
    numbers = await _dwellings_of_moves(now)
    for first in range(0, len(numbers), DWELLINGS_AT_ONCE):
        for dwelling, copies in await _due(numbers[first : first + DWELLINGS_AT_ONCE], now):
            operator = dwelling.residence.operator.code
            if operator not in can_sign:
                can_sign[operator] = await _can_sign(application, operator, now)
            for copy in copies if can_sign[operator] else ():
                if made >= MOST_AT_ONCE:
                    return made
                made += await _certify(application, dwelling, copy, now)
    return made


async def _can_sign(application: Application, operator_code: str, now: datetime) -> bool:
    """Asked once a run, so that the log says it once."""
    try:
        await identity_of(application, operator_code, now=now)
    except SignatureUnavailable:
        return False
    return True


async def _dwellings_of_moves(now: datetime) -> list[int]:
    # A day is over at another moment in each time zone: the bounds are wide, and `_copies_of` looks exactly.
    since, until = now.date() - LOOK_BACK - _ONE_DAY, now.date() + _ONE_DAY
    near = occupants().filter(
        Q(move_in__gte=since, move_in__lte=until) | Q(move_out__gte=since, move_out__lte=until)
    )
    return sorted(row["dwelling_id"] for row in await near.distinct().values("dwelling_id"))


async def _due(numbers: Sequence[int], now: datetime) -> list[tuple[Dwelling, list[Copy]]]:
    """The copies that are still to be made at these dwellings."""
    known = await with_periods(await occupants().filter(dwelling_id__in=numbers))
    at: dict[int, list[tuple[Occupancy, OccupancyPeriod]]] = defaultdict(list)
    for row, period in known:
        at[row.dwelling_id].append((row, period))
    dwellings = await Dwelling.filter(id__in=numbers).select_related("residence__operator").order_by("id")
    found = {one.id: _copies_of(at[one.id], one.residence.time_zone, now) for one in dwellings}
    keys = [copy.key for copies in found.values() for copy in copies]
    done = {row["move_key"] for row in await IssuedPaper.filter(move_key__in=keys).values("move_key")}
    meters: dict[int, list[Meter]] = defaultdict(list)
    for meter in await Meter.filter(dwelling_id__in=numbers):
        meters[meter.dwelling_id].append(meter)
    last = await last_readings(current_database(), [one.id for group in meters.values() for one in group])
    last_s = {number: row.read_at_s for number, row in last.items()}
    due = []
    for dwelling in dwellings:
        zone = ZoneInfo(dwelling.residence.time_zone)
        copies = [
            copy
            for copy in found[dwelling.id]
            if copy.key not in done and _is_ready(copy.day, meters[dwelling.id], last_s, zone, now)
        ]
        if copies:
            due.append((dwelling, copies))
    return due


def _copies_of(
    known: Sequence[tuple[Occupancy, OccupancyPeriod]], time_zone: str, now: datetime
) -> list[Copy]:
    """Both sides of each recent move; a lease renewed, or a tenant become owner, is none."""
    today = civil_day(now, time_zone)
    held = [(row, one) for row, one in known if one.last_day is None or one.first_day <= one.last_day]
    arrivals = {(row.account_id, one.first_day) for row, one in held if row.account_id is not None}
    departures = {
        (row.account_id, one.last_day + _ONE_DAY) for row, one in held if row.account_id and one.last_day
    }
    copies = []
    for row, period in held:
        if period.last_day is not None and (row.account_id, period.last_day + _ONE_DAY) not in arrivals:
            copies.append(Copy(row, PaperSide.OUTGOING, period.last_day))
        if (row.account_id, period.first_day) not in departures:
            copies.append(Copy(row, PaperSide.INCOMING, period.first_day - _ONE_DAY))
    return [copy for copy in copies if today - LOOK_BACK <= copy.day < today]


def _is_ready(
    day: date, meters: Sequence[Meter], last_s: Mapping[int, int], zone: ZoneInfo, now: datetime
) -> bool:
    """Whether every meter was read after the day, so that nothing of it is missing but what is late."""
    in_service = [meter for meter in meters if in_service_on(meter, day, zone)]
    if not in_service:
        return False
    end_s = day_start(day + _ONE_DAY, zone)
    if now.timestamp() >= end_s + WAIT.total_seconds():
        return True
    return all(last_s.get(meter.id, 0) >= end_s or meter.removed_at is not None for meter in in_service)


async def _certify(application: Application, dwelling: Dwelling, copy: Copy, now: datetime) -> int:
    account = None
    if copy.occupancy.account_id is not None:
        account = await Account.get_or_none(id=copy.occupancy.account_id, disabled_at=None)
    language = Language(account.language) if account else Language.FR
    made = await made_certificate(
        application, dwelling, copy.day, since=None, language=language, copy_of=copy.side.value, now=now
    )
    try:
        await _store(application, dwelling, copy, account, made, now=now)
    except IntegrityError:  # another process has made it meanwhile
        return 0
    return 1


@transactional
async def _store(
    connection: TransactionalDBClient,
    application: Application,
    dwelling: Dwelling,
    copy: Copy,
    account: Account | None,
    made: MadePaper,
    *,
    now: datetime,
) -> None:
    subject = PaperSubject(
        IssuedPaperKind.INDEX_CERTIFICATE,
        dwelling.id,
        copy.day,
        copy.day,
        occupancy_id=copy.occupancy.id,
        side=copy.side,
        move_key=copy.key,
    )
    await keep_paper(subject, made.mark, made.file, now=now, connection=connection)
    facts = {"kind": subject.kind.value, "day": copy.day.isoformat(), "side": copy.side.value}
    await record(Act.PAPER_ISSUED, Subject("dwelling", dwelling.id), None, NOBODY, now, connection, **facts)
    if account is None:
        return
    operator = dwelling.residence.operator
    profile = application.registry.profile(operator.code)
    message = AccountMessage.to(
        account,
        "index_certificate",
        key=f"index_certificate:{copy.key}",
        values={
            "portal": profile.portal_name if profile else operator.name,
            "place": f"{dwelling.residence.name}, {place_of(dwelling)}",
            "day": copy.day.isoformat(),
            "code": made.mark.text,
            "verify": made.mark.address,
            "operator": operator.name,
            "link": application.portal_link(operator.code),
        },
    )
    await queue_account_message(connection, application.settings, message, now=now)

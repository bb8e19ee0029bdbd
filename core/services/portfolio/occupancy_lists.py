"""The occupancies of an operator's lists, compared with those that are stored.

In: lines of occupancies with their dwellings. Out: faults, and moves. Two rules hold here. A dwelling has one
occupant at a time (R-140); an owner who lives elsewhere does not count (C-01). An occupancy is known by its
dwelling, its first day and whether it is such an owner's; what a line leaves empty remains as it is stored,
and who holds an occupancy keeps it: another person's is another one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import Role, Viewer
from core.access.emails import email_key
from core.bootstrap import Application
from core.models import Account, Dwelling, Occupancy, OccupancyKind
from core.services.portfolio.moves import Move, store_moves
from core.services.portfolio.portfolio_lists import DwellingPlace, Fault, ListedOccupancy, Place, line_of
from core.services.portfolio.residence_lists import Residences
from core.services.portfolio.suggestions import did_you_mean
from core.services.portfolio.validation import day_fault
from core.services.shared.many_rows import slices

_EARLIEST: Final = date(1900, 1, 1)
_DAYS: Final = ("move_in", "move_out")
_OWNER: Final = OccupancyKind.OWNER_NON_OCCUPANT

_Known = tuple[int, date, bool]
"""Dwelling, first day, and whether it is an owner's who lives elsewhere."""


@dataclass(frozen=True, slots=True)
class _Period:
    """An occupancy that counts; `move_out` is the first day that is no longer held.

    `line`: what describes it, None where it is as it is stored.
    """

    move_in: date
    move_out: date | None
    line: ListedOccupancy | None

    def overlaps(self, other: "_Period") -> bool:
        first, second = sorted((self, other), key=lambda period: period.move_in)
        return first.move_out is None or first.move_out > second.move_in


@dataclass(slots=True)
class ListedPeriods:
    """The occupancies of the lists' dwellings."""

    moves: list[Move] = field(default_factory=list)
    _accounts: dict[str, Account] = field(default_factory=dict)
    _stored: dict[_Known, Occupancy] = field(default_factory=dict)
    _periods: dict[DwellingPlace, list[_Period]] = field(default_factory=dict)
    _listed: dict[tuple[DwellingPlace, date, bool], Place] = field(default_factory=dict)

    async def check(
        self,
        connection: BaseDBAsyncClient,
        lines: Sequence[ListedOccupancy],
        homes: Mapping[DwellingPlace, Dwelling | None],
        residences: Residences,
        *,
        unread: Collection[tuple[Place, str]],
        now: datetime,
    ) -> list[Fault]:
        """Take the lines; what is wrong with them.

        Dwellings that are not known, and cells that are `unread`, are reported elsewhere.
        """
        faults: list[Fault] = []
        dwellings = {home: row for home, row in homes.items() if row is not None}
        by_id = {row.id: home for home, row in dwellings.items() if row.id is not None}
        self._stored = await _stored(connection, by_id)
        self._accounts = await _accounts(connection, {line.email for line in lines if line.email})
        for line in lines:
            days = list(_day_faults(line, now.date()))
            barred = list(_account_faults(line, self._accounts, residences))
            faults += [*days, *barred]
            known, dwelling = residences.get(line.home), dwellings.get(line.home)
            if (
                known is not None
                and dwelling is not None
                and not days
                and (line.at, "move_out") not in unread
            ):
                faults += self._take(replace(line, email=None) if barred else line, dwelling, known[1])
        for (dwelling_id, move_in, is_owner), row in self._stored.items():
            home = by_id[dwelling_id]
            if home in self._periods and not is_owner and row.move_out != move_in:  # not called off
                self._periods[home].append(_Period(move_in, row.move_out, None))
        for own in self._periods.values():
            faults += _overlaps(own)
        return faults

    def _take(self, line: ListedOccupancy, dwelling: Dwelling, zone: ZoneInfo) -> Iterable[Fault]:
        """Take a line whose days can be meant."""
        if line.move_in is None or line.kind is None:
            return
        is_owner = line.kind is _OWNER
        first = self._listed.setdefault((line.home, line.move_in, is_owner), line.at)
        if first != line.at:
            reason = f"the same dwelling and day as in {line_of(first, line.at)}"
            yield Fault(line.at, "move_in", line.move_in.isoformat(), reason)
            return
        account = self._accounts.get(email_key(line.email)) if line.email else None
        row = self._stored.pop((dwelling.id, line.move_in, is_owner), None) if dwelling.id else None
        if row is not None and account is not None and row.account_id not in {None, account.id}:
            reason = "another account holds the occupancy of this day: another person's is one of its own"
            yield Fault(line.at, "email", line.email or "", reason)
        is_changed = row is None or row.kind is not line.kind
        move = _move(line, dwelling, row, account, zone)
        move.row.kind = line.kind
        if is_changed or move.begins or move.ends:
            self.moves.append(move)
            is_changed = True
        if not is_owner:
            period = _Period(line.move_in, move.row.move_out, line if is_changed else None)
            self._periods.setdefault(line.home, []).append(period)

    async def store(
        self, connection: TransactionalDBClient, application: Application, viewer: Viewer, *, now: datetime
    ) -> None:
        """Write what the lines change; their dwellings are stored."""
        await store_moves(connection, application, viewer, self.moves, now=now)


def _move(
    line: ListedOccupancy, dwelling: Dwelling, row: Occupancy | None, account: Account | None, zone: ZoneInfo
) -> Move:
    """What a line makes of an occupancy: what it leaves empty remains."""
    begins = row is None or (account is not None and row.account_id is None)
    ends = line.move_out is not None and (row is None or row.move_out != line.move_out)
    row = row or Occupancy(move_in=line.move_in)
    if account is not None and row.account_id is None:
        row.account_id = account.id
    if ends:
        row.move_out = line.move_out
    return Move(line.home.operator, zone, dwelling, row, begins, ends)


async def _stored(connection: BaseDBAsyncClient, dwelling_ids: Iterable[int]) -> dict[_Known, Occupancy]:
    """Of two that begin on one day, as where one was called off, that which holds a day, or the newest."""
    found: dict[_Known, Occupancy] = {}
    for some in slices(sorted(dwelling_ids)):
        rows = await Occupancy.filter(dwelling_id__in=some).using_db(connection)
        for row in sorted(rows, key=lambda row: (row.move_out != row.move_in, row.id)):
            found[row.dwelling_id, row.move_in, row.kind is _OWNER] = row
    return found


async def _accounts(connection: BaseDBAsyncClient, emails: Iterable[str]) -> dict[str, Account]:
    found: dict[str, Account] = {}
    for some in slices(sorted({email_key(email) for email in emails})):
        for row in await Account.filter(email_key__in=some).using_db(connection):
            found[row.email_key] = row
    return found


def _day_faults(line: ListedOccupancy, today: date) -> Iterable[Fault]:
    unlikely = False
    for name, day in (("move_in", line.move_in), ("move_out", line.move_out)):
        reason = day_fault(day, earliest=_EARLIEST, today=today) if day is not None else None
        if day is not None and reason:
            unlikely = True
            yield Fault(line.at, name, day.isoformat(), reason)
    if unlikely or line.move_in is None or line.move_out is None:
        return
    if line.move_out <= line.move_in:
        reason = f"is not after the move-in, {line.move_in.isoformat()} (it is the first day no longer held)"
        yield Fault(line.at, "move_out", line.move_out.isoformat(), reason)


def _account_faults(
    line: ListedOccupancy, accounts: Mapping[str, Account], residences: Residences
) -> Iterable[Fault]:
    if not line.email:
        return
    account = accounts.get(email_key(line.email))
    if account is None:
        near = did_you_mean(line.email, (one.email for one in accounts.values()))
        yield Fault(line.at, "email", line.email, f"there is no account with this e-mail{near}")
    elif account.role is not Role.RESIDENT:
        yield Fault(line.at, "email", line.email, "the account with this e-mail is no resident's")
    elif residences.get(line.home) is not None and account.operator_id != residences.operator_id(line.home):
        yield Fault(line.at, "email", line.email, "the account with this e-mail is another operator's")


def _overlaps(periods: Sequence[_Period]) -> Iterable[Fault]:
    """Periods that begin before the one before has ended; reported at a listed one."""
    in_order = sorted(periods, key=lambda period: period.move_in)
    for number, period in enumerate(in_order[1:], start=1):
        before = in_order[number - 1]
        if not before.overlaps(period):
            continue
        known = "stored" if before.line is None else f"line {before.line.at.line}"
        until = (
            "is still going on" if before.move_out is None else f"lasts until {before.move_out.isoformat()}"
        )
        if period.line is not None:
            reason = f"the occupancy before, from {before.move_in.isoformat()} ({known}), {until}"
            yield Fault(period.line.at, "move_in", period.move_in.isoformat(), reason)
        elif before.line is not None:
            reason = f"a stored occupancy begins on {period.move_in.isoformat()}"
            shown = before.move_out.isoformat() if before.move_out else ""
            yield Fault(before.line.at, "move_out", shown, reason)

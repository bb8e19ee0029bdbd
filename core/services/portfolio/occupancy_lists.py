"""The occupancies of an operator's lists, compared with those that are stored.

In: lines of occupancies with their dwellings. Out: faults, and rows. The one rule: a dwelling has one
occupant at a time (R-140); an owner who lives elsewhere does not count (C-01). An occupancy is known by its
dwelling, its first day and whether it is such an owner's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import Role
from core.access.emails import email_key
from core.models import Account, Dwelling, Occupancy, OccupancyKind
from core.services.portfolio.portfolio_lists import DwellingPlace, Fault, ListedOccupancy
from core.services.portfolio.suggestions import did_you_mean
from core.services.shared.many_rows import insert_rows, slices, update_rows

_GIVEN: Final = ("account_id", "kind", "move_out")
_EARLIEST: Final = date(1900, 1, 1)
_OWNER: Final = OccupancyKind.OWNER_NON_OCCUPANT

_Known = tuple[int, date, bool]
"""Dwelling, first day, and whether it is an owner's who lives elsewhere."""


@dataclass(frozen=True, slots=True)
class _Period:
    """An occupancy that counts, stored or listed; `move_out` is the first day that is no longer held."""

    move_in: date
    move_out: date | None
    line: ListedOccupancy | None

    def overlaps(self, other: "_Period") -> bool:
        first, second = sorted((self, other), key=lambda period: period.move_in)
        return first.move_out is None or first.move_out > second.move_in


@dataclass(slots=True)
class ListedPeriods:
    """The occupancies of the lists' dwellings."""

    _rows: list[tuple[ListedOccupancy, Dwelling, Occupancy, bool]] = field(default_factory=list)

    async def check(
        self,
        connection: BaseDBAsyncClient,
        lines: Sequence[ListedOccupancy],
        homes: Mapping[DwellingPlace, Dwelling | None],
    ) -> list[Fault]:
        """Take the lines; what is wrong with them. Dwellings that are not known are reported elsewhere."""
        faults: list[Fault] = []
        dwellings = {home: row for home, row in homes.items() if row is not None}
        stored = await _stored(connection, {row.id for row in dwellings.values() if row.id is not None})
        accounts = await _accounts(connection, {line.email for line in lines if line.email})
        periods: dict[DwellingPlace, list[_Period]] = {}
        listed: dict[tuple[DwellingPlace, date, bool], int] = {}
        for line in lines:
            dwelling = dwellings.get(line.home)
            found = list(_faults(line, accounts))
            faults += found
            if found or dwelling is None or line.move_in is None or line.kind is None:
                continue
            key = (line.home, line.move_in, line.kind is _OWNER)
            first = listed.setdefault(key, line.at.line)
            if first != line.at.line:
                reason = f"the same dwelling and day as in line {first}"
                faults.append(Fault(line.at, "move_in", line.move_in.isoformat(), reason))
                continue
            row = stored.pop((dwelling.id, line.move_in, line.kind is _OWNER), None) if dwelling.id else None
            account = accounts.get(email_key(line.email)) if line.email else None
            values = {
                "account_id": account.id if account else None,
                "kind": line.kind,
                "move_out": line.move_out,
            }
            changed = row is None or any(getattr(row, name) != value for name, value in values.items())
            row = row or Occupancy(move_in=line.move_in)
            for name, value in values.items():
                setattr(row, name, value)
            self._rows.append((line, dwelling, row, changed))
            if line.kind is not _OWNER:
                periods.setdefault(line.home, []).append(_Period(line.move_in, line.move_out, line))
        by_id = {row.id: home for home, row in dwellings.items() if row.id is not None}
        for (dwelling_id, move_in, is_owner), row in stored.items():
            home = by_id[dwelling_id]
            if home in periods and not is_owner:
                periods[home].append(_Period(move_in, row.move_out, None))
        for own in periods.values():
            faults += _overlaps(own)
        return faults

    async def store(self, connection: TransactionalDBClient) -> None:
        """Write what the lines change; their dwellings are stored."""
        changed = [(dwelling, row) for _, dwelling, row, is_changed in self._rows if is_changed]
        for dwelling, row in changed:
            row.dwelling_id = dwelling.id
        await update_rows(connection, [row for _, row in changed if row.id is not None], _GIVEN)
        await insert_rows(connection, [row for _, row in changed if row.id is None])


async def _stored(connection: BaseDBAsyncClient, dwelling_ids: Iterable[int]) -> dict[_Known, Occupancy]:
    found: dict[_Known, Occupancy] = {}
    for some in slices(sorted(dwelling_ids)):
        for row in await Occupancy.filter(dwelling_id__in=some).using_db(connection):
            found[row.dwelling_id, row.move_in, row.kind is _OWNER] = row
    return found


async def _accounts(connection: BaseDBAsyncClient, emails: Iterable[str]) -> dict[str, Account]:
    found: dict[str, Account] = {}
    for some in slices(sorted({email_key(email) for email in emails})):
        for row in await Account.filter(email_key__in=some).using_db(connection):
            found[row.email_key] = row
    return found


def _faults(line: ListedOccupancy, accounts: Mapping[str, Account]) -> Iterable[Fault]:
    for name, day in (("move_in", line.move_in), ("move_out", line.move_out)):
        if day is not None and day < _EARLIEST:
            yield Fault(line.at, name, day.isoformat(), "lies before 1900")
    if line.move_in is not None and line.move_out is not None and line.move_out <= line.move_in:
        reason = f"is not after the move-in, {line.move_in.isoformat()} (it is the first day no longer held)"
        yield Fault(line.at, "move_out", line.move_out.isoformat(), reason)
    if not line.email:
        return
    account = accounts.get(email_key(line.email))
    if account is None:
        near = did_you_mean(line.email, (one.email for one in accounts.values()))
        yield Fault(line.at, "email", line.email, f"there is no account with this e-mail{near}")
    elif account.role is not Role.RESIDENT:
        yield Fault(line.at, "email", line.email, "the account with this e-mail is no resident's")


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

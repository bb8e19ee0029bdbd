"""The accounts of an operator as its staff list them, and which homes and residences each reaches.

In: the viewer, filters, and a place in the list. Out: a page of accounts by one statement; what accounts
reach, by another, for all of a page. The one rule: each account that a member of the staff is shown is
recorded, since it is a person's (CN-13); the command line, which is the operator's own, is not.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.access import Permission, Role, Viewer, Visitor
from core.consumption.periods import civil_day
from core.models import OccupancyKind
from core.services.shared.audit import Detail, Subject, record_shown
from core.services.shared.columns import day_or_none, moment, moment_or_none, select_by
from core.services.shared.operator_scope import OperatorRows, operator_in_charge
from core.services.shared.paging import Page
from core.services.shared.transaction import current_database


@dataclass(frozen=True, slots=True)
class AccountsAsked:
    """A page of an operator's accounts; a filter that is None does not narrow.

    Attributes:
        first: how many at most.
        after: the number of the last account of the page before.
        only_id: one account.
        operator: the code of one operator.
        role: one role.
        residence: the site code of a residence that they reach; `residence_id`: its number.
        search: part of a first or last name or of the e-mail address.
        counted: whether all accounts of the list are counted.
    """

    first: int
    after: int | None = None
    only_id: int | None = None
    operator: str | None = None
    role: Role | None = None
    residence: str | None = None
    residence_id: int | None = None
    search: str | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class AccountInList:
    """An account of a list. `invited`: its temporary password was not changed yet."""

    id: int
    operator: str
    role: Role
    email: str
    first_name: str
    last_name: str
    created_at: datetime
    disabled_at: datetime | None
    invited: bool
    second_factor: bool


@dataclass(frozen=True, slots=True)
class ReachedHome:
    """A dwelling that a resident's account sees, or owns without living there."""

    dwelling_id: int
    operator: str
    residence: str
    place: str
    kind: OccupancyKind


@dataclass(frozen=True, slots=True)
class ReachedResidence:
    """A residence that a manager's account manages."""

    residence_id: int
    operator: str
    code: str


@dataclass(frozen=True, slots=True)
class Reach:
    """What an account reaches: a resident homes, a manager residences, all others none of either."""

    homes: Sequence[ReachedHome] = ()
    residences: Sequence[ReachedResidence] = ()


_TABLES = "account a JOIN operator p ON p.id = a.operator_id"
_COLUMNS = (
    "a.id, p.code AS operator, a.role, a.email, a.first_name, a.last_name, a.created_at, a.disabled_at,"
    " a.temporary_password_until, a.second_factor_since"
)
_OF_RESIDENCE = (
    "(a.role = 'RESIDENT' AND EXISTS (SELECT 1 FROM occupancy o JOIN dwelling d ON d.id = o.dwelling_id"
    " JOIN residence r ON r.id = d.residence_id WHERE o.account_id = a.id AND {0})) OR (a.role = 'MANAGER'"
    " AND EXISTS (SELECT 1 FROM managed_residence g JOIN residence r ON r.id = g.residence_id"
    " WHERE g.account_id = a.id AND {0}))"
)
_NOT_NARROWED = "(k.operator_id IS NULL OR (a.operator_id = k.operator_id AND r.operator_id = k.operator_id))"


async def list_accounts(
    viewer: Viewer, asked: AccountsAsked, *, visitor: Visitor, now: datetime
) -> Page[AccountInList]:
    """A page of the operator's accounts, by e-mail address; the look is recorded."""
    viewer.require(Permission.ACCOUNTS_READ)
    rows = OperatorRows(
        current_database(), viewer, tables=_TABLES, own="a.operator_id = {0}", code=asked.operator
    )
    if asked.only_id is not None:
        rows.where("a.id = {}", asked.only_id)
    if asked.role is not None:
        rows.where("a.role = {}", asked.role.value)
    for column, value in (("r.id", asked.residence_id), ("r.code", asked.residence)):
        if value is not None:
            place = rows.value(value)
            own = "" if rows.operator is None else f" AND r.operator_id = {rows.operator}"
            rows.where(_OF_RESIDENCE.format(f"{column} = {place}{own}"))
    rows.search(
        asked.search, ("a.first_name", "a.last_name", "a.first_name || ' ' || a.last_name", "a.email")
    )
    found = await rows.page(
        _COLUMNS,
        key="a.id",
        order=("a.email_key", "a.id"),
        first=asked.first,
        after=asked.after,
        counted=asked.counted,
    )
    listed = [_account(row) for row in found.rows]
    await _record_look(viewer, listed, visitor=visitor, now=now)
    return Page(listed, has_next=found.has_next, total=found.total)


async def reach_of(viewer: Viewer, account_ids: Collection[int], *, now: datetime) -> Mapping[int, Reach]:
    """What accounts of the viewer's operator reach of its residences, by their numbers; one statement."""
    viewer.require(Permission.ACCOUNTS_READ)
    operator_id = operator_in_charge(viewer)
    rows = await select_by(
        current_database(),
        {"operator_id": "bigint", "account_id": "bigint"},
        "SELECT * FROM (SELECT a.id AS account_id, r.id AS residence_id, p.code AS operator, r.code,"  # noqa: S608 - our own words
        " r.time_zone, d.id AS dwelling_id, d.building, d.staircase, d.floor, d.number, o.kind, o.move_in,"
        " o.access_until FROM k JOIN account a ON a.id = k.account_id AND a.role = 'RESIDENT'"
        " JOIN occupancy o ON o.account_id = a.id JOIN dwelling d ON d.id = o.dwelling_id"
        " JOIN residence r ON r.id = d.residence_id JOIN operator p ON p.id = r.operator_id"
        f" WHERE {_NOT_NARROWED} UNION ALL"
        " SELECT a.id, r.id, p.code, r.code, r.time_zone, NULL, NULL, NULL, NULL, NULL, NULL,"
        " CAST(NULL AS DATE), CAST(NULL AS DATE) FROM k"
        " JOIN account a ON a.id = k.account_id AND a.role = 'MANAGER'"
        " JOIN managed_residence g ON g.account_id = a.id JOIN residence r ON r.id = g.residence_id"
        f" JOIN operator p ON p.id = r.operator_id WHERE {_NOT_NARROWED}) q"
        " ORDER BY q.account_id, q.move_in DESC, q.operator, q.code, q.dwelling_id",
        [(operator_id, number) for number in account_ids],
    )
    homes: dict[int, dict[int, ReachedHome]] = {}
    residences: dict[int, list[ReachedResidence]] = {}
    for row in rows:
        if row["dwelling_id"] is None:
            residences.setdefault(row["account_id"], []).append(
                ReachedResidence(row["residence_id"], row["operator"], row["code"])
            )
        elif _still_seen(row, now):
            homes.setdefault(row["account_id"], {}).setdefault(row["dwelling_id"], _home(row))
    return {
        number: Reach(list(homes.get(number, {}).values()), residences.get(number, []))
        for number in account_ids
    }


def _still_seen(row: dict[str, Any], now: datetime) -> bool:
    until = day_or_none(row["access_until"])
    return until is None or civil_day(now, row["time_zone"]) < until


def _home(row: dict[str, Any]) -> ReachedHome:
    parts = (row["building"], row["staircase"], row["floor"], row["number"])
    return ReachedHome(
        row["dwelling_id"],
        row["operator"],
        row["code"],
        " · ".join(part for part in parts if part),
        OccupancyKind(row["kind"]),
    )


def _account(row: dict[str, Any]) -> AccountInList:
    return AccountInList(
        id=row["id"],
        operator=row["operator"],
        role=Role(row["role"]),
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        created_at=moment(row["created_at"]),
        disabled_at=moment_or_none(row["disabled_at"]),
        invited=row["temporary_password_until"] is not None,
        second_factor=row["second_factor_since"] is not None,
    )


async def _record_look(
    viewer: Viewer, listed: Sequence[AccountInList], *, visitor: Visitor, now: datetime
) -> None:
    """Record whose accounts a member of the staff was shown, all at once; their own is no other's."""
    if viewer.role is not Role.STAFF:
        return
    seen: list[tuple[Subject, Mapping[str, Detail]]] = [
        (Subject("account", one.id), {"account": True}) for one in listed if one.id != viewer.account_id
    ]
    if seen:
        await record_shown(seen, viewer, visitor=visitor, now=now)

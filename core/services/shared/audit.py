"""Records every security-relevant act: who did what, to what, when, and from which address.

In: the act and its parties. Out: a row, in the transaction of the act where there is one. The one rule:
rows are only added, and hold numbers, names of things and states: no password, code, token, key, serial,
e-mail address or phone number. The table itself refuses to change a row (the initial migration).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.models import AuditRecord
from core.services.shared.many_rows import insert_rows
from core.services.shared.transaction import transactional

Detail: TypeAlias = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Subject:
    """The object of an act: `Subject("account", 12)`; without a number, an unknown one."""

    kind: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A record as it is listed."""

    at: datetime
    act: Act
    role: str | None
    actor_id: int | None
    subject: Subject
    address: str | None
    details: Mapping[str, Detail]


async def record(
    act: Act,
    subject: Subject,
    viewer: Viewer | None,
    visitor: Visitor,
    now: datetime,
    connection: BaseDBAsyncClient | None = None,
    **details: Detail,
) -> None:
    """Add a record.

    Args:
        act: what happened.
        subject: to what.
        viewer: who; None for somebody who has not signed in.
        visitor: from where.
        now: when.
        connection: the transaction that the act is part of; a rollback removes the record too.
        details: further facts, such as the name of a reason; never a secret.
    """
    await _row(act, subject, viewer, visitor, now, details).save(using_db=connection)


async def record_each(
    act: Act,
    subjects: Iterable[tuple[Subject, Mapping[str, Detail]]],
    viewer: Viewer | None,
    visitor: Visitor,
    now: datetime,
    connection: TransactionalDBClient,
) -> None:
    """Add a record of one act for each subject, with its details, all at once."""
    rows = [_row(act, subject, viewer, visitor, now, details) for subject, details in subjects]
    await insert_rows(connection, rows)


@transactional
async def record_shown(
    connection: TransactionalDBClient,
    subjects: Iterable[tuple[Subject, Mapping[str, Detail]]],
    viewer: Viewer,
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Add a look at each subject, all at once, in a transaction of its own.

    A look is recorded while an answer is made, and a field that fails elsewhere in it cancels this one.
    """
    await record_each(Act.DATA_ACCESSED, subjects, viewer, visitor, now, connection)


def _row(
    act: Act,
    subject: Subject,
    viewer: Viewer | None,
    visitor: Visitor,
    now: datetime,
    details: Mapping[str, Detail],
) -> AuditRecord:
    return AuditRecord(
        at=now,
        act=act,
        role=viewer.role.value if viewer else None,
        actor_id=viewer.account_id if viewer else None,
        subject=subject.kind,
        subject_id=subject.number,
        address=visitor.address,
        details=dict(details),
    )


async def record_own(
    act: Act,
    viewer: Viewer,
    visitor: Visitor,
    now: datetime,
    connection: BaseDBAsyncClient | None = None,
    **details: Detail,
) -> None:
    """Add a record of what somebody did to their own account."""
    await record(act, Subject("account", viewer.account_id), viewer, visitor, now, connection, **details)


async def acts_on(
    viewer: Viewer, subject: Subject | None = None, *, act: Act | None = None, limit: int = 100
) -> list[AuditEntry]:
    """The newest records, of one subject or act if one is given."""
    viewer.require(Permission.AUDIT_READ)
    query = AuditRecord.all()
    if subject is not None:
        query = query.filter(subject=subject.kind, subject_id=subject.number)
    if act is not None:
        query = query.filter(act=act)
    return [
        AuditEntry(
            at=row.at,
            act=row.act,
            role=row.role,
            actor_id=row.actor_id,
            subject=Subject(row.subject, row.subject_id),
            address=row.address,
            details=row.details,
        )
        for row in await query.order_by("-id").limit(limit)
    ]

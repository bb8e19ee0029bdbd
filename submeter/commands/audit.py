"""`submeter audit`: the log of security-relevant actions."""

from cyclopts import App

from core.access import SYSTEM, Act
from core.services.shared.audit import Subject, acts_on
from submeter.application import opened
from submeter.output import AtMost, RowNumber, counted, print_json, print_table

audit = App(name="audit", help="The audit log: who did what, when, and from where.")


@audit.command(name="list")
async def list_acts(
    *, account: RowNumber | None = None, act: Act | None = None, limit: AtMost = 50, json: bool = False
) -> None:
    """List the newest entries of the audit log.

    Args:
        account: only entries about this account number.
        act: only entries of this kind.
        limit: maximum number of entries.
        json: print the list as JSON.
    """
    subject = None if account is None else Subject("account", account)
    async with opened():
        entries = await acts_on(SYSTEM, subject, act=act, limit=limit)
    rows = [
        {
            "at": entry.at.isoformat(timespec="seconds"),
            "act": entry.act.value,
            "role": entry.role,
            "actor": entry.actor_id,
            "subject": entry.subject.kind,
            "number": entry.subject.number,
            "address": entry.address,
            "details": dict(entry.details),
        }
        for entry in entries
    ]
    if json:
        print_json(rows)
        return
    columns = ("at", "act", "role", "actor", "subject", "number", "address", "details")
    print_table(counted(len(rows), "act"), columns, [[row[column] for column in columns] for row in rows])

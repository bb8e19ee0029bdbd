"""Writes the occupancies that lists begin, end or give to an account, as the other doors do.

In: rows with what has changed of each. Out: the rows, with the end of the former occupant's access;
dismissals that end with an occupancy; the audit; an e-mail for each account whose occupancy has another end
now. The one rule: a move entered by a list leaves the same behind as one that a resident or a manager enters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Viewer
from core.access.acts import NOBODY
from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.models import Account, Dwelling, Occupancy, OccupancyKind
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.occupancy.occupancies import access_end
from core.services.places.managed_residences import place_of
from core.services.portfolio.descriptions import midnight
from core.services.shared.audit import Subject, record_each
from core.services.shared.dismissals import DismissalsEnd, end_dismissals_of
from core.services.shared.many_rows import insert_rows, slices, update_rows

_GIVEN = ("account_id", "kind", "move_out", "access_until")


@dataclass(frozen=True, slots=True)
class Move:
    """An occupancy that a list begins or changes.

    Attributes:
        operator: the code of the dwelling's operator.
        zone: of its residence.
        dwelling: stored when the move is.
        row: the occupancy as it will be.
        begins: whether it is new, or somebody's from now on.
        ends: whether it has another end than before.
    """

    operator: str
    zone: ZoneInfo
    dwelling: Dwelling
    row: Occupancy
    begins: bool
    ends: bool

    @property
    def dismissals(self) -> list[DismissalsEnd]:
        """What ends with it; a landlord dismisses nothing, and ends nothing of a tenant's."""
        row = self.row
        found: list[DismissalsEnd] = []
        if row.kind is OccupancyKind.OWNER_NON_OCCUPANT:
            return found
        after = midnight(row.move_out, self.zone) if row.move_out else None
        if self.begins:
            kept_of = row.account_id
            found.append(DismissalsEnd(self.dwelling.id, row.move_in, kept_of=kept_of, taken_before=after))
        if self.ends and row.move_out is not None:
            leaving = None if self.begins else row.account_id
            found.append(DismissalsEnd(self.dwelling.id, row.move_out, taken_before=after, leaving=leaving))
        return found


async def store_moves(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    moves: Sequence[Move],
    *,
    now: datetime,
) -> None:
    """Write the occupancies; their dwellings are stored."""
    written = [move for move in moves if move.row.id is not None and move.ends and move.row.account_id]
    for move in moves:
        move.row.dwelling_id = move.dwelling.id
        if move.ends and move.row.move_out is not None:
            today = civil_day(now, move.zone.key)
            profile = application.registry.profile(move.operator)
            move.row.access_until = access_end(move.row.move_out, today=today, profile=profile)
    await update_rows(connection, [move.row for move in moves if move.row.id is not None], _GIVEN)
    await insert_rows(connection, [move.row for move in moves if move.row.id is None])
    await end_dismissals_of(connection, [end for move in moves for end in move.dismissals])
    for act, some in (
        (Act.OCCUPANCY_STARTED, [move for move in moves if move.begins]),
        (Act.OCCUPANCY_ENDED, [move for move in moves if move.ends]),
    ):
        subjects = [(Subject("dwelling", one.dwelling.id), {"account": one.row.account_id}) for one in some]
        await record_each(act, subjects, viewer, NOBODY, now, connection)
    await _notify(connection, application, written, now=now)


async def _notify(
    connection: TransactionalDBClient, application: Application, moves: Sequence[Move], *, now: datetime
) -> None:
    """Tell who leaves, by the list, until when the own period can be seen, and whom to ask."""
    accounts: dict[int, Account] = {}
    homes: dict[int, Dwelling] = {}
    for some in slices(moves):
        numbers = {move.row.account_id for move in some}
        for account in await Account.filter(id__in=numbers, disabled_at=None).using_db(connection):
            accounts[account.id] = account
        rows = Dwelling.filter(id__in={move.dwelling.id for move in some}).using_db(connection)
        homes |= {row.id: row for row in await rows.select_related("residence__operator")}
    for move in moves:
        recipient, end, until = (
            accounts.get(move.row.account_id or 0),
            move.row.move_out,
            move.row.access_until,
        )
        if recipient is None or end is None or until is None:
            continue
        home = homes[move.dwelling.id]
        profile = application.registry.profile(move.operator)
        message = AccountMessage.to(
            recipient,
            "occupancy_end_recorded",
            values={
                "portal": profile.portal_name if profile else home.residence.operator.name,
                "place": f"{home.residence.name}, {place_of(home)}",
                "last_day": (end - timedelta(days=1)).isoformat(),
                "until": until.isoformat(),
                "operator": home.residence.operator.name,
                "link": application.portal_link(move.operator),
            },
        )
        await queue_account_message(connection, application.settings, message, now=now)

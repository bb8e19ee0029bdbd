"""Erases a person: the account and what is only about the person goes, what the law keeps remains without a
name.

In: a resident, or a member of a household, who types the password again. Out: nothing that leads to the
person (GDPR Art. 17). The one rule: each table is in `ON_ERASURE` with what becomes of it and why, which a
test holds against all tables; deleting the account deletes or de-links what refers to it, as the tables
say, and the rest is done here. The days of the home remain: they are the building's, for its bills, and
nobody's any more. The hours of the occupancy are needed for nothing and go. The occupancy ends the day
before, so that the home is free.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Role, Viewer, Visitor
from core.access.emails import email_key
from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.models import (
    Account,
    AlertAction,
    Channel,
    DataExport,
    DataExportPart,
    HouseholdMember,
    IssuedPaper,
    Occupancy,
    Operator,
    OutboxMessage,
    Registration,
)
from core.services.accounts.password_change import ask_again
from core.services.messaging import outbox
from core.services.messaging.account_messages import AccountMessage, notice_key, queue_account_message
from core.services.occupancy.occupancies import end
from core.services.privacy.fine_data import purge_occupancy
from core.services.shared.audit import record_own
from core.services.shared.scope import with_periods
from core.services.shared.transaction import transactional

_ONE_DAY = timedelta(days=1)


class Fate(StrEnum):
    """What becomes of the rows of a table that are about the person."""

    DELETED = "DELETED"
    DELINKED = "DELINKED"
    KEPT = "KEPT"
    NOT_PERSONAL = "NOT_PERSONAL"


class Erased(NamedTuple):
    """What becomes of a table, and why."""

    fate: Fate
    why: str


_WITH_ACCOUNT: Final = Erased(Fate.DELETED, "with the account")
_OF_HOME: Final = Erased(Fate.DELINKED, "of the building, for its bills; the home's occupancy has no person")
_FINE: Final = Erased(
    Fate.DELETED, "of the occupancy: hours, needed for nothing; three readings a day remain"
)
_NOBODY: Final = Erased(Fate.NOT_PERSONAL, "about no person")
_METER: Final = Erased(Fate.NOT_PERSONAL, "of a device")

ON_ERASURE: Final[Mapping[str, Erased]] = {
    **dict.fromkeys(
        (
            *("access_token", "account", "challenge", "consumption_limit", "data_export", "data_export_part"),
            *("device", "dwelling_request", "household_member", "managed_residence"),
            *("recovery_code", "session", "slow_leak_hint", "third_party_grant"),
        ),
        _WITH_ACCOUNT,
    ),
    "outbox_message": Erased(
        Fate.DELETED, "with the account; of a document's only text and address, since it proves the delivery"
    ),
    "registration": Erased(Fate.DELETED, "those of the same e-mail address"),
    **dict.fromkeys(("burst_draw", "doubtful_reading", "recurring_draw", "recurring_draw_answer"), _FINE),
    **dict.fromkeys(("reading", "reading_in_future", "reading_outside_service"), _FINE),
    **dict.fromkeys(("daily_volume", "month_volume", "archived_month", "leak_episode"), _OF_HOME),
    "consumption_correction": _OF_HOME,
    "document": Erased(Fate.DELINKED, "of the home; notes are of an occupancy that has no person any more"),
    "issued_paper": Erased(
        Fate.DELINKED, "the file goes; code and hash remain, so that whoever holds the paper can verify it"
    ),
    "alert": Erased(Fate.DELINKED, "of the building; those of the person's own limits go with the account"),
    "alert_action": Erased(Fate.DELINKED, "what was done about a leak of the building; the note is emptied"),
    "occupancy": Erased(Fate.DELINKED, "says whose days are whose: the next occupant sees none of before"),
    "consent_record": Erased(Fate.DELINKED, "that and when a manager was allowed to see days (CN-07)"),
    "account_consent": Erased(Fate.DELINKED, "that and when somebody agreed, to which text (CN-07)"),
    "fine_data_purge": Erased(Fate.DELINKED, "whoever computes anew has to know which hours are gone"),
    "meter_alias": Erased(Fate.DELINKED, "of a device; who added it"),
    "audit_record": Erased(
        Fate.KEPT, "who did what, by numbers that lead nowhere any more, for the year that security needs"
    ),
    **dict.fromkeys(
        (
            *("analysis_publication", "analysis_row", "compact_format", "dead_letter", "directory_version"),
            *("average_publication", "building_average", "degree_day", "emission_factor", "tariff"),
            *("dwelling", "gateway", "operator", "periodic_job", "recomputation", "residence"),
            *("residence_document", "retention_mark", "retention_run"),
        ),
        _NOBODY,
    ),
    **dict.fromkeys(
        (
            *("leak_checkpoint", "leak_classifier_state", "leak_day_flows", "message_counter", "meter"),
            *("meter_key", "meter_state"),
        ),
        _METER,
    ),
}
"""By table; docs/privacy.md has the same."""


async def erase_my_account(
    application: Application, viewer: Viewer, password: str, *, visitor: Visitor, now: datetime
) -> None:
    """Erase the viewer's account and person; an e-mail to the last address confirms it.

    Raises:
        PasswordWrong: it is not the account's password.
        RateLimited: too many were wrong.
    """
    viewer.require(Permission.ACCOUNT_ERASE)
    account = await Account.get(id=viewer.account_id)
    await ask_again(application, account, password, now=now)
    await _erase(application, viewer, visitor=visitor, now=now)


@transactional
async def _erase(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    mine = Account.filter(id=viewer.account_id).using_db(connection)
    account = await mine.select_for_update().get()
    operator = await Operator.get(id=account.operator_id, using_db=connection)
    await record_own(Act.ACCOUNT_ERASED, viewer, visitor, now, connection)
    await _end_occupancies(connection, application, account, now)
    await AlertAction.filter(account_id=account.id).using_db(connection).update(note="")
    for row in await Registration.filter(email=account.email).using_db(connection):
        await row.delete(using_db=connection)
    addressed = OutboxMessage.filter(recipient__in=[account.email, account.phone_e164 or account.email])
    await addressed.filter(document_id=None).using_db(connection).delete()
    asked = OutboxMessage.filter(template="support_request", erased_at=None).using_db(connection)
    key = email_key(account.email)
    questions = [row.id for row in await asked if email_key(row.values.get("email", "")) == key]
    await OutboxMessage.filter(id__in=questions).using_db(connection).delete()
    await outbox.keep_proofs(connection, [account.id], now=now)
    await IssuedPaper.filter(account_id=account.id).using_db(connection).update(content=None)
    # Invitations name who invites, and are to somebody else.
    sent = await HouseholdMember.filter(holder_id=account.id).using_db(connection).only("id")
    keys = [f"household_invited:{row.id}" for row in sent]
    await OutboxMessage.filter(idempotency_key__in=keys).using_db(connection).delete()
    exports = await DataExport.filter(account_id=account.id).using_db(connection).only("id")
    await DataExportPart.filter(export_id__in=[row.id for row in exports]).using_db(connection).delete()
    invited = HouseholdMember.filter(email_key=email_key(account.email))
    await invited.using_db(connection).delete()
    await erase_members(connection, account.id)
    profile = application.registry.profile(operator.code)
    await Account.filter(id=account.id).using_db(connection).delete()
    await queue_account_message(
        connection,
        application.settings,
        AccountMessage(
            key=notice_key("account_erased", account.id),
            channel=Channel.EMAIL,
            template="account_erased",
            language=account.language,
            recipient=account.email,
            values={"operator": profile.name if profile else operator.name},
        ),
        now=now,
    )


async def _end_occupancies(
    connection: TransactionalDBClient, application: Application, account: Account, now: datetime
) -> None:
    """End what has not ended, the day before: whoever moves in today is another person. Hours go."""
    rows = (
        await Occupancy.filter(account_id=account.id)
        .using_db(connection)
        .select_related("dwelling__residence")
    )
    for row, period in await with_periods(rows, connection=connection):
        today = civil_day(now, row.dwelling.residence.time_zone)
        if row.move_out is None or row.move_out > today:
            await end(connection, row, application.registry, last_day=today - _ONE_DAY, today=today)
        await purge_occupancy(
            connection, row.dwelling_id, period.first_day, _until(period.last_day, today), now
        )


def _until(last_day: date | None, today: date) -> date:
    return today if last_day is None else min(last_day + _ONE_DAY, today)


async def erase_members(connection: TransactionalDBClient, holder_id: int) -> None:
    """Erase the accounts that saw this holder's home alone."""
    members = HouseholdMember.filter(holder_id=holder_id).exclude(member_id=None).using_db(connection)
    for member in await members:
        others = HouseholdMember.filter(member_id=member.member_id, revoked_at=None).using_db(connection)
        if not await others.exclude(holder_id=holder_id).exists():
            guests = Account.filter(id=member.member_id, role=Role.HOUSEHOLD_MEMBER)
            await guests.using_db(connection).delete()

"""Passes queued messages to the outbox worker, one by one, and records the result of each.

In: a worker's name and the moment. Out: a claimed message, its address and values resolved. The one rule: a
message is claimed in a statement of its own before it is sent, so two workers never hold the same one; the
claim of a worker that died expires, and the next worker sends the message. Delivery is at-least-once: after
a crash between the server's acceptance and our record of it the message is sent again (with the same
Message-ID, by which mail programs recognise it).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from core.access import NOBODY, Act, Permission, Viewer
from core.access.emails import email_key
from core.bootstrap import Application
from core.errors import NotFound, SecretUnusable
from core.language import Language
from core.models import Account, MessageState, OutboxMessage
from core.models import Channel as Channel  # noqa: PLC0414 - the doors, which know no tables, name it from here
from core.services.auth.one_time_codes import RESET_TEMPLATE, new_reset_token
from core.services.messaging.account_messages import opened_values
from core.services.messaging.outbox import WITHDRAWN_MARK
from core.services.shared.audit import Subject, record
from core.texts.titles import TITLES

CLAIM_FOR = timedelta(minutes=5)
"""Longer than any single delivery takes."""

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1_440))
"""The wait after each failure before the next try; after the last the message is abandoned."""

_CANDIDATES = 10
_LONGEST_ADDRESS, _LONGEST_NUMBER = 254, 16
_NO_ROW = 2**63 - 1
"""The greatest number a row may have; greater ones are not looked up."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this worker alone is to send now.

    Attributes:
        number: its row.
        key: the same at every try; a mail's Message-ID is made of it.
        channel: e-mail or SMS.
        recipient: the e-mail address or E.164 number.
        template, language, values: its text; the values may hold a secret.
        addressed_to: the name in an e-mail's salutation: `Mme Martin`; empty where no name is known.
        attempt: the number of this attempt, from 1.
    """

    number: int
    key: str
    channel: Channel
    recipient: str
    template: str
    language: str
    values: Mapping[str, object] = field(repr=False)
    addressed_to: str
    attempt: int


async def claim_next(
    application: Application, worker: str, channels: Iterable[Channel], *, now: datetime
) -> Claimed | None:
    """The oldest message that is due, claimed; None when none is.

    Messages that cannot be sent at all (no address, too old, encrypted with another secret) are abandoned.
    """
    due = OutboxMessage.filter(
        Q(due_at=None) | Q(due_at__lte=now),
        Q(claimed_until=None) | Q(claimed_until__lte=now),
        state=MessageState.PENDING,
        channel__in=list(channels),
    )
    while candidates := await due.order_by("id").limit(_CANDIDATES).values_list("id", flat=True):
        for number in candidates:
            claimed = await due.filter(id=number).update(claimed_by=worker, claimed_until=now + CLAIM_FOR)
            if not claimed:
                continue  # another worker has claimed it
            message = await OutboxMessage.get(id=number).select_related("account__operator")
            sendable = await _sendable(message, application, worker, now)
            if sendable is not None:
                return sendable
    return None


async def note_sent(message: Claimed, worker: str, *, now: datetime) -> None:
    """Record that the next server accepted the message, and wipe its secrets."""
    await _mine(message.number, worker).update(
        state=MessageState.SENT,
        attempts=message.attempt,
        sent_at=now,
        failure=None,
        encrypted_values=None,
        claimed_by=None,
        claimed_until=None,
    )


async def note_failed(
    message: Claimed, worker: str, reason: str, *, permanent: bool, now: datetime
) -> MessageState:
    """Record that the message was not accepted: it waits for its next try, or is abandoned.

    Args:
        message: which.
        worker: whose claim it is.
        reason: a short name without addresses or a server's own text: `SMTP_450`.
        permanent: whether another try would fail as well.
        now: the moment.
    """
    if permanent or message.attempt > len(WAITS):
        await _give_up(message.number, worker, reason, attempts=message.attempt)
        return MessageState.FAILED
    await _mine(message.number, worker).update(
        attempts=message.attempt,
        due_at=now + WAITS[message.attempt - 1],
        failure=reason,
        claimed_by=None,
        claimed_until=None,
    )
    return MessageState.PENDING


async def read_message(
    application: Application, viewer: Viewer, *, number: int | None = None, to: str = "", now: datetime
) -> Claimed:
    """A message as its recipient reads it, its secrets included: for an operator who sends none by server.

    Nothing is sent and nothing settled. That secrets were shown is recorded.

    Args:
        application: whose messages.
        viewer: who reads.
        number: its row; None: the newest.
        to: of whom the newest is meant: an e-mail address or E.164 number.
        now: the moment.

    Raises:
        NotFound: there is no such message, or its text was erased.
    """
    viewer.require(Permission.OUTBOX_READ)
    rows = OutboxMessage.filter(Q(account_id__isnull=False) | Q(recipient__isnull=False), erased_at=None)
    if number is not None:
        rows = rows.filter(id=min(number, _NO_ROW))
    if to:
        rows = rows.filter(_to(to))
    message = await rows.order_by("-id").select_related("account__operator").first()
    if message is None:
        raise NotFound("No such message.", field="message")
    values, account = opened_values(message, application.settings), message.account
    is_reset = message.template == RESET_TEMPLATE and account is not None
    if message.encrypted_values is not None or is_reset:
        await record(Act.MESSAGE_READ, Subject("message", message.id), viewer, NOBODY, now)
    own = account and (account.email if message.channel is Channel.EMAIL else account.phone_e164)
    recipient = message.recipient or own or ""
    if is_reset and account is not None:
        values["link"] = await _reset_link(application, account, recipient, now=now)
    return _claimed(message, recipient, values)


def _to(address: str) -> Q:
    """Messages to an e-mail address or number, of their own or of their account at present."""
    if "@" in address:
        own = Q(account__email_key=email_key(address)[:_LONGEST_ADDRESS], channel=Channel.EMAIL)
    else:
        own = Q(account__phone_e164=address[:_LONGEST_NUMBER], channel=Channel.SMS)
    return Q(recipient=address[:_LONGEST_ADDRESS]) | Q(own, recipient=None)


async def _sendable(
    message: OutboxMessage, application: Application, worker: str, now: datetime
) -> Claimed | None:
    recipient, reason = _recipient(message, now)
    try:
        values = opened_values(message, application.settings)
    except SecretUnusable:
        values, reason = {}, "SECRET_UNUSABLE"
    if reason is not None or recipient is None:
        await _give_up(message.id, worker, reason or "NO_ADDRESS", attempts=message.attempts)
        return None
    account = message.account
    if message.template == RESET_TEMPLATE and account is not None:
        values["link"] = await _reset_link(application, account, recipient, now=now)
    return _claimed(message, recipient, values)


async def _reset_link(application: Application, account: Account, recipient: str, *, now: datetime) -> str:
    """A link that resets the password; it replaces any earlier one."""
    token = await new_reset_token(account.id, recipient, now=now)
    return application.portal_link(account.operator.code, f"/reset-password#{token}")


def _claimed(message: OutboxMessage, recipient: str, values: Mapping[str, object]) -> Claimed:
    account = message.account
    event, _, _ = message.idempotency_key.partition(WITHDRAWN_MARK)  # a withdrawal may fall between two tries
    return Claimed(
        number=message.id,
        key=f"{event}:{message.id}",
        channel=message.channel,
        recipient=recipient,
        template=message.template,
        language=message.language,
        values=values,
        addressed_to=_addressed_to(account, message.language) if account else "",
        attempt=message.attempts + 1,
    )


def _addressed_to(account: Account, language: str) -> str:
    """The name for the salutation: title and last name, `Mme Martin`, with the title in the message's
    language; without a title first and last name, `Claire Martin`.
    """
    title, last_name = account.civility.strip(), account.last_name.strip()
    if not title or not last_name:
        return f"{account.first_name} {last_name}".strip()
    words = TITLES.get(title.casefold().rstrip("."))
    return f"{words.in_language(Language(language)) if words else title} {last_name}"


def _recipient(message: OutboxMessage, now: datetime) -> tuple[str | None, str | None]:
    """The message's address, or the reason why it has none."""
    account = message.account
    if message.expires_at is not None and message.expires_at <= now:
        return None, "EXPIRED"
    if account is not None and account.disabled_at is not None:
        return None, "ACCOUNT_DISABLED"
    if message.recipient is not None or account is None:
        return message.recipient, None
    if message.channel is Channel.EMAIL:
        return account.email, None
    if account.phone_confirmed_at is None:  # C-19
        return None, "PHONE_NOT_CONFIRMED"
    return account.phone_e164, None


async def _give_up(number: int, worker: str, reason: str, *, attempts: int) -> None:
    await _mine(number, worker).update(
        state=MessageState.FAILED,
        attempts=attempts,
        failure=reason,
        encrypted_values=None,
        claimed_by=None,
        claimed_until=None,
    )


def _mine(number: int, worker: str) -> QuerySet[OutboxMessage]:
    """The row while this worker's claim is valid: after it expires, another worker settles the message."""
    return OutboxMessage.filter(id=number, claimed_by=worker, state=MessageState.PENDING)

"""The messages of an operator's accounts as its staff list them: whether each was sent, and why not.

In: the viewer, filters, and a place in the list. Out: a page of messages by one statement. The one rule: no
text, no value and no whole address: staff see that a message was sent, not what it says nor to whom exactly.
A message to somebody without an account (a code of a registration, an invitation, a question) is no
operator's, and is listed on the command line alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from core.access import Permission, Viewer
from core.models import Channel
from core.models import MessageState as MessageState  # noqa: PLC0414 - the doors, which know no tables, name it from here
from core.services.shared.columns import moment, moment_or_none
from core.services.shared.operator_scope import OperatorRows
from core.services.shared.paging import Page
from core.services.shared.transaction import current_database


class MessageTopic(StrEnum):
    """What a message is about."""

    LEAK = "LEAK"
    OVER_CONSUMPTION = "OVER_CONSUMPTION"
    METER = "METER"
    CORRECTION = "CORRECTION"
    DOCUMENT = "DOCUMENT"
    REGISTRATION = "REGISTRATION"
    OCCUPANCY = "OCCUPANCY"
    SECURITY = "SECURITY"
    INVITATION = "INVITATION"
    PORTAL = "PORTAL"
    OTHER = "OTHER"


_TEMPLATES: Final[Mapping[MessageTopic, tuple[str, ...]]] = {
    MessageTopic.LEAK: (
        *("leak_opened", "leak_closed", "leak_level_up", "leak_relapsed", "leak_reopened", "slow_leak"),
    ),
    MessageTopic.OVER_CONSUMPTION: ("over_consumption", "own_limit", "goal"),
    MessageTopic.METER: (
        *("burst_opened", "burst_closed", "meter_leak_opened", "meter_leak_closed", "recurring_draw"),
    ),
    MessageTopic.CORRECTION: ("alert_withdrawn",),
    MessageTopic.DOCUMENT: ("new_document", "monthly_note", "annual_note", "index_certificate"),
    MessageTopic.REGISTRATION: (
        *("registration_code", "registration_temporary_password", "registration_address_taken"),
        *("dwelling_request_received", "dwelling_request_opened", "dwelling_request_approved"),
        *("dwelling_request_refused", "dwelling_claimed", "dwelling_claim_refused"),
    ),
    MessageTopic.OCCUPANCY: (
        *("departure_confirmed", "occupancy_ended", "occupancy_end_recorded", "consent_changed"),
    ),
    MessageTopic.SECURITY: (
        *("password_changed", "password_reset", "email_code", "email_changed", "phone_code", "token_issued"),
        *("account_erased", "data_export_ready", "grant_issued"),
        *("second_factor_enrolled", "second_factor_removed", "second_factor_reset"),
    ),
    MessageTopic.INVITATION: (
        *("manager_invited", "staff_invited", "analyst_invited", "resident_invited"),
        *("household_invited", "household_joined"),
    ),
    MessageTopic.PORTAL: ("portal_ready", "portal_closed", "support_request"),
}
TOPIC_OF: Final[Mapping[str, MessageTopic]] = {
    template: topic for topic, templates in _TEMPLATES.items() for template in templates
}
"""The topic of each template; a template that is not here is OTHER."""


@dataclass(frozen=True, slots=True)
class MessagesAsked:
    """A page of an operator's messages; a filter that is None does not narrow.

    `before` is the number of the last one of the page before, `only_id` that of one.
    """

    first: int = 1
    before: int | None = None
    only_id: int | None = None
    state: MessageState | None = None
    channel: Channel | None = None
    topic: MessageTopic | None = None


@dataclass(frozen=True, slots=True)
class MessageInList:
    """A message without its text. `recipient` is masked; None if the message has no address (any more)."""

    id: int
    topic: MessageTopic
    template: str
    channel: Channel
    recipient: str | None
    state: MessageState
    attempts: int
    failure: str | None
    created_at: datetime
    due_at: datetime | None
    expires_at: datetime | None
    sent_at: datetime | None


async def list_operator_messages(viewer: Viewer, asked: MessagesAsked) -> Page[MessageInList]:
    """A page of the messages to the operator's accounts, the newest first."""
    viewer.require(Permission.OUTBOX_LIST)
    rows = OperatorRows(
        current_database(),
        viewer,
        tables="outbox_message o LEFT JOIN account a ON a.id = o.account_id",
        own="a.operator_id = {0}",
    )
    for column, value in (("o.id", asked.only_id), ("o.state", asked.state), ("o.channel", asked.channel)):
        if value is not None:
            rows.where(f"{column} = {{}}", value.value if isinstance(value, StrEnum) else value)
    if asked.topic is not None:
        known = TOPIC_OF if asked.topic is MessageTopic.OTHER else _TEMPLATES[asked.topic]
        named = ", ".join(f"'{template}'" for template in sorted(known))
        rows.where(f"o.template {'NOT ' if asked.topic is MessageTopic.OTHER else ''}IN ({named})")
    found = await rows.newest(
        "o.id, o.template, o.channel, o.recipient, o.state, o.attempts, o.failure, o.created_at, o.due_at,"
        " o.expires_at, o.sent_at, o.erased_at, a.email, a.phone_e164",
        key="o.id",
        first=asked.first,
        before=asked.before,
    )
    return Page([_listed(row) for row in found.rows], has_next=found.has_next, total=found.total)


def masked(recipient: str) -> str:
    """An address by which a person is not found: `c…@example.org`, `+33…12`."""
    name, sign, domain = recipient.rpartition("@")
    if sign:
        return f"{name[:1] if len(name) > 1 else ''}…@{domain}"
    return f"{recipient[:3]}…{recipient[-2:]}"


def _listed(row: dict[str, Any]) -> MessageInList:
    channel = Channel(row["channel"])
    recipient = row["recipient"]
    if recipient is None and row["erased_at"] is None:
        recipient = row["phone_e164"] if channel is Channel.SMS else row["email"]
    return MessageInList(
        id=row["id"],
        topic=TOPIC_OF.get(row["template"], MessageTopic.OTHER),
        template=row["template"],
        channel=channel,
        recipient=masked(recipient) if recipient else None,
        state=MessageState(row["state"]),
        attempts=row["attempts"],
        failure=row["failure"],
        created_at=moment(row["created_at"]),
        due_at=moment_or_none(row["due_at"]),
        expires_at=moment_or_none(row["expires_at"]),
        sent_at=moment_or_none(row["sent_at"]),
    )

"""`submeter outbox`: messages that are queued, sent or given up."""

from datetime import UTC, datetime

from cyclopts import App

from core.access import SYSTEM
from core.services.messaging.delivery import Channel, Claimed, read_message
from core.services.messaging.outbox import QueuedMessage, list_messages
from notifications.texts.render import Message, render
from submeter.application import opened
from submeter.output import AtMost, RowNumber, counted, out, print_json, print_table

outbox = App(name="outbox", help="Messages to residents.")


@outbox.command(name="list")
async def list_outbox(*, limit: AtMost = 50, json: bool = False) -> None:
    """List the newest messages.

    Args:
        limit: maximum number of messages.
        json: print the list as JSON, with the text of each message.
    """
    async with opened():
        messages = await list_messages(SYSTEM, limit=limit)
    rows = [
        {
            "id": message.id,
            "created_at": message.created_at.isoformat(timespec="seconds"),
            "state": message.state.value,
            "failure": message.failure,
            "channel": message.channel.value,
            "recipient": message.recipient,
            "template": message.template,
            "language": message.language,
            "subject": words.subject,
            "text": words.text,
        }
        for message, words in ((message, shown(message)) for message in messages)
    ]
    if json:
        print_json(rows)
        return
    columns = ("id", "created_at", "state", "failure", "channel", "recipient", "subject")
    print_table(counted(len(rows), "message"), columns, [[row[column] for column in columns] for row in rows])


@outbox.command
async def read(message: RowNumber | None = None, *, to: str = "", json: bool = False) -> None:
    """Print one message whole, its code, link or temporary password included: the newest, or a given one.

    For an operator without a mail server, and for a first try. Once a message is sent its secrets are erased.
    That they were shown is recorded in the audit log.

    Args:
        message: number of the message in the list (default: the newest).
        to: the newest to this e-mail address or telephone number (+33…).
        json: print it as JSON.
    """
    async with opened() as application:
        found = await read_message(application, SYSTEM, number=message, to=to, now=datetime.now(UTC))
    subject, text = whole(found)
    if json:
        print_json({"id": found.number, "recipient": found.recipient, "subject": subject, "text": text})
        return
    out.print(f"{found.recipient}\n{subject}\n\n{text}", markup=False, soft_wrap=True)


def whole(message: Claimed) -> tuple[str, str]:
    """Subject and text as the recipient reads them; a secret that was erased is shown as an ellipsis."""
    words = render(message.template, message.language, _Dotted(message.values))
    if message.channel is Channel.SMS:
        return words.subject, words.text
    return words.subject, words.email_text(message.addressed_to, message.language)


class _Dotted(dict[str, object]):
    """Values of a message; an encrypted one is shown as an ellipsis."""

    def __missing__(self, name: str) -> str:
        return "…"


def shown(message: QueuedMessage) -> Message:
    """A message's text without its secrets; empty if it was erased."""
    if message.erased:
        return Message(subject="", text="")
    try:
        return render(message.template, message.language, _Dotted(message.values))
    except (KeyError, ValueError):  # one message that cannot be rendered must not hide the others
        return Message(subject=message.template, text="")

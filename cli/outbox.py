"""`submeter outbox`: the messages that wait to be sent."""

from cyclopts import App

from cli.house import opened
from cli.output import counted, print_json, print_table
from core.access import SYSTEM
from core.services.outbox import list_messages
from notifications.messages import render

outbox = App(name="outbox", help="Messages to residents.")


@outbox.command(name="list")
async def list_outbox(*, limit: int = 50, json: bool = False) -> None:
    """List the newest messages.

    Args:
        limit: how many at most.
        json: print the list as JSON, with the words of each message.
    """
    async with opened():
        messages = await list_messages(SYSTEM, limit=limit)
    rows = [
        {
            "id": message.id,
            "created_at": message.created_at.isoformat(timespec="seconds"),
            "state": message.state.value,
            "channel": message.channel.value,
            "recipient": message.recipient,
            "template": message.template,
            "language": message.language,
            "subject": render(message.template, message.language, message.values).subject,
            "text": render(message.template, message.language, message.values).text,
        }
        for message in messages
    ]
    if json:
        print_json(rows)
        return
    columns = ("id", "created_at", "state", "channel", "recipient", "subject")
    print_table(counted(len(rows), "message"), columns, [[row[column] for column in columns] for row in rows])

"""`/demo/letters`: the messages of the demo's outbox, whole, in a browser; the demo alone has this page.

In: a request to the demo's server. Out: a list of the newest messages, one message with its code or link, or
(`letters.txt`) the newest to somebody as plain text. The one rule: no other server has these routes, since
they show secrets to whoever reaches the port.
"""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.access import SYSTEM
from core.errors import NotFound
from core.services.messaging.delivery import read_message
from core.services.messaging.outbox import QueuedMessage, list_messages
from submeter.commands.outbox import shown, whole

PATH = "/demo/letters"
NEWEST = 100
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto}}td{{padding:.2rem .8rem .2rem 0}}
pre{{white-space:pre-wrap;font:inherit}}</style><h1>{title}</h1>{body}</html>"""


async def letters(_request: Request) -> Response:
    """The newest messages, each with a link to its text."""
    listed = await list_messages(SYSTEM, limit=NEWEST)
    rows = "".join(_row(message) for message in listed if message.recipient)
    return _page("Letters of the demo", f"<table>{rows}</table>" if rows else "<p>There is none yet.")


async def letter(request: Request) -> Response:
    """One message, whole."""
    state = request.app.state
    try:
        message = await read_message(
            state.application, SYSTEM, number=request.path_params["number"], now=state.clock()
        )
    except NotFound:
        return HTMLResponse("<p>There is no such letter.", status_code=404)
    subject, text = whole(message)
    addressed = f"<p>To {escape(message.recipient)}"
    return _page(subject, f"{addressed}<pre>{escape(text)}</pre><p><a href={PATH}>All letters</a>")


async def newest(request: Request) -> Response:
    """The newest message, of one recipient if `to` names one, as plain text."""
    state = request.app.state
    try:
        message = await read_message(
            state.application, SYSTEM, to=request.query_params.get("to", ""), now=state.clock()
        )
    except NotFound:
        return PlainTextResponse("There is no such letter.\n", status_code=404)
    subject, text = whole(message)
    return PlainTextResponse(f"{message.recipient}\n{subject}\n\n{text}\n")


def _row(message: QueuedMessage) -> str:
    subject = f"<a href='{PATH}/{message.id}'>{escape(shown(message).subject)}</a>"
    cells = (
        f"{message.created_at:%Y-%m-%d %H:%M}",
        message.channel.value,
        escape(message.recipient),
        subject,
    )
    return "<tr>" + "".join(f"<td>{cell}" for cell in cells)


def _page(title: str, body: str) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), body=body))


LETTER_ROUTES = (
    Route(PATH, letters),
    Route(f"{PATH}.txt", newest),
    Route(f"{PATH}/{{number:int}}", letter),
)

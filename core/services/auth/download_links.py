"""Links to a file: short-lived, signed, and bound to the account that they were made for.

In: a viewer, and what the file is made of. Out: a text for an address, and back. The one rule: a link opens
nothing that its account may not see at that moment: it stands for the session that it was made in, which
must still be open; a program, which has no session, sends its token with the request. A token of another
account opens nothing either.

A link is JSON and its HMAC-SHA-256, under a key for this purpose (RFC 2104); it holds no secret, and
nothing is stored. A browser can follow it without a header, so a portal need not hold a file as Base64.
"""

import base64
import hashlib
import hmac
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from core.access import Viewer
from core.bootstrap import Application
from core.errors import LinkExpired, LinkInvalid, Unauthenticated
from core.models import Session
from core.services.auth.sessions import viewer_of_session, viewer_of_token
from core.services.shared.encryption import derived_key

LIFETIME: Final = timedelta(minutes=10)
LONGEST_LINK: Final = 1_000
_PURPOSE: Final = "download links v1"


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """A link that was opened: who may have the file, what it is made of, and when the link was made."""

    viewer: Viewer
    what: Mapping[str, str]
    made_at: datetime


def make_link(application: Application, viewer: Viewer, what: Mapping[str, str], *, now: datetime) -> str:
    """The text of a link to a file for this viewer."""
    content = {
        "account": viewer.account_id,
        "session": viewer.session_id,
        "at": now.timestamp(),
        "what": what,
    }
    body = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return f"{_text(body)}.{_text(_signature(application, body))}"


async def open_link(application: Application, text: str, token: str | None, *, now: datetime) -> OpenedLink:
    """What a link stands for.

    Args:
        application: whose secret it was signed with.
        text: the link.
        token: that of the request, if it has one.
        now: the moment.

    Raises:
        LinkInvalid: no link of this application, or not this viewer's; or its session has ended.
        LinkExpired: it was made too long ago.
    """
    try:
        body, signature = (
            (_bytes(part) for part in text.split(".")) if len(text) <= LONGEST_LINK else (b"", b"")
        )
    except ValueError:
        raise LinkInvalid from None
    if not hmac.compare_digest(signature, _signature(application, body)):
        raise LinkInvalid
    content = orjson.loads(body)
    made_at = datetime.fromtimestamp(content["at"], UTC)
    if not now - LIFETIME < made_at <= now:
        raise LinkExpired
    viewer = await _viewer_of_request(application, token, now)
    if viewer is None:
        viewer = await _viewer_of_its_session(application, content["session"], now)
    if viewer is None or viewer.account_id != content["account"]:
        raise LinkInvalid
    return OpenedLink(viewer, content["what"], made_at)


async def _viewer_of_request(application: Application, token: str | None, now: datetime) -> Viewer | None:
    """Whose token came with the request; None for none, and for a session's that has ended."""
    if token is None:
        return None
    try:
        return await viewer_of_token(application, token, now=now)
    except Unauthenticated:
        return None


async def _viewer_of_its_session(
    application: Application, session_id: int | None, now: datetime
) -> Viewer | None:
    if session_id is None:
        return None
    session = await Session.get_or_none(
        id=session_id, revoked_at=None, expires_at__gt=now, account__disabled_at=None
    ).select_related("account__operator")
    return None if session is None else viewer_of_session(application, session.account, session, now=now)


def _signature(application: Application, body: bytes) -> bytes:
    key = derived_key(application.settings.secret_key, _PURPOSE)
    return hmac.new(key, body, hashlib.sha256).digest()


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """The content of a text; it has one text only (RFC 4648 §3.5)."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except Base64Error as failure:
        raise ValueError("not base64") from failure
    if _text(content) != text:
        raise ValueError("not the base64 of its content")
    return content

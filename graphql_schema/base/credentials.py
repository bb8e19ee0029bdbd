"""The credentials of a request: a bearer token, or the session cookie that sign-in sets.

In: a request's headers. Out: the token, and whether the browser sent it as a cookie. The one rule: a
browser also sends cookies with requests that other sites start, so `from_another_site` is checked first.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from core.settings import Settings

COOKIE = "submeter_session"
DEVICE_COOKIE = "submeter_device"
DEVICE_FOR = timedelta(days=400)
"""The longest lifetime that browsers allow a cookie."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The token that was sent, None for none; `by_cookie`: it was sent as the session cookie."""

    token: str | None = field(repr=False)
    by_cookie: bool

    @classmethod
    def of(cls, request: Request) -> "Credentials":
        """The bearer token of RFC 6750 §2.1, or else the cookie."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and bearer.strip():
            return cls(bearer.strip(), by_cookie=False)
        cookie = request.cookies.get(COOKIE) or None
        return cls(cookie, by_cookie=cookie is not None)


NOBODY = Credentials(None, by_cookie=False)


def from_another_site(request: Request, allowed: Collection[str] = ()) -> bool:
    """Whether the Origin header names another host, and none of these; clients but browsers send none."""
    origin = request.headers.get("origin")
    if origin is None or origin.lower() in allowed:
        return False
    return urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower()


def set_session_cookie(response: Response, token: str, settings: Settings) -> None:
    """Set the session cookie: hidden from scripts, and not sent with requests from other sites."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(settings.session_lifetime.total_seconds()),
        secure=settings.cookie_secure,
        httponly=True,
        samesite="strict",
    )


def set_device_cookie(response: Response, token: str, settings: Settings) -> None:
    """Set the cookie that marks a browser which has signed in before; it grants no access."""
    response.set_cookie(
        DEVICE_COOKIE,
        token,
        max_age=int(DEVICE_FOR.total_seconds()),
        secure=settings.cookie_secure,
        httponly=True,
        samesite="strict",
    )


def clear_session_cookie(response: Response, settings: Settings) -> None:
    response.delete_cookie(COOKIE, secure=settings.cookie_secure, httponly=True, samesite="strict")

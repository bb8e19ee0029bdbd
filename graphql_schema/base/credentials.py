"""What a request shows of who is asking: a bearer token, or the session cookie that sign-in sets.

In: a request's headers. Out: the token, and whether a browser sent it by itself. The one rule: a cookie goes
along with requests that other sites start, so `from_another_site` is asked before it counts.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from core.settings import Settings

COOKIE = "submeter_session"
DEVICE_COOKIE = "submeter_device"
DEVICE_FOR = timedelta(days=400)
"""As long as browsers keep a cookie."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The token that was shown, None for none; `by_cookie`: it came as the session cookie."""

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


def from_another_site(request: Request) -> bool:
    """Whether a browser says that a page of another host sent this; other clients say nothing."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower()


def set_session_cookie(response: Response, token: str, settings: Settings) -> None:
    """Out of reach of scripts, and not sent along when another site links here."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(settings.session_lifetime.total_seconds()),
        secure=settings.cookie_secure,
        httponly=True,
        samesite="strict",
    )


def set_device_cookie(response: Response, token: str, settings: Settings) -> None:
    """By which a browser is known that has signed in before; it opens nothing."""
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

"""The page of GraphiQL and its assets, as `make graphiql` has built them into this package.

In: a browser's GET. Out: the page with a Content-Security-Policy of its own, or a sentence that says what
to run where nothing is built. The one rule: a page allows what this server sends and nothing else: no
inline script, no eval, no other host; the styles that menus add while they are open carry the answer's own
nonce.
"""

import secrets
from html import escape
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from core.settings import Settings

PATH: Final = "/graphiql/{name:path}"
BUILT: Final = Path(__file__).parent / "built"
HOW_TO_BUILD: Final = (
    "GraphiQL is not built yet: run `make graphiql` in the folder of Submeter, then load this page again."
)
OFF: Final = "GraphiQL is switched off here (SUBMETER_GRAPHQL_GRAPHIQL)."
_NONCE: Final = "CSP_NONCE"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_FOR_A_YEAR: Final = "public, max-age=31536000, immutable"
"""The names of assets contain a hash of what is in them."""


def policy(nonce: str) -> str:
    """What a page may load, and from where."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def page(settings: Settings) -> Response:
    """GraphiQL, or the sentence that says why not."""
    if not settings.graphql.graphiql:
        return _sentence(OFF, 404)
    try:
        text = (BUILT / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return _sentence(HOW_TO_BUILD, 200)
    nonce = secrets.token_urlsafe(16)
    return _page(text.replace(_NONCE, nonce), nonce, 200)


async def asset(request: Request) -> Response:
    """A file of the page, packed where the browser takes that."""
    name: str = request.path_params["name"]
    settings: Settings = request.app.state.application.settings
    known = {path.relative_to(BUILT).as_posix(): path for path in BUILT.glob("**/*") if path.suffix in _TYPES}
    path = known.get(name) if settings.graphql.graphiql else None
    if path is None:
        return Response("There is no such file.", 404, media_type="text/plain")
    headers = {"Cache-Control": _FOR_A_YEAR if name.startswith("assets/") else "no-cache"}
    packed = path.with_name(f"{path.name}.gz")
    if packed.exists():
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            path, headers["Content-Encoding"] = packed, "gzip"
    return FileResponse(path, headers=headers, media_type=_TYPES[known[name].suffix])


def _sentence(text: str, status: int) -> Response:
    shown = f'<!doctype html><html lang="en"><title>GraphiQL</title><p>{escape(text)}</p></html>'
    return _page(shown, secrets.token_urlsafe(16), status)


def _page(text: str, nonce: str, status: int) -> Response:
    return HTMLResponse(text, status, {"Content-Security-Policy": policy(nonce)})

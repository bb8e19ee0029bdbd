"""`GET /verify` and `GET /verify/<code>`: whether a paper is genuine, as a page or as JSON, for anybody.

In: a code as it was typed; a file's hash as `?sha256=`, or the file itself as the body of a POST. Out: what
`core.services.certificates.verification` says, and whether the hashes are the same. The one rule: the page
runs its own script and nothing else (Content-Security-Policy by hash); a file that is chosen in it is hashed
in the browser and not sent.
"""

import base64
import hashlib
import hmac
import re
from datetime import datetime
from html import escape
from typing import Final

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from core.access import Visitor
from core.access.paper_codes import read, shown
from core.database_errors import may_pass
from core.errors import RateLimited, SubmeterError, Unavailable
from core.language import Language
from core.services.auth.issued_papers import VERIFY_PATH
from core.services.certificates.verification import VerifiedPaper, verified_paper
from core.services.telegrams.intake_queue import WAIT_FOR_DATABASE
from core.texts.certificates import words
from core.texts.leaks import date_text
from graphql_schema.base.languages import preferred

PATH: Final = VERIFY_PATH
CODE_PATH: Final = f"{VERIFY_PATH}/{{code}}"
LARGEST_FILE: Final = 10_000_000
"""Of what is sent to be hashed: a dossier of a year has a hundredth of it."""

_HASH: Final = re.compile(r"[0-9a-fA-F]{64}")
_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 42rem; padding: 2rem 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
dl { display: grid; gap: .25rem 1rem; grid-template-columns: max-content 1fr; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
.yes { color: #0a6b2d; font-weight: 600; } .no { color: #a4161a; font-weight: 600; }
label { display: block; margin: .75rem 0 .25rem; }
input { box-sizing: border-box; font: inherit; padding: .4rem; width: 100%; }
button { font: inherit; margin-top: .75rem; padding: .4rem 1rem; }
"""
_SCRIPT: Final = """
const field = document.getElementById("file"), result = document.getElementById("result");
if (field && window.crypto && crypto.subtle) {
  field.addEventListener("change", async () => {
    const file = field.files[0];
    result.textContent = "";
    if (!file) return;
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    const hash = [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, "0")).join("");
    const same = hash === field.dataset.hash;
    result.className = same ? "yes" : "no";
    result.textContent = same ? field.dataset.same : field.dataset.different;
  });
} else if (field) {
  document.getElementById("by-file").hidden = true;
}
"""


def _hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY: Final = (
    f"default-src 'none'; script-src {_hash_of(_SCRIPT)}; style-src {_hash_of(_STYLE)}; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)


async def ask(request: Request) -> Response:
    """The form, or where it leads; JSON asks for a code at once."""
    text = request.query_params.get("code", "")
    if text:
        return RedirectResponse(f"{PATH}/{_in_path(text)}", 303)
    language = _language(request)
    return _page(language, _form(language))


def _in_path(text: str) -> str:
    """A code as it is printed; of a text that is none, what could be one."""
    code = read(text)
    return shown(code) if code else re.sub(r"[^A-Za-z0-9-]", "", text)[:40] or "0"


async def verify(request: Request) -> Response:
    """Whether the code is that of a paper; and whether a file is that paper, if one or its hash is given."""
    language, as_json = _language(request), _wants_json(request)
    given = request.query_params.get("sha256", "").strip()
    try:
        paper = await _paper(request)
        if request.method == "POST":
            given, as_json = await _hash_of_body(request), True
    except _FileTooLarge:
        return _json(413, {"code": "TOO_LARGE", "message": f"The file is larger than {LARGEST_FILE} bytes."})
    except ClientDisconnect:
        return _json(400, {"code": "INCOMPLETE", "message": "The body ended too early."})
    except RateLimited as refusal:
        if as_json:
            return _refused(refusal, 429)
        return _page(
            language, _verdict(words("page.limited", language), good=False), 429, refusal.retry_after_s
        )
    except Exception as failure:
        if may_pass(failure):
            return _refused(Unavailable(retry_after=WAIT_FOR_DATABASE), 503)
        raise
    matches = _matches(paper, given)
    status = 404 if paper is None else 200
    if as_json:
        return _json(status, _facts(paper, matches=matches))
    return _page(language, _answer(paper, given, language, matches=matches), status)


async def _paper(request: Request) -> VerifiedPaper | None:
    client = request.client
    visitor = Visitor(client.host[:45] if client else None, request.headers.get("user-agent", ""))
    now: datetime = request.app.state.clock()
    text: str = request.path_params["code"]
    return await verified_paper(request.app.state.application, text, visitor=visitor, now=now)


class _FileTooLarge(Exception):
    """The body is longer than a paper can be."""


async def _hash_of_body(request: Request) -> str:
    """Of the file that is sent, piece by piece; nothing of it is kept."""
    digest, size = hashlib.sha256(), 0
    async for piece in request.stream():
        size += len(piece)
        if size > LARGEST_FILE:
            raise _FileTooLarge
        digest.update(piece)
    return digest.hexdigest()


def _matches(paper: VerifiedPaper | None, given: str) -> bool | None:
    """Whether the hash is the paper's; None where there is no hash to compare."""
    if paper is None or not _HASH.fullmatch(given):
        return None
    return hmac.compare_digest(given.lower(), paper.sha256)


def _facts(paper: VerifiedPaper | None, *, matches: bool | None) -> dict[str, object]:
    if paper is None:
        return {"known": False}
    return {
        "known": True,
        "code": paper.code,
        "kind": paper.kind.value,
        "issuedAt": paper.issued_at,
        "issuedBy": paper.operator_name,
        "sha256": paper.sha256,
        "size": paper.size,
        "matches": matches,
    }


def _answer(paper: VerifiedPaper | None, given: str, language: Language, *, matches: bool | None) -> str:
    if paper is None:
        return _verdict(words("page.unknown", language), good=False) + _form(language)
    # A page for anybody has no time zone but the universal one.
    issued = f"{date_text(paper.issued_at.date(), language)} {paper.issued_at:%H:%M} UTC"
    facts = (
        ("page.kind", words(f"page.kind.{paper.kind.value}", language)),
        ("page.issued", issued),
        ("page.by", paper.operator_name),
        ("page.size", words("page.bytes", language, size=paper.size)),
        ("page.hash", paper.sha256),
    )
    listed = "".join(
        f"<dt>{escape(words(key, language))}</dt><dd>{escape(value)}</dd>" for key, value in facts
    )
    compared = ""
    if given:
        key = {True: "page.same", False: "page.different", None: "page.not_a_hash"}[matches]
        compared = _verdict(words(key, language), good=matches is True)
    return "".join(
        (
            _verdict(words("page.known", language), good=True),
            f"<p><strong>{escape(paper.code)}</strong></p><dl>{listed}</dl>",
            f"<h2>{escape(words('page.compare', language))}</h2>{compared}",
            _compare(paper, language),
            f"<p>{escape(words('page.paper', language))}</p>",
        )
    )


def _compare(paper: VerifiedPaper, language: Language) -> str:
    """A file that is hashed in the browser; or its hash, which needs no script."""
    same, different = (escape(words(f"page.{key}", language)) for key in ("same", "different"))
    return (
        f'<div id="by-file"><p>{escape(words("page.compare.text", language))}</p>'
        f'<label for="file">{escape(words("page.compare", language))}</label>'
        f'<input type="file" id="file" data-hash="{escape(paper.sha256)}" data-same="{same}"'
        f' data-different="{different}"><p id="result" role="status"></p></div>'
        f'<form method="get" action="{PATH}/{escape(paper.code)}">'
        f'<label for="sha256">{escape(words("page.compare.hash", language))}</label>'
        '<input id="sha256" name="sha256" maxlength="64" autocomplete="off" spellcheck="false">'
        f"<button>{escape(words('page.check', language))}</button></form>"
    )


def _form(language: Language) -> str:
    return (
        f'<form method="get" action="{PATH}"><label for="code">{escape(words("page.ask", language))}</label>'
        '<input id="code" name="code" maxlength="40" autocomplete="off" autocapitalize="characters"'
        f' spellcheck="false" required><button>{escape(words("page.check", language))}</button></form>'
    )


def _verdict(text: str, *, good: bool) -> str:
    return f'<p class="{"yes" if good else "no"}">{escape(text)}</p>'


def _page(language: Language, body: str, status: int = 200, retry_after_s: int | None = None) -> Response:
    title = escape(words("page.title", language))
    text = (
        f'<!doctype html><html lang="{language.value}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{body}</main><script>{_SCRIPT}</script></body></html>"
    )
    headers = {"Content-Security-Policy": POLICY, "Content-Language": language.value, "Vary": _VARY}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return Response(text, status, headers, media_type="text/html; charset=utf-8")


_VARY: Final = "Accept, Accept-Language"


def _refused(refusal: SubmeterError, status: int) -> Response:
    headers = {}
    if isinstance(refusal, RateLimited | Unavailable):
        headers["Retry-After"] = str(refusal.retry_after_s)
    return _json(status, {"code": refusal.code, "message": refusal.message, **refusal.details}, headers)


def _json(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    given = {"Vary": _VARY, **(headers or {})}
    return Response(orjson.dumps(content), status, given, media_type="application/json")


def _language(request: Request) -> Language:
    return preferred(request.headers.get("accept-language", ""))


def _wants_json(request: Request) -> bool:
    """Whether JSON is named in `Accept` before a page is; browsers name `text/html` first."""
    for entry in request.headers.get("accept", "").split(","):
        kind = entry.partition(";")[0].strip().lower()
        if kind in {"application/json", "text/html"}:
            return kind == "application/json"
    return False

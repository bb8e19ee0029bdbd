"""Loopback servers that messages are sent to: a real SMTP server, and Vonage's SMS endpoint.

The one rule: they implement the protocol on a socket, so tests see what is really sent.
"""

import json
import logging
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from requests.adapters import HTTPAdapter


class Mailbox:
    """An aiosmtpd handler that keeps mails, or refuses with the next entry of `refusals`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.logins: list[tuple[str, str]] = []
        self.refusals: list[str] = []
        self.password = ""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.recipients += envelope.rcpt_tos
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login.decode(), data.password.decode()))
        # `handled` must be False where it failed, or the server says nothing and the client waits.
        return AuthResult(success=data.password.decode() == self.password, handled=False)

    def texts_to(self, recipient: str) -> list[str]:
        """The plain texts of the mails to somebody, in order."""
        return [part_of(mail, "plain") for mail in self.mails if mail["To"] == recipient]


def part_of(mail: EmailMessage, kind: str) -> str:
    """A mail's text as it is written in one of its parts: `plain` or `html`."""
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage), f"no {kind} part"
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


class _LoopbackController(Controller):
    def __init__(self, box: Mailbox, *, starttls: ssl.SSLContext | None, tls: ssl.SSLContext | None) -> None:
        self._starttls = starttls
        self._box = box
        super().__init__(box, hostname="127.0.0.1", port=0, ssl_context=tls)

    def factory(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the password is in the clear on loopback only
            return SMTP(
                self._box,
                hostname="mail.test",
                tls_context=self._starttls,
                require_starttls=self._starttls is not None,
                auth_required=bool(self._box.password),
                auth_require_tls=False,
                authenticator=self._box.authenticate,
            )

    def _trigger_server(self) -> None:
        """The base class's first connection, to the port that the system chose."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def smtp_server(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, password: str = ""
) -> Iterator[tuple[Mailbox, int]]:
    """A server on loopback; answers its mailbox and its port."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # the server's own log, which quotes its mail
    box = Mailbox()
    box.password = password
    controller = _LoopbackController(box, starttls=starttls, tls=tls)
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()


@dataclass
class SmsCentre:
    """What Vonage's `/sms/json` was sent; `statuses` are the answers to come, then always success."""

    port: int = 0
    requests: list[dict[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)

    def texts_to(self, number: str) -> list[str]:
        return [one["text"] for one in self.requests if one["to"] == number.removeprefix("+")]


@contextmanager
def sms_centre(monkeypatch: Any) -> Iterator[SmsCentre]:
    """The endpoint on loopback. The library insists on https://, so its adapter is turned to plain HTTP here.

    A status `cut` drops the connection after the request was read, `http 503` answers that status.
    """
    centre = SmsCentre()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            centre.requests.append({name: values[0] for name, values in parse_qs(body).items()})
            centre.authorizations.append(self.headers["authorization"])
            status = centre.statuses.pop(0) if centre.statuses else "0"
            if status == "cut":
                self.close_connection = True
                return
            if status.startswith("http "):
                self.send_response(int(status[5:]))
                self.send_header("content-length", "0")
                self.end_headers()
                return
            answer = {"to": "33600000000", "message-id": "x", "status": status, "network": "20801"}
            answer |= {"remaining-balance": "1", "message-price": "0"}
            answer |= {"error-text": "refused"} if status != "0" else {}
            content = json.dumps({"message-count": "1", "messages": [answer]}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """The tests' output is for failures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    centre.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    send = HTTPAdapter.send

    def to_loopback(adapter: HTTPAdapter, request: Any, **options: Any) -> Any:
        host, _, path = request.url.removeprefix("https://").partition("/")
        assert host == "rest.nexmo.com", host
        request.url = f"http://127.0.0.1:{centre.port}/{path}"
        return send(adapter, request, **options)

    monkeypatch.setattr(HTTPAdapter, "send", to_loopback)
    try:
        yield centre
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

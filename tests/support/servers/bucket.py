"""A service on a loopback socket that speaks as much of S3 as storing, reading and deleting objects needs.

The one rule: it checks what a real one does: the signature of each request (AWS Signature Version 4) and the
digest of each body, so that a client which signs wrongly, or sends something else, is refused.
"""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

KEY, SECRET, REGION, NAME = "AKIATEST", "a/secret+key", "fr-par", "documents"


@dataclass
class Service:
    """The objects of the bucket, what was asked, and how the next requests are refused."""

    port: int = 0
    objects: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)

    def url(self, *, secret: str = "a%2Fsecret%2Bkey", bucket: str = NAME, region: str = REGION) -> str:
        return f"s3+http://{KEY}:{secret}@127.0.0.1:{self.port}/{bucket}?region={region}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._is_allowed(body):
            self.service.objects[self._object] = (body, datetime.now(UTC))
            self._answer(200, headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})

    def do_GET(self) -> None:
        if not self._is_allowed(b""):
            return
        found = self.service.objects.get(self._object)
        if found is None:
            self._refuse(404, "NoSuchKey")
            return
        stamp = format_datetime(found[1], usegmt=True)
        self._answer(200, found[0], {"Last-Modified": stamp, "ETag": '"x"'})

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def do_DELETE(self) -> None:
        if self._is_allowed(b""):
            self.service.objects.pop(self._object, None)
            self._answer(204)

    @property
    def _object(self) -> str:
        return urlsplit(self.path).path.rpartition("/")[2]

    def _is_allowed(self, body: bytes) -> bool:
        self.service.asked.append(f"{self.command} {urlsplit(self.path).path}")
        if self.service.failures:
            self._refuse(self.service.failures.pop(0), "SlowDown")
        elif self.headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            self._refuse(400, "XAmzContentSHA256Mismatch")
        elif self.headers["Authorization"] != self._signed():
            self._refuse(403, "SignatureDoesNotMatch")
        elif urlsplit(self.path).path.split("/")[1] != NAME:
            self._refuse(404, "NoSuchBucket")
        else:
            return True
        return False

    def _signed(self) -> str:
        """The header that a client with the right secret sends (AWS, "Create a signed request")."""
        given = self.headers.get("Authorization", "")
        names = given.partition("SignedHeaders=")[2].partition(",")[0]
        at = self.headers.get("x-amz-date", "")
        scope = f"{at[:8]}/{REGION}/s3/aws4_request"
        parts = urlsplit(self.path)
        request = "\n".join(
            [
                *(self.command, parts.path, parts.query),
                *(f"{name}:{' '.join(self.headers.get(name, '').split())}" for name in names.split(";")),
                *("", names, self.headers.get("x-amz-content-sha256", "")),
            ]
        )
        digest = hashlib.sha256(request.encode()).hexdigest()
        key = f"AWS4{SECRET}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}"
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={names}, Signature={signature}"

    def _refuse(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>{code}</Message><Resource>/</Resource></Error>"
        self._answer(status, body.encode(), {"Content-Type": "application/xml", "x-amz-error-code": code})

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing to log."""


@contextmanager
def bucket_service() -> Iterator[Service]:
    """A service, for the time of the block."""
    service = Service()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"service": service}))
    server.daemon_threads = True
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

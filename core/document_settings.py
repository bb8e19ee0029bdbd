"""Where deposited documents are stored, and how large one may be.

In: the variables `SUBMETER_DOCUMENTS_*`, without that prefix. Out: one frozen value. The one rule: a store is
a folder, by default one of the data folder, or a bucket of a service that speaks S3; its credentials are part
of its URL and are never printed.

    file:///var/lib/submeter/documents
    s3+https://key:secret@s3.example.org/bucket?region=fr-par
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

MOST_BYTES = 10 << 20
LEAST_MOST_BYTES, LARGEST_MOST_BYTES = 64 << 10, 64 << 20
_S3 = {"s3+https": True, "s3+http": False}


class DocumentSettingError(Exception):
    """A value that cannot be read; `name` is that of the variable, without the prefix."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of a service that speaks S3."""

    endpoint: str
    name: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str | None
    is_encrypted: bool
    """Whether it is reached by HTTPS."""


@dataclass(frozen=True, slots=True)
class DocumentSettings:
    """The settings of deposited documents.

    Attributes:
        folder: where they are stored; None: `documents` of the data folder.
        bucket: where they are stored instead.
        most_bytes: the largest file.
    """

    folder: Path | None = None
    bucket: Bucket | None = None
    most_bytes: int = MOST_BYTES

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "DocumentSettings":
        """The settings that differ from the defaults as these texts say.

        Raises:
            DocumentSettingError: a text cannot be read.
        """
        folder, bucket = _store(given.get("URL", "").strip())
        return cls(folder=folder, bucket=bucket, most_bytes=_bytes(given.get("BYTES", "").strip()))


def _store(url: str) -> tuple[Path | None, Bucket | None]:
    if not url:
        return None, None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise DocumentSettingError("URL", "cannot be read") from None
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return Path(unquote(parts.path)), None
    bucket = parts.path.strip("/")
    if parts.scheme not in _S3 or not parts.hostname or not bucket or "/" in bucket:
        raise DocumentSettingError(
            "URL", "must be file:///folder, or s3+https://key:secret@host/bucket?region=name"
        )
    if not parts.username or not parts.password:
        raise DocumentSettingError("URL", "must have the key and its secret before the host")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return None, Bucket(
        endpoint=f"{host}:{port}" if port else host,
        name=bucket,
        access_key=unquote(parts.username),
        secret_key=unquote(parts.password),
        region=parse_qs(parts.query).get("region", [""])[0] or None,
        is_encrypted=_S3[parts.scheme],
    )


def _bytes(text: str) -> int:
    if not text:
        return MOST_BYTES
    is_number = text.isascii() and text.isdecimal() and len(text) <= 12
    if not is_number or not LEAST_MOST_BYTES <= int(text) <= LARGEST_MOST_BYTES:
        raise DocumentSettingError(
            "BYTES", f"must be a whole number from {LEAST_MOST_BYTES} to {LARGEST_MOST_BYTES}"
        )
    return int(text)

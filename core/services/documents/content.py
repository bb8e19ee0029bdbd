"""What every store of deposited files does with content: its name is its SHA-256, checked when it is read.

In: bytes, and names. Out: the same, if they belong together. The one rule: no name leads out of a store, and
content that is not what was stored under its name is an error.
"""

import hashlib
import re
from datetime import datetime
from typing import Final, Protocol

from core.errors import SubmeterError

_NAME: Final = re.compile(r"[0-9a-f]{64}")


class ContentLost(SubmeterError):
    """The store has no such content, or another one under its name."""

    code = "CONTENT_LOST"


class FileStore(Protocol):
    """Where content is stored."""

    def store(self, content: bytes) -> str:
        """Store content; returns its SHA-256. What is there already is stored anew, and so is new again.

        Raises:
            OSError: the store cannot be written.
        """
        ...

    def read(self, sha256: str) -> bytes:
        """The content.

        Raises:
            ContentLost: there is none, or it is not what was stored.
            OSError: the store cannot be read.
        """
        ...

    def delete(self, sha256: str, *, stored_before: datetime) -> None:
        """Delete content, unless it was stored (again) since."""
        ...


def name_checked(sha256: str) -> str:
    """The name, if it is one of a content: so no name leads out of the store."""
    if _NAME.fullmatch(sha256) is None:
        raise ContentLost("This is no name of a content.")
    return sha256


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def checked(content: bytes, sha256: str) -> bytes:
    """The content, if it is what was stored under this name."""
    if sha256_of(content) != sha256:
        raise ContentLost("The file of this document is damaged.")
    return content

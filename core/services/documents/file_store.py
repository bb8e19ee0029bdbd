"""Stores the content of deposited files: a folder, or a bucket of a service that speaks S3.

In: bytes. Out: their SHA-256, and for it the bytes. The one rule: content is named by its SHA-256, never
changed, and checked when it is read; so a file that was damaged, or exchanged, is an error and no document.

The functions of a store block, and are run in a thread.
"""

import asyncio
import logging
import os
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from core.bootstrap import Application
from core.document_settings import Bucket
from core.errors import Unavailable
from core.services.documents.content import ContentLost, FileStore, checked, name_checked, sha256_of
from core.settings import SettingsError

_log = logging.getLogger(__name__)

_TRY_AGAIN: Final = timedelta(seconds=30)


class StoreAway(Unavailable):
    """The store cannot be reached, or written."""

    def __init__(self) -> None:
        super().__init__(retry_after=_TRY_AGAIN)
        self.message = f"The file store cannot be reached: try again in {self.retry_after_s} seconds."


class FolderStore:
    """A folder of folders by the first two digits; only the account that runs the application may read it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, content: bytes) -> str:
        name = sha256_of(content)
        path = self._path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(fresh).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(fresh).unlink()
            raise
        return name

    def read(self, sha256: str) -> bytes:
        try:
            content = self._path(sha256).read_bytes()
        except FileNotFoundError:
            raise ContentLost("The file of this document is missing.") from None
        return checked(content, sha256)

    def delete(self, sha256: str, *, stored_before: datetime) -> None:
        path = self._path(sha256)
        with suppress(FileNotFoundError):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < stored_before:
                path.unlink()

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / name_checked(sha256)


def store_of(application: Application) -> FileStore:
    """The store that the settings name.

    Raises:
        SettingsError: a bucket is named, and the library for it is not installed.
    """
    settings = application.settings
    if settings.documents.bucket is not None:
        return _bucket_store(settings.documents.bucket)
    return FolderStore(settings.documents.folder or settings.data_dir / "documents")


@lru_cache(maxsize=4)
def _bucket_store(bucket: Bucket) -> FileStore:
    """One client a process: it holds the connections."""
    if find_spec("minio") is None:
        raise SettingsError('requires pip install "submeter[s3]"', field="SUBMETER_DOCUMENTS_URL")
    from core.services.documents.bucket_store import BucketStore  # noqa: PLC0415 - of the extra

    return BucketStore(bucket)


async def stored(application: Application, content: bytes) -> str:
    """Store content without blocking other requests; returns its SHA-256.

    Raises:
        StoreAway: the store cannot be reached, or written.
    """
    try:
        return await asyncio.to_thread(store_of(application).store, content)
    except OSError as failure:
        raise _away(failure) from failure


async def content_of(application: Application, sha256: str) -> bytes:
    """Read content without blocking other requests.

    Raises:
        ContentLost: there is none, or it is not what was stored.
        StoreAway: the store cannot be reached.
    """
    try:
        return await asyncio.to_thread(store_of(application).read, sha256)
    except OSError as failure:
        raise _away(failure) from failure


async def removed(application: Application, sha256: str, *, stored_before: datetime) -> None:
    """Delete content without blocking other requests, unless it was stored (again) since.

    Raises:
        StoreAway: the store cannot be reached.
    """
    store = store_of(application)
    try:
        await asyncio.to_thread(lambda: store.delete(sha256, stored_before=stored_before))
    except OSError as failure:
        raise _away(failure) from failure


def _away(failure: OSError) -> StoreAway:
    _log.error("The file store failed: %s", failure.strerror or failure)
    return StoreAway()

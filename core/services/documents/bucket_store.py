"""Stores content in a bucket of a service that speaks S3, with MinIO's client (the extra `s3`).

In: bytes. Out: as `content.FileStore`. The one rule: a request has a time limit, and is repeated twice; what
fails then is the caller's, who answers that the store is away. Content is under its SHA-256, so a repeated or
interrupted request leaves the same object or none.
"""

import io
from contextlib import suppress
from datetime import datetime
from typing import Final

from minio import Minio
from minio.error import MinioException, S3Error
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from core.document_settings import Bucket
from core.services.documents.content import ContentLost, checked, name_checked, sha256_of

_TIMEOUT: Final = Timeout(connect=5, read=30)
_RETRIES: Final = Retry(total=2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504])
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchObject"})


class BucketStore:
    """A bucket, which exists already: its rights and its encryption are the operator's."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket.name
        self._client = Minio(
            endpoint=bucket.endpoint,
            access_key=bucket.access_key,
            secret_key=bucket.secret_key,
            region=bucket.region,
            secure=bucket.is_encrypted,
            http_client=PoolManager(timeout=_TIMEOUT, retries=_RETRIES),
        )

    def store(self, content: bytes) -> str:
        name = sha256_of(content)
        try:
            self._client.put_object(
                bucket_name=self._bucket, object_name=name, data=io.BytesIO(content), length=len(content)
            )
        except (MinioException, HTTPError) as failure:
            raise OSError(_reason(failure)) from failure
        return name

    def read(self, sha256: str) -> bytes:
        name = name_checked(sha256)
        try:
            answer = self._client.get_object(bucket_name=self._bucket, object_name=name)
            try:
                content: bytes = answer.read()
            finally:
                answer.close()
                answer.release_conn()
        except (MinioException, HTTPError) as failure:
            if isinstance(failure, S3Error) and failure.code in _MISSING:
                raise ContentLost("The file of this document is missing.") from None
            raise OSError(_reason(failure)) from failure
        return checked(content, sha256)

    def delete(self, sha256: str, *, stored_before: datetime) -> None:
        name = name_checked(sha256)
        try:
            with suppress(_Missing):
                if self._stored_at(name) < stored_before:
                    self._client.remove_object(bucket_name=self._bucket, object_name=name)
        except (MinioException, HTTPError) as failure:
            raise OSError(_reason(failure)) from failure

    def _stored_at(self, name: str) -> datetime:
        try:
            found = self._client.stat_object(bucket_name=self._bucket, object_name=name)
        except S3Error as failure:
            if failure.code in _MISSING:
                raise _Missing from None
            raise
        assert found.last_modified is not None
        return found.last_modified


class _Missing(Exception):
    """There is no such object."""


def _reason(failure: Exception) -> str:
    """What to log: the service's code, and never a URL, which may be signed."""
    return failure.code or "S3" if isinstance(failure, S3Error) else type(failure).__name__

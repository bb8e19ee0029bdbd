"""Documents in a bucket: every request is signed, and what fails is an error of the store."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.document_settings import DocumentSettings
from core.services.documents.bucket_store import BucketStore
from core.services.documents.content import ContentLost, FileStore, sha256_of
from tests.support.servers.bucket import Service, bucket_service

CONTENT = b"%PDF- some content"


@pytest.fixture
def service() -> Iterator[Service]:
    with bucket_service() as one:
        yield one


def store_at(url: str) -> FileStore:
    bucket = DocumentSettings.of({"URL": url}).bucket
    assert bucket is not None
    return BucketStore(bucket)


def test_content_is_an_object_under_its_digest(service: Service) -> None:
    """Stored, read, and stored twice as one; what is missing or exchanged is no content."""
    store = store_at(service.url())
    name = store.store(CONTENT)
    assert name == sha256_of(CONTENT) == store.store(CONTENT)
    assert {key: found[0] for key, found in service.objects.items()} == {name: CONTENT}
    assert store.read(name) == CONTENT
    service.objects[name] = (CONTENT + b"!", datetime.now(UTC))
    with pytest.raises(ContentLost):
        store.read(name)
    for wrong in (sha256_of(b"another"), "../secrets"):
        with pytest.raises(ContentLost):
            store.read(wrong)


def test_content_is_deleted_unless_it_was_stored_again(service: Service) -> None:
    """By the service's own time; what is gone already is no failure."""
    store = store_at(service.url())
    name, present = store.store(CONTENT), datetime.now(UTC)
    store.delete(name, stored_before=present - timedelta(days=1))
    assert name in service.objects
    store.delete(name, stored_before=present + timedelta(days=1))
    assert service.objects == {}
    store.delete(name, stored_before=present)


@pytest.mark.parametrize(
    "changed",
    [{"secret": "another"}, {"bucket": "others"}, {"region": "nl-ams"}],
    ids=lambda one: next(iter(one)),
)
def test_a_wrong_setting_is_a_failure_of_the_store(service: Service, changed: dict[str, str]) -> None:
    """The service refuses the signature, or knows no such bucket; nothing is taken for missing content."""
    store = store_at(service.url(**changed))
    with pytest.raises(OSError, match=r"SignatureDoesNotMatch|NoSuchBucket") as caught:
        store.store(CONTENT)
    assert "another" not in str(caught.value)
    with pytest.raises(OSError, match=r"SignatureDoesNotMatch|NoSuchBucket"):
        store.read(sha256_of(CONTENT))


def test_a_service_that_stumbles_is_asked_again(service: Service) -> None:
    """Twice; then it is a failure. One that is not there is a failure too."""
    store = store_at(service.url())
    service.failures = [503, 500]
    assert store.store(CONTENT) == sha256_of(CONTENT)
    assert len(service.asked) == 3
    service.failures = [503] * 3
    with pytest.raises(OSError, match=r"MaxRetryError|SlowDown"):
        store.read(sha256_of(CONTENT))
    with pytest.raises(OSError, match="MaxRetryError"):
        store_at("s3+http://k:s@127.0.0.1:1/documents?region=x").store(CONTENT)

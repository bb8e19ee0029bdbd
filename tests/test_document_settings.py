"""The settings of deposited documents: what is read, what is refused, what the documentation says."""

from pathlib import Path

import pytest

from core.document_settings import MOST_BYTES, Bucket, DocumentSettings
from core.settings import SettingsError, from_environment

ROOT = Path(__file__).resolve().parent.parent


def read(tmp_path: Path, **variables: str) -> DocumentSettings:
    prefixed = {f"SUBMETER_DOCUMENTS_{name}": text for name, text in variables.items()}
    return from_environment({"SUBMETER_DATA_DIR": str(tmp_path), **prefixed}).documents


def test_each_variable_is_read(tmp_path: Path) -> None:
    """A folder, or a bucket whose key and secret are percent-encoded; nothing is the data folder's."""
    assert read(tmp_path) == read(tmp_path, URL="", BYTES=" ") == DocumentSettings()
    assert read(tmp_path, URL="file:///srv/my%20documents", BYTES="65536") == DocumentSettings(
        folder=Path("/srv/my documents"), most_bytes=65_536
    )
    found = read(tmp_path, URL="s3+https://AKIA:s%2Fc%40ret@s3.example.org:9000/notes?region=fr-par").bucket
    assert found == Bucket("s3.example.org:9000", "notes", "AKIA", "s/c@ret", "fr-par", is_encrypted=True)
    assert read(tmp_path, URL="s3+http://k:s@[::1]/b").bucket == Bucket(
        "[::1]", "b", "k", "s", None, is_encrypted=False
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "/srv/documents"),
        ("URL", "file://host/documents"),
        ("URL", "https://k:s@host/bucket"),
        ("URL", "s3+https://host/bucket"),
        ("URL", "s3+https://k@host/bucket"),
        ("URL", "s3+https://k:s@host/"),
        ("URL", "s3+https://k:s@host/bucket/folder"),
        ("URL", "s3+https://k:s@host:port/bucket"),
        ("BYTES", "65535"),
        ("BYTES", "67108865"),
        ("BYTES", "10 MB"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, value: str) -> None:
    """By its variable, and never with a secret."""
    with pytest.raises(SettingsError, match=f"^SUBMETER_DOCUMENTS_{name} ") as caught:
        read(tmp_path, **{name: value})
    assert "k:s" not in str(caught.value)


def test_a_secret_is_never_printed(tmp_path: Path) -> None:
    """Not as part of the settings either."""
    settings = read(tmp_path, URL="s3+https://AKIA:hunter2@s3.example.org/notes")
    assert "hunter2" not in repr(settings)


def test_the_documentation_names_them() -> None:
    """With their defaults, and in the sample of an environment."""
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert f"| `SUBMETER_DOCUMENTS_BYTES` | `{MOST_BYTES}` |" in page
    assert "| `SUBMETER_DOCUMENTS_URL` | `documents` in the data folder |" in page
    sample = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert f"#SUBMETER_DOCUMENTS_BYTES={MOST_BYTES}" in sample
    assert "#SUBMETER_DOCUMENTS_URL=" in sample

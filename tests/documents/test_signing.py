"""Signing: PAdES B-B by an operator's own certificate, or one that is made here; every change is noticed."""

import io
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.pdf_utils.reader import PdfFileReader

from core.documents.signing import (
    SigningUnavailable,
    identity_at,
    make_identity,
    path_of,
    signed,
)
from core.documents.statement import StatementContent, StatementFormat, StatementReason, statement_file
from core.language import Language
from core.settings import Settings
from tests.support.signatures import certificate_at, is_genuine, status_of

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a certificate that was just made."""
    path = tmp_path / "signing" / "ocea.p12"
    assert make_identity(path, "OCEA Smart Building", now=NOW)
    return path


@pytest.fixture(scope="module")
def paper() -> bytes:
    content = StatementContent(
        "OCEA", "AA000", "Les Tilleuls", "1 place Victor Hugo", "Europe/Paris", ("AA000",), "12",
        date(2026, 11, 22), (),
    )  # fmt: skip
    made = statement_file(content, StatementFormat.PDF, StatementReason.MOVE, language=Language.FR, now=NOW)
    return made.content


def test_a_signature_covers_the_whole_file(path: Path, paper: bytes) -> None:
    """Valid for a reader who trusts the certificate, at the moment of signing, as PAdES asks for."""
    file = signed(paper, identity_at(path, now=NOW), reason="Certificat", now=NOW)
    assert file.startswith(paper)  # an addition: what was laid out is untouched
    trusted = certificate_at(path, now=NOW)
    assert is_genuine(file, trusted, now=NOW)
    (signature,) = PdfFileReader(io.BytesIO(file)).embedded_signatures
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.self_reported_timestamp == NOW
    kinds = {attribute["type"].native for attribute in signature.signer_info["signed_attrs"]}
    assert {"content_type", "message_digest", "signing_certificate_v2"} <= kinds
    assert "signing_time" not in kinds  # ETSI EN 319 142-1, 6.3: it is in the dictionary


def test_another_certificate_is_not_trusted(path: Path, paper: bytes, tmp_path: Path) -> None:
    """One of the same name that somebody else made."""
    make_identity(tmp_path / "other.p12", "OCEA Smart Building", now=NOW)
    file = signed(paper, identity_at(tmp_path / "other.p12", now=NOW), reason="x", now=NOW)
    status = status_of(file, certificate_at(path, now=NOW), now=NOW)
    assert (status.intact, status.valid, status.trusted) == (True, True, False)


def test_a_changed_bit_is_noticed_wherever_it_is(path: Path, paper: bytes) -> None:
    """Of the first byte, the last one, and two hundred between them; so is a byte more.

    All but the signature itself is signed; a bit of that changes the hash that `/verify` compares.
    """
    file = signed(paper, identity_at(path, now=NOW), reason="x", now=NOW)
    trusted = certificate_at(path, now=NOW)
    start = file.rindex(b"/Contents <") + len(b"/Contents <")
    itself = range(start, file.index(b">", start))
    places = {0, len(file) - 1, start - 1, itself.stop, *range(7, len(file), len(file) // 200)} - {*itself}
    assert len(places) > 150
    for place in places:
        changed = bytearray(file)
        changed[place] ^= 1
        assert not is_genuine(bytes(changed), trusted, now=NOW), place
    assert not is_genuine(file + b"\n%", trusted, now=NOW)


def test_a_key_is_for_its_owner_alone_and_made_once(path: Path) -> None:
    """The folder 0700, the file 0600; what exists is never replaced, and no half file remains."""
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not make_identity(path, "Another name", now=NOW)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["ocea.p12"]


def test_an_operators_own_certificate_has_its_passphrase_in_a_file(path: Path, paper: bytes) -> None:
    """PKCS#12 with a passphrase, and the passphrase with a line end beside it; a wrong one signs nothing."""
    key, certificate, _ = pkcs12.load_key_and_certificates(path.read_bytes(), None)
    own = path.with_name("acme.p12")
    encryption = serialization.BestAvailableEncryption("un mot de passe é".encode())
    own.write_bytes(pkcs12.serialize_key_and_certificates(b"acme", key, certificate, None, encryption))
    words = path.with_name("acme.passphrase")
    words.write_text("un mot de passe é\n", encoding="utf-8")
    assert is_genuine(
        signed(paper, identity_at(own, now=NOW), reason="x", now=NOW), certificate_at(path, now=NOW), now=NOW
    )
    for text in ("wrong", ""):
        words.write_text(text, encoding="utf-8")
        own.touch()
        with pytest.raises(SigningUnavailable):
            identity_at(own, now=NOW + timedelta(seconds=1))


def test_nothing_is_signed_without_a_valid_certificate(path: Path, tmp_path: Path) -> None:
    """Missing, before it is valid, after it has expired, or no PKCS#12 at all."""
    broken = tmp_path / "broken.p12"
    broken.write_bytes(b"no PKCS#12")
    for file, at in (
        (tmp_path / "none.p12", NOW),
        (path, NOW - timedelta(days=1)),
        (path, NOW + timedelta(days=6 * 365)),
        (broken, NOW),
    ):
        with pytest.raises(SigningUnavailable):
            identity_at(file, now=at)


def test_a_certificate_that_is_renewed_is_used_at_once(path: Path, tmp_path: Path) -> None:
    """Without a restart: the file that is there decides."""
    first = identity_at(path, now=NOW).fingerprint
    make_identity(tmp_path / "new.p12", "OCEA Smart Building", now=NOW)
    (tmp_path / "new.p12").replace(path)
    assert identity_at(path, now=NOW).fingerprint != first


@pytest.mark.parametrize("code", ["../ocea", "a/b", "", ".", "é"])
def test_a_code_that_is_no_file_name_has_no_certificate(tmp_path: Path, code: str) -> None:
    """Nothing outside the folder is read."""
    settings = Settings(data_dir=tmp_path, database_url="sqlite:///x", secret_key="s" * 32)
    with pytest.raises(SigningUnavailable):
        path_of(settings, code)

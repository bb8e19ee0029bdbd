"""Signs a PDF: PAdES baseline B-B (ETSI EN 319 142-1) with an operator's certificate from a PKCS#12 file.

In: a PDF, and the identity of whoever signs. Out: the same PDF with a signature that covers all of its bytes,
so that any reader shows a later change. The one rule: key and certificate are the operator's own files, named
by the operator's code; one that is made here is signed by itself, so a reader trusts it only once somebody
has compared its fingerprint. Signing takes milliseconds of CPU time and runs an event loop of its own: call
it in a thread.
"""

import io
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from core.file_permissions import FILE_MODE, FOLDER_MODE, signing_folder
from core.settings import Settings

if TYPE_CHECKING:
    from pyhanko.sign.signers import SimpleSigner

PASSPHRASE_SUFFIX: Final = ".passphrase"  # noqa: S105 - the end of a file's name
_FIELD: Final = "OperatorSignature"

VALID_FOR: Final = timedelta(days=5 * 365)
_CLOCK_MARGIN: Final = timedelta(minutes=5)
_SAFE_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class SigningUnavailable(Exception):
    """There is no key to sign with, or it cannot be used now; the sentence says why."""


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """Who signs: the name in the certificate, its fingerprint and validity, and the key behind `signer`."""

    name: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    signer: "SimpleSigner"


def path_of(settings: Settings, operator_code: str) -> Path:
    """The file of an operator's certificate: `<folder>/<operator>.p12`.

    Raises:
        SigningUnavailable: the code is no name for a file.
    """
    if not _SAFE_CODE.fullmatch(operator_code):
        raise SigningUnavailable(f"The operator's code {operator_code!r} is no name for a file.")
    return signing_folder(settings) / f"{operator_code}.p12"


def make_identity(path: Path, name: str, *, now: datetime, valid_for: timedelta = VALID_FOR) -> bool:
    """Make a key and a certificate that is signed by itself; False, and nothing done, if the file exists.

    The file is readable by its owner alone and complete as soon as it has its name, so that two processes
    that start at once sign with the same key.
    """
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if path.exists():
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_MARGIN)
        .not_valid_after(now + valid_for)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    content = pkcs12.serialize_key_and_certificates(
        name.encode(), key, certificate, None, serialization.NoEncryption()
    )
    return _write_once(path, content)


def _usage() -> x509.KeyUsage:
    """Of signatures on documents, and of nothing else (RFC 5280 §4.2.1.3)."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_once(path: Path, content: bytes) -> bool:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    made = False
    with suppress(FileExistsError):
        path.hardlink_to(fresh)
        made = True
    fresh.unlink()
    return made


def identity_at(path: Path, *, now: datetime) -> SigningIdentity:
    """The identity in a PKCS#12 file; its passphrase is in `<operator>.passphrase` beside it, if it has one.

    Raises:
        SigningUnavailable: the file is missing, cannot be read, or its certificate is not valid now.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        raise SigningUnavailable(f"There is no {path}: run `submeter certificates create`.") from None
    identity = _loaded(path, changed)
    if not identity.not_before <= now <= identity.not_after:
        raise SigningUnavailable(
            f"The certificate in {path} is valid from {identity.not_before:%Y-%m-%d} to"
            f" {identity.not_after:%Y-%m-%d}."
        )
    return identity


@lru_cache(maxsize=64)
def _loaded(path: Path, _changed: int) -> SigningIdentity:
    from pyhanko.sign.signers import SimpleSigner  # noqa: PLC0415 - half a second of start-up

    words = path.with_suffix(PASSPHRASE_SUFFIX)
    try:
        passphrase = words.read_text(encoding="utf-8").rstrip("\r\n").encode() if words.exists() else None
        content = path.read_bytes()
        key, certificate, _ = pkcs12.load_key_and_certificates(content, passphrase)
        signer = SimpleSigner.load_pkcs12_data(content, (), passphrase)
    except (OSError, ValueError) as failure:
        raise SigningUnavailable(f"{path} cannot be opened: {failure}") from failure
    if key is None or certificate is None:
        raise SigningUnavailable(f"{path} holds no key with its certificate.")
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return SigningIdentity(
        name=str(names[0].value) if names else certificate.subject.rfc4514_string(),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        signer=signer,
    )


def signed(content: bytes, identity: SigningIdentity, *, reason: str, now: datetime) -> bytes:
    """The PDF with the signature; its time is `now`, by the clock of whoever signs."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter  # noqa: PLC0415 - as above
    from pyhanko.sign.fields import SigSeedSubFilter  # noqa: PLC0415
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner  # noqa: PLC0415
    from pyhanko.sign.signers.pdf_signer import PdfSigningSession  # noqa: PLC0415

    class AtTheMoment(PdfSigner):
        """pyHanko would ask the machine's clock."""

        def init_signing_session(self, *arguments: Any, **more: Any) -> PdfSigningSession:
            session = super().init_signing_session(*arguments, **more)
            session.system_time = now
            return session

    about = PdfSignatureMetadata(
        field_name=_FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        name=identity.name,
        reason=reason,
    )
    written = io.BytesIO()
    AtTheMoment(about, identity.signer).sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(content)), output=written
    )
    return written.getvalue()

"""What a reader says of a signed PDF: pyHanko's validator, which shares no code with our signing but its CMS.

In: the bytes of a file, and the certificate that the reader trusts. Out: whether the signature covers the
whole file and is intact. The one rule: a file that cannot be read is as bad as one whose signature is void.
"""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pypdf
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from core.documents.signing import identity_at


def certificate_at(path: Path, *, now: datetime) -> x509.Certificate:
    """The certificate that a reader would be given to trust."""
    found = identity_at(path, now=now).signer.signing_cert
    assert found is not None
    return found


def status_of(content: bytes, trusted: x509.Certificate, *, now: datetime) -> PdfSignatureStatus:
    """What the validator says of the only signature of a file."""
    (signature,) = PdfFileReader(io.BytesIO(content)).embedded_signatures
    context = ValidationContext(trust_roots=[trusted], moment=now)
    with ThreadPoolExecutor(1) as beside:  # it runs an event loop of its own
        return beside.submit(validate_pdf_signature, signature, context).result()


def is_genuine(content: bytes, trusted: x509.Certificate, *, now: datetime) -> bool:
    """Whether the signature is valid, trusted, and of every byte of the file."""
    try:
        status = status_of(content, trusted, now=now)
    except Exception:  # noqa: BLE001 - whatever a broken file makes a reader raise
        return False
    return bool(status.bottom_line and status.coverage is SignatureCoverageLevel.ENTIRE_FILE)


def text_of(content: bytes) -> str:
    """The text of all pages, each run of white space as one space."""
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())

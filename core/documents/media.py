"""What a deposited file is, by its content, and the name that it is saved under.

In: the bytes of a file and the name that its sender gave it. Out: a media type, or none, and a name that is
safe on every file system and in a header. The one rule: neither what the sender calls a file nor what its
request declares decides anything; a file that a browser or an office program would run is none of ours.
"""

import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

LONGEST_NAME: Final = 100
"""Characters, with the extension; and so many bytes in UTF-8, of which file systems take 255."""

_MOST_BYTES: Final = 200

_CONTENT_TYPES: Final = "[Content_Types].xml"
_MOST_PARTS: Final = 10_000
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
"""Names of devices on Windows, with any extension (Microsoft, "Naming Files, Paths, and Namespaces")."""

_UNSAFE: Final = re.compile(r'[<>:"/\\|?*%;]+')
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
"""Unicode categories of what nobody sees: controls, and marks that turn the direction of a name around."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format that may be deposited."""

    media_type: str
    extension: str


PDF: Final = FileFormat("application/pdf", "pdf")
PNG: Final = FileFormat("image/png", "png")
JPEG: Final = FileFormat("image/jpeg", "jpg")
XLSX: Final = FileFormat("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx")
CSV: Final = FileFormat("text/csv; charset=utf-8", "csv")
FORMATS: Final = (PDF, PNG, JPEG, XLSX, CSV)


def format_of(content: bytes, name: str) -> FileFormat | None:
    """The format of a file; None if it is none of ours.

    A CSV has no mark of its own: it is text in UTF-8 that its sender calls a CSV.
    """
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-2_048:]:  # ISO 32000-1, 7.5.2 and 7.5.5
        return PDF
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":  # PNG, 5.2 and 11.2.1
        return PNG
    if content.startswith(b"\xff\xd8\xff"):  # ITU-T T.81, B.1.1.3: SOI, and a marker
        return JPEG
    if content.startswith(b"PK\x03\x04"):
        return XLSX if _is_workbook(content) else None
    if name.lower().endswith(".csv") and _is_text(content):
        return CSV
    return None


def _is_workbook(content: bytes) -> bool:
    """An Office Open XML workbook (ECMA-376, part 2) without macros; nothing of it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = package.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    parts = {name.lower() for name in names}
    return (
        len(names) <= _MOST_PARTS
        and _CONTENT_TYPES.lower() in parts
        and "xl/workbook.xml" in parts
        and not any(
            part.endswith((".bin", ".exe", ".dll", ".js", ".vbs")) and _is_code(part) for part in parts
        )
    )


def _is_code(part: str) -> bool:
    """Macros (`vbaProject.bin`) and embedded objects; printer settings are `.bin` as well, and harmless."""
    return part.endswith((".bin", ".exe", ".dll", ".js", ".vbs")) and "printersettings" not in part


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    start = text.lstrip()[:1]
    return start not in {"", "<"} and all(sign in "\t\r\n" or ord(sign) >= ord(" ") for sign in text)


def safe_name(given: str, extension: str, *, otherwise: str) -> str:
    """The name that a file is saved under: the sender's, without folders and whatever is unsafe.

    Args:
        given: the sender's name.
        extension: that of the file's format, which replaces the sender's.
        otherwise: the stem of a name of which nothing remains.
    """
    last = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    seen = "".join(sign for sign in last if unicodedata.category(sign) not in _INVISIBLE)
    stem = _UNSAFE.sub("-", seen).strip()
    root, dot, _ending = stem.rpartition(".")
    stem = re.sub(r"\s+", " ", (root if dot and root else stem)).strip(" .-")
    stem = stem[: LONGEST_NAME - len(extension) - 1]
    stem = stem.encode()[: _MOST_BYTES - len(extension)].decode(errors="ignore").rstrip(" .-") or otherwise
    if _RESERVED.fullmatch(stem):
        stem = f"{otherwise}-{stem}"
    return f"{stem}.{extension}"


def disposition(name: str) -> str:
    """The header `Content-Disposition` of a file to be saved, for old and new clients (RFC 6266, 4.3, 5)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 ._()+-]", "_", plain).strip() or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

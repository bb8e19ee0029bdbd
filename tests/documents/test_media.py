"""What a deposited file is, by its content, and what it is saved as."""

import io
import zipfile
from urllib.parse import unquote

import pytest

from core.documents.media import (
    CSV,
    JPEG,
    PDF,
    PNG,
    XLSX,
    FileFormat,
    disposition,
    format_of,
    safe_name,
)


def package(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        for name in names:
            file.writestr(name, "<x/>")
    return written.getvalue()


WORKBOOK = ("[Content_Types].xml", "xl/workbook.xml")
PDF_FILE = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\nstartxref\n9\n%%EOF\n"


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        (PDF_FILE, "a.pdf", PDF),
        (PDF_FILE, "a.exe", PDF),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR...", "", PNG),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "", JPEG),
        (package(*WORKBOOK), "charges.zip", XLSX),
        (package(*WORKBOOK, "xl/printerSettings/printerSettings1.bin"), "", XLSX),
        ("\ufefflogement;m3\r\n12;3,5\r\n".encode(), "charges.CSV", CSV),
    ],
    ids=["pdf", "named otherwise", "png", "jpeg", "xlsx", "xlsx printed", "csv"],
)
def test_the_content_decides(content: bytes, name: str, found: FileFormat) -> None:
    """Whatever the file is called."""
    assert format_of(content, name) is found


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.csv"),
        (b"%PDF-1.7 cut short", "a.pdf"),
        (b"<html><script>alert(1)</script>%PDF- %%EOF", "a.pdf"),
        (b"<html></html>", "a.csv"),
        (b"\xef\xbb\xbf <svg/>", "a.csv"),
        (b"a;b\x00c", "a.csv"),
        ("é".encode("latin-1"), "a.csv"),
        (b"a;b", "a.txt"),
        (b"MZ\x90\x00", "a.pdf"),
        (b"GIF89a", "a.png"),
        (package("[Content_Types].xml", "word/document.xml"), "a.xlsx"),
        (package(*WORKBOOK, "xl/vbaProject.bin"), "a.xlsx"),
        (package("a.txt"), "a.xlsx"),
        (package(*WORKBOOK)[:-30], "a.xlsx"),
    ],
)
def test_what_a_program_might_run_is_not_taken(content: bytes, name: str) -> None:
    """Pages, programs, workbooks with macros, other packages, and files that were cut."""
    assert format_of(content, name) is None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Règlement intérieur.PDF", "Règlement intérieur.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\x\\charges 2026.xlsx", "charges 2026.pdf"),
        ("facture.pdf.exe", "facture.pdf.pdf"),
        ("exe\u202efdp.scr", "exefdp.pdf"),
        ("a\r\nSet-Cookie: x=1", "aSet-Cookie- x=1.pdf"),
        ('"quoted";.pdf', "quoted.pdf"),
        ("con.pdf", "document-con.pdf"),
        ("LPT1", "document-LPT1.pdf"),
        ("...", "document.pdf"),
        ("", "document.pdf"),
        (".htaccess", "htaccess.pdf"),
    ],
)
def test_a_name_is_safe_on_every_file_system(given: str, name: str) -> None:
    """No folders, controls, marks that turn the writing around, device names; the ending is the content's."""
    assert safe_name(given, "pdf", otherwise="document") == name


@pytest.mark.parametrize("given", ["x" * 500, "é" * 500, "日本語" * 200])
def test_a_name_fits_every_file_system(given: str) -> None:
    """255 bytes are the limit of ext4 and others."""
    name = safe_name(given, "xlsx", otherwise="document")
    assert name.endswith(".xlsx")
    assert len(name) <= 100
    assert len(name.encode()) <= 205


def test_the_header_has_a_name_for_old_and_new_clients() -> None:
    """RFC 6266: quoted ASCII, and percent-encoded UTF-8 (RFC 8187); nothing of a name ends the header."""
    header = disposition("Décompte d'été (2026).pdf")
    plain, encoded = header.removeprefix("attachment; ").split("; ")
    assert plain == 'filename="Decompte d_ete (2026).pdf"'
    assert unquote(encoded.removeprefix("filename*=UTF-8''")) == "Décompte d'été (2026).pdf"
    assert '"' not in disposition('a"b.pdf').removeprefix('attachment; filename="').partition('"')[0]
    assert disposition("日本.pdf").startswith("attachment; filename=\".pdf\"; filename*=UTF-8''%E6%97%A5")

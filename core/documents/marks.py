"""What lets a paper be verified: its code, the address to check it at, and a QR code of that address.

In: a code and an address. Out: a part of a page, or lines for other formats. The one rule: the code is made
before the file, and the hash of the file after; so a code proves no file by itself, the page behind it does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.access.paper_codes import shown
from core.language import Language
from core.texts.certificates import words

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable


@dataclass(frozen=True, slots=True)
class VerificationMark:
    """The code of a paper as it is stored, and the address of the page that verifies it."""

    code: str
    address: str

    @property
    def text(self) -> str:
        """The code as it is printed."""
        return shown(self.code)


def mark_block(mark: VerificationMark, language: Language, *, signer: str | None = None) -> "Flowable":
    """The code, the address and how to check, beside the QR code; `signer`: who signed the PDF."""
    from reportlab.lib.units import mm  # noqa: PLC0415 - only where a PDF is laid out
    from reportlab.platypus import KeepTogether, Table  # noqa: PLC0415

    from core.documents.pdf import BOLD_STYLE, TEXT_STYLE, paragraph  # noqa: PLC0415
    from core.documents.qr import QrCode  # noqa: PLC0415

    texts = [
        paragraph(words("mark.title", language), BOLD_STYLE),
        paragraph(words("mark.code", language, code=mark.text), BOLD_STYLE),
        paragraph(words("mark.how", language), TEXT_STYLE),
        paragraph(mark.address, TEXT_STYLE),
    ]
    if signer is not None:
        texts.append(paragraph(words("mark.signed", language, name=signer), TEXT_STYLE))
    table = Table(
        [(texts, QrCode(mark.address, 32 * mm))],
        colWidths=(140 * mm, 34 * mm),
        style=[
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ],
        hAlign="LEFT",
    )
    return KeepTogether([table])


def page_foot(key: str, mark: VerificationMark, language: Language) -> "Callable[[Canvas, object], None]":
    """What draws the code and the number of the page at the foot of each page."""
    from reportlab.lib.units import mm  # noqa: PLC0415 - as above

    def draw(canvas: "Canvas", _document: object) -> None:
        canvas.saveState()
        canvas.setFont("Submeter", 7.5)
        text = words(key, language, code=mark.text, page=canvas.getPageNumber())
        canvas.drawString(18 * mm, 10 * mm, text)
        canvas.restoreState()

    return draw

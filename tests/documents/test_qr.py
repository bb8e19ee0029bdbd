"""A QR code on a page: drawn as its modules are, with the white that scanners need."""

import io
from fractions import Fraction

import pytest
import segno
from pypdf import PdfReader
from pypdf.generic import ContentStream

from core.documents.pdf import built
from core.documents.qr import QUIET_MODULES, QrCode
from core.language import Language

SIDE = 200
LINK = "https://espace-resident-inscription.ocea-sb.com/?code=AA000"


def drawn(text: str) -> list[list[int]]:
    """The modules of the code as the page draws them, the white border included, line by line."""
    file = built([QrCode(text, SIDE)], title="t", author="a", language=Language.FR)
    reader = PdfReader(io.BytesIO(file))
    content = ContentStream(reader.pages[0].get_contents(), reader)
    boxes = [[Fraction(str(one)) for one in values] for values, name in content.operations if name == b"re"]
    module = min(height for _, _, _, height in boxes)
    size = round(SIDE / module)
    rows = [[0] * size for _ in range(size)]
    for left, bottom, width, _ in boxes:
        line = size - 1 - round(bottom / module)
        for place in range(round(left / module), round((left + width) / module)):
            rows[line][place] = 1
    return rows


@pytest.mark.requirement("R-142")
@pytest.mark.parametrize("text", [LINK, "https://a.example/é?code=A 1", "A" * 300])
def test_the_page_shows_the_modules_of_the_code(text: str) -> None:
    """Each dark module of the symbol is dark, no other is, and four modules around it are white."""
    symbol = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
    rows = drawn(text)
    inner = [row[QUIET_MODULES:-QUIET_MODULES] for row in rows[QUIET_MODULES:-QUIET_MODULES]]
    assert inner == symbol
    assert sum(map(sum, rows)) == sum(map(sum, symbol))

"""A QR code (ISO/IEC 18004) as a part of a page: an address to scan.

In: a text. Out: a flowable. The one rule: four modules of white around it, which scanners need (6.3.8), and
level M of error correction, which a crease does not break.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

import segno
from reportlab.platypus import Flowable

QUIET_MODULES = 4


class QrCode(Flowable):
    """A square of `side` points, its white border included."""

    def __init__(self, text: str, side: float) -> None:
        super().__init__()
        self.width = self.height = side
        self._rows = _symbol(text)

    def wrap(self, _available_width: float, _available_height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        module = self.width / (len(self._rows) + 2 * QUIET_MODULES)
        for line, row in enumerate(self._rows):
            bottom = self.height - (line + 1 + QUIET_MODULES) * module
            for start, length in _dark_runs(row):
                left = (start + QUIET_MODULES) * module
                self.canv.rect(left, bottom, length * module, module, stroke=0, fill=1)


@lru_cache(maxsize=16)
def _symbol(text: str) -> tuple[tuple[int, ...], ...]:
    """The modules, line by line; many pages have the same code, which takes longer to make than to draw."""
    return tuple(tuple(row) for row in segno.make(text, error="m", micro=False).matrix)


def _dark_runs(row: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Dark modules side by side as one, so that no hairline lies between them."""
    place = 0
    for dark, run in groupby(row):
        length = len(list(run))
        if dark:
            yield place, length
        place += length

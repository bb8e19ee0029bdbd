"""An example of each list, which `submeter import examples` writes: CSV files, and one workbook of all.

In: the CSV files beside this one. Out: the same files in a folder. The one rule: the examples can be imported
as they are, together, into an empty database; a test does so.
"""

import csv
from importlib.resources import files
from pathlib import Path
from typing import Final

from core.services.portfolio.portfolio_lists import KINDS

WORKBOOK: Final = "portfolio.xlsx"


def write_examples(folder: Path) -> list[Path]:
    """Write the examples; returns their paths."""
    import xlsxwriter  # noqa: PLC0415 - half a second of start-up

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    book = xlsxwriter.Workbook(str(folder / WORKBOOK))
    for kind in KINDS:
        text = (files(__package__) / f"{kind}.csv").read_text(encoding="utf-8")
        path = folder / f"{kind}.csv"
        path.write_text(text, encoding="utf-8")
        written.append(path)
        sheet = book.add_worksheet(kind)
        sheet.set_column(0, 20, 18)
        for line, cells in enumerate(csv.reader(text.splitlines(), delimiter=";")):
            for place, cell in enumerate(cells):
                sheet.write_string(line, place, cell)
    book.close()
    return [*written, folder / WORKBOOK]

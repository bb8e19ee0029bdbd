"""A portfolio as lists, in memory and as files of several programs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from core.access import SYSTEM
from core.services.portfolio.portfolio_import import import_lists
from core.services.portfolio.portfolio_lists import KINDS
from core.services.shared.transaction import current_database
from submeter.imports.lines import lists_of
from submeter.imports.tables import tables_of

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOME = ("operator", "residence", "building", "staircase", "floor", "number")

STORED = (
    (
        "SELECT o.code AS operator, o.name AS operator_name, r.code, r.name, r.street, r.postcode, r.city,"
        " r.time_zone, r.remote_reading, r.resident_portal_option, r.water_price_eur_per_m3"
        " FROM residence r JOIN operator o ON o.id = r.operator_id ORDER BY r.code"
    ),
    (
        "SELECT r.code, d.building, d.staircase, d.floor, d.number, d.lot, d.manager_reference, d.surface_m2"
        " FROM dwelling d JOIN residence r ON r.id = d.residence_id ORDER BY 1, 2, 3, 4, 5"
    ),
    (
        "SELECT d.number, m.radio_address, m.fluid, m.vendor, m.printed_serial, m.installed_at, m.removed_at,"
        " m.register_capacity, m.nominal_flow_m3_per_h, m.location FROM meter m"
        " JOIN dwelling d ON d.id = m.dwelling_id ORDER BY m.radio_address"
    ),
    (
        "SELECT m.radio_address, COUNT(*) AS keys FROM meter_key k JOIN meter m ON m.id = k.meter_id"
        " GROUP BY 1 ORDER BY 1"
    ),
    "SELECT a.radio_address FROM meter_alias a ORDER BY 1",
    (
        "SELECT d.number, o.move_in, o.move_out, o.kind, o.account_id FROM occupancy o"
        " JOIN dwelling d ON d.id = o.dwelling_id ORDER BY 1, 2, 4"
    ),
)
"""Everything that an import writes, but for the keys themselves and the moments of writing."""


async def stored() -> list[list[dict[str, object]]]:
    """What the tables hold."""
    return [await current_database().execute_query_dict(statement) for statement in STORED]


@dataclass
class Portfolio:
    """Lists as rows of texts, by kind; the first row is the header."""

    rows: dict[str, list[list[str]]] = field(default_factory=dict)

    def cell(self, kind: str, line: int, column: str, value: str) -> None:
        """Put a text into a cell; lines are numbered as in the file."""
        self.rows[kind][line - 1][self.rows[kind][0].index(column)] = value

    def write(self, folder: Path) -> list[Path]:
        """The lists as CSV files with semicolons."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for kind, rows in self.rows.items():
            paths.append(folder / f"{kind}.csv")
            paths[-1].write_text("\n".join(";".join(row) for row in rows) + "\n", encoding="utf-8")
        return paths


def portfolio(dwellings: int, *, residences: int = 2, operator: str = "acme") -> Portfolio:
    """Some residences with so many dwellings, each with two meters, keys, and an occupant."""
    homes = [
        [operator, f"R{number % residences:03d}", "A", str(number % 3), str(number % 5), str(number)]
        for number in range(dwellings)
    ]
    meters = [
        [
            *home,
            fluid,
            "itron",
            f"{2 * number + at:08d}",
            f"ITW-{2 * number + at:08d}-00-07",
            "01/02/2024",
            "",
            "2,5",
            "",
            "",
        ]
        for number, home in enumerate(homes)
        for at, fluid in enumerate(("eau froide", "COLD_WATER"))
    ]
    columns = ("operator", "operator_name", "code", "name", "street", "postcode", "city", "time_zone")
    return Portfolio(
        {
            "residences": [
                [*columns, "remote_reading", "resident_portal_option", "water_price_eur_per_m3"],
                *(
                    [
                        operator,
                        "Acme",
                        f"R{one:03d}",
                        f"Résidence {one}",
                        "1 rue",
                        "75001",
                        "Paris",
                        "",
                        "oui",
                        "non",
                        "4,5",
                    ]
                    for one in range(residences)
                ),
            ],
            "dwellings": [
                [*HOME, "lot", "manager_reference", "surface_m2"],
                *([*home, str(number), f"REF {number}", "45,5"] for number, home in enumerate(homes)),
            ],
            "meters": [
                [
                    *HOME,
                    *("fluid", "vendor", "printed_serial", "radio_address", "installed_on", "removed_on"),
                    *("nominal_flow_m3_per_h", "register_capacity", "key"),
                ],
                *meters,
            ],
            "keys": [
                ["radio_address", "key"],
                *([row[9], f"{number:032X}"] for number, row in enumerate(meters)),
            ],
            "occupancies": [
                [*HOME, "move_in", "move_out", "kind", "email"],
                *([*home, "01/03/2020", "", "locataire", ""] for home in homes),
            ],
        }
    )


Import = Callable[..., object]


@pytest.fixture
def take(application):
    """Imports files: `await take(paths, dry_run=…)`."""

    async def imported(paths: Sequence[Path], **options: object) -> int:
        lists, others = lists_of([table for path in paths for table in tables_of(path)])
        assert not others
        return await import_lists(application, SYSTEM, lists, now=NOW, **options)

    return imported


def workbook(rows: Mapping[str, Sequence[Sequence[str]]], path: Path) -> Path:
    """The lists as another program's workbook: days are dates, numbers are numbers, yes is TRUE."""
    book = Workbook()
    book.remove(book.active)
    for kind in KINDS:
        sheet = book.create_sheet(kind.capitalize())
        for row in rows[kind]:
            sheet.append([_typed(column, text) for column, text in zip(rows[kind][0], row, strict=True)])
    book.save(path)
    return path


def _typed(column: str, text: str) -> object:
    if text == column or not text:
        return text or None
    if column in {"installed_on", "move_in", "move_out"}:
        day, month, year = text.split("/")
        return date(int(year), int(month), int(day))
    if column in {"surface_m2", "nominal_flow_m3_per_h", "water_price_eur_per_m3"}:
        return float(text.replace(",", "."))
    if column in {"number", "staircase", "floor", "lot"}:
        return int(text)
    return {"oui": True, "non": False}.get(text, text)

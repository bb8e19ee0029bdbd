"""`submeter meters`: bring meters and their keys in from a list.

The list is CSV with a heading. Keys come by file, never as an argument, where a shell would remember them.
"""

import csv
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cyclopts import App

from cli.house import opened
from cli.output import counted, fail, out
from core.access import SYSTEM
from core.consumption.fluids import Fluid
from core.errors import InvalidInput, SubmeterError
from core.services.portfolio import DwellingSpec, MeterSpec, put_meter
from core.services.vault import Vault

meters = App(name="meters", help="Meters and their keys.")

REQUIRED = (
    "operator",
    "residence",
    "number",
    "fluid",
    "vendor",
    "printed_serial",
    "radio_address",
    "installed_on",
)
OPTIONAL = ("building", "staircase", "floor", "lot", "register_step", "register_capacity", "location", "key")


@meters.command(name="import")
async def import_meters(file: Path) -> None:
    """Register the meters of a CSV file, or bring them up to date; keys are sealed as they are read.

    Columns: operator, residence, building, staircase, floor, number, lot, fluid (COLD_WATER, HOT_WATER, HEAT,
    HEAT_ALLOCATOR), vendor, printed_serial, radio_address (MMM-IIIIIIII-VV-TT), register_step,
    register_capacity, location, installed_on (YYYY-MM-DD, UTC), key (hex).

    Args:
        file: the list.
    """
    count = 0
    async with opened() as house:
        vault = Vault.under(house.settings.secret_key)
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            missing = [column for column in REQUIRED if column not in (rows.fieldnames or ())]
            if missing:
                fail(f"{file}: the heading lacks {', '.join(missing)}", code="INVALID_INPUT")
            for row in rows:
                try:
                    await _put(row, vault)
                except SubmeterError as failure:
                    fail(f"{file}, line {rows.line_num}: {failure.message}", code=failure.code)
                count += 1
    out.print(
        f"{counted(count, 'meter')} registered. [bold]submeter replay[/] takes in what was kept of theirs."
    )


async def _put(row: dict[str, str], vault: Vault) -> None:
    now = datetime.now(UTC)
    try:
        meter = MeterSpec(
            fluid=Fluid(row["fluid"]),
            vendor=row["vendor"],
            printed_serial=row["printed_serial"],
            radio_address=row["radio_address"],
            installed_at=datetime.fromisoformat(row["installed_on"]).replace(tzinfo=ZoneInfo("UTC")),
            register_step=int(row.get("register_step") or 1),
            register_capacity=int(row["register_capacity"]) if row.get("register_capacity") else None,
            location=row.get("location") or "",
            key=bytes.fromhex(row["key"]) if row.get("key") else None,
        )
    except ValueError as failure:
        # The text of a ValueError may quote the key's digits: say which columns can be at fault instead.
        raise InvalidInput(
            "fluid, installed_on, register_step, register_capacity or key cannot be read"
        ) from failure
    await put_meter(
        SYSTEM,
        residence_code=row["residence"],
        operator_code=row["operator"],
        dwelling=DwellingSpec(
            number=row["number"],
            building=row.get("building") or "",
            staircase=row.get("staircase") or "",
            floor=row.get("floor") or "",
            lot=row.get("lot") or None,
        ),
        meter=meter,
        vault=vault,
        now=now,
    )

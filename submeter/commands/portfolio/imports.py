"""`submeter import`: an operator's lists of residences, dwellings, meters, keys and occupancies.

Everything is checked before anything is written, and every cell at fault is named. Keys are never printed.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from cyclopts import App

from core.access import SYSTEM, Viewer
from core.services.portfolio.portfolio_import import ListsRefused, import_lists
from core.services.portfolio.portfolio_lists import KINDS, SINGULAR, Fault, Place
from core.services.portfolio.rate_lists import (
    RateLines,
    import_degree_days,
    import_emission_factors,
    import_tariffs,
)
from submeter.application import opened
from submeter.commands.ingest import progress_bar
from submeter.imports.examples import write_examples
from submeter.imports.lines import lists_of
from submeter.imports.rates import degree_days_of, factors_of, tariffs_of
from submeter.imports.tables import Table, UnreadableFile, tables_of
from submeter.output import counted, err, fail, out, print_json, print_table

LineT = TypeVar("LineT")
StoredT_contra = TypeVar("StoredT_contra", contravariant=True)


class Store(Protocol[StoredT_contra]):
    """Stores the lines of a list, or refuses them."""

    async def __call__(
        self, viewer: Viewer, lines: RateLines[StoredT_contra], *, dry_run: bool = ...
    ) -> None: ...


imports = App(name="import", help="Import an operator's lists: CSV files and workbooks.")


@imports.default
async def import_files(*files: Path, dry_run: bool = False, json: bool = False) -> None:
    """Import lists of residences, dwellings, meters, keys and occupancies, from CSV files and XLSX workbooks.

    All lists are checked first, against each other and against what is stored. If a cell is at fault, all
    such cells are listed with line, column, value and reason, and nothing is changed. The same files again
    change nothing.

    What a file lists is known by its name or its columns, English or French; a workbook has a sheet for each
    list. `submeter import examples FOLDER` writes an example of each. Days may be written 31/01/2026, numbers
    with a comma; `;`, `,` and tab part the cells of a CSV file.

    Args:
        files: the files, in any order.
        dry_run: check only.
        json: print faults and counts as JSON.
    """
    if not files:
        fail("Name at least one file.", code="INVALID_INPUT")
    lists, others = lists_of(_tables(files, json=json))
    for name in others:
        err.print(f"{name} is none of {', '.join(KINDS)}, and is left out.", markup=False)
    lines = sum(lists.counts.values())
    if not lines and not lists.faults:
        fail("The files have no lines to import.", code="INVALID_INPUT")
    async with opened() as application:
        label = "Checking" if dry_run else "Importing"
        with progress_bar(label, lines * (1 if dry_run else 2)) as advance:
            faults: Sequence[Fault] = ()
            returned = 0
            try:
                returned = await import_lists(
                    application, SYSTEM, lists, now=datetime.now(UTC), dry_run=dry_run, progress=advance
                )
            except ListsRefused as refused:
                faults = refused.faults
    if faults:
        _print_faults(faults, json=json)
        raise SystemExit(1)
    if json:
        print_json({"faults": [], "imported": not dry_run, **lists.counts})
        return
    counts = ", ".join(
        f"{number:,} {SINGULAR[kind] if number == 1 else kind}"
        for kind, number in lists.counts.items()
        if number
    )
    out.print(f"{counts}: {'nothing is at fault' if dry_run else 'imported'}.")
    if not dry_run and returned:
        out.print(f"{counted(returned, 'line')} outside the time in service until now: stored.")


@imports.command
def examples(folder: Path) -> None:
    """Write an example of each list, as CSV files and as one workbook.

    Args:
        folder: the folder, which is made if need be; files of these names are replaced.
    """
    written = write_examples(folder)
    out.print(f"Written: {', '.join(str(path) for path in written)}", soft_wrap=True)


@imports.command
async def tariffs(*files: Path, dry_run: bool = False, json: bool = False) -> None:
    """Import tariffs, by which residents see what their consumption costs.

    Columns: operator, residence (empty: all of the operator's), fluid, valid_from (the first day in force),
    eur_per_unit (a cubic metre, kilowatt-hour or allocator unit), fixed_eur and fixed_per (MONTH or YEAR;
    both empty: no fixed part), vat_included (empty: not stated). A line replaces the one of the same
    operator, residence, fluid and day, of which an empty cell leaves what is stored; a fixed part of 0 ends
    it.

    Args:
        files: CSV files and workbooks.
        dry_run: check only.
        json: print faults and counts as JSON.
    """
    await _import_rates("tariff", tariffs_of, import_tariffs, files, dry_run=dry_run, json=json)


@imports.command
async def emission_factors(*files: Path, dry_run: bool = False, json: bool = False) -> None:
    """Import emission factors, by which residents see how much carbon dioxide their consumption stands for.

    Columns: operator, residence (empty: all of the operator's), fluid, valid_from (the first day in force),
    grams_per_unit (of a cubic metre, kilowatt-hour or allocator unit), source. A line replaces the one of the
    same operator, residence, fluid and day.

    Args:
        files: CSV files and workbooks.
        dry_run: check only.
        json: print faults and counts as JSON.
    """
    await _import_rates(
        "emission factor", factors_of, import_emission_factors, files, dry_run=dry_run, json=json
    )


@imports.command
async def degree_days(*files: Path, dry_run: bool = False, json: bool = False) -> None:
    """Import the degree days of weather stations, by which heating is compared between years.

    Columns: station (as `weather_station` of residences names it), day, degree_days, base_celsius (the
    temperature below which they are counted, the same for all days of a station), source. A line replaces the
    one of the same station and day.

    Args:
        files: CSV files and workbooks.
        dry_run: check only.
        json: print faults and counts as JSON.
    """
    await _import_rates("degree day", degree_days_of, import_degree_days, files, dry_run=dry_run, json=json)


async def _import_rates(
    noun: str,
    read: Callable[[Sequence[Table]], RateLines[LineT]],
    store: Store[LineT],
    files: Sequence[Path],
    *,
    dry_run: bool,
    json: bool,
) -> None:
    if not files:
        fail("Name at least one file.", code="INVALID_INPUT")
    async with opened():
        try:
            lines = read(_tables(files, json=json))
            await store(SYSTEM, lines, dry_run=dry_run)
        except ListsRefused as refused:
            _print_faults(refused.faults, json=json)
            raise SystemExit(1) from refused
    if json:
        print_json({"faults": [], "imported": not dry_run, "lines": len(lines)})
    else:
        out.print(f"{counted(len(lines), noun)}: {'nothing is at fault' if dry_run else 'imported'}.")


def _tables(files: Sequence[Path], *, json: bool) -> list[Table]:
    """The tables of all files; if some cannot be read, each of them is named, and the command ends."""
    tables: list[Table] = []
    faults: list[Fault] = []
    for file in files:
        try:
            tables += tables_of(file)
        except UnreadableFile as failure:
            faults.append(Fault(Place(str(file), failure.line), "", "", failure.message))
    if faults:
        _print_faults(faults, json=json)
        raise SystemExit(1)
    return tables


def _print_faults(faults: Sequence[Fault], *, json: bool) -> None:
    if json:
        rows = [
            {
                "table": fault.at.table,
                "line": fault.at.line,
                "column": fault.column,
                "value": fault.value,
                "reason": fault.reason,
            }
            for fault in faults
        ]
        print_json({"faults": rows, "imported": False})
    else:
        shown = [(fault.at.table, fault.at.line, fault.column, fault.value, fault.reason) for fault in faults]
        print_table("Cells at fault", ("list", "line", "column", "value", "reason"), shown)
    err.print(f"[bold red]INVALID_INPUT[/]: {counted(len(faults), 'fault')}; nothing was imported.")

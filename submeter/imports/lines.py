"""Makes the lines of an operator's lists from tables.

In: tables. Out: `Lists`, with the faults of all cells that cannot be read. The one rule: a line with a fault
is a line all the same, so that others that need it are not at fault as well.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core.services.portfolio.portfolio_lists import (
    DWELLINGS,
    KEYS,
    METERS,
    NOT_REMOVED,
    OCCUPANCIES,
    RESIDENCES,
    DwellingPlace,
    ListedDwelling,
    ListedKey,
    ListedMeter,
    ListedOccupancy,
    ListedResidence,
    Lists,
    Place,
)
from submeter.imports.cells import Cells
from submeter.imports.columns import COLUMNS, REQUIRED, Header, header_of
from submeter.imports.tables import Table


def lists_of(tables: Sequence[Table]) -> tuple[Lists, list[str]]:
    """The lines of all tables, and the names of the tables that are none of the lists."""
    lists, others = Lists(), []
    for table in tables:
        header, faults = header_of(table)
        if header is None:
            others.append(table.name)
            continue
        lists.faults += faults
        for row in table.rows:
            cells = Cells(
                Place(table.name, row.line), header.places, row.cells, REQUIRED[header.kind], lists.faults
            )
            _add(lists, header, cells, len(table.header))
    return lists, others


def _add(lists: Lists, header: Header, cells: Cells, width: int) -> None:
    beyond = [cell for cell in cells.cells[width:] if cell]
    if beyond:
        shown = "" if "key" in COLUMNS[header.kind] else " ".join(beyond)  # it may be a key
        cells.fault("", shown, "more cells than the header has")
    _ADD[header.kind](lists, cells)


def _home(cells: Cells) -> DwellingPlace:
    operator, residence = cells.text("operator"), cells.text("residence")
    return DwellingPlace(operator, residence, *(cells.place(column) for column in DwellingPlace._fields[2:]))


def _residence(lists: Lists, cells: Cells) -> None:
    lists.residences.append(
        ListedResidence(
            at=cells.at,
            operator=cells.text("operator"),
            operator_name=cells.given("operator_name"),
            code=cells.text("code"),
            name=cells.given("name"),
            street=cells.given("street"),
            postcode=cells.given("postcode"),
            city=cells.given("city"),
            time_zone=cells.given("time_zone"),
            remote_reading=cells.flag("remote_reading"),
            resident_portal_option=cells.flag("resident_portal_option"),
            water_price_eur_per_m3=cells.number("water_price_eur_per_m3"),
            billing_starts=cells.given("billing_starts"),
            weather_station=cells.given("weather_station"),
        )
    )


def _dwelling(lists: Lists, cells: Cells) -> None:
    home = _home(cells)
    lot, reference = cells.given("lot"), cells.given("manager_reference")
    lists.dwellings.append(ListedDwelling(cells.at, home, lot, reference, cells.positive("surface_m2")))


def _meter(lists: Lists, cells: Cells) -> None:
    in_service = cells.says("removed_on", NOT_REMOVED)
    lists.meters.append(
        ListedMeter(
            at=cells.at,
            home=_home(cells),
            fluid=cells.fluid("fluid"),
            vendor=cells.text("vendor"),
            printed_serial=cells.text("printed_serial"),
            radio_address=cells.text("radio_address"),
            installed_on=cells.day("installed_on"),
            removed_on=None if in_service else cells.day("removed_on"),
            in_service=in_service,
            register_step=cells.whole("register_step"),
            register_capacity=cells.whole("register_capacity"),
            nominal_flow_m3_per_h=cells.number("nominal_flow_m3_per_h"),
            location=cells.given("location"),
            key=cells.key("key"),
            aliases=cells.words("aliases"),
        )
    )


def _key(lists: Lists, cells: Cells) -> None:
    lists.keys.append(ListedKey(cells.at, cells.text("radio_address"), cells.key("key")))


def _occupancy(lists: Lists, cells: Cells) -> None:
    lists.occupancies.append(
        ListedOccupancy(
            cells.at,
            _home(cells),
            cells.day("move_in"),
            cells.day("move_out"),
            cells.kind("kind"),
            cells.given("email"),
        )
    )


_ADD: Final[Mapping[str, Callable[[Lists, Cells], None]]] = {
    RESIDENCES: _residence,
    DWELLINGS: _dwelling,
    METERS: _meter,
    KEYS: _key,
    OCCUPANCIES: _occupancy,
}

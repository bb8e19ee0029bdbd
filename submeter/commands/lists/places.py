"""`submeter residences list` and `submeter dwellings list`."""

from collections.abc import AsyncIterator
from dataclasses import asdict, replace

from cyclopts import App

from core.access import SYSTEM
from core.services.places.place_lists import DwellingInList, PlaceFilter, ResidenceInList
from core.services.places.place_lists import list_dwellings as dwellings_page
from core.services.places.place_lists import list_residences as residences_page
from core.services.shared.paging import Page
from submeter.application import opened
from submeter.commands.lists.listing import Row, asked_rows, pages, print_list
from submeter.output import AtMost

dwellings = App(name="dwellings", help="The dwellings of residences.")


async def list_residences(
    *,
    operator: str | None = None,
    city: str | None = None,
    search: str | None = None,
    published: bool | None = None,
    limit: AtMost | None = None,
    json: bool = False,
) -> None:
    """List residences by operator and code, with the number of their dwellings and meters in place.

    Args:
        operator: the operator's code, e.g. ocea.
        city: the city, whatever its case.
        search: part of code, name, street, postcode or city, whatever its case.
        published: only residences that are published, or that are not.
        limit: maximum number of residences; by default 50 in a table, all with --json.
        json: print a JSON object a line.
    """
    asked = PlaceFilter(0, operator=operator, city=city, search=search, published=published)

    async def read(first: int, after: int | None) -> Page[ResidenceInList]:
        return await residences_page(SYSTEM, replace(asked, first=first, after=after))

    async def rows() -> AsyncIterator[list[Row]]:
        async for some in pages(read, lambda one: one.id, limit=asked_rows(limit, json=json)):
            yield [asdict(one) for one in some]

    columns = ("operator", "code", "name", "postcode", "city", "published at", "dwellings", "meters")
    async with opened():
        await print_list(rows(), "residence", columns, limit=limit, json=json)


@dwellings.command(name="list")
async def list_dwellings(
    *,
    operator: str | None = None,
    residence: str | None = None,
    search: str | None = None,
    limit: AtMost | None = None,
    json: bool = False,
) -> None:
    """List dwellings by residence and place, with the number of their meters in place.

    Args:
        operator: the operator's code, e.g. ocea.
        residence: the residence's code, e.g. AA000.
        search: part of building, number, lot or the manager's reference, whatever its case.
        limit: maximum number of dwellings; by default 50 in a table, all with --json.
        json: print a JSON object a line.
    """
    asked = PlaceFilter(0, operator=operator, residence=residence, search=search)

    async def read(first: int, after: int | None) -> Page[DwellingInList]:
        return await dwellings_page(SYSTEM, replace(asked, first=first, after=after))

    async def rows() -> AsyncIterator[list[Row]]:
        async for some in pages(read, lambda one: one.id, limit=asked_rows(limit, json=json)):
            yield [asdict(one) for one in some]

    columns = ("operator", "residence", "building", "staircase", "floor", "number", "lot", "meters")
    async with opened():
        await print_list(rows(), "dwelling", columns, limit=limit, json=json)

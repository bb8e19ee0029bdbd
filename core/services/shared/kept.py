"""What an operation that only reads has read for its viewer, so that each row is read once.

In: the viewer, and numbers of rows. Out: the rows, from what is kept or by one read of those that are not.
The one rule: a viewer that keeps nothing (`Viewer.kept` is None) is answered by a read of its own, as one
that writes must be; fields of one operation that ask at the same time share a read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

from core.access import Viewer

RowT = TypeVar("RowT")


async def kept_rows(
    viewer: Viewer,
    name: str,
    numbers: Collection[int],
    read: Callable[[list[int]], Awaitable[Mapping[int, RowT]]],
) -> dict[int, RowT]:
    """The rows by their numbers; one that `read` does not answer is left out.

    Args:
        viewer: for whom.
        name: of the kind of row.
        numbers: of the rows.
        read: reads the rows of some numbers, which are narrowed to the viewer.
    """
    if viewer.kept is None:
        return dict(await read(list(numbers))) if numbers else {}
    reading: dict[int, asyncio.Future[Mapping[int, RowT]]] = viewer.kept.setdefault(name, {})
    new = [number for number in numbers if number not in reading]
    if new:
        reading |= dict.fromkeys(new, asyncio.ensure_future(read(new)))
    found: dict[int, RowT] = {}
    for number in numbers:
        known = await reading[number]
        if number in known:
            found[number] = known[number]
    return found


def keep(viewer: Viewer, name: str, rows: Mapping[int, RowT]) -> None:
    """Keep rows that were read otherwise, such as those of a page."""
    if viewer.kept is None or not rows:
        return
    read: asyncio.Future[Mapping[int, RowT]] = asyncio.get_running_loop().create_future()
    read.set_result(rows)
    reading: dict[int, asyncio.Future[Mapping[int, RowT]]] = viewer.kept.setdefault(name, {})
    reading |= {number: read for number in rows if number not in reading}

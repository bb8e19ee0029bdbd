"""A person's archive: JSON and CSV of every table, in a ZIP that is written piece by piece.

In: an account. Out: the bytes of the archive, in parts. The one rule: memory is bounded, however long
somebody has lived somewhere: a table is read in pages, written twice (JSON, then CSV), and what the ZIP has
produced is handed on before the next page is read. Times are UTC, days are the residence's, amounts are in
the smallest unit of the fluid, as stored; `README.txt` says so in both languages.
"""

import csv
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

from core.access import Viewer
from core.consumption import day_start
from core.consumption.periods import civil_day
from core.documents.statement import harmless
from core.models import Meter
from core.services.privacy.personal_tables import NOT_EXPORTED, OF_ACCOUNT, OF_HOME, SERIES
from core.services.shared.columns import select_by
from core.services.shared.scope import Home, homes
from core.services.shared.time_series import day_number, run
from core.services.shared.transaction import current_database
from core.texts.archive import README

PAGE_ROWS: Final = 2_000
PART_BYTES: Final = 256 * 1024
_OCCUPIED_COLUMNS: Final = {
    "dwelling_id": "bigint",
    "account_id": "bigint",
    "first_day": "date",
    "last_day": "date",
    "first_s": "bigint",
    "last_s": "bigint",
}
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Occupied:
    """The days of a dwelling that are the person's: first and last day, and the seconds of both ends."""

    dwelling_id: int
    first: date
    last: date
    first_s: int
    last_s: int


class _Sink:
    """What a ZIP is written to: nothing can be read again or sought."""

    def __init__(self) -> None:
        self._pieces = bytearray()

    def write(self, data: bytes, /) -> int:
        self._pieces += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self, *, at_least: int) -> bytes:
        """What was written so far, if it is enough for a part."""
        if len(self._pieces) < at_least:
            return b""
        found = bytes(self._pieces)
        self._pieces.clear()
        return found


async def archive_of(viewer: Viewer, *, now: datetime) -> AsyncIterator[bytes]:
    """The archive of a resident's account, in parts."""
    assert viewer.account_id is not None
    occupancies = [_occupancy(home, now) for home in await homes(viewer)]
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README.format(left_out=_left_out()))
        for table in [*OF_ACCOUNT, *OF_HOME, *SERIES]:
            for ending, form in (("json", _json_lines), ("csv", _csv_lines)):
                with archive.open(f"{ending}/{table}.{ending}", "w") as file:
                    async for piece in form(_pages(table, viewer.account_id, occupancies)):
                        file.write(piece)
                        if part := sink.taken(at_least=PART_BYTES):
                            yield part
    if part := sink.taken(at_least=1):
        yield part


def _left_out() -> str:
    return "\n".join(f"{table}: {reason}" for table, reason in sorted(NOT_EXPORTED.items()))


def _occupancy(home: Home, now: datetime) -> _Occupied:
    zone = ZoneInfo(home.place["time_zone"])
    last = home.period.last_day or civil_day(now, zone.key)
    return _Occupied(
        home.period.dwelling_id,
        home.period.first_day,
        last,
        day_start(home.period.first_day, zone),
        day_start(last + _ONE_DAY, zone) - 1,
    )


async def _pages(
    table: str, account_id: int, occupancies: Sequence[_Occupied]
) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    """The rows of a table, page by page."""
    if table in SERIES:
        async for page in _series(table, occupancies):
            yield page
        return
    after = 0
    while True:
        page = await _page(table, account_id, occupancies, after)
        if page:
            yield page
        if len(page) < PAGE_ROWS:
            return
        after = page[-1]["id"]


async def _page(
    table: str, account_id: int, occupancies: Sequence[_Occupied], after: int
) -> Sequence[Mapping[str, Any]]:
    database, tail = current_database(), f" AND t.id > {after} ORDER BY t.id LIMIT {PAGE_ROWS}"
    if table in OF_ACCOUNT:
        return await run(database, OF_ACCOUNT[table] + tail, [account_id])
    keys = [
        (one.dwelling_id, account_id, one.first, one.last, one.first_s, one.last_s) for one in occupancies
    ]
    return await select_by(database, _OCCUPIED_COLUMNS, OF_HOME[table] + tail, keys) if keys else []


async def _series(table: str, occupancies: Sequence[_Occupied]) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    column, columns, unit = SERIES[table]
    ends = "last_day" if table == "month_volume" else column
    meters = await Meter.filter(
        dwelling_id__in=[occupancy.dwelling_id for occupancy in occupancies]
    ).order_by("id")
    for meter in meters:
        for occupancy in (one for one in occupancies if one.dwelling_id == meter.dwelling_id):
            first, last = (
                (occupancy.first_s, occupancy.last_s)
                if unit == "s"
                else (day_number(occupancy.first), day_number(occupancy.last))
            )
            while True:
                page = await run(
                    current_database(),
                    f"SELECT meter_id, {columns} FROM {table} WHERE meter_id = $1 AND {column} >= $2"  # noqa: S608 - our own words
                    f" AND {ends} <= $3 ORDER BY {column} LIMIT {PAGE_ROWS}",
                    [meter.id, first, last],
                )
                if page:
                    yield page
                if len(page) < PAGE_ROWS:
                    break
                first = page[-1][column] + 1


async def _json_lines(pages: AsyncIterator[Sequence[Mapping[str, Any]]]) -> AsyncIterator[bytes]:
    """One array, a row a line."""
    yield b"["
    before = b"\n"
    async for page in pages:
        rows = b",\n".join(json.dumps(_plain(row), ensure_ascii=False).encode() for row in page)
        yield before + rows
        before = b",\n"
    yield b"\n]\n"


async def _csv_lines(pages: AsyncIterator[Sequence[Mapping[str, Any]]]) -> AsyncIterator[bytes]:
    """A line of names, and a line a row (RFC 4180); empty where there is no row."""
    names: list[str] | None = None
    async for page in pages:
        lines: list[Iterable[Any]] = []
        if names is None:
            names = list(page[0])
            lines.append(names)
        lines += [[_cell(value) for value in _plain(row).values()] for row in page]
        written = StringIO()
        csv.writer(written, lineterminator="\r\n").writerows(lines)
        yield written.getvalue().encode()


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row in types that JSON has; a document is one on both databases."""
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return harmless(value) if isinstance(value, str) else value

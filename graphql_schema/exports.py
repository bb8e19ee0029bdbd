"""`POST /export`: a table of statistics as CSV or as an Arrow stream, for pandas, DuckDB and spreadsheets.

In: the name of a field of `analysis` and its filter, in JSON; a token as for `/graphql`; the format in
`Accept`. Out: the rows that the field answers, all of them, while they are read. The one rule: what may be
read is decided by the same service as in the schema; here only the form differs. A whole table costs points
of the hour like an operation.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from core.access import Permission, Viewer
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.database_errors import may_pass
from core.documents.tables import ArrowWriter, CsvWriter, TableWriter
from core.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    SubmeterError,
    Unauthenticated,
    Unavailable,
)
from core.services.analysis.export import cells_of, columns_of
from core.services.analysis.figures import Grouping, StatisticTable
from core.services.analysis.statistics import Choice, StatisticRow, all_statistics
from core.services.auth.rate_limits import Allowance, RateLimiter
from core.services.auth.sessions import viewer_of_token
from core.services.telegrams.intake_queue import WAIT_FOR_DATABASE
from graphql_schema.base.credentials import Credentials, from_another_site
from graphql_schema.base.relay import number_of

PATH: Final = "/export"
LARGEST_BODY: Final = 4_096
POINTS: Final = 2_000
"""Of the hour's: what some hundred rows cost through the schema."""

CSV: Final = "text/csv"
ARROW: Final = "application/vnd.apache.arrow.stream"
_WRITERS: Final[dict[str, tuple[type[TableWriter], str, str]]] = {
    CSV: (CsvWriter, "text/csv; charset=utf-8; header=present", "csv"),
    ARROW: (ArrowWriter, ARROW, "arrows"),
}
_STATUS: Final[dict[type[SubmeterError], int]] = {
    Unauthenticated: 401,
    InvalidInput: 400,
    NotFound: 404,
    RateLimited: 429,
    Unavailable: 503,
}
_MONTH: Final = r"^(19|2\d)\d\d-(0[1-9]|1[0-2])$"

MonthText = Annotated[str, msgspec.Meta(pattern=_MONTH)]


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`StatisticFilterInput` of the schema."""

    from_: MonthText | None = msgspec.field(default=None, name="from")
    to: MonthText | None = None
    by_residence: bool = False
    residence: str | None = None
    fluid: Fluid | None = None
    grouping: Grouping | None = None

    def choice(self) -> Choice:
        return Choice(
            fluid=self.fluid,
            first_month=_month(self.from_),
            last_month=_month(self.to),
            grouping=self.grouping,
            by_residence=self.by_residence,
            residence_id=number_of(self.residence, "Residence", field="residence")
            if self.residence
            else None,
        )


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body: `query` is consumption, leaks, meters or completeness."""

    query: str
    parameters: Parameters = Parameters()


class _NotExported(Exception):
    """The request cannot be used, whoever sends it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


async def export(request: Request) -> Response:
    """The table, or a refusal in JSON."""
    try:
        writer, media_type, suffix = _WRITERS[_format_of(request.headers.get("accept", ""))]
        viewer = await _viewer_of(request)
        table, choice = _asked(await _body_of(request))
        await _charge(request, viewer)
        pages = all_statistics(viewer, table, choice)
        first: list[StatisticRow] = await anext(pages, [])
    except _NotExported as refused:
        return _answer(refused.status, {"code": refused.code, "message": refused.message})
    except SubmeterError as refusal:
        return _refusal_of(refusal)
    except ClientDisconnect:
        return _answer(400, {"code": "INCOMPLETE", "message": "The body ended too early."})
    except Exception as failure:
        if may_pass(failure):
            return _refusal_of(Unavailable(retry_after=WAIT_FOR_DATABASE))
        raise
    name = f"{table.value.lower()}.{suffix}"
    return StreamingResponse(
        _pieces(writer(columns_of(table)), table, first, pages),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _pieces(
    writer: TableWriter,
    table: StatisticTable,
    first: list[StatisticRow],
    pages: AsyncIterator[list[StatisticRow]],
) -> AsyncIterator[bytes]:
    """The table in the pieces in which it is read, each made beside the event loop."""

    def made(rows: list[StatisticRow]) -> bytes:
        return writer.rows([cells_of(table, row) for row in rows])

    yield writer.begin()
    if first:
        yield await asyncio.to_thread(made, first)
    async for rows in pages:
        yield await asyncio.to_thread(made, rows)
    yield writer.end()


def _format_of(accept: str) -> str:
    """The first format of the header that is known; CSV for a client that takes anything."""
    for entry in accept.split(","):
        media_type = entry.partition(";")[0].strip().lower()
        if media_type in _WRITERS:
            return media_type
        if media_type in {"", "*/*", "text/*"}:
            return CSV
    raise _NotExported(406, "NOT_ACCEPTABLE", f"Accept {CSV} or {ARROW}.")


async def _viewer_of(request: Request) -> Viewer:
    credentials = Credentials.of(request)
    if credentials.token is None:
        raise Unauthenticated("Sign in first, or send a token: Authorization: Bearer ...")
    application = request.app.state.application
    if credentials.by_cookie and from_another_site(request, application.settings.graphql.origins):
        raise Forbidden("The session cookie is not accepted in a request from another site.")
    now: datetime = request.app.state.clock()
    viewer = await viewer_of_token(application, credentials.token, now=now)
    viewer.require(Permission.ANALYSES_READ)
    return viewer


async def _body_of(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _NotExported(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json.")
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > LARGEST_BODY:
            raise _NotExported(413, "TOO_LARGE", f"The body is larger than {LARGEST_BODY} bytes.")
        body += chunk
    return bytes(body)


def _asked(body: bytes) -> tuple[StatisticTable, Choice]:
    try:
        wanted = msgspec.json.decode(body, type=Wanted)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as failure:
        raise InvalidInput(f"The body cannot be read: {failure}") from failure
    names = {table.value.lower(): table for table in StatisticTable}
    if wanted.query not in names:
        raise InvalidInput(f"must be one of {', '.join(names)}", field="query")
    return names[wanted.query], wanted.parameters.choice()


async def _charge(request: Request, viewer: Viewer) -> None:
    """Take the points of the hour that operations are charged to as well."""
    application, now = request.app.state.application, request.app.state.clock()
    role, hour = viewer.role.value, timedelta(hours=1)
    _, of_hour = application.settings.graphql.points_of(role)
    allowance = Allowance(f"points of {role.lower()}", of_hour, hour)
    name = f"account {viewer.account_id}"
    spent = await RateLimiter.of(application).spend(allowance, name, POINTS, now=now)
    if spent > of_hour:
        raise RateLimited(retry_after=timedelta(seconds=3_600 - int(now.timestamp()) % 3_600))


def _month(text: str | None) -> Month | None:
    return None if text is None else Month(int(text[:4]), int(text[5:]))


def _refusal_of(refusal: SubmeterError) -> Response:
    status = next((number for kind, number in _STATUS.items() if isinstance(refusal, kind)), 403)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(refusal, RateLimited | Unavailable):
        headers["Retry-After"] = str(refusal.retry_after_s)
    field: dict[str, Any] = {"field": refusal.field} if refusal.field else {}
    body = {"code": refusal.code, "message": refusal.message[:300], **field, **refusal.details}
    return _answer(status, body, headers)


def _answer(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")

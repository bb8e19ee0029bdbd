"""GraphQL over HTTP: strawberry's view, held to the specification (graphql.github.io/graphql-over-http).

In: POST with a JSON body, or GET with a query. Out: a GraphQL response in the media type that the client
accepts, also for refusals. The one rule: whatever a client sends, the response is JSON and its status shows
whose fault an error is; malformed input is never a 5xx. A browser's GET shows GraphiQL (`graphiql.page`).

Requests that other sites start (CSRF): a body must be `application/json`, which no form can send, and a POST
that is authenticated by the session cookie must not name another host as its origin.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.http.types import QueryParams
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult

from core.access import Permission
from core.database_errors import may_pass
from core.errors import SubmeterError
from core.graphql_settings import BODY_BYTES
from core.telemetry.intake import Source, received_by
from graphql_schema.base.context import Context
from graphql_schema.base.credentials import Credentials, from_another_site
from graphql_schema.base.errors import BAD_REQUEST, shortened, translated
from graphql_schema.graphiql.page import page
from graphql_schema.requests.answers import finished
from graphql_schema.requests.bodies import bounded, check_head, check_structure
from graphql_schema.requests.trusted import LONGEST_ID, asked_query
from graphql_schema.requests.variables import MOST_GATEWAY_VALUES, MOST_VALUES, excess_of

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"

LONGEST_OPERATION_NAME = 200

JsonObject: TypeAlias = dict[str, Any]


@dataclass
class AskedData(GraphQLRequestData):
    """A request: the document's text, its id, or both."""

    document_id: str | None = None


class GraphQLOverHttp(GraphQL[Context, None]):
    """The `/graphql` endpoint. Application and clock come from the app's state."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        settings = request.app.state.application.settings.graphql
        request = Request(scope, bounded(request, receive, settings.body_bytes, lambda: _is_gateway(request)))
        try:
            check_head(scope)
            if _wants_page(request):
                await page(request.app.state.application.settings)(scope, receive, send)
                return
            with received_by(Source.GRAPHQL):
                response = await finished(request, await self.run(request))
        except HTTPException as refusal:
            response = _refused(request, refusal)
        await response(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        assert isinstance(request, Request)
        assert isinstance(response, Response)
        state = request.app.state
        now: datetime = state.clock()
        context = Context(
            request=request,
            response=response,
            application=state.application,
            now=now,
            credentials=Credentials.of(request),
        )
        request.state.context = context
        return context

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        response = await super().get_sub_response(request)
        response.media_type = negotiated(request.headers.get("accept", ""))
        return response

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:  # noqa: ARG002 - strawberry's signature
        return False  # `__call__` has answered who wants a page

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        if request.method == "GET":
            data = self.parse_query_params(request.query_params)
        else:
            body = await request.get_body()
            if len(body) > BODY_BYTES:
                await check_structure(body)
            data = self._parse_post(request.headers.get("content-type", ""), body)
        operation_name = _member(data, "operationName", str)
        if len(operation_name or "") > LONGEST_OPERATION_NAME:
            raise HTTPException(400, f"operationName has at most {LONGEST_OPERATION_NAME} characters.")
        return AskedData(
            document_id=_document_id_of(data),
            query=_member(data, "query", str),
            variables=_member(data, "variables", dict),
            operation_name=operation_name,
            extensions=_member(data, "extensions", dict),
        )

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        allowed = context.application.settings.graphql
        if (
            request.method == "POST"
            and context.credentials.by_cookie
            and from_another_site(request, allowed.origins)
        ):
            raise HTTPException(403, "The session cookie is not accepted in a request from another site.")
        excess = excess_of(request_data.variables, MOST_VALUES)
        if excess is not None and await _is_gateway(request):
            excess = excess_of(request_data.variables, MOST_GATEWAY_VALUES)
        if excess is not None:
            return ExecutionResult(None, [excess])
        assert isinstance(request_data, AskedData)
        query, error = await asked_query(context, request_data.query, request_data.document_id)
        if error is not None:
            return ExecutionResult(None, [error])
        asked = replace(request_data, query=query)
        return await super().execute_single(
            request, request_adapter, sub_response, context, root_value, asked
        )

    async def process_result(
        self,
        request: Request,
        result: ExecutionResult,
    ) -> GraphQLHTTPResponse:
        request.state.is_whole = not result.errors
        answer: GraphQLHTTPResponse = {"data": result.data}
        if result.errors:
            answer["errors"] = [translated(error) for error in result.errors]
            if result.data is None and all(error.path is None for error in result.errors):
                del answer["data"]
        if result.extensions:
            answer["extensions"] = result.extensions
        return answer

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        media_type = sub_response.media_type or JSON
        refused = media_type == GRAPHQL and "data" not in response_data
        status = 429 if "retry-after" in sub_response.headers else 400
        response = _json(response_data, status_code=status if refused else 200, media_type=media_type)
        response.headers.raw.extend(sub_response.headers.raw)
        return response

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def parse_query_params(self, params: QueryParams) -> JsonObject:
        data: JsonObject = dict(params)
        for name in ("variables", "extensions"):
            data[name] = self.parse_json(data[name]) if data.get(name) else None
        return data

    def _parse_post(self, content_type: str, body: bytes) -> JsonObject:
        media_type, _, parameters = content_type.partition(";")
        charset = parameters.strip().lower().replace('"', "")
        if media_type.strip().lower() != JSON or charset not in {"", "charset=utf-8"}:
            raise HTTPException(415, f"The body must be {JSON} in UTF-8.")
        data = self.parse_json(body)
        if not isinstance(data, dict):
            raise HTTPException(400, "The body must be a JSON object.")
        return data


def _wants_page(request: Request) -> bool:
    """Whether a browser opens the address, and asks for nothing."""
    asks = any(name in request.query_params for name in ("query", "documentId", "extensions"))
    return request.method == "GET" and "text/html" in request.headers.get("accept", "") and not asks


def negotiated(accept: str) -> str:
    """The better of the two media types by the client's weights; JSON if it accepts neither."""
    best, best_weight = JSON, 0.0
    for entry in accept.split(","):
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        offered = (
            GRAPHQL
            if media_type == GRAPHQL
            else JSON
            if media_type in {JSON, "application/*", "*/*"}
            else None
        )
        weight = _weight(parameters)
        if offered and (weight > best_weight or (weight == best_weight and offered == GRAPHQL)):
            best, best_weight = offered, weight
    return best


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def _member(data: JsonObject, name: str, expected: type[Any]) -> Any:
    value = data.get(name)
    if value is not None and not isinstance(value, expected):
        raise HTTPException(400, f"{name} must be {'a string' if expected is str else 'an object'} or null.")
    return value


def _document_id_of(data: JsonObject) -> str | None:
    """`documentId` of the specification's appendix, or the hash of Apollo's persisted queries."""
    document_id: str | None = _member(data, "documentId", str)
    if document_id is None:
        persisted = (_member(data, "extensions", dict) or {}).get("persistedQuery")
        if isinstance(persisted, dict):
            document_id = _member(persisted, "sha256Hash", str)
    if document_id is not None and len(document_id) > LONGEST_ID:
        raise HTTPException(400, f"A document's id has at most {LONGEST_ID} characters.")
    return document_id


def _refused(request: Request, refusal: HTTPException) -> Response:
    wrong_method = refusal.status_code == 405 or isinstance(refusal.__cause__, InvalidOperationTypeError)
    body = {"errors": [{"message": shortened(refusal.reason), "extensions": {"code": BAD_REQUEST}}]}
    response = _json(
        body,
        status_code=405 if wrong_method else refusal.status_code,
        media_type=negotiated(request.headers.get("accept", "")),
    )
    if wrong_method:
        response.headers["allow"] = "POST" if request.method == "GET" else "GET, POST"
    return response


def _json(body: object, *, status_code: int, media_type: str) -> Response:
    return Response(
        orjson.dumps(body), status_code=status_code, headers={"content-type": f"{media_type}; charset=utf-8"}
    )


async def _is_gateway(request: Request) -> bool:
    """Whether the request has a gateway's key that is valid.

    Raises:
        HTTPException: the database is away.
    """
    context: Context = request.state.context
    try:
        return (await context.viewer()).may(Permission.TELEGRAMS_SUBMIT)
    except SubmeterError:
        return False
    except Exception as failure:
        if may_pass(failure):
            raise HTTPException(503, "The database cannot be reached: try again later.") from failure
        raise

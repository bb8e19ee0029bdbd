"""GraphQL over HTTP, held to the specification (graphql.github.io/graphql-over-http).

In: POST with a JSON body, or GET with a query. Out: a GraphQL response in the media type that the client
accepts, also for refusals. The one rule: whatever a client sends, the response is JSON and its status shows
whose fault an error is; malformed input is never a 5xx. A browser's GET shows GraphiQL (`graphiql.page`).

Requests that other sites start (CSRF): a body must be `application/json`, which no form can send, and a POST
that is authenticated by the session cookie must not name another host as its origin.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final, TypeAlias

import orjson
from cross_web import HTTPException
from graphql import GraphQLSchema
from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from core.access import Permission
from core.database_errors import may_pass
from core.errors import SubmeterError
from core.graphql_settings import BODY_BYTES
from core.telemetry.intake import Source, received_by
from graphql_schema.base.context import AnswerHeaders, Context
from graphql_schema.base.credentials import Credentials, from_another_site
from graphql_schema.base.errors import BAD_REQUEST, shortened, translated
from graphql_schema.graphiql.page import page
from graphql_schema.requests.answers import finished
from graphql_schema.requests.bodies import bounded, check_head, check_structure
from graphql_schema.requests.operations import Asked, run
from graphql_schema.requests.trusted import LONGEST_ID, asked_query
from graphql_schema.requests.variables import MOST_GATEWAY_VALUES, MOST_VALUES, excess_of

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"

LONGEST_OPERATION_NAME = 200
_METHODS: Final = {method: OperationType.from_http(method) for method in ("GET", "POST")}
"""The methods, and the kinds of operations that each may ask for."""

JsonObject: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request asks for: the document's text, its id, or both."""

    text: str | None
    document_id: str | None
    variables: JsonObject | None
    operation_name: str | None


class GraphQLOverHttp:
    """The `/graphql` endpoint. Application and clock come from the app's state.

    Args:
        schema: the schema as graphql-core has it.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        settings = request.app.state.application.settings
        is_gateway = partial(_is_gateway, request.state)
        request = Request(scope, bounded(request, receive, settings.graphql.body_bytes, is_gateway))
        try:
            check_head(scope)
            if _wants_page(request):
                await page(settings)(scope, receive, send)
                return
            with received_by(Source.GRAPHQL):
                response = await finished(request, await self._answer(request))
        except HTTPException as refusal:
            response = _refused(request, refusal)
        finally:
            _let_go(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        context = _context_of(request)
        if request.method not in _METHODS:
            raise HTTPException(405, "GraphQL only supports GET and POST requests.")
        sent = await _sent(request)
        result = await self._result(request, context, sent)
        request.state.is_whole = not result.errors
        return _response(request, _body_of(result), context.response)

    async def _result(self, request: Request, context: Context, sent: Sent) -> ExecutionResult:
        origins = context.application.settings.graphql.origins
        if request.method == "POST" and context.credentials.by_cookie and from_another_site(request, origins):
            raise HTTPException(403, "The session cookie is not accepted in a request from another site.")
        excess = excess_of(sent.variables, MOST_VALUES)
        if excess is not None and await _is_gateway(request.state):
            excess = excess_of(sent.variables, MOST_GATEWAY_VALUES)
        if excess is not None:
            return ExecutionResult(None, [excess])
        text, error = await asked_query(context, sent.text, sent.document_id)
        if error is not None:
            return ExecutionResult(None, [error])
        asked = Asked(text, sent.variables or {}, sent.operation_name, _METHODS[request.method])
        try:
            return await run(self._schema, asked, context)
        except CannotGetOperationTypeError as refusal:
            raise HTTPException(400, refusal.as_http_error_reason()) from refusal
        except InvalidOperationTypeError as refusal:
            raise HTTPException(405, refusal.as_http_error_reason(request.method)) from refusal
        except MissingQueryError as refusal:
            raise HTTPException(400, "No GraphQL query found in the request") from refusal


def _let_go(request: Request) -> None:
    """End the circle of request, context and loaders: what was read for the answer goes with it, instead of
    waiting for Python's collector.
    """
    context: Context | None = getattr(request.state, "context", None)
    if context is not None:
        context.loaders.let_go()
        del request.state.context, context.loaders


def _context_of(request: Request) -> Context:
    state = request.app.state
    context = Context(
        request=request,
        response=AnswerHeaders(),
        application=state.application,
        now=state.clock(),
        credentials=Credentials.of(request),
    )
    request.state.context = context
    return context


async def _sent(request: Request) -> Sent:
    """What a request asks for.

    Raises:
        HTTPException: it is not a request of GraphQL over HTTP.
    """
    if request.method == "GET":
        data: JsonObject = dict(request.query_params)
        for name in ("variables", "extensions"):
            data[name] = _parsed(data[name]) if data.get(name) else None
    else:
        body = await request.body()
        if len(body) > BODY_BYTES:
            await check_structure(body)
        data = _of_post(request.headers.get("content-type", ""), body)
    operation_name = _member(data, "operationName", str)
    if len(operation_name or "") > LONGEST_OPERATION_NAME:
        raise HTTPException(400, f"operationName has at most {LONGEST_OPERATION_NAME} characters.")
    return Sent(
        document_id=_document_id_of(data),
        text=_member(data, "query", str),
        variables=_member(data, "variables", dict),
        operation_name=operation_name,
    )


def _of_post(content_type: str, body: bytes) -> JsonObject:
    if content_type != JSON:
        media_type, _, parameters = content_type.partition(";")
        charset = parameters.strip().lower().replace('"', "")
        if media_type.strip().lower() != JSON or charset not in {"", "charset=utf-8"}:
            raise HTTPException(415, f"The body must be {JSON} in UTF-8.")
    data = _parsed(body)
    if not isinstance(data, dict):
        raise HTTPException(400, "The body must be a JSON object.")
    return data


def _parsed(text: str | bytes) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, "Unable to parse request body as JSON") from error


def _body_of(result: ExecutionResult) -> JsonObject:
    answer: JsonObject = {"data": result.data}
    if result.errors:
        answer["errors"] = [translated(error) for error in result.errors]
        if result.data is None and all(error.path is None for error in result.errors):
            del answer["data"]
    if result.extensions:
        answer["extensions"] = result.extensions
    return answer


def _response(request: Request, answer: JsonObject, headers_of: Response) -> Response:
    media_type = negotiated(request.headers.get("accept", ""))
    refused = media_type == GRAPHQL and "data" not in answer
    status = 429 if "retry-after" in headers_of.headers else 400
    response = _json(answer, status_code=status if refused else 200, media_type=media_type)
    response.raw_headers.extend(headers_of.raw_headers)
    return response


def _wants_page(request: Request) -> bool:
    """Whether a browser opens the address, and asks for nothing."""
    if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        return False
    return not any(name in request.query_params for name in ("query", "documentId", "extensions"))


@lru_cache(maxsize=64)
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
    body = {"errors": [{"message": shortened(refusal.reason), "extensions": {"code": BAD_REQUEST}}]}
    response = _json(
        body,
        status_code=refusal.status_code,
        media_type=negotiated(request.headers.get("accept", "")),
    )
    if refusal.status_code == 405:
        response.headers["allow"] = "POST" if request.method == "GET" else "GET, POST"
    return response


def _json(body: object, *, status_code: int, media_type: str) -> Response:
    return Response(
        orjson.dumps(body), status_code=status_code, headers={"content-type": f"{media_type}; charset=utf-8"}
    )


async def _is_gateway(state: State) -> bool:
    """Whether the request of this state has a gateway's key that is valid.

    Raises:
        HTTPException: the database is away.
    """
    context: Context = state.context
    try:
        return (await context.viewer()).may(Permission.TELEGRAMS_SUBMIT)
    except SubmeterError:
        return False
    except Exception as failure:
        if may_pass(failure):
            raise HTTPException(503, "The database cannot be reached: try again later.") from failure
        raise

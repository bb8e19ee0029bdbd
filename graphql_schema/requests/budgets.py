"""What an operation costs, and whether whoever asks has that many points left.

In: a document that was read, and who asks. Out: the points in `extensions.cost`, the remainder of the hour
in the headers `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), or a refusal
before any resolver runs. The one rule: an operation is charged what its answer may hold, by its document;
what it asks of the schema itself is charged as answered, ten values a point, since nothing is read for
them.

Hours are those of the clock, and one counter of the shared store each: the whole is one step of the store a
request. A token that is not valid asks as ANONYMOUS, by the network of the visitor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationDefinitionNode, OperationType

from core.access import Viewer
from core.errors import RateLimited, SubmeterError
from core.graphql_settings import ANONYMOUS
from core.services.auth.rate_limits import Allowance, RateLimiter, network_of
from core.telemetry import metrics
from graphql_schema.base.context import Context
from graphql_schema.base.query_limits import LONGEST_DOCUMENT
from graphql_schema.requests.documents import ReadDocument
from graphql_schema.requests.introspection import TOO_LARGE, SchemaAnswer, answer_about_schema

VALUES_A_POINT: Final = 10
"""Values of the schema: they are read from memory, in a tenth of the time of another field."""

MOST_VALUES_BESIDE: Final = 500
"""Values of the schema that graphql-core answers, in an operation that asks for something else as well."""

HOUR: Final = timedelta(hours=1)
_HOUR_S: Final = int(HOUR.total_seconds())
_points_of = lru_cache(maxsize=32)(metrics.GRAPHQL_POINTS.labels)


CHARACTERS_A_POINT: Final = 16
"""Of a document that is not kept: the dearest take 45 ms of CPU to be read and refused, 2,000 such points."""


@dataclass(frozen=True, slots=True)
class Charged:
    """What an operation costs, and its result if it is known without running it.

    Attributes:
        cost: points, and the most that are allowed.
        result: a refusal, or what was asked of the schema alone.
    """

    cost: dict[str, int]
    result: ExecutionResult | None


async def charged(
    schema: GraphQLSchema,
    read: ReadDocument,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    context: Context,
) -> Charged:
    """Charge an operation before it is run."""
    context.request.state.operation = operation.operation
    context.shows_homes, context.shows_screens = read.shows_homes, read.shows_screens
    viewer = await _viewer_of(context)
    role = ANONYMOUS if viewer is None else viewer.role.value
    most, of_hour = context.application.settings.graphql.points_of(role)
    points = read.points[operation.name.value if operation.name else None]
    about_schema = _about_schema(schema, read, operation, variables, most - points)
    if about_schema is not None:
        points += about_schema.values // VALUES_A_POINT
    cost = {"points": points, "limit": most}
    error = about_schema.error if about_schema else None
    if error is not None and points >= most:
        points = most + 1  # and more: it was not counted to the end
    if points > most:
        message = f"The operation is too large: it costs {points} points, and at most {most} are allowed."
        error = GraphQLError(message, operation, extensions={"code": TOO_LARGE, "limit": most})
    _points_of(role).inc(points)
    refused = await _charge(context, viewer, role, min(points, most), of_hour)
    if refused is not None:
        error = GraphQLError(refused.message, original_error=refused)
    if error is not None:
        return Charged(cost, ExecutionResult(None, [error]))
    if about_schema is not None and about_schema.is_whole:
        return Charged(cost, ExecutionResult(about_schema.data, None))
    return Charged(cost, None)


async def charged_for_reading(text: str, context: Context) -> RateLimited | None:
    """Charge a document that has to be read, before it is: its text to the visitor's network, whoever asks.
    Gives the refusal if that has used up an hour's ANONYMOUS points for reading alone.

    A document that is refused has no price of its own; without this, nothing would end a stream of them.
    """
    _, of_hour = context.application.settings.graphql.points_of(ANONYMOUS)
    points = min(len(text), LONGEST_DOCUMENT) // CHARACTERS_A_POINT + 1
    allowance = Allowance("documents read", of_hour, HOUR)
    limiter = RateLimiter.of(context.application)
    spent = await limiter.spend(allowance, network_of(context.visitor), points, now=context.now)
    return None if spent <= of_hour else _until_next_hour(context)


def _about_schema(
    schema: GraphQLSchema,
    read: ReadDocument,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    points_left: int,
) -> SchemaAnswer | None:
    """What a query is answered about the schema; None if it does not ask."""
    if operation.operation is not OperationType.QUERY or not read.asks_schema:
        return None
    most = max(0, points_left) * VALUES_A_POINT
    answer = answer_about_schema(schema, read.document, operation, variables, most=most)
    if answer is None or answer.is_whole or answer.values <= MOST_VALUES_BESIDE:
        return answer
    message = "Ask for the schema in an operation of its own."
    error = GraphQLError(message, operation, extensions={"code": TOO_LARGE, "limit": MOST_VALUES_BESIDE})
    return SchemaAnswer({}, answer.values, is_whole=False, error=answer.error or error)


async def _viewer_of(context: Context) -> Viewer | None:
    """Who asks; None for nobody, and for a token that cannot be looked up, which its fields refuse."""
    if context.credentials.token is None:
        return None
    try:
        return await context.viewer()
    except SubmeterError:
        return None
    except Exception:  # noqa: BLE001 - the database is away, for instance: the field that needs it says so
        return None


async def _charge(
    context: Context, viewer: Viewer | None, role: str, points: int, of_hour: int
) -> RateLimited | None:
    """Charge the points, and put what is left into the headers; gives the refusal if there are too few."""
    allowance = Allowance(f"points of {role.lower()}", of_hour, HOUR)
    spent = await RateLimiter.of(context.application).spend(
        allowance, _name_of(context, viewer), points, now=context.now
    )
    left_s = _seconds_left(context.now)
    name = role.lower()
    policy, left = f'"{name}";q={of_hour};w={_HOUR_S}', f'"{name}";r={max(0, of_hour - spent)};t={left_s}'
    context.response.raw_headers += (
        (b"ratelimit-policy", policy.encode("latin-1")),
        (b"ratelimit", left.encode("latin-1")),
    )
    return None if spent <= of_hour else _until_next_hour(context)


def _until_next_hour(context: Context) -> RateLimited:
    """The refusal of whoever has none left, with the header that says when to come back."""
    left_s = _seconds_left(context.now)
    context.response.headers["Retry-After"] = str(left_s)
    return RateLimited(retry_after=timedelta(seconds=left_s))


def _name_of(context: Context, viewer: Viewer | None) -> str:
    if viewer is None:
        return network_of(context.visitor)
    if viewer.grant is not None:
        return f"grant {viewer.grant.id}"
    return f"gateway {viewer.gateway_id}" if viewer.gateway_id is not None else f"account {viewer.account_id}"


def _seconds_left(now: datetime) -> int:
    return _HOUR_S - int(now.timestamp()) % _HOUR_S

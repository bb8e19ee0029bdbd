"""Runs one operation of a request, from its text to its result.

In: a text, variables, and who asks. Out: data and errors, and the cost in `extensions`. The one rule: the
steps are in the order of what they cost, so that what is refused has cost little: the document, read once
and kept; its points; and only then a resolver. Each operation is counted, and leaves a span.

Why not strawberry's `Schema.execute`: it runs the same steps through hooks of extensions, which take a third
of a millisecond, as much as all of them.

A client's name for an operation is a label of a metric only once an operation of that name was answered, and
for the first two hundred of them; so strangers can neither fill the memory nor invent labels.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, get_operation_ast
from graphql.execution import ExecutionResult as CoreResult
from strawberry.exceptions import MissingQueryError
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from core.errors import SecretUnusable, SubmeterError
from core.telemetry import metrics, tracing
from graphql_schema.base.context import Context
from graphql_schema.requests.budgets import charged, charged_for_reading
from graphql_schema.requests.documents import ReadDocument
from graphql_schema.requests.executor import PiecewiseExecutor
from graphql_schema.requests.introspection import MOST_ERRORS
from graphql_schema.requests.trusted import Documents

MOST_NAMES = 200
LONGEST_NAME = 64
ANONYMOUS = "anonymous"

_names = metrics.BoundedNames(MOST_NAMES)
_operations = lru_cache(maxsize=1_024)(metrics.GRAPHQL_OPERATIONS.labels)
_seconds = lru_cache(maxsize=16)(metrics.GRAPHQL_SECONDS.labels)


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation as a client sent it.

    Attributes:
        text: the document.
        variables: as JSON.
        name: which operation of the document; None if it has one.
        allowed: the kinds of operations that the request's method allows.
    """

    text: str | None
    variables: Mapping[str, Any]
    name: str | None
    allowed: Collection[OperationType]


@dataclass(slots=True)
class _Seen:
    """What is known of an operation once it has ended."""

    name: str
    kind: str = "unknown"
    outcome: str = "failed"
    begun: float = field(default_factory=time.perf_counter)

    def look_at(self, read: ReadDocument) -> None:
        """The operation that was named, or else the first."""
        operation = get_operation_ast(read.document, self.name or None) or read.first
        if operation is not None:
            self.kind = operation.operation.value
            self.name = self.name or (operation.name.value if operation.name else "")

    def count(self, span: tracing.Span) -> None:
        name = operation_name(self.name, self.outcome)
        for attribute, value in (("name", name), ("type", self.kind), ("outcome", self.outcome)):
            span.note(f"graphql.operation.{attribute}", value)
        _operations(name, self.kind, self.outcome).inc()
        _seconds(self.kind).observe(time.perf_counter() - self.begun)


async def run(schema: GraphQLSchema, asked: Asked, context: Context) -> ExecutionResult:
    """The result of an operation.

    Raises:
        MissingQueryError: there is no text.
        CannotGetOperationTypeError: there is no operation of the name, or several and no name.
        InvalidOperationTypeError: a mutation that was sent by GET, for instance.
    """
    seen = _Seen(asked.name or "")
    with tracing.span("graphql operation") as span:
        try:
            result = await _result(schema, asked, context, seen)
            seen.outcome = _outcome(result, context)
        except (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError):
            seen.outcome = "invalid"
            raise
        finally:
            seen.count(span)
    return result


async def _result(schema: GraphQLSchema, asked: Asked, context: Context, seen: _Seen) -> ExecutionResult:
    if not asked.text:
        raise MissingQueryError
    documents: Documents = context.request.app.state.documents
    if not documents.keeps(asked.text):
        refused = await charged_for_reading(asked.text, context)
        if refused is not None:
            return ExecutionResult(None, [GraphQLError(refused.message, original_error=refused)])
    try:
        read = await documents.read(schema, asked.text)
    except GraphQLError as error:
        return ExecutionResult(None, [error])
    seen.look_at(read)
    operation = read.operation(asked.name)
    kind = OperationType(operation.operation.value)
    if kind not in asked.allowed:
        raise InvalidOperationTypeError(kind)
    if read.errors:
        return ExecutionResult(None, list(read.errors))
    try:
        charge = await charged(schema, read, operation, asked.variables, context)
        found = charge.result or await _executed(schema, read, operation, asked, context)
    except GraphQLError as error:
        return ExecutionResult(None, [error])
    except Exception as failure:  # noqa: BLE001 - reported to the client as INTERNAL
        return ExecutionResult(None, [GraphQLError(str(failure), original_error=failure)])
    return ExecutionResult(found.data, found.errors, {"cost": charge.cost})


async def _executed(
    schema: GraphQLSchema,
    read: ReadDocument,
    operation: OperationDefinitionNode,
    asked: Asked,
    context: Context,
) -> CoreResult:
    """What graphql-core answers: wrong variables are few errors, without suggestions."""
    executor = PiecewiseExecutor.build(
        schema,
        read.document,
        context_value=context,
        raw_variable_values=dict(asked.variables),
        operation_name=asked.name,
        max_coercion_errors=MOST_ERRORS,
        hide_suggestions=True,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # strawberry's own call has it so
        selections=read.selections(operation),
    )
    if isinstance(executor, list):
        return CoreResult(None, executor)
    found: Any = executor.execute_operation()
    return found if isinstance(found, CoreResult) else await found


def _outcome(result: ExecutionResult, context: Context) -> str:
    outcomes = {outcome_of(error) for error in result.errors or ()}
    if context.refused:  # a refusal that is data, of a mutation
        outcomes.add("refused")
    return next((one for one in ("failed", "refused", "invalid") if one in outcomes), "ok")


def outcome_of(error: GraphQLError) -> str:
    """Whose fault an error is: ours (failed), a rule's (refused), or that of the request itself
    (invalid).
    """
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if cause is None:
        return "invalid"
    return (
        "refused" if isinstance(cause, SubmeterError) and not isinstance(cause, SecretUnusable) else "failed"
    )


def operation_name(given: str, outcome: str) -> str:
    """The label of an operation's name."""
    if not given:
        return ANONYMOUS
    return _names.known(given, may_add=outcome == "ok" and len(given) <= LONGEST_NAME)

"""What a GraphQL operation leaves behind: a metric by name, kind and outcome, and a span.

In: an operation and its result. Out: counts. The one rule: a client's name for an operation is a label only
once an operation of that name was answered, and for the first two hundred of them; so strangers can neither
fill the memory nor invent labels by operations that are refused.
"""

import time
from collections.abc import Iterator

from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from core.errors import SecretUnusable, SubmeterError
from core.telemetry import metrics, tracing

MOST_NAMES = 200
LONGEST_NAME = 64
ANONYMOUS = "anonymous"

_names = metrics.BoundedNames(MOST_NAMES)


class OperationMetrics(SchemaExtension):
    """Counts and traces each operation."""

    def on_operation(self) -> Iterator[None]:
        begun, outcome = time.perf_counter(), "failed"
        with tracing.span("graphql operation") as span:
            try:
                yield
                outcome = self._outcome()
            except (GraphQLError, MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError):
                outcome = "invalid"  # not parsed, no operation of the name, or a mutation by GET
                raise
            finally:
                kind = self._kind()
                name = operation_name(self.execution_context.operation_name or "", outcome)
                for attribute, value in (("name", name), ("type", kind), ("outcome", outcome)):
                    span.note(f"graphql.operation.{attribute}", value)
                metrics.GRAPHQL_OPERATIONS.labels(name, kind, outcome).inc()
                metrics.GRAPHQL_SECONDS.labels(kind).observe(time.perf_counter() - begun)

    def _kind(self) -> str:
        if self.execution_context.graphql_document is None:
            return "unknown"
        try:
            return self.execution_context.operation_type.value.lower()
        except RuntimeError:  # several operations, or none of the name
            return "unknown"

    def _outcome(self) -> str:
        context = self.execution_context
        errors = getattr(context.result, "errors", None) or context.pre_execution_errors or []
        outcomes = {outcome_of(error) for error in errors}
        if getattr(context.context, "refused", False):  # a refusal that is data, of a mutation
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

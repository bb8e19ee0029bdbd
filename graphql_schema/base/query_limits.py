"""Limits on the size of one operation, checked before it is validated or run.

In: the parsed document. Out: refusals with the code OPERATION_TOO_LARGE. The one rule: the walk is linear in
the document; a fragment is measured once, however often it is spread, since walking it again at each spread
would make the check itself an attack (twenty fragments that each spread the next one twice are a million
visits). Validation is protected too: its overlap check compares fields of one response name pair by pair.

The result depends on the document only, so it is cached with the validation of that document.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
    specified_rules,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.schema.schema import validate_document

from graphql_schema.base.paging import LARGEST_PAGE

LONGEST_DOCUMENT = 32_768
"""Characters of a query text; longer values belong in variables."""

MAX_TOKENS = 1_000
MAX_DEPTH = 12
MAX_ALIASES = 30
MAX_COST = 100_000
"""Fields that an answer may hold at most."""

MAX_OVERLAPS = 10_000
"""Pairs of fields with one response name, over the document: what the overlap check may have to compare."""

LIST_LENGTHS = {"dailyConsumption": 1_098, "monthlyConsumption": 37}
"""The longest answers of lists that are not pages (LONGEST_SERIES of the consumption service)."""

USUAL_LIST_LENGTH = 5
"""Meters of a dwelling, dwellings of a resident, tabs of a dashboard."""

_TOO_LARGE = "OPERATION_TOO_LARGE"
_SATURATED = 10**9


class SeveralOperationsError(CannotGetOperationTypeError):
    """A document with several operations and no `operationName`."""

    def as_http_error_reason(self) -> str:
        return "The document has several operations: operationName must name the one to run."


class QueryLimits(SchemaExtension):
    """Refuses operations that are too large, and parses and validates each document once."""

    _errors: tuple[GraphQLError, ...] = ()

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        if context.query is not None:
            schema = context.schema._schema  # noqa: SLF001 - as strawberry's own ValidationCache does
            context.graphql_document, self._errors = _read(schema, context.query)
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if context.graphql_document is not None:
            operations = [
                node
                for node in context.graphql_document.definitions
                if isinstance(node, OperationDefinitionNode)
            ]
            if len(operations) > 1 and context._provided_operation_name is None:  # noqa: SLF001 - strawberry has no public attribute for what the client sent
                raise SeveralOperationsError(None)
            context.pre_execution_errors = list(self._errors)
        yield


@lru_cache(maxsize=256)
def _read(schema: GraphQLSchema, text: str) -> tuple[DocumentNode, tuple[GraphQLError, ...]]:
    """The document and its errors; cached, since clients send the same few documents."""
    if len(text) > LONGEST_DOCUMENT:
        raise GraphQLError(
            f"The document is longer than {LONGEST_DOCUMENT} characters: send values as variables.",
            extensions={"code": _TOO_LARGE},
        )
    document = parse(text, max_tokens=MAX_TOKENS)
    errors = too_large(schema, document) or validate_document(schema, document, tuple(specified_rules))
    return document, tuple(errors)


def too_large(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """The limits that the document exceeds; empty if it may be validated and run."""
    measure = _Measure(schema, document)
    found = [_excess("pairs of equal names", measure.overlaps(), MAX_OVERLAPS, document)]
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            size = measure.of(node.selection_set, schema.get_root_type(node.operation))
            found.append(_excess("levels", size.depth, MAX_DEPTH, node))
            found.append(_excess("aliases", size.aliases, MAX_ALIASES, node))
            found.append(_excess("fields", size.cost, MAX_COST, node))
    return [error for error in found if error is not None]


def _excess(
    what: str, found: int, limit: int, node: OperationDefinitionNode | DocumentNode
) -> GraphQLError | None:
    if found <= limit:
        return None
    message = f"The operation is too large: at most {limit} {what} may be requested at once."
    return GraphQLError(message, node, extensions={"code": _TOO_LARGE, "limit": limit})


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int = 0
    aliases: int = 0
    cost: int = 0

    def beside(self, other: "_Size") -> "_Size":
        """Two selections of one set."""
        return _Size(
            max(self.depth, other.depth),
            min(self.aliases + other.aliases, _SATURATED),
            min(self.cost + other.cost, _SATURATED),
        )


class _Measure:
    """Sizes of selection sets; those of fragments are cached."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._document = document
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._sizes: dict[str, _Size] = {}

    def of(self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None) -> _Size:
        size = _Size()
        for selection in selections.selections if selections else ():
            size = size.beside(self._selection(selection, parent))
        return size

    def overlaps(self) -> int:
        """Pairs of fields that share a response name, over the whole document."""
        names: Counter[str] = Counter()
        pending = [
            node.selection_set for node in self._document.definitions if hasattr(node, "selection_set")
        ]
        while pending:
            for selection in pending.pop().selections:
                if isinstance(selection, FieldNode):
                    names[(selection.alias or selection.name).value] += 1
                if not isinstance(selection, FragmentSpreadNode) and selection.selection_set:
                    pending.append(selection.selection_set)
        return sum(count * (count - 1) // 2 for count in names.values())

    def _selection(self, node: SelectionNode, parent: GraphQLNamedType | None) -> _Size:
        if isinstance(node, FieldNode):
            return self._field(node, parent)
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            return self.of(
                node.selection_set, self._schema.get_type(condition.name.value) if condition else parent
            )
        return self._fragment(node.name.value) if isinstance(node, FragmentSpreadNode) else _Size()

    def _fragment(self, name: str) -> _Size:
        if name not in self._sizes and name in self._fragments:
            # A fragment in a cycle counts as nothing; validation reports the cycle.
            self._sizes[name] = _Size()
            node = self._fragments[name]
            self._sizes[name] = self.of(
                node.selection_set, self._schema.get_type(node.type_condition.name.value)
            )
        return self._sizes.get(name, _Size())

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> _Size:
        aliases = 1 if node.alias else 0
        name = node.name.value
        if name.startswith("__"):  # graphql-core has its own rule for introspection
            return _Size(1, aliases, 1)
        definition = getattr(parent, "fields", {}).get(name)
        inner = self.of(node.selection_set, get_named_type(definition.type) if definition else None)
        cost = 1 + inner.cost * _length(node, definition, parent)
        return _Size(inner.depth + 1, inner.aliases + aliases, min(cost, _SATURATED))


def _length(node: FieldNode, definition: Any, parent: GraphQLNamedType | None) -> int:
    """How many items the field may have at most; 1 if it is not a list."""
    if definition is None:
        return 1
    if "first" in definition.args:
        return _page_length(node, definition.args["first"].default_value)
    in_page = parent is not None and parent.name.endswith("Connection")
    if in_page or not is_list_type(get_nullable_type(definition.type)):
        return 1
    return LIST_LENGTHS.get(node.name.value, USUAL_LIST_LENGTH)


def _page_length(node: FieldNode, default: object) -> int:
    for argument in node.arguments or ():
        if argument.name.value == "first":
            given = argument.value
            return min(int(given.value), LARGEST_PAGE) if isinstance(given, IntValueNode) else LARGEST_PAGE
    return default if isinstance(default, int) else LARGEST_PAGE

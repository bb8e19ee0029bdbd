"""Reads the document of an operation: parsed, measured and validated once, and kept by its text.

In: a text. Out: the document, what its operations cost, and why it is refused, if it is. The one rule: work
grows with the text only up to a limit: text and tokens are counted before anything is built, the measures
are linear, and validation ends after a few errors and makes no suggestions (a suggestion compares a word
with all names of the schema). Refused documents have a place of their own, so that they do not push out
those in use.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from core.telemetry import metrics
from graphql_schema.base.query_limits import LONGEST_DOCUMENT, MAX_TOKENS, measured
from graphql_schema.requests.executor import Selections
from graphql_schema.requests.introspection import MOST_ERRORS, TOO_LARGE

MOST_KEPT: Final = 128
MOST_REFUSED_KEPT: Final = 32
_documents = lru_cache(maxsize=8)(metrics.GRAPHQL_DOCUMENTS.labels)
_RULES: Final = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document that was read.

    Attributes:
        document: the parsed text.
        points: what its operations cost, by their names.
        errors: why it cannot be run.
        is_fixed: whether what its operations select is the same for all variables.
        asks_schema: whether it may ask for something of the schema.
        shows_homes: whether it may show the viewer's homes.
        shows_screens: whether it may show dashboards and the number of alerts beside them.
    """

    document: DocumentNode
    points: Mapping[str | None, int]
    errors: tuple[GraphQLError, ...]
    is_fixed: bool
    asks_schema: bool
    shows_homes: bool
    shows_screens: bool
    _selections: dict[str | None, Selections] = field(default_factory=dict)

    def selections(self, operation: OperationDefinitionNode) -> Selections:
        """What the executions of an operation have worked out so far of what it selects."""
        if not self.is_fixed:
            return Selections()
        return self._selections.setdefault(operation.name.value if operation.name else None, Selections())

    @property
    def first(self) -> OperationDefinitionNode | None:
        """Its first operation; None if it has fragments alone."""
        nodes = self.document.definitions
        return next((node for node in nodes if isinstance(node, OperationDefinitionNode)), None)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation that is to be run.

        Raises:
            CannotGetOperationTypeError: there is none of this name, or several and no name.
        """
        found = get_operation_ast(self.document, name)
        if found is None:
            raise SeveralOperationsError(None) if name is None else CannotGetOperationTypeError(name)
        return found


class SeveralOperationsError(CannotGetOperationTypeError):
    """A document with several operations and no `operationName`."""

    def as_http_error_reason(self) -> str:
        return "The document has several operations: operationName must name the one to run."


class DocumentCache:
    """The documents that were read last."""

    def __init__(self, most: int = MOST_KEPT, most_refused: int = MOST_REFUSED_KEPT) -> None:
        self._kept: OrderedDict[str, ReadDocument] = OrderedDict()
        self._refused: OrderedDict[str, ReadDocument] = OrderedDict()
        self._most, self._most_refused = most, most_refused

    def keeps(self, text: str) -> bool:
        """Whether this text need not be read again."""
        return text in self._kept or text in self._refused

    async def read(self, schema: GraphQLSchema, text: str) -> ReadDocument:
        """The document of a text.

        Raises:
            GraphQLError: it is no document, or too long.
        """
        for kept in (self._kept, self._refused):
            if (found := kept.get(text)) is not None:
                kept.move_to_end(text)
                _documents("cached").inc()
                return found
        _documents("read").inc()
        document = parsed(text)
        await asyncio.sleep(0)  # others are answered between two pieces of work
        found = judged(schema, document)
        await asyncio.sleep(0)
        kept, most = (self._refused, self._most_refused) if found.errors else (self._kept, self._most)
        kept[text] = found
        if len(kept) > most:
            kept.popitem(last=False)
        return found


def parsed(text: str) -> DocumentNode:
    """The document of a text.

    Raises:
        GraphQLError: it is no document, or too long.
    """
    if len(text) > LONGEST_DOCUMENT:
        raise GraphQLError(
            f"The document is longer than {LONGEST_DOCUMENT} characters: send values as variables.",
            extensions={"code": TOO_LARGE},
        )
    return parse(text, max_tokens=MAX_TOKENS)


def judged(schema: GraphQLSchema, document: DocumentNode) -> ReadDocument:
    """What a document costs, and whether it may be run."""
    size = measured(schema, document)
    errors = size.errors or validate(schema, document, _RULES, max_errors=MOST_ERRORS, hide_suggestions=True)
    text = document.loc.source.body if document.loc else ""
    return ReadDocument(
        document,
        size.points,
        tuple(errors),
        is_fixed="@" not in text,  # no @skip, no @include
        asks_schema="__" in text,  # __schema, __type
        shows_homes="dwelling" in text,
        shows_screens="dashboard" in text and "activeAlertCount" in text,
    )

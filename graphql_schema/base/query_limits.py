"""Limits on the size of one operation, checked before it is validated or run.

In: the parsed document. Out: refusals with the code OPERATION_TOO_LARGE. The one rule: the walk is linear
in the document; a fragment is measured once, however often it is spread, since walking it again at each
spread would make the check itself an attack (twenty fragments that each spread the next one twice are a
million visits). Validation is protected too: its overlap check compares fields of one response name pair by
pair.

The result depends on the document only, so it is cached with the validation of that document. What an
operation asks of the schema itself is not counted here, but where it is answered
(`requests.introspection`).
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    TokenKind,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from core.consumption.resolutions import MOST_VALUES, Resolution
from core.graphql_settings import MOST_QUERY_POINTS
from graphql_schema.base.paging import LARGEST_PAGE

LONGEST_DOCUMENT = 32_768
"""Characters of a query text; longer values belong in variables."""

MAX_TOKENS = 1_000
LONGEST_NAME = 200
LONGEST_NUMBER = 40
"""Characters: no number of the schema has more than sixteen digits, and Python refuses to read 4,301."""

MAX_DEPTH = 12
MAX_ALIASES = 30
MAX_COST = MOST_QUERY_POINTS
"""Fields that an answer may hold at most, whoever asks; what a role may is less (`core.graphql_settings`)."""

MAX_OVERLAPS = 3_000
"""Pairs of fields with one response name, and of fragments, over the document: what the overlap check may
have to compare, at some 6 µs a pair."""

LIST_LENGTHS = {"dailyConsumption": 1_098, "monthlyConsumption": 37, "unusableLines": 2_000, "withheld": 20}
"""The longest answers of lists that are not pages (LONGEST_SERIES of the consumption service, a delivery)."""

SERIES = "ConsumptionSeries"
"""Its `points` are as many as the series' own argument `last` says."""

USUAL_LIST_LENGTH = 5
"""Meters of a dwelling, dwellings of a resident, tabs of a dashboard."""

_TOO_LARGE = "OPERATION_TOO_LARGE"
_SATURATED = 10**9


@dataclass(frozen=True, slots=True)
class Measured:
    """The limits that a document exceeds, and how many fields each of its operations may answer."""

    errors: list[GraphQLError]
    points: dict[str | None, int]


def too_large(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """The limits that the document exceeds; empty if it may be validated and run."""
    return measured(schema, document).errors


def measured(schema: GraphQLSchema, document: DocumentNode) -> Measured:
    """The size of a document, and what its operations cost, by their names."""
    measure = _Measure(schema, document)
    points: dict[str | None, int] = {}
    longest = _longest_words(document)
    found = [
        _excess("characters of a name", longest[TokenKind.NAME], LONGEST_NAME, document),
        _excess("digits of a number", longest[TokenKind.INT], LONGEST_NUMBER, document),
        _excess("digits of a number", longest[TokenKind.FLOAT], LONGEST_NUMBER, document),
        _excess("pairs of equal names", measure.overlaps(), MAX_OVERLAPS, document),
    ]
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            size = measure.of(node.selection_set, schema.get_root_type(node.operation))
            points[node.name.value if node.name else None] = size.cost
            found.append(_excess("levels", size.depth, MAX_DEPTH, node))
            found.append(_excess("aliases", size.aliases, MAX_ALIASES, node))
            found.append(_excess("fields", size.cost, MAX_COST, node))
    return Measured([error for error in found if error is not None], points)


def _excess(
    what: str, found: int, limit: int, node: OperationDefinitionNode | DocumentNode
) -> GraphQLError | None:
    if found <= limit:
        return None
    message = f"The operation is too large: at most {limit} {what} may be requested at once."
    return GraphQLError(message, node, extensions={"code": _TOO_LARGE, "limit": limit})


@dataclass(frozen=True, slots=True)
class _Size:
    """`each`: what each value of a series costs; how many there are is known to the series' field alone."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0
    each: int = 0

    def beside(self, other: "_Size") -> "_Size":
        """Two selections of one set."""
        return _Size(
            max(self.depth, other.depth),
            min(self.aliases + other.aliases, _SATURATED),
            min(self.cost + other.cost, _SATURATED),
            min(self.each + other.each, _SATURATED),
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
        """Pairs of fields that share a response name, and of fragments, over the whole document."""
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
        groups = [*names.values(), len(self._fragments)]
        return sum(count * (count - 1) // 2 for count in groups)

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
        depth, aliases = inner.depth + 1, inner.aliases + aliases
        if parent is not None and parent.name == SERIES and node.selection_set:
            return _Size(depth, aliases, 1, each=inner.cost)
        cost = 1 + inner.cost * _length(node, definition, parent)
        if inner.each:
            cost += inner.each * _values_of_series(node, definition)
        return _Size(depth, aliases, min(cost, _SATURATED))


def _longest_words(document: DocumentNode) -> Counter[TokenKind]:
    """Characters of the longest word of each kind."""
    longest: Counter[TokenKind] = Counter()
    token = document.loc.start_token if document.loc else None
    while token is not None:
        longest[token.kind] = max(longest[token.kind], token.end - token.start)
        token = token.next
    return longest


def _length(node: FieldNode, definition: Any, parent: GraphQLNamedType | None) -> int:
    """How many items the field may have at most; 1 if it is not a list."""
    if definition is None:
        return 1
    if "first" in definition.args:
        return _page_length(node, "first", definition.args["first"].default_value, LARGEST_PAGE)
    in_page = parent is not None and parent.name.endswith("Connection")
    if in_page or not is_list_type(get_nullable_type(definition.type)):
        return 1
    return LIST_LENGTHS.get(node.name.value, USUAL_LIST_LENGTH)


def charge_of_items(parent: GraphQLNamedType, name: str, field: GraphQLField) -> str:
    """By what the selection of a field is multiplied, in words; blank if it is one object or value."""
    if parent.name == SERIES and name == "points":
        return "the number of values (`last`)"
    if "first" in field.args:
        return "`first`"
    is_list = is_list_type(get_nullable_type(field.type)) and not is_leaf_type(get_named_type(field.type))
    if not is_list or parent.name.endswith("Connection"):
        return ""
    return f"{LIST_LENGTHS.get(name, USUAL_LIST_LENGTH):,}"


def _page_length(node: FieldNode, name: str, default: object, largest: int) -> int:
    for argument in node.arguments or ():
        if argument.name.value == name:
            given = argument.value
            if not isinstance(given, IntValueNode) or len(given.value) > len(str(largest)):
                return largest
            return max(1, min(int(given.value), largest))
    return min(default, largest) if isinstance(default, int) else largest


def _values_of_series(node: FieldNode, definition: Any) -> int:
    """How many values a series may have at most."""
    last = definition.args.get("last") if definition else None
    return _page_length(node, "last", last.default_value if last else None, _most_values(node))


def _most_values(node: FieldNode) -> int:
    """The longest series of the resolution that is asked for; of any, if it is a variable."""
    longest = max(MOST_VALUES.values())
    for argument in node.arguments or ():
        if argument.name.value == "resolution":
            given = argument.value
            if not isinstance(given, EnumValueNode) or given.value not in Resolution.__members__:
                return longest
            return MOST_VALUES[Resolution(given.value)]
    return MOST_VALUES[Resolution.MONTHLY]

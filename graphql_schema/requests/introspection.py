"""Answers questions about the schema itself, and counts what it answers.

In: an operation that asks for `__schema` or `__type`, and how many values it may be answered. Out: the
answer and the count, or a refusal. The one rule: counting and answering are one walk that ends at the
limit, so an operation costs what it answers, whatever its aliases and fragments are.

Why not graphql-core's executor: it takes 6 µs a field, 70 ms for what GraphiQL asks, in one go. The schema
does not change while a process runs, so what a selection means is worked out once (`_Selection`) and then
read from each type. Which fields a selection holds, arguments and directives are graphql-core's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, TypeAlias

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    TypeNameMetaFieldDef,
    default_field_resolver,
    get_argument_values,
    get_named_type,
    get_nullable_type,
    get_variable_values,
    is_list_type,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)

TOO_LARGE: Final = "OPERATION_TOO_LARGE"
MOST_ERRORS: Final = 5
_META: Final = {
    "__schema": SchemaMetaFieldDef,
    "__type": TypeMetaFieldDef,
    "__typename": TypeNameMetaFieldDef,
}


@dataclass(frozen=True, slots=True)
class SchemaAnswer:
    """The part of an answer that is about the schema.

    Attributes:
        data: by response name.
        values: fields and items of lists that it holds.
        is_whole: whether the operation asks for nothing else.
        error: why there is no data.
    """

    data: dict[str, Any]
    values: int
    is_whole: bool
    error: GraphQLError | None = None


@dataclass(slots=True)
class _Selected:
    """A field of an introspection type, as an operation selects it."""

    name: str
    read: Callable[..., Any]
    arguments: Mapping[str, Any]
    show: Callable[[Any], Any] | None
    is_list: bool
    info: SimpleNamespace
    kind: GraphQLObjectType | None
    nodes: FieldDetailsList
    below: "_Selection | None" = None


_Selection: TypeAlias = tuple[_Selected, ...]


def answer_about_schema(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    *,
    most: int,
) -> SchemaAnswer | None:
    """What a valid operation asks of the schema itself; None if its variables are not right.

    Args:
        schema: the schema.
        document: the document of the operation.
        operation: the operation, a query.
        variables: the variables as they were sent.
        most: how many values the answer may hold.
    """
    values = get_variable_values(
        schema, operation.variable_definitions or (), dict(variables), MOST_ERRORS, hide_suggestions=True
    )
    root = schema.query_type
    if isinstance(values, list) or root is None:
        return None
    walk = _Walk(schema, document, operation, values, most)
    fields = collect_fields(
        schema, walk.fragments, values, root, operation, hide_suggestions=True
    ).grouped_field_set
    data = {}
    try:
        for key, nodes in fields.items():
            name = nodes[0].node.name.value
            if name in _META:
                data[key] = walk.value(walk.selected(key, nodes, _META[name], root), None)
    except _TooManyError:
        message = f"The operation is too large: it asks for more than {most} values of the schema."
        error = GraphQLError(message, operation, extensions={"code": TOO_LARGE, "limit": most})
        return SchemaAnswer({}, walk.count, is_whole=False, error=error)
    except GraphQLError as error:  # an argument that is not right
        return SchemaAnswer({}, walk.count, is_whole=False, error=error)
    return SchemaAnswer(data, walk.count, is_whole=len(data) == len(fields))


class _TooManyError(Exception):
    """The answer would hold more than it may."""


class _Walk:
    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        values: Any,
        most: int,
    ) -> None:
        self._schema, self._operation, self._values = schema, operation, values
        self.fragments = {
            node.name.value: FragmentDetails(node)
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._most = most
        self._shown: dict[tuple[int, object], tuple[dict[str, Any], int]] = {}
        self._selections: dict[tuple[int, ...], _Selection] = {}
        self.count = 0

    def selected(
        self, key: str, nodes: FieldDetailsList, definition: GraphQLField, parent: GraphQLObjectType
    ) -> _Selected:
        kind = get_named_type(definition.type)
        node = nodes[0].node
        return _Selected(
            name=key,
            read=definition.resolve or default_field_resolver,
            arguments=get_argument_values(definition, node, self._values, hide_suggestions=True),
            show=kind.coerce_output_value if isinstance(kind, GraphQLLeafType) else None,
            is_list=is_list_type(get_nullable_type(definition.type)),
            info=SimpleNamespace(schema=self._schema, parent_type=parent),
            kind=kind if isinstance(kind, GraphQLObjectType) else None,
            nodes=nodes,
        )

    def value(self, selected: _Selected, source: object) -> Any:
        """The value of a field of this object, counted with all that is in it."""
        self._add(1)
        return self._read(selected, source)

    def _read(self, selected: _Selected, source: object) -> Any:
        found = selected.read(source, selected.info, **selected.arguments)
        if found is None:
            return None
        show = selected.show
        if show is not None:
            return [show(item) for item in found] if selected.is_list else show(found)
        selection = selected.below
        if selection is None:
            selection = selected.below = self._selection(selected)
        if not selected.is_list:
            return self._object(selection, found)
        self._add(len(found))
        return [self._object(selection, item) for item in found]

    def _object(self, selection: _Selection, source: object) -> dict[str, Any]:
        """What is selected of an object: read once, however often it is shown, and counted each time."""
        place = (id(selection), (source[0], id(source[1])) if isinstance(source, tuple) else id(source))
        if place in self._shown:
            shown, values = self._shown[place]
            self._add(values)
            return shown
        before = self.count
        self._add(len(selection))
        shown = {selected.name: self._read(selected, source) for selected in selection}
        self._shown[place] = shown, self.count - before
        return shown

    def _add(self, values: int) -> None:
        self.count += values
        if self.count > self._most:
            raise _TooManyError

    def _selection(self, selected: _Selected) -> _Selection:
        """What is selected of the objects of a field: worked out once for the same nodes of the
        document.
        """
        kind = selected.kind
        assert kind is not None
        place = tuple(id(details.node) for details in selected.nodes)
        if place not in self._selections:
            fields = collect_subfields(
                self._schema,
                self.fragments,
                self._values,
                self._operation,
                kind,
                selected.nodes,
                hide_suggestions=True,
            ).grouped_field_set
            self._selections[place] = tuple(
                self.selected(
                    key, nodes, kind.fields.get(nodes[0].node.name.value) or TypeNameMetaFieldDef, kind
                )
                for key, nodes in fields.items()
            )
        return self._selections[place]

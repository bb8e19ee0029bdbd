"""Calls the resolver of a field without the layers that a general schema needs: hooks, and arguments that are
read from the document and converted at each call.

In: a field of a type and what an operation says of it. Out: its resolver with its arguments, made once for
an operation, or None if strawberry must call it. The one rule: what is called and checked is what strawberry
calls and checks, in the same order; errors are placed by the executor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final, cast

import strawberry
from graphql import FieldNode, GraphQLField, GraphQLResolveInfo, ListValueNode, ObjectValueNode, VariableNode
from graphql.execution.executor import Executor
from graphql.execution.values import get_argument_values
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from core.consumption import Month
from graphql_schema.base.context import Context
from graphql_schema.base.fields import Guard, guard_of

_UNCHANGEABLE: Final = (str, int, float, bool, type(None), Enum, date, Decimal, Month)
"""Arguments of these types may be given to one call after another."""


@dataclass(slots=True)
class DirectField:
    """A field and its resolver.

    Attributes:
        field: as graphql-core has it.
        nodes: where the document selects it.
        resolve: the method of its type.
        takes_info: whether the method asks for strawberry's `Info`.
        is_fixed: whether its arguments are the same for all variables.
    """

    field: GraphQLField
    nodes: list[FieldNode]
    resolve: Callable[..., Any]
    takes_info: bool
    is_fixed: bool
    _definition: StrawberryField
    _guard: Guard | None
    _arguments: Mapping[str, Any] | None = None

    def call(self, executor: Executor[Any], source: Any, info: GraphQLResolveInfo[Context]) -> Any:
        """What the resolver answers, or what to wait for.

        Raises:
            Exception: any of the resolver's, or of what it needs.
        """
        own: Any = strawberry.Info(_raw_info=info, _field=self._definition)
        arguments = self._arguments
        if arguments is None:  # a wrong one is reported before a permission is asked for
            arguments = self._converted(executor, own)
        if self._guard is None:
            return self._called(source, own, arguments)
        context: Context = info.context
        viewer = context.known_viewer
        if viewer is None:
            return self._called_later(executor, source, own, arguments)
        self._guard(viewer)
        return self._called(source, own, arguments)

    async def _called_later(
        self, executor: Executor[Any], source: Any, info: Any, arguments: Mapping[str, Any]
    ) -> Any:
        """The same where the viewer has to be looked up first."""
        assert self._guard is not None
        self._guard(await info.context.viewer())
        answer = self._called(source, info, arguments)
        return await answer if executor.is_awaitable(answer) else answer

    def _called(self, source: Any, info: Any, arguments: Mapping[str, Any]) -> Any:
        if self.takes_info:
            return self.resolve(source, info=info, **arguments)
        return self.resolve(source, **arguments)

    def _converted(self, executor: Executor[Any], info: Any) -> Mapping[str, Any]:
        """The arguments as the resolver takes them; kept if no variable is among them."""
        if not self._definition.arguments:
            self._arguments = {}
            return self._arguments
        given = get_argument_values(
            self.field, self.nodes[0], executor.variable_values, None, executor.hide_suggestions
        )
        converter = info.schema.schema_converter
        arguments = convert_arguments(
            given,
            self._definition.arguments,
            scalar_registry=converter.scalar_registry,
            config=converter.config,
            info=info,
        )
        if self.is_fixed and all(isinstance(value, _UNCHANGEABLE) for value in arguments.values()):
            self._arguments = arguments
        return arguments


def direct_field(field: GraphQLField, field_details_list: Any) -> DirectField | None:
    """The field with its resolver; None if strawberry must call it."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(definition, StrawberryField) or definition.extensions:
        return None
    resolver = definition.base_resolver
    if resolver is None or resolver.self_parameter is None:
        return None
    if resolver.root_parameter is not None or resolver.parent_parameter is not None:
        return None
    if any(details.fragment_variable_values for details in field_details_list):
        return None
    info = resolver.info_parameter
    if info is not None and info.name != "info":
        return None
    nodes = [details.node for details in field_details_list]
    return DirectField(
        field=field,
        nodes=nodes,
        resolve=cast("Callable[..., Any]", resolver.wrapped_func),
        takes_info=info is not None,
        is_fixed=not any(_has_variable(argument.value) for argument in nodes[0].arguments or ()),
        _definition=definition,
        _guard=guard_of(field),
    )


def _has_variable(value: Any) -> bool:
    if isinstance(value, ListValueNode):
        return any(map(_has_variable, value.values))
    if isinstance(value, ObjectValueNode):
        return any(_has_variable(member.value) for member in value.fields)
    return isinstance(value, VariableNode)

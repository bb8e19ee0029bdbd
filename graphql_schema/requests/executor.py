"""Executes long lists in pieces, between which others are answered, and plain values without graphql-core.

In: what resolvers answer. Out: the same values. The one rule: of all operations of a process one piece is
worked on in a turn of the event loop, and a piece is some hundred fields, 2 to 3 ms; graphql-core completes a
list in one go, and thirty aliases of a year of days would hold the loop for half a second.
"""

import asyncio
from collections.abc import Iterable, Sized
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import GraphQLObjectType, get_named_type, is_leaf_type
from graphql.execution.executor import Executor
from graphql.pyutils import gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphql_schema.base.columns import ByColumns
from graphql_schema.requests.direct_fields import DirectField, direct_field
from graphql_schema.requests.plain_values import Column, PlainField, plain_column, plain_field

SHORTEST_LONG_LIST: Final = 16
FIELDS_A_PIECE: Final = 250
PLAIN_ITEMS_A_PIECE: Final = 250
LEAVES_A_PIECE: Final = 2_000
"""Plain values are completed without graphql-core (`plain_values`), in about a millisecond a piece."""


_COMPLETED_BY_COLUMN: Final = (list, tuple, ByColumns)


class Turns:
    """Whose turn it is; one an app."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()


@dataclass(slots=True)
class Selections:
    """What an operation selects, as worked out by its executions: the same for all of them, if no directive
    makes it depend on variables.

    Attributes:
        root: the fields of the root.
        below: those of an object, by its type and the field that it is the value of: graphql-core's.
    """

    root: Any = None
    below: dict[Any, Any] = field(default_factory=dict)
    _fields: dict[Any, PlainField | None] = field(default_factory=dict)
    _items: dict[Any, Column | None] = field(default_factory=dict)
    _direct: dict[Any, DirectField | None] = field(default_factory=dict)

    def plain_field(
        self, executor: Executor[Any], parent: GraphQLObjectType, details: Any
    ) -> PlainField | None:
        """What completes a field of an object; None if graphql-core must."""
        key = (parent.name, id(details))
        if key not in self._fields:
            self._fields[key] = plain_field(executor, parent, details)
        return self._fields[key]

    def direct_field(self, parent: GraphQLObjectType, details: Any) -> DirectField | None:
        """The resolver of a field of an object; None if strawberry must call it."""
        key = (parent.name, id(details))
        if key not in self._direct:
            field = parent.fields.get(details[0].node.name.value)
            self._direct[key] = None if field is None else direct_field(field, details)
        return self._direct[key]

    def plain_items(self, executor: Executor[Any], kind: Any, details: Any) -> Column | None:
        """What completes the items of a list; None if graphql-core must."""
        key = (str(kind), id(details))
        if key not in self._items:
            self._items[key] = plain_column(executor, kind, details)
        return self._items[key]


class PiecewiseExecutor(StrawberryGraphQLCoreExecutionContext):
    """The executor of the schema.

    Args:
        selections: what earlier executions of the same operation have worked out.
    """

    fields = 0
    """Fields that were executed so far."""

    def __init__(self, *args: Any, selections: Selections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._relevant_sub_fields = selections.below
        self._selections = selections

    def execute_root_grouped_field_set(
        self, root_type: Any, root_value: Any, grouped_field_set: Any, *rest: Any
    ) -> Any:
        if self._selections.root is None:
            self._selections.root = grouped_field_set
        return super().execute_root_grouped_field_set(root_type, root_value, self._selections.root, *rest)

    def build_response(self, data: Any) -> Any:
        """The result. It ends the circle of executor and helpers: what was read for the answer goes with it,
        instead of waiting for Python's collector.
        """
        del self.async_helpers
        return super().build_response(data)

    def execute_fields(self, *args: Any, **kwargs: Any) -> Any:
        self.fields += len(kwargs["grouped_field_set"] if "grouped_field_set" in kwargs else args[3])
        return super().execute_fields(*args, **kwargs)

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_details_list: Any, *place: Any
    ) -> Any:
        complete = self._selections.plain_field(self, parent_type, field_details_list)
        if complete is not None:
            with suppress(Exception):  # which graphql-core finds again, and places
                return complete(source, self.context_value)
        direct = self._selections.direct_field(parent_type, field_details_list)
        if direct is None:
            return super().execute_field(parent_type, source, field_details_list, *place)
        path, position_context = place
        kind = direct.field.type
        try:
            info = self.build_resolve_info(direct.field, direct.nodes, parent_type, path)
            answer = direct.call(self, source, info)
            where = kind, field_details_list, info, path
            if self.is_awaitable(answer):
                return self._completed_later(answer, where, position_context)
            completed = self.complete_value(kind, field_details_list, info, path, answer, position_context)
        except Exception as failure:  # noqa: BLE001 - placed, and answered as null where that is allowed
            self.handle_field_error(failure, kind, field_details_list, path)
            return None
        return self._settled(completed, where) if self.is_awaitable(completed) else completed

    async def _completed_later(self, answer: Any, where: Any, position_context: Any) -> Any:
        """The part of the answer, once a resolver has answered."""
        kind, field_details_list, info, path = where
        try:
            value = await answer
            completed = self.complete_value(kind, field_details_list, info, path, value, position_context)
            return await completed if self.is_awaitable(completed) else completed
        except Exception as failure:  # noqa: BLE001 - placed, and answered as null where that is allowed
            self.handle_field_error(failure, kind, field_details_list, path)

    async def _settled(self, completed: Any, where: Any) -> Any:
        """A part of the answer that waits for others."""
        kind, field_details_list, _, path = where
        try:
            return await completed
        except Exception as failure:  # noqa: BLE001 - placed, and answered as null where that is allowed
            self.handle_field_error(failure, kind, field_details_list, path)

    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        arguments = (item_type, field_details_list, info, path, items, position_context)
        if isinstance(items, _COMPLETED_BY_COLUMN):
            length = len(items)
            plain = self._selections.plain_items(self, item_type, field_details_list)
            piece = LEAVES_A_PIECE if is_leaf_type(get_named_type(item_type)) else PLAIN_ITEMS_A_PIECE
            if plain is not None and length > piece:
                return self._plain_in_pieces(plain, piece, arguments)
            if plain is not None:
                with suppress(Exception):  # which graphql-core finds again, and places
                    return plain(items, self.context_value)
        return self._by_graphql_core(arguments)

    def _by_graphql_core(self, arguments: Any) -> Any:
        item_type, items = arguments[0], arguments[4]
        is_long = isinstance(items, Sized) and len(items) >= SHORTEST_LONG_LIST
        if not is_long or is_leaf_type(get_named_type(item_type)):
            return super().complete_iterable_value(*arguments)
        return self._in_pieces(*arguments)

    async def _plain_in_pieces(self, plain: Column, piece: int, arguments: Any) -> Any:
        info, items = arguments[2], arguments[4]
        turns: Turns = info.context.request.app.state.turns
        completed: list[Any] = []
        try:
            for begin in range(0, len(items), piece):
                async with turns.lock:
                    completed += plain(items[begin : begin + piece], self.context_value)
                    await asyncio.sleep(0)
        except Exception:  # noqa: BLE001 - graphql-core finds it again, and places it
            found = self._by_graphql_core(arguments)
            return await found if self.is_awaitable(found) else found
        return completed

    async def _in_pieces(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Iterable[Any],
        position_context: Any,
    ) -> list[Any]:
        turns: Turns = info.context.request.app.state.turns
        completed: list[Any] = []
        pending: list[int] = []
        remaining = enumerate(items)
        more = True
        try:
            while more:
                async with turns.lock:
                    more = False
                    until = self.fields + FIELDS_A_PIECE
                    for index, item in remaining:
                        item_path = path.add_key(index, None)
                        arguments = (item_type, field_details_list, info, item_path, position_context)
                        if self.is_awaitable(item):
                            completed.append(self.complete_awaitable_list_item_value(item, *arguments))
                            pending.append(index)
                        elif self.complete_list_item_value(item, completed, *arguments):
                            pending.append(index)
                        if self.fields >= until:
                            more = True
                            break
                    await asyncio.sleep(0)
        except Exception:
            self.settle_in_background([completed[index] for index in pending])
            raise
        awaited = await gather_with_cancel(*(completed[index] for index in pending))
        for index, value in zip(pending, awaited, strict=True):
            completed[index] = value
        return completed

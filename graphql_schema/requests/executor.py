"""Executes long lists in pieces, between which others are answered.

In: the lists that resolvers answer. Out: the same values. The one rule: of all operations of a process one
piece is worked on in a turn of the event loop, and a piece is some hundred fields, 2 to 3 ms; graphql-core
completes a list in one go, and thirty aliases of a year of days would hold the loop for half a second.
"""

import asyncio
from collections.abc import Iterable, Sized
from contextlib import suppress
from typing import Any, Final

from graphql import get_named_type, is_leaf_type
from graphql.pyutils import gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphql_schema.requests.plain_values import Completed, plain_completer

SHORTEST_LONG_LIST: Final = 16
SHORTEST_PLAIN_LIST: Final = 3
"""Of a shorter one graphql-core completes the values sooner than their function is made."""

FIELDS_A_PIECE: Final = 250
PLAIN_ITEMS_A_PIECE: Final = 250
LEAVES_A_PIECE: Final = 2_000
"""Plain values are completed without graphql-core (`plain_values`), in about a millisecond a piece."""


class Turns:
    """Whose turn it is; one an app."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()


class PiecewiseExecutor(StrawberryGraphQLCoreExecutionContext):
    """The executor of the schema."""

    fields = 0
    """Fields that were executed so far."""

    def execute_fields(self, *args: Any, **kwargs: Any) -> Any:
        self.fields += len(kwargs["grouped_field_set"] if "grouped_field_set" in kwargs else args[3])
        return super().execute_fields(*args, **kwargs)

    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        length = len(items) if isinstance(items, Sized) else 0
        arguments = (item_type, field_details_list, info, path, items, position_context)
        if length >= SHORTEST_PLAIN_LIST and isinstance(items, list) and not self.middleware_manager:
            plain = plain_completer(self, item_type, field_details_list)
            piece = LEAVES_A_PIECE if is_leaf_type(get_named_type(item_type)) else PLAIN_ITEMS_A_PIECE
            if plain is not None and length > piece:
                return self._plain_in_pieces(plain, piece, arguments)
            if plain is not None:
                with suppress(Exception):  # which graphql-core finds again, and places
                    return [plain(item) for item in items]
        return self._by_graphql_core(arguments)

    def _by_graphql_core(self, arguments: Any) -> Any:
        item_type, items = arguments[0], arguments[4]
        is_long = isinstance(items, Sized) and len(items) >= SHORTEST_LONG_LIST
        if not is_long or is_leaf_type(get_named_type(item_type)):
            return super().complete_iterable_value(*arguments)
        return self._in_pieces(*arguments)

    async def _plain_in_pieces(self, plain: Completed, piece: int, arguments: Any) -> Any:
        info, items = arguments[2], arguments[4]
        turns: Turns = info.context.request.app.state.turns
        completed: list[Any] = []
        try:
            for begin in range(0, len(items), piece):
                async with turns.lock:
                    completed += [plain(item) for item in items[begin : begin + piece]]
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

"""Documents: each is parsed and validated once, and kept by its text."""

from collections import Counter
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLSchema

from core.telemetry import metrics
from graphql_schema.requests import documents
from graphql_schema.requests.documents import MOST_REFUSED_KEPT, DocumentCache
from graphql_schema.schema import schema

SCHEMA: GraphQLSchema = schema.core
WRONG = "{ nothing }"


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what is parsed, measured and validated; no document is known yet."""
    counted: Counter[str] = Counter()

    def counting(name: str) -> None:
        function = getattr(documents, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            counted[name] += 1
            return function(*args, **kwargs)

        monkeypatch.setattr(documents, name, wrapped)

    for name in ("parse", "measured", "validate"):
        counting(name)
    monkeypatch.setattr("graphql_schema.asgi.DOCUMENTS", DocumentCache())
    return counted


def found(how: str) -> float:
    value = metrics.REGISTRY.get_sample_value("submeter_graphql_documents_total", {"found": how})
    return value or 0.0


@pytest.mark.parametrize("query", ["{ operators { code } }", WRONG])
async def test_a_second_request_neither_parses_nor_validates(
    work: Counter[str], door: Any, query: str
) -> None:
    """The first does each once; whatever the variables, the second finds what was read, and it is counted."""
    read, cached = found("read"), found("cached")
    first = (await door.post(query)).json()
    assert work == {"parse": 1, "measured": 1, "validate": 1}
    second = (await door.post(query, {"a": 1})).json()
    assert work == {"parse": 1, "measured": 1, "validate": 1}
    assert first == second
    assert (found("read") - read, found("cached") - cached) == (1, 1)


async def test_the_last_used_documents_are_kept(work: Counter[str]) -> None:
    """The one that was used longest ago goes first."""
    cache = DocumentCache(most=2)
    for text in ("{ a: __typename }", "{ b: __typename }", "{ a: __typename }", "{ c: __typename }"):
        await cache.read(SCHEMA, text)
    work.clear()
    await cache.read(SCHEMA, "{ a: __typename }")
    assert not work
    await cache.read(SCHEMA, "{ b: __typename }")
    assert work["parse"] == 1


async def test_refused_documents_push_out_none_that_is_used(work: Counter[str]) -> None:
    """However many wrong documents come, the right ones remain."""
    cache = DocumentCache(most=2)
    await cache.read(SCHEMA, "{ __typename }")
    for number in range(2 * MOST_REFUSED_KEPT):
        await cache.read(SCHEMA, f"{{ nothing{number} }}")
        with pytest.raises(GraphQLError):
            await cache.read(SCHEMA, f"{{ unfinished{number} ")
    work.clear()
    await cache.read(SCHEMA, "{ __typename }")
    assert not work

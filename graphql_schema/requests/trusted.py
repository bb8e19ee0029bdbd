"""Trusted documents: those that the operator's own clients send, by the SHA-256 of their text.

In: a folder of `.graphql` files, or a JSON file (or several in the folder) of texts by their ids. Out:
texts by id, and documents that were read when the process started. The one rule: an id is the SHA-256 of
the exact text, in hexadecimal, with or without `sha256:` before it; so nobody can give an id another text.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

import orjson
from graphql import GraphQLError, GraphQLSchema

from core.database_errors import may_pass
from core.errors import SubmeterError
from core.graphql_settings import ANY, PORTAL
from core.settings import SettingsError
from core.telemetry import metrics
from graphql_schema.base.context import Context
from graphql_schema.base.errors import BAD_REQUEST
from graphql_schema.requests.documents import DocumentCache, ReadDocument, judged, parsed

PREFIX: Final = "sha256:"
NOT_FOUND: Final = "PERSISTED_QUERY_NOT_FOUND"
NOT_FOUND_MESSAGE: Final = "PersistedQueryNotFound"
"""Code and message that Apollo's clients and urql know; they then send the text."""

NOT_TRUSTED: Final = "DOCUMENT_NOT_TRUSTED"
LONGEST_ID: Final = 100
_documents = lru_cache(maxsize=8)(metrics.GRAPHQL_DOCUMENTS.labels)
_SETTING: Final = "SUBMETER_GRAPHQL_DOCUMENTS"
_log = logging.getLogger(__name__)


class Documents:
    """The documents of an app: the trusted ones, and those that were read last.

    Args:
        schema: the schema that they are read for.
        path: where the trusted ones are; None for none.
        cache: those that were read last.

    Raises:
        SettingsError: a file cannot be read, or an id is not that of its text.
    """

    def __init__(self, schema: GraphQLSchema, path: Path | None, cache: DocumentCache) -> None:
        self._cache = cache
        self._texts = {id_of(text): text for text in _texts_of(path)} if path else {}
        self._read: Mapping[str, ReadDocument] = {
            text: read for text in self._texts.values() if (read := _read_once(schema, text)) is not None
        }

    async def read(self, schema: GraphQLSchema, text: str) -> ReadDocument:
        """The document of a text, trusted or not.

        Raises:
            GraphQLError: it is no document, or too long.
        """
        trusted = self._read.get(text)
        if trusted is None:
            return await self._cache.read(schema, text)
        _documents("trusted").inc()
        return trusted

    def keeps(self, text: str) -> bool:
        """Whether this text need not be read again."""
        return text in self._read or self._cache.keeps(text)

    def text_of(self, document_id: str) -> str | None:
        """The text of a trusted document; None if the id is none of theirs."""
        return self._texts.get(document_id.removeprefix(PREFIX).lower())

    def is_trusted(self, text: str) -> bool:
        return id_of(text) in self._texts


async def asked_query(
    context: Context, query: str | None, document_id: str | None
) -> tuple[str | None, GraphQLError | None]:
    """The text to run, by itself or by its id; or why it is not run."""
    documents: Documents = context.request.app.state.documents
    if document_id is not None and query is None:
        query = documents.text_of(document_id)
        return query, (None if query else _error(NOT_FOUND_MESSAGE, NOT_FOUND))
    if query is None:
        return None, None
    if document_id is not None and document_id.removeprefix(PREFIX).lower() != id_of(query):
        return None, _error("The id is not the SHA-256 of the query.", BAD_REQUEST)
    may_send_any = context.application.settings.graphql.allowed == ANY
    if may_send_any or documents.is_trusted(query) or await _has_own_token(context):
        return query, None
    return None, _error("Only documents that the operator trusts are run.", NOT_TRUSTED)


async def _has_own_token(context: Context) -> bool:
    """Whether a program with a token of its own asks, and its documents need not be trusted."""
    if context.application.settings.graphql.allowed != PORTAL:
        return False
    try:
        viewer = await context.viewer()
    except SubmeterError:
        return False
    except Exception as failure:
        if may_pass(failure):  # the field that needs who asks says so
            return True
        raise
    return viewer.scopes is not None or viewer.gateway_id is not None or viewer.grant is not None


def _error(message: str, code: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})


def id_of(text: str) -> str:
    """The id of a text, without the prefix."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _texts_of(path: Path) -> Iterator[str]:
    try:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.suffix in {".graphql", ".gql"}:
                yield file.read_bytes().decode()
            elif file.suffix == ".json":
                yield from _texts_by_id(file)
    except (OSError, UnicodeDecodeError) as failure:
        raise SettingsError(f"names what cannot be read: {failure}", field=_SETTING) from failure


def _texts_by_id(file: Path) -> Iterator[str]:
    try:
        found = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as failure:
        raise SettingsError(f"names {file.name}, which is no JSON: {failure}", field=_SETTING) from failure
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise SettingsError(f"names {file.name}, which is no object of texts by id", field=_SETTING)
    for document_id, text in found.items():
        if document_id.removeprefix(PREFIX).lower() != id_of(text):
            raise SettingsError(
                f"names {file.name}, where {document_id[:LONGEST_ID]} is not the SHA-256 of its text",
                field=_SETTING,
            )
        yield text


def _read_once(schema: GraphQLSchema, text: str) -> ReadDocument | None:
    """The document; None, with a line in the log, if it is none that can be run."""
    try:
        read = judged(schema, parsed(text))
        errors = [error.message for error in read.errors]
    except GraphQLError as error:
        read, errors = None, [error.message]
    if errors:
        _log.error("The trusted document %s cannot be run: %s", id_of(text), errors[0][:200])
    return read

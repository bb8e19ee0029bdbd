"""Errors as clients get them: each has `extensions.code`, and a refusal may have a field as well.

In: what graphql-core collected. Out: the entry of the answer's `errors`. The one rule: only messages
written for clients leave the application; everything else is INTERNAL with an id, and the log has the
details under that id. A client's own mistakes are not logged as errors.
"""

import logging
import secrets

from graphql import GraphQLError, GraphQLFormattedError

from core.errors import SecretUnusable, SubmeterError

BAD_REQUEST = "BAD_REQUEST"
INTERNAL = "INTERNAL"
LONGEST_MESSAGE = 300

_log = logging.getLogger(__name__)


def translated(error: GraphQLError) -> GraphQLFormattedError:
    """The entry of `errors`: message, locations, path, and the code for programs."""
    cause = _cause(error)
    if isinstance(cause, SubmeterError) and not isinstance(cause, SecretUnusable):  # that is for the operator
        field: dict[str, object] = {"field": cause.field} if cause.field else {}
        return _entry(error, cause.message, {"code": cause.code, **field, **cause.details})
    if cause is None:
        return _entry(error, error.message, {"code": BAD_REQUEST, **(error.extensions or {})})
    incident = secrets.token_hex(8)
    _log.error("GraphQL incident %s at %s", incident, error.path, exc_info=cause)
    message = f"Something went wrong on our side. If you report it, give this id: {incident}."
    return _entry(error, message, {"code": INTERNAL, "id": incident})


def shortened(message: str) -> str:
    """A message that repeats no more than the beginning of what the client has sent."""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"


def _cause(error: GraphQLError) -> BaseException | None:
    """What was raised in our code; None for what graphql-core found wrong with the request itself."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _entry(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLFormattedError:
    entry: GraphQLFormattedError = {"message": shortened(message), "extensions": extensions}
    if error.locations:
        entry["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        entry["path"] = error.path
    return entry

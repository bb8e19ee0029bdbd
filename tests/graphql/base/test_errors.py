"""Errors: what a client receives, and what only the log has."""

import logging
from typing import Any

import pytest
from graphql import GraphQLError

from core.errors import Conflict, SecretUnusable
from graphql_schema.base.errors import translated


def test_a_refusal_keeps_its_code_and_field() -> None:
    """A refusal reaches the client with its code, its sentence and the argument at fault."""
    error = GraphQLError(
        "ignored", path=["meter"], original_error=Conflict("The meter hangs elsewhere.", field="id")
    )
    assert translated(error) == {
        "message": "The meter hangs elsewhere.",
        "path": ["meter"],
        "extensions": {"code": "CONFLICT", "field": "id"},
    }


@pytest.mark.parametrize("cause", [ZeroDivisionError("the secret"), SecretUnusable("the secret of meter 5")])
def test_an_internal_error_is_detailed_in_the_log_alone(
    cause: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Anything unexpected, and what concerns the operator, is INTERNAL with an id that is in the log too."""
    entry = translated(GraphQLError(str(cause), path=["viewer"], original_error=cause))
    assert "secret" not in str(entry)
    assert entry["extensions"]["code"] == "INTERNAL"
    (record,) = caplog.records
    assert entry["extensions"]["id"] in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is cause


async def test_a_fault_in_a_service_is_masked(
    claire: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A service that fails affects its field alone, and the reason is not disclosed."""

    async def broken(*_: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("graphql_schema.accounts.viewer.my_dwellings", broken)
    response = await claire.post("{ viewer { email dwellings { id } } }")
    assert response.status_code == 200
    assert "hunter2" not in response.text
    assert response.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "hunter2" in caplog.text


async def test_a_clients_error_is_not_logged_as_an_error(door: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Syntax errors, unknown fields and refusals leave nothing in the log at the level of errors."""
    for query in ("{", "{ nothing }", "{ viewer { id } }"):
        assert (await door.post(query)).json()["errors"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []

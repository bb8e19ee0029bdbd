"""Depositing documents as a portal does it: a mutation, and the file to the link that it answers."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from core.models import Dwelling, Residence
from graphql_schema.base.relay import global_id

REQUEST = """mutation ($input: RequestDocumentUploadInput!) { requestDocumentUpload(input: $input) {
  __typename
  ... on DocumentUpload { document url urlExpiresAt mostBytes mediaTypes }
  ... on Refusal { code field } } }"""
PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\nstartxref\n9\n%%EOF\n"


async def announce(portal: Any, **more: Any) -> dict[str, Any]:
    """The answer to a request; by default for Claire's dwelling."""
    wanted = {"title": "Ravalement", "type": "WORKS", "fileName": "avis.pdf", "language": "FR", **more}
    if not {"dwelling", "residence"} & set(more):
        wanted["dwelling"] = global_id("Dwelling", (await Dwelling.first()).id)  # type: ignore[union-attr]
    if wanted.get("residence") is True:
        wanted["residence"] = global_id("Residence", (await Residence.get(code="AA000")).id)
    answer: dict[str, Any] = (await portal.ask(REQUEST, input=wanted))["requestDocumentUpload"]
    return answer


async def send(portal: Any, upload: dict[str, Any], content: bytes = PDF, **headers: str) -> httpx.Response:
    """The file, as a browser sends it: without a token of its own."""
    found: httpx.Response = await portal.client.put(upload["url"], content=content, headers=headers)
    return found


@pytest.fixture
def deposit(portal: Any) -> Callable[..., Awaitable[str]]:
    """Deposits a document as whoever is signed in; answers its id."""

    async def deposited(content: bytes = PDF, **more: Any) -> str:
        upload = await announce(portal, **more)
        response = await send(portal, upload, content)
        assert response.status_code == 201, response.text
        assert response.json()["id"] == upload["document"]
        return str(upload["document"])

    return deposited

"""Fixtures of the journeys: a clock that a test sets, an in-process client, a mailbox behind real SMTP."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from core.bootstrap import Application
from graphql_schema.asgi import build_app
from tests.graphql.conftest import SettableClock, door, portal
from tests.support.journey import PostBox
from tests.support.servers.post import smtp_server
from tests.support.sign_up import NOW

__all__ = ["door", "portal"]


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


@pytest.fixture
async def client(application: Application, clock: SettableClock) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app(application, clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
        yield client


@pytest.fixture
def post(application: Application, clock: SettableClock) -> Iterator[PostBox]:
    with smtp_server() as (box, port):
        yield PostBox.at(port, box, application, clock)

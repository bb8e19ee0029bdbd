"""The API as a client sees it: the app around the test's application, over HTTP without a socket."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from inspect import isawaitable
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from graphql import FieldNode, GraphQLError, GraphQLFormattedError, is_object_type
from tortoise.transactions import in_transaction

from core.access import SYSTEM, Permission, Viewer
from core.access.sessions import SessionState
from core.bootstrap import Application
from core.consumption import DayVolume, Quality
from core.consumption.fluids import Fluid
from core.errors import SubmeterError
from core.metering import Registry
from core.models import Meter
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.gateways import issue_gateway_key
from core.services.shared import time_series
from core.services.telegrams.intake_queue import IntakeQueue
from core.settings import Settings
from graphql_schema.asgi import build_app
from graphql_schema.base import errors
from graphql_schema.contract.access import BY_ARGUMENT, PERMISSIONS, errors_of
from graphql_schema.requests.direct_fields import DirectField
from graphql_schema.schema import schema
from tests.support import factories
from tests.support.databases.prepared import Prepared, prepared_for
from tests.support.sign_up import Applicant, describe

SIGN_IN = """mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) {
    __typename
    ... on SignedIn { token expiresAt viewer { email dwellings { id } } }
    ... on SignInRefused { code message }
  }
}"""


class SettableClock:
    """A clock that a test sets."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Portal:
    """Asks the app; `token` is the session of whoever is signed in."""

    client: httpx.AsyncClient
    clock: SettableClock
    token: str | None = None
    queue: IntakeQueue | None = None

    async def post(
        self, query: str, variables: Mapping[str, Any] | None = None, **headers: str
    ) -> httpx.Response:
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        body = {"query": query, "variables": variables}
        return await self.client.post("/graphql", json=body, headers=headers)

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = (await self.post(query, variables)).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def refusal(self, query: str, **variables: Any) -> dict[str, Any]:
        """The extensions of the only error of an answer."""
        response = await self.post(query, variables)
        assert response.status_code == 200
        (error,) = response.json()["errors"]
        return error["extensions"]

    async def refused(self, mutation: str, **variables: Any) -> dict[str, Any]:
        """What of a mutation's refusal was selected and is not null: data, and no error."""
        (answer,) = (await self.ask(mutation, **variables)).values()
        return {name: value for name, value in answer.items() if value is not None}

    async def sign_in(self, email: str = "claire.martin@example.org") -> dict[str, Any]:
        result = (await self.ask(SIGN_IN, email=email, password=factories.PASSWORD))["signIn"]
        self.client.cookies.clear()
        self.token = result["token"]
        return result


@dataclass
class Home:
    """Stores readings of the described meters, each by its printed serial."""

    meters: dict[str, int]

    async def read(self, serial: str, readings: Iterable[tuple[datetime, int]]) -> None:
        rows = [
            time_series.ReadingRow(
                meter_id=self.meters[serial],
                read_at_s=int(moment.timestamp()),
                index_value=index,
                status_bits=0,
                received_at_s=int(moment.timestamp()) + 60,
                telegram_digest=int(moment.timestamp()),
            )
            for moment, index in readings
        ]
        async with in_transaction() as connection:
            await factories.store_readings(connection, rows)

    async def consume(self, serial: str, first: date, last: date, *, daily: int) -> None:
        meter_id = self.meters[serial]
        days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
        rows = [(meter_id, DayVolume(day, daily, Quality.MEASURED)) for day in days]
        async with in_transaction() as connection:
            await time_series.replace_days(connection, [], rows)


WATER = "H8CA029620"
HEAT = "76348799"


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with its least cost: these tests do not depend on the cost of a hash."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("core.services.auth.passwords._hasher", lambda: hasher)


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test asks: no service requires a permission that the field's description does not name, and
    no field answers an error that it does not name.
    """
    undescribed: set[str] = set()

    def translated(error: GraphQLError) -> GraphQLFormattedError:
        entry = errors.translated(error)
        code = entry["extensions"]["code"]
        if isinstance(error.original_error, SubmeterError) and error.nodes and code not in OF_THE_CALLER:
            names = {node.name.value for node in error.nodes if isinstance(node, FieldNode)}
            if not any(code in ERRORS.get(name, ()) for name in names):
                undescribed.add(f"{sorted(names)} answers {code}")
        return entry

    require = Viewer.require

    def required(viewer: Viewer, permission: Permission) -> None:
        field = asked_field.get()
        described = {
            Permission.DWELLINGS_READ,  # of `scope`, which is behind all homes
            *PERMISSIONS.get(field, ()),
            *BY_ARGUMENT.get(field, ()),
        }
        if field and permission not in described:
            undescribed.add(f"{field} requires {permission}")
        require(viewer, permission)

    monkeypatch.setattr("graphql_schema.http.translated", translated)
    monkeypatch.setattr(Viewer, "require", required)
    yield
    assert undescribed == set()


asked_field: ContextVar[str] = ContextVar("asked_field", default="")
OF_THE_CALLER = {"UNAUTHENTICATED", "FORBIDDEN", *SessionState.__members__}
ERRORS: dict[str, set[str]] = {}
"""What a field may answer, by its name; a name that several types have, together."""

KEYS: dict[int, str] = {}
"""The fields that need a permission, and those of the root, by their identity."""


def _noting(key: str, resolve: Any) -> Any:
    """The same resolver, which says which field asks."""

    def noted(source: Any, info: Any, /, **arguments: Any) -> Any:
        token = asked_field.set(key)
        try:
            answer = resolve(source, info, **arguments)
            return _awaited(key, answer) if isawaitable(answer) else answer
        finally:
            asked_field.reset(token)

    return noted


async def _awaited(key: str, answer: Awaitable[Any]) -> Any:
    token = asked_field.set(key)
    try:
        return await answer
    finally:
        asked_field.reset(token)


for kind in schema.core.type_map.values():
    for name, field in kind.fields.items() if is_object_type(kind) and kind.name[0] != "_" else ():
        ERRORS.setdefault(name, set()).update(errors_of(kind, name, field))
        if f"{kind.name}.{name}" in PERMISSIONS or kind.name in {"Query", "Mutation"}:
            field.resolve = _noting(f"{kind.name}.{name}", field.resolve)
            KEYS[id(field)] = f"{kind.name}.{name}"

call = DirectField.call


def _noted_call(self: DirectField, executor: Any, source: Any, info: Any) -> Any:
    """The same of a field whose resolver is called without strawberry."""
    key = KEYS.get(id(self.field))
    if key is None:
        return call(self, executor, source, info)
    return _noting(key, lambda source, info: call(self, executor, source, info))(source, info)


DirectField.call = _noted_call  # type: ignore[method-assign]


@pytest.fixture
def data_of(application: Application) -> Callable[[], Awaitable[Home]]:
    """Stores data of the meters that a test has described."""

    async def home() -> Home:
        return Home({row.printed_serial: row.id for row in await Meter.all()})

    return home


async def describe_home(application: Application) -> None:
    """Claire's dwelling, with a cold water and a heat meter."""
    heat = factories.meter("SAP-21131C34-0C-04", fluid=Fluid.HEAT, vendor="kamstrup", printed_serial=HEAT)
    water = factories.meter("SAP-21131C35-15-07", printed_serial=WATER)
    await factories.residence(KeyEncryption.under(application.settings.secret_key), heat, water)


prepared = prepared_for("home", Prepared("claires_home", describe_home))


@pytest.fixture
async def home(data_of: Callable[[], Awaitable[Home]]) -> Home:
    """Claire's dwelling, which is prepared."""
    home = await data_of()
    assert {HEAT, WATER} <= home.meters.keys()
    return home


@pytest.fixture
async def door(registry: Registry, tmp_path: Path, now: datetime) -> AsyncIterator[Portal]:
    """The app around an application whose database is closed: a request refused before it needs none."""
    settings = Settings(data_dir=tmp_path, database_url="sqlite:///none", secret_key="s" * 32)
    transport = httpx.ASGITransport(build_app(Application(settings, registry), clock=lambda: now))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
        yield Portal(client, SettableClock(now))


@pytest.fixture
async def portal(application: Application, now: datetime) -> AsyncIterator[Portal]:
    """The app around the application; nobody is signed in."""
    clock = SettableClock(now)
    app = build_app(application, clock=clock)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
        yield Portal(client, clock, queue=app.state.intake)


@pytest.fixture
async def claire(portal: Portal, home: Home) -> Portal:
    """The portal with the dwelling's tenant signed in."""
    await portal.sign_in()
    return portal


@pytest.fixture
def issue_key(application: Application, now: datetime) -> Callable[[], Awaitable[str]]:
    """Issues the operator's gateway a new API key."""

    async def issue() -> str:
        return await issue_gateway_key(SYSTEM, operator_code=factories.OPERATOR, name="roof", now=now)

    return issue


@pytest.fixture
async def ista(portal: Any, key_encryption: KeyEncryption) -> Applicant:
    """Somebody who begins to register with ista, whose residence is published."""
    await describe(key_encryption, "ista")
    applicant = Applicant(portal.client, "ista")
    await applicant.start()
    return applicant


@pytest.fixture
async def ocea(portal: Any, key_encryption: KeyEncryption) -> Applicant:
    """Somebody who begins to register with OCEA as a tenant."""
    await describe(key_encryption, "ocea")
    applicant = Applicant(portal.client, "ocea")
    await applicant.start()
    await applicant.fill("occupancy", kind="TENANT")
    return applicant

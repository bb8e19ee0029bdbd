"""The app: health, its lifespan, and concurrent requests."""

import asyncio
from contextvars import Context
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tortoise.transactions import in_transaction

from core.bootstrap import open_application
from core.models import Alert, AlertKind, Operator, Registration
from core.operators import Step
from core.services.places.key_encryption import KeyEncryption
from core.services.shared import time_series
from core.services.shared.health import database_answers
from core.settings import Settings
from graphql_schema.asgi import create_app, create_app_from_environment
from tests.support import factories


async def test_health_is_200_with_a_database(portal: Any) -> None:
    """While the database answers."""
    response = await portal.client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert (await portal.client.post("/health")).status_code == 405


async def test_health_is_503_without_a_database(door: Any) -> None:
    """The answer has no details."""
    assert not await database_answers()
    response = await door.client.get("/health")
    assert (response.status_code, response.json()) == (503, {"status": "database unreachable"})


async def test_a_server_shares_one_application_among_its_requests(settings: Settings) -> None:
    """An app that opens its own application serves requests of independent tasks."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app)

    async def who(client: httpx.AsyncClient) -> dict[str, Any]:
        response = await client.post(
            "/graphql", json={"query": "{ viewer { id } }"}, headers={"Authorization": "Bearer sms_unknown"}
        )
        return response.json()["errors"][0]["extensions"]

    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client,
    ):
        tasks = [asyncio.get_running_loop().create_task(who(client), context=Context()) for _ in range(20)]
        assert await asyncio.gather(*tasks) == [{"code": "UNAUTHENTICATED"}] * 20


async def test_a_server_deletes_expired_registrations(settings: Settings) -> None:
    """An unfinished registration is deleted an hour after its end, without a request."""
    app = create_app(settings)
    async with open_application(settings):
        operator = await Operator.create(code="ocea", name="OCEA")
        for number, expires_at in enumerate(
            (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        ):
            await Registration.create(
                operator_id=operator.id,
                token_hash=str(number),
                step=Step.OCCUPANCY,
                created_at=expires_at,
                expires_at=expires_at,
            )
    async with app.router.lifespan_context(app):
        while await Registration.all().count() == 2:  # noqa: ASYNC110 - the server's own task is awaited
            await asyncio.sleep(0)
        assert [row.token_hash for row in await Registration.all()] == ["1"]


async def test_a_server_raises_missing_data_by_itself(
    settings: Settings, key_encryption: KeyEncryption
) -> None:
    """Without a telegram and without a request."""
    app = create_app(settings)
    async with open_application(settings):
        await factories.residence(key_encryption, factories.meter())
        async with in_transaction() as connection:
            rows = [
                time_series.ReadingRow(1, 1_750_000_000 + 3600 * hour, 5, 0, 0, hour) for hour in range(5)
            ]
            await factories.store_readings(connection, rows)
    async with app.router.lifespan_context(app):
        while not await Alert.all().count():  # noqa: ASYNC110 - the server's own task is awaited
            await asyncio.sleep(0)
        assert [row.kind for row in await Alert.all()] == [AlertKind.NO_DATA]


async def test_fields_of_one_operation_share_what_they_ask_for(
    claire: Any, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many fields use the viewer, the dashboard or the alerts, each is loaded once."""
    from graphql_schema.base import context, loaders  # noqa: PLC0415 - they are patched below
    from graphql_schema.base.loading import home_figures  # noqa: PLC0415

    asked: list[str] = []

    def counted(module: Any, name: str) -> None:
        service = getattr(module, name)

        async def count(*args: Any, **kwargs: Any) -> Any:
            asked.append(name)
            return await service(*args, **kwargs)

        monkeypatch.setattr(module, name, count)

    for module, name in (
        (context, "viewer_of_token"),
        (context, "my_account"),
        (home_figures, "home_screens"),
        (home_figures, "dashboards"),
        (loaders, "alerts_seen"),
        (loaders, "meters_by_dwelling"),
    ):
        counted(module, name)
    await claire.ask("""{ a: viewer { ...V } b: viewer { ...V } }
      fragment V on Viewer { email dwellings {
        meters { id label }
        water: dashboard(fluid: COLD_WATER) { label }
        heat: dashboard(fluid: HEAT) { label }
        activeAlertCount activeAlerts { id }
      } }""")
    assert sorted(asked) == [
        "alerts_seen",
        "home_screens",
        "meters_by_dwelling",
        "viewer_of_token",
    ]


async def test_the_environment_describes_an_app(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, settings: Settings
) -> None:
    """The factory that an ASGI server calls reads its settings from the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUBMETER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SUBMETER_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("SUBMETER_SECRET_KEY", settings.secret_key)
    app = create_app_from_environment()
    async with app.router.lifespan_context(app):
        assert app.state.application.settings.database_url == settings.database_url


async def test_the_root_address_redirects_to_the_api(portal: Any) -> None:
    """A browser that opens the host alone is redirected to GraphiQL."""
    response = await portal.client.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/graphql")

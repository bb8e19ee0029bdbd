"""`submeter demo`: made once, found again, finished when it was stopped."""

import json
from dataclasses import replace
from datetime import date, datetime

import pytest

from core.access import NOBODY, SYSTEM, Permission, Role
from core.access.sessions import SessionState
from core.bootstrap import Application, open_application
from core.documents.signing import identity_at, path_of
from core.models import DegreeDay, EmissionFactor, Residence, Tariff
from core.services.accounts.sign_in import sign_in
from core.services.auth.sessions import viewer_of_token
from core.services.portfolio.portfolio import upsert_operator
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import take_in
from core.settings import Settings
from submeter.demo import command
from submeter.demo.analysts import analysts
from submeter.demo.command import FRESH_FILE, STATE_FILE, make, open_doors
from submeter.demo.world import PASSWORD
from submeter.simulator.plan import demo_plan
from submeter.simulator.values import DemoPlan, Scenario
from tests.support import factories
from tests.support.demo import only
from tests.support.factories import NOW


@pytest.fixture(autouse=True)
def short_demo(monkeypatch) -> None:
    """Three dwellings and twelve days, where the demo itself has twenty-six and fourteen months."""

    def short(anchor: datetime) -> DemoPlan:
        plan = demo_plan(anchor, history_days=12, hourly_days=2)
        return only(plan, Scenario.LEAK_LEVEL_1, Scenario.LEAK_LEVEL_3, Scenario.OVER_CONSUMPTION)

    monkeypatch.setattr(command, "demo_plan", short)


async def _readings(settings: Settings) -> int:
    async with open_application(settings):
        rows = await current_database().execute_query_dict("SELECT COUNT(*) AS stored FROM reading")
        return int(rows[0]["stored"])


async def test_the_demo_is_made_once_and_found_again(settings: Settings, capsys) -> None:
    """The second call answers the same plan and ingests nothing; the file beside the database records it."""
    plan = await make(settings, now=NOW)
    stored = await _readings(settings)
    assert stored > 200
    assert "0 duplicates, 0 dead letters" in " ".join(capsys.readouterr().out.split())
    later = await make(settings, now=NOW.replace(hour=20))
    assert later.anchor == plan.anchor
    assert (await _readings(settings), capsys.readouterr().out) == (stored, "")
    assert json.loads((settings.data_dir / STATE_FILE).read_text(encoding="utf-8"))["complete"] is True

    lines = (settings.data_dir / FRESH_FILE).read_text(encoding="utf-8").splitlines()
    async with open_application(settings) as application:
        summary = await take_in(application, SYSTEM, lines, source="fresh", now=NOW)
    assert (summary.stored, summary.duplicates) == (len(lines), 0)


async def test_the_demo_has_prices_factors_and_weather(settings: Settings) -> None:
    """A resident of the demo sees what a month costs, and all that a series has beside it."""
    plan = await make(settings, now=NOW)
    async with open_application(settings):
        assert await Tariff.all().count() == 3 * len(plan.residences)
        assert {row.source for row in await EmissionFactor.all()} == {"Demo: made up"}
        days = await DegreeDay.all().order_by("day")
        assert (days[0].day, days[-1].day) == (date(2024, 1, 1), plan.anchor.date())
        assert {row.weather_station for row in await Residence.all()} == {"DEMO"}


async def test_a_demo_that_was_stopped_is_finished(settings: Settings, monkeypatch, capsys) -> None:
    """Stopped halfway, the demo goes on with the same telegrams; those that are stored are duplicates."""
    small = replace(settings, intake_batch_lines=100)

    async def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(command, "take_in", stopped)
        with pytest.raises(KeyboardInterrupt):
            await make(small, now=NOW)
    assert await _readings(small) == 0
    await make(small, now=NOW.replace(hour=20))
    assert "0 dead letters" in " ".join(capsys.readouterr().out.split())
    assert await _readings(small) > 200


async def test_the_demo_refuses_a_database_that_is_in_use(application: Application, key_encryption) -> None:
    """A database with residences of its own is refused, and nothing is written."""
    await upsert_operator(SYSTEM, code="ocea", name="OCEA Smart Building")
    await factories.residence(key_encryption)
    with pytest.raises(SystemExit):
        await make(application.settings, now=NOW)
    assert not (application.settings.data_dir / STATE_FILE).exists()


async def test_each_operator_of_the_demo_has_an_analyst(settings: Settings) -> None:
    """Who signs in with the demo's password, and is asked for nothing else first."""
    plan = await make(settings, now=NOW)
    async with open_application(settings) as application:
        for email, operator in analysts(plan):
            viewer = (await sign_in(application, email, PASSWORD, visitor=NOBODY, now=NOW)).session.viewer
            assert (viewer.role, viewer.state) == (Role.ANALYST, SessionState.READY)
            assert email == f"analyst.{operator}@example.org"


async def test_its_operators_can_sign_papers(settings: Settings) -> None:
    """From its first start on, each with a certificate of its own that the next start leaves as it is."""
    plan = await make(settings, now=NOW)
    await open_doors(settings, plan, now=NOW)
    names = {one.operator: one.operator_name for one in plan.residences}
    first = {code: identity_at(path_of(settings, code), now=NOW) for code in names}
    assert {code: identity.name for code, identity in first.items()} == names
    await open_doors(settings, plan, now=NOW)
    again = {code: identity_at(path_of(settings, code), now=NOW).fingerprint for code in names}
    assert again == {code: identity.fingerprint for code, identity in first.items()}


async def test_its_tokens_read_and_change_nothing(settings: Settings) -> None:
    """From the first start on, a resident's and an analyst's; the next start shows the same."""
    plan = await make(settings, now=NOW)
    tokens = (await open_doors(settings, plan, now=NOW)).tokens
    assert (await open_doors(settings, plan, now=NOW)).tokens == tokens
    async with open_application(settings) as application:
        resident = await viewer_of_token(application, tokens.resident, now=NOW)
        analyst = await viewer_of_token(application, tokens.analyst, now=NOW)
    assert (resident.role, analyst.role) == (Role.RESIDENT, Role.ANALYST)
    assert resident.may(Permission.CONSUMPTION_READ_DAILY)
    assert analyst.may(Permission.ANALYSES_READ)
    assert not any(viewer.may(Permission.ACCOUNT_WRITE) for viewer in (resident, analyst))
    assert not analyst.may(Permission.CONSUMPTION_READ)

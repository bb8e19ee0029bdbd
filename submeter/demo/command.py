"""`submeter demo`: two residences, filled through the ordinary intake, and a server to view them.

The demo's telegrams are made for one anchor, which is stored beside the database: a second start finds the
demo as it was; after an interruption it continues with the same telegrams, of which those already stored are
duplicates.
"""

import asyncio
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from core.access import SYSTEM
from core.bootstrap import migrate, open_application
from core.documents.signing import make_identity, path_of
from core.portal_urls import own_url
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.gateways import issue_gateway_key
from core.services.portfolio.portfolio import has_residences, vacant_serials
from core.services.telegrams.pipeline import IntakeSummary, take_in
from core.settings import Settings, from_environment
from graphql_schema.asgi import create_app
from submeter.application import DEMO_FILE
from submeter.commands.ingest import progress_bar
from submeter.commands.serve import serve_here
from submeter.demo.analysts import describe_analysts
from submeter.demo.banner import Doors, FreeHome, welcome
from submeter.demo.letters import LETTER_ROUTES
from submeter.demo.people import GATEWAY, describe_people
from submeter.demo.rates import describe_rates
from submeter.demo.tokens import DemoTokens, issue_tokens
from submeter.demo.world import describe
from submeter.output import fail, out
from submeter.simulator.plan import demo_plan
from submeter.simulator.telegrams import count_history_lines, fresh_lines, history_lines
from submeter.simulator.values import DemoPlan, DemoResidence

FRESH_HOURS = 3
"""The history ends this long ago; the hours up to now are written to a file, for the user to ingest."""

STATE_FILE = DEMO_FILE
FRESH_FILE = "demo-fresh.log"


@dataclass(frozen=True, slots=True)
class DemoState:
    """The state of a demo folder: the anchor of its telegrams, whether they are all stored, the API key of
    its gateway, the tokens, and where it was served last, to which links of commands lead
    (`submeter.application`).
    """

    anchor: datetime
    complete: bool
    gateway_key: str = ""
    tokens: DemoTokens = field(default_factory=DemoTokens)
    url: str = ""


def demo(*, port: int | None = None, reset: bool = False, serve: bool = True) -> None:
    """Create the demo, or reuse an existing one, and serve it on 127.0.0.1.

    Args:
        port: port to listen on (default: SUBMETER_PORT, else 8000).
        reset: delete the demo of this data folder and create it anew.
        serve: with --no-serve, create the demo and exit.
    """
    settings = settings_of(from_environment(), port)
    if reset:
        _throw_away(settings)
    plan = asyncio.run(make(settings))
    doors = asyncio.run(open_doors(settings, plan))
    if serve:
        fresh = settings.data_dir / FRESH_FILE
        serve_here(
            settings,
            app=lambda: create_app(settings, pages=LETTER_ROUTES),
            when_ready=lambda url: welcome(plan, doors, url, fresh),
        )


def settings_of(settings: Settings, port: int | None) -> Settings:
    """The settings of a demo on this port: links in its messages lead to itself."""
    here = replace(settings, port=port or settings.port)
    return replace(here, portal_url=own_url(here.host, here.port))


async def make(settings: Settings, *, now: datetime | None = None) -> DemoPlan:
    """Create the demo in the settings' database, or complete it; returns its plan.

    Args:
        settings: whose database and data folder are used.
        now: the time up to which there are telegrams; by default the current time.
    """
    now = now or datetime.now(UTC)
    state = _read_state(settings)
    plan = demo_plan(state.anchor if state else _anchor(now))
    await migrate(settings)
    async with open_application(settings) as application:
        described = await has_residences(SYSTEM)
        if state is None and described:
            fail("The database already has residences; the demo needs its own database.", code="NOT_EMPTY")
        if state is not None and state.complete and described:
            return plan
        _write_state(settings, DemoState(plan.anchor, complete=False))
        _write_fresh_lines(settings, plan)
        await describe(plan, KeyEncryption.under(settings.secret_key), now=now)
        await describe_rates(plan)
        summary = IntakeSummary()
        with progress_bar("Ingesting 14 months of telegrams", count_history_lines(plan)) as advance:
            lines = history_lines(plan)
            while delivered := list(islice(lines, settings.intake_batch_lines)):
                # Each delivery is ingested at its own time, so that alerts are raised when they were due.
                texts = [line.text for line in delivered]
                received_at = delivered[-1].sent_at
                summary += await take_in(
                    application, SYSTEM, texts, source="demo", now=received_at, progress=advance
                )
        await describe_analysts(plan, now=now)
    _report(summary)
    _write_state(settings, DemoState(plan.anchor, complete=True))
    return plan


async def open_doors(settings: Settings, plan: DemoPlan, *, now: datetime | None = None) -> Doors:
    """The accounts beside the residents', a gateway's key, two tokens, the homes that are free at present;
    and what the operators sign papers with.
    """
    now = now or datetime.now(UTC)
    state = _read_state(settings) or DemoState(plan.anchor, complete=True)
    async with open_application(settings) as application:
        if not state.gateway_key:
            await describe_people(application, now=now)
            key = await issue_gateway_key(SYSTEM, operator_code="ocea", name=GATEWAY, now=now)
            state = replace(state, gateway_key=key)
        if not state.tokens.resident:
            state = replace(state, tokens=await issue_tokens(application, plan, now=now))
        _write_state(settings, replace(state, url=settings.portal_url))
        for residence in plan.residences:
            make_identity(path_of(settings, residence.operator), residence.operator_name, now=now)
        free = [home for residence in plan.residences if (home := await _free_home(residence)) is not None]
    return Doors(gateway_key=state.gateway_key, tokens=state.tokens, free_homes=tuple(free))


async def _free_home(residence: DemoResidence) -> FreeHome | None:
    """The first home of a residence that nobody lives in, by a serial that its operator's sign-up takes."""
    vacant = await vacant_serials(
        SYSTEM, operator_code=residence.operator, residence_code=residence.site_code
    )
    for dwelling in residence.dwellings:
        for meter in dwelling.meters:
            if meter.vendor.value == residence.operator and meter.printed_serial in vacant:
                return FreeHome(residence, dwelling, meter.printed_serial)
    return None


def _anchor(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=FRESH_HOURS)


def _read_state(settings: Settings) -> DemoState | None:
    path = settings.data_dir / STATE_FILE
    if not path.exists():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    return DemoState(
        anchor=datetime.fromisoformat(stored["anchor"]),
        complete=stored["complete"],
        gateway_key=stored.get("gateway_key", ""),
        tokens=DemoTokens(**stored.get("tokens", {})),
        url=stored.get("url", ""),
    )


def _write_state(settings: Settings, state: DemoState) -> None:
    stored = {
        "anchor": state.anchor.isoformat(),
        "complete": state.complete,
        "gateway_key": state.gateway_key,
        "tokens": asdict(state.tokens),
        "url": state.url,
    }
    (settings.data_dir / STATE_FILE).write_text(json.dumps(stored) + "\n", encoding="utf-8")


def _write_fresh_lines(settings: Settings, plan: DemoPlan) -> None:
    lines = "".join(f"{line.text}\n" for line in fresh_lines(plan, FRESH_HOURS))
    (settings.data_dir / FRESH_FILE).write_text(lines, encoding="utf-8")


def _throw_away(settings: Settings) -> None:
    if not settings.is_sqlite:
        fail("Only a demo in the embedded database can be deleted.", code="NOT_EMBEDDED")
    if (settings.data_dir / STATE_FILE).exists():
        for pattern in ("submeter.db*", STATE_FILE, FRESH_FILE):
            for path in settings.data_dir.glob(pattern):
                path.unlink()


def _report(summary: IntakeSummary) -> None:
    out.print(
        f"{summary.lines:,} telegrams ingested: {summary.stored:,} readings stored, "
        f"{summary.duplicates:,} duplicates, {sum(summary.unusable.values()):,} dead letters, "
        f"{summary.messages} messages queued."
    )

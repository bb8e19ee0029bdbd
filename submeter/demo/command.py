"""`submeter demo`: two residences, filled through the ordinary intake, and a server to view them.

The demo's telegrams are made for one anchor, which is stored beside the database: a second start finds the
demo as it was; after an interruption it continues with the same telegrams, of which those already stored are
duplicates.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from core.access import SYSTEM
from core.bootstrap import migrate, open_application
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.portfolio import has_residences
from core.services.telegrams.pipeline import IntakeSummary, take_in
from core.settings import Settings, from_environment
from submeter.commands.ingest import progress_bar
from submeter.commands.serve import serve_here
from submeter.demo.analysts import analysts, describe_analysts
from submeter.demo.world import PASSWORD, describe, residents
from submeter.output import err, fail, out
from submeter.simulator.plan import demo_plan
from submeter.simulator.telegrams import count_history_lines, fresh_lines, history_lines
from submeter.simulator.values import DemoPlan, Scenario

FRESH_HOURS = 3
"""The history ends this long ago; the hours up to now are written to a file, for the user to ingest."""

STATE_FILE = "demo.json"
FRESH_FILE = "demo-fresh.log"


@dataclass(frozen=True, slots=True)
class DemoState:
    """The state of a demo folder: the anchor of its telegrams, and whether they are all stored."""

    anchor: datetime
    complete: bool


def demo(*, port: int | None = None, reset: bool = False, serve: bool = True) -> None:
    """Create the demo, or reuse an existing one, and serve it on 127.0.0.1.

    Args:
        port: port to listen on (default: SUBMETER_PORT, else 8000).
        reset: delete the demo of this data folder and create it anew.
        serve: with --no-serve, create the demo and exit.
    """
    settings = from_environment()
    if reset:
        _throw_away(settings)
    plan = asyncio.run(make(settings))
    if serve:
        serve_here(settings, port=port, when_ready=lambda url: _welcome(plan, settings, url))


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


def _anchor(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=FRESH_HOURS)


def _read_state(settings: Settings) -> DemoState | None:
    path = settings.data_dir / STATE_FILE
    if not path.exists():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    return DemoState(datetime.fromisoformat(stored["anchor"]), complete=stored["complete"])


def _write_state(settings: Settings, state: DemoState) -> None:
    stored = {"anchor": state.anchor.isoformat(), "complete": state.complete}
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


def _welcome(plan: DemoPlan, settings: Settings, url: str) -> None:
    """The final output: the URL, the accounts, and commands to try."""
    out.print(f"\n[bold]Submeter is ready: {url}/graphql[/]  (GraphiQL in a browser; Ctrl+C ends it)\n")
    out.print(f"Demo accounts, password [bold]{PASSWORD}[/]:")
    reported: list[str] = []
    for residence in plan.residences:
        for dwelling in residence.dwellings:
            for scenario in sorted(dwelling.scenarios, key=list(Scenario).index):
                email = dwelling.residents[-1].email
                reported.append(email)
                out.print(f"  {email:36} {residence.site_code:9} {scenario.value.lower().replace('_', ' ')}")
    others = sum(
        1 for residence in plan.residences for person in residents(residence) if person.email not in reported
    )
    out.print(f"  and {others} more with nothing unusual")
    for email, operator in analysts(plan):
        out.print(f"  {email:36} {operator:9} analyst: statistics only")
    out.print()
    dashboard = "dashboard { label monthToDate { value unit } lastReadingAt }"
    query = (
        '{"query": "mutation { signIn(input: {email: \\"'
        + reported[0]
        + '\\", password: \\"'
        + PASSWORD
        + '\\"}) '
        "{ ... on SignedIn { viewer { dwellings { " + dashboard + " } } } } }"
        '"}'
    )
    fresh = _shown(settings.data_dir / FRESH_FILE)
    out.print("Try, in another terminal:", markup=False)
    out.print(
        f"  curl -s {url}/graphql -H 'Content-Type: application/json' -d '{query}'",
        f"  .venv/bin/submeter ingest {fresh}",
        "  .venv/bin/submeter outbox list",
        sep="\n",
        markup=False,
        soft_wrap=True,
    )
    err.file.flush()


def _shown(path: Path) -> str:
    """The path relative to the current folder if possible."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)

"""What `make demo` prints once it serves: accounts and what each shows, free homes, commands to try.

In: the plan, and what `submeter.demo.people` made. Out: lines. The one rule: it names nothing that is not
there: a home that somebody has registered for is no longer free.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from submeter.demo.analysts import analysts
from submeter.demo.people import ACCOUNTS, SECOND_FACTOR, UNPUBLISHED
from submeter.demo.tokens import DemoTokens, first_resident
from submeter.demo.world import PASSWORD, residents
from submeter.output import err, out
from submeter.simulator.values import DemoDwelling, DemoPlan, DemoResidence, Scenario

_SHOWS: Mapping[Scenario, str] = MappingProxyType(
    {
        Scenario.LEAK_LEVEL_1: "a level 1 leak, six days old",
        Scenario.LEAK_LEVEL_2: "a level 2 leak; messages in English",
        Scenario.LEAK_LEVEL_3: "a level 3 leak; messages in English",
        Scenario.LEAK_ENDED: "a leak that has ended",
        Scenario.OVER_CONSUMPTION: "a month with more than twice last year's water",
        Scenario.METER_REPLACED: "a meter that was replaced five months ago",
        Scenario.WEEK_WITHOUT_DATA: "a week without data",
        Scenario.NEW_RESIDENT: "moved in five months ago; nothing of the predecessor is shown",
    }
)


@dataclass(frozen=True, slots=True)
class FreeHome:
    """A dwelling that a resident may register for, by a serial printed in it."""

    residence: DemoResidence
    dwelling: DemoDwelling
    serial: str


@dataclass(frozen=True, slots=True)
class Doors:
    """What the banner shows beside the plan; `free_homes` has one of each journey, if one is left."""

    gateway_key: str = field(repr=False)
    tokens: DemoTokens
    free_homes: tuple[FreeHome, ...]


def welcome(plan: DemoPlan, doors: Doors, url: str, fresh: Path) -> None:
    """Print the banner."""
    out.print(f"\n[bold]Submeter is ready: {url}/graphql[/]  (GraphiQL in a browser; Ctrl+C ends it)")
    out.print(f"Every letter of the demo, with codes and links: [bold]{url}/demo/letters[/]\n")
    _accounts(plan)
    out.print("\nHomes to register for:")
    for home in doors.free_homes:
        place = f"{home.residence.operator}, {home.residence.site_code}, {_place(home.dwelling)}"
        out.print(f"  serial [bold]{home.serial:12}[/] {place}")
    out.print(
        f"  ocea, {UNPUBLISHED}: not published yet; `submeter residences publish ocea {UNPUBLISHED}"
        " --without-data` opens it",
        markup=False,
    )
    out.print(f"\nA gateway's API key: {doors.gateway_key}", markup=False)
    out.print("Tokens that read and change nothing (Authorization: Bearer ...):")
    for whose, token in (
        (first_resident(plan), doors.tokens.resident),
        (f"an analyst of {plan.residences[0].operator}", doors.tokens.analyst),
    ):
        out.print(f"  {whose:32} {token}", markup=False, soft_wrap=True)
    out.print(
        "\nTry, in another terminal (README.md has more):",
        _query(url, plan),
        _series(url, doors.tokens.resident),
        f"  .venv/bin/submeter ingest {_shown(fresh)}",
        "  .venv/bin/submeter outbox read",
        sep="\n",
        markup=False,
        soft_wrap=True,
    )
    err.file.flush()


def _accounts(plan: DemoPlan) -> None:
    out.print(f"Accounts, password [bold]{PASSWORD}[/]:")
    shown: list[str] = []
    for residence in plan.residences:
        for dwelling in residence.dwellings:
            for scenario in sorted(dwelling.scenarios, key=list(Scenario).index):
                email = dwelling.residents[-1].email
                shown.append(email)
                out.print(f"  {email:32} {residence.site_code:9} {_SHOWS[scenario]}", markup=False)
    for account in ACCOUNTS:
        out.print(f"  {account.email:32} {account.operator:9} {account.shows}", markup=False)
    for email, operator in analysts(plan):
        out.print(f"  {email:32} {operator:9} an analyst: statistics, and nothing of anybody", markup=False)
    quiet = [
        person.email
        for residence in plan.residences
        for person in residents(residence)
        if person.email not in shown and person.move_out is None
    ]
    if quiet:
        out.print(f"  and {len(quiet)} with nothing unusual, such as {quiet[0]}", markup=False)
    if ACCOUNTS:
        out.print(f"Managers and staff have a second factor, secret [bold]{SECOND_FACTOR}[/]; its code now:")
        code = f"""python -c 'import pyotp; print(pyotp.TOTP("{SECOND_FACTOR}").now())'"""
        out.print(f"  .venv/bin/{code}", markup=False, soft_wrap=True)


def _place(dwelling: DemoDwelling) -> str:
    parts = (dwelling.building, dwelling.staircase, dwelling.floor, dwelling.number)
    return " · ".join(part for part in parts if part)


def _query(url: str, plan: DemoPlan) -> str:
    email = first_resident(plan)
    return (
        f"  curl -s {url}/graphql -H 'Content-Type: application/json' -d "
        f"""'{{"query": "mutation {{ signIn(input: {{email: \\"{email}\\", password: \\"{PASSWORD}\\"}}) """
        """{ ... on SignedIn { viewer { dwellings { dashboard { label monthToDate { value unit } """
        """lastReadingAt } } } } } }"}'"""
    )


def _series(url: str, token: str) -> str:
    """From a token to a chart."""
    return (
        f"  curl -s {url}/graphql -H 'Content-Type: application/json' -H 'Authorization: Bearer {token}' -d "
        """'{"query": "{ viewer { dwellings { consumption(fluid: COLD_WATER, resolution: DAILY, last: 7) """
        """{ unit starts amounts } } } }"}'"""
    )


def _shown(path: Path) -> str:
    """The path relative to the current folder if possible."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)

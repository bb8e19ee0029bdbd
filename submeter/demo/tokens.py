"""The demo's tokens, which anybody may use: a resident's, and an analyst's.

In: the plan, once its accounts are described. Out: personal access tokens, to be shown beside the accounts.
The one rule: they are what `createAccessToken` gives, so they read and change nothing; from a token to a
chart a program needs one line, and no sign-in.
"""

from dataclasses import dataclass, field
from datetime import datetime

from core.access import NOBODY, TokenScope
from core.bootstrap import Application
from core.errors import SignInRefused
from core.services.accounts.access_tokens import issue_token
from core.services.accounts.sign_in import sign_in
from submeter.demo.analysts import analysts
from submeter.demo.world import PASSWORD
from submeter.simulator.values import DemoPlan

NAME = "demo"
_READS = tuple(scope for scope in TokenScope if scope is not TokenScope.ANALYSES)


@dataclass(frozen=True, slots=True)
class DemoTokens:
    """The tokens, empty before they are made, or where somebody has changed the account's password."""

    resident: str = field(default="", repr=False)
    analyst: str = field(default="", repr=False)


def first_resident(plan: DemoPlan) -> str:
    """The e-mail address of the first home's resident."""
    homes = (home for residence in plan.residences for home in residence.dwellings)
    return next(home.residents[-1].email for home in homes if home.residents)


async def issue_tokens(application: Application, plan: DemoPlan, *, now: datetime) -> DemoTokens:
    """Make both."""
    analyst, _ = next(iter(analysts(plan)))
    return DemoTokens(
        resident=await _issue(application, first_resident(plan), _READS, now=now),
        analyst=await _issue(application, analyst, (TokenScope.ANALYSES,), now=now),
    )


async def _issue(
    application: Application, email: str, scopes: tuple[TokenScope, ...], *, now: datetime
) -> str:
    try:
        signed_in = await sign_in(application, email, PASSWORD, visitor=NOBODY, now=now)
    except SignInRefused:
        return ""
    viewer = signed_in.session.viewer
    issued = await issue_token(application, viewer, name=NAME, scopes=scopes, visitor=NOBODY, now=now)
    return issued.token

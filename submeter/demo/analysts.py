"""The demo's analysts, one for each operator, who read the statistics of its months.

In: the plan, once its telegrams are stored. Out: accounts of the role ANALYST, and published months.
"""

from collections.abc import Iterable
from datetime import datetime

from core.access import SYSTEM, Role
from core.metering import load_registry
from core.services.analysis.publication import publish_due
from core.services.consumption.average_publication import publish_averages
from core.services.portfolio.descriptions import AccountSpec
from core.services.portfolio.portfolio import upsert_account
from submeter.demo.world import PASSWORD
from submeter.simulator.values import DemoPlan


def analysts(plan: DemoPlan) -> Iterable[tuple[str, str]]:
    """E-mail address and operator of each."""
    operators = dict.fromkeys(residence.operator for residence in plan.residences)
    return [(f"analyst.{operator}@example.org", operator) for operator in operators]


async def describe_analysts(plan: DemoPlan, *, now: datetime) -> None:
    """Register them, and publish what they read. Repeating it changes nothing."""
    terms = {profile.code: profile.terms_version for profile in load_registry().profiles}
    for email, operator in analysts(plan):
        spec = AccountSpec(
            operator_code=operator,
            email=email,
            password=PASSWORD,
            first_name="Ada",
            last_name="Analyst",
            role=Role.ANALYST,
            language="en",
            terms_version=terms.get(operator),
        )
        await upsert_account(SYSTEM, spec, now=now)
    await publish_due(now=now)
    await publish_averages(now=now)

"""`submeter demo` with three dwellings and three weeks instead of twenty-six and fourteen months.

python -m tests.support.short_demo PORT
"""

import sys
from dataclasses import replace
from datetime import datetime

from submeter.demo import command
from submeter.simulator.plan import demo_plan
from submeter.simulator.values import DemoPlan

SHOWN = {"AA000": {"1", "3"}, "50001369": {"9"}}
"""The lots: a leak, and a free home of each journey."""


def short_plan(anchor: datetime) -> DemoPlan:
    """The dwellings of the README, over the days that its leak takes to be seen."""
    plan = demo_plan(anchor, history_days=21, hourly_days=10)
    return replace(
        plan,
        residences=tuple(
            replace(
                residence,
                dwellings=tuple(home for home in residence.dwellings if home.lot in lots),
            )
            for residence in plan.residences
            for lots in (SHOWN[residence.site_code],)
        ),
    )


if __name__ == "__main__":
    command.demo_plan = short_plan
    command.demo(port=int(sys.argv[1]))

"""The hooks: `submeter_drivers` and `submeter_operators`. A whole driver is three files.

`pyproject.toml` names the module in the group `submeter.drivers`:

    [project.entry-points."submeter.drivers"]
    acme = "submeter_acme"

`submeter_acme/__init__.py` answers the hook:

    from core.metering import MeterDriver, hookimpl
    from submeter_acme.driver import DRIVER

    @hookimpl
    def submeter_drivers() -> list[MeterDriver]:
        return [DRIVER]

`submeter_acme/vectors.toml` holds telegrams and what they mean (`core.metering.conformance`). `submeter
drivers new acme` writes all of it, `submeter drivers check acme` shows whether it can be used, and
`docs/writing-a-driver.md` walks the way.

A metering company that signs residents up brings its `OperatorProfile` through the second hook of the same
group, beside its drivers or without any (`docs/operator-profiles.md`):

    @hookimpl
    def submeter_operators() -> list[OperatorProfile]:
        return [PROFILE]

In: nothing, the hooks are called without arguments. Out: values, not classes. The one rule: pluggy is used at
start only; from then on the registry's table answers.
"""

from collections.abc import Iterable
from typing import Final

import pluggy

from core.metering.driver import MeterDriver
from core.operators import OperatorProfile

PROJECT: Final = "submeter"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def submeter_drivers() -> Iterable[MeterDriver]:  # type: ignore[empty-body]  # a hook specification has no body
    """The meter drivers that this package brings: values, not classes. Called once, at start, without
    arguments. A plugin that raises here is left out and named; the others work.
    """


@hookspec
def submeter_operators() -> Iterable[OperatorProfile]:  # type: ignore[empty-body]  # as above
    """The operators whose sign-up this package describes. Called once, at start, without arguments. A plugin
    that raises here is left out and named, with its drivers; the others work.
    """

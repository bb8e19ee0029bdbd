"""The one hook of the house: `submeter_drivers`.

A vendor's package declares an entry point in the group `submeter.drivers` and, in the module it names,
writes:

    from core.metering import MeterDriver, hookimpl

    @hookimpl
    def submeter_drivers() -> list[MeterDriver]:
        return [DRIVER]

pluggy is used at start only; from then on the registry's table answers.
"""

from collections.abc import Iterable
from typing import Final

import pluggy

from core.metering.driver import MeterDriver

PROJECT: Final = "submeter"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def submeter_drivers() -> Iterable[MeterDriver]:  # type: ignore[empty-body]  # a hook specification has no body
    """The meter drivers that this package brings: values, not classes. Called once, at start, without
    arguments.
    """

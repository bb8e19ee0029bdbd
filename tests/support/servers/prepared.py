"""Databases with what many tests begin with, written once in a session and copied for each of them.

In: a name, and a function that writes into an empty database through the services. Out: a fixture for the
folder or module whose tests ask for it. The one rule: a test's database is a copy of its own that holds what
the function wrote and nothing else, so it finds what it would find had it called the function itself. The
clock of the function is fixed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from core.bootstrap import Application


@dataclass(frozen=True)
class Prepared:
    """What a database holds at first.

    Attributes:
        name: unique in the suite; the copied database has it.
        fill: writes it, into an empty database.
    """

    name: str
    fill: Callable[[Application], Awaitable[object]]


def prepared_for(fixture: str, wanted: Prepared) -> Callable[..., Prepared | None]:
    """The fixture `prepared` of a folder or module: its tests that ask for `fixture` begin with `wanted`, all
    others as elsewhere.
    """

    @pytest.fixture(name="prepared")
    def chosen(request: pytest.FixtureRequest, prepared: Prepared | None) -> Prepared | None:
        return wanted if fixture in request.fixturenames else prepared

    return chosen

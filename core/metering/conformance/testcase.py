"""The conformance tests for pytest, in one import.

In: a plugin's module. Out: a test for each check of each driver it brings, and one for each telegram. The one
rule: pytest collects it and this module does not import pytest, so that a driver's package needs no test
library to run.

    import submeter_acme
    from core.metering.conformance import DriverConformance

    class TestAcme(DriverConformance):
        plugin = submeter_acme
"""

from collections.abc import Sequence
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import ClassVar, Protocol

from core.metering.conformance.checks import CHECKS, Check, run_check, vector_failures
from core.metering.conformance.subject import Subject, installed_plugins, subjects_of
from core.metering.conformance.vectors import Vector
from core.metering.registry import GROUP


class Metafunc(Protocol):
    """What is used of the `pytest.Metafunc` that pytest hands over."""

    fixturenames: list[str]

    def parametrize(
        self, argnames: Sequence[str], argvalues: Sequence[Sequence[object]], *, ids: Sequence[str]
    ) -> None:
        """Runs the test once for each of these values."""


class DriverConformance:
    """Derive a test class from it and say which plugin is meant.

    Raises (while pytest collects): `TypeError`, when the plugin does not load; the text says why.
    """

    plugin: ClassVar[ModuleType]

    def test_check(self, subject: Subject, check: Check) -> None:
        """The driver holds what is asked of every driver."""
        _assert_none(run_check(check, subject).failures)

    def test_telegram(self, subject: Subject, number: int, vector: Vector) -> None:
        """The telegram means exactly what `vectors.toml` states."""
        _assert_none(vector_failures(subject, number, vector))

    def pytest_generate_tests(self, metafunc: Metafunc) -> None:
        """Called by pytest: one test for each check, one for each telegram."""
        wanted = metafunc.fixturenames
        subjects = conformance_of(self.plugin.__name__)
        if "check" in wanted:
            metafunc.parametrize(
                ("subject", "check"),
                [(subject, check) for subject in subjects for check in CHECKS],
                ids=[f"{subject.driver.name}-{check.name}" for subject in subjects for check in CHECKS],
            )
        elif "vector" in wanted:
            telegrams = [
                (subject, number, vector)
                for subject in subjects
                for number, vector in enumerate(subject.vectors, start=1)
            ]
            metafunc.parametrize(
                ("subject", "number", "vector"),
                telegrams,
                ids=[f"{subject.driver.name}-{number}" for subject, number, _ in telegrams],
            )


def conformance_of(module: str) -> tuple[Subject, ...]:
    """The drivers of a plugin's module; `TypeError` when it does not load."""
    installed = [plugin for plugin in installed_plugins() if plugin.module == module]
    subjects, broken = subjects_of(installed or [EntryPoint(module.rpartition(".")[2], module, GROUP)])
    if broken:
        raise TypeError(f"The plugin {broken[0].name} does not load: {broken[0].reason}")
    return subjects


def _assert_none(failures: list[str] | tuple[str, ...]) -> None:
    if failures:
        raise AssertionError("\n".join(failures))

"""Conformance: a driver held against all that is asked of one, for our vendors and others alike.

In: a plugin (installed, in a folder, or a module) and the `vectors.toml` beside it. Out: one result a check,
each failure saying what and where. The one rule: nothing here knows a vendor; `submeter drivers check` and
the tests of a vendor's package (`DriverConformance`) run the same checks.
"""

from core.metering.conformance.checks import CHECKS, Check, CheckResult, run_check, run_checks
from core.metering.conformance.random_contents import A_FEW, MANY
from core.metering.conformance.subject import (
    NotAPlugin,
    Subject,
    importable,
    installed_plugins,
    plugins_in,
    subjects_of,
)
from core.metering.conformance.testcase import DriverConformance
from core.metering.conformance.vectors import Vector, differences, load_vectors

__all__ = [
    "A_FEW",
    "CHECKS",
    "MANY",
    "Check",
    "CheckResult",
    "DriverConformance",
    "NotAPlugin",
    "Subject",
    "Vector",
    "differences",
    "importable",
    "installed_plugins",
    "load_vectors",
    "plugins_in",
    "run_check",
    "run_checks",
    "subjects_of",
]

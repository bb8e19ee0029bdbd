"""docs/operator-profiles.md: the plugin it shows works."""

import re
import sys
import tomllib
import types
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from core.metering import load_registry
from core.operators import Step
from core.operators.described import profile_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operator-profiles.md").read_text("utf-8")


def test_the_guides_plugin_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied from the page, it brings an operator with the journey that the page describes."""
    found = re.search(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    module = types.ModuleType("submeter_guide")
    exec(compile(found[1], "operator-profiles.md", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    registry = load_registry([EntryPoint("acme", module.__name__, "submeter.drivers")])
    assert registry.broken == ()
    profile = registry.profile("acme")
    assert profile is not None
    assert profile.steps[-1] is Step.VERIFICATION
    assert profile.text("button.create").en == "Here we go"


def test_the_guides_file_describes_an_operator() -> None:
    """Copied from the page, it is an operator's file."""
    found = re.search(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    profile = profile_of("acme", tomllib.loads(found[1]))
    assert profile.text("button.create").en == "Here we go"
    assert profile.residence_code.matches("W0001")

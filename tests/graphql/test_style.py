"""The schema reads as written by one hand: every rule of docs/graphql-style.md, on every element."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from graphql import (
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_specified_scalar_type,
    is_union_type,
)

from graphql_schema.contract.access import FOR_ALL, PERMISSIONS
from graphql_schema.schema import schema

PAGE = Path(__file__).parents[2] / "docs" / "graphql-style.md"
KINDS = [kind for name, kind in schema.core.type_map.items() if name[:2] != "__"]
OWN = [kind for kind in KINDS if not is_specified_scalar_type(kind)]

TWO_MEANINGS = {
    "code": "of a refusal an enum; of a residence, an operator or a letter what people type",
    "reason": "an enum, but of a correction by staff what they write into the audit log",
    "period": "an enum, but of an ended alert its days as a text",
}
"""Names that are an enum here and a String there, and are two things."""

NO_PAGES: dict[str, str] = {}
"""Fields with `first` that are no connection."""

CHOICES = {"RegistrationAnswer"}
"""Inputs that are one of several (`@oneOf`)."""

LISTS = {
    "the newest fifty of one home": ("Dwelling.issuedPapers",),
    "of one home": (
        *("Dwelling.meters", "Dwelling.dashboard", "Dwelling.consumptionLimits", "Dwelling.activeAlerts"),
        *("Dwelling.recurringDraws", "Dwelling.slowLeakHints", "IndexStatement.lines"),
        *("ConsumptionLimits.limits", "AlertWorkflow.actions", "Residence.leakLevels"),
        *("Residence.withheld", "Dwelling.withheld", "Meter.withheld", "Alert.withheld"),
        *("RecurringDraw.withheld", "Narrowed.withheld", "Document.annualBlocks"),
    ),
    "of one account": (
        *("Viewer.dwellings", "Viewer.ownedDwellings", "Viewer.dwellingRequests", "Viewer.notifications"),
        *("Viewer.sessions", "Viewer.accessTokens", "Viewer.dataExports", "Viewer.thirdPartyGrants"),
        *("Viewer.household", "Viewer.consents", "Account.dwellings"),
    ),
    "of one residence": (
        *("Residence.documents", "ResidenceOverview.completeness", "ResidenceOverview.activeLeaks"),
        *("ResidenceOverview.activeAlerts", "MonthlyNotes.counts"),
    ),
    "of one run": ("RetentionRun.deleted",),
    "by reason, of which there are some thirty": ("Query.deadLetterCounts",),
    "of one operator, by its profile": (
        *("Query.operators", "Operator.helpPages", "Operator.passwordCriteria", "Operator.labels"),
        *("PasswordTooWeak.criteria", "PasswordCheck.criteria", "Registration.stages", "Registration.forms"),
        *("Registration.confirmation", "Registration.candidates", "RegistrationForm.fields"),
        *("RegistrationField.choices", "Confirmation.lines"),
    ),
    "as long as was asked for": (
        *("Dwelling.dailyConsumption", "Dwelling.monthlyConsumption"),
        *("ConsumptionCost.tariffs", "ConsumptionEmissions.factors"),
        *("ConsumptionSeries.points", "TelegramsSubmitted.unusable", "TelegramsSubmitted.unusableLines"),
    ),
}
"""The lists of objects that are no connection, by what bounds them."""


class Element(NamedTuple):
    """A field, an argument or an input field."""

    path: str
    name: str
    kind: Any
    it: Any


def fields() -> Iterator[Element]:
    for kind in KINDS:
        for name, field in getattr(kind, "fields", {}).items():
            yield Element(f"{kind.name}.{name}", name, kind, field)


def elements() -> Iterator[Element]:
    for element in fields():
        yield element
        for name, argument in getattr(element.it, "args", {}).items():
            yield Element(f"{element.path}.{name}", name, element.kind, argument)


def output_fields() -> Iterator[Element]:
    return (one for one in fields() if is_object_type(one.kind) or is_interface_type(one.kind))


def test_names() -> None:
    """Types in PascalCase, fields and arguments in camelCase, enum values in capitals."""
    wrong = [kind.name for kind in OWN if not re.fullmatch(r"([A-Z][a-z0-9]+)+", kind.name)]
    wrong += [
        one.path for one in elements() if not re.fullmatch(r"[a-z][a-z0-9]*([A-Z][a-z0-9]*)*", one.name)
    ]
    for kind in OWN:
        if is_enum_type(kind):
            wrong += [name for name in kind.values if not re.fullmatch(r"[A-Z]+[0-9]*(_[A-Z0-9]+)*", name)]
    assert wrong == []


def test_endings() -> None:
    """`Input` is what inputs end with, but one that is a choice of inputs; `Result` is a mutation's
    union.
    """
    for kind in OWN:
        if is_input_object_type(kind):
            assert kind.name.endswith("Input") or kind.name in CHOICES, kind.name
        assert kind.name.endswith("Result") == is_union_type(kind), kind.name
        assert not (is_object_type(kind) and kind.name.endswith("Input")), kind.name


def test_everything_is_described() -> None:
    """In whole sentences: a capital or a quotation first, a full stop last."""
    described = [(kind.name, kind.description) for kind in KINDS]
    described += [(one.path, one.it.description) for one in elements()]
    for kind in KINDS:
        if is_enum_type(kind):
            own = [value.description for value in kind.values.values()]
            assert all(own) or not any(own), f"{kind.name}: describe each value, or all of them in the type"
    wrong = [
        path
        for path, text in described
        if not text or not re.fullmatch(r"[A-Z«`].*[.»?]", text.strip(), re.DOTALL)
    ]
    assert wrong == []


def test_null_says_when() -> None:
    """A field that may be null names the case; one that cannot be does not speak of it."""
    speaks = re.compile(r"\bnull\b|NOT_FOUND|by default|\b[Ff]or [A-Z_]{3,}:", re.IGNORECASE)
    silent, idle = [], []
    for one in output_fields():
        if one.kind.name == "Mutation":
            continue
        kind = get_nullable_type(one.it.type)
        maybe = not is_non_null_type(one.it.type) or (
            is_list_type(kind) and not is_non_null_type(kind.of_type)
        )
        if maybe and not speaks.search(one.it.description):
            silent.append(one.path)
        if not maybe and re.search(r"\bnull (if|until|while|for)\b", one.it.description):
            idle.append(one.path)
    assert (silent, idle) == ([], [])


def test_lists() -> None:
    """A list of objects holds no null, and is null if withheld alone; one that can grow is a connection."""
    found = set()
    for one in output_fields():
        kind = get_nullable_type(one.it.type)
        if not is_list_type(kind) or one.kind.name.endswith("Connection"):
            continue
        if not is_leaf_type(get_named_type(kind)):
            found.add(one.path)
            assert is_non_null_type(kind.of_type), one.path
        may_be_withheld = "Narrowed" in {interface.name for interface in getattr(one.kind, "interfaces", ())}
        assert is_non_null_type(one.it.type) or may_be_withheld, one.path
    assert found == {path for paths in LISTS.values() for path in paths}


def test_connections() -> None:
    """Whatever takes `first` takes `after`, and answers edges with cursors, and where the page ends."""
    for one in output_fields():
        if "first" not in one.it.args:
            continue
        kind = get_named_type(one.it.type)
        assert kind.name.endswith("Connection") != (one.path in NO_PAGES), one.path
        if one.path not in NO_PAGES:
            assert "after" in one.it.args, one.path
            assert {"edges", "pageInfo"} <= set(kind.fields), kind.name
            edge = get_named_type(kind.fields["edges"].type)
            assert edge.name == kind.name.removesuffix("Connection") + "Edge"
            assert set(edge.fields) == {"cursor", "node"}


def test_an_enum_is_one_on_both_sides() -> None:
    """What is an enum where it is sent is no text where it is read, and the other way round."""
    enums, texts = set(), set()
    for one in elements():
        kind = get_named_type(one.it.type)
        if is_enum_type(kind):
            enums.add(one.name)
        elif kind.name == "String":
            texts.add(one.name)
    assert enums & texts == set(TWO_MEANINGS)


def test_languages() -> None:
    """Each argument for a language is `language`, may be left out, and has no language by default."""
    for one in elements():
        if get_named_type(one.it.type).name == "Language" and one.path.count(".") == 2:
            assert (one.name, is_non_null_type(one.it.type)) == ("language", False), one.path
            assert one.it.default_value is None, one.path


def test_scalars() -> None:
    """Each of ours says what it is in the languages that clients are generated for."""
    for kind in OWN:
        if is_leaf_type(kind) and not is_enum_type(kind):
            for language in ("TypeScript", "Python"):
                assert language in kind.description, kind.name


def test_permissions() -> None:
    """Every field of the roots has a permission, or is listed as one for everybody."""
    for one in output_fields():
        if one.kind.name in {"Query", "Mutation"}:
            assert (one.path in PERMISSIONS) != (one.path in FOR_ALL), one.path
        for permission in PERMISSIONS.get(one.path, ()):
            assert f"`{permission}`" in one.it.description, one.path


def test_nodes() -> None:
    """An object that implements `Node` has the id of all nodes, and says no more of it."""
    for one in output_fields():
        if one.name == "id":
            assert str(one.it.type) == "ID!", one.path


def test_deprecations() -> None:
    """They name what to use instead, and the release in which they go."""
    reasons = [(one.path, one.it.deprecation_reason) for one in elements()]
    reasons += [
        (f"{kind.name}.{name}", value.deprecation_reason)
        for kind in OWN
        if is_enum_type(kind)
        for name, value in kind.values.items()
    ]
    for path, reason in reasons:
        assert reason is None or re.fullmatch(r"Use .+\. Removed in \d+\.\d+\.", reason), path


@pytest.mark.parametrize(
    "rule", ["Names", "Descriptions", "Null", "Refusals", "Lists and connections", "Enums", "Deprecation"]
)
def test_the_page_has_the_rule(rule: str) -> None:
    """Who reviews a change to the schema finds each rule on one page."""
    assert f"## {rule}" in PAGE.read_text(encoding="utf-8")

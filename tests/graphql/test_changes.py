"""Breaking changes since the last release: none that is not declared, with what clients have to do.

`releases/X.Y.graphql` is the schema of a release; `releases/X.Y.toml` beside it are the breaks since then.
Before 1.0 a break needs a reason there. From 1.0 on only what the release had marked `@deprecated` may go.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, find_breaking_changes, is_enum_type

from graphql_schema.schema import print_schema

RELEASES = Path(__file__).with_name("releases")


def newest() -> Path:
    """The schema of the last release."""
    return max(RELEASES.glob("*.graphql"), key=lambda path: [int(part) for part in path.stem.split(".")])


def removed_as_announced(schema: GraphQLSchema, sentence: str) -> bool:
    """Whether the sentence says that a field or enum value was removed which the release had deprecated."""
    found = re.fullmatch(r"(?:Field|Enum value) (\w+)\.(\w+) was removed\.", sentence)
    if found is None:
        return False
    kind: Any = schema.get_type(found[1])
    members = kind.values if is_enum_type(kind) else kind.fields
    return bool(members[found[2]].deprecation_reason)


def undeclared(old: GraphQLSchema, new: GraphQLSchema, patterns: list[str]) -> list[str]:
    """The breaking changes that no pattern declares, and the patterns that declare none."""
    sentences = [change.description for change in find_breaking_changes(old, new)]
    open_ones = [
        sentence
        for sentence in sentences
        if not removed_as_announced(old, sentence)
        and not any(re.fullmatch(pattern, sentence) for pattern in patterns)
    ]
    idle = [
        f"declared in vain: {pattern}"
        for pattern in patterns
        if not any(re.fullmatch(pattern, sentence) for sentence in sentences)
    ]
    return open_ones + idle


def test_no_break_since_the_last_release_is_undeclared() -> None:
    """Each is in the release's list with a reason, and the list has no other (docs/graphql-style.md)."""
    release = newest()
    allowed = tomllib.loads(release.with_suffix(".toml").read_text(encoding="utf-8")).get("allowed", [])
    assert all(len(entry["reason"]) > 10 for entry in allowed)
    if int(release.stem.split(".")[0]) >= 1:
        assert allowed == [], "from 1.0 on nothing is removed that was not deprecated in a release"
    old = build_schema(release.read_text(encoding="utf-8"))
    new = build_schema(print_schema())
    assert undeclared(old, new, [entry["pattern"] for entry in allowed]) == []


OLD = """type Query { kept: Int gone: Int announced: Int @deprecated(reason: "Use `kept`. Removed in 0.2.") }
enum Colour { RED BLUE GREEN @deprecated(reason: "Use RED. Removed in 0.2.") }"""
NEW = "type Query { kept: Int gone: Int announced: Int } enum Colour { RED BLUE GREEN }"
GONE = r"Field Query\.gone was removed\."


@pytest.mark.parametrize(
    ("new", "patterns", "left"),
    [
        (NEW, [], []),
        (NEW + " type More { a: Int }", [], []),
        (NEW.replace("gone: Int", ""), [], ["Field Query.gone was removed."]),
        (NEW.replace("gone: Int", ""), [GONE], []),
        (NEW.replace("announced: Int", "other: Int"), [], []),
        (NEW.replace("GREEN", ""), [], []),
        (NEW.replace("BLUE", ""), [], ["Enum value Colour.BLUE was removed."]),
        (NEW, [GONE], [f"declared in vain: {GONE}"]),
        (NEW.replace("kept: Int", "kept: String"), [], ["Field Query.kept changed type from Int to String."]),
    ],
)
def test_a_break_is_found_unless_it_is_declared_or_was_announced(
    new: str, patterns: list[str], left: list[str]
) -> None:
    """What was added breaks nobody; what was deprecated may go; a declaration of nothing is an error."""
    assert undeclared(build_schema(OLD), build_schema(new), patterns) == left

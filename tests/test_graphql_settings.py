"""The settings of the GraphQL API: what is read, what is refused, what the documentation says."""

from dataclasses import fields
from pathlib import Path

import pytest

from core.graphql_settings import HOUR_POINTS, QUERY_POINTS, GraphQLSettings
from core.settings import SettingsError, from_environment

ROOT = Path(__file__).resolve().parent.parent
VARIABLES = {
    "query_points": "QUERY_POINTS",
    "hour_points": "HOUR_POINTS",
    "body_bytes": "BODY_BYTES",
    "documents": "DOCUMENTS",
    "allowed": "ALLOWED",
    "origins": "ORIGINS",
    "graphiql": "GRAPHIQL",
}


def read(tmp_path: Path, **variables: str) -> GraphQLSettings:
    prefixed = {f"SUBMETER_GRAPHQL_{name}": text for name, text in variables.items()}
    return from_environment({"SUBMETER_DATA_DIR": str(tmp_path), **prefixed}).graphql


def test_each_variable_is_read(tmp_path: Path) -> None:
    """All of them by their names; roles that are not named keep their default."""
    settings = read(
        tmp_path,
        QUERY_POINTS="resident=500, GATEWAY=100",
        HOUR_POINTS="ANONYMOUS=1000",
        BODY_BYTES="20000",
        DOCUMENTS=str(tmp_path),
        ALLOWED="portal",
        ORIGINS="https://portal.example.org https://staff.example.org:8443",
        GRAPHIQL="off",
    )
    assert settings == GraphQLSettings(
        query_points={**QUERY_POINTS, "RESIDENT": 500, "GATEWAY": 100},
        hour_points={**HOUR_POINTS, "ANONYMOUS": 1_000},
        body_bytes=20_000,
        documents=tmp_path,
        allowed="PORTAL",
        origins=("https://portal.example.org", "https://staff.example.org:8443"),
        graphiql=False,
    )
    assert settings.points_of("RESIDENT") == (500, HOUR_POINTS["RESIDENT"])


@pytest.mark.parametrize("name", VARIABLES.values())
def test_an_empty_variable_counts_as_unset(tmp_path: Path, name: str) -> None:
    """Container files set variables to nothing."""
    assert read(tmp_path, **{name: ""}) == GraphQLSettings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUERY_POINTS", "RESIDENT"),
        ("GRAPHIQL", "yes"),
        ("QUERY_POINTS", "RESIDENT=0"),
        ("QUERY_POINTS", "RESIDENT=100001"),
        ("QUERY_POINTS", "RESIDENT=-5"),
        ("QUERY_POINTS", "RESIDENT=٣"),
        ("QUERY_POINTS", "5000"),
        ("HOUR_POINTS", "NOBODY=5"),
        ("HOUR_POINTS", "RESIDENT=" + "9" * 5_000),
        ("BODY_BYTES", "1000"),
        ("BODY_BYTES", "1048577"),
        ("ALLOWED", "SOME"),
        ("ORIGINS", "*"),
        ("ORIGINS", "portal.example.org"),
        ("ORIGINS", "https://portal.example.org/"),
        ("ORIGINS", "null"),
    ],
)
def test_an_invalid_value_is_reported_by_its_name(tmp_path: Path, name: str, value: str) -> None:
    """The message begins with the variable."""
    with pytest.raises(SettingsError, match=f"^SUBMETER_GRAPHQL_{name} must ") as refused:
        read(tmp_path, **{name: value})
    assert refused.value.field == f"SUBMETER_GRAPHQL_{name}"


@pytest.mark.parametrize("allowed", ["PORTAL", "TRUSTED"])
def test_an_allow_list_needs_its_documents(tmp_path: Path, allowed: str) -> None:
    """Without them nothing would be answered."""
    with pytest.raises(SettingsError, match=r"^SUBMETER_GRAPHQL_DOCUMENTS must be set"):
        read(tmp_path, ALLOWED=allowed)


def test_the_defaults_are_documented() -> None:
    """Each variable stands in the docs and the example, and the docs have the points of the code."""
    assert {one.name for one in fields(GraphQLSettings)} == VARIABLES.keys()
    docs = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for variable in VARIABLES.values():
        assert f"`SUBMETER_GRAPHQL_{variable}`" in docs
        assert f"#SUBMETER_GRAPHQL_{variable}=" in example
    for points in (QUERY_POINTS, HOUR_POINTS):
        assert f"`{' '.join(f'{role}={number}' for role, number in points.items())}`" in docs

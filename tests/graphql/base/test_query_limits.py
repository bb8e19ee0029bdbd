"""Query limits: what one operation may ask for, and that measuring it is cheap."""

from typing import Any

import pytest
from graphql import get_introspection_query, parse

from graphql_schema.base.query_limits import MAX_ALIASES, measured, too_large
from graphql_schema.schema import schema


def excesses(query: str) -> list[str]:
    return [str(error.message) for error in too_large(schema._schema, parse(query))]


BOMB = "{ ...F0 } " + " ".join(
    f"fragment F{number} on Query {{ ...F{number + 1} ...F{number + 1} }}" for number in range(40)
)
TWICE_TWO_HUNDRED = """{ viewer { dwellings { a: meters { ...M } b: meters { ...M } } } }
fragment M on Meter {
  readings(first: 200) { edges { cursor node { ...R } } }
}
fragment R on Reading { readAt receivedAt index { value unit smallest smallestUnit } flags }"""


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("{ viewer {" + "dwellings {" * 12 + "id" + "}" * 14, "levels"),
        ("{" + " ".join(f"a{n}: __typename" for n in range(MAX_ALIASES + 1)) + "}", "aliases"),
        (BOMB + " fragment F40 on Query { a: __typename }", "aliases"),
        (BOMB + " fragment F40 on Query { __typename }", "fields"),
        ("{" + "viewer { id }" * 200 + "}", "equal names"),
        (TWICE_TWO_HUNDRED, "fields"),
    ],
)  # fmt: skip
def test_an_exceeded_limit_is_named(query: str, what: str) -> None:
    """A document that exceeds a limit is refused, and the refusal names the limit."""
    assert any(what in excess for excess in excesses(query))


@pytest.mark.parametrize(
    "first", ["", "(first: 50)", "(first: 200)", "(first: 100000000000000000000)", "(first: $first)"]
)
def test_a_page_counts_as_its_size(first: str) -> None:
    """However its size is given, a page of readings is within the limits."""
    query = (
        "query ($first: Int!) { node(id: 1) { ... on Meter { readings%s { edges { node { readAt } } } } } }"
    )
    assert excesses(query % first) == []


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ("", 13),
        ("last: 5", 5),
        ("last: 5000", 37),
        ("last: $n", 37),
        ("resolution: DAILY, last: 400", 400),
        ("resolution: YEARLY", 4),
        ("resolution: $r, last: $n", 1_098),
    ],
)
@pytest.mark.parametrize("points", ["points { startsAt }", "...P"])
def test_the_points_of_a_series_are_charged_one_by_one(arguments: str, values: int, points: str) -> None:
    """By `last` and the longest series of the resolution, in fragments too; a column is one field."""
    query = (
        "query ($r: Resolution!, $n: Int!) { node(id: 1) { ... on Meter { consumption%s { amounts %s } } } }"
        " fragment P on ConsumptionSeries { points { startsAt } }"
    )
    document = parse(query % (f"({arguments})" if arguments else "", points))
    assert measured(schema.core, document).points == {None: 1 + 1 + 2 + values}


def test_a_portal_page_fits() -> None:
    """All that a page of the portal shows is available in one operation."""
    dashboard = (
        "dashboard { fluid unit label monthToDate { ...A } previousMonth { ...A } yearToDate { ...A } }"
    )
    query = f"""{{ viewer {{ id email dwellings {{ id residence {{ name city }} {dashboard} activeAlertCount
      water: dailyConsumption(fluid: COLD_WATER) {{ day amount {{ ...A }} quality }}
      heat: monthlyConsumption(fluid: HEAT) {{ month amount {{ ...A }} quality }}
      activeAlerts {{ title lossM3 meterLabel equivalent }}
      pastAlerts(first: 10) {{ totalCount edges {{ node {{ period lossM3 meanFlowLph meterSerial }} }} }}
    }} }} }} fragment A on Amount {{ value unit smallest smallestUnit }}"""
    assert excesses(query) == []


@pytest.mark.parametrize(
    "query",
    ["{ ...No }", "{ a: nothing { b } }", "{ ... on Nothing { b } }", "{ ...on Query { __typename } }"],
)
def test_what_validation_reports_is_no_excess(query: str) -> None:
    """Unknown fields, fragments and types are measured without an error."""
    assert excesses(query) == []


async def test_an_excess_is_refused_with_a_code(door: Any) -> None:
    """The client is given the limit, and the document is neither validated nor run."""
    refusal = await door.refusal(BOMB + " fragment F40 on Query { __typename nothing }")
    assert refusal == {"code": "OPERATION_TOO_LARGE", "limit": 100_000}


async def test_a_long_document_is_refused(door: Any) -> None:
    """Text and tokens of a document have a limit each; a document beyond it is not parsed."""
    assert await door.refusal("{ __typename }" + "#" * 40_000) == {"code": "OPERATION_TOO_LARGE"}
    assert await door.refusal("{" + " __typename" * 1_001 + "}") == {"code": "BAD_REQUEST"}


async def test_introspection_fits(door: Any) -> None:
    """Tools may read the whole schema."""
    data = await door.ask(get_introspection_query(specified_by_url=True, input_value_deprecation=True))
    assert data["__schema"]["queryType"]["name"] == "Query"

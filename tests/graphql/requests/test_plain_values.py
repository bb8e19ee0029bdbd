"""Lists of plain values are completed without graphql-core, and answered as by it."""

from datetime import timedelta
from typing import Any

import pytest

from core.models import Account
from graphql_schema.requests import executor
from tests.graphql.conftest import WATER
from tests.support.factories import NOW

ALIASES = """query ($known: Boolean!) { viewer { dwellings {
  days: dailyConsumption(fluid: COLD_WATER) {
    __typename on: day amount @include(if: $known) { l: smallest value } ...Q quality
  }
  dailySeries(fluid: COLD_WATER) { days amounts qualities unit }
} } }
fragment Q on DayConsumption { amount @include(if: $known) { unit } q: quality }"""

TOKEN = """mutation { createAccessToken(name: "a program", scopes: [READ_MONTHLY]) {
  ... on AccessTokenIssued { token } } }"""


@pytest.fixture
async def days(claire: Any, home: Any) -> Any:
    """Claire's water of twenty days, the last of them without data."""
    await home.consume(WATER, NOW.date() - timedelta(days=30), NOW.date() - timedelta(days=11), daily=1234)
    return claire


@pytest.mark.parametrize("known", [True, False])
async def test_aliases_fragments_and_directives(
    days: Any, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """Whatever is selected, the answer is that of graphql-core, in the order of the selection."""
    made: list[Any] = []
    make = executor.plain_column

    def noted(*args: Any) -> Any:
        made.append(make(*args))
        return made[-1]

    monkeypatch.setattr(executor, "plain_column", noted)
    plain = (await days.post(ALIASES, {"known": known})).text
    assert [one is None for one in made] == [True, *[False] * 4]  # the dwellings, and four lists of theirs
    monkeypatch.setattr(executor.Selections, "plain_items", lambda *_: None)
    monkeypatch.setattr(executor.Selections, "plain_field", lambda *_: None)
    assert (await days.post(ALIASES, {"known": known})).text == plain


async def test_columns_hold_the_values_of_the_points(days: Any) -> None:
    """`dailySeries` has the days, amounts and qualities of `dailyConsumption`; null where no data is."""
    query = """{ viewer { dwellings {
      points: dailyConsumption(fluid: COLD_WATER) { day amount { value } quality }
      columns: dailySeries(fluid: COLD_WATER) { unit days amounts qualities } } } }"""
    (dwelling,) = (await days.ask(query))["viewer"]["dwellings"]
    points, columns = dwelling["points"], dwelling["columns"]
    assert columns["unit"] == "CUBIC_METRE"
    assert columns["days"] == [point["day"] for point in points]
    assert columns["amounts"] == [point["amount"] and point["amount"]["value"] for point in points]
    assert columns["qualities"] == [point["quality"] for point in points]
    assert (columns["amounts"][0], columns["amounts"][-1]) == ("1.234", None)


async def test_what_is_worked_out_once_a_document_is_nobodys(days: Any) -> None:
    """The next who sends a document is answered in their own language, and as far as they may read."""
    document = "{ viewer { firstName dwellings { dashboard { label unit } } } }"
    for language, label in (("fr", "Eau froide"), ("en", "Cold water"), ("fr", "Eau froide")):
        await Account.all().update(language=language)
        viewer = (await days.ask(document))["viewer"]
        assert viewer["dwellings"][0]["dashboard"][0] == {"label": label, "unit": "CUBIC_METRE"}
    days.token = (await days.ask(TOKEN))["createAccessToken"]["token"]
    answer = (await days.post(document)).json()
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}


@pytest.mark.parametrize("plain", [True, False])
async def test_an_answer_without_a_text_names_no_language(
    claire: Any, monkeypatch: pytest.MonkeyPatch, *, plain: bool
) -> None:
    """Of a list that holds nothing no text is worded, whichever way it is completed."""
    if not plain:
        monkeypatch.setattr(executor.Selections, "plain_items", lambda *_: None)
    answer = await claire.post("{ viewer { consentHistory { edges { node { text } } } } }")
    assert answer.json()["data"]["viewer"] == {"consentHistory": {"edges": []}}
    assert "content-language" not in answer.headers
    answer = await claire.post("{ viewer { dwellings { dashboard { label } } } }")
    assert answer.headers["content-language"] == "fr"

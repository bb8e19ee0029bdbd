"""`Accept-Language`: which language a reader who is not signed in gets (RFC 9110 §12.5.4, RFC 4647 §3.4)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.language import Language
from graphql_schema.base.languages import FIRST, LONGEST_HEADER, preferred

FR, EN = Language.FR, Language.EN


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", FIRST),
        ("*", FIRST),
        ("en", EN),
        ("EN-us", EN),
        ("fr", FR),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", FR),
        ("en;q=0.8, fr;q=0.9", FR),
        ("en, fr", EN),
        ("fr, en", FR),
        ("de-AT, en;q=0.001", EN),
        ("de, it", FIRST),
        ("fr;q=0, *", EN),
        ("fr;q=0", EN),
        ("fr;q=0, en;q=0", FIRST),
        ("*;q=0.5, fr;q=0.1", EN),
        ("en ; q=0.5 ,\tfr ; Q=0.25", EN),
        ("en;q=2, fr;q=0.5", FR),
        ("en;q=x, fr;q=0.5", FR),
        ("en_GB, fr;q=0.5", FR),
        ("fr;q=0.1, fr-BE, en;q=0.5", FR),
        (", ,en,,", EN),
        ("x" * 5_000 + ", en", FIRST),
        ("é, en", EN),
    ],
)
def test_the_language_that_is_liked_best(header: str, language: Language) -> None:
    """By weight, then by order; what cannot be read is passed over, and a weight of 0 excludes."""
    assert preferred(header) is language


@given(st.text(max_size=LONGEST_HEADER * 2))
def test_no_header_is_an_error(header: str) -> None:
    """Whatever a client sends, a language of the portal follows."""
    assert preferred(header) in set(Language)


async def test_the_texts_before_sign_in_follow_the_browser(portal: Any) -> None:
    """The language is named in the answer, and the answer's tag is one of the language."""
    asked = {"query": "{ operators { labels { key text } } }"}
    found = {}
    for language in ("fr", "en"):
        answer = await portal.client.get("/graphql", params=asked, headers={"Accept-Language": language})
        assert answer.headers["Content-Language"] == language
        assert "Accept-Language" in answer.headers["Vary"]
        labels = {one["key"]: one["text"] for one in answer.json()["data"]["operators"][0]["labels"]}
        found[language] = (labels["button.cancel"], answer.headers["ETag"])
    assert (found["fr"][0], found["en"][0]) == ("Annuler ma demande", "Cancel my request")
    assert found["fr"][1] != found["en"][1]
    plain = await portal.client.get("/graphql", params={"query": "{ operators { code } }"})
    assert "Content-Language" not in plain.headers


async def test_a_registration_is_in_the_language_of_the_browser(portal: Any, ocea: Any) -> None:
    """Its forms and its messages, unless a language is asked for."""
    start = """mutation ($l: Language) { startRegistration(operator: "ocea", language: $l) {
      ... on Registration { forms { title } } } }"""
    titles = {}
    for language in ("fr", "en"):
        answer = await portal.post(start, {}, **{"Accept-Language": language})
        titles[language] = answer.json()["data"]["startRegistration"]["forms"][0]["title"]
    assert titles["fr"] != titles["en"]

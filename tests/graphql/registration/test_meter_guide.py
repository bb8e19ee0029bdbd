"""The guide to meters that the help links to: it is there to download, by anybody."""

import io
from typing import Any
from urllib.parse import urlsplit

import pytest
from pypdf import PdfReader

HELP = """{ operators { code helpPages {
  guideUrl guideLabel(language: FR) items(language: FR) } } }"""


@pytest.mark.requirement("R-053", "R-054")
async def test_the_help_links_to_a_guide_to_download(portal: Any) -> None:
    """«Télécharger notre guide des compteurs (PDF)» leads to a PDF, announced as «Guide identification
    compteur»: where each kind of device shows its number, with an example, in both languages.
    """
    operators = {one["code"]: one["helpPages"] for one in (await portal.ask(HELP))["operators"]}
    for page in operators["ocea"]:
        assert page["guideLabel"] == "Télécharger notre guide des compteurs (PDF)"
        assert any(item.startswith("Guide identification compteur") for item in page["items"])
    (url,) = {page["guideUrl"] for page in operators["ocea"]}
    parts = urlsplit(url)
    answer = await portal.client.get(f"{parts.path}?{parts.query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    french, english = (
        " ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(answer.content)).pages
    )
    assert "Guide identification compteur" in french
    assert "Sur le compteur d'eau froide, il est gravé sur la bague" in french
    assert "Guide to meters" in english
    for text in (french, english):
        assert "H8CA029620" in text
        assert "542 361 524" in text


@pytest.mark.parametrize("operator", ["", "acme", "\0", "x" * 500])
async def test_an_unknown_operator_has_no_guide(portal: Any, operator: str) -> None:
    """404, with the code of what does not exist."""
    answer = await portal.client.get("/downloads/meter-guide", params={"operator": operator})
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")

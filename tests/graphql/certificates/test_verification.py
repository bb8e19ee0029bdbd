"""`/verify`: whether a paper is genuine, for whoever holds it; nothing of a home or a person is shown."""

import base64
import hashlib
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import orjson
import pytest

from core.access.paper_codes import new_code, read, shown
from core.models import IssuedPaper
from core.services.certificates.verification import VERIFICATIONS_BY_ADDRESS
from graphql_schema import verification
from tests.graphql.certificates.conftest import fetched
from tests.graphql.certificates.test_index_certificates import certify
from tests.support.attack import watched
from tests.support.factories import NOW
from tests.support.signatures import text_of

JSON = {"Accept": "application/json"}
STATEMENT = """mutation ($dwelling: ID!, $format: StatementFormat!) {
  issueIndexStatement(input: {dwelling: $dwelling, format: $format, reason: MOVE, language: EN}) {
    ... on IndexStatementFile { content url verificationCode verificationUrl }
  }
}"""
PERSONAL = ("Claire", "Martin", "Tilleuls", "AA000", "Courbevoie", "H8CA029620", "12.345", "12,345")


@pytest.fixture
async def issued(claire: Any, signing_home: Any, dwelling_id: Any) -> dict[str, Any]:
    """A certificate of Claire's home."""
    return await certify(claire, await dwelling_id())


async def test_a_code_confirms_the_paper_by_its_hash(claire: Any, issued: Any) -> None:
    """As JSON: what was issued, when, by whom, and its hash; a file, or its hash, is the same or not."""
    content = await fetched(claire, issued)
    code = issued["paper"]["code"]
    found = (await claire.client.get(f"/verify/{code}", headers=JSON)).json()
    assert found == {
        "known": True,
        "code": code,
        "kind": "INDEX_CERTIFICATE",
        "issuedAt": NOW.isoformat(),
        "issuedBy": "OCEA Smart Building",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "matches": None,
    }
    changed = bytearray(content)
    changed[-1] ^= 1
    for file, same in ((content, True), (bytes(changed), False), (b"", False)):
        posted = await claire.client.post(f"/verify/{code}", content=file)
        assert (posted.status_code, posted.json()["matches"]) == (200, same)
        sha256 = hashlib.sha256(file).hexdigest().upper()
        asked = await claire.client.get(f"/verify/{code}", params={"sha256": sha256}, headers=JSON)
        assert asked.json()["matches"] is same


async def test_the_address_on_the_paper_leads_there(claire: Any, issued: Any) -> None:
    """The portal's own address, with the code as it is printed; both are on the paper and in the answer."""
    paper = issued["paper"]
    assert paper["verificationUrl"].endswith(f"/verify/{paper['code']}")
    text = text_of(await fetched(claire, issued)).replace(" ", "")
    assert paper["verificationUrl"] in text
    path = paper["verificationUrl"].partition("://")[2].partition("/")[2]
    assert (await claire.client.get(f"/{path}")).status_code == 200


async def test_what_is_mistyped_is_forgiven(claire: Any, issued: Any) -> None:
    """Small letters, spaces, no hyphens, look-alikes; the form leads to the same page."""
    code = issued["paper"]["code"]
    for text in (code.lower(), code.replace("-", ""), code.replace("0", "O").replace("1", "l"), f" {code} "):
        answer = await claire.client.get(f"/verify/{text}", headers=JSON)
        assert answer.json()["known"], text
        form = await claire.client.get("/verify", params={"code": text})
        assert (form.status_code, form.headers["location"]) == (303, f"/verify/{code}")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(shown(new_code()), id="never issued"),
        "0",
        "x" * 2_000,
        "é",
        "%00",
        "..",
        "<script>alert(1)",
        "' OR 1=1 --",
    ],
)
async def test_an_unknown_code_is_no_paper(claire: Any, issued: Any, text: str) -> None:
    """404, as JSON and as a page, which repeats nothing of what was typed."""
    path = f"/verify/{text}" if text != ".." else "/verify/%2E%2E0"
    answer = await claire.client.get(path, headers=JSON)
    assert (answer.status_code, answer.json()) == (404, {"known": False})
    page = await claire.client.get(path)
    assert page.status_code == 404
    assert "Aucun document ne porte ce code" in page.text
    assert "alert(1)" not in page.text
    assert (await claire.client.post(path, content=b"x")).json() == {"known": False}
    form = await claire.client.get("/verify", params={"code": text})
    assert form.status_code == 303
    assert re.fullmatch(r"/verify/[A-Za-z0-9-]{1,40}", form.headers["location"])


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr-FR,fr;q=0.9,en;q=0.5", ("document authentique", "Certificat d'index", "22/11/2026 09:30 UTC")),
        ("en-GB,en;q=0.9", ("a genuine document", "Index certificate", "22 November 2026 09:30 UTC")),
    ],
)
async def test_the_page_is_in_the_readers_language(
    claire: Any, issued: Any, language: str, expected: tuple[str, ...]
) -> None:
    """With the hash, and nothing of the home or its people."""
    claire.token = None
    address = f"/verify/{issued['paper']['code']}"
    page = await claire.client.get(address, headers={"Accept": "text/html", "Accept-Language": language})
    text = page.text.replace("&#x27;", "'")
    for part in (*expected, issued["paper"]["sha256"], "OCEA Smart Building"):
        assert part in text
    for part in PERSONAL:
        assert part not in text
    assert page.headers["content-language"] == language[:2]
    assert page.headers["cache-control"] == "no-store"
    wrong = await claire.client.get(
        address, params={"sha256": "0" * 64}, headers={"Accept-Language": language}
    )
    right = await claire.client.get(address, params={"sha256": issued["paper"]["sha256"]})
    none = await claire.client.get(address, params={"sha256": "no hash"})
    assert 'class="no"' in wrong.text
    assert 'class="no"' not in right.text
    assert "64" in none.text


async def test_the_page_runs_its_own_script_alone(claire: Any, issued: Any) -> None:
    """The policy allows what has these hashes: the one script and the one style of the page, and no other."""
    page = await claire.client.get(f"/verify/{issued['paper']['code']}")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert (policy["form-action"], policy["base-uri"], policy["frame-ancestors"]) == (
        "'self'", "'none'", "'none'",
    )  # fmt: skip
    for tag, source in (("script", policy["script-src"]), ("style", policy["style-src"])):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert source == f"'sha256-{digest}'"
    assert not re.search(r"\son\w+=|javascript:|https?://|style=", page.text)


async def test_a_known_code_takes_the_same_work_as_an_unknown_one(
    claire: Any, issued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One statement each, whatever was typed."""
    counts: dict[str, int] = {}
    for text in (issued["paper"]["code"], shown(new_code()), "no code at all"):
        with watched(monkeypatch) as work:
            await claire.client.get(f"/verify/{text}", headers=JSON)
        counts[text] = len(work.statements)
    assert set(counts.values()) == {1}


async def test_tries_are_limited_by_address(
    claire: Any, issued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more than the limit is refused with the time to wait, in either form; then it is answered again."""
    few = type(VERIFICATIONS_BY_ADDRESS)("verifications", 3, VERIFICATIONS_BY_ADDRESS.window)
    monkeypatch.setattr("core.services.certificates.verification.VERIFICATIONS_BY_ADDRESS", few)
    address = f"/verify/{issued['paper']['code']}"
    assert [(await claire.client.get(address)).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = await claire.client.get(address, headers=JSON)
    assert refused.json()["code"] == "RATE_LIMITED"
    page = await claire.client.get(address)
    assert "Trop de vérifications" in page.text
    claire.clock.now += timedelta(seconds=int(refused.headers["retry-after"]))
    assert (await claire.client.get(address)).status_code == 200


async def test_a_file_that_no_paper_can_be_is_not_hashed(
    claire: Any, issued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body longer than the limit is refused before it has been read to its end."""
    monkeypatch.setattr(verification, "LARGEST_FILE", 1_000)
    sent = 0

    async def pieces() -> Any:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b"x" * 500

    address = f"/verify/{issued['paper']['code']}"
    assert (await claire.client.post(address, content=pieces())).status_code == 413
    assert (await claire.client.post(address, content=b"x" * 1_000)).status_code == 200
    assert (await claire.client.put(address, content=b"x")).status_code == 405


def _code_in_xlsx(content: bytes) -> str:
    rows = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    return str(next(row[1] for row in rows if row[0] == "Verification code"))


READERS: dict[str, Callable[[bytes], str] | None] = {
    "PDF": lambda content: re.search(r"Verification code: ([0-9A-Z-]{19})", text_of(content))[1],  # type: ignore[index]
    "XLSX": _code_in_xlsx,
    "JSON": lambda content: str(orjson.loads(content)["verification"]["code"]),
    "CSV": None,
}


@pytest.mark.requirement("R-077", "C-22")
@pytest.mark.parametrize("file_format", READERS)
async def test_an_index_statement_has_a_code_too(
    claire: Any, signing_home: Any, dwelling_id: Any, file_format: str
) -> None:
    """In the file, but for CSV, and in the answer; the hash is that of the file that was handed out, by link
    as well, though a reading has come since.
    """
    answer = await claire.ask(STATEMENT, dwelling=await dwelling_id(), format=file_format)
    issued = answer["issueIndexStatement"]
    content = base64.b64decode(issued["content"])
    reader = READERS[file_format]
    if reader is not None:
        assert reader(content) == issued["verificationCode"]
    await signing_home.read("H8CA029620", [(NOW - timedelta(minutes=1), 12_400)])
    assert await fetched(claire, issued) == content
    found = await claire.client.post(f"/verify/{issued['verificationCode']}", content=content)
    assert (found.json()["kind"], found.json()["matches"]) == ("INDEX_STATEMENT", True)
    assert issued["verificationUrl"].endswith(f"/verify/{issued['verificationCode']}")
    assert (await IssuedPaper.get()).code == read(issued["verificationCode"])

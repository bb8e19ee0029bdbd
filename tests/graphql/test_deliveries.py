"""`POST /telegrams`: what a gateway is answered, and that nothing it sends can hold up anybody else."""

import asyncio
import gzip
import threading
from typing import Any

import httpx
import pytest
from tortoise.exceptions import OperationalError

from core.database_errors import may_pass
from core.mbus.lines import LONGEST_LINE
from core.metering.batch import BatchDecoder
from core.models import DeadLetter
from core.services.places.key_encryption import KeyEncryption
from core.services.shared.transaction import current_database
from graphql_schema import deliveries
from submeter.unpacking import FREE_BYTES, zstd
from tests.support import factories

IZAR = "1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD"
LINE = f"T1;1;1;2026-07-14 08:15:42.000;97;148;21131C34;0x{IZAR.lower()}"
NDJSON = f'{{"telegram": "{IZAR}", "timestamp": "2026-07-14T08:15:42Z"}}'
PACKED = {
    "plain": (lambda body: body, {}),
    "gzip": (gzip.compress, {"Content-Encoding": "gzip"}),
    "x-gzip": (gzip.compress, {"Content-Encoding": "x-gzip"}),
    "zstd": (zstd.compress, {"Content-Encoding": "zstd"}),
    "undeclared": (gzip.compress, {"Content-Type": "application/gzip"}),
}


@pytest.fixture
async def gateway(portal: Any, key_encryption: KeyEncryption, issue_key: Any) -> Any:
    """The portal as a gateway sees it, with one meter that is known."""
    await factories.residence(key_encryption, factories.meter())
    portal.token = await issue_key()
    return portal


async def deliver(
    gateway: Any, body: bytes | str, headers: dict[str, str] | None = None, query: str = ""
) -> httpx.Response:
    headers = {"Content-Type": "application/x-ndjson", **(headers or {})}
    if gateway.token is not None:
        headers = {"Authorization": f"Bearer {gateway.token}", **headers}
    return await gateway.client.post(f"/telegrams{query}", content=body, headers=headers)


@pytest.mark.parametrize("packing", PACKED)
async def test_lines_are_taken_in_however_they_are_packed(gateway: Any, packing: str) -> None:
    """200 with a summary that names the unusable lines by their place; the same again adds nothing."""
    pack, headers = PACKED[packing]
    body = pack(f"{NDJSON}\r\n\nnoise\n{LINE}\n".encode())
    answer = await deliver(gateway, body, headers, query="?source=roof")
    assert answer.status_code == 200, answer.text
    summary = answer.json()
    (unusable,) = summary.pop("unusableLines")
    row = await DeadLetter.get()
    assert unusable.pop("message")
    assert unusable == {"index": 2, "line": 3, "reason": "NOT_A_TELEGRAM", "id": row.id}
    assert (row.source, row.times_seen) == ("roof", 1)
    assert summary == {
        "lines": 3,
        "stored": 1,
        "doubtful": 0,
        "duplicates": 1,
        "unusable": 1,
        "reasons": {"NOT_A_TELEGRAM": 1},
        "alerts": 0,
        "messages": 0,
    }
    again = (await deliver(gateway, body, headers)).json()
    assert (again["stored"], again["duplicates"], again["unusable"]) == (0, 2, 1)
    assert await DeadLetter.all().count() == 1


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"", {"Content-Type": "text/plain; charset=utf-16"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"", {"Content-Encoding": "br"}, 415, "UNSUPPORTED_CONTENT_ENCODING"),
        (b"", {"Content-Encoding": "gzip, gzip"}, 415, "UNSUPPORTED_CONTENT_ENCODING"),
        (b"\xfd7zXZ\0\0\0", {}, 415, "FILE_FORMAT_NOT_READ"),
        (b"plain", {"Content-Encoding": "gzip"}, 400, "NOT_AS_ENCODED"),
        (gzip.compress(b"x"), {"Content-Encoding": "zstd"}, 400, "NOT_AS_ENCODED"),
        (gzip.compress(LINE.encode())[:-9], {"Content-Encoding": "gzip"}, 400, "FILE_TRUNCATED"),
        (gzip.compress(b"one") + b"other", {"Content-Encoding": "gzip"}, 400, "FILE_DAMAGED"),
        (zstd.compress(b"0" * (2 * FREE_BYTES)), {"Content-Encoding": "zstd"}, 413, "FILE_EXPANDS_TOO_MUCH"),
        (gzip.compress(b"F\n" * 20_001), {"Content-Encoding": "gzip"}, 413, "TOO_MANY_LINES"),
        (b"0" * (deliveries.LARGEST_BODY + 1), {}, 413, "TOO_LARGE"),
    ],
    ids=[
        *("form", "UTF-16", "brotli", "packed twice", "xz", "not packed", "packed otherwise"),
        *("truncated", "damaged", "bomb", "many lines", "large"),
    ],
)
async def test_a_body_that_cannot_be_used_is_refused_whole(
    gateway: Any, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """A status of the client's own fault with a code, and nothing of the body is kept."""
    answer = await deliver(gateway, body, headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await DeadLetter.all().count() == 0


async def test_a_body_without_a_stated_length_is_bounded(gateway: Any) -> None:
    """413 for a stream, as soon as it exceeds the bound."""
    sent = 0

    async def body():
        nonlocal sent
        while True:
            sent += 1
            yield b"0" * (1 << 20)

    answer = await deliver(gateway, body())
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
    assert sent <= (deliveries.LARGEST_BODY >> 20) + 1


async def test_content_is_bounded_once_it_is_unpacked(gateway: Any) -> None:
    """A log of that size in a small body: 413, although each step of it is ordinary."""
    line = bytes(range(48, 122)) * 200
    body = gzip.compress((line + b"\n") * 2_300, compresslevel=1)
    assert len(body) < deliveries.LARGEST_BODY
    answer = await deliver(gateway, body, {"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) in {(413, "TOO_LARGE"), (413, "FILE_EXPANDS_TOO_MUCH")}


async def test_a_line_beyond_the_bound_does_not_refuse_the_delivery(gateway: Any) -> None:
    """It is a dead letter, and so is text that is not UTF-8; the telegrams beside them are stored."""
    body = b"F" * (LONGEST_LINE + 1) + b"\n" + LINE.encode() + b"\n\xff\xfe\xfd noise\n"
    summary = (await deliver(gateway, body)).json()
    assert (summary["stored"], summary["unusable"]) == (1, 2)
    assert [one["line"] for one in summary["unusableLines"]] == [1, 3]


async def test_only_so_many_unusable_lines_are_named(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are counted."""
    monkeypatch.setattr(deliveries, "MOST_NAMED", 2)
    summary = (await deliver(gateway, "a\nb\nc\nd\n")).json()
    assert (summary["unusable"], [one["line"] for one in summary["unusableLines"]]) == (4, [1, 2])


async def test_a_gateway_shows_its_key(gateway: Any, issue_key: Any) -> None:
    """401 without a key, with an old one and with a browser's cookie; 403 for a resident's token."""
    old, gateway.token = gateway.token, None
    answer = await deliver(gateway, LINE)
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    await gateway.sign_in()
    resident, gateway.token = gateway.token, None
    cookie = {"Cookie": f"submeter_session={resident}"}
    assert (await deliver(gateway, LINE, cookie)).status_code == 401
    gateway.token = resident
    answer = await deliver(gateway, LINE)
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    await issue_key()
    gateway.token = old
    assert (await deliver(gateway, LINE)).status_code == 401
    assert (await gateway.client.get("/telegrams")).status_code == 405


async def test_too_long_a_source_is_refused(gateway: Any) -> None:
    """400 with the field."""
    answer = await deliver(gateway, LINE, query=f"?source={'x' * 201}")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUT")


@pytest.fixture
def decoder_at_rest(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Decoding of every batch waits until the test lets it go on."""
    begun, go_on = threading.Event(), threading.Event()
    original = BatchDecoder.identify

    def identify(self: Any, telegrams: Any) -> Any:
        begun.set()
        assert go_on.wait(60), "the event loop was held up by decoding"
        return original(self, telegrams)

    monkeypatch.setattr(BatchDecoder, "identify", identify)
    yield begun, go_on
    go_on.set()


async def test_residents_are_answered_while_a_batch_is_decoded(gateway: Any, decoder_at_rest: Any) -> None:
    """Both ways in decode beside the event loop: /health and a refusal are answered meanwhile."""
    begun, go_on = decoder_at_rest
    post = asyncio.create_task(deliver(gateway, f"{LINE}\n{NDJSON}"))
    mutation = asyncio.create_task(
        gateway.post(
            """mutation ($lines: [String!]!) { submitTelegrams(lines: $lines) {
                ... on TelegramsSubmitted { lines duplicates }
                ... on Refusal { code field } } }""",
            {"lines": [LINE]},
        )
    )
    assert await asyncio.to_thread(begun.wait, 60)
    assert (await gateway.client.get("/health")).status_code == 200
    assert not post.done()
    assert not mutation.done()
    go_on.set()
    assert {(await post).json()["lines"], (await mutation).json()["data"]["submitTelegrams"]["lines"]} == {
        2,
        1,
    }


async def test_a_gateway_is_asked_to_wait_while_too_much_is_waiting(
    gateway: Any, decoder_at_rest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """429 with Retry-After, before the body is read; what is waiting is taken in, and then there is room."""
    begun, go_on = decoder_at_rest
    monkeypatch.setattr(gateway.queue, "_most_lines", 3)
    first = asyncio.create_task(deliver(gateway, f"{LINE}\n{NDJSON}\n"))
    assert await asyncio.to_thread(begun.wait, 60)
    second = asyncio.create_task(deliver(gateway, f"{LINE}\n"))
    while gateway.queue.waiting_lines < 3:  # noqa: ASYNC110 - the request is on its way to the queue
        await asyncio.sleep(0)

    async def body():
        raise AssertionError("the body of a delivery for which there is no room was read")
        yield b""

    refused = await deliver(gateway, body())
    assert (refused.status_code, refused.json()["code"]) == (429, "BUSY")
    assert int(refused.headers["Retry-After"]) == refused.json()["retryAfter"] >= 1
    answer = await gateway.post("""mutation { submitTelegrams(lines: ["noise"]) {
        ... on TelegramsSubmitted { lines }
        ... on Refusal { code retryAfter } } }""")
    refusal = answer.json()["data"]["submitTelegrams"]
    assert refusal["code"] == "BUSY"
    assert refusal["retryAfter"] >= 1
    go_on.set()
    assert ((await first).status_code, (await second).status_code) == (200, 200)
    assert (await deliver(gateway, LINE)).json()["duplicates"] == 1


async def test_a_database_that_is_away_is_503(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Retry-After, whether it is noticed at the key or at the batch; afterwards the same is taken in."""
    with monkeypatch.context() as patch:
        patch.setattr("graphql_schema.deliveries.viewer_of_token", _stopped)
        early = await deliver(gateway, LINE)
    with monkeypatch.context() as patch:
        patch.setattr("core.services.telegrams.intake_queue.take_in", _stopped)
        late = await deliver(gateway, LINE)
    for answer in (early, late):
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert int(answer.headers["Retry-After"]) >= 1
    assert (await deliver(gateway, LINE)).json()["stored"] == 1


async def _stopped(*_: Any, **__: Any) -> None:
    raise OperationalError("no connection") from ConnectionRefusedError(111, "Connect call failed")


async def test_a_fault_of_ours_is_no_database_that_may_pass(gateway: Any) -> None:
    """What is raised for a wrong statement is not taken for a moment that passes."""
    with pytest.raises(OperationalError) as raised:
        await current_database().execute_query("SELECT nothing FROM nowhere")
    assert not may_pass(raised.value)

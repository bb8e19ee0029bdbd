"""`submeter decode --jsonl`: a line in a batch is answered as the same line by itself, and at once."""

import json
import os
import random
import subprocess
import sys

import pytest

from core.metering import load_registry
from submeter.decode_lines import LineDecoder, answers
from tests.support.batches import flipped, vector_cases
from tests.support.telegrams import encryption
from tests.support.telegrams import records as encoder

REGISTRY = load_registry()
LINK = bytes.fromhex("6A49112233440107")


def line_of(telegram: bytes, key: bytes | None = None, **more: object) -> str:
    """The line that asks for a telegram."""
    return json.dumps({"telegram": telegram.hex(), "key": key.hex() if key else None, **more})


def alone(line: str) -> object:
    """The answer of a decoder that has seen nothing else."""
    (answer,) = answers([line], REGISTRY)
    return json.loads(answer)


def together(lines: list[str]) -> list[object]:
    """The answers of one decoder to all lines at once, and to all of them again: the same."""
    decoder = LineDecoder(REGISTRY)
    first, second = (b"".join(decoder.answers(lines)).splitlines() for _ in range(2))
    assert first == second
    return [json.loads(answer) for answer in first]


def lines_of_vectors() -> list[str]:
    """Our telegrams with the right key, a wrong one and none, and the same damaged."""
    chance = random.Random("lines of vectors")
    cases = chance.sample(list(vector_cases()), 150)
    damaged = [(flipped(telegram, chance), kept, key) for telegram, kept, key in cases if len(telegram) > 1]
    return [line_of(telegram, key, id=place) for place, (telegram, _, key) in enumerate(cases + damaged)]


def test_a_line_among_others_is_answered_as_by_itself():
    """Sound and damaged telegrams in one batch: each has the answer it has alone, in order."""
    lines = lines_of_vectors()
    assert together(lines) == [alone(line) for line in lines]


def test_the_shared_vectors_are_answered_as_by_themselves(shared):
    """So are telegrams of many makers, with what came before each."""
    lines = [
        json.dumps({name: record.get(name) for name in ("id", "telegram", "key", "prior_telegrams")})
        for name in ("shared.json", "negative_shared.json")
        for record in json.loads((shared / "wmbus" / name).read_text())["records"]
    ]
    assert together(lines) == [alone(line) for line in lines]


def test_lines_that_are_damaged_as_text_are_answered_as_by_themselves():
    """A character that is lost, doubled or changed makes its own line wrong, and no other."""
    chance = random.Random("damaged text")
    lines = []
    for line in lines_of_vectors():
        place = chance.randrange(len(line))
        middle = chance.choice(["", line[place] * 2, chance.choice('{}[]",:0x;|b\\ \t')])
        lines += [line, line[:place] + middle + line[place + 1 :]]
    assert together(lines) == [alone(line) for line in lines]


def test_lines_as_most_are_are_answered_alike_beside_one_that_is_not():
    """All read at once, or line by line since one of them asks in another way: the same answers."""
    lines = [line_of(telegram, key) for telegram, _, key in list(vector_cases())[:100]]
    usual = [line for line in lines if alone(line)["error"] is None]
    others = [
        '{"telegram": ""}',
        "{",
        usual[0].replace('"telegram"', '"other": 1, "telegram"'),
        usual[0] + "\n",
    ]
    for other in others:
        assert together([*usual, other]) == [*together(usual), alone(other)]


def test_two_lines_that_make_an_object_together_are_none():
    """Nor do two objects in one line stand for the line after it."""
    usual = line_of(encryption.plain(LINK, encoder.full([encoder.bcd(0xC, "13", 5)])))
    lines = [usual[:-1], "}", usual + usual, usual]
    assert [answer["error"] and answer["error"]["code"] for answer in together(lines)] == [
        *["INVALID_INPUT"] * 3,
        None,
    ]
    lines = [usual + "\n" + usual, usual[:-1], "}"]  # as many objects as lines would hold
    assert together(lines) == [alone(line) for line in lines]


def test_a_format_that_one_line_defines_explains_no_other():
    """Of three equal compact frames only the one with a full telegram before it is read; in any order, and
    a compact frame among those before may be the one that the next needs.
    """
    records = [encoder.bcd(0xC, "13", 123456)]
    full = encryption.plain(LINK, encoder.full(records))
    compact = encryption.plain(LINK, encoder.compact(records), encryption.Header(compact=True))
    taught = line_of(compact, prior_telegrams=["broken", full.hex()])
    lines = [line_of(compact), taught, line_of(compact), line_of(full), line_of(compact), taught]
    codes = [answer["error"] and answer["error"]["code"] for answer in together(lines)]
    unknown = "UNKNOWN_COMPACT_FORMAT"
    assert codes == [unknown, None, unknown, None, unknown, None]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"prior_telegrams": "AA"}, None),
        ({"prior_telegrams": [1]}, "Expected the telegram as a string."),
        ({"prior_telegrams": [1], "key": "no hex"}, "The key must be hex digits."),
        ({"telegram": 7}, "Expected the telegram as a string."),
        ({"key": 0}, None),
        ({"key": 7}, "Expected the telegram as a string."),
        ({"other": {"a": [1]}}, None),
    ],
    ids=str,
)
def test_an_unusual_object_says_what_is_wrong(more, expected):
    """The key comes before the telegrams before, and these before the telegram."""
    asked = json.loads(line_of(encryption.plain(LINK, encoder.full([encoder.bcd(0xC, "13", 5)]))))
    answer = alone(json.dumps({**asked, **more}))
    assert (answer["error"] and answer["error"]["message"]) == expected


@pytest.mark.parametrize("number", [0, -1, 2**63, 2**64 - 1, 1.5, 1e300, True, None, [1, {"a": "b"}], "é\0"])
def test_an_id_is_answered_as_it_came(number):
    """Whatever JSON value it is; a number beyond 64 bits as the double that JSON readers take it for."""
    assert alone(json.dumps({"id": number}))["id"] == number
    assert alone(json.dumps({"id": 2**64}))["id"] == float(2**64)


def test_an_id_nested_beyond_any_reader_ends_no_batch():
    """Its own line is answered with an error, the others as ever."""
    usual = line_of(encryption.plain(LINK, encoder.full([encoder.bcd(0xC, "13", 5)])), id=1)
    deep = usual.replace("1}", "[" * 1000 + "]" * 1000 + "}")
    first, second, third = together([usual, deep, usual])
    assert (first, first["error"]) == (third, None)
    assert (second["id"], second["error"]["code"]) == (None, "INVALID_INPUT")


def test_a_pipe_that_pauses_is_answered_line_by_line(tmp_path):
    """Each line is answered before the next is sent, and no answer is held back."""
    command = [sys.executable, "-m", "submeter", "decode", "--jsonl"]
    environment = {**os.environ, "SUBMETER_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as run:
        for number in range(3):
            run.stdin.write(f'{{"id": {number}, "telegram": ""}}\n'.encode())
            run.stdin.flush()
            assert json.loads(run.stdout.readline())["id"] == number
        assert run.communicate() == (b"", None)
    assert run.returncode == 0

"""Requests that are meant to cost a server much: those that once did, and others of their kinds.

In: a seed. Out: requests as bytes. The one rule: a request names its kind, and every kind has sizes that are
drawn, so that what is measured is a limit and not an example.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from graphql import get_introspection_query

JSON = (b"content-type", b"application/json")
SCOPES = """mutation ($s: [TokenScope!]!) { createAccessToken(name: "x", scopes: $s) { __typename } }"""
SUBMIT = """mutation ($l: [String!]!) { submitTelegrams(lines: $l) {
    ... on TelegramsSubmitted { lines }
    ... on Refusal { code field } } }"""
SIGN_IN = """mutation ($e: String!) { signIn(input: {email: $e, password: "x"}) { __typename } }"""
INTROSPECTION = get_introspection_query(specified_by_url=True, input_value_deprecation=True)
PARTS = INTROSPECTION[INTROSPECTION.index("fragment") :]
OPERATORS = "operators { code name labels { key text } helpPages { title items } }"


@dataclass(frozen=True, slots=True)
class Hostile:
    """A request; `by_gateway`: it is sent with the key of a gateway."""

    kind: str
    body: bytes = b""
    method: str = "POST"
    query_string: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = field(default=(JSON,))
    by_gateway: bool = False


def asked(kind: str, query: str, *, by_gateway: bool = False, **variables: object) -> Hostile:
    body = json.dumps({"query": query, "variables": variables}).encode()
    return Hostile(kind, body, by_gateway=by_gateway)


def measured() -> list[Hostile]:
    """What tipped release 0.1 over."""
    million = 1_000_000
    unknown_keys = {f"k{number}": 1 for number in range(200_000)}
    lines = [f"noise {number}" for number in range(100_000)]
    return [
        asked("30 aliases of __schema", introspections(30)),
        asked("1,000,000 right enum values", SCOPES, s=["READ_DAILY"] * million),
        asked("1,000,000 wrong enum values", SCOPES, s=["NO"] * million),
        asked("1,000,000 numbers as lines", SUBMIT, l=[1] * million),
        asked("1,000,000 numbers as lines, of a gateway", SUBMIT, l=[1] * million, by_gateway=True),
        asked("an id of 1,000,000 lists", "query ($i: ID!) { node(id: $i) { id } }", i=[[1]] * million),
        asked("200,000 unknown keys", SIGN_IN, e=unknown_keys),
        asked("100,000 lines without a token", SUBMIT, l=lines),
        asked("100,000 lines of a gateway", SUBMIT, l=lines, by_gateway=True),
        asked("120 fragments on misspelt types", misspelt_types(120)),
        asked("230 misspelt keys of a literal", misspelt_keys(230)),
        asked("900 unknown fields", "{ viewer { " + " ".join(f"firstNam{n}" for n in range(900)) + " } }"),
        asked("an ordinary introspection", INTROSPECTION),
        asked("30 aliases of operators", "{" + " ".join(f"a{n}: {OPERATORS}" for n in range(30)) + "}"),
        asked("60 fragments of one field", fragments(60)),
        asked("an e-mail of 10 MB", SIGN_IN, e="x" * 10_000_000),
        Hostile(
            "an operation name of 10 MB",
            json.dumps({"query": "{ __typename }", "operationName": "x" * 10_000_000}).encode(),
        ),
        asked("a page of 31,000 digits", page_of("9" * 31_000)),
    ]


def batches() -> list[Hostile]:
    """Ordinary deliveries of a gateway, which are taken in beside the event loop."""
    return [
        asked(
            f"2,000 lines of a gateway, {what}", SUBMIT, by_gateway=True, l=[line % n for n in range(2_000)]
        )
        for what, line in (
            ("garbage", "noise %d " + "x" * 140),
            ("lists that do not end", '{"a%d":' + "[" * 140),
            ("telegrams of unknown meters", "telegram=|1944304C%08dA20C04A201180013AF7A7C1CCF23431369ACDD|"),
        )
    ]


def introspections(count: int) -> str:
    """The schema as often as that, by one fragment."""
    start = INTROSPECTION.index("__schema") + len("__schema")
    inner = INTROSPECTION[start : INTROSPECTION.index("fragment")].rsplit("}", 1)[0]
    aliases = " ".join(f"a{number}: __schema {{ ...S }}" for number in range(count))
    return f"{{ {aliases} }} fragment S on __Schema {inner} {PARTS}"


def misspelt_types(count: int) -> str:
    parts = " ".join(f"fragment F{n} on Dwellin{n} {{ id }}" for n in range(count))
    return "{ __typename }" + parts


def misspelt_keys(count: int) -> str:
    keys = ", ".join(f"emai{n}: 1" for n in range(count))
    return f"mutation {{ signIn(input: {{{keys}}}) {{ __typename }} }}"


def fragments(count: int) -> str:
    spreads = " ".join(f"...F{n}" for n in range(count))
    return f"{{ viewer {{ {spreads} }} }}" + " ".join(
        f"fragment F{n} on Viewer {{ id }}" for n in range(count)
    )


def page_of(size: str) -> str:
    return f"{{ node(id: 1) {{ ... on Meter {{ readings(first: {size}) {{ totalCount }} }} }} }}"


def generated(seed: int, count: int) -> Iterator[Hostile]:
    """Requests of every kind in turn, each of a size that is drawn."""
    chance = random.Random(seed)
    for number in range(count):
        yield _KINDS[number % len(_KINDS)](chance, number)


def _size(chance: random.Random, most: int) -> int:
    """From one to the most, small and large alike."""
    return max(1, round(most ** chance.uniform(0.5, 1.0)))


def _bomb(chance: random.Random, number: int) -> Hostile:
    depth, width = _size(chance, 60), chance.randint(2, 4)
    parts = " ".join(
        f"fragment F{n} on Query {{ {' '.join([f'...F{n + 1}'] * width)} }}" for n in range(depth)
    )
    return asked(
        "fragments that double",
        f"{{ ...F0 a{number}: __typename }} {parts} fragment F{depth} on Query {{ __typename }}",
    )


def _type_bomb(chance: random.Random, number: int) -> Hostile:
    depth = _size(chance, 40)
    parts = " ".join(
        f"fragment F{n} on __Type {{ a{n}: ofType {{ ...F{n + 1} }} b{n}: ofType {{ ...F{n + 1} }} name }}"
        for n in range(depth)
    )
    inner = "types { name fields { type { ...F0 } args { type { ...F0 } } } }"
    root = f"{{ x{number}: __schema {{ {inner} }} }}"
    return asked("fragments on types that double", f"{root} {parts} fragment F{depth} on __Type {{ name }}")


def _introspect(chance: random.Random, number: int) -> Hostile:
    return asked(
        "aliases of the schema",
        introspections(_size(chance, 30)).replace("{", f"{{ z{number}: __typename ", 1),
    )


def _one_type(chance: random.Random, number: int) -> Hostile:
    inner = "kind name fields { name args { name type { name } } type { name fields { name } } }"
    fields = " ".join(f'a{n}: __type(name: "Mutation") {{ {inner} }}' for n in range(_size(chance, 30)))
    return asked("aliases of a type", f"query N{number} {{ {fields} }}")


def _aliases(chance: random.Random, number: int) -> Hostile:
    return asked(
        "aliases", "{" + " ".join(f"a{number}x{n}: {OPERATORS}" for n in range(_size(chance, 120))) + "}"
    )


def _overlaps(chance: random.Random, number: int) -> Hostile:
    field_of = chance.choice(
        ["viewer { id }", "viewer { dwellings { id } }", "__typename", "viewer { ... on Viewer { id } }"]
    )
    return asked(
        "one field again and again", f"query N{number} {{ " + f"{field_of} " * _size(chance, 300) + "}"
    )


def _fragments(chance: random.Random, number: int) -> Hostile:
    return asked(
        "fragments of one field", fragments(_size(chance, 110)).replace("{", f"{{ z{number}: __typename ", 1)
    )


def _misspelt(chance: random.Random, number: int) -> Hostile:
    size = _size(chance, 300)
    query = chance.choice(
        [
            misspelt_types(size),
            misspelt_keys(size),
            "{ viewer { " + " ".join(f"firstNam{n}" for n in range(size)) + " } }",
            "{ " + " ".join(f"dwelling(i{n}: 1) {{ id }}" for n in range(min(size, 100))) + " }",
            "{ " + " ".join(f"__typename @ski{n}" for n in range(size)) + " }",
            "{ " + "".join(f" a{n}: __type(nam{n}: 1) {{ name }}" for n in range(min(size, 30))) + " }",
        ]
    )
    return asked("misspelt words", f"{query} # {number}")


def _variables(chance: random.Random, number: int) -> Hostile:
    size = _size(chance, 400_000)
    value = chance.choice([1, "NO", "READ_DAILY", [], {}, [[1]], {"a": 1}, None, 1.5, "x" * 50])
    query = chance.choice([SCOPES, SUBMIT])
    name = "s" if query is SCOPES else "l"
    by_gateway = chance.random() < 0.5
    return asked("lists as variables", f"{query} # {number}", by_gateway=by_gateway, **{name: [value] * size})


def _keys(chance: random.Random, number: int) -> Hostile:
    keys = {f"k{n}": chance.choice([1, "x", [1]]) for n in range(_size(chance, 60_000))}
    return asked("unknown keys of a variable", f"{SIGN_IN} # {number}", e=keys)


def _deep(chance: random.Random, number: int) -> Hostile:
    depth = _size(chance, 30_000)
    brackets = chance.choice([("[", "]"), ('{"a":', "}")])
    value = brackets[0] * depth + "1" + brackets[1] * depth
    query = json.dumps(f"{SCOPES} # {number}")
    return Hostile("deep variables", f'{{"query": {query}, "variables": {{"s": {value}}}}}'.encode())


def _raw(chance: random.Random, _number: int) -> Hostile:
    size = _size(chance, 4_000_000)
    part = chance.choice([b"[", b"{},", b"1,", b'{"a":', b'"\\', b" ", b"\xff", b'"x",', b"9", b"[[],"])
    return Hostile(
        "bodies that are no request",
        b'{"query": ' + part * (size // len(part)),
        by_gateway=chance.random() < 0.5,
    )


def _long_words(chance: random.Random, number: int) -> Hostile:
    size = _size(chance, 32_000)
    word = chance.choice("a1#, \n") * size
    query = chance.choice(
        [
            f"{{ {word} }}",
            f'{{ node(id: "{word}") {{ id }} }}'
            if "\n" not in word
            else f'{{ node(id: """{word}""") {{ id }} }}',
            page_of("1" * size),
            f"{{ node(id: {'1' * size}) {{ id }} }}",
            f"query ($v: {'A' * size}) {{ __typename }}",
            f"{{ node(id: {'[' * min(size, 400)}1{']' * min(size, 400)}) {{ id }} }}",
            f"{{ node(id: 1.{'1' * size}) {{ id }} }}",
        ]
    )
    return asked("long words", f"{query} # {number}")


def _valid(chance: random.Random, number: int) -> Hostile:
    fields = [
        f"v{n}: viewer {{ id email dwellings {{ id residence {{ name city }} }} }}"
        for n in range(_size(chance, 30))
    ]
    return asked("as large as may be", f"query N{number} {{ {' '.join(fields)} }}")


def _addresses(chance: random.Random, number: int) -> Hostile:
    size = _size(chance, 60_000)
    text = chance.choice([b"&a=1", b"%7B", b"a", b"&&&&", b";"]) * (size // 4)
    return Hostile(
        "long addresses",
        method="GET",
        query_string=b"query=%7B__typename%7D" + text + str(number).encode(),
        headers=(),
    )


def _headers(chance: random.Random, number: int) -> Hostile:
    size = _size(chance, 60_000)
    name, part = chance.choice(
        [
            (b"accept", b"a/b;q=1,"),
            (b"cookie", b"a=b; "),
            (b"authorization", b"Bearer x"),
            (b"accept-encoding", b"gzip,"),
        ]
    )
    body = json.dumps({"query": f"{{ a{number}: __typename }}"}).encode()
    return Hostile("long headers", body, headers=(JSON, (name, part * (size // len(part)))))


_KINDS: tuple[Callable[[random.Random, int], Hostile], ...] = (
    *(_bomb, _type_bomb, _introspect, _one_type, _aliases, _overlaps, _fragments, _misspelt, _variables),
    *(_keys, _deep, _raw, _long_words, _valid, _addresses, _headers),
)

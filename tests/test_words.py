"""One word for one thing: the field's, in identifiers, help, log lines, schema and documentation."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
READ = re.compile(r"\.(py|md|toml|graphql|txt)$|(^|/)(Makefile|\.env\.example)$")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
SPARED = {"tests/test_words.py", "LICENSE"}

REPLACED = {
    r"post[_ ]?rooms?|PostRoom|submeter send\b": "outbox worker, `submeter worker`",
    (
        r"(?<![Dd]ead )\bLetter\b|queue_letter|\bletters? (to|goes?|is sent|are sent|by e-mail)\b"
    ): "account message, e-mail",
    r"\b[Nn]ews\b(?! from the meter)|NEWS_FOR": "notification, its maximum age",
    r"KeptLine|kept_lines?|\bkept lines?\b|submeter kept\b|lines? (is|are|were|was) kept\b": "dead letters",
    r"leak ?watch|condition ?watch|limit ?watch": "leak detection, meter conditions, limit alerts",
    r"watch_silence|\bSILENT\b|\b[Ss]ilences?\b|\b[Ss]ilenced\b": "missing data, NO_DATA; snooze",
    r"\b[Vv]aults?\b": "key encryption",
    r"\b[Uu]?n?[Ss]eal(s|ed|ing)?\b|\bSealed\w*": "encryption, encrypted",
    r"\bstorable\b": "escape_for_database",
    r"(?<!time_)(?<!time )\bseries\.py\b": "time-series SQL",
    r"\b[Ss]tay(s|ed|ing)?\b": "occupancy period; remain",
    r"\b[Hh]ouses?\b|open_house": "application, instance; building",
    r"\b[Ss]tanding\b": "status",
    r"\b[Dd]eeds?\b|AlertDeed|\b[Hh]andlings?\b": "action",
    r"DwellingCase|\bCase(Kind|State|View)\b|list_cases|(submeter|dwelling) cases?\b": "dwelling request",
    r"\b[Hh]ear(s|d|ing)?\b|\bwiser\b": "receive, identify; updated formats",
    r"format_?book|meter_?book|Format(s)?Book|NO_BOOK": "compact formats, meter directory",
    r"has_not_risen": "is_replay",
    r"give_back|\bgiv(e|es|en|ing) back\b": "refund, return",
    r"opened_singly|_ordinarily": "open_one, fallback",
    r"\bclass State\b|(?<![.=\w-])\b[Ff]old(s|ed|ing)?\b(?!=)": "classifier state, update; normalise",
    r"\b[Tt]id(y|ies|ying)\b|\b[Cc]hores?\b": "periodic jobs",
    r"over_http": "http",
    r"\bput_(?!object\()[a-z]+": "upsert",  # `put_object` is MinIO's
    r"how manieth": "attempt number",
    r"\b[Tt]old\b|\b[Ss]aid\b|_told\b|_said\b": "notified, reported, stated",
    r"may speak again": "snoozed until",
    r"in which quality": "tenure",
}
"""What stood here before, and what the field calls it."""


def _seen(text: str) -> tuple[str, str, str]:
    """As it stands, and with the words of identifiers apart."""
    return text, text.replace("_", " "), CAMEL.sub(" ", text)


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The text of every file."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.splitlines() if READ.search(name) and name not in SPARED]
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names if (ROOT / name).is_file()}


def _every_line(texts: Iterable[str]) -> str:
    """All that is searched of all lines, each once."""
    lines = {line for text in texts for line in text.splitlines()}
    return "\n".join({seen for line in lines for seen in _seen(line)})


@pytest.fixture(scope="module")
def every_line(texts: dict[str, str]) -> str:
    """That of every file: most words are found in none, which one search tells."""
    return _every_line(texts.values())


@pytest.mark.parametrize(("pattern", "instead"), REPLACED.items(), ids=REPLACED.values())
def test_the_fields_word_is_used(pattern: str, instead: str, texts: dict[str, str], every_line: str) -> None:
    """A word that was replaced comes back nowhere."""
    word = re.compile(pattern)
    found = [
        f"{name}:{number}: {line.strip()[:90]}"
        for name, text in (texts if word.search(every_line) else {}).items()
        for number, line in enumerate(text.splitlines(), start=1)
        if any(word.search(seen) for seen in _seen(line))
    ]
    assert found == [], f"say {instead}"


@pytest.mark.parametrize("text", ["the vault", "a\nvault_key\nb", "class MyVaults", "x\n  vaults", "Vault\n"])
def test_a_word_is_found_in_a_file_if_it_is_in_a_line(text: str) -> None:
    """The look at all lines at once leaves nothing out that the look at each would find."""
    (word,) = (re.compile(pattern) for pattern, instead in REPLACED.items() if instead == "key encryption")
    assert any(word.search(seen) for line in text.splitlines() for seen in _seen(line))
    assert word.search(_every_line([text]))

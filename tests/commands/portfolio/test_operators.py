"""`submeter operators` and `submeter residences publish`: from a residence to its sign-up."""

import io
import json

import pytest

from submeter import output
from submeter.commands.portfolio import residences

RESIDENCE = ("acme", 'Acme "Metering"', "AA001", "Les Tilleuls", "1 rue A", "92400", "Courbevoie")
ACME = (
    "acme",
    'Acme "Metering"',
    "--contact-email",
    "help@acme.example",
    "--privacy-url",
    "https://a.example/p",
)


def test_publishing_names_what_the_operator_lacks(tables, run, data_dir) -> None:
    """Without plugin or file a residence is not published, and the file to write is named; with it, it is."""
    made = run("residences", "add", *RESIDENCE)
    assert (made.returncode, "submeter operators add acme" in made.stdout) == (0, True)
    refused = run("residences", "publish", "acme", "AA001", "--without-data")
    assert refused.returncode == 1
    assert str(data_dir / "operators" / "acme.toml") in refused.stderr
    assert run("operators", "add", *ACME).returncode == 0
    assert "can register" in run("operators", "check", "acme").stdout
    published = run("residences", "publish", "acme", "AA001", "--without-data")
    assert (published.returncode, published.stdout) == (0, "Residence AA001 is published.\n")


def test_a_residence_without_data_is_published_only_if_confirmed(tables, run) -> None:
    """The first time it is refused with what is missing; the second time with --without-data it is not."""
    run("residences", "add", *RESIDENCE)
    run("operators", "add", *ACME)
    refused = run("residences", "publish", "acme", "AA001")
    assert refused.returncode == 1
    assert "NO_DATA" in refused.stderr
    assert "no dwelling" in refused.stderr
    assert "published." in run("residences", "publish", "acme", "AA001", "--without-data").stdout


def test_a_file_that_was_damaged_is_named_with_each_key(tables, run, data_dir) -> None:
    """`operators check` ends with status 1, and `list` says what the operator lacks."""
    run("operators", "add", *ACME)
    path = data_dir / "operators" / "acme.toml"
    path.write_text(path.read_text("utf-8").replace("email =", "emial ="), encoding="utf-8")
    checked = run("operators", "check", "acme")
    assert checked.returncode == 1
    assert "contact.email: missing; contact.emial: unknown, is it email?" in checked.stderr
    listed = {row["operator"]: row for row in json.loads(run("operators", "list", "--json").stdout)}
    assert listed["ocea"]["lacks"] == []
    assert set(listed) == {"ista", "ocea"}
    run("residences", "add", *RESIDENCE)
    listed = {row["operator"]: row for row in json.loads(run("operators", "list", "--json").stdout)}
    assert "contact.email: missing" in listed["acme"]["lacks"][0]


def test_a_code_is_refused_before_anything_is_stored(tables, run) -> None:
    """`new op!` names no file: the residence is not added, and the list of operators is as it was."""
    refused = run("residences", "add", "new op!", *RESIDENCE[1:])
    assert (refused.returncode, "letters, digits" in refused.stderr) == (1, True)
    listed = run("operators", "list", "--json")
    assert (listed.returncode, {row["operator"] for row in json.loads(listed.stdout)}) == (
        0,
        {"ista", "ocea"},
    )


def test_every_comment_of_a_new_file_is_a_setting_that_can_be_used(tables, run, data_dir) -> None:
    """With each comment taken off, the file still describes the operator."""
    run("operators", "add", *ACME)
    path = data_dir / "operators" / "acme.toml"
    lines = path.read_text("utf-8").splitlines()
    settings = [line.removeprefix("#") for line in lines if not line.startswith("# ")]
    text = "\n".join(settings).replace('website = "https://…"', 'website = "https://acme.example"')
    path.write_text(text, encoding="utf-8")
    checked = run("operators", "check", "acme")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("answer", "published"), [("y\n", True), ("YES\n", True), ("n\n", False), ("", False)]
)
def test_at_a_terminal_a_question_is_asked(tables, run, monkeypatch, *, answer: str, published: bool) -> None:
    """A residence without data is published after a yes, and after nothing else."""
    run("residences", "add", *RESIDENCE)
    run("operators", "add", *ACME)
    monkeypatch.setattr(residences, "confirmed", lambda question: asks(question, answer))

    def asks(question: str, given: str) -> bool:
        assert "no dwelling" in question
        with monkeypatch.context() as patch:
            patch.setattr(output.sys, "stdin", Terminal(given))
            patch.setattr(output.sys, "stderr", Terminal())
            return output.confirmed(question)

    asked = run("residences", "publish", "acme", "AA001")
    assert (asked.returncode == 0, "is published." in asked.stdout) == (published, published)


class Terminal(io.StringIO):
    """A stream that is a terminal's."""

    def isatty(self) -> bool:
        return True

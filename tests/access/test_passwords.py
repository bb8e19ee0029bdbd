"""Password criteria: what each operator asks, and what the application refuses everywhere."""

import pytest
from zxcvbn import matching

from core.access.passwords import (
    LONGEST_PASSWORD,
    CharacterClass,
    ClassRule,
    OwnData,
    PasswordPolicy,
    check_password,
    failed,
)
from core.language import Text

ANY = Text("…", "...")
FOUR_CLASSES = PasswordPolicy(
    minimum_characters=8,
    length_label=ANY,
    rules=(
        ClassRule("UPPER_AND_LOWER", ANY, frozenset({CharacterClass.UPPER, CharacterClass.LOWER})),
        ClassRule("DIGIT_AND_SPECIAL", ANY, frozenset({CharacterClass.DIGIT, CharacterClass.SPECIAL})),
    ),
)
DIGIT_OR_LISTED = PasswordPolicy(
    minimum_characters=10,
    length_label=ANY,
    rules=(
        ClassRule(
            "DIGIT_OR_SPECIAL",
            ANY,
            frozenset({CharacterClass.DIGIT, CharacterClass.SPECIAL}),
            any_of=True,
        ),
    ),
    specials="@$!%*&",
)


def _failed(policy: PasswordPolicy, password: str, *own: str) -> set[str]:
    return {criterion.name for criterion in failed(check_password(policy, password, OwnData.of(*own)))}


@pytest.mark.parametrize(
    ("password", "names"),
    [
        ("Zk7!pqWx", set()),
        ("Zk7!pqW", {"LENGTH"}),
        ("zk7!pqwx", {"UPPER_AND_LOWER"}),
        ("ZK7!PQWX", {"UPPER_AND_LOWER"}),
        ("Zkv!pqWx", {"DIGIT_AND_SPECIAL"}),
        ("Zk7vpqWx", {"DIGIT_AND_SPECIAL"}),
        ("Zk7 pqWx", {"DIGIT_AND_SPECIAL"}),
        ("É7!pàqWxz", set()),
    ],
)
@pytest.mark.requirement("C-04", "R-112")
def test_each_criterion_is_judged_by_itself(password: str, names: set[str]) -> None:
    """A password fails the criteria it breaks and no other; letters of every alphabet count."""
    assert _failed(FOUR_CLASSES, password) == names


@pytest.mark.parametrize(
    ("password", "names"),
    [
        ("Zkwvpqlmat", {"DIGIT_OR_SPECIAL"}),
        ("Zkwvpqlma7", set()),
        ("Zkwvpqlma!", set()),
        ("Zkwvpqlma?", {"DIGIT_OR_SPECIAL"}),
    ],
)
@pytest.mark.requirement("R-210")
def test_listed_specials_are_the_only_ones_that_count(password: str, names: set[str]) -> None:
    """Where the operator lists the special characters, another one is none."""
    assert _failed(DIGIT_OR_LISTED, password) == names


@pytest.mark.parametrize(
    "password",
    [
        "Password1!",
        "Azerty123!",
        "Motdepasse1!",
        "P@ssw0rd2024",
        "Marseille13!",
        "Qwertyuiop1!",
        "aB1!aB1!aB1!",
    ],
)
@pytest.mark.requirement("PW-07")
def test_common_passwords_are_refused_however_decorated(password: str) -> None:
    """A common password is refused although it meets every criterion on characters (PW-07)."""
    assert _failed(FOUR_CLASSES, password) == {"NOT_COMMON"}


@pytest.mark.parametrize(
    ("password", "own"),
    [
        ("Xy!7-martin-Qv", "Martin"),
        ("Xy!7HÉLÈNE-Qv", "Hélène"),
        ("Xy!7claire.martin", "claire.martin@example.org"),
        ("Xy!7-H8CA-029620", "H8CA029620"),
        ("Ab!0611546587zz", "06 11 54 65 87"),
    ],
)
@pytest.mark.requirement("PW-07")
def test_the_owners_own_data_are_refused(password: str, own: str) -> None:
    """Name, address and numbers of the owner may not appear in the password, however they are written."""
    assert "NOT_OWN_DATA" in _failed(FOUR_CLASSES, password, own)


LOOK_ALIKES = "4@8({[<369&#!1|0$5+7%2"


@pytest.mark.parametrize(
    "password", [LOOK_ALIKES * 4, LOOK_ALIKES[::-1] * 4, "Zk7!pqWxQm9vTr2Lb5Nc8Hd3Jf6Gs1" * 4, "Aa1!" * 256]
)
def test_no_password_is_expensive_to_check(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few readings of look-alike letters are tried, and only the beginning of a long text."""
    tried: list[int] = []

    def counted(text: str, *ranked: object, **more: object) -> list[dict[str, object]]:
        tried.append(len(text))
        return list(look_up(text, *ranked, **more))

    look_up = matching.dictionary_match
    monkeypatch.setattr(matching, "dictionary_match", counted)
    assert _failed(FOUR_CLASSES, password) <= {"NOT_COMMON", "UPPER_AND_LOWER"}
    assert 0 < len(tried) <= 64
    assert max(tried) <= 48


@pytest.mark.parametrize("password", ["4zerty!|1@", "M@r$ei11e!4", "P@$5w0rd!4|1"])
def test_look_alikes_hide_no_common_password(password: str) -> None:
    """A common password written with look-alikes is refused like the plain one."""
    assert "NOT_COMMON" in _failed(FOUR_CLASSES, password)


def test_short_names_and_the_mail_host_are_not_looked_for() -> None:
    """A name of three letters and the provider's domain appear in too many good passwords."""
    assert _failed(FOUR_CLASSES, "Xy!7LiExample-Qv", "Li", "li@example.org", "") == set()


@pytest.mark.parametrize("password", ["", "\ud800", "a" * 100_000, "é" * 200, "\0" * 20])
def test_no_text_breaks_the_check(password: str) -> None:
    """Any text is answered by criteria; one beyond the maximum length by that criterion alone."""
    criteria = check_password(FOUR_CLASSES, password)
    assert failed(criteria)
    assert (len(criteria) == 1) is (len(password) > LONGEST_PASSWORD)


def test_own_data_are_never_printed() -> None:
    """The repr of what is known of a person shows nothing of it."""
    assert "Martin" not in repr(OwnData.of("Martin"))

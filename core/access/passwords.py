"""What a password must be: each metering company's own criteria, and two that hold everywhere.

In: a policy, a password, and what is known of its owner. Out: every criterion with its label and whether it
is met, so that a form can show them live (R-112, R-207). The one rule: nothing is stored or logged. A
policy of 8 characters in four classes is CNIL-conform only with limits on failed sign-ins (PW-01); common
passwords and the owner's own data are refused by every policy (PW-07).
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from math import log10, prod

from core.language import Text

LONGEST_PASSWORD = 1_024
"""Characters; a longer text only costs hashing time."""

COMMON_BELOW_LOG10 = 7.0
"""A password that zxcvbn expects to be found within ten million guesses counts as common: `Motdepasse1!`
does. Eight random characters take a hundred million by its count, so no policy contradicts this one."""

_ESTIMATED_CHARACTERS = 48
"""zxcvbn's work grows with the square of the text, and what follows can only make it stronger."""

_LOOK_ALIKES = ("4@", "8", "({[<", "3", "69", "1!|", "1|7", "0", "5$", "7+", "%", "2")
"""The characters that zxcvbn reads as one letter, a to z, their representative first."""

_MOST_READINGS = 16
"""zxcvbn tries every choice of one look-alike per letter, each over the whole text: hundreds of readings, and
seconds of work, where all of them occur in it."""

_ONE_PER_LETTER = str.maketrans("@{[<9!|$+", "4(((61157")

_SHORTEST_OWN_DATUM = 4
"""Characters: a shorter name is part of too many words to be looked for."""

FRENCH_FAVOURITES = (
    *("motdepasse", "azerty", "azertyuiop", "qsdfghjklm", "wxcvbn", "bonjour", "soleil", "doudou", "loulou"),
    *(
        "chouchou",
        "marseille",
        "toulouse",
        "bordeaux",
        "jetaime",
        "coucou",
        "chocolat",
        "papillon",
        "camille",
    ),
    *(
        "nicolas",
        "sandrine",
        "isabelle",
        "princesse",
        "nounours",
        "vacances",
        "maison",
        "famille",
        "resident",
    ),
    *("locataire", "consommation", "compteur", "ocea", "ista", "submeter", "portail", "logement"),
)
"""What zxcvbn's lists, made from English leaks, hold too far down or not at all."""


class CharacterClass(Enum):
    """What a character counts as."""

    LOWER = "LOWER"
    UPPER = "UPPER"
    DIGIT = "DIGIT"
    SPECIAL = "SPECIAL"


@dataclass(frozen=True, slots=True)
class ClassRule:
    """A criterion on the kinds of characters.

    Attributes:
        name: for programs, upper case: `DIGIT_AND_SPECIAL`.
        label: for people, the operator's own words.
        classes: which must occur.
        any_of: one of them is enough; else all must occur.
    """

    name: str
    label: Text
    classes: frozenset[CharacterClass]
    any_of: bool = False

    def passes(self, present: frozenset[CharacterClass]) -> bool:
        return bool(self.classes & present) if self.any_of else self.classes <= present


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """An operator's criteria.

    Attributes:
        minimum_characters: after NFKC, so that an accent counts once however it was typed.
        length_label: the length criterion in the operator's words.
        rules: the criteria on character classes, in the order in which they are shown.
        specials: what counts as a special character; None: all that is neither letter nor digit nor space.
    """

    minimum_characters: int
    length_label: Text
    rules: tuple[ClassRule, ...]
    specials: str | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion and whether a password meets it."""

    name: str
    label: Text
    passed: bool


@dataclass(frozen=True, slots=True)
class OwnData:
    """What is known of a password's owner; never printed."""

    texts: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, *texts: str | None) -> "OwnData":
        """Names, e-mail, phone number, meter serials, dwelling codes; None and blanks are left out."""
        return cls(tuple(text for text in texts if text and text.strip()))


LENGTH = "LENGTH"
NOT_TOO_LONG = "NOT_TOO_LONG"
NOT_COMMON = "NOT_COMMON"
NOT_OWN_DATA = "NOT_OWN_DATA"

_NOT_COMMON = Text(
    "Ne pas être un mot de passe courant ou facile à deviner", "Not a common or easily guessed password"
)
_NOT_OWN_DATA = Text(
    "Ne pas contenir votre nom, votre e-mail ou un numéro de votre logement",
    "Not containing your name, your e-mail or a number of your home",
)
_NOT_TOO_LONG = Text(
    f"{LONGEST_PASSWORD} caractères maximum",
    f"At most {LONGEST_PASSWORD} characters",
)


def check_password(
    policy: PasswordPolicy, password: str, own_data: OwnData | None = None
) -> tuple[Criterion, ...]:
    """Every criterion of the policy and of the application, in the order in which they are shown.

    The criterion on the greatest length is listed only where it is not met, since nobody else needs it.
    """
    if len(password) > LONGEST_PASSWORD:
        return (Criterion(NOT_TOO_LONG, _NOT_TOO_LONG, passed=False),)
    text = unicodedata.normalize("NFKC", password)
    present = frozenset(filter(None, (_class_of(character, policy.specials) for character in text)))
    owned = own_data or OwnData()
    return (
        Criterion(LENGTH, policy.length_label, passed=len(text) >= policy.minimum_characters),
        *(Criterion(rule.name, rule.label, rule.passes(present)) for rule in policy.rules),
        Criterion(NOT_COMMON, _NOT_COMMON, passed=not is_common(text)),
        Criterion(NOT_OWN_DATA, _NOT_OWN_DATA, passed=bool(text) and not holds_own_data(text, owned)),
    )


def failed(criteria: Iterable[Criterion]) -> tuple[Criterion, ...]:
    """The criteria that are not met; empty for an acceptable password."""
    return tuple(criterion for criterion in criteria if not criterion.passed)


def is_common(password: str) -> bool:
    """Whether it is among the first that anyone would try, with the usual decorations or without."""
    if not password:
        return True
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists, for whoever judges a password and nobody else

    text = _with_few_readings(password[:_ESTIMATED_CHARACTERS])
    return log10(zxcvbn(text, user_inputs=list(FRENCH_FAVOURITES))["guesses"]) < COMMON_BELOW_LOG10


def _with_few_readings(text: str) -> str:
    """The text, its look-alikes one a letter where zxcvbn would try too many combinations of them."""
    readings = prod(len(set(characters) & set(text)) or 1 for characters in _LOOK_ALIKES)
    return text if readings <= _MOST_READINGS else text.translate(_ONE_PER_LETTER)


def holds_own_data(password: str, own_data: OwnData) -> bool:
    """Whether a name, address or number of the owner stands in it, whatever the case or accents."""
    normalised = _normalised(password)
    return any(datum in normalised for datum in _data_to_look_for(own_data))


def _data_to_look_for(own_data: OwnData) -> set[str]:
    found: set[str] = set()
    for text in own_data.texts:
        local_part = text.rpartition("@")[0] or text
        words = "".join(c if c.isalnum() else " " for c in local_part).split()
        found |= {_normalised(word) for word in (*words, local_part)}
    return {datum for datum in found if len(datum) >= _SHORTEST_OWN_DATUM}


def _normalised(text: str) -> str:
    """Letters and digits alone, without case or accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum())


def _class_of(character: str, specials: str | None) -> CharacterClass | None:
    if character.isupper():
        return CharacterClass.UPPER
    if character.islower():
        return CharacterClass.LOWER
    if character.isdecimal():
        return CharacterClass.DIGIT
    if character.isalnum() or character.isspace():
        return None
    return CharacterClass.SPECIAL if specials is None or character in specials else None

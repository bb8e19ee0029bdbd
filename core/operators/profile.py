"""How one metering company signs residents up: a frozen value that its plugin provides.

In: the operator's own rules and words. Out: values only; core.registration runs the journey, the services
access the tables. The one rule: a profile is data. What it leaves out has a default, a contradiction is
refused when it is made, and the plugin is then named and left out.

    PROFILE = OperatorProfile(code="acme", portal_name="My water", stages=(...), ...)

    @hookimpl
    def submeter_operators() -> list[OperatorProfile]:
        return [PROFILE]
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from core.access.passwords import PasswordPolicy
from core.language import Text
from core.leak_thresholds import DEFAULT_THRESHOLDS, Thresholds
from core.operators.journey import (
    ActivationMode,
    Asking,
    DeviceChoice,
    OccupancyChoice,
    OccupancyKind,
    Path,
    SignUpStage,
    Step,
)
from core.operators.notices import NOTHING_ADDED, ConsumptionNotes, Contact, HelpPage, PrivacyNotice
from core.operators.words import WORDS
from core.sanitize import normalise_serial

_MUST_HAVE = (Step.RESIDENCE, Step.DWELLING, Step.ATTESTATION, Step.PERSONAL_DATA)
_LAST = MappingProxyType(
    {
        ActivationMode.TEMPORARY_PASSWORD: Step.FIRST_SIGN_IN,
        ActivationMode.EMAIL_CODE: Step.VERIFICATION,
    }
)


@dataclass(frozen=True, slots=True)
class CodeFormat:
    """The format of a code that residents type: a pattern for the normalised text, and an example.

    Anybody may type, and an operator's file names the pattern: it is matched in linear time, by pydantic's
    engine, which has neither look-around nor references to groups.
    """

    pattern: str
    example: str

    def matches(self, normalised: str) -> bool:
        """Whether a text, normalised (`core.sanitize.normalise_serial`), has this format."""
        return normalised.isascii() and _fits(self.pattern, normalised)

    def problem(self) -> str | None:
        """What is wrong with it: a pattern that is none, or that its own example does not match as typed."""
        try:
            fits = self.matches(normalise_serial(self.example))
        except SchemaError as failure:
            return f"pattern: no regular expression that can be used ({str(failure).splitlines()[-1]})"
        return None if fits else "example: does not match the pattern in upper case and without separators"


@lru_cache(maxsize=256)
def _validator(pattern: str) -> TypeAdapter[str]:
    TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])  # by itself first: `a)|(b` is no pattern
    return TypeAdapter(Annotated[str, StringConstraints(pattern=rf"^(?:{pattern})$")])


def _fits(pattern: str, text: str) -> bool:
    try:
        _validator(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class DwellingParts:
    """The parts of a dwelling's designation, as stored."""

    building: str
    staircase: str
    floor: str
    number: str


def no_dwelling_code(_parts: DwellingParts) -> str | None:
    """Operators without a code of their own for dwellings."""
    return None


@dataclass(frozen=True, slots=True)
class OperatorProfile:
    """One operator's sign-up, and its figures.

    Attributes:
        code: the operator's, as its residences name it (`Operator.code`).
        name: the company.
        portal_name: what residents know the portal by.
        portal_url: where they sign in, and where links in their messages lead; empty: SUBMETER_PORTAL_URL.
        registration_url: where the form is.
        stages: the journey as residents see it; its steps, in order, are the journey.
        residence_paths: the forms of the step RESIDENCE; with SERIAL the whole stock is searched (C-06).
        dwelling_paths: the forms of the step DWELLING, within the residence.
        review_paths: paths that can be guessed: with these alone a manager decides first (C-40).
        residence_code: of the site or building.
        occupancies: who may register.
        devices: the kinds of device that may be named as a hint (C-07).
        strict_nine_digit_serial: whether any other printed number is answered SERIAL_FORMAT_UNSUPPORTED
            (C-05).
        serial_example: as printed.
        activation: how the mailbox is proved.
        password_policy: the criteria.
        one_account_per_dwelling: R-140.
        one_dwelling_per_account: R-139.
        move_in: whether the day of moving in is asked for. Without it the occupancy begins on the day of
            registration.
        registration_lifetime: how long a registration waits to be finished; afterwards it is removed (C-12).
        predecessor_access: how long a former occupant sees the own period.
        contact: who answers questions.
        privacy: what is done with personal data.
        terms_version: of the terms of use, which are accepted before data are shown (R-062); None: there are
            none beside the privacy notice.
        terms_url: where the terms are read, in each language; they can be read there or in `terms_text`.
        terms_text: the terms themselves, lines separated by line breaks.
        consent_version: of the text of the manager's consent.
        help_pages: where to find the number on a meter.
        leak_thresholds: the flows from which its residents are warned of a leak, and how soon (R-092).
        notes: what is added to the notes on consumption.
        dwelling_code: a dwelling's code as the operator prints it, or None.
        newsletter: whether one is offered, never ticked in advance (NL-01).
        texts: words that differ from the application's own (core.operators.words), by the same keys.

    Raises:
        ValueError: the journey lacks a step that no sign-up may lack, or ends elsewhere than its activation
            does; or there are terms to be accepted that nobody can read.
    """

    code: str
    name: str
    portal_name: str
    portal_url: str
    registration_url: str
    stages: tuple[SignUpStage, ...]
    residence_paths: tuple[Path, ...]
    dwelling_paths: tuple[Path, ...]
    residence_code: CodeFormat
    occupancies: tuple[OccupancyChoice, ...]
    devices: tuple[DeviceChoice, ...]
    serial_example: str
    activation: ActivationMode
    password_policy: PasswordPolicy
    contact: Contact
    privacy: PrivacyNotice
    terms_version: str | None
    consent_version: str
    help_pages: tuple[HelpPage, ...]
    review_paths: frozenset[Path] = frozenset({Path.LOT_NUMBER, Path.DWELLING_REFERENCE})
    strict_nine_digit_serial: bool = False
    one_account_per_dwelling: bool = True
    one_dwelling_per_account: bool = True
    move_in: Asking = Asking.OPTIONAL
    registration_lifetime: timedelta = timedelta(hours=24)
    predecessor_access: timedelta = timedelta(days=365)
    newsletter: bool = False
    terms_url: Text | None = None
    terms_text: Text | None = None
    leak_thresholds: Thresholds = DEFAULT_THRESHOLDS
    notes: ConsumptionNotes = NOTHING_ADDED
    dwelling_code: Callable[[DwellingParts], str | None] = no_dwelling_code
    texts: Mapping[str, Text] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def __post_init__(self) -> None:
        missing = [step for step in _MUST_HAVE if step not in self.steps]
        if missing:
            raise ValueError(f"The journey of {self.code} lacks {', '.join(missing)}.")
        if self.steps[-1] is not _LAST[self.activation]:
            raise ValueError(f"The journey of {self.code} must end with {_LAST[self.activation]}.")
        if self.terms_version is not None and not _says_something(self.terms_url, self.terms_text):
            raise ValueError(
                f"{self.code} has terms that nobody can read: terms_url or terms_text is missing."
            )
        unknown = sorted(set(self.texts) - set(WORDS))
        if unknown:
            raise ValueError(f"The profile of {self.code} has texts for unknown keys: {', '.join(unknown)}.")

    @property
    def steps(self) -> tuple[Step, ...]:
        """The journey, step by step."""
        return tuple(step for stage in self.stages for step in stage.steps)

    @property
    def allow_non_occupant_owner(self) -> bool:
        """Whether somebody who owns a dwelling and does not live there may register (C-01)."""
        return any(choice.kind is OccupancyKind.OWNER_NON_OCCUPANT for choice in self.occupancies)

    @property
    def asks_occupancy_first(self) -> bool:
        return Step.OCCUPANCY in self.steps

    def keys_of(self, *beginnings: str) -> list[str]:
        """The keys of texts with these prefixes, in order."""
        return sorted(key for key in WORDS if key.startswith(beginnings))

    def text(self, key: str) -> Text:
        """The operator's words for a key, or else the application's.

        Raises:
            KeyError: there is no such key.
        """
        return self.texts.get(key) or WORDS[key]


def _says_something(*texts: Text | None) -> bool:
    """Whether one of the texts is there in every language."""
    return any(text is not None and text.fr.strip() and text.en.strip() for text in texts)

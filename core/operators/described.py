"""An operator's profile from data: what a file says of it, and the defaults for the rest.

In: an operator's code and the values of its file, as TOML has them. Out: an `OperatorProfile`, as a plugin
would bring it, or `ProfileIncomplete`, which names every value that is missing or wrong by its key. The one
rule: a file states what only the operator knows (its name, whom to ask, where its privacy notice is);
everything else has a default. `dwelling_code`, and a journey in another order, remain a plugin's.

    name = "Acme Metering"
    contact.email = "help@acme.example"
    privacy.url = "https://acme.example/privacy"
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches
from fractions import Fraction
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.fields import FieldInfo

from core.access.passwords import CharacterClass, PasswordPolicy
from core.consumption.fluids import Fluid
from core.language import Text
from core.leak_thresholds import DEFAULT_THRESHOLDS, Thresholds
from core.operators import defaults
from core.operators.journey import ActivationMode, Asking, Path
from core.operators.notices import ConsumptionNotes, Contact, HelpPage, PrivacyNotice
from core.operators.profile import CodeFormat, OperatorProfile
from core.operators.words import WORDS

FEWEST_CHARACTERS = 8  # CNIL 2022-100, where failed tries are limited, as they are here

_Filled: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Url: TypeAlias = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
_UrlOrNone: TypeAlias = Annotated[str, StringConstraints(pattern=r"^(https?://\S+)?$")]
_EMAIL = r"^[^\s@]+@[^\s@]+\.[^\s@]+$"
_Email: TypeAlias = Annotated[str, StringConstraints(pattern=_EMAIL)]


class ProfileIncomplete(Exception):
    """What a file lacks, or has wrong: each problem begins with its key."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Words(_Values):
    """A text in both languages."""

    fr: _Filled
    en: _Filled

    @property
    def text(self) -> Text:
        return Text(self.fr, self.en)


class _Addresses(_Values):
    """The address of a page in both languages."""

    fr: _Url
    en: _Url

    @property
    def text(self) -> Text:
        return Text(self.fr, self.en)


class _Code(_Values):
    pattern: _Filled = defaults.CODE_PATTERN
    example: _Filled = defaults.CODE_EXAMPLE


class _Contact(_Values):
    email: _Email
    name: str = ""
    phone: str = ""
    address: str = ""
    website: _UrlOrNone = ""


class _Privacy(_Values):
    url: _Url
    version: str = ""
    purpose: _Words | None = None
    legal_basis: _Words | None = None
    retention: _Words | None = None
    rights: _Words | None = None
    contact: _Words | None = None


class _Password(_Values):
    minimum_characters: Annotated[int, Field(ge=FEWEST_CHARACTERS, le=128)] = defaults.MINIMUM_CHARACTERS
    classes: tuple[CharacterClass, ...] = defaults.CLASSES


class _Help(_Values):
    title: _Words
    items: Annotated[tuple[_Words, ...], Field(min_length=1)]
    fluid: Fluid | None = None
    guide_url: _Url | None = None
    guide_label: _Words | None = None


class _Leaks(_Values):
    level_1_lph: float = float(DEFAULT_THRESHOLDS.level_1_lph)
    level_2_lph: float = float(DEFAULT_THRESHOLDS.level_2_lph)
    level_3_lph: float = float(DEFAULT_THRESHOLDS.level_3_lph)
    over_range_above_lph: float = float(DEFAULT_THRESHOLDS.over_range_above_lph)


class _Notes(_Values):
    fluids: frozenset[Fluid] = frozenset()
    prices: _Words | None = None
    energy_mix: _Words | None = None
    consumer_bodies: _Words | None = None
    complaints: _Words | None = None
    cost_allocation: _Words | None = None


class _File(_Values):
    """All that a file may say; what has no default must be there."""

    name: _Filled
    contact: _Contact
    privacy: _Privacy
    portal_name: str = ""
    portal_url: _UrlOrNone = ""
    registration_url: _UrlOrNone = ""
    activation: ActivationMode = ActivationMode.EMAIL_CODE
    residence_paths: Annotated[tuple[Path, ...], Field(min_length=1)] = defaults.RESIDENCE_PATHS
    dwelling_paths: Annotated[tuple[Path, ...], Field(min_length=1)] = defaults.DWELLING_PATHS
    residence_code: _Code = _Code()
    serial_example: _Filled = defaults.SERIAL_EXAMPLE
    strict_nine_digit_serial: bool = False
    move_in: Asking = Asking.OPTIONAL
    newsletter: bool = False
    one_account_per_dwelling: bool = True
    one_dwelling_per_account: bool = True
    non_occupant_owners: bool = False
    registration_hours: Annotated[int, Field(ge=1, le=720)] = 24
    look_back_days: Annotated[int, Field(ge=0, le=1_096)] = 365
    terms_version: str | None = None
    terms_url: _Addresses | None = None
    terms_text: _Words | None = None
    consent_version: _Filled = "1"
    password: _Password = _Password()
    help: tuple[_Help, ...] = ()
    leaks: _Leaks = _Leaks()
    notes: _Notes = _Notes()
    texts: dict[str, _Words] = {}


_RESIDENCE_PATHS = frozenset({Path.SITE_CODE, Path.BUILDING_CODE, Path.ADDRESS, Path.SERIAL})
_DWELLING_PATHS = frozenset({Path.SERIAL, Path.LOT_NUMBER, Path.DWELLING_REFERENCE})


def profile_of(code: str, values: Mapping[str, object]) -> OperatorProfile:
    """The profile that a file describes.

    Args:
        code: the operator's, which is the name of its file.
        values: as TOML has them.

    Raises:
        ProfileIncomplete: a value is missing, unknown or wrong.
    """
    given = {**values, **_one_level(values.get("texts"))}
    problems: tuple[str, ...] = ()
    try:
        file = _File.model_validate(given)
    except ValidationError as failure:
        problems = _problems(failure)
        file = _File.model_validate(_without(given, failure))  # what the rest of it has wrong
    problems += (*_unfit(file), *_unknown_texts(file))
    if problems:
        raise ProfileIncomplete(problems)
    try:
        return _profile(code, file)
    except ValueError as failure:
        raise ProfileIncomplete((str(failure),)) from failure


_STAND_INS: Mapping[str, object] = {
    "name": "-",
    "contact": {"email": "-@-.-"},
    "privacy": {"url": "https://-"},
}
"""For what has no default and is missing or wrong."""


def _without(values: Mapping[str, object], failure: ValidationError) -> dict[str, object]:
    """The values that are of their kinds: those that are not, or are unknown, have their defaults."""
    wrong = {error["loc"] for error in failure.errors()}
    dropped = {place[0] for place in wrong if place[0] != "texts" or len(place) == 1}
    if dropped & {"terms_url", "terms_text"}:
        dropped.add("terms_version")  # there are terms, somewhere
    kept = {**_STAND_INS, **{key: value for key, value in values.items() if key not in dropped}}
    texts = kept.get("texts")
    if isinstance(texts, Mapping):
        unread = {place[1] for place in wrong if place[0] == "texts" and len(place) > 1}
        kept["texts"] = {key: words for key, words in texts.items() if key not in unread}
    return kept


def _one_level(texts: object) -> dict[str, object]:
    """The texts by their whole keys: TOML reads `button.create` without quotes as a table in a table."""
    found: dict[str, object] = {}

    def collect(key: str, value: object) -> None:
        if isinstance(value, dict) and value and not value.keys() & {"fr", "en"}:
            for part, inner in value.items():
                collect(f"{key}.{part}" if key else part, inner)
        elif key:
            found[key] = value

    collect("", texts)
    return {"texts": found} if isinstance(texts, dict) else {}


def _profile(code: str, file: _File) -> OperatorProfile:
    return OperatorProfile(
        code=code,
        name=file.name,
        portal_name=file.portal_name or file.name,
        portal_url=file.portal_url,
        registration_url=file.registration_url or file.portal_url,
        stages=defaults.stages(file.activation),
        residence_paths=file.residence_paths,
        dwelling_paths=file.dwelling_paths,
        residence_code=CodeFormat(file.residence_code.pattern, file.residence_code.example),
        occupancies=defaults.occupancies(non_occupants=file.non_occupant_owners),
        devices=defaults.DEVICES,
        serial_example=file.serial_example,
        activation=file.activation,
        password_policy=PasswordPolicy(
            minimum_characters=file.password.minimum_characters,
            length_label=defaults.length_label(file.password.minimum_characters),
            rules=tuple(defaults.class_rule(kind) for kind in file.password.classes),
        ),
        contact=Contact(
            name=file.contact.name or file.name,
            email=file.contact.email,
            phone=file.contact.phone,
            address=file.contact.address,
            website=file.contact.website,
        ),
        privacy=_notice(file),
        terms_version=file.terms_version or None,
        terms_url=file.terms_url.text if file.terms_url else None,
        terms_text=file.terms_text.text if file.terms_text else None,
        consent_version=file.consent_version,
        help_pages=tuple(_page(page) for page in file.help) or defaults.HELP,
        strict_nine_digit_serial=file.strict_nine_digit_serial,
        one_account_per_dwelling=file.one_account_per_dwelling,
        one_dwelling_per_account=file.one_dwelling_per_account,
        move_in=file.move_in,
        registration_lifetime=timedelta(hours=file.registration_hours),
        predecessor_access=timedelta(days=file.look_back_days),
        newsletter=file.newsletter,
        leak_thresholds=_thresholds(file.leaks),
        notes=_notes(file.notes),
        texts={key: words.text for key, words in file.texts.items()},
    )


def _notice(file: _File) -> PrivacyNotice:
    """The notice; without a version of its own it has one that every edit changes, as it must."""
    given = file.privacy

    def words(own: _Words | None, default: Text) -> Text:
        return own.text if own is not None else default

    notice = PrivacyNotice(
        version=given.version or "-",
        purpose=words(given.purpose, defaults.purpose(file.name)),
        legal_basis=words(given.legal_basis, defaults.LEGAL_BASIS),
        retention=words(
            given.retention, defaults.retention(hours=file.registration_hours, days=file.look_back_days)
        ),
        rights=words(given.rights, defaults.RIGHTS),
        contact=words(given.contact, Text(file.contact.email, file.contact.email)),
        url=given.url,
    )
    if given.version:
        return notice
    return replace(notice, version=hashlib.sha256(repr(notice).encode()).hexdigest()[:12])


def _thresholds(given: _Leaks) -> Thresholds:
    return replace(
        DEFAULT_THRESHOLDS,
        level_1_lph=Fraction(str(given.level_1_lph)),
        level_2_lph=Fraction(str(given.level_2_lph)),
        level_3_lph=Fraction(str(given.level_3_lph)),
        over_range_above_lph=Fraction(str(given.over_range_above_lph)),
    )


def _notes(given: _Notes) -> ConsumptionNotes:
    texts = {name: getattr(given, name) for name in _Notes.model_fields if name != "fluids"}
    stated = {name: words.text for name, words in texts.items() if words is not None}
    return ConsumptionNotes(fluids=given.fluids, **stated)


def _page(page: _Help) -> HelpPage:
    return HelpPage(
        title=page.title.text,
        items=tuple(item.text for item in page.items),
        fluid=page.fluid,
        guide_url=page.guide_url,
        guide_label=page.guide_label.text if page.guide_label else None,
    )


def _unfit(file: _File) -> tuple[str, ...]:
    """What each value allows and all together do not."""
    problems = []
    for name, paths, allowed in (
        ("residence_paths", file.residence_paths, _RESIDENCE_PATHS),
        ("dwelling_paths", file.dwelling_paths, _DWELLING_PATHS),
    ):
        wrong = [path.value for path in paths if path not in allowed]
        if wrong:
            problems.append(f"{name}: {', '.join(wrong)} is none of {', '.join(sorted(allowed))}")
        if len(set(paths)) < len(paths):
            problems.append(f"{name}: a path is named twice")
    if file.terms_version and file.terms_url is None and file.terms_text is None:
        problems.append("terms_version: terms_url or terms_text is missing, where they can be read")
    if of_code := CodeFormat(file.residence_code.pattern, file.residence_code.example).problem():
        problems.append(f"residence_code.{of_code}")
    try:
        _thresholds(file.leaks)
    except ValueError as failure:
        problems.append(str(failure))
    return tuple(problems)


def _unknown_texts(file: _File) -> tuple[str, ...]:
    return tuple(_unknown(f"texts.{key}", key, WORDS) for key in sorted(set(file.texts) - set(WORDS)))


def _unknown(where: str, key: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"{where}: unknown" + (f", is it {near[0]}?" if near else "")


def _problems(failure: ValidationError) -> tuple[str, ...]:
    """Each error by its key, as TOML writes it; a table that is missing by what it must hold."""
    found: list[str] = []
    for error in failure.errors(include_url=False, include_context=True):
        place = tuple(str(part) for part in error["loc"])
        where = ".".join(place)
        if error["type"] == "missing":
            found.extend(
                f"{key}: missing" for key in _must_have(where, _fields_of(place[:-1]).get(place[-1]))
            )
        elif error["type"] == "extra_forbidden":
            found.append(_unknown(where, place[-1], _fields_of(place[:-1])))
        else:
            found.append(f"{where}: {_sentence(error['msg'], error.get('ctx', {}).get('pattern'))}")
    return tuple(found)


def _sentence(message: str, pattern: str | None) -> str:
    if pattern == _EMAIL:
        return "is no e-mail address"
    if pattern is not None:
        return "must begin with http:// or https://"
    return f"{message[:1].lower()}{message[1:]}"


def _fields_of(place: tuple[str, ...]) -> Mapping[str, FieldInfo]:
    """The values that the table at a place may have; none where it is no table of ours."""
    fields: Mapping[str, FieldInfo] = _File.model_fields
    for part in place:
        if part.isdecimal():
            continue
        kind = fields[part].annotation if part in fields else None
        fields = _table_fields(kind)
    return fields


def _must_have(where: str, field: FieldInfo | None) -> list[str]:
    needed = [name for name, one in _table_fields(field and field.annotation).items() if one.is_required()]
    return [f"{where}.{name}" for name in needed] or [where]


def _table_fields(kind: object) -> Mapping[str, FieldInfo]:
    if isinstance(kind, type) and issubclass(kind, _Values):
        return kind.model_fields
    return {}

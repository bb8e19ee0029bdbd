"""What a client has to send next: the forms of the step, with their fields, so that no client needs to know
the journey.

In: the operator's profile and the draft. Out: `Form` values; their names and those of their fields are the
keys of `RegistrationAnswer` in the GraphQL schema, and a test compares the two. The one rule:
nothing is ticked in advance (C-16, NL-01); a box has no default at all.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from core.consumption.fluids import Fluid
from core.language import Text
from core.operators import ActivationMode, Asking, OccupancyKind, OperatorProfile, Path, Step
from core.registration.draft import Civility, CouncilMember, Draft


class FieldKind(StrEnum):
    """How a field is shown."""

    TEXT = "TEXT"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    PASSWORD = "PASSWORD"  # noqa: S105 - a kind of field
    DATE = "DATE"
    BOOLEAN = "BOOLEAN"
    CHOICE = "CHOICE"
    CODE = "CODE"


class FormName(StrEnum):
    """Every form there is."""

    OCCUPANCY = "OCCUPANCY"
    SITE_CODE = "SITE_CODE"
    ADDRESS = "ADDRESS"
    RESIDENCE = "RESIDENCE"
    BUILDING_CODE = "BUILDING_CODE"
    SERIAL = "SERIAL"
    LOT_NUMBER = "LOT_NUMBER"
    DWELLING_REFERENCE = "DWELLING_REFERENCE"
    ATTESTATION = "ATTESTATION"
    PROFILE = "PROFILE"
    OPTIONS = "OPTIONS"
    PERSONAL_DATA = "PERSONAL_DATA"
    VERIFICATION = "VERIFICATION"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a field, and its label."""

    value: str
    label: Text
    explanation: Text | None = None


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form. `example` shows how the value is written; `pattern` is for the normalised text."""

    name: str
    kind: FieldKind
    label: Text
    required: bool = True
    choices: tuple[Choice, ...] = ()
    example: str | None = None
    pattern: str | None = None
    help: Text | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """One way to answer a step."""

    name: FormName
    title: Text
    hint: Text | None
    fields: tuple[FormField, ...]


def forms_of(
    profile: OperatorProfile, draft: Draft, *, fluids: frozenset[Fluid] = frozenset()
) -> tuple[Form, ...]:
    """The forms that answer the step, the usual one first; none where nothing is left to be sent.

    Args:
        profile: whose journey.
        draft: what was answered.
        fluids: what the meters of the residence measure, once it is known; blank: every kind of device is
            offered (R-043).
    """
    return tuple(_form(_installed(profile, fluids), name, draft) for name in form_names(profile, draft))


def _installed(profile: OperatorProfile, fluids: frozenset[Fluid]) -> OperatorProfile:
    """The profile with the kinds of device that are installed; «Je ne sais pas» is always one."""
    if not fluids:
        return profile
    kinds = tuple(kind for kind in profile.devices if not kind.fluids or kind.fluids & fluids)
    return replace(profile, devices=kinds)


def form_names(profile: OperatorProfile, draft: Draft) -> tuple[FormName, ...]:
    """The names of the forms that may answer the step."""
    if draft.step is Step.RESIDENCE:
        named = _of_paths(profile.residence_paths)
        return (*named, FormName.RESIDENCE) if FormName.ADDRESS in named else named
    if draft.step is Step.DWELLING:
        return _of_paths(profile.dwelling_paths)
    if draft.step in {Step.FIRST_SIGN_IN, Step.UNDER_REVIEW, Step.COMPLETE}:
        return ()
    return (FormName(draft.step.value),)


def _of_paths(paths: Iterable[Path]) -> tuple[FormName, ...]:
    return tuple(FormName(path.value) for path in paths)


def _form(profile: OperatorProfile, name: FormName, draft: Draft) -> Form:
    hint = profile.text(f"form.{name}.hint")
    return Form(name, profile.text(f"form.{name}"), hint if hint.fr else None, _FIELDS[name](profile, draft))


def _occupancy(profile: OperatorProfile, _draft: Draft) -> tuple[FormField, ...]:
    return (_kind(profile),)


def _site_code(profile: OperatorProfile, _draft: Draft) -> tuple[FormField, ...]:
    code = profile.residence_code
    return (_field(profile, "code", FieldKind.TEXT, example=code.example, pattern=code.pattern),)


def _address(profile: OperatorProfile, _draft: Draft) -> tuple[FormField, ...]:
    return (
        _field(profile, "postcode", FieldKind.TEXT, example="92400"),
        _field(profile, "street", FieldKind.TEXT),
    )


def _residence(profile: OperatorProfile, _draft: Draft) -> tuple[FormField, ...]:
    return (_field(profile, "residence", FieldKind.CHOICE),)


def _serial(profile: OperatorProfile, _draft: Draft) -> tuple[FormField, ...]:
    devices = tuple(Choice(device.name, device.label) for device in profile.devices)
    return (
        _field(profile, "device", FieldKind.CHOICE, required=False, choices=devices),
        _field(profile, "serial", FieldKind.TEXT, example=profile.serial_example),
    )


def _lot_number(profile: OperatorProfile, _draft: Draft) -> tuple[FormField, ...]:
    return (
        _field(profile, "lot", FieldKind.TEXT),
        _field(profile, "serial", FieldKind.TEXT, required=False),
    )


def _dwelling_reference(profile: OperatorProfile, _draft: Draft) -> tuple[FormField, ...]:
    return (
        _field(profile, "reference", FieldKind.TEXT),
        _field(profile, "serial", FieldKind.TEXT, required=False),
    )


def _attestation(profile: OperatorProfile, draft: Draft) -> tuple[FormField, ...]:
    fields: tuple[FormField, ...] = (_field(profile, "attested", FieldKind.BOOLEAN),)
    if Step.PROFILE not in profile.steps and draft.kind is not OccupancyKind.OWNER_NON_OCCUPANT:
        fields += _move_in(profile)
    return (*fields, _field(profile, "contested", FieldKind.BOOLEAN, required=False))


def _profile(profile: OperatorProfile, _draft: Draft) -> tuple[FormField, ...]:
    members = tuple(Choice(value, profile.text(f"choice.{value}")) for value in CouncilMember)
    first = () if profile.asks_occupancy_first else (_kind(profile),)
    return (
        *first,
        *_move_in(profile),
        _field(profile, "council_member", FieldKind.CHOICE, required=False, choices=members),
    )


def _options(profile: OperatorProfile, _draft: Draft) -> tuple[FormField, ...]:
    return tuple(
        _field(profile, name, FieldKind.BOOLEAN, required=False, help=profile.text(f"field.{name}.help"))
        for name in ("leak_by_email", "leak_by_sms", "over_consumption_by_email", "manager_daily_data")
    )


def _personal_data(profile: OperatorProfile, draft: Draft) -> tuple[FormField, ...]:
    civilities = tuple(Choice(value, profile.text(f"choice.{value}")) for value in Civility)
    fields: tuple[FormField, ...] = (
        _field(profile, "civility", FieldKind.CHOICE, required=False, choices=civilities),
        _field(profile, "last_name", FieldKind.TEXT),
        _field(profile, "first_name", FieldKind.TEXT),
        _field(profile, "phone", FieldKind.PHONE, required=draft.leak_by_sms, example="+33 6 12 34 56 78"),
        _field(profile, "email", FieldKind.EMAIL),
    )
    if profile.activation is ActivationMode.EMAIL_CODE:
        fields += (
            _field(profile, "password", FieldKind.PASSWORD),
            _field(profile, "password_confirmation", FieldKind.PASSWORD, required=False),
        )
    fields += (_field(profile, "privacy_acknowledged", FieldKind.BOOLEAN),)
    if profile.newsletter:
        fields += (_field(profile, "newsletter", FieldKind.BOOLEAN, required=False),)
    return fields


def _verification(profile: OperatorProfile, _draft: Draft) -> tuple[FormField, ...]:
    return (
        _field(profile, "verification_code", FieldKind.CODE, example="042117", pattern=r"\d{6}"),
        _field(profile, "contested", FieldKind.BOOLEAN, required=False),
    )


_FIELDS: Mapping[FormName, Callable[[OperatorProfile, Draft], tuple[FormField, ...]]] = MappingProxyType(
    {
        FormName.OCCUPANCY: _occupancy,
        FormName.SITE_CODE: _site_code,
        FormName.ADDRESS: _address,
        FormName.RESIDENCE: _residence,
        FormName.BUILDING_CODE: _site_code,
        FormName.SERIAL: _serial,
        FormName.LOT_NUMBER: _lot_number,
        FormName.DWELLING_REFERENCE: _dwelling_reference,
        FormName.ATTESTATION: _attestation,
        FormName.PROFILE: _profile,
        FormName.OPTIONS: _options,
        FormName.PERSONAL_DATA: _personal_data,
        FormName.VERIFICATION: _verification,
    }
)


def _kind(profile: OperatorProfile) -> FormField:
    choices = tuple(
        Choice(choice.kind.value, choice.label, choice.explanation) for choice in profile.occupancies
    )
    return _field(profile, "kind", FieldKind.CHOICE, choices=choices)


def _move_in(profile: OperatorProfile) -> tuple[FormField, ...]:
    if profile.move_in is Asking.NO:
        return ()
    required = profile.move_in is Asking.REQUIRED
    explanation = profile.text("field.move_in.help")
    return (_field(profile, "move_in", FieldKind.DATE, required=required, help=explanation),)


def _field(
    profile: OperatorProfile,
    name: str,
    kind: FieldKind,
    *,
    required: bool = True,
    choices: tuple[Choice, ...] = (),
    example: str | None = None,
    pattern: str | None = None,
    help: Text | None = None,  # noqa: A002 - the name of the field's attribute
) -> FormField:
    return FormField(name, kind, profile.text(f"field.{name}"), required, choices, example, pattern, help)

"""What a client may send: one value for each form, and which form that is.

In: nothing. Out: values with what was typed. The one rule: they hold what was sent and nothing that was
looked up; `core.services.registration.flow` does the look-ups and passes the results to the machine.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from core.operators import OccupancyKind
from core.registration.forms import FormName
from core.registration.machine import Attestation, Options, PersonalData, ProfileAnswer


@dataclass(frozen=True, slots=True)
class OccupancyAnswer:
    kind: OccupancyKind | None


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """A site code or building code, as typed; `form` tells them apart."""

    code: str
    form: FormName


@dataclass(frozen=True, slots=True)
class AddressAnswer:
    postcode: str
    street: str


@dataclass(frozen=True, slots=True)
class ResidenceAnswer:
    """One of the residences that an address found."""

    residence_id: int


@dataclass(frozen=True, slots=True)
class SerialAnswer:
    """A printed serial, as typed, and the kind of device given with it."""

    serial: str = field(repr=False)
    device: str | None = None


@dataclass(frozen=True, slots=True)
class ReferenceAnswer:
    """A lot number or dwelling reference, as typed; with a serial no manager's review is needed (C-40)."""

    reference: str
    form: FormName
    serial: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class VerificationAnswer:
    """The six digits; `contested` where the dwelling has become somebody else's meanwhile."""

    code: str = field(repr=False)
    contested: bool = False


Answer: TypeAlias = (
    OccupancyAnswer
    | CodeAnswer
    | AddressAnswer
    | ResidenceAnswer
    | SerialAnswer
    | ReferenceAnswer
    | Attestation
    | ProfileAnswer
    | Options
    | PersonalData
    | VerificationAnswer
)

_FORMS: dict[type, FormName] = {
    OccupancyAnswer: FormName.OCCUPANCY,
    AddressAnswer: FormName.ADDRESS,
    ResidenceAnswer: FormName.RESIDENCE,
    SerialAnswer: FormName.SERIAL,
    Attestation: FormName.ATTESTATION,
    ProfileAnswer: FormName.PROFILE,
    Options: FormName.OPTIONS,
    PersonalData: FormName.PERSONAL_DATA,
    VerificationAnswer: FormName.VERIFICATION,
}


def form_of(answer: Answer) -> FormName:
    """The form that an answer fills."""
    return answer.form if isinstance(answer, CodeAnswer | ReferenceAnswer) else _FORMS[type(answer)]

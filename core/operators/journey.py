"""The vocabulary in which an operator describes its sign-up: steps, paths, tenure, activation.

In: nothing. Out: closed sets. The one rule: an operator chooses among these and orders them; what a step does
is the same for all (core.registration), so that no operator can omit a check.
"""

from dataclasses import dataclass
from enum import StrEnum

from core.consumption.fluids import Fluid
from core.language import Text


class Step(StrEnum):
    """The step of a registration; the last four are not answered by a form of the journey."""

    OCCUPANCY = "OCCUPANCY"
    RESIDENCE = "RESIDENCE"
    DWELLING = "DWELLING"
    ATTESTATION = "ATTESTATION"
    PROFILE = "PROFILE"
    OPTIONS = "OPTIONS"
    PERSONAL_DATA = "PERSONAL_DATA"
    VERIFICATION = "VERIFICATION"
    FIRST_SIGN_IN = "FIRST_SIGN_IN"
    UNDER_REVIEW = "UNDER_REVIEW"
    COMPLETE = "COMPLETE"


class Path(StrEnum):
    """A way to find a residence or a dwelling; also the name of its form."""

    SITE_CODE = "SITE_CODE"
    ADDRESS = "ADDRESS"
    BUILDING_CODE = "BUILDING_CODE"
    SERIAL = "SERIAL"
    LOT_NUMBER = "LOT_NUMBER"
    DWELLING_REFERENCE = "DWELLING_REFERENCE"


class ActivationMode(StrEnum):
    """How control of the mailbox is proved (C-03)."""

    TEMPORARY_PASSWORD = "TEMPORARY_PASSWORD"  # noqa: S105 - a mode's name
    EMAIL_CODE = "EMAIL_CODE"


class OccupancyKind(StrEnum):
    """The tenure of a dwelling: on what basis somebody holds it (C-02)."""

    TENANT = "TENANT"
    OWNER_OCCUPIER = "OWNER_OCCUPIER"
    OWNER_NON_OCCUPANT = "OWNER_NON_OCCUPANT"


class Asking(StrEnum):
    """Whether something is asked for."""

    NO = "NO"
    OPTIONAL = "OPTIONAL"
    REQUIRED = "REQUIRED"


@dataclass(frozen=True, slots=True)
class SignUpStage:
    """One stage of the journey as residents see it: its title, and the steps that belong to it."""

    title: Text
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class OccupancyChoice:
    """A tenure that may be chosen, in the operator's words."""

    kind: OccupancyKind
    label: Text
    explanation: Text | None = None


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """A kind of device that may be named as a hint, and its fluids; none: "I do not know"."""

    name: str
    label: Text
    fluids: frozenset[Fluid] = frozenset()

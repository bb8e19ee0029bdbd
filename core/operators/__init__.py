"""What an operator's plugin needs: `OperatorProfile` and the values it is made of."""

from core.access.passwords import CharacterClass, ClassRule, PasswordPolicy
from core.consumption.fluids import Fluid
from core.language import Language, Text
from core.leak_thresholds import Thresholds
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
from core.operators.profile import CodeFormat, DwellingParts, OperatorProfile
from core.operators.words import WORDS

__all__ = [
    "NOTHING_ADDED",
    "WORDS",
    "ActivationMode",
    "Asking",
    "CharacterClass",
    "ClassRule",
    "CodeFormat",
    "ConsumptionNotes",
    "Contact",
    "DeviceChoice",
    "DwellingParts",
    "Fluid",
    "HelpPage",
    "Language",
    "OccupancyChoice",
    "OccupancyKind",
    "OperatorProfile",
    "PasswordPolicy",
    "Path",
    "PrivacyNotice",
    "SignUpStage",
    "Step",
    "Text",
    "Thresholds",
]

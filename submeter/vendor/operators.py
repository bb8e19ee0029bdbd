"""For the plugin of a metering company: how its residents sign up, in its words and with its figures.

docs/operator-profiles.md shows a whole plugin.
"""

from core.operators import (
    WORDS,
    ActivationMode,
    Asking,
    CharacterClass,
    ClassRule,
    CodeFormat,
    Contact,
    DeviceChoice,
    DwellingParts,
    Fluid,
    HelpPage,
    Language,
    OccupancyChoice,
    OccupancyKind,
    OperatorProfile,
    PasswordPolicy,
    Path,
    PrivacyNotice,
    SignUpStage,
    Step,
    Text,
    Thresholds,
)

__all__ = [
    "WORDS",
    "ActivationMode",
    "Asking",
    "CharacterClass",
    "ClassRule",
    "CodeFormat",
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

"""The sign-up of an operator that writes down only its name and whom to ask: journey, policy, notice, help.

In: what a file leaves open. Out: the values of an `OperatorProfile` that need no operator to decide. The one
rule: what a default says of the processing of data is what the application does (C-31), with the operator's
own periods in it.
"""

from types import MappingProxyType
from typing import Final

from core.access.passwords import CharacterClass, ClassRule
from core.consumption.fluids import Fluid
from core.language import Text
from core.operators.journey import (
    ActivationMode,
    DeviceChoice,
    OccupancyChoice,
    OccupancyKind,
    Path,
    SignUpStage,
    Step,
)
from core.operators.notices import HelpPage

RESIDENCE_PATHS: Final = (Path.SITE_CODE, Path.ADDRESS)
DWELLING_PATHS: Final = (Path.SERIAL, Path.LOT_NUMBER)
MINIMUM_CHARACTERS: Final = 12
"""CNIL 2022-100: with three classes, and limits on failed tries, more than the fewest there."""

CLASSES: Final = (CharacterClass.LOWER, CharacterClass.UPPER, CharacterClass.DIGIT)
CODE_PATTERN: Final = r"[0-9A-Z]{1,16}"
CODE_EXAMPLE: Final = "AA001"
SERIAL_EXAMPLE: Final = "12345678"

_LAST: Final = MappingProxyType(
    {
        ActivationMode.EMAIL_CODE: SignUpStage(
            Text("Vérification de votre adresse", "Verification of your address"), (Step.VERIFICATION,)
        ),
        ActivationMode.TEMPORARY_PASSWORD: SignUpStage(
            Text("Première connexion", "First sign-in"), (Step.FIRST_SIGN_IN,)
        ),
    }
)


def stages(activation: ActivationMode) -> tuple[SignUpStage, ...]:
    """The journey: residence, dwelling, who one is, what one is notified of, the account."""
    return (
        SignUpStage(Text("Rechercher votre résidence", "Find your residence"), (Step.RESIDENCE,)),
        SignUpStage(Text("Identifier votre logement", "Find your home"), (Step.DWELLING, Step.ATTESTATION)),
        SignUpStage(Text("Votre profil", "Your profile"), (Step.PROFILE,)),
        SignUpStage(Text("Vos options", "Your options"), (Step.OPTIONS,)),
        SignUpStage(Text("Vos informations personnelles", "Your personal data"), (Step.PERSONAL_DATA,)),
        _LAST[activation],
    )


def occupancies(*, non_occupants: bool) -> tuple[OccupancyChoice, ...]:
    """Who may register; owners who live elsewhere only where the operator says so (C-01)."""
    elsewhere = OccupancyChoice(
        OccupancyKind.OWNER_NON_OCCUPANT,
        Text("Propriétaire bailleur", "Owner who lives elsewhere"),
        Text("Vous n'occupez pas le logement.", "You do not live in the home."),
    )
    there = (
        OccupancyChoice(OccupancyKind.TENANT, Text("Locataire", "Tenant")),
        OccupancyChoice(OccupancyKind.OWNER_OCCUPIER, Text("Propriétaire occupant", "Owner who lives there")),
    )
    return (*there, elsewhere) if non_occupants else there


DEVICES: Final = (
    DeviceChoice("COLD_WATER", Text("Eau froide", "Cold water"), frozenset({Fluid.COLD_WATER})),
    DeviceChoice("HOT_WATER", Text("Eau chaude", "Hot water"), frozenset({Fluid.HOT_WATER})),
    DeviceChoice("HEATING", Text("Chauffage", "Heating"), frozenset({Fluid.HEAT, Fluid.HEAT_ALLOCATOR})),
    DeviceChoice("UNKNOWN", Text("Je ne sais pas", "I do not know")),
)

HELP: Final = (
    HelpPage(
        title=Text("Où trouver le numéro de série de mon appareil ?", "Where is the number of my device?"),
        items=(
            Text(
                "Cherchez un compteur d'eau ou de chaleur de votre logement, souvent dans la cuisine, la"
                " salle de bain ou une gaine technique.",
                "Look for a water or heat meter of your home, often in the kitchen, the bathroom or a"
                " service shaft.",
            ),
            Text(
                "Le numéro de série est imprimé sur l'appareil, souvent près du cadran ou du code-barres. Il"
                " est fait de chiffres, parfois de lettres.",
                "The serial number is printed on the device, often near the dial or the bar code. It"
                " consists of digits, and of letters on some.",
            ),
        ),
    ),
)

_CLASS_LABELS: Final = MappingProxyType(
    {
        CharacterClass.LOWER: Text("Une minuscule", "A small letter"),
        CharacterClass.UPPER: Text("Une majuscule", "A capital letter"),
        CharacterClass.DIGIT: Text("Un chiffre", "A digit"),
        CharacterClass.SPECIAL: Text("Un caractère spécial", "A special character"),
    }
)


def length_label(characters: int) -> Text:
    return Text(f"{characters} caractères minimum", f"At least {characters} characters")


def class_rule(kind: CharacterClass) -> ClassRule:
    return ClassRule(kind.value, _CLASS_LABELS[kind], frozenset({kind}))


def purpose(operator: str) -> Text:
    return Text(
        f"{operator} traite vos données pour créer votre compte, vous montrer les consommations de votre"
        " logement et vous envoyer les notifications que vous choisissez.",
        f"{operator} processes your data to create your account, to show you the consumption of your home"
        " and to send you the notifications that you choose.",
    )


LEGAL_BASIS: Final = Text(
    "L'exécution du service souscrit par votre gestionnaire ou bailleur ; votre consentement pour l'accès de"
    " votre gestionnaire à vos consommations journalières et pour chaque notification.",
    "Performance of the service that your manager or landlord subscribed to; your consent for your manager's"
    " access to your daily consumption and for each notification.",
)

RIGHTS: Final = Text(
    "Vous pouvez accéder à vos données, les rectifier, les effacer, en limiter l'usage, les emporter, vous y"
    " opposer, retirer tout consentement, et saisir la CNIL.",
    "You may see, correct, erase, restrict, take away and object to the use of your data, withdraw any"
    " consent, and complain to the CNIL.",
)


def retention(*, hours: int, days: int) -> Text:
    """How long what is stored remains, by the operator's own periods."""
    return Text(
        f"Une demande non terminée est effacée après {hours} heures ; votre compte, {days} jours après votre"
        " départ.",
        f"A request that is not finished is erased after {hours} hours; your account, {days} days after you"
        " leave.",
    )

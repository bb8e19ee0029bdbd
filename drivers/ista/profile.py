"""The registration of ista France for «Mes suivis de consommation»: a serial, six steps, a code by e-mail.

In: nothing. Out: the operator's profile. The one rule: the French texts are quoted from ista's guide where it
has one (R-128 to R-226); its privacy notice is about quotations (R-213), so this one differs (C-31).
"""

import re
from types import MappingProxyType
from typing import Final

from submeter.vendor.operators import (
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
    OccupancyChoice,
    OccupancyKind,
    OperatorProfile,
    PasswordPolicy,
    Path,
    PrivacyNotice,
    SignUpStage,
    Step,
    Text,
)

PASSWORD_POLICY: Final = PasswordPolicy(
    minimum_characters=10,
    length_label=Text("10 caractères minimum", "At least 10 characters"),
    rules=(
        ClassRule("LOWER", Text("Minuscules", "Small letters"), frozenset({CharacterClass.LOWER})),
        ClassRule("UPPER", Text("Majuscules", "Capital letters"), frozenset({CharacterClass.UPPER})),
        ClassRule(
            "DIGIT_OR_SPECIAL",
            Text("Chiffres ou caractères spéciaux (@$!%*&)", "Digits or special characters (@$!%*&)"),
            frozenset({CharacterClass.DIGIT, CharacterClass.SPECIAL}),
            any_of=True,
        ),
    ),
    specials="@$!%*&",
)

PRIVACY: Final = PrivacyNotice(
    version="2026-11",
    purpose=Text(
        "ista traite vos données pour créer votre compte « Mes suivis de consommation », vous montrer les"
        " consommations de votre logement et vous envoyer les notifications que vous choisissez.",
        "ista processes your data to create your account, to show you the consumption of your home and to"
        " send you"
        " the notifications you choose.",
    ),
    legal_basis=Text(
        "L'exécution du service souscrit par votre syndic ou bailleur ; votre consentement pour l'accès de"
        " votre"
        " gestionnaire à vos consommations journalières, pour chaque notification et pour la newsletter.",
        "Performance of the service your manager or landlord subscribed to; your consent for your manager's"
        " access"
        " to your daily consumption, for each notification and for the newsletter.",
    ),
    retention=Text(
        "Une demande non terminée est effacée sous 24 heures. Les consommations journalières sont conservées"
        " 3 ans,"
        " votre compte jusqu'à un an après votre départ.",
        "A request that is not finished is erased within 24 hours. Daily consumption is kept for 3 years,"
        " your"
        " account until one year after you leave.",
    ),
    rights=Text(
        "Vous pouvez accéder à vos données, les rectifier, les effacer, en limiter l'usage, les emporter,"
        " vous y"
        " opposer, retirer tout consentement, et saisir la CNIL.",
        "You may see, correct, erase, restrict, take away and object to the use of your data, withdraw any"
        " consent, and complain to the CNIL.",
    ),
    contact=Text(
        "Bouton « Contacter l'assistance », en haut à droite du formulaire",
        "The button “Contact support”, top right of the form",
    ),
    url="https://monespaceista.fr",
)

_COMMON_PARTS: Final = Text(
    "Si votre appareil est installé dans les parties communes, et si vous n'êtes pas sûr qu'il s'agisse bien"
    " du"
    " vôtre, demandez confirmation à votre gestionnaire ou contactez-nous.",
    "If your device hangs in the common parts and you are not sure that it is yours, ask your manager or us.",
)
_NOTE_SERIAL: Final = Text(
    "Notez le numéro de série à 9 chiffres. C'est le chiffre le plus visible, situé juste au-dessus de votre"
    " index.",
    "Write down the 9-digit serial number. It is the most visible number, just above your index.",
)
_NOTE_INDEX: Final = Text(
    "Relevez et notez votre index : les 5 chiffres sur fond noir",
    "Read and write down your index: the 5 digits on black",
)


def _help(fluid: Fluid, look_for: Text) -> HelpPage:
    return HelpPage(
        title=Text("Trouver mon numéro de série", "Find my serial number"),
        items=(look_for, _NOTE_SERIAL, _NOTE_INDEX, _COMMON_PARTS),
        fluid=fluid,
    )


HELP: Final = (
    _help(
        Fluid.HOT_WATER,
        Text(
            "Cherchez votre compteur eau chaude Il est généralement dans la cuisine ou la salle de bain. Il"
            " est rouge"
            " ou comporte un liseré rouge, selon le modèle.",
            "Look for your hot water meter. It is usually in the kitchen or bathroom, and red or with a red"
            " edge.",
        ),
    ),
    _help(
        Fluid.COLD_WATER,
        Text(
            "Cherchez votre compteur eau froide. Il est généralement dans la cuisine ou la salle de bain. Il"
            " est bleu"
            " ou comporte un liseré bleu, selon le modèle.",
            "Look for your cold water meter. It is usually in the kitchen or bathroom, and blue or with a"
            " blue edge.",
        ),
    ),
    _help(
        Fluid.HEAT,
        Text(
            "Cherchez votre compteur de chauffage. Il est généralement dans une gaine technique ou près de la"
            " chaudière.",
            "Look for your heat meter. It is usually in a service shaft or near the boiler.",
        ),
    ),
)

_TWO_DIGITS: Final = re.compile(r"\d{1,2}", re.ASCII)


def dwelling_code(parts: DwellingParts) -> str | None:
    """Bâtiment, escalier, étage, number, two digits each: `01030001` (R-181); None if one is not a number."""
    named = (parts.building, parts.staircase, parts.floor, parts.number)
    if not all(_TWO_DIGITS.fullmatch(part) for part in named):
        return None
    return "".join(part.zfill(2) for part in named)


PROFILE: Final = OperatorProfile(
    code="ista",
    name="ista France",
    portal_name="Mes suivis de consommation",
    portal_url="https://monespaceista.fr",
    registration_url="https://monespaceista.fr",
    stages=(
        SignUpStage(
            Text("Saisir un numéro de série", "Enter a serial number"), (Step.RESIDENCE, Step.DWELLING)
        ),
        SignUpStage(
            Text("Attester être l'occupant du logement", "Declare that you live there"), (Step.ATTESTATION,)
        ),
        SignUpStage(Text("Saisir la date d'entrée", "Enter the day of moving in"), (Step.PROFILE,)),
        SignUpStage(
            Text("Activer de suite les options importantes", "Choose the important options"), (Step.OPTIONS,)
        ),
        SignUpStage(Text("Vos informations personnelles", "Your personal data"), (Step.PERSONAL_DATA,)),
        SignUpStage(Text("Vérification", "Verification"), (Step.VERIFICATION,)),
    ),
    residence_paths=(Path.SERIAL, Path.BUILDING_CODE),
    dwelling_paths=(Path.DWELLING_REFERENCE, Path.SERIAL),
    residence_code=CodeFormat(pattern=r"\d{6,10}", example="50001369"),
    occupancies=(
        OccupancyChoice(OccupancyKind.OWNER_OCCUPIER, Text("Propriétaire", "Owner")),
        OccupancyChoice(OccupancyKind.TENANT, Text("Locataire", "Tenant")),
    ),
    devices=(
        DeviceChoice("HOT_WATER", Text("Eau chaude", "Hot water"), frozenset({Fluid.HOT_WATER})),
        DeviceChoice("COLD_WATER", Text("Eau froide", "Cold water"), frozenset({Fluid.COLD_WATER})),
        DeviceChoice("HEATING", Text("Chauffage", "Heating"), frozenset({Fluid.HEAT, Fluid.HEAT_ALLOCATOR})),
        DeviceChoice("UNKNOWN", Text("Je ne sais pas", "I do not know")),
    ),
    strict_nine_digit_serial=True,
    serial_example="542 361 524",
    activation=ActivationMode.EMAIL_CODE,
    password_policy=PASSWORD_POLICY,
    contact=Contact(name="ista France", email="assistance@ista.example", website="https://monespaceista.fr"),
    privacy=PRIVACY,
    terms_version=None,
    consent_version="2026-11",
    help_pages=HELP,
    move_in=Asking.REQUIRED,
    newsletter=True,
    dwelling_code=dwelling_code,
    texts=MappingProxyType(
        {
            "page.intro": Text(
                "La création d'un compte au portail résident n'est possible que si votre syndic ou bailleur"
                " a souscrit"
                " auprès d'ista au service de comptage d'appareils télérelevés, avec l'option « Portail"
                " résident ».",
                "An account is possible only where your manager or landlord has subscribed to remote"
                " metering by"
                " ista with the option “Portail résident”.",
            ),
            "form.SERIAL.hint": Text(
                "Pour commencer, nous avons besoin d'identifier votre logement. Pour cela, renseignez le"
                " numéro de"
                " série d'un de vos appareils ista ou votre code immeuble.",
                "First we need to identify your home. Give the serial number of one of your ista devices, or"
                " your"
                " building code.",
            ),
            "form.BUILDING_CODE": Text("Code immeuble ista", "ista building code"),
            "confirmation.code": Text("Code immeuble ista :", "ista building code:"),
            "confirmation.dwelling_code": Text("Code logement ista :", "ista dwelling code:"),
            "field.attested": Text(
                "J'atteste être l'occupant actuel du logement", "I declare that I live in this home"
            ),
            "field.phone": Text("Mobile", "Mobile"),
            "field.newsletter": Text(
                "Je m'inscris à la newsletter d'ista pour m'informer sur les domaines de l'énergie, du"
                " bâtiment et de"
                " la copropriété",
                "Send me ista's newsletter on energy, buildings and co-ownership",
            ),
            "button.help_close": Text("J'ai compris", "I understand"),
            "screen.COMPLETE.text": Text(
                'Votre compte "Mes suivis de consommation" a été créé avec succès.\n'
                "Vous pouvez vous connecter à votre portail résident.",
                'Your account "Mes suivis de consommation" has been created.\n'
                "You can sign in to your resident portal.",
            ),
        }
    ),
)

"""The registration of OCEA Smart Building for ISI HABITAT: four steps, then a temporary password by e-mail.

In: nothing. Out: the operator's profile. The one rule: the French texts are quoted from OCEA's guide where it
has one (R-017 to R-065, R-112 to R-115); the English texts are translations.
"""

from types import MappingProxyType
from typing import Final

from submeter.vendor.operators import (
    ActivationMode,
    CharacterClass,
    ClassRule,
    CodeFormat,
    Contact,
    DeviceChoice,
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

_PORTAL: Final = "https://espace-resident.ocea-sb.com/"

PASSWORD_POLICY: Final = PasswordPolicy(
    minimum_characters=8,
    length_label=Text("Contenir un minimum de 8 caractères", "At least 8 characters"),
    rules=(
        ClassRule(
            "UPPER_AND_LOWER",
            Text(
                "Contenir au moins une majuscule et une minuscule",
                "At least one capital and one small letter",
            ),
            frozenset({CharacterClass.UPPER, CharacterClass.LOWER}),
        ),
        ClassRule(
            "DIGIT_AND_SPECIAL",
            Text("Contenir un chiffre et un caractère spécial", "A digit and a special character"),
            frozenset({CharacterClass.DIGIT, CharacterClass.SPECIAL}),
        ),
    ),
)

PRIVACY: Final = PrivacyNotice(
    version="2026-11",
    purpose=Text(
        "Vos données servent à créer votre accès à l'Espace Résident ISI HABITAT, à vous montrer les"
        " consommations"
        " de votre logement et à vous prévenir des fuites selon vos choix.",
        "Your data serve to create your access to the resident portal ISI HABITAT, to show you the"
        " consumption of"
        " your home and to warn you of leaks as you choose.",
    ),
    legal_basis=Text(
        "L'exécution du service de suivi souscrit pour votre logement ; votre consentement pour l'accès de"
        " votre"
        " gestionnaire à vos données quotidiennes et pour chaque moyen de notification.",
        "Performance of the metering service subscribed for your home; your consent for your manager's"
        " access to"
        " your daily data and for each way of being notified.",
    ),
    retention=Text(
        "Une demande non terminée est effacée sous 24 heures. Les données quotidiennes sont conservées 3"
        " ans, votre"
        " compte jusqu'à un an après votre départ.",
        "A request that is not finished is erased within 24 hours. Daily data are kept for 3 years, your"
        " account"
        " until one year after you leave.",
    ),
    rights=Text(
        "Vous pouvez accéder à vos données, les rectifier, les effacer, en limiter l'usage, les emporter,"
        " vous y"
        " opposer, retirer tout consentement, et saisir la CNIL.",
        "You may see, correct, erase, restrict, take away and object to the use of your data, withdraw any"
        " consent, and complain to the CNIL.",
    ),
    contact=Text(
        "OCEA Smart Building, 1 Place Victor Hugo, 92400 Courbevoie, 0 810 006 841",
        "OCEA Smart Building, 1 Place Victor Hugo, 92400 Courbevoie, France, 0 810 006 841",
    ),
    url="https://www.groupe-ocea.fr",
)

TERMS: Final = Text(
    "Conditions générales d'utilisation du portail ISI HABITAT\n"
    "1. Le portail vous montre les consommations relevées dans votre logement et les alertes de fuite.\n"
    "2. L'accès est personnel et gratuit ; votre mot de passe ne se communique pas.\n"
    "3. Une alerte est une aide : l'absence d'alerte ne prouve pas l'absence de fuite. En cas de fuite,"
    " fermez l'arrivée d'eau et prévenez votre gestionnaire.\n"
    "4. Les consommations affichées n'ont pas valeur de facture.\n"
    "5. Votre accès prend fin un an après votre départ du logement ; vous pouvez demander avant la"
    " suppression de votre compte.\n"
    "6. Vos données personnelles sont traitées comme le décrit la politique de confidentialité.",
    "Terms of use of the portal ISI HABITAT\n"
    "1. The portal shows you the consumption read in your home, and leak alerts.\n"
    "2. Access is personal and free of charge; your password is not to be shared.\n"
    "3. An alert is a help: no alert does not prove that there is no leak. If there is one, close the"
    " stopcock and tell your manager.\n"
    "4. The consumption shown is no bill.\n"
    "5. Your access ends one year after you leave the home. You may ask for its deletion before.\n"
    "6. Your personal data are processed as the privacy policy says.",
)

_SERIAL_TITLE: Final = Text(
    "Où trouver le numéro de série de mon appareil ?", "Where is the serial number of my device?"
)
_SERIAL_IS: Final = Text(
    "Le numéro de série de votre appareil est un ensemble composé de chiffres (mais qui peut contenir des"
    " lettres)"
    " qui se situe sur votre appareil de comptage.",
    "The serial number of your device is a group of digits (which may hold letters) on the device itself.",
)


_GUIDE: Final = Text(
    "Guide identification compteur : chaque modèle de compteur y est montré avec son numéro de série.",
    "Guide to meters: it shows each model with its serial number.",
)


def _help(fluid: Fluid, place: Text) -> HelpPage:
    return HelpPage(
        title=_SERIAL_TITLE,
        items=(_SERIAL_IS, place, _GUIDE),
        fluid=fluid,
        guide_label=Text("Télécharger notre guide des compteurs (PDF)", "Download our guide to meters (PDF)"),
    )


HELP: Final = (
    _help(
        Fluid.COLD_WATER,
        Text(
            "Sur le compteur d'eau froide, il est gravé sur la bague ou imprimé sur le cadran : H8CA029620.",
            "On the cold water meter it is engraved on the ring or printed on the dial: H8CA029620.",
        ),
    ),
    _help(
        Fluid.HOT_WATER,
        Text(
            "Sur le compteur d'eau chaude, à liseré rouge, il est gravé sur la bague ou imprimé sur le"
            " cadran.",
            "On the hot water meter, which has a red edge, it is engraved on the ring or printed on the"
            " dial.",
        ),
    ),
    _help(
        Fluid.HEAT,
        Text(
            "Sur le compteur d'énergie thermique, il est imprimé sous l'écran, près du code-barres.",
            "On the heat meter it is printed below the display, near the bar code.",
        ),
    ),
)

PROFILE: Final = OperatorProfile(
    code="ocea",
    name="OCEA Smart Building",
    portal_name="ISI HABITAT",
    portal_url=_PORTAL,
    registration_url="https://espace-resident-inscription.ocea-sb.com/",
    stages=(
        SignUpStage(
            Text("Êtes-vous propriétaire ou locataire ?", "Are you owner or tenant?"), (Step.OCCUPANCY,)
        ),
        SignUpStage(Text("Rechercher votre résidence", "Find your residence"), (Step.RESIDENCE,)),
        SignUpStage(
            Text(
                "Saisissez le n° de série d'un appareil de votre logement",
                "Enter the serial number of a device of your home",
            ),
            (Step.DWELLING,),
        ),
        SignUpStage(
            Text("Saisissez vos informations", "Enter your data"),
            (Step.ATTESTATION, Step.PERSONAL_DATA, Step.FIRST_SIGN_IN),
        ),
    ),
    residence_paths=(Path.SITE_CODE, Path.ADDRESS),
    dwelling_paths=(Path.SERIAL, Path.LOT_NUMBER),
    residence_code=CodeFormat(pattern=r"[A-Z]{2}[0-9]{3}", example="AA000"),
    occupancies=(
        OccupancyChoice(
            OccupancyKind.OWNER_NON_OCCUPANT,
            Text("Propriétaire", "Owner"),
            Text(
                "à choisir si vous êtes propriétaire du logement mais que vous n'occupez pas le logement.",
                "if you own the home but do not live in it.",
            ),
        ),
        OccupancyChoice(
            OccupancyKind.TENANT,
            Text("Locataire ou propriétaire-occupant", "Tenant, or owner who lives there"),
            Text(
                "à choisir si vous occupez le logement sur lequel vous souhaitez ouvrir l'accès, que ce soit"
                " en"
                " qualité de locataire ou de propriétaire occupant.",
                "if you live in the home that you ask access to, as its tenant or as its owner.",
            ),
        ),
    ),
    devices=(
        DeviceChoice("COLD_WATER", Text("Eau froide", "Cold water"), frozenset({Fluid.COLD_WATER})),
        DeviceChoice(
            "HOT_WATER_OR_HEAT",
            Text("Eau chaude ou compteur d'énergie thermique", "Hot water or heat meter"),
            frozenset({Fluid.HOT_WATER, Fluid.HEAT}),
        ),
        DeviceChoice("UNKNOWN", Text("Je ne sais pas", "I do not know")),
    ),
    serial_example="H8CA029620",
    activation=ActivationMode.TEMPORARY_PASSWORD,
    password_policy=PASSWORD_POLICY,
    contact=Contact(
        name="OCEA Smart Building",
        email="contact@ocea-sb.example",
        phone="0 810 006 841",
        address="1 Place Victor Hugo, 92400 Courbevoie",
        website="https://www.groupe-ocea.fr",
    ),
    privacy=PRIVACY,
    terms_version="2026-11",
    terms_text=TERMS,
    consent_version="2026-11",
    help_pages=HELP,
    texts=MappingProxyType(
        {
            "page.title": Text("Activer votre espace résident ISI HABITAT®", "Open your portal ISI HABITAT®"),
            "page.subtitle": Text("Espace Résident", "Resident portal"),
            "page.intro": Text(
                "Suivre en ligne les consommations de votre résidence.\n"
                "Disposer d'alertes par mail ou par SMS en cas d'alertes fuites et de nouveaux documents"
                " déposés"
                " sur votre espace.\n"
                "Une fois l'inscription terminée, votre compte Espace Résident est créé.",
                "Follow the consumption of your residence online.\n"
                "Be warned by e-mail or SMS of leaks and of new documents in your space.\n"
                "At the end of the registration your account of the resident portal exists.",
            ),
            "button.continue": Text("CONTINUER", "CONTINUE"),
            "button.create": Text("ACTIVER MON COMPTE", "ACTIVATE MY ACCOUNT"),
            "button.cancel": Text("ANNULER MA DEMANDE", "CANCEL MY REQUEST"),
            "button.help": Text(
                "Où trouver le n° de série de mon appareil ?", "Where is the serial number of my device?"
            ),
            "button.help_close": Text("FERMER", "CLOSE"),
            "form.SITE_CODE": Text(
                "Code site (composé de 2 lettres puis 3 chiffres)", "Site code (2 letters, then 3 digits)"
            ),
            "form.SITE_CODE.hint": Text(
                "Ce code est toujours composé de deux lettres et trois chiffres, exemple : «AA000». Ce code"
                " apparaît"
                " sur le flyer que vous avez dû recevoir. Si vous ne disposez pas de ce code, il apparaît"
                " sur les"
                " états de relèves et justificatif de consommation envoyés par nos services. Votre"
                " gestionnaire"
                " devrait également connaître ce code",
                "The code is always two letters and three digits, such as AA000. It stands on the flyer you"
                " received,"
                " on the reading statements and consumption certificates we send, and your manager knows it.",
            ),
            "form.SERIAL": Text(
                "Saisissez le n° de série d'un appareil de votre logement",
                "Enter the serial number of a device of your home",
            ),
            "form.LOT_NUMBER": Text("Saisir plutôt un numéro de lot", "Enter a lot number instead"),
            "form.PERSONAL_DATA": Text("Saisissez vos informations", "Enter your data"),
            "confirmation.code": Text("Code site :", "Site code:"),
            "field.manager_daily_data": Text(
                "J'autorise mon gestionnaire ou bailleur à accéder à mes données de consommations"
                " quotidiennes afin"
                " qu'il puisse m'accompagner au mieux sur l'individualisation des frais de ma résidence",
                "I let my manager or landlord see my daily consumption, so that they can support me with the"
                " individual billing of my residence",
            ),
        }
    ),
)

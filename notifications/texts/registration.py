"""Texts about registration: codes, temporary passwords, a manager's decision; French and English.

In: nothing. Out: a subject and a text for each template and language, with the names of the values in braces.
The one rule: a code, password or link is in the text only; and an e-mail to an address that has an account
does not reveal who registered.
"""

from core.language import Language

REGISTRATION_WORDS: dict[tuple[str, Language], tuple[str, str]] = {
    ("registration_code", Language.FR): (
        "{portal} : votre code de vérification",
        (
            "Votre code de vérification est {code}. Il est valable 15 minutes.\n\n"
            "Si vous n'avez pas demandé de compte, ignorez ce message."
        ),
    ),
    ("registration_code", Language.EN): (
        "{portal}: your verification code",
        (
            "Your verification code is {code}. It is valid for 15 minutes.\n\n"
            "If you did not ask for an account, ignore this message."
        ),
    ),
    ("registration_temporary_password", Language.FR): (
        "{portal} : votre mot de passe temporaire",
        (
            "Votre mot de passe temporaire est {password}. Il sert une fois, dans les 24 heures.\n\n"
            "Connectez-vous avec cette adresse e-mail et ce mot de passe, puis choisissez le vôtre"
            " :\n\n{link}\n\n"
            "Si vous n'avez pas demandé de compte, ignorez ce message."
        ),
    ),
    ("registration_temporary_password", Language.EN): (
        "{portal}: your temporary password",
        (
            "Your temporary password is {password}. It works once, within 24 hours.\n\n"
            "Sign in with this e-mail address and this password, then choose your own:\n\n{link}\n\n"
            "If you did not ask for an account, ignore this message."
        ),
    ),
    ("registration_address_taken", Language.FR): (
        "{portal} : vous avez déjà un compte",
        (
            "Une inscription vient d'être demandée avec cette adresse e-mail, qui a déjà un compte."
            " Connectez-vous, "
            "ou utilisez « Mot de passe oublié » :\n\n{link}\n\n"
            "Si ce n'est pas vous, ignorez ce message : rien n'a changé."
        ),
    ),
    ("registration_address_taken", Language.EN): (
        "{portal}: you have an account already",
        (
            "A registration was asked for with this e-mail address, which has an account already. Sign in,"
            " or use "
            "“Forgotten password”:\n\n{link}\n\n"
            "If this was not you, ignore this message: nothing has changed."
        ),
    ),
    ("dwelling_request_opened", Language.FR): (
        "{portal} : une demande d'accès attend votre décision",
        (
            "Un résident demande l'accès au logement {place} de la résidence {residence}. "
            "Il ne voit rien tant que vous n'avez pas accepté sa demande :\n\n{link}"
        ),
    ),
    ("dwelling_request_opened", Language.EN): (
        "{portal}: a request for access waits for your decision",
        (
            "A resident asks for access to the home {place} of the residence {residence}. "
            "They see nothing until you have accepted the request:\n\n{link}"
        ),
    ),
    ("dwelling_request_received", Language.FR): (
        "{portal} : votre demande est en cours de vérification",
        (
            "Votre demande d'accès au logement {place} de la résidence {residence} est enregistrée. Votre"
            " gestionnaire la vérifie ; vous recevez un message dès qu'il a décidé, et vous ne voyez rien"
            " d'ici là. L'état de votre demande est visible sur votre portail :\n\n{link}"
        ),
    ),
    ("dwelling_request_received", Language.EN): (
        "{portal}: your request is being checked",
        (
            "Your request for access to the home {place} of the residence {residence} is registered. Your"
            " manager checks it; you get a message once it is decided, and see nothing until then. The state"
            " of your request is shown on your portal:\n\n{link}"
        ),
    ),
    ("dwelling_claimed", Language.FR): (
        "{portal} : quelqu'un demande l'accès à votre logement",
        (
            "Une personne déclare occuper le logement {place} de la résidence {residence} depuis le {day} et"
            " demande à en voir les données. Rien ne change tant que votre gestionnaire n'a pas décidé.\n\n"
            "Si vous y habitez encore, dites-le dès maintenant à votre gestionnaire ou à {operator}. Si vous"
            " êtes parti, indiquez votre dernier jour sur votre portail :\n\n{link}"
        ),
    ),
    ("dwelling_claimed", Language.EN): (
        "{portal}: somebody asks for access to your home",
        (
            "Somebody declares to have lived in the home {place} of the residence {residence} since {day},"
            " and asks to see its data. Nothing changes until your manager has decided.\n\n"
            "If you still live there, tell your manager or {operator} now. If you have left, enter your last"
            " day on your portal:\n\n{link}"
        ),
    ),
    ("dwelling_claim_refused", Language.FR): (
        "{portal} : la demande d'accès à votre logement est refusée",
        (
            "Votre gestionnaire n'a pas accepté la demande d'accès au logement {place} de la résidence"
            " {residence} : rien ne change pour vous.\n\n{link}"
        ),
    ),
    ("dwelling_claim_refused", Language.EN): (
        "{portal}: the request for access to your home is refused",
        (
            "Your manager has not accepted the request for access to the home {place} of the residence"
            " {residence}: nothing changes for you.\n\n{link}"
        ),
    ),
    ("departure_confirmed", Language.FR): (
        "{portal} : votre départ est enregistré",
        (
            "Vous avez indiqué votre départ du logement {place} ; votre dernier jour y est le {last_day}."
            " Vous gardez l'accès à votre propre période jusqu'au {until}, et votre adresse est libre pour un"
            " autre logement. Si c'est une erreur, contactez {operator} :\n\n{link}"
        ),
    ),
    ("departure_confirmed", Language.EN): (
        "{portal}: your departure is recorded",
        (
            "You have entered your departure from the home {place}; your last day there is {last_day}. You"
            " keep access to your own period until {until}, and your address is free for another home. If"
            " this is a mistake, contact {operator}:\n\n{link}"
        ),
    ),
    ("dwelling_request_approved", Language.FR): (
        "{portal} : votre accès est ouvert",
        "Votre gestionnaire a vérifié votre demande : les données de votre logement sont visibles.\n\n{link}",
    ),
    ("dwelling_request_approved", Language.EN): (
        "{portal}: your access is open",
        "Your manager has checked your request: the data of your home can be seen.\n\n{link}",
    ),
    ("dwelling_request_refused", Language.FR): (
        "{portal} : votre demande n'est pas acceptée",
        (
            "Votre gestionnaire n'a pas pu confirmer que ce logement est le vôtre. Contactez-le, ou"
            " contactez "
            "{operator}."
        ),
    ),
    ("dwelling_request_refused", Language.EN): (
        "{portal}: your request is not accepted",
        "Your manager could not confirm that this home is yours. Contact them, or {operator}.",
    ),
    ("occupancy_ended", Language.FR): (
        "{portal} : votre accès prend fin",
        (
            "Un nouvel occupant a été confirmé pour votre ancien logement. Vous gardez l'accès à votre"
            " propre "
            "période jusqu'au {until}. Si vous y habitez encore, contactez {operator}."
        ),
    ),
    ("occupancy_ended", Language.EN): (
        "{portal}: your access ends",
        (
            "A new occupant was confirmed for your former home. You keep access to your own period until"
            " {until}. "
            "If you still live there, contact {operator}."
        ),
    ),
    ("occupancy_end_recorded", Language.FR): (
        "{portal} : votre départ est enregistré",
        (
            "Votre gestionnaire a indiqué que vous quittez le logement {place} ; votre dernier jour y est le"
            " {last_day}. Vous gardez l'accès à votre propre période jusqu'au {until}. Si vous y habitez"
            " encore après ce jour, contactez votre gestionnaire ou {operator} :\n\n{link}"
        ),
    ),
    ("occupancy_end_recorded", Language.EN): (
        "{portal}: your departure is recorded",
        (
            "Your manager has recorded that you leave the home {place}; your last day there is {last_day}."
            " You keep access to your own period until {until}. If you still live there after that day,"
            " contact your manager or {operator}:\n\n{link}"
        ),
    ),
    ("index_certificate", Language.FR): (
        "{portal} : certificat d'index pour votre état des lieux",
        (
            "Le certificat d'index du logement {place} au {day} est disponible dans votre espace, signé par"
            " {operator}. Joignez-le à l'état des lieux :\n\n{link}\n\n"
            "Son code de vérification est {code}. Toute personne à qui vous le remettez peut le vérifier"
            " ici :\n\n{verify}"
        ),
    ),
    ("index_certificate", Language.EN): (
        "{portal}: index certificate for your inventory of fixtures",
        (
            "The index certificate of the home {place} on {day} is in your space, signed by {operator}."
            " Attach it to the inventory of fixtures:\n\n{link}\n\n"
            "Its verification code is {code}. Whoever you give it to can verify it here:\n\n{verify}"
        ),
    ),
    ("resident_invited", Language.FR): (
        "{portal} : suivez les consommations de votre logement",
        (
            "Votre gestionnaire vous invite à créer votre compte {portal} pour le logement {place}, résidence"
            " {residence}. Vous y suivez vos consommations d'eau et de chauffage, et vous êtes averti en cas"
            " de fuite :\n\n{link}\n\n"
            "Le code de votre résidence est {code}. Munissez-vous du numéro de série d'un compteur de votre"
            " logement.\n\n"
            "Si vous n'habitez pas ce logement, ignorez ce message."
        ),
    ),
    ("resident_invited", Language.EN): (
        "{portal}: follow the consumption of your home",
        (
            "Your manager invites you to open your {portal} account for the home {place}, residence"
            " {residence}. It shows your consumption of water and heat, and warns you of a leak:"
            "\n\n{link}\n\n"
            "The code of your residence is {code}. Have the serial number of a meter of your home at hand."
            "\n\n"
            "If you do not live in this home, ignore this message."
        ),
    ),
    ("support_request", Language.FR): (
        "{portal} : question d'un résident",
        "De : {email}\n\n{question}",
    ),
    ("support_request", Language.EN): (
        "{portal}: a resident's question",
        "From: {email}\n\n{question}",
    ),
}

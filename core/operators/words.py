"""The application's own texts of sign-up and access, in French and English; an operator may replace those of
the sign-up.

Keys: `form.<FORM>` and `form.<FORM>.hint`, `field.<name>`, `button.<act>`, `confirmation.<line>`,
`screen.<STEP>` and `screen.<STEP>.text`, `error.<CODE>`. The French is the guides' where they have such a
text; the codes are those of the error catalogue. The one rule: a sentence never discloses more than its code,
so that "no such" and "not yours" read alike.
"""

from collections.abc import Mapping
from types import MappingProxyType

from core.language import Text

_PAGE = {
    "page.title": Text("Créer votre compte", "Create your account"),
    "page.subtitle": Text("Identifier votre logement", "Find your home"),
    "page.intro": Text(
        "Suivre en ligne les consommations de votre résidence.",
        "Follow the consumption of your home online.",
    ),
    "button.continue": Text("Continuer", "Continue"),
    "button.verify": Text("Vérifier", "Check"),
    "button.cancel": Text("Annuler ma demande", "Cancel my request"),
    "button.create": Text("Créer mon compte", "Create my account"),
    "button.support": Text("Contacter l'assistance", "Contact support"),
    "button.not_my_dwelling": Text("Ce n'est pas mon logement", "This is not my home"),
    "button.resend_code": Text(
        "Vous n'avez pas reçu le code ? Renvoyer le code", "No code received? Send it again"
    ),
    "button.correct_email": Text("Corriger mon adresse email", "Correct my e-mail address"),
    "button.sign_in": Text("Se connecter", "Sign in"),
    "button.help": Text("Aide", "Help"),
    "button.help_close": Text("Fermer", "Close"),
}

_FORMS = {
    "form.OCCUPANCY": Text("Êtes-vous propriétaire ou locataire ?", "Are you owner or tenant?"),
    "form.SITE_CODE": Text("Code site", "Site code"),
    "form.ADDRESS": Text(
        "Je ne connais pas le code site, je préfère saisir l'adresse",
        "I do not know the site code and prefer to give the address",
    ),
    "form.RESIDENCE": Text("Choisissez votre résidence", "Choose your residence"),
    "form.BUILDING_CODE": Text("Code immeuble", "Building code"),
    "form.SERIAL": Text("Numéro de série d'un de mes appareils", "Serial number of one of my devices"),
    "form.LOT_NUMBER": Text("Saisie par numéro de lot", "By lot number"),
    "form.LOT_NUMBER.hint": Text(
        "Sans numéro de série, votre gestionnaire vérifie votre demande.",
        "Without a serial number your manager checks your request.",
    ),
    "form.DWELLING_REFERENCE": Text("Référence logement", "Dwelling reference"),
    "form.DWELLING_REFERENCE.hint": Text(
        "Sans numéro de série, votre gestionnaire vérifie votre demande.",
        "Without a serial number your manager checks your request.",
    ),
    "form.ATTESTATION": Text("Confirmation d'occupation du logement", "Confirmation of occupancy"),
    "form.PROFILE": Text("Votre Profil", "Your profile"),
    "form.PROFILE.hint": Text(
        "Afin de créer votre compte, nous avons besoin de quelques informations.",
        "To create your account we need some information.",
    ),
    "form.OPTIONS": Text("Activer vos options", "Choose your options"),
    "form.OPTIONS.hint": Text(
        "Afin de recevoir des notifications et pour autoriser votre gestionnaire à visualiser vos"
        " consommations"
        " journalières, activez vos options.",
        "To be notified, and to let your manager see your daily consumption, choose your options.",
    ),
    "form.PERSONAL_DATA": Text("Vos informations personnelles", "Your personal data"),
    "form.PERSONAL_DATA.hint": Text(
        "Afin de créer votre compte, renseignez vos informations personnelles",
        "To create your account, give your personal data",
    ),
    "form.VERIFICATION": Text("Vérification de votre identité", "Verification of your identity"),
}

_FIELDS = {
    "field.kind": Text("Je suis :", "I am:"),
    "field.code": Text("Code", "Code"),
    "field.postcode": Text("Code postal", "Postcode"),
    "field.street": Text("Rue", "Street"),
    "field.residence": Text("Résidence", "Residence"),
    "field.serial": Text("Numéro de série de l'un de vos appareils", "Serial number of one of your devices"),
    "field.device": Text("Type d'appareil", "Kind of device"),
    "field.lot": Text("Numéro de lot", "Lot number"),
    "field.reference": Text("Référence logement", "Dwelling reference"),
    "field.attested": Text(
        "J'atteste sur l'honneur que ce logement est le mien", "I declare on my honour that this home is mine"
    ),
    "field.contested": Text(
        "Un compte existe déjà pour ce logement, et ce n'est pas le mien",
        "An account exists already for this home, and it is not mine",
    ),
    "field.move_in": Text(
        "J'atteste être entré(e) dans ce logement en date du :", "I declare that I moved into this home on:"
    ),
    "field.move_in.help": Text(
        "Pourquoi vous demander la date d'entrée dans votre logement ?\n"
        "Cette date est importante car elle vous permettra de consulter l'historique de vos consommations"
        " mensuelles depuis cette date.",
        "Why ask for the day on which you moved in?\n"
        "This date matters: it lets you see the history of your monthly consumption from then on.",
    ),
    "field.council_member": Text(
        "Je fais partie du conseil syndical :", "I am a member of the owners' council:"
    ),
    "field.leak_by_email": Text("Être notifié en cas de fuite, par email", "Be notified of a leak by e-mail"),
    "field.leak_by_sms": Text("Être notifié en cas de fuite, par SMS", "Be notified of a leak by SMS"),
    "field.leak_by_email.help": Text(
        "Un e-mail vous est envoyé dès qu'une fuite est constatée, quand elle s'aggrave et quand elle cesse.",
        "An e-mail is sent to you as soon as a leak is found, when it gets worse and when it ends.",
    ),
    "field.leak_by_sms.help": Text(
        "Un SMS vous est envoyé dans les mêmes cas. Il faut un numéro de mobile, que vous confirmez par un"
        " code.",
        "An SMS is sent to you in the same cases. It takes a mobile number, which you confirm by a code.",
    ),
    "field.over_consumption_by_email.help": Text(
        "Un e-mail vous est envoyé quand un mois dépasse le double de votre consommation habituelle.",
        "An e-mail is sent to you when a month passes twice your usual consumption.",
    ),
    "field.manager_daily_data.help": Text(
        "Sans votre accord, votre gestionnaire voit vos consommations par mois seulement. Vous pouvez changer"
        " d'avis à tout moment ; votre accord prend fin avec votre départ.",
        "Without your consent your manager sees your consumption by month only. You can change your mind at"
        " any time; your consent ends when you leave.",
    ),
    "field.over_consumption_by_email": Text(
        "Être notifié en cas de surconsommation", "Be notified of over-consumption"
    ),
    "field.manager_daily_data": Text(
        "Autoriser mon gestionnaire à voir mes consommations journalières",
        "Let my manager see my daily consumption",
    ),
    "field.civility": Text("Civilité", "Title"),
    "field.last_name": Text("Nom", "Last name"),
    "field.first_name": Text("Prénom", "First name"),
    "field.phone": Text("Téléphone (obligatoire pour les alertes sms)", "Phone (needed for SMS alerts)"),
    "field.email": Text("Adresse mail", "E-mail address"),
    "field.password": Text("Mot de passe", "Password"),
    "field.password_confirmation": Text("Confirmer le mot de passe", "Repeat the password"),
    "field.privacy_acknowledged": Text(
        "En cochant cette case, vous confirmez avoir pris connaissance de notre politique de confidentialité"
        " et"
        " du traitement de vos données",
        "By ticking this box you confirm that you have read our privacy policy and how your data are"
        " processed",
    ),
    "field.newsletter": Text("Je m'inscris à la newsletter", "Send me the newsletter"),
    "field.verification_code": Text("Code à 6 chiffres", "Six-digit code"),
    "choice.YES": Text("Oui", "Yes"),
    "choice.NO": Text("Non", "No"),
    "choice.UNDISCLOSED": Text("Ne souhaite pas répondre", "Prefer not to say"),
    "choice.MADAME": Text("Madame", "Mrs"),
    "choice.MONSIEUR": Text("Monsieur", "Mr"),
}

_CONFIRMATION = {
    "confirmation.residence": Text("Vérifiez votre immeuble :", "Check your building:"),
    "confirmation.dwelling": Text(
        "Vous demandez l'accès aux données de ce logement :", "You ask for access to the data of this home:"
    ),
    "confirmation.name": Text("Nom de l'immeuble :", "Name of the building:"),
    "confirmation.code": Text("Code immeuble :", "Building code:"),
    "confirmation.address": Text("Adresse :", "Address:"),
    "confirmation.reference": Text("Code / numéro :", "Code / number:"),
    "confirmation.dwelling_code": Text("Code logement :", "Dwelling code:"),
    "confirmation.building": Text("Bâtiment :", "Building:"),
    "confirmation.staircase": Text("Escalier :", "Staircase:"),
    "confirmation.floor": Text("Étage :", "Floor:"),
    "confirmation.number": Text("Porte :", "Door:"),
    "confirmation.lot": Text("Lot :", "Lot:"),
    "confirmation.unknown": Text("Non renseigné", "Not given"),
}

_SCREENS = {
    "screen.VERIFICATION": Text("Vérification de votre identité", "Verification of your identity"),
    "screen.VERIFICATION.text": Text(
        "Un email vous a été envoyé à l'adresse {email}\nConfirmez votre inscription en saisissant le code à"
        " 6"
        " chiffres contenu dans cet email.",
        "An e-mail was sent to {email}\nConfirm your registration with the six-digit code in it.",
    ),
    "screen.FIRST_SIGN_IN": Text("Consultez vos e-mails", "See your e-mails"),
    "screen.FIRST_SIGN_IN.text": Text(
        "Un email contenant un mot de passe temporaire a été envoyé à l'adresse {email}. Connectez-vous avec"
        " cette"
        " adresse et ce mot de passe.",
        "An e-mail with a temporary password was sent to {email}. Sign in with this address and password.",
    ),
    "screen.UNDER_REVIEW": Text(
        "Votre demande est en cours de vérification", "Your request is being checked"
    ),
    "screen.UNDER_REVIEW.text": Text(
        "Votre compte est créé. Votre gestionnaire vérifie votre demande avant de vous donner accès au"
        " logement.",
        "Your account exists. Your manager checks your request before you get access to the home.",
    ),
    "screen.COMPLETE": Text("Félicitations !", "Congratulations!"),
    "screen.COMPLETE.text": Text(
        "Votre compte a été créé avec succès.\nVous pouvez vous connecter à votre portail résident.",
        "Your account has been created.\nYou can sign in to your resident portal.",
    ),
}

_ERRORS = {
    "error.RESIDENCE_NOT_FOUND": Text(
        "Aucune résidence ne correspond à votre saisie.", "No residence matches what you entered."
    ),
    "error.OPTION_NOT_SUBSCRIBED": Text(
        "La création d'un compte au portail résident n'est possible que si votre syndic ou bailleur a"
        " souscrit"
        " l'option « Portail résident ».",
        "An account is possible only where your manager or landlord has subscribed to the resident portal.",
    ),
    "error.NOT_PUBLISHED": Text("Portail en cours de construction", "Portal under construction"),
    "error.DEVICE_NOT_FOUND": Text(
        "Aucun appareil ne correspond à votre saisie.", "No device matches what you entered."
    ),
    "error.SERIAL_FORMAT_UNSUPPORTED": Text(
        "Le numéro de série attendu a neuf chiffres. Si celui de votre appareil n'en a pas neuf, saisissez"
        " d'abord votre code immeuble, puis ce numéro ou votre référence logement.",
        "The serial number that is expected has nine digits. If your device has another one, enter your"
        " building code first, then that number or your dwelling reference.",
    ),
    "error.SERIAL_AMBIGUOUS": Text(
        "Ce numéro ne suffit pas : saisissez d'abord le code de votre résidence.",
        "This number is not enough: enter the code of your residence first.",
    ),
    "error.DEVICE_NOT_REMOTE": Text(
        "Le suivi en ligne est réservé aux logements équipés d'appareils télérelevés.",
        "Online access is for homes whose devices are read remotely.",
    ),
    "error.DWELLING_REF_NOT_FOUND": Text(
        "Aucun logement ne correspond à votre saisie.", "No home matches what you entered."
    ),
    "error.ATTESTATION_REQUIRED": Text(
        "Confirmez que ce logement est le vôtre pour continuer.", "Confirm that this home is yours to go on."
    ),
    "error.NON_OCCUPANT_NOT_ALLOWED": Text(
        "Les copropriétaires non occupants ne doivent pas s'inscrire en lieu et place de leurs locataires.",
        "Owners who do not live there must not register in place of their tenants.",
    ),
    "error.DWELLING_ALREADY_REGISTERED": Text(
        "Un compte existe déjà pour ce logement. Si ce n'est pas le vôtre, signalez-le.",
        "An account exists already for this home. If it is not yours, tell us.",
    ),
    "error.MOVE_IN_IN_FUTURE": Text(
        "La date d'entrée ne peut pas être dans le futur.", "The day of moving in cannot be in the future."
    ),
    "error.PRIVACY_ACK_REQUIRED": Text(
        "Prenez connaissance de la politique de confidentialité pour continuer.",
        "Read the privacy policy to go on.",
    ),
    "error.PASSWORD_TOO_WEAK": Text(
        "Le mot de passe ne respecte pas tous les critères.", "The password does not meet every criterion."
    ),
    "error.PASSWORD_MISMATCH": Text(
        "Les deux mots de passe ne sont pas identiques.", "The two passwords are not the same."
    ),
    "error.PASSWORD_UNCHANGED": Text(
        "Choisissez un mot de passe différent de l'actuel.", "Choose a password other than the present one."
    ),
    "error.PASSWORD_WRONG": Text("Le mot de passe actuel est erroné.", "The present password is wrong."),
    "error.PHONE_INVALID": Text(
        "Ce numéro de téléphone n'est pas valable.", "This phone number is not valid."
    ),
    "error.PHONE_REQUIRED_FOR_SMS": Text(
        "Les alertes par SMS demandent un numéro de mobile, que vous confirmez par un code.",
        "Alerts by SMS need a mobile number, which you confirm by a code.",
    ),
    "error.EMAIL_INVALID": Text(
        "Cette adresse e-mail n'est pas valable.", "This e-mail address is not valid."
    ),
    "error.VALUE_REQUIRED": Text("Ce champ est obligatoire.", "This field is required."),
    "error.VALUE_INVALID": Text("Cette valeur n'est pas valable.", "This value is not valid."),
    "error.FORM_NOT_OFFERED": Text(
        "Cette étape n'est pas celle de votre demande.", "This is not the step your request is at."
    ),
    "error.CODE_INVALID": Text("Ce code n'est pas le bon.", "This is not the right code."),
    "error.CODE_EXPIRED": Text(
        "Ce code ou ce lien n'est plus valable : demandez-en un nouveau.",
        "This code or link is no longer valid: ask for a new one.",
    ),
    "error.CODE_RESEND_TOO_SOON": Text(
        "Un code vient d'être envoyé : patientez avant d'en demander un autre.",
        "A code has just been sent: wait before you ask for another.",
    ),
    "error.REGISTRATION_EXPIRED": Text(
        "Cette demande n'existe pas ou n'existe plus : recommencez.",
        "This request does not exist, or no longer: start again.",
    ),
    "error.RATE_LIMITED": Text(
        "Trop de tentatives : patientez avant de réessayer.", "Too many tries: wait before you try again."
    ),
    "error.SIGN_IN_REFUSED": Text(
        "L'adresse e-mail et le mot de passe ne correspondent pas.",
        "E-mail and password do not belong together.",
    ),
    "error.ACCOUNT_LOCKED": Text(
        "Trop de mots de passe erronés : patientez, ou utilisez « Mot de passe oublié ».",
        "Too many wrong passwords: wait, or use “Forgotten password”.",
    ),
    "error.LIMIT_OUT_OF_RANGE": Text("Cette limite n'est pas valable.", "This limit is not valid."),
    "error.CONSENT_NOT_THE_MANAGERS": Text(
        "L'occupant a refusé : lui seul peut revenir sur son choix.",
        "The occupant refused: only the occupant can change that.",
    ),
    "error.NO_OCCUPANT": Text(
        "Aucun occupant n'est connu dans ce logement.", "Nobody is known to live in this dwelling."
    ),
    "error.INVALID_INPUT": Text("Cette saisie n'est pas valable.", "What was entered is not valid."),
    "error.NOT_FOUND": Text(
        "Cet élément n'existe pas, ou ne vous est pas accessible.",
        "There is no such item, or it is not yours to see.",
    ),
    "error.CONFLICT": Text(
        "Cette demande ne correspond plus à ce qui est enregistré : actualisez la page.",
        "This request no longer fits what is stored: reload the page.",
    ),
    "error.RESIDENCE_NOT_READY": Text(
        "Les résidents n'y trouveraient encore aucune donnée : confirmez la publication.",
        "Residents would find no data there yet: confirm the publication.",
    ),
    "error.FORBIDDEN_PERIOD": Text(
        "Ce jour est en dehors de votre période d'occupation.", "This day is outside your occupancy."
    ),
    "error.ALERT_ENDED": Text("Cette alerte est terminée.", "This alert has ended."),
    "error.BUSY": Text(
        "Le service est très sollicité : patientez avant de réessayer.",
        "The service is very busy: wait before you try again.",
    ),
    "error.SIGNATURE_UNAVAILABLE": Text(
        "Ce document ne peut pas être signé pour le moment : contactez votre opérateur.",
        "This document cannot be signed at the moment: contact your operator.",
    ),
    "error.UNAVAILABLE": Text(
        "Le service est momentanément indisponible : patientez avant de réessayer.",
        "The service is not available at the moment: wait before you try again.",
    ),
}

_HINTS = {
    "hint.code": Text(
        "Le code demandé (« {form} ») a la forme {example}.",
        "The code that is asked for (“{form}”) looks like {example}.",
    ),
    "hint.meant": Text("Vouliez-vous saisir {meant} ?", "Did you mean {meant}?"),
    "hint.year": Text("Vérifiez l'année.", "Check the year."),
}

_UNSAID = {f"{form}.hint": Text("", "") for form in _FORMS if not form.endswith(".hint")}

WORDS: Mapping[str, Text] = MappingProxyType(
    {**_UNSAID, **_PAGE, **_FORMS, **_FIELDS, **_CONFIRMATION, **_SCREENS, **_ERRORS, **_HINTS}
)
"""Every key there is; a blank text is not shown until an operator fills it in."""

"""Texts about access: codes, links and notices of a change, in French and English.

In: nothing. Out: a subject and a text for each template and language, with the names of the values in braces.
The one rule: a code, password or link is in the text only, never in a subject, which is shown on locked
screens and in lists.
"""

from core.language import Language

ACCESS_WORDS: dict[tuple[str, Language], tuple[str, str]] = {
    ("manager_invited", Language.FR): (
        "Votre accès gestionnaire",
        (
            "{operator} vous a ouvert un accès gestionnaire. Votre mot de passe temporaire, valable 24 "
            "heures et une seule fois :\n\n{password}\n\n"
            "À la première connexion, vous choisirez le vôtre et activerez la double authentification."
        ),
    ),
    ("manager_invited", Language.EN): (
        "Your manager access",
        (
            "{operator} has opened a manager access for you. Your temporary password, good once within 24 "
            "hours:\n\n{password}\n\n"
            "At your first sign-in you choose your own and turn on two-factor sign-in."
        ),
    ),
    ("staff_invited", Language.FR): (
        "Votre accès exploitant",
        (
            "{operator} vous a ouvert un accès exploitant. Votre mot de passe temporaire, valable 24 heures "
            "et une seule fois :\n\n{password}\n\n"
            "À la première connexion, vous choisirez le vôtre et activerez la double authentification."
        ),
    ),
    ("staff_invited", Language.EN): (
        "Your staff access",
        (
            "{operator} has opened a staff access for you. Your temporary password, good once within 24 "
            "hours:\n\n{password}\n\n"
            "At your first sign-in you choose your own and turn on two-factor sign-in."
        ),
    ),
    ("analyst_invited", Language.FR): (
        "Votre accès analyste",
        (
            "{operator} vous a ouvert un accès aux statistiques de ses résidences. Votre mot de passe "
            "temporaire, valable 24 heures et une seule fois :\n\n{password}\n\n"
            "À la première connexion, vous choisirez le vôtre."
        ),
    ),
    ("analyst_invited", Language.EN): (
        "Your analyst access",
        (
            "{operator} has opened an access to the statistics of its residences for you. Your temporary "
            "password, good once within 24 hours:\n\n{password}\n\n"
            "At your first sign-in you choose your own."
        ),
    ),
    ("portal_ready", Language.FR): (
        "Votre portail {portal} est prêt",
        (
            "Les données de la résidence {residence} sont publiées : vos résidents peuvent utiliser le "
            "formulaire d'inscription et créer leur compte pour accéder à leur espace en ligne !"
        ),
    ),
    ("portal_ready", Language.EN): (
        "Your portal {portal} is ready",
        (
            "The data of the residence {residence} are published: your residents may use the registration "
            "form and create their accounts!"
        ),
    ),
    ("portal_closed", Language.FR): (
        "Votre portail {portal} est fermé aux inscriptions",
        (
            "La résidence {residence} n'est plus publiée depuis le {day} : vos résidents ne peuvent plus "
            "créer de compte. Les comptes existants restent ouverts."
        ),
    ),
    ("portal_closed", Language.EN): (
        "Your portal {portal} is closed to registration",
        (
            "The residence {residence} is no longer published since {day}: your residents can open no new "
            "account. Existing accounts remain open."
        ),
    ),
    ("password_reset", Language.FR): (
        "Mot de passe oublié",
        (
            "Pour choisir un nouveau mot de passe, ouvrez ce lien dans l'heure :\n\n{link}\n\n"
            "Il ne sert qu'une fois. Si vous n'avez rien demandé, ignorez ce message : rien n'a changé."
        ),
    ),
    ("password_reset", Language.EN): (
        "Forgotten password",
        (
            "To choose a new password, open this link within the hour:\n\n{link}\n\n"
            "It works once. If you asked for nothing, ignore this message: nothing has changed."
        ),
    ),
    ("password_changed", Language.FR): (
        "Votre mot de passe a été modifié",
        (
            "Votre mot de passe a été modifié et vos autres sessions sont fermées. Si ce n'est pas vous, "
            "utilisez « Mot de passe oublié » sur la page de connexion :\n\n{link}"
        ),
    ),
    ("password_changed", Language.EN): (
        "Your password was changed",
        (
            "Your password was changed and your other sessions were ended. If this was not you, use "
            "“Forgotten password” on the sign-in page:\n\n{link}"
        ),
    ),
    ("email_code", Language.FR): (
        "Confirmez votre adresse e-mail",
        "Votre code de confirmation est {code}. Il est valable 15 minutes.",
    ),
    ("email_code", Language.EN): (
        "Confirm your e-mail address",
        "Your confirmation code is {code}. It is valid for 15 minutes.",
    ),
    ("email_changed", Language.FR): (
        "Votre adresse e-mail a été modifiée",
        (
            "L'adresse e-mail de votre compte est désormais {new_email}. Ce message va à l'ancienne adresse. "
            "Si ce n'est pas vous, contactez votre gestionnaire."
        ),
    ),
    ("email_changed", Language.EN): (
        "Your e-mail address was changed",
        (
            "The e-mail address of your account is now {new_email}. This message goes to the former one. "
            "If this was not you, contact your manager."
        ),
    ),
    ("phone_code", Language.FR): ("", "Votre code de confirmation : {code} (valable 15 minutes)"),
    ("phone_code", Language.EN): ("", "Your confirmation code: {code} (valid for 15 minutes)"),
    ("second_factor_enrolled", Language.FR): (
        "Double authentification activée",
        "La connexion à votre compte demande désormais un code de votre application d'authentification.",
    ),
    ("second_factor_enrolled", Language.EN): (
        "Two-factor sign-in is on",
        "Signing in to your account now asks for a code of your authenticator app.",
    ),
    ("second_factor_removed", Language.FR): (
        "Double authentification désactivée",
        (
            "La connexion à votre compte ne demande plus de code. Si ce n'est pas vous, changez votre mot de "
            "passe :\n\n{link}"
        ),
    ),
    ("second_factor_removed", Language.EN): (
        "Two-factor sign-in is off",
        (
            "Signing in to your account no longer asks for a code. If this was not you, change your "
            "password:\n\n{link}"
        ),
    ),
    ("second_factor_reset", Language.FR): (
        "Double authentification réinitialisée",
        (
            "{operator} a réinitialisé la double authentification de votre compte et fermé vos sessions. Si "
            "vous ne l'avez pas demandé, choisissez un nouveau mot de passe et contactez {operator}"
            " :\n\n{link}"
        ),
    ),
    ("second_factor_reset", Language.EN): (
        "Two-factor sign-in was reset",
        (
            "{operator} has reset the two-factor sign-in of your account and ended your sessions. If you did "
            "not ask for it, choose a new password and contact {operator}:\n\n{link}"
        ),
    ),
    ("token_issued", Language.FR): (
        "Un jeton d'accès a été créé",
        (
            "Le jeton d'accès « {name} » peut désormais lire des données de votre compte. Vous pouvez le "
            "révoquer à tout moment :\n\n{link}"
        ),
    ),
    ("token_issued", Language.EN): (
        "An access token was made",
        (
            "The access token “{name}” can now read data of your account. You can revoke it at any "
            "time:\n\n{link}"
        ),
    ),
    ("consent_changed", Language.FR): (
        "Votre consentement a été modifié",
        (
            "Votre gestionnaire a indiqué votre choix sur l'accès à vos données de consommations quotidiennes"
            " : {choice}. Vous pouvez le modifier à tout moment :\n\n{link}"
        ),
    ),
    ("consent_changed", Language.EN): (
        "Your consent was changed",
        (
            "Your manager entered your choice on access to your daily consumption: {choice}. You can change "
            "it at any time:\n\n{link}"
        ),
    ),
}

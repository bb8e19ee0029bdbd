"""What a resident reads where access is refused, in French and English, by code.

In: nothing. Out: a sentence for each code. The one rule: a sentence says what to do next, and nothing of
whether an account or a code exists.
"""

from core.language import Text

REFUSAL_WORDS = {
    "SIGN_IN_REFUSED": Text(
        "L'adresse e-mail et le mot de passe ne correspondent pas.",
        "E-mail and password do not belong together.",
    ),
    "ACCOUNT_LOCKED": Text(
        "Trop de mots de passe erronés : patientez, ou utilisez « Mot de passe oublié ».",
        "Too many wrong passwords: wait, or use “Forgotten password”.",
    ),
    "RATE_LIMITED": Text(
        "Trop de tentatives : patientez avant de recommencer.", "Too many tries: wait before the next one."
    ),
    "PASSWORD_TOO_WEAK": Text(
        "Le mot de passe ne respecte pas tous les critères.", "The password does not meet every criterion."
    ),
    "PASSWORD_MISMATCH": Text(
        "Les deux mots de passe ne sont pas identiques.", "The two passwords are not the same."
    ),
    "PASSWORD_UNCHANGED": Text(
        "Choisissez un mot de passe différent de l'actuel.", "Choose a password other than the present one."
    ),
    "PASSWORD_WRONG": Text("Le mot de passe actuel est erroné.", "The present password is wrong."),
    "CODE_INVALID": Text("Le code est erroné.", "The code is wrong."),
    "CODE_EXPIRED": Text(
        "Ce code ou ce lien n'est plus valable : demandez-en un nouveau.",
        "This code or link is no longer valid: ask for a new one.",
    ),
    "CODE_RESEND_TOO_SOON": Text(
        "Un code vient d'être envoyé : patientez une minute.", "A code was just sent: wait a minute."
    ),
    "PHONE_INVALID": Text("Ce numéro de téléphone n'est pas valable.", "This phone number is not valid."),
    "PHONE_REQUIRED_FOR_SMS": Text(
        "Les alertes SMS demandent un numéro de mobile confirmé.",
        "Alerts by SMS need a confirmed mobile number.",
    ),
    "LIMIT_OUT_OF_RANGE": Text("Cette limite n'est pas valable.", "This limit is not valid."),
    "EMAIL_INVALID": Text("Cette adresse e-mail n'est pas valable.", "This e-mail address is not valid."),
}

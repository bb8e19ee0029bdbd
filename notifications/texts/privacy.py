"""Texts about somebody's own data: an archive, the erasure of an account, third parties, the household.

In: nothing. Out: a subject and a text for each template and language, with the names of the values in
braces. The one rule: a link with a secret is in the text only, never in a subject.
"""

from core.language import Language

PRIVACY_WORDS: dict[tuple[str, Language], tuple[str, str]] = {
    ("data_export_ready", Language.FR): (
        "L'archive de vos données est prête",
        (
            "L'archive de vos données est prête. Vous pouvez la télécharger jusqu'au {until}, après vous être"
            " connecté :\n\n{link}"
        ),
    ),
    ("data_export_ready", Language.EN): (
        "The archive of your data is ready",
        "The archive of your data is ready. You can download it until {until}, signed in:\n\n{link}",
    ),
    ("account_erased", Language.FR): (
        "Votre compte a été effacé",
        (
            "Votre compte et vos données personnelles ont été effacés, à votre demande. Les consommations du"
            " logement sont conservées sans lien avec vous, le temps que la loi prévoit.\n\n{operator}"
        ),
    ),
    ("account_erased", Language.EN): (
        "Your account was erased",
        (
            "Your account and your personal data were erased, as you asked. The consumption of the home is"
            " kept without a link to you, for as long as the law provides.\n\n{operator}"
        ),
    ),
    ("grant_issued", Language.FR): (
        "{provider} peut lire vos consommations",
        (
            "À votre demande, {provider} peut lire les consommations de votre logement jusqu'au {until}. Vous"
            " pouvez y mettre fin à tout moment :\n\n{link}"
        ),
    ),
    ("grant_issued", Language.EN): (
        "{provider} can read your consumption",
        (
            "As you asked, {provider} can read the consumption of your home until {until}. You can end this"
            " at any time:\n\n{link}"
        ),
    ),
    ("household_invited", Language.FR): (
        "{portal} : une invitation de {holder}",
        (
            "{holder} vous invite à consulter les consommations et les alertes de son logement, sans rien"
            " pouvoir y changer. Choisissez votre mot de passe dans les sept jours :\n\n{link}\n\n"
            "Si vous ne connaissez pas cette personne, ignorez ce message."
        ),
    ),
    ("household_invited", Language.EN): (
        "{portal}: an invitation from {holder}",
        (
            "{holder} invites you to see the consumption and alerts of their home, without changing anything."
            " Choose your password within seven days:\n\n{link}\n\n"
            "If you do not know this person, ignore this message."
        ),
    ),
    ("household_joined", Language.FR): (
        "{name} consulte désormais votre logement",
        (
            "{name} a accepté votre invitation et peut consulter votre logement. Vous pouvez y mettre fin à"
            " tout moment :\n\n{link}"
        ),
    ),
    ("household_joined", Language.EN): (
        "{name} can now see your home",
        "{name} has accepted your invitation and can see your home. You can end this at any time:\n\n{link}",
    ),
}

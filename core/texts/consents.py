"""The line under a consent: who answered, and when (R-107, R-121); and what accounts are asked for.

In: author, day and language. Out: the guide's own sentence, and its English. The one rule: the version
changes with every edit of a sentence that is agreed to, so that an answer is to a known text (CN-07).
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from core.language import Language, Text

PURPOSES_VERSION = "2026-11"
"""Of the sentences under which notifications, the newsletter and third parties are agreed to now."""

PURPOSE_TEXTS: Final[Mapping[str, Mapping[str, Text]]] = {
    "2026-11": {
        "LEAK_EMAIL": Text(
            "Me prévenir d'une fuite par e-mail.",
            "Warn me of a leak by e-mail.",
        ),
        "LEAK_SMS": Text("Me prévenir d'une fuite par SMS.", "Warn me of a leak by SMS."),
        "OVER_CONSUMPTION_EMAIL": Text(
            "Me prévenir d'une surconsommation par e-mail.", "Warn me of over-consumption by e-mail."
        ),
        "OVER_CONSUMPTION_SMS": Text(
            "Me prévenir d'une surconsommation par SMS.", "Warn me of over-consumption by SMS."
        ),
        "NEW_DOCUMENT_EMAIL": Text(
            "Me prévenir d'un nouveau document par e-mail.", "Tell me of a new document by e-mail."
        ),
        "NEW_DOCUMENT_SMS": Text(
            "Me prévenir d'un nouveau document par SMS.", "Tell me of a new document by SMS."
        ),
        "SLOW_LEAK_EMAIL": Text(
            "M'indiquer par e-mail un écoulement lent, sous le seuil des alertes.",
            "Tell me by e-mail of a slow flow below the level of alerts.",
        ),
        "NEWSLETTER": Text(
            "M'envoyer la lettre d'information de l'exploitant.", "Send me the operator's newsletter."
        ),
        "THIRD_PARTY": Text(
            "Laisser le prestataire que je nomme lire mes consommations, dans la limite que je fixe.",
            "Let the provider that I name read my consumption, within the limits that I set.",
        ),
    }
}
"""By version: a sentence that somebody agreed to is never edited; a new one is a new version."""

_AUTHORS = {False: Text("l'occupant", "the occupant"), True: Text("le gestionnaire", "the manager")}


def consent_trace(day: date, language: Language, *, by_manager: bool) -> str:
    """`Information renseignée par l'occupant le 07/09/2022 conformément au …`."""
    author = _AUTHORS[by_manager].in_language(language)
    if language is Language.FR:
        return (
            f"Information renseignée par {author} le {day:%d/%m/%Y} conformément au règlement général sur la"
            " protection des données (RGPD)"
        )
    return (
        f"Information given by {author} on {day.isoformat()} in accordance with the General Data Protection"
        " Regulation (GDPR)"
    )

"""The line under a consent: who answered, and when (R-107, R-121).

In: author, day and language. Out: the guide's own sentence, and its English.
"""

from datetime import date

from core.language import Language, Text

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

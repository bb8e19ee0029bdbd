"""The words of the notes on consumption, monthly and annual; French and English.

In: a key and a language. Out: a text with the names of the values in braces. The one rule: a figure that is
missing is named as missing, with its reason, and never shown as 0.
"""

from core.consumption import Month
from core.language import Language, Text
from core.texts.alerts import month_text

WORDS: dict[str, Text] = {
    "monthly.title": Text("Note d'information sur vos consommations", "Note on your consumption"),
    "annual.title": Text("Note d'information annuelle", "Annual note on your consumption"),
}


def words(key: str, language: Language, **values: object) -> str:
    """A text with its values.

    Raises:
        KeyError: there is no such text, or a value is missing.
    """
    return WORDS[key].in_language(language).format_map(values)


def of_month(month: Month, language: Language) -> str:
    """`d'octobre 2026`, `de mars 2026`; `in March 2026`."""
    name = month_text(month, language)
    if language is Language.EN:
        return f"in {name}"
    return f"d'{name}" if name[0] in "ao" else f"de {name}"


def monthly_title(month: Month, language: Language) -> str:
    """`Consommations d'octobre 2026`, `Consumption in October 2026`."""
    what = "Consommations" if language is Language.FR else "Consumption"
    return f"{what} {of_month(month, language)}"


def annual_title(year: int, language: Language) -> str:
    """`Consommations de l'année 2026`, `Consumption of the year 2026`."""
    return (
        f"Consommations de l'année {year}" if language is Language.FR else f"Consumption of the year {year}"
    )

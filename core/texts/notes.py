"""The words of the notes on consumption, monthly and annual; French and English.

In: a key and a language. Out: a text with the names of the values in braces. The one rule: a figure that is
missing is named as missing, with its reason, and never shown as 0.
"""

from fractions import Fraction

from core.consumption import Month
from core.consumption.amounts import rounded
from core.language import Language, Text
from core.texts.alerts import month_text

NO_BREAK = "\N{NO-BREAK SPACE}"

WORDS: dict[str, Text] = {
    "monthly.title": Text("Note d'information sur vos consommations", "Note on your consumption"),
    "to": Text("À l'occupant du logement", "To the occupant of the home"),
    "days": Text("Du {first} au {last}", "From {first} to {last}"),
    "fluid": Text("Fluide", "Fluid"),
    "since": Text("Depuis le {day}", "Since {day}"),
    "change": Text("ce mois : {change}", "this month: {change}"),
    "why.NOT_READ": Text("non relevé", "not read"),
    "why.OTHER_OCCUPANCY": Text("avant votre arrivée", "before you moved in"),
    "incomplete": Text(
        "* Des jours manquent : la valeur est la somme des jours relevés.",
        "* Days are missing: the figure is the sum of the days that were read.",
    ),
    "estimated": Text(
        "{fluid} : dont {days} jour(s) estimé(s) entre deux relevés.",
        "{fluid}: {days} day(s) of it estimated between two readings.",
    ),
    "allocator": Text(
        "Les unités d'un répartiteur servent à partager les frais de chauffage de l'immeuble ; ce ne sont pas"
        " des kWh.",
        "The units of a heat cost allocator serve to share the heating costs of the building; they are no"
        " kWh.",
    ),
    "chart": Text("Ce mois en comparaison", "This month in comparison"),
    "monthly.law": Text(
        "Cette note vous est adressée chaque mois en application de l'article R. 241-14-1 du code de"
        " l'énergie (décret n° 2020-886) : consommation du mois et cumul depuis le 1er janvier. Les"
        " comparaisons portent sur votre propre occupation du logement.",
        "You receive this note each month under article R. 241-14-1 of the French energy code (decree"
        " 2020-886): the consumption of the month, and the total since 1 January. It is compared with your"
        " own occupancy of the home alone.",
    ),
    "online": Text(
        "Suivez vos consommations en ligne : créez votre compte avec le code de votre résidence, {code} :",
        "Follow your consumption online: open your account with the code of your residence, {code}:",
    ),
    "annual.title": Text("Note d'information annuelle {year}", "Annual note on your consumption, {year}"),
    "a": Text("a. Prix et consommations de l'année", "a. Prices and consumption of the year"),
    "b": Text("b. Sources d'énergie et gaz à effet de serre", "b. Sources of energy and greenhouse gases"),
    "c": Text("c. Comparaison avec l'année précédente", "c. Comparison with the year before"),
    "d": Text("d. Conseils pour économiser l'énergie", "d. Advice on saving energy"),
    "e": Text("e. Réclamations et médiation", "e. Complaints and mediation"),
    "f": Text(
        "f. Comparaison avec l'utilisateur moyen de l'immeuble",
        "f. Comparison with the average user of the building",
    ),
    "g": Text("Répartition des frais", "How the costs are shared"),
    "year": Text("Année {year}", "Year {year}"),
    "change.year": Text("cette année : {change}", "this year: {change}"),
    "water_price": Text(
        "Prix de l'eau, assainissement compris : {price} par m3.",
        "Price of water, waste water included: {price} per m3.",
    ),
    "not_stated": Text(
        "Non communiqué : {operator} n'a pas indiqué cette information.",
        "Not stated: {operator} has not given this information.",
    ),
    "no_year_before": Text(
        "{fluid} : pas de comparaison, l'année précédente n'est pas celle de votre occupation du logement ou"
        " n'a pas été relevée.",
        "{fluid}: no comparison, since the year before was not of your own occupancy, or was not read.",
    ),
    "no_climate": Text(
        "Corrigée du climat : non disponible, les degrés-jours de l'année ne sont pas connus de l'opérateur.",
        "Climate-corrected: not available, since the operator does not know the degree days of the year.",
    ),
    "average": Text(
        "{fluid} : {amount} pour un logement de {surface} m², moyenne de {number} logements par m². La"
        " vôtre : {own}.",
        "{fluid}: {amount} for a home of {surface} m², the average of {number} homes by m². Yours: {own}.",
    ),
    "average.SURFACE_NOT_KNOWN": Text(
        "{fluid} : non disponible, la surface de votre logement n'est pas connue.",
        "{fluid}: not available, since the surface of your home is not known.",
    ),
    "average.TOO_FEW_DWELLINGS": Text(
        "{fluid} : non disponible, il faut au moins cinq logements dont la surface et l'année sont connues.",
        "{fluid}: not available, since it takes at least five homes whose surface and year are known.",
    ),
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


def change_text(amount: int, before: int, language: Language) -> str:
    """`+12 %` with a space that does not break, in English `+12%`; nothing where there was none before."""
    if before <= 0:
        return ""
    percent = rounded(Fraction(100 * (amount - before), before), 0)
    return f"{percent:+}{NO_BREAK if language is Language.FR else ''}%"


def months_short(language: Language) -> tuple[str, ...]:
    """`janv.` to `déc.`, `Jan` to `Dec`."""
    return _SHORT[language]


_SHORT = {
    Language.FR: (
        *("janv.", "févr.", "mars", "avr.", "mai", "juin"),
        *("juil.", "août", "sept.", "oct.", "nov.", "déc."),
    ),
    Language.EN: ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


def monthly_title(month: Month, language: Language) -> str:
    """`Consommations d'octobre 2026`, `Consumption in October 2026`."""
    what = "Consommations" if language is Language.FR else "Consumption"
    return f"{what} {of_month(month, language)}"


def annual_title(year: int, language: Language) -> str:
    """`Consommations de l'année 2026`, `Consumption of the year 2026`."""
    return (
        f"Consommations de l'année {year}" if language is Language.FR else f"Consumption of the year {year}"
    )

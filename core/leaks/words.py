"""The words of portal and messages beside those of `display`: fluids, meters, months, over-consumption.

Pure: values in, French or English out. The guide's own words where it has them (R-069, R-084, R-086, R-090).
"""

from datetime import date

from core.consumption import Month
from core.consumption.fluids import Fluid
from core.language import Language
from core.leaks.display import date_text, period_text

_LABEL = {
    (Fluid.COLD_WATER, Language.FR): "Eau froide",
    (Fluid.HOT_WATER, Language.FR): "Eau chaude",
    (Fluid.HEAT, Language.FR): "Chauffage",
    (Fluid.HEAT_ALLOCATOR, Language.FR): "Répartiteur",
    (Fluid.COLD_WATER, Language.EN): "Cold water",
    (Fluid.HOT_WATER, Language.EN): "Hot water",
    (Fluid.HEAT, Language.EN): "Heating",
    (Fluid.HEAT_ALLOCATOR, Language.EN): "Heat cost allocator",
}

_FRENCH_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)  # calendar.month_name would follow the locale of the process


def fluid_label(fluid: Fluid, language: Language) -> str:
    """The label of a dashboard tab (R-069): `Eau froide`."""
    return _LABEL[fluid, language]


def meter_label(fluid: Fluid, serial: str, language: Language) -> str:
    """The meter cell of an alert (R-086): `Eau froide n°H8CA029620`."""
    number = "n°" if language is Language.FR else "no. "
    return f"{fluid_label(fluid, language)} {number}{serial}"


def month_text(month: Month, language: Language) -> str:
    """`mars 2022`, `March 2022`."""
    if language is Language.FR:
        return f"{_FRENCH_MONTHS[month.month - 1]} {month.year}"
    return date_text(month.first_day, language).partition(" ")[2]


def ended_leak_title(level: int, started_on: date, ended_on: date, language: Language) -> str:
    """`Alerte fuite niveau 1 du 03/01/2022 au 09/01/2022`: the title of R-084 with the period of R-090."""
    period = period_text(started_on, ended_on, language)
    what = f"Alerte fuite niveau {level}" if language is Language.FR else f"Level {level} leak alert"
    return f"{what} {period[0].lower()}{period[1:]}"


def over_consumption_title(fluid: Fluid, month: Month, language: Language) -> str:
    """`Surconsommation en mars 2022 (eau froide)`."""
    label = fluid_label(fluid, language).lower()
    if language is Language.FR:
        return f"Surconsommation en {month_text(month, language)} ({label})"
    return f"Over-consumption in {month_text(month, language)} ({label})"

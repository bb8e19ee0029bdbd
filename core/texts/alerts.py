"""The texts of portal and messages beside those of `core.texts.leaks`: fluids, meters, amounts, known uses.

Pure: values in, French or English out. The guide's own words where it has them (R-069, R-084, R-086,
R-090).
"""

from datetime import date
from decimal import Decimal

from core.alerting.conditions import Condition
from core.alerting.over_consumption import LimitPeriod
from core.consumption import Month
from core.consumption.amounts import rounded
from core.consumption.fluids import Fluid, Unit
from core.language import Language
from core.texts.leaks import date_text, duration_text, flow_text, loss_text, period_text

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


_CONDITION = {
    (Condition.BURST, Language.FR): "Alerte débit anormalement élevé",
    (Condition.BACKFLOW, Language.FR): "Alerte retour d'eau",
    (Condition.DRY, Language.FR): "Alerte compteur sans eau",
    (Condition.TAMPER, Language.FR): "Alerte manipulation du compteur",
    (Condition.NO_DATA, Language.FR): "Aucune nouvelle du compteur",
    (Condition.METER_LEAK, Language.FR): "Alerte fuite signalée par le compteur",
    (Condition.METER_LEAK, Language.EN): "Leak reported by the meter",
    (Condition.BURST, Language.EN): "Burst alert",
    (Condition.BACKFLOW, Language.EN): "Backflow alert",
    (Condition.DRY, Language.EN): "Dry meter alert",
    (Condition.TAMPER, Language.EN): "Meter tampering alert",
    (Condition.NO_DATA, Language.EN): "No news from the meter",
}


def condition_title(condition: Condition, started_on: date, *, today: date, language: Language) -> str:
    """`Alerte retour d'eau depuis le 11/03/2022 (6 mois)`, in the manner of R-084."""
    since, duration = date_text(started_on, language), duration_text((today - started_on).days, language)
    word = "depuis le" if language is Language.FR else "since"
    return f"{_CONDITION[condition, language]} {word} {since} ({duration})"


def ended_condition_title(condition: Condition, started_on: date, ended_on: date, language: Language) -> str:
    """`Alerte retour d'eau du 03/01/2022 au 09/01/2022`."""
    period = period_text(started_on, ended_on, language)
    return f"{_CONDITION[condition, language]} {period[0].lower()}{period[1:]}"


def own_limit_title(fluid: Fluid, period: LimitPeriod, first_day: date, language: Language) -> str:
    """`Votre limite dépassée le 22/11/2026 (eau froide)`, `... en novembre 2026 ...`."""
    label, when = fluid_label(fluid, language).lower(), period_phrase(period, first_day, language)
    what = "Votre limite dépassée" if language is Language.FR else "Your limit passed"
    return f"{what} {when} ({label})"


def period_phrase(period: LimitPeriod, first_day: date, language: Language) -> str:
    """`le 22/11/2026`, `en novembre 2026`; `on 22 November 2026`, `in November 2026`."""
    if period is LimitPeriod.DAY:
        return f"{'le' if language is Language.FR else 'on'} {date_text(first_day, language)}"
    return f"{'en' if language is Language.FR else 'in'} {month_text(Month.of(first_day), language)}"


def amount_text(fluid: Fluid, amount: int, language: Language) -> str:
    """`9.00 m3`, `12.50 kWh`, `45 unités`: an amount of the smallest unit."""
    if fluid.unit is Unit.LITRE:
        return loss_text(Decimal(amount))
    if fluid.unit is Unit.WATT_HOUR:
        return f"{rounded(Decimal(amount) / 1000, 2)} kWh"
    return f"{amount} {'unités' if language is Language.FR else 'units'}"


def clock_text(minute_of_day: int, language: Language) -> str:
    """`22 h 00`, `22:00`: a time by the residence's clock."""
    hour, minute = divmod(minute_of_day, 60)
    return f"{hour} h {minute:02d}" if language is Language.FR else f"{hour}:{minute:02d}"


def recurring_draw_title(minute_of_day: int, litres: int, language: Language) -> str:
    """`Débit élevé récurrent vers 22 h 00 (environ 700 litres)`."""
    at = clock_text(minute_of_day, language)
    if language is Language.FR:
        return f"Débit élevé récurrent vers {at} (environ {litres} litres)"
    return f"Recurring high flow at about {at} (about {litres} litres)"


def slow_leak_title(started_on: date, flow_lph: Decimal, language: Language) -> str:
    """`Écoulement sans pause depuis le 11/03/2022 (environ 2.5 L/h)`."""
    since, flow = date_text(started_on, language), flow_text(rounded(flow_lph, 1))
    if language is Language.FR:
        return f"Écoulement sans pause depuis le {since} (environ {flow})"
    return f"Flow without a pause since {since} (about {flow})"

"""The words and rounded figures of a leak alert, in French and English.

In: the exact figures of an episode. Out: text as the resident's portal prints it. The one rule: rounding
happens here and nowhere before, half up, on the exact value. Figures keep the decimal point of the guide's
own rows ("13.28 m3", "3.95 L/h") in both languages. Requirements R-084 to R-086, R-090, R-094 to R-096,
conflicts C-25 and C-29.
"""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from core.consumption.amounts import LITRES_PER_M3, rounded
from core.language import Language

DAYS_BEFORE_MONTHS = 26
"""C-29: from this many days on a duration is given in rounded months."""

MONTHS_PER_DAY = Fraction(48, 1461)
"""12 months over 365.25 days."""


_LEVEL_EQUIVALENT = {
    (1, Language.FR): "goutte à goutte",
    (2, Language.FR): "filet d'eau",
    (3, Language.FR): "robinet ouvert",
    (1, Language.EN): "dripping",
    (2, Language.EN): "trickle of water",
    (3, Language.EN): "open tap",
}

_ENGLISH_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)  # calendar.month_name would follow the locale of the process


def loss_m3(loss_litres: Decimal | int | None) -> Decimal | None:
    """A loss in cubic metres with two decimals; None for an unknown one."""
    return None if loss_litres is None else rounded(Fraction(loss_litres) / LITRES_PER_M3, 2)


def loss_text(loss_litres: Decimal | int | None) -> str:
    """`13.28 m3`; `0 m3` for none, and for an unknown one too, as the guide's table prints it (R-090,
    C-25).

    Where unknown must not look like 0, use `loss_m3`.
    """
    return f"{loss_m3(loss_litres) or 0} m3"


def price_text(eur: Decimal, language: Language) -> str:
    """`60.00 €`; in English `€60.00`. With the decimal point of the other figures in both."""
    return f"{rounded(eur, 2)} €" if language is Language.FR else f"€{rounded(eur, 2)}"


def flow_text(flow_lph: Fraction | Decimal | None) -> str:
    """`3.95 L/h`, `4 L/h`: two decimals, trailing zeros dropped; `0 L/h` for an unknown one (R-090)."""
    return f"{_plain(rounded(flow_lph or 0, 2))} L/h"


def duration_text(days: int, language: Language) -> str:
    """`2 jours`, `6 mois`: days below 26, then months rounded half up (C-29).

    Raises:
        ValueError: if `days` is negative.
    """
    if days < 0:
        raise ValueError("a duration is not negative")
    if days >= DAYS_BEFORE_MONTHS:
        months = int(rounded(days * MONTHS_PER_DAY, 0))
        if language is Language.FR:
            return f"{months} mois"
        return "1 month" if months == 1 else f"{months} months"
    if language is Language.FR:
        return f"{days} jour" if days < 2 else f"{days} jours"
    return "1 day" if days == 1 else f"{days} days"


def date_text(day: date, language: Language) -> str:
    """`11/03/2022` in French; `11 March 2022` in English, where 11/03 would be read in two ways."""
    if language is Language.FR:
        return f"{day:%d/%m/%Y}"
    return f"{day.day} {_ENGLISH_MONTHS[day.month - 1]} {day.year}"


def alert_title(level: int, started_on: date, *, today: date, language: Language) -> str:
    """R-084: `Alerte fuite niveau 1 depuis le 11/03/2022 (6 mois)`."""
    since = date_text(started_on, language)
    duration = duration_text((today - started_on).days, language)
    if language is Language.FR:
        return f"Alerte fuite niveau {level} depuis le {since} ({duration})"
    return f"Level {level} leak alert since {since} ({duration})"


def period_text(started_on: date, ended_on: date, language: Language) -> str:
    """R-090: `Du 03/01/2022 au 09/01/2022`, with the day the alert closed."""
    start, end = date_text(started_on, language), date_text(ended_on, language)
    return f"Du {start} au {end}" if language is Language.FR else f"From {start} to {end}"


def level_equivalent(level: int, language: Language) -> str:
    """What a level looks like at the tap (R-094, R-095, R-096).

    Raises:
        KeyError: for a level other than 1, 2 or 3.
    """
    return _LEVEL_EQUIVALENT[level, language]


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

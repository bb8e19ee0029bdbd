"""What a leak costs: its loss in litres, cubic metres and euros, and what it would be in a year.

In: litres lost, a flow and the price of a cubic metre. Out: exact figures; rounding is the display's. The one
rule: an unknown loss remains unknown, and a projection is the flow times the hours of a year, never more.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from core.consumption.amounts import LITRES_PER_M3, rounded

HOURS_IN_YEAR = 365 * 24

_CENTS = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """A loss and its price; euros are None without a price, all is None without a loss."""

    litres: Decimal | int | None
    m3: Decimal | None
    eur: Decimal | None
    m3_per_year: Decimal | None
    eur_per_year: Decimal | None


def cost_of(
    loss_litres: Decimal | int | None,
    flow_lph: Fraction | Decimal | int | None,
    *,
    eur_per_m3: Decimal | None,
) -> Cost:
    """The cost so far, and that of a whole year at this flow.

    Args:
        loss_litres: what was lost; None where unknown (C-25).
        flow_lph: the mean flow, L/h; None without a counted day.
        eur_per_m3: the price of a cubic metre, waste water included; None where it is not known.

    Raises:
        ValueError: for a negative price.
    """
    if eur_per_m3 is not None and eur_per_m3 < 0:
        raise ValueError("a price is not negative")
    return Cost(loss_litres, *_figures(loss_litres, flow_lph, eur_per_m3))


@lru_cache(maxsize=4_096)
def _figures(
    loss_litres: Decimal | int | None,
    flow_lph: Fraction | Decimal | int | None,
    eur_per_m3: Decimal | None,
) -> tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]:
    """Volume and price, so far and of a year; an alert is looked at far more often than it changes."""
    volume = None if loss_litres is None else Fraction(loss_litres) / LITRES_PER_M3
    yearly = None if flow_lph is None else Fraction(flow_lph) * HOURS_IN_YEAR / LITRES_PER_M3
    return (
        None if volume is None else rounded(volume, 2),
        _price(volume, eur_per_m3),
        None if yearly is None else rounded(yearly, 0),
        _price(yearly, eur_per_m3),
    )


def _price(volume_m3: Fraction | None, eur_per_m3: Decimal | None) -> Decimal | None:
    if volume_m3 is None or eur_per_m3 is None:
        return None
    return rounded(volume_m3 * Fraction(eur_per_m3), _CENTS)

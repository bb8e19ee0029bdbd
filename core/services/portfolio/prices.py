"""Checks the price of water that an operator gives.

In: euros for a cubic metre, as typed. Out: the same, as it can be stored. The one rule: a price that nobody
knows is None; 0 would tell residents that a leak costs nothing.
"""

from decimal import Decimal

from core.errors import InvalidInput

MOST_EUR_PER_M3 = 100
"""Ten times what the dearest of Europe's cities ask; above it a price was typed in cents."""

_DECIMALS = 4


def checked_price(eur_per_m3: Decimal | None) -> Decimal | None:
    """The price as it is stored.

    Raises:
        InvalidInput: it is no number above 0 and up to 100, or has more than four decimals.
    """
    if eur_per_m3 is None:
        return None
    if not eur_per_m3.is_finite() or not 0 < eur_per_m3 <= MOST_EUR_PER_M3:
        raise InvalidInput(
            f"a cubic metre costs more than 0 and up to {MOST_EUR_PER_M3} EUR", field="water_price"
        )
    if eur_per_m3 != round(eur_per_m3, _DECIMALS):
        raise InvalidInput(f"a price has up to {_DECIMALS} decimals", field="water_price")
    return eur_per_m3

from decimal import Decimal
from fractions import Fraction

import pytest

from core.leaks.cost import Cost, cost_of

PRICE = Decimal("4.52")


def test_a_leak_has_a_price_and_a_projection():
    """The guide's first row at 4.52 EUR a cubic metre: rounded once, half up, from the exact figures."""
    assert cost_of(13_275, Fraction(13_275, 24 * 140), eur_per_m3=PRICE) == Cost(
        litres=13_275,
        m3=Decimal("13.28"),
        eur=Decimal("60.00"),
        m3_per_year=Decimal(35),
        eur_per_year=Decimal("156.44"),
    )


@pytest.mark.requirement("C-25")
def test_an_unknown_loss_has_no_cost():
    """No loss is not a loss of 0, and without a price there are no euros."""
    assert cost_of(None, None, eur_per_m3=PRICE) == Cost(None, None, None, None, None)
    assert cost_of(0, 0, eur_per_m3=None) == Cost(0, Decimal("0.00"), None, Decimal(0), None)


def test_a_negative_price_is_refused():
    """A leak has no negative cost."""
    with pytest.raises(ValueError, match="price"):
        cost_of(1, 1, eur_per_m3=Decimal(-1))

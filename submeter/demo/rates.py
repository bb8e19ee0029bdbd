"""What the demo's residents compare and price their consumption by: tariffs, factors, and weather.

In: the plan. Out: tariffs and factors of each operator and its residences, and the degree days of one weather
station. The one rule: the figures are made up, and their source says so.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from math import cos, tau
from typing import Final

from core.access import SYSTEM
from core.consumption.fluids import Fluid
from core.consumption.prices import FixedCharge
from core.services.portfolio.portfolio_lists import Place
from core.services.portfolio.rate_lists import (
    ListedDegreeDay,
    ListedFactor,
    ListedTariff,
    RateKey,
    RateLines,
    import_degree_days,
    import_emission_factors,
    import_tariffs,
)
from submeter.simulator.values import DemoPlan

STATION: Final = "DEMO"
SOURCE: Final = "Demo: made up"
_PLACE: Final = Place("demo", 0)
_YEARS: Final = 2
_HEAT_EUR_PER_KWH: Final = Decimal("0.09876")
_HOT_WATER_EXTRA_EUR: Final = Decimal("7.50")
_GRAMS: Final = {Fluid.HEAT: Decimal(227), Fluid.HOT_WATER: Decimal(11_800), Fluid.COLD_WATER: Decimal(132)}
_FIXED_EUR: Final = {Fluid.COLD_WATER: Decimal("4.20"), Fluid.HEAT: Decimal("11.50")}


async def describe_rates(plan: DemoPlan) -> None:
    """Register them. Repeating it changes nothing."""
    await import_tariffs(SYSTEM, RateLines(list(_tariffs(plan))))
    await import_emission_factors(SYSTEM, RateLines(list(_factors(plan))))
    await import_degree_days(SYSTEM, RateLines(list(_weather(plan))))


def _tariffs(plan: DemoPlan) -> Iterator[ListedTariff]:
    for residence in plan.residences:
        water = Decimal(residence.water_price_eur_per_m3)
        prices = {
            Fluid.COLD_WATER: water,
            Fluid.HOT_WATER: water + _HOT_WATER_EXTRA_EUR,
            Fluid.HEAT: _HEAT_EUR_PER_KWH,
        }
        for fluid, price in prices.items():
            key = RateKey(residence.operator, residence.site_code, fluid, _since(plan))
            fixed = _FIXED_EUR.get(fluid)
            per = FixedCharge.MONTH if fixed is not None else None
            yield ListedTariff(_PLACE, key, price, fixed, per, vat_included=True)


def _factors(plan: DemoPlan) -> Iterator[ListedFactor]:
    for operator in dict.fromkeys(residence.operator for residence in plan.residences):
        for fluid, grams in _GRAMS.items():
            yield ListedFactor(_PLACE, RateKey(operator, "", fluid, _since(plan)), grams, SOURCE)


def _weather(plan: DemoPlan) -> Iterator[ListedDegreeDay]:
    """Coldest in the middle of January; the years differ by a little, and no day is measured."""
    day = date(plan.anchor.year - _YEARS, 1, 1)
    while day <= plan.anchor.date():
        season = 9 + 8 * cos(tau * (day.timetuple().tm_yday - 15) / 365)
        weather = (day.toordinal() * 7_919 % 100 - 50) / 25 + (day.year % 3 - 1) / 2
        degree_days = Decimal(max(0.0, season - 3 + weather)).quantize(Decimal("0.1"))
        yield ListedDegreeDay(_PLACE, STATION, day, degree_days, Decimal(18), SOURCE)
        day += timedelta(days=1)


def _since(plan: DemoPlan) -> date:
    return date(plan.history_start.year, 1, 1)

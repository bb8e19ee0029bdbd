"""Amounts as clients get them: exact in the display unit, and as the integer of the register.

In: integers in the smallest unit of a fluid. Out: `Amount`. The one rule: no figure passes through a float.
"""

from decimal import Decimal
from functools import lru_cache

import strawberry

from core.consumption.amounts import DisplayUnit, in_shown_unit, rounded
from graphql_schema.base.enums import Fluid, Unit
from graphql_schema.base.scalars import BigInt


@strawberry.type(description="An index or a consumption.")
class Amount:
    value: Decimal = strawberry.field(
        description="The exact amount in `unit`, with a decimal point: `13.280`."
    )
    unit: DisplayUnit
    smallest: BigInt = strawberry.field(description="The same amount as a whole number of `smallestUnit`.")
    smallest_unit: Unit

    @classmethod
    @lru_cache(maxsize=16_384)
    def of(cls, fluid: Fluid, smallest: int) -> "Amount":
        """Nobody changes one: those of a home's days are few, and made once."""
        unit, smallest_unit = _UNITS[fluid]
        value = in_shown_unit(fluid, smallest)
        return cls(value=value, unit=unit, smallest=BigInt(smallest), smallest_unit=smallest_unit)

    @classmethod
    def known(cls, fluid: Fluid, smallest: int | Decimal | None) -> "Amount | None":
        """None where there is no data, never 0 (C-20). A mean is rounded half up to the smallest unit."""
        if isinstance(smallest, Decimal):
            smallest = int(rounded(smallest, 0))
        return None if smallest is None else cls.of(fluid, smallest)


_UNITS = {fluid: (DisplayUnit.of(fluid), fluid.unit) for fluid in Fluid}

"""What a resident lets a provider read: of which dwelling, fluids and days, and how finely (EED-07).

In: nothing. Out: a value that a viewer carries. The one rule: a grant only ever removes from what its role
may read; whoever holds its token is nobody else.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from core.access.permissions import Permission


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant: its row, who granted it, and its scope.

    Attributes:
        id: its row.
        account_id: the account that granted it.
        dwelling_id: the dwelling.
        fluids: the fluids, by their names.
        days: whether days and weeks may be read beside months and years.
        hours: whether hours may be read as well.
        first_day, last_day: the first and last day of the data.
    """

    id: int
    account_id: int
    dwelling_id: int
    fluids: AbstractSet[str]
    days: bool
    hours: bool
    first_day: date
    last_day: date

    def allows(self, permission: Permission) -> bool:
        match permission:
            case Permission.CONSUMPTION_READ_DAILY:
                return self.days
            case Permission.READINGS_READ:
                return self.hours
            case _:
                return True

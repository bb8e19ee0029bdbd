"""What can be wrong with a description of places and meters, each told by the name of its column.

In: what an operator's list says. Out: nothing, or InvalidInput. The one rule: what the tables would refuse is
told as the list's own fault, and no key is ever repeated.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import wraps
from typing import ParamSpec, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tortoise.exceptions import ValidationError

from core.errors import InvalidInput
from core.metering import Address, TelegramError

_Asked = ParamSpec("_Asked")
_Told = TypeVar("_Told")

MOST_EUR_PER_M3 = 100
"""Ten times what the dearest of Europe's cities ask; above it a price was typed in cents."""


_DECIMALS = 4


def reported_as_input(
    describe: Callable[_Asked, Awaitable[_Told]],
) -> Callable[_Asked, Awaitable[_Told]]:
    """Let what does not fit a column be the fault of what was described."""

    @wraps(describe)
    async def telling(*args: _Asked.args, **kwargs: _Asked.kwargs) -> _Told:
        try:
            return await describe(*args, **kwargs)
        except ValidationError as failure:
            raise InvalidInput(str(failure)) from failure

    return telling


def check_texts(**texts: str) -> None:
    """Nothing that has to be said is blank.

    Raises:
        InvalidInput: one is, named by its keyword.
    """
    for name, text in texts.items():
        if not text.strip():
            raise InvalidInput("is empty", field=name)


def check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as failure:
        raise InvalidInput(f"{name!r} is no time zone", field="time_zone") from failure


def canonical_address(radio_address: str) -> str:
    """A radio address as it is stored.

    Raises:
        InvalidInput: it cannot be read.
    """
    try:
        return str(Address.parse(radio_address))
    except TelegramError as failure:
        raise InvalidInput(
            f"{radio_address!r} is no radio address: {failure.message}", field="radio_address"
        ) from failure


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

"""Checks descriptions of places and meters, and reports each fault by the name of its column.

In: the values of an operator's list. Out: nothing, or InvalidInput. The one rule: what the tables would
refuse is reported as a fault of the list, and no message ever repeats a key.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import wraps
from typing import ParamSpec, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tortoise.exceptions import ValidationError

from core.consumption.resolutions import BillingStart
from core.errors import InvalidInput
from core.metering import Address, TelegramError
from core.models.base import Model
from core.services.shared.many_rows import described

_Asked = ParamSpec("_Asked")
_Result = TypeVar("_Result")

MOST_EUR_PER_M3 = 100
"""Ten times the price of Europe's most expensive cities; a higher price was typed in cents."""


_DECIMALS = 4
_FRENCH_POSTCODE = re.compile(r"\d{5}", re.ASCII)
_FRENCH_ZONES = frozenset(
    {
        *("Europe/Paris", "Indian/Reunion", "Indian/Mayotte", "America/Guadeloupe", "America/Martinique"),
        *("America/Cayenne", "America/Marigot", "America/St_Barthelemy", "America/Miquelon"),
        *("Pacific/Noumea", "Pacific/Tahiti", "Pacific/Marquesas", "Pacific/Gambier", "Pacific/Wallis"),
    }
)
"""The time zones of France in the IANA's table of countries (zone.tab: FR and its territories)."""

_FURTHEST_AHEAD = timedelta(days=366)


def reported_as_input(
    describe: Callable[_Asked, Awaitable[_Result]],
) -> Callable[_Asked, Awaitable[_Result]]:
    """Report a value that does not fit its column as invalid input."""

    @wraps(describe)
    async def reporting(*args: _Asked.args, **kwargs: _Asked.kwargs) -> _Result:
        try:
            return await describe(*args, **kwargs)
        except ValidationError as failure:
            raise InvalidInput(str(failure)) from failure

    return reporting


def check_value(model: type[Model], name: str, value: object) -> None:
    """Check that a value fits its column.

    Raises:
        InvalidInput: it does not.
    """
    if isinstance(value, str) and "\0" in value:  # PostgreSQL stores no such text
        raise InvalidInput("contains the character NUL", field=name)
    try:
        described(model).fields_map[name].to_db_value(value, model)
    except ValidationError as failure:
        raise InvalidInput(str(failure)) from failure


def can_be_stored(model: type[Model], name: str, value: object) -> bool:
    """Whether a value fits its column; one that does not is not looked up either."""
    try:
        check_value(model, name, value)
    except InvalidInput:
        return False
    return True


def misfits(model: type[Model], values: Mapping[str, object]) -> Iterator[InvalidInput]:
    """What is wrong with each value that does not fit its column; None fits."""
    for name, value in values.items():
        longest = getattr(described(model).fields_map[name], "max_length", None)
        if isinstance(value, str) and longest is not None and len(value) > longest:
            yield InvalidInput(f"has {len(value)} characters, and at most {longest} fit", field=name)
        elif value is not None:
            try:
                check_value(model, name, value)
            except InvalidInput as failure:
                yield failure


def check_texts(**texts: str) -> None:
    """Check that no mandatory text is blank.

    Raises:
        InvalidInput: one is, named by its keyword.
    """
    for name, text in texts.items():
        if not text.strip():
            raise InvalidInput("is empty", field=name)


def day_fault(day: date, *, earliest: date, today: date) -> str | None:
    """Why a day cannot be meant; None where it can: a year may have been mistyped."""
    if day < earliest:
        return f"lies before {earliest.year}"
    return "lies more than a year ahead" if day > today + _FURTHEST_AHEAD else None


def postcode_fault(postcode: str | None, time_zone: str) -> str | None:
    """Why a postcode cannot be meant: those of France have five digits; of others only texts are known."""
    if postcode is None or time_zone not in _FRENCH_ZONES or _FRENCH_POSTCODE.fullmatch(postcode):
        return None
    meant = f"; did you mean '0{postcode}'?" if _FRENCH_POSTCODE.fullmatch(f"0{postcode}") else ""
    return f"a postcode of France has five digits{meant}"


def check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as failure:
        raise InvalidInput(f"{name!r} is no time zone", field="time_zone") from failure


def check_billing_start(day: str) -> None:
    """Check the day of the year on which billing periods begin.

    Raises:
        InvalidInput: it is not written MM-DD, or not every year has it.
    """
    try:
        BillingStart.parse(day)
    except ValueError as failure:
        raise InvalidInput(
            "a day that every year has is expected, written MM-DD: 07-01", field="billing_starts"
        ) from failure


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

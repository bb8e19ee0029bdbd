"""What can be wrong with a description of places and meters, each told by the name of its column.

In: what an operator's list says. Out: nothing, or InvalidInput. The one rule: what the tables would refuse is
told as the list's own fault, and no key is ever repeated.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import wraps
from typing import ParamSpec, Protocol, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tortoise.exceptions import ValidationError

from core.errors import InvalidInput
from core.metering import Address, TelegramError

LARGEST_REGISTER = {"register_step": 1_000_000, "register_capacity": 10**15}
"""Litres, watt-hours or allocator units; a register that held more would outlive its building."""

_KEY_LENGTHS = {8, 16}
"""Bytes: PRIOS, and AES-128."""

_Asked = ParamSpec("_Asked")
_Told = TypeVar("_Told")


class DescribedMeter(Protocol):
    """The part of a meter's description that can contradict itself."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def register_step(self) -> int: ...
    @property
    def register_capacity(self) -> int | None: ...
    @property
    def installed_at(self) -> datetime: ...
    @property
    def removed_at(self) -> datetime | None: ...


def told_as_input(
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


def check_meter(meter: DescribedMeter) -> None:
    """A meter's figures fit each other.

    Raises:
        InvalidInput: the length of its key, its register, or a removal before the installation.
    """
    if meter.key is not None and len(meter.key) not in _KEY_LENGTHS:
        raise InvalidInput("a meter key has 16 bytes (8 for PRIOS)", field="key")
    for name, amount in (
        ("register_step", meter.register_step),
        ("register_capacity", meter.register_capacity),
    ):
        if amount is not None and not 1 <= amount <= LARGEST_REGISTER[name]:
            raise InvalidInput(f"must be a whole number from 1 to {LARGEST_REGISTER[name]}", field=name)
    if meter.removed_at is not None and meter.removed_at < meter.installed_at:
        raise InvalidInput("lies before installed_on", field="removed_on")


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

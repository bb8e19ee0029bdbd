"""A driver held against its telegrams: for our vendors and for a stranger's package alike.

In: the text of a `vectors.toml` and a registry. Out: what differs, in words; nothing when all is right. The
one rule: a vector states every value and every flag that the driver gives, so a value that appears out of
nowhere is a difference too.

    [[telegram]]
    note = "IZAR radio, default keys"
    address = "SAP-21131C34-0C-04"
    bytes = "1944304C..."
    key = "..."                      # only when the meter has one of its own
    flags = ["LEAK"]
    [telegram.values]
    total_volume_m3 = "123.456"      # decimals as text, whole numbers and dates as TOML has them
    target_date = 2025-04-30
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.mbus.errors import TelegramError
from core.metering.decode import identify, open_sealed
from core.metering.registry import Registry


@dataclass(frozen=True, slots=True)
class Vector:
    """One telegram and what it means; values are as TOML gives them."""

    note: str
    address: str
    telegram: bytes
    key: bytes | None = field(repr=False)
    values: Mapping[str, Any]
    flags: frozenset[str]


def load_vectors(text: str) -> tuple[Vector, ...]:
    """Reads the text of a `vectors.toml`; `KeyError` or `ValueError` when it is none."""
    return tuple(
        Vector(
            note=entry["note"],
            address=entry["address"],
            telegram=bytes.fromhex(entry["bytes"]),
            key=bytes.fromhex(entry["key"]) if "key" in entry else None,
            values=entry["values"],
            flags=frozenset(entry["flags"]),
        )
        for entry in tomllib.loads(text)["telegram"]
    )


def differences(vector: Vector, registry: Registry, driver: str) -> tuple[str, ...]:
    """What the house makes of a telegram that its vector does not say, or the other way round.

    Args:
        vector: from `load_vectors`.
        registry: with the driver under test.
        driver: the name of the driver that has to claim the telegram.

    """
    try:
        opened = open_sealed(identify(vector.telegram, registry), vector.key)
    except TelegramError as error:
        return (str(error),)
    out: list[str] = []
    if opened.sealed.driver.name != driver:
        out.append(f"claimed by {opened.sealed.driver.name}, not {driver}")
    if str(opened.sealed.address) != vector.address:
        out.append(f"address {opened.sealed.address}, not {vector.address}")
    measured = opened.measurement.values
    for name in sorted(vector.values.keys() | measured.keys()):
        wanted, got = vector.values.get(name), measured.get(name)
        stated = Decimal(wanted) if isinstance(got, Decimal) and isinstance(wanted, str) else wanted
        if stated != got:
            out.append(f"{name} is {got}, not {wanted}")
    flags = {flag.value for flag in opened.measurement.flags}
    if flags != vector.flags:
        out.append(f"flags are {sorted(flags)}, not {sorted(vector.flags)}")
    return tuple(out)

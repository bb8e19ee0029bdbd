"""A driver's telegrams and what they mean: `vectors.toml`, read and compared.

In: the text of a `vectors.toml` and a registry. Out: what differs, in words; nothing when all is right. The
one rule: a vector states every value and every flag that the driver gives, so a value that appears out of
nowhere is a difference too.

    [[telegram]]
    note = "IZAR radio, default keys"
    address = "SAP-21131C34-0C-04"
    bytes = "1944304C..."
    key = "..."                      # only when the meter has one of its own
    driver = "ocea"                  # only in a package of several drivers
    flags = ["LEAK"]
    [telegram.values]
    total_volume_m3 = "123.456"      # decimals as text, whole numbers and dates as TOML has them
    target_date = 2025-04-30
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from core.mbus.errors import TelegramError
from core.metering.decode import identify, open_telegram
from core.metering.registry import Registry

_REQUIRED = ("note", "address", "bytes", "values", "flags")


@dataclass(frozen=True, slots=True)
class Vector:
    """One telegram and what it means; values are as TOML gives them."""

    note: str
    address: str
    telegram: bytes
    key: bytes | None = field(repr=False)
    values: Mapping[str, Any]
    flags: frozenset[str]
    driver: str | None = None


def load_vectors(text: str) -> tuple[Vector, ...]:
    """Reads the text of a `vectors.toml`.

    Raises:
        KeyError: a part is missing; the text says which, and of which telegram.
        ValueError: the text is no TOML, bytes or key no hexadecimal, or a value a binary fraction.

    """
    return tuple(
        _vector(number, entry) for number, entry in enumerate(tomllib.loads(text)["telegram"], start=1)
    )


def _vector(number: int, entry: Mapping[str, Any]) -> Vector:
    missing = [name for name in _REQUIRED if name not in entry]
    if missing:
        raise KeyError(f"telegram {number} states no {missing[0]}")
    for name, value in entry["values"].items():
        if isinstance(value, float):
            raise ValueError(  # noqa: TRY004 - the file is wrong, not the program
                f'telegram {number}: write decimals as text, {name} = "{value}"'
            )
    return Vector(
        note=entry["note"],
        address=entry["address"],
        telegram=_hexadecimal(number, "bytes", entry["bytes"]),
        key=_hexadecimal(number, "key", entry["key"]) if "key" in entry else None,
        values=entry["values"],
        flags=frozenset(entry["flags"]),
        driver=entry.get("driver"),
    )


def _hexadecimal(number: int, name: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        # The text itself is left out: it may be a key.
        raise ValueError(f"telegram {number}: {name} has non-hexadecimal digits, or an odd number") from None


def differences(vector: Vector, registry: Registry, driver: str) -> tuple[str, ...]:
    """How the decoding of a telegram differs from its vector.

    Args:
        vector: from `load_vectors`.
        registry: with the driver under test.
        driver: the name of the driver that has to claim the telegram.

    """
    try:
        opened = open_telegram(identify(vector.telegram, registry), vector.key)
    except TelegramError as error:
        cause = "" if error.__cause__ is None else f" ({error.__cause__!r})"
        return (f"{error}{cause}",)
    out: list[str] = []
    if opened.identified.driver.name != driver:
        out.append(f"claimed by {opened.identified.driver.name}, not {driver}")
    if str(opened.identified.address) != vector.address:
        out.append(f"address {opened.identified.address}, not {vector.address}")
    measured = opened.measurement.values
    for name in sorted(vector.values.keys() | measured.keys()):
        wanted, got = vector.values.get(name), measured.get(name)
        if not _same(wanted, got):
            out.append(f"{name} is {got}, not {wanted}")
    flags = {flag.value for flag in opened.measurement.flags}
    if flags != vector.flags:
        out.append(f"flags are {sorted(flags)}, not {sorted(vector.flags)}")
    return tuple(out)


def _same(wanted: object, got: object) -> bool:
    if isinstance(got, Decimal) and isinstance(wanted, str):
        try:
            return Decimal(wanted) == got
        except InvalidOperation:
            return False
    return wanted == got

"""A new driver's package, as files: what `submeter drivers new` writes.

In: a name and the letters of the maker. Out: relative path -> text, ready to be installed and checked. The
one rule: the telegrams are made anew for these letters by the encoder beside this file, which shares no code
with the decoder, since encryption covers the maker's letters too; what they mean stands in `vectors.toml.txt`
and is written by hand.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from importlib.resources import files
from string import Template
from typing import Final

from core.metering.generic import GENERIC
from core.metering.template.telegrams import Meter, Reading, encrypted, plain

_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,29}", re.ASCII)
_MAKER: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_RESERVED: Final = frozenset({GENERIC.name, "drivers"})

VERSION: Final = 0x01
"""The device version that the new driver claims; a vendor puts its own in its place."""
MEDIA: Final = (0x07, 0x06)
"""Water, and warm water (EN 13757-7 table 13)."""

_KEY: Final = bytes(range(16))
_QUIET: Final = Reading(
    volume=Decimal("123.456"),
    target_volume=Decimal("120.001"),
    target_date=date(2026, 10, 31),
    alarms=0x00,
)
_LEAKING: Final = Reading(
    volume=Decimal("47.889"),
    target_volume=Decimal("45.002"),
    target_date=date(2026, 10, 31),
    alarms=0x01,
)
# File of the package -> file of this folder; `$package` in a path is filled in as in a text.
_FILES: Final = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "$package/__init__.py": "plugin.py.txt",
    "$package/driver.py": "driver.py.txt",
    "$package/vectors.toml": "vectors.toml.txt",
    "$package/py.typed": "py.typed.txt",
    "tests/test_$name.py": "test.py.txt",
}


class UnusableName(ValueError):
    """The name, or the letters of the maker, cannot be used; the text says why and what can."""


def maker_of(name: str) -> str:
    """The letters that stand in until the vendor gives its own: the first three of the name.

    Raises:
        UnusableName: these are no letters.

    """
    letters = name[:3].upper()
    if _MAKER.fullmatch(letters) is None:
        raise UnusableName(f"{name!r} gives no three letters of a maker; name them with --maker ABC")
    return letters


def package_files(name: str, maker: str) -> Mapping[str, str]:
    """The files of a new package.

    Args:
        name: of the driver and its plugin: `"acme"`.
        maker: three letters, as the meters send them: `"ACM"`.

    Returns:
        Path, relative to the package's folder -> text.

    Raises:
        UnusableName: one of the two cannot be used.

    """
    if _NAME.fullmatch(name) is None:
        raise UnusableName(
            f"{name!r} is no name of a driver: 2 to 30 lower-case letters or digits, a letter first"
        )
    if name in _RESERVED:
        raise UnusableName(f"{name!r} is a reserved name")
    if _MAKER.fullmatch(maker) is None:
        raise UnusableName(f"{maker!r} are no letters of a maker: three of A-Z, like 'ACM'")
    cold, warm = (Meter(maker, "12345678", VERSION, medium) for medium in MEDIA)
    words = {
        "name": name,
        "title": name.capitalize(),
        "package": f"submeter_{name}",
        "distribution": f"submeter-{name}",
        "maker": maker,
        "cold": str(cold),
        "warm": str(warm),
        "plain": plain(cold, _QUIET, access=1).hex().upper(),
        "encrypted": encrypted(warm, _LEAKING, key=_KEY, access=2).hex().upper(),
        "key": _KEY.hex().upper(),
    }
    folder = files(__name__)
    return {
        Template(path).substitute(words): Template((folder / source).read_text("utf-8")).substitute(words)
        for path, source in _FILES.items()
    }

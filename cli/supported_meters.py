"""`docs/supported-meters.md`, made from the drivers and their telegrams.

In: the installed plugins. Out: Markdown on standard output. The one rule: nothing is claimed by hand; a row
is a signature of a driver, and what stands in it was seen while decoding that driver's `vectors.toml`.

    python -m cli.supported_meters > docs/supported-meters.md
"""

import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint
from typing import Final

from core.metering import Opened, SecurityKind, Signature, identify, open_sealed
from core.metering.conformance import Subject, installed_plugins, subjects_of

_HOUSE: Final = "submeter"
_MEDIA: Final = {
    0x04: "heat",
    0x06: "warm water",
    0x07: "water",
    0x08: "heat cost allocator",
    0x0A: "cooling (return)",
    0x0B: "cooling (flow)",
    0x0C: "heat (flow)",
    0x0D: "heat and cooling",
    0x15: "hot water",
    0x16: "cold water",
}
"""Device types of EN 13757-7 table 13, as far as the house bills them."""
_SEALS: Final = {
    SecurityKind.NONE: "none",
    SecurityKind.MODE_5: "mode 5",
    SecurityKind.MODE_7: "mode 7",
    SecurityKind.ELL_CTR: "extended link",
    SecurityKind.PROPRIETARY: "the vendor's own",
}
_OPENING: Final = """\
# Supported meters

Made by `make supported-meters` from the drivers of this repository and their `vectors.toml`; a test
holds the two together. *Telegrams* counts those that prove the row: each is decoded in the tests, to the last
value. A row with 0 is claimed, and no telegram of ours proves it yet. A meter that no driver claims is read
as far as EN 13757-3 alone allows, and marked `generic`.

A vendor that is missing here is a package of its own: [writing-a-driver.md](writing-a-driver.md).
"""


def page(plugins: Iterable[EntryPoint]) -> str:
    """The page for these plugins."""
    subjects, _ = subjects_of(plugins)
    return "\n".join((_OPENING, *(line for subject in subjects for line in _section(subject))))


def _section(subject: Subject) -> Iterator[str]:
    driver = subject.driver
    opened = [
        open_sealed(identify(vector.telegram, subject.registry), vector.key) for vector in subject.vectors
    ]
    yield f"## {driver.title}"
    yield ""
    yield f"Driver `{driver.name}`. A serial is printed like `{driver.serial.example}`."
    yield ""
    yield "| maker | version | measures | telegrams | seal | values |"
    yield "|---|---|---|---|---|---|"
    for signature in sorted(driver.signatures, key=str):
        yield _row(signature, [one for one in opened if _covers(signature, one)])
    yield ""


def _covers(signature: Signature, opened: Opened) -> bool:
    address = opened.sealed.address
    return (
        signature.manufacturer == address.manufacturer
        and signature.version in {None, address.version}
        and signature.medium in {None, address.medium}
    )


def _row(signature: Signature, proofs: list[Opened]) -> str:
    version = "any" if signature.version is None else f"{signature.version:02X}"
    media = {one.sealed.medium for one in proofs} if signature.medium is None else {signature.medium}
    measures = ", ".join(_MEDIA.get(medium, f"{medium:02X}") for medium in sorted(media)) or "any"
    seals = sorted({_SEALS[one.sealed.envelope.security] for one in proofs})
    values = sorted({name for one in proofs for name in one.measurement.values})
    cells = (
        signature.manufacturer,
        version,
        measures,
        str(len(proofs)),
        ", ".join(seals),
        ", ".join(f"`{name}`" for name in values),
    )
    return f"| {' | '.join(cells)} |"


def our_plugins() -> tuple[EntryPoint, ...]:
    """The plugins that this repository brings, and no stranger's."""
    return tuple(
        plugin for plugin in installed_plugins() if plugin.dist is not None and plugin.dist.name == _HOUSE
    )


if __name__ == "__main__":
    sys.stdout.write(page(our_plugins()))

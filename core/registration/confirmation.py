"""What is shown of a dwelling that was found, so that a mistyped serial is noticed: the neighbour's is often
one digit off, and no family of meters has a check digit.

In: the building's and the dwelling's data. Out: labelled lines, as on the guide's screen (R-174 to R-183),
then the door, and the lot where there is one. The one rule: they hold no personal data, and what is missing
reads «Non renseigné» (R-175).
"""

from dataclasses import dataclass

from core.language import Text
from core.operators import DwellingParts, OperatorProfile


@dataclass(frozen=True, slots=True)
class FoundDwelling:
    """A dwelling that was found, and its building."""

    residence_name: str
    residence_code: str
    street: str
    postcode: str
    city: str
    parts: DwellingParts
    manager_reference: str | None = None
    lot: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmationLine:
    """A label and its value; `known` is False for «Non renseigné»."""

    label: Text
    value: Text
    known: bool


@dataclass(frozen=True, slots=True)
class Block:
    """Lines under a title."""

    title: Text
    lines: tuple[ConfirmationLine, ...]


def confirmation_of(profile: OperatorProfile, found: FoundDwelling) -> tuple[Block, Block]:
    """The two blocks to check: the building, the dwelling."""

    def line(key: str, value: str | None) -> ConfirmationLine:
        text = (value or "").strip()
        shown = Text(text, text) if text else profile.text("confirmation.unknown")
        return ConfirmationLine(profile.text(f"confirmation.{key}"), shown, known=bool(text))

    parts = found.parts
    place = " ".join(word for word in (found.postcode, found.city) if word)
    address = ",".join(word for word in (found.street, place) if word)
    return (
        Block(
            profile.text("confirmation.residence"),
            (
                line("name", found.residence_name),
                line("code", found.residence_code),
                line("address", address),
            ),
        ),
        Block(
            profile.text("confirmation.dwelling"),
            (
                line("reference", found.manager_reference),
                line("building", parts.building),
                line("dwelling_code", profile.dwelling_code(parts)),
                line("staircase", parts.staircase),
                line("floor", parts.floor),
                line("number", parts.number),
                *((line("lot", found.lot),) if found.lot else ()),
            ),
        ),
    )
